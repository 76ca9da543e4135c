//! What the history knows about the question.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::performance::{FromModels, Watched};
use super::{Performance, Training};
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

/// Everything that a policy looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Name of the latest run, or, without runs, of the latest window of the model.
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
    /// Rows since then. Of a model whose windows are in the history: those with a label, which a training takes. Else those
    /// of the runs; rows that two windows share count once, as far as the lengths of windows tell.
    pub new_samples: u64,
    /// Whether they are rows with a label.
    #[serde(default)]
    pub labelled: bool,
    /// Sum of the drift shares since then, each times the days that it lasted.
    pub drifted_days: f64,
    /// How good the model is.
    pub performance: Option<Performance>,
    /// Models in the history of which nobody has said which one it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unnamed_models: Vec<String>,
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
    /// What the history says about `job` since `trained`; `None` when there is neither a run nor a window of a model.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn gather(
        history: &History,
        job: &str,
        trained: Option<Training>,
        look: &Look<'_>,
    ) -> Result<Option<Self>, HistoryError> {
        let runs = history.runs(&RunFilter::job(job))?;
        let models = FromModels::gather(history, job, look.watched, trained.as_ref().map(|training| training.at))?;
        let ends = runs.first().zip(runs.last());
        let ends = ends.map(|ends| [ends.0, ends.1].map(|run| (run.name.clone(), run.at)));
        let Some([(_, first), (run, at)]) = ends.or(models.ends) else { return Ok(None) };
        let since = trained.as_ref().map_or(first, |training| training.at);
        let of_runs = OfRuns::gather(history, &runs, since, trained.is_none(), look)?;
        Ok(Some(Self {
            run,
            at,
            trained,
            since,
            drift: of_runs.drift,
            shares: of_runs.shares,
            new_samples: models.labelled.unwrap_or(of_runs.new_samples),
            labelled: models.labelled.is_some(),
            drifted_days: of_runs.drifted_days,
            performance: models.performance,
            unnamed_models: models.unnamed,
        }))
    }
}

/// How far the evidence goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// The latest runs that drift is looked at in.
    pub nights: usize,
    /// And every run since the training.
    pub all: bool,
    /// The model.
    pub watched: Watched<'a>,
}

/// What the runs of a job say.
#[derive(Debug, Default)]
struct OfRuns {
    drift: Drift,
    shares: Vec<f64>,
    new_samples: u64,
    drifted_days: f64,
}

impl OfRuns {
    fn gather(
        history: &History,
        runs: &[StoredRun],
        since: DateTime<Utc>,
        first_is_new: bool,
        look: &Look<'_>,
    ) -> Result<Self, HistoryError> {
        let Some(latest) = runs.last() else { return Ok(Self::default()) };
        // Without a training, the first run is new, too.
        let is_new = |run: &&StoredRun| run.at > since || first_is_new;
        let new: Vec<&StoredRun> = runs.iter().filter(is_new).collect();
        let report = history.report(latest)?;
        let drift = Drift::of(&report);
        let (mut shares, mut drifted_days) = (vec![drift.share], 0.0);
        let looked_at = if look.all { new.len() } else { 0 }.max(look.nights);
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
        shares.truncate(look.nights.max(1));
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
        Ok(Self { drift, shares, new_samples, drifted_days })
    }
}

/// Length in days.
pub(super) fn days(length: chrono::TimeDelta) -> f64 {
    length.as_seconds_f64() / 86_400.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count of rows")]
pub(super) fn part_of(rows: u64, part: f64) -> u64 {
    (crate::format::real(rows) * part).round() as u64
}
