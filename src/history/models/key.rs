//! Which window of which model: keys, and what a report has to say under each.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ModelValue;
use crate::history::{AsOf, DEFAULT_JOB};
use crate::model::{Dates, GroupReport, ModelFacts, ModelReport, Task};

/// A value of a segment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelSegment {
    /// The column.
    pub column: String,
    /// The value; `None` for null.
    pub value: Option<String>,
}

/// `region=south`; null is a word here.
impl std::fmt::Display for ModelSegment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}={}", self.column, self.value.as_deref().unwrap_or("null"))
    }
}

/// What a window of a model is known by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModelKey {
    /// Name of the job.
    pub job: String,
    /// Name of the model.
    pub model: String,
    /// Hash of what decides about its figures.
    pub definition: String,
    /// `None` for the rows of all segments.
    pub segment: Option<ModelSegment>,
    /// `None` where versions are not told apart, or the version is null.
    pub version: Option<String>,
    /// Its first day; `whole` or `untimed` without one, or what the scan was told to call it.
    pub window: String,
}

impl ModelKey {
    /// Sixteen hexadecimal digits that follow from the key alone.
    #[must_use]
    pub fn name(&self) -> String {
        let json = serde_json::to_string(self).expect("texts are JSON");
        let mut name = hex::encode(Sha256::digest(json));
        name.truncate(16);
        name
    }
}

/// A window of a model with what a scan found, on its way into a history.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelEntry {
    /// What it is known by.
    pub key: ModelKey,
    /// First and last day.
    pub days: Option<[String; 2]>,
    /// The instant that it ends at, or, of an open one, the latest row of the log: trends are in this order.
    pub at: DateTime<Utc>,
    /// What the model predicts.
    pub task: Task,
    /// Whether the log ended within it: more rows may come.
    pub open: bool,
    /// What was found.
    pub value: ModelValue,
}

/// What a report has to store: an entry a group. Windows without days are called as `as_of` is written, and stand for its
/// instant; without it for the latest row of the log, or for `now`.
#[must_use]
pub fn model_entries(
    report: &ModelReport,
    job: Option<&str>,
    as_of: Option<&AsOf>,
    now: DateTime<Utc>,
) -> Vec<ModelEntry> {
    let entry = |group: &GroupReport| {
        let facts = report.models.iter().find(|facts| facts.model == group.model)?;
        let latest = facts.latest.as_deref().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let latest = latest.map(|at| at.to_utc());
        let end = group.window.as_ref().and_then(end);
        let open = end.is_none_or(|end| latest.is_none_or(|latest| latest < end));
        let at = end.filter(|_| !open).or(as_of.map(AsOf::at).filter(|_| end.is_none())).or(latest).unwrap_or(now);
        Some(ModelEntry {
            key: key(facts, group, job, as_of),
            days: group.window.clone().map(|dates| [dates.start, dates.end]),
            at,
            task: facts.task,
            open,
            value: ModelValue::of(group, now),
        })
    };
    report.groups.iter().filter_map(entry).collect()
}

fn key(facts: &ModelFacts, group: &GroupReport, job: Option<&str>, as_of: Option<&AsOf>) -> ModelKey {
    let segment = group.segment.as_ref();
    let window = match (&group.window, as_of) {
        (Some(dates), _) => dates.start.clone(),
        (None, Some(as_of)) if group.untimed => format!("untimed {as_of}"),
        (None, Some(as_of)) => as_of.to_string(),
        (None, None) => if group.untimed { "untimed" } else { "whole" }.to_owned(),
    };
    ModelKey {
        job: job.unwrap_or(DEFAULT_JOB).to_owned(),
        model: facts.model.clone(),
        definition: facts.definition.clone(),
        segment: segment.map(|one| ModelSegment { column: one.column.clone(), value: one.value.clone() }),
        version: group.version.clone(),
        window,
    }
}

/// The midnight (UTC) after the last day.
fn end(dates: &Dates) -> Option<DateTime<Utc>> {
    let last: NaiveDate = dates.end.parse().ok()?;
    Some(last.succ_opt()?.and_hms_opt(0, 0, 0)?.and_utc())
}
