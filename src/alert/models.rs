//! Models that became worse, as incidents: one a model and version, whose members are figures and segments.
//!
//! What a scan of models stored is looked at as the history has it: late labels may raise an incident of a window of last
//! week, or end it. A version that no longer serves has none.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::{Transaction, TransactionBehavior};

use super::incident::{Incident, Sight, is_of_model, subject_of_model};
use super::message::RunNote;
use super::night::Night;
use super::outbox::open_incidents;
use super::{AlertError, Alerts, members, night};
use crate::config::ScanConfig;
use crate::history::{History, ModelFilter, ModelTrend, ModelValue};
use crate::report::{Report, Run};
use crate::verdict::Level;

/// Reasons that a title names.
const NAMED: usize = 2;

/// A version of a model that serves, with its segments.
#[derive(Default)]
struct Version<'t> {
    trends: Vec<&'t ModelTrend>,
}

/// A model of which something is loud.
struct Loud {
    incident: Incident<'static>,
    members: Vec<(String, Level)>,
}

impl Alerts {
    /// Takes note of the models that a scan looked at. Messages go to the outbox; [`Alerts::flush`] sends them. Doing it again
    /// changes nothing.
    ///
    /// # Errors
    /// When the history cannot be read or written; then nothing has changed.
    pub fn models(&self, history: &History, job: &str, models: &[String]) -> Result<(), AlertError> {
        let filter = ModelFilter { job: Some(job.to_owned()), ..ModelFilter::default() };
        let mut trends = history.model_trends(&filter)?;
        trends.retain(|trend| models.contains(&trend.model));
        for model in models {
            let of_model: Vec<&ModelTrend> = trends.iter().filter(|trend| trend.model == *model).collect();
            let windows = of_model.iter().filter(|trend| trend.segment.is_none());
            let latest = windows.filter_map(|trend| trend.windows.last()).max_by_key(|window| window.at);
            if let Some(latest) = latest {
                let serving = of_model.into_iter().filter(|one| one.windows.last().is_some_and(|w| w.at == latest.at));
                self.model(job, model, latest.at, &latest.key.window, serving.collect())?;
            }
        }
        Ok(())
    }

    fn model(
        &self,
        job: &str,
        model: &str,
        at: DateTime<Utc>,
        window: &str,
        serving: Vec<&ModelTrend>,
    ) -> Result<(), AlertError> {
        let least = self.channels.iter().map(|channel| channel.level).min().unwrap_or(Level::Warning);
        let mut versions: BTreeMap<Option<&str>, Version<'_>> = BTreeMap::new();
        for trend in serving {
            versions.entry(trend.version.as_deref()).or_default().trends.push(trend);
        }
        let loud: Vec<Loud> =
            versions.iter().filter_map(|(version, of)| of.loud(model, *version, least.max(Level::Warning))).collect();
        let run = RunNote { name: format!("{model} {window}"), window: window.to_owned(), ..RunNote::default() };
        let report = Report::new(Run::start(ScanConfig::default()), Vec::new(), Vec::new());
        let night = Night { job, at, run, report: &report, least, sight: Sight::of(&report, least) };
        let failed = |error| self.failed(error);
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(failed)?;
        // A log of the past wakes nobody.
        let last = night::last_looked_at(&transaction, &place(job, model)).map_err(failed)?;
        if last.is_none_or(|last| at >= last) {
            self.change_model(&transaction, &night, model, loud)?;
            night::looked_at(&transaction, &place(job, model), at).map_err(failed)?;
        }
        transaction.commit().map_err(failed)
    }

    fn change_model(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        model: &str,
        loud: Vec<Loud>,
    ) -> Result<(), AlertError> {
        let failed = |error| self.failed(error);
        let mut open = open_incidents(transaction, Some(night.job)).map_err(failed)?;
        open.retain(|known| is_of_model(&known.subject, model));
        for Loud { incident, members } in loud {
            let id = match open.iter().position(|known| known.subject == incident.subject) {
                Some(place) => {
                    let known = open.swap_remove(place);
                    self.goes_on(transaction, night, &incident, &known, true)?;
                    known.id
                }
                None => {
                    let told = !self.is_stale(transaction, night, &incident).map_err(failed)?;
                    self.begins(transaction, night, &incident, told)?
                }
            };
            let members = members.iter().map(|(name, level)| (name.as_str(), *level));
            members::note(transaction, id, members, night.at).map_err(failed)?;
        }
        open.iter().try_for_each(|known| self.is_silent(transaction, night, known))
    }
}

impl Version<'_> {
    /// The incident, when something is at `least` or above.
    fn loud(&self, model: &str, version: Option<&str>, least: Level) -> Option<Loud> {
        let level = self.trends.iter().map(|trend| trend.standing()).max().filter(|level| *level >= least)?;
        let (mut members, mut reasons) = (BTreeMap::new(), Vec::new());
        for trend in &self.trends {
            let segment = trend.segment.as_ref().map(|segment| format!("{segment}: ")).unwrap_or_default();
            for value in standing(trend) {
                for (name, level) in figures(value).filter(|(_, level)| *level >= least) {
                    let known = members.entry(format!("{segment}{name}")).or_insert(level);
                    *known = level.max(*known);
                }
                if value.level >= least {
                    let told = value.reasons.iter().map(|reason| (value.level, format!("{segment}{reason}")));
                    reasons.extend(told);
                }
            }
        }
        reasons.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        let more = reasons.len().saturating_sub(NAMED);
        let mut words: Vec<String> = reasons.into_iter().take(NAMED).map(|(_, reason)| reason).collect();
        words.extend((more > 0).then(|| format!("and {more} more")));
        let title = format!("{}: {}", subject_of_model(model, version), words.join("; "));
        let others = members.keys().cloned().collect();
        let subject = subject_of_model(model, version);
        let incident = Incident { subject, title, level, features: Vec::new(), others };
        Some(Loud { incident, members: members.into_iter().collect() })
    }
}

/// The windows that [`ModelTrend::standing`] rests on.
fn standing(trend: &ModelTrend) -> impl Iterator<Item = &ModelValue> {
    let latest = trend.windows.len().checked_sub(1);
    let measured = trend.windows.iter().rposition(|window| !window.latest().metrics.is_empty());
    let places = latest.into_iter().chain(measured.filter(|place| Some(*place) != latest));
    places.map(|place| trend.windows[place].latest())
}

/// Everything of a window that has a level, by name.
fn figures(value: &ModelValue) -> impl Iterator<Item = (String, Level)> {
    let metrics = value.metrics.iter().map(|(name, metric)| (name.clone(), metric.level));
    let drift = value.drift.iter().map(|(name, drift)| (format!("drift of the {name}"), drift.level));
    let served = value.operations.iter().flat_map(|served| {
        let latency = served.latency.map(|latency| ("latency".to_owned(), latency.level));
        latency.into_iter().chain(served.errors.map(|errors| ("errors".to_owned(), errors.level)))
    });
    metrics.chain(drift).chain(served)
}

/// What stands for a model where alerts note how far they have looked.
fn place(job: &str, model: &str) -> String {
    format!("{job}\u{1f}{model}")
}
