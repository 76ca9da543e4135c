//! gpudrift: an exact batch drift engine over Parquet feature columns.

pub mod backend;
pub mod compare;
pub mod counts;
pub mod metric;
pub mod stats;
