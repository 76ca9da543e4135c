//! The models of a job: how each stands, its versions, what validations decided, and whether to train again.

use std::collections::BTreeMap;

use serde::Serialize;

use super::model::{ModelPage, SegmentPage};
use super::series::rounded;
use super::{RECENT, job_id};
use crate::history::{History, HistoryError, ModelFilter, ModelTrend, ModelWindow, StoredValidation};
use crate::model::validate::Decision as Verdict;
use crate::model::{METRICS, Task};
use crate::retrain::{Answer, Decision, Ledger, Training};
use crate::verdict::Level;

/// Validations of a model, and answers about training, that pages list: the latest.
const LISTED: usize = 200;
/// Digits of the numbers of the table.
const DIGITS: i32 = 6;

/// The models of a job.
#[derive(Debug, Default)]
pub struct ModelBoard {
    /// Name of the job.
    pub job: String,
    /// Its models, by name.
    pub models: Vec<ModelPast>,
    /// Answers to the question whether to train, the oldest first.
    pub decisions: Vec<Decision>,
    /// The last training that somebody told of.
    pub trained: Option<Training>,
}

/// A model with its past.
#[derive(Debug, Default)]
pub struct ModelPast {
    /// Its name.
    pub name: String,
    /// Its windows by segment (all rows first) and version; none when it was only validated.
    pub trends: Vec<ModelTrend>,
    /// Validations of its challengers, the oldest first.
    pub validations: Vec<StoredValidation>,
}

/// The table of models, and the answers about training.
#[derive(Debug, Serialize)]
pub struct ModelsPage<'b> {
    id: String,
    models: Vec<ModelRow<'b>>,
    /// The latest first.
    decisions: Vec<DecisionRow<'b>>,
}

/// A model in the table.
#[derive(Debug, Serialize)]
pub struct ModelRow<'b> {
    n: usize,
    name: &'b str,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<Task>,
    level: Level,
    /// The worst segment, where it is worse than the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    segment: Option<(String, Level)>,
    /// The version with most of the traffic of the latest window.
    version: Option<&'b str>,
    /// Versions that serve in it.
    versions: usize,
    window: Option<&'b str>,
    /// The figure that is followed.
    metric: Option<&'static str>,
    value: Option<f64>,
    /// Whether it is what the scores let expect, without labels.
    estimated: bool,
    baseline: Option<f64>,
    levels: String,
    trend: Vec<Option<f64>>,
    requests: Option<f64>,
    errors: Option<f64>,
    p95: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Verdict>,
}

/// An answer about training.
#[derive(Debug, Serialize)]
struct DecisionRow<'b> {
    at: String,
    answer: &'static str,
    policy: crate::retrain::PolicyName,
    summary: &'b str,
    trained: Option<&'b str>,
}

impl ModelBoard {
    /// Whether a training is asked for that nobody has told of since; `None` where nobody ever asked.
    #[must_use]
    pub fn training_due(&self) -> Option<bool> {
        let latest = self.decisions.last()?;
        let done = self.trained.as_ref().is_some_and(|training| training.at >= latest.evidence.at);
        Some(latest.answer != Answer::No && !done)
    }

    /// The models of every job, or of one, each with its latest `last` windows; a job without models and answers is left out.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn all(
        history: &History,
        job: Option<&str>,
        last: Option<usize>,
    ) -> Result<BTreeMap<String, Self>, HistoryError> {
        let mut past: BTreeMap<(String, String), ModelPast> = BTreeMap::new();
        let filter = ModelFilter { job: job.map(str::to_owned), last, ..ModelFilter::default() };
        for trend in history.model_trends(&filter)? {
            past.entry((trend.job.clone(), trend.model.clone())).or_default().trends.push(trend);
        }
        for validation in history.validations(job, None)? {
            past.entry((validation.job.clone(), validation.model.clone())).or_default().validations.push(validation);
        }
        let mut boards: BTreeMap<String, Self> = BTreeMap::new();
        for ((job, name), past) in past {
            boards.entry(job).or_default().models.push(ModelPast { name, ..past });
        }
        let ledger = Ledger::open(history)?;
        for decision in ledger.decisions(job)? {
            boards.entry(decision.job.clone()).or_default().decisions.push(decision);
        }
        for (job, board) in &mut boards {
            board.job.clone_from(job);
            board.trained = ledger.trained(job)?;
        }
        Ok(boards)
    }

    /// The table of models.
    #[must_use]
    pub fn page(&self) -> ModelsPage<'_> {
        ModelsPage {
            id: job_id(&self.job),
            models: self.models.iter().enumerate().map(|(n, past)| past.row(n)).collect(),
            decisions: self.decisions.iter().rev().take(LISTED).map(DecisionRow::of).collect(),
        }
    }

    /// The highest level of its models.
    #[must_use]
    pub fn level(&self) -> Level {
        self.models.iter().map(ModelPast::level).max().unwrap_or_default()
    }

    /// The latest window of its models, by name and instant.
    #[must_use]
    pub fn latest(&self) -> Option<&ModelWindow> {
        self.models.iter().filter_map(ModelPast::latest).max_by_key(|window| window.at)
    }

    /// The page of model `n`, with the rows of all segments.
    #[must_use]
    pub fn model_page(&self, n: usize) -> Option<ModelPage<'_>> {
        self.models.get(n).map(|past| ModelPage::of(n, past, LISTED))
    }

    /// Segment `k` of model `n`.
    #[must_use]
    pub fn segment_page(&self, n: usize, k: usize) -> Option<SegmentPage<'_>> {
        let past = self.models.get(n)?;
        let (_, trends) = past.segments().into_iter().nth(k)?;
        Some(SegmentPage::of(n, k, &trends))
    }
}

impl<'b> DecisionRow<'b> {
    fn of(decision: &'b Decision) -> Self {
        Self {
            at: crate::history::instant::text(&decision.evidence.at),
            answer: decision.answer.name(),
            policy: decision.policy,
            summary: &decision.summary,
            trained: decision.evidence.trained.as_ref().map(|training| training.model_version.as_str()),
        }
    }
}

impl ModelPast {
    /// The versions, over the rows of all segments.
    pub fn whole(&self) -> impl Iterator<Item = &ModelTrend> {
        self.trends.iter().filter(|trend| trend.segment.is_none())
    }

    /// The segments by name, each with its versions.
    #[must_use]
    pub fn segments(&self) -> Vec<(String, Vec<&ModelTrend>)> {
        let mut found: Vec<(String, Vec<&ModelTrend>)> = Vec::new();
        for trend in &self.trends {
            let Some(segment) = &trend.segment else { continue };
            let name = segment.to_string();
            match found.last_mut().filter(|(known, _)| *known == name) {
                Some((_, trends)) => trends.push(trend),
                None => found.push((name, vec![trend])),
            }
        }
        found
    }

    /// The latest window, of the version that answered most of it.
    #[must_use]
    pub fn latest(&self) -> Option<&ModelWindow> {
        let windows = self.whole().filter_map(|trend| trend.windows.last());
        windows.max_by_key(|window| (window.at, window.latest().rows.rows))
    }

    /// Whether a version, or a segment of it, has rows in the latest window.
    #[must_use]
    pub fn serves(&self, trend: &ModelTrend) -> bool {
        let latest = self.latest().map(|window| window.at);
        trend.windows.last().is_some_and(|window| Some(window.at) == latest)
    }

    /// How the versions that serve stand.
    #[must_use]
    pub fn level(&self) -> Level {
        self.whole().filter(|trend| self.serves(trend)).map(ModelTrend::standing).max().unwrap_or_default()
    }

    /// The figure to follow: accuracy, or RMSE of a regression, where it is known, and else the first that is.
    #[must_use]
    pub fn metric(&self) -> Option<&'static str> {
        let known = |name: &str| {
            let mut windows = self.whole().flat_map(|trend| &trend.windows);
            windows.any(|window| window.latest().best(name).is_some())
        };
        METRICS.iter().map(|card| card.name).find(|name| known(name))
    }

    fn row(&self, n: usize) -> ModelRow<'_> {
        let latest = self.latest();
        let level = self.level();
        let segments = self.trends.iter().filter(|trend| self.serves(trend));
        let segments = segments.filter_map(|trend| Some((trend.segment.as_ref()?.to_string(), trend.standing())));
        let metric = self.metric();
        let main = self.main();
        let value = latest.map(ModelWindow::latest);
        let operations = value.and_then(|value| value.operations.as_ref());
        let known = metric.and_then(|name| main.iter().rev().find(|window| window.latest().best(name).is_some()));
        let estimated = metric.zip(known).is_some_and(|(name, window)| window.latest().metric(name).is_none());
        let best = |window: &ModelWindow| metric.and_then(|name| window.latest().best(name));
        let recent = &main[main.len().saturating_sub(RECENT)..];
        let short = |value: Option<f64>| value.and_then(|value| rounded(value, DIGITS));
        ModelRow {
            n,
            name: &self.name,
            task: latest.map(|window| window.task),
            level,
            segment: segments.max_by_key(|(_, level)| *level).filter(|(_, worst)| *worst > level),
            version: latest.and_then(|window| window.key.version.as_deref()),
            versions: self.whole().filter(|trend| self.serves(trend)).count(),
            window: latest.map(|window| window.key.window.as_str()),
            metric,
            value: short(known.and_then(|window| best(window))),
            estimated,
            baseline: short(metric.zip(known).and_then(|(name, window)| window.latest().baseline(name))),
            levels: recent.iter().map(|window| char::from(b'0' + window.latest().level as u8)).collect(),
            trend: recent.iter().map(|window| short(best(window))).collect(),
            requests: short(operations.and_then(|one| one.throughput_per_second)),
            errors: short(operations.and_then(|one| one.errors?.rate)),
            p95: short(operations.and_then(|one| one.latency?.p95)),
            decision: self.validations.last().map(|validation| validation.decision),
        }
    }

    /// The windows over all segments, each of the version that answered most of it.
    fn main(&self) -> Vec<&ModelWindow> {
        let mut main: BTreeMap<(chrono::DateTime<chrono::Utc>, &str), &ModelWindow> = BTreeMap::new();
        for window in self.whole().flat_map(|trend| &trend.windows) {
            let most = main.entry((window.at, &window.key.window)).or_insert(window);
            if window.latest().rows.rows > most.latest().rows.rows {
                *most = window;
            }
        }
        main.into_values().collect()
    }
}
