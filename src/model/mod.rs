//! Models: how good are their predictions? Performance by window, version and segment, from a prediction log and labels that
//! may arrive later.
//!
//! ```text
//!     prediction log ──► batches ──► join with labels by id ──► groups (window × version × segment) ──► counts
//!     labels ────────────────────────────▲                                                              │
//!     reference ──────────────────────────────────────► counts ──► baseline ──► figures, levels, report ◄┘
//! ```
//!
//! Counts are integers that add up: cells of the confusion matrix, and distinct scores (or errors) with counters. So ROC AUC,
//! average precision and every other figure is exact, does not depend on how the rows were cut, and no row is kept. What
//! outgrows memory goes to a temporary file, sorted; labels that do not fit are joined part by part.
//!
//! | part | what happens there |
//! |---|---|
//! | [`ModelOptions`], [`ModelConfig`] | what was asked for, and what it amounts to |
//! | `rows`, `labels`, `join`, `count` | rows to groups to counts |
//! | `values`, `tally` | counts that add up |
//! | `scores`, `confusion`, `residuals`, `measures` | counts to figures; [`METRICS`] lists them |
//! | `device` | scores sorted by a GPU |
//! | `baseline`, `level` | figures against those of the reference |
//! | `sample` | samples of numbers, walked over and never held |
//! | `drift` | predictions and scores against those of the reference, by the metrics of the feature scan |
//! | `operations` | latency, throughput, errors |
//! | `estimate` | performance without labels |
//! | `importance` | which features a model uses: which drift of a feature scan is likely to hurt it |
//! | [`compare`](mod@compare) | versions that serve side by side |
//! | [`validate`](mod@validate) | a challenger beside a champion: deploy, hold or reject |
//! | [`scan`](mod@scan), `report`, `table` | the whole, and how it is told |

mod baseline;
mod columns;
pub mod compare;
mod config;
mod confusion;
mod count;
mod device;
mod drift;
mod error;
mod estimate;
mod importance;
mod join;
mod labels;
mod level;
mod measure;
mod measures;
mod operations;
mod options;
mod ranking;
mod report;
mod residuals;
mod rows;
mod sample;
pub mod scan;
mod scores;
mod spool;
mod table;
mod tally;
pub mod validate;
mod values;
mod window;

pub use config::ModelConfig;
pub use confusion::Matrix;
pub use drift::{DriftReport, Facts, NumberFacts};
pub use error::ModelError;
pub use estimate::{Estimate, Estimation, ExpectedMatrix, Kept, Method};
pub use importance::{Importances, ModelUse};
pub use join::IdFacts;
pub use measure::{Better, Card, METRICS, Measure, metric};
pub use operations::{ErrorReport, NumberReport, Operations};
pub use options::{Calibrate, Keep, Limits, ModelOptions, Task};
pub use report::{Business, Dates, GroupReport, MetricReport, ModelFacts, ModelReport, RunFacts, Segment, Summary};
pub use tally::RowCounts;
pub use window::Window;
