//! Synthetic feature stores with known drift: what the demo, the tests and the benches scan.
//!
//! A [`Store`] is a list of [`Feature`]s, each one a type, a [`Distribution`], its [`Specials`] (nulls, NaN, infinities)
//! and at most one [`Drift`], plus numbers of rows and a [`Format`]. [`GenerateSpec`] makes such a list from a few
//! numbers, [`demo`] holds one by hand. [`Store::write`] turns it into
//!
//! ```text
//!     <output>/reference/part-000.parquet ...      or reference/region=emea/part-000.parquet ...
//!     <output>/current/part-000.parquet ...
//!     <output>/truth.json                          what is true about each feature
//! ```
//!
//! A value depends on the seed, the side, the feature's name and its row, and on nothing else: the same rows come out
//! whatever the number of threads, files and rows in a row group, and a feature keeps its values when others are added.
//! It is made of integer draws, IEEE arithmetic and `libm`, so every machine writes the same bytes.
//!
//! This module knows nothing of scanning; a scan knows nothing of it.

mod array;
mod column;
pub mod demo;
mod distribution;
mod drift;
mod error;
mod feature;
mod plan;
mod quantile;
mod random;
mod readme;
mod spec;
mod truth;
mod types;
mod write;

pub use distribution::{Distribution, Sampler};
pub use drift::{
    Clipping, Constant, DRIFT_KINDS, DefaultValue, Drift, DriftKind, Frozen, NewCategory, NullSpike, Recoded, Rounding,
    Scale, Shape, Shares, Shift, SignFlip, Spelling, Spread, Swapped, TimeZone, Truncation, UnitChange, Value,
    VanishedCategory,
};
pub use error::GenerateError;
pub use feature::{Expected, Feature, Presence, Side, Specials};
pub use spec::GenerateSpec;
pub use types::{NamedType, TYPES, type_named};
pub use write::{CODECS, Format, Layout, NamedCodec, Store, Written, codec_named};
