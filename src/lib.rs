//! gpudrift: an exact batch drift engine over Parquet feature columns.

pub mod backend;
pub mod column;
pub mod counts;
pub mod source;
