//! One job: its runs, what happened in the latest one, and one row a feature.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{FeaturePage, SeriesSet, job_id};
use crate::alert::{PastIncident, past_incidents};
use crate::change::Cause;
use crate::history::{History, HistoryError, RunFilter, StoredRun};
use crate::report::{FeatureReport, Finding, Incident, ModelImpact, Report, Run, Skipped, Summary};
use crate::verdict::Level;

/// Runs that the table of features looks back on.
pub const RECENT: usize = 30;
/// Features on the overview.
const WORST: usize = 12;
/// Incidents, those that alerts keep, skipped features and findings on the overview.
const LISTED: usize = 200;

/// A job with its latest report: what pages are made from.
#[derive(Debug)]
pub struct Board {
    /// Name of the job.
    pub job: String,
    /// The numbers of its runs, at least of the latest [`RECENT`] ones.
    pub past: SeriesSet,
    /// All of its runs, the oldest first; never empty.
    pub runs: Vec<StoredRun>,
    /// The report of the latest run.
    pub report: Report,
    /// Places of the features in the report, the most severe first: the order of the pages.
    pub order: Vec<usize>,
    alerts: Vec<PastIncident>,
}

/// What the overview of a job shows.
#[derive(Debug, Serialize)]
pub struct JobPage<'b> {
    id: String,
    job: &'b str,
    runs: Vec<RunRow<'b>>,
    run: &'b Run,
    summary: Summary,
    incidents: Vec<IncidentRow<'b>>,
    /// How many there are, by cause.
    incident_causes: BTreeMap<Cause, usize>,
    findings: &'b [Finding],
    more_findings: usize,
    skipped: &'b [Skipped],
    more_skipped: usize,
    alerts: &'b [PastIncident],
    /// Which drift is likely to hurt which model.
    risks: &'b [ModelImpact],
    worst: Vec<FeatureRow<'b>>,
    chunk: usize,
}

/// One run.
#[derive(Debug, Serialize)]
struct RunRow<'b> {
    name: &'b str,
    window: &'b str,
    #[serde(with = "crate::history::instant")]
    at: chrono::DateTime<chrono::Utc>,
    revision: u32,
    summary: Summary,
}

impl<'b> RunRow<'b> {
    fn of(run: &'b StoredRun) -> Self {
        let StoredRun { name, window, at, revision, summary, .. } = run;
        Self { name, window, at: *at, revision: *revision, summary: *summary }
    }
}

/// An incident of the latest run.
#[derive(Debug, Serialize)]
struct IncidentRow<'b> {
    #[serde(flatten)]
    incident: &'b Incident,
    /// Runs for which one of its features was not ok.
    nights: usize,
}

/// One feature in the table.
#[derive(Debug, Serialize)]
pub struct FeatureRow<'b> {
    n: usize,
    name: &'b str,
    r#type: &'b str,
    kind: &'b str,
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
    psi: Option<f64>,
    ks: Option<f64>,
    q: Option<f64>,
    /// Null share of the reference and of the current side.
    nulls: [f64; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    what: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sure: Option<f64>,
    /// Runs in a row in which it was not ok.
    nights: usize,
    levels: String,
    trend: Vec<Option<f64>>,
}

impl Board {
    /// The job, with its latest `last` runs; nothing when it has no runs. `deep` reads the numbers of all of these, and
    /// without it only of the latest [`RECENT`].
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn read(history: &History, job: &str, last: Option<usize>, deep: bool) -> Result<Option<Self>, HistoryError> {
        let runs = history.runs(&RunFilter { job: Some(job.to_owned()), last })?;
        let Some(latest) = runs.last() else { return Ok(None) };
        let report = history.report(latest)?;
        let first = if deep { 0 } else { runs.len().saturating_sub(RECENT) };
        let past = SeriesSet::read(history, runs[first..].to_vec())?;
        let places: std::collections::HashMap<*const FeatureReport, usize> =
            report.features.iter().enumerate().map(|(place, feature)| (std::ptr::from_ref(feature), place)).collect();
        let order = report.by_severity().into_iter().map(|feature| places[&std::ptr::from_ref(feature)]).collect();
        let alerts = past_incidents(history, job, LISTED)?;
        Ok(Some(Self { job: job.to_owned(), past, runs, report, order, alerts }))
    }

    /// Features, the most severe first.
    pub fn features(&self) -> impl Iterator<Item = &FeatureReport> {
        self.order.iter().map(|&place| &self.report.features[place])
    }

    /// Incidents that people were told of, the latest first.
    #[must_use]
    pub fn alerts(&self) -> &[PastIncident] {
        &self.alerts
    }

    /// The overview, for pages whose files hold `chunk` features each.
    #[must_use]
    pub fn page(&self, chunk: usize) -> JobPage<'_> {
        let incidents = self.report.incidents.iter().filter(|incident| incident.level > Level::Ok);
        let mut incident_causes = BTreeMap::new();
        for incident in incidents.clone() {
            *incident_causes.entry(incident.cause).or_default() += 1;
        }
        let nights = |feature: &String| self.past.of(feature).nights(self.past.runs.len());
        let (findings, skipped) = (&self.report.findings, &self.report.skipped);
        JobPage {
            id: job_id(&self.job),
            job: &self.job,
            runs: self.runs.iter().map(RunRow::of).collect(),
            run: &self.report.run,
            summary: self.report.summary,
            incident_causes,
            incidents: incidents
                .take(LISTED)
                .map(|incident| IncidentRow {
                    incident,
                    nights: incident.features.iter().map(nights).max().unwrap_or(0),
                })
                .collect(),
            findings: &findings[..findings.len().min(LISTED)],
            more_findings: findings.len().saturating_sub(LISTED),
            skipped: &skipped[..skipped.len().min(LISTED)],
            more_skipped: skipped.len().saturating_sub(LISTED),
            alerts: &self.alerts,
            risks: &self.report.models,
            worst: self.rows().take_while(|row| row.level > Level::Ok).take(WORST).collect(),
            chunk,
        }
    }

    /// One row a feature, the most severe first.
    pub fn rows(&self) -> impl Iterator<Item = FeatureRow<'_>> {
        self.features().enumerate().map(|(n, feature)| self.row(n, feature))
    }

    fn row<'b>(&'b self, n: usize, feature: &'b FeatureReport) -> FeatureRow<'b> {
        let past = self.past.of(&feature.name);
        let runs = self.past.runs.len();
        let change = feature.change_kind.as_ref().filter(|_| feature.level > Level::Ok);
        FeatureRow {
            n,
            name: &feature.name,
            r#type: &feature.data_type,
            kind: feature.kind.name(),
            level: feature.level,
            weight: feature.weight,
            psi: feature.number("psi"),
            ks: feature.number("ks_statistic"),
            q: feature.test().1,
            nulls: [feature.reference.null_share(), feature.current.null_share()],
            what: change.map(|change| change.title.as_str()),
            cause: change.map(|change| change.cause),
            sure: change.map(|change| change.confidence),
            nights: past.nights(runs),
            levels: past.levels(runs, RECENT.min(runs)),
            trend: past.psi(runs, RECENT.min(runs)),
        }
    }

    /// The page of the feature at place `n` of the order.
    #[must_use]
    pub fn feature_page(&self, n: usize) -> Option<FeaturePage<'_>> {
        let feature = &self.report.features[*self.order.get(n)?];
        Some(self.page_of(n, feature, self.past.of(&feature.name)))
    }

    /// The page of a feature with a past that was read for it alone, over all runs of the board.
    #[must_use]
    pub fn page_of<'b>(&'b self, n: usize, feature: &'b FeatureReport, past: &super::Series) -> FeaturePage<'b> {
        let about = |alert: &&PastIncident| alert.members.iter().any(|member| member.feature == feature.name);
        let told = self.alerts.iter().filter(about).collect();
        FeaturePage::of(n, feature, past, self.runs.len(), &self.report, told)
    }
}
