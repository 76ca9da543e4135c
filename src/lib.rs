//! gpudrift: an exact batch drift engine over Parquet feature columns.

pub mod backend;
pub mod column;
pub mod compare;
pub mod config;
pub mod counts;
pub mod format;
pub mod generate;
pub mod metric;
pub mod progress;
pub mod report;
pub mod scan;
pub mod source;
pub mod stats;
pub mod verdict;
