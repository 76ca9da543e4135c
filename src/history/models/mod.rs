//! What model scans found, window by window: kept once, amended when labels arrive later.
//!
//! ```text
//!     ModelReport -> ModelEntry -> History::store_models     a window of a version and a segment, with its value
//!     History::models, model_trends                          windows with first and amended value; series of them
//! ```
//!
//! A window is known by its job, model, definition, version, segment and days ([`ModelKey`]). Stored again with the same
//! value nothing changes. With another one the first value stays and the new one stands beside it as the amended value,
//! each with its time and the labels it rests on. Two cases are different, and [`ModelStep`] tells of them:
//!
//! * A window that the log ended in was not finished: once it has more rows, its first value is that of these rows.
//! * A value from fewer rows, or from fewer labels of the same rows, knows less than the one that is kept: it is left out.

mod key;
mod trend;
mod value;

pub use key::{ModelEntry, ModelKey, ModelSegment, model_entries};
pub use trend::{ModelFilter, ModelTrend};
pub use value::{EarlierDefinition, ModelDrift, ModelStep, ModelValue, ModelWindow};

use super::{History, HistoryError};

/// What became of the windows of a model scan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelsStored {
    /// Windows that are new.
    pub new: usize,
    /// Windows that were there with the same value.
    pub unchanged: usize,
    /// Windows that were not finished, and have more rows now.
    pub grown: usize,
    /// Windows whose value was amended.
    pub amended: usize,
    /// Windows that the scan knew less of than the history: what is kept stays.
    pub kept: usize,
}

impl ModelsStored {
    pub(super) fn add(&mut self, step: ModelStep) {
        *match step {
            ModelStep::New => &mut self.new,
            ModelStep::Unchanged => &mut self.unchanged,
            ModelStep::Grown => &mut self.grown,
            ModelStep::Amended => &mut self.amended,
            ModelStep::Kept => &mut self.kept,
        } += 1;
    }
}

impl History {
    /// Stores what a model scan found, in one transaction (of a Parquet history: a file at a time), then removes what is
    /// older than `keep_days`.
    ///
    /// # Errors
    /// When it could not be stored; SQLite has changed nothing then.
    pub fn store_models(&mut self, entries: &[ModelEntry]) -> Result<ModelsStored, HistoryError> {
        let stored = self.store.put_models(entries)?;
        if let Some(days) = self.keep_days {
            self.keep(days)?;
        }
        Ok(stored)
    }

    /// The windows that `filter` lets through, by model, segment, version and instant, the oldest first. Of a window that
    /// was stored under several definitions the one that was stored last counts; the others stand in its `earlier`.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn models(&self, filter: &ModelFilter) -> Result<Vec<ModelWindow>, HistoryError> {
        let windows = self.store.models(filter.job.as_deref(), filter.model.as_deref())?;
        Ok(trend::filtered(windows, filter))
    }

    /// A text that is another one when windows of models, validations, trainings, or answers about them came, went, or changed.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn models_state(&self) -> Result<String, HistoryError> {
        let sql = "SELECT (SELECT count(*) || ' ' || total(at) FROM validations) || ' ' ||
                          (SELECT count(*) || ' ' || total(at) FROM trainings) || ' ' ||
                          (SELECT count(*) || ' ' || total(at) || ' ' || total(length(decision)) || ' ' ||
                                  coalesce(group_concat(answer, ''), '') FROM (SELECT * FROM retrain_decisions ORDER BY at, job))";
        let connection = super::connect(self.state_path())?;
        let ledger = connection.query_row(sql, [], |row| row.get::<_, Option<String>>(0));
        let ledger = ledger.map_err(|error| HistoryError::sqlite("read", self.state_path(), error))?;
        Ok(format!("{} {}", self.store.models_state()?, ledger.unwrap_or_default()))
    }

    /// The same as series: one a job, model, version and segment.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn model_trends(&self, filter: &ModelFilter) -> Result<Vec<ModelTrend>, HistoryError> {
        Ok(ModelTrend::of(self.models(filter)?))
    }
}
