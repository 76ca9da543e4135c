//! Pages for people, from the history: levels over time, incidents, every feature with its distributions and its past.
//!
//! ```text
//!     History ─> SeriesSet ─┬─> Board ───────> overview and table of features      one a job
//!             ─> Report ────┘─> FeaturePage ─> one feature                         loaded when it is looked at
//!     History ─> ModelBoard ─┬─> ModelsPage ──> models, and answers about training      one a job
//!                            └─> ModelPage ───> one model, SegmentPage: one segment     loaded when it is looked at
//!     Board, FeaturePage ─> write_site: a folder of static files;  serve: the same files, live
//! ```
//!
//! The pages are one HTML file, one style sheet, one script and a charting library, all of them here and none of them
//! fetched from anywhere. The data lies beside them in scripts that hand JSON to the page, because a page that was
//! opened from a disk may load scripts and nothing else. A feature's past is in a file with some neighbours', so that a
//! year of thousands of features costs the reader only what is looked at. No statistic is computed here but the terms
//! of PSI, which are [`crate::metric::psi_term`]'s.

pub mod assets;
mod board;
mod ecdf;
mod error;
mod feature;
mod model;
mod models;
mod series;
mod site;

pub use board::{Board, FeatureRow, JobPage, RECENT};
pub use ecdf::{Ecdf, Gap};
pub use error::DashboardError;
pub use feature::FeaturePage;
pub use model::{ModelPage, SegmentPage, VersionColumns};
pub use models::{ModelBoard, ModelPast, ModelRow, ModelsPage};
pub use series::{Series, SeriesColumns, SeriesSet};
pub(crate) use site::{ModelBoards, job_entries, page, script};
pub use site::{Written, chunk_size, job_id, write_site};
