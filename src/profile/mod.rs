//! The saved reference: read once, compared with every night's data.
//!
//! A profile holds, for every column, what a scan asks of the reference: its facts, its sorted distinct keys with their
//! counts, a cell map with its counts, its categories. It depends on the data alone: not on threads, row groups, files
//! or the day. [`Profile`] answers for the reference side as a backend would, so the same comparison runs and the
//! report is the same to the byte.
//!
//! ```text
//!     ARROW1   an Arrow IPC file: columns feature, part, data; any Arrow reader can list it
//!     batch    feature f   keys        blocks of 256 sorted keys with counts, each readable alone
//!                          categories  sorted values with counts, Zstandard
//!                          summary     facts, index of the blocks with a checksum each, map, cell counts
//!     ...
//!     batch    directory               names, types; offset, length and checksum of every part
//!     footer   gpudrift.profile        format, and offset, length and checksum of the directory
//!     ARROW1
//! ```
//!
//! Opening reads footer and directory. A feature costs its summary and the blocks with candidate cells; each is checked
//! when it is read. Types, bins, floor, metrics and which integers are categories may vary from scan to scan: all
//! follows from the keys. A profile bounded by `--profile-size` states by how much D may be off.

mod asked;
mod bound;
mod build;
mod bytes;
mod container;
mod directory;
mod error;
mod loaded;
mod merge;
mod overview;
mod reference;
mod runs;
mod sequence;
mod show;
mod sorter;
mod spool;
mod stored;

pub use build::{BuildOptions, build};
pub(crate) use build::{Encoded, Unbuilt, encode, forms, keys_at_once, of_categories, of_keys};
pub use error::ProfileError;
pub(crate) use loaded::WithStored;
pub use merge::merge;
pub(crate) use reference::Ordered;
pub use reference::Profile;
pub use show::FeatureOverview;
pub(crate) use spool::Spool;
