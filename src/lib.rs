//! gpudrift: an exact batch drift engine over Parquet feature columns.
//!
//! Two data sets, a *reference* and *current*, hold the same *features*. gpudrift says which of them drifted, how and
//! how badly. Devices count, the host calculates: a backend (CPU or GPU) returns integers only, every floating-point
//! number of a report is computed once, on the host, from those integers. So reports are the same to the bit on every
//! device, for every number of threads, and however the data lies in files.
//!
//! # The cell picture
//!
//! Values become [keys](counts::Keys): unsigned integers in the order of the values. A [map](counts::CellMap) cuts the
//! keys into cells, narrow where a sample is dense, and a backend counts the keys in each:
//!
//! ```text
//!     keys       0 ... lo .................................. hi ... max
//!     cells      [ 0 ][ 1 ][2][3][4][  5  ][      6      ][ 7 ][ 8 ]
//!     reference    0    12  90 85 97   40        22          9    0
//!     current      1    10  70 88 99   61        30         12    2
//! ```
//!
//! Running sums of the two rows are both ECDFs at the edges of the cells. The host bounds, in integers, what can happen
//! inside a cell: only cells that can still hold the largest gap, a quantile or a bin edge are looked into, and then
//! exactly. A bad map costs time, never a digit.
//!
//! # The path of a column
//!
//! | module | what happens there |
//! |---|---|
//! | [`source`] | paths become files, row groups and columns |
//! | [`mod@column`] | a column chunk becomes keys (or codes of categories) and facts that add exactly |
//! | [`counts`] | the waist: keys, cells, counts; integers only |
//! | [`backend`] | who counts: the CPU, a GPU, or a GPU with the CPU behind it |
//! | [`compare`] | which cells to look into; the gap, bins, quantiles, outliers, exactly |
//! | [`metric`], [`stats`] | integers become statistics, statistics become p- and q-values |
//! | [`verdict`] | numbers become a level and its reasons |
//! | [`profile`] | the reference, saved: it answers in the place of files |
//! | [`report`] | results out: table, JSON, Parquet and more |
//! | [`history`] | every run kept, and how features moved over them |
//! | [`dashboard`] | pages for people, from the history |
//! | [`serve`] | the same pages live, metrics and a JSON interface |
//! | [`alert`] | who is told, and until when |
//! | [`lineage`] | which data a run read, for those who keep track of that |
//! | [`model`] | predictions beside labels: how good are they, and are they still? |
//! | [`concept`] | streams of errors and losses: when did the concept change? |
//! | [`scan`] | the whole pipeline; [`config`] what was asked for |
//!
//! # Glossary
//!
//! *key*: the unsigned integer that stands for a value. *cell*: an interval of keys. *bin*: an interval of values in
//! which PSI counts, cut at the reference's percentiles. *ECDF*: share of a sample that is at most x. *q-value*: p-value
//! adjusted for the number of features. *level*: ok, info, warning, critical. *unit*: a row group of a file.
//!
//! ```
//! use gpudrift::config::ScanConfig;
//! use gpudrift::generate::GenerateSpec;
//! use gpudrift::progress::NoProgress;
//!
//! let folder = tempfile::tempdir()?;
//! GenerateSpec { rows: 2000, current_rows: 2000, features: 4, drifted: 0.5, ..GenerateSpec::default() }
//!     .store()?
//!     .write(folder.path(), false)?;
//! let side = |side: &str| vec![folder.path().join(side).display().to_string()];
//! let config = ScanConfig { reference: side("reference"), current: side("current"), ..ScanConfig::default() };
//! let report = gpudrift::scan::scan(&config, &NoProgress)?;
//! assert_eq!(report.summary.scanned, 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod alert;
pub mod backend;
pub mod change;
pub mod column;
pub mod compare;
pub mod concept;
pub mod config;
pub mod counts;
pub mod dashboard;
pub mod format;
pub mod generate;
pub mod history;
pub mod lineage;
pub mod metric;
pub mod model;
pub(crate) mod post;
pub mod profile;
pub mod progress;
pub mod quality;
pub mod report;
pub mod retrain;
pub mod scan;
pub mod serve;
pub mod source;
pub mod stats;
mod vector;
pub mod verdict;
pub mod window;
