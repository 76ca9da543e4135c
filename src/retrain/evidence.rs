//! What the history knows about the question.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Training;
use crate::change::Cause;
use crate::history::{History, HistoryError, RunFilter, StoredRun, instant};
use crate::report::{FeatureReport, Report};
use crate::verdict::Level;

/// Features that are listed at most.
const LISTED: usize = 20;

/// The drift of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Share of the features, by weight, that are WARNING or CRITICAL and whose change is no bug of the pipeline.
    pub share: f64,
    /// The same of those whose change looks like a bug.
    pub bug_share: f64,
    /// The first, most severe first, at most twenty.
    pub features: Vec<String>,
    /// Those that look like bugs.
    pub bugs: Vec<String>,
}

/// How good the model is, where somebody knows: larger is better.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// When it was trained.
    pub baseline: f64,
    /// Now.
    pub current: f64,
}

/// Everything that a policy looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Name of the latest run.
    pub run: String,
    /// The instant that it stands for.
    #[serde(with = "instant")]
    pub at: DateTime<Utc>,
    /// The last training that somebody told of.
    pub trained: Option<Training>,
    /// Since when samples are counted and time runs: the last training, or else the first run.
    #[serde(with = "instant")]
    pub since: DateTime<Utc>,
    /// The drift of the latest run.
    pub drift: Drift,
    /// Shares of drift of the latest runs, the latest first, as many as the policy looks at.
    pub shares: Vec<f64>,
    /// Rows of the runs since then; rows that two windows share count once, as far as the lengths of windows tell.
    pub new_samples: u64,
    /// Sum of the drift shares since then, each times the days that it lasted.
    pub drifted_days: f64,
    /// How good the model is.
    pub performance: Option<Performance>,
}

impl Drift {
    /// The drift that a report shows. Segments count with their features.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let whole = |feature: &&FeatureReport| feature.segment.is_none();
        let weight = |feature: &FeatureReport| feature.weight.unwrap_or(1.0);
        let total: f64 = report.features.iter().filter(whole).map(weight).sum();
        let mut drift = Self::default();
        for feature in report.by_severity().into_iter().filter(|feature| feature.level >= Level::Warning) {
            if feature.segment.is_some() || total <= 0.0 {
                continue;
            }
            let bug = feature.change_kind.as_ref().is_some_and(|change| change.cause == Cause::Pipeline);
            let (share, names) = match bug {
                true => (&mut drift.bug_share, &mut drift.bugs),
                false => (&mut drift.share, &mut drift.features),
            };
            *share += weight(feature) / total;
            if names.len() < LISTED {
                names.push(feature.name.clone());
            }
        }
        drift
    }
}

impl Evidence {
    /// What the history says about `job` since `trained`; `None` when there is no run. Drift is looked at in the latest
    /// `nights` runs, and in every run since the training when `all` is set.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn gather(
        history: &History,
        job: &str,
        trained: Option<Training>,
        nights: usize,
        all: bool,
    ) -> Result<Option<Self>, HistoryError> {
        let runs = history.runs(&RunFilter::job(job))?;
        let (Some(first), Some(latest)) = (runs.first(), runs.last()) else { return Ok(None) };
        let since = trained.as_ref().map_or(first.at, |training| training.at);
        // Without a training, the first run is new, too.
        let is_new = |run: &&StoredRun| run.at > since || trained.is_none();
        let new: Vec<&StoredRun> = runs.iter().filter(is_new).collect();
        let report = history.report(latest)?;
        let drift = Drift::of(&report);
        let (mut shares, mut drifted_days) = (vec![drift.share], 0.0);
        let looked_at = if all { new.len() } else { 0 }.max(nights);
        let before = |run: &StoredRun| runs.iter().rev().find(|other| other.at < run.at).map(|other| other.at);
        for (index, run) in runs.iter().rev().take(looked_at.max(1)).enumerate() {
            let share = if index == 0 { drift.share } else { Drift::of(&history.report(run)?).share };
            if index > 0 {
                shares.push(share);
            }
            if is_new(&run) {
                drifted_days += share * days(run.at - before(run).unwrap_or(run.at).max(since));
            }
        }
        shares.truncate(nights.max(1));
        let window = report.run.current.window.as_ref().and_then(|window| {
            let at = |text: &str| DateTime::parse_from_rfc3339(text).ok();
            Some(days(at(&window.end)? - at(&window.start)?)).filter(|&length| length > 0.0)
        });
        let mut new_samples = 0;
        for run in new {
            // The side has as many rows as any of its features.
            let rows = history.numbers(run)?.iter().map(|(_, numbers)| numbers.rows).max().unwrap_or(0);
            let part = match (window, before(run)) {
                (Some(length), Some(before)) => (days(run.at - before.max(since)) / length).clamp(0.0, 1.0),
                _ => 1.0,
            };
            new_samples += part_of(rows, part);
        }
        let (run, at) = (latest.name.clone(), latest.at);
        Ok(Some(Self { run, at, trained, since, drift, shares, new_samples, drifted_days, performance: None }))
    }
}

/// Length in days.
pub(super) fn days(length: chrono::TimeDelta) -> f64 {
    length.as_seconds_f64() / 86_400.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of rows")]
fn part_of(rows: u64, part: f64) -> u64 {
    (crate::format::real(rows) * part).round() as u64
}
