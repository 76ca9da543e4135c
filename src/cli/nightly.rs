//! What a scan does besides its report when a history is configured: it stores the run, and tells about it.

use std::path::PathBuf;

use clap::Args;
use gpudrift::alert::{Alerts, AlertsConfig};
use gpudrift::config::Rules;
use gpudrift::history::{History, HistoryConfig, HistoryError, RunIdentity, RunLabel, Stored};
use gpudrift::quality::{FROZEN, VOLUME};
use gpudrift::report::Report;
use gpudrift::window::AsOf;

use super::exit::{Exit, Failure};

/// Flags about the history.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct NightlyArgs {
    /// Keep this run in a history: a SQLite file, or a folder for Parquet files
    ///
    /// `[history]` of gpudrift.toml does it for every run. With neither, a scan leaves no files behind.
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    history: Option<PathBuf>,
    /// Keep nothing and tell nobody, whatever gpudrift.toml says
    #[arg(long, help_heading = "History", hide_short_help = true, conflicts_with = "history")]
    no_history: bool,
    /// Tell nobody, whatever gpudrift.toml says
    #[arg(long, help_heading = "History", hide_short_help = true)]
    no_alerts: bool,
    /// A name for the window instead of --as-of: an orchestrator's run id
    #[arg(long, value_name = "ID", help_heading = "History", hide_short_help = true)]
    run_id: Option<String>,
}

impl NightlyArgs {
    /// What the user says about the run of a job.
    pub(crate) fn label(&self, job: Option<String>, as_of: Option<AsOf>) -> RunLabel {
        RunLabel { job, run_id: self.run_id.clone(), as_of: as_of.map(Into::into) }
    }
}

/// The history and the alerts of a scan, opened before the work starts.
#[derive(Debug)]
pub(crate) struct Nightly {
    /// Or why there is none: no reason to lose the report.
    state: Result<(History, Option<Alerts>), HistoryError>,
    label: RunLabel,
}

/// How storing and telling went.
#[derive(Debug, Default)]
pub(crate) struct Aftermath {
    /// Messages for people.
    pub(crate) notes: Vec<String>,
    /// What went wrong, for people.
    pub(crate) warnings: Vec<String>,
    /// The run could not be stored.
    pub(crate) failed: bool,
    /// A message did not arrive, and waits.
    pub(crate) undelivered: bool,
}

impl Nightly {
    /// The history that flags and file ask for; `None` when neither does.
    pub(crate) fn open(
        args: NightlyArgs,
        job: Option<String>,
        as_of: Option<AsOf>,
        rules: &Rules,
        history: &HistoryConfig,
        alerts: &AlertsConfig,
    ) -> Result<Option<Self>, Failure> {
        let label = args.label(job, as_of);
        let place = if args.no_history { None } else { history.place(args.history) };
        let Some(place) = place else {
            let looks_back = rules.0.iter().find(|layer| layer.settings.looks_back());
            if let Some(layer) = looks_back.filter(|_| !args.no_history) {
                let message = format!(
                    "{layer} ({}) looks at the nights before, and there is no history: add `[history] path = \
                     \"gpudrift.db\"`, or type --history PATH, or --no-history to judge this night alone",
                    layer.origin
                );
                return Err(Failure::usage(anyhow::anyhow!(message)));
            }
            if !alerts.channels.is_empty() && !args.no_alerts && !args.no_history {
                let message = "[alerts] needs a history to know what is new and what is over: add `[history] path = \
                               \"gpudrift.db\"`, or type --history PATH or --no-alerts";
                return Err(Failure::usage(anyhow::anyhow!(message)));
            }
            return Ok(None);
        };
        let state = match History::open(&place) {
            Ok(history) => {
                let told = !alerts.channels.is_empty() && !args.no_alerts;
                let alerts = told.then(|| Alerts::open(&history, alerts)).transpose().map_err(alert_failure)?;
                Ok((history, alerts))
            }
            Err(error) if error.is_usage() => return Err(Failure::usage(error)),
            Err(error) => Err(error),
        };
        Ok(Some(Self { state, label }))
    }

    /// Adds what the runs before say about this one, and gives features the levels that rest on them. A history that cannot
    /// be read is told when the run is to be stored.
    pub(crate) fn beside(&self, report: &mut Report) {
        let identity = RunIdentity::of(report, &self.label);
        if let Ok((history, _)) = &self.state
            && let Err(error) = history.hold(&identity, report)
        {
            report.run.warnings.push(format!("levels are those of this night alone: {}", chain(&error)));
        }
        if let Ok((history, _)) = &self.state
            && history.check_volume(&identity, report).is_err()
        {
            report.run.blind_checks.push(VOLUME.to_owned());
        }
        if let Ok((history, _)) = &self.state
            && history.check_still(&identity, report).is_err()
        {
            report.run.blind_checks.push(FROZEN.to_owned());
        }
    }

    /// Stores the run, then tells about it. The report is written already; nothing here can lose it.
    pub(crate) fn after(&mut self, report: &Report) -> Aftermath {
        let mut after = Aftermath::default();
        let identity = RunIdentity::of(report, &self.label);
        let lost = |error: &HistoryError| format!("this run is not in the history: {}", chain(error));
        let (history, alerts) = match &mut self.state {
            Ok(state) => state,
            Err(error) => {
                return Aftermath { warnings: vec![lost(error)], failed: true, ..after };
            }
        };
        match history.store(&identity, report) {
            Ok(stored) => after.notes.push(note(history, &identity, &stored)),
            Err(error) => {
                after.warnings.push(lost(&error));
                after.failed = true;
                return after;
            }
        }
        let Some(alerts) = alerts else { return after };
        let told = alerts.night(history, &identity, report).and_then(|()| alerts.flush());
        match told {
            Ok(delivered) => {
                after.undelivered = delivered.waiting > 0;
                after.warnings.extend(delivered.warnings);
                if delivered.sent > 0 {
                    after.notes.push(gpudrift::format::counted(delivered.sent as u64, "alert sent", "alerts sent"));
                }
            }
            Err(error) => {
                after.warnings.push(format!("nobody was told: {}", chain(&error)));
                after.undelivered = true;
            }
        }
        after
    }
}

fn note(history: &History, identity: &RunIdentity, stored: &Stored) -> String {
    let (path, name) = (history.path().display(), identity.name());
    match stored {
        Stored::New => format!("run {name} stored in {path}"),
        Stored::Unchanged => format!("run {name} is in {path} already, and says the same"),
        Stored::Replaced { revision } => {
            format!("run {name} in {path} had other data, which this run replaces (revision {revision})")
        }
    }
}

impl Aftermath {
    /// The exit code, where storing and telling change it: a failure to store is one of the run; a message that waits
    /// is something left to do, behind the gate.
    pub(crate) fn exit(&self, exit: Exit) -> Exit {
        match exit {
            _ if self.failed => Exit::Failed,
            Exit::Finished if self.undelivered => Exit::Incomplete,
            exit => exit,
        }
    }
}

/// A wrong configuration is wrong usage, everything else a failure.
pub(crate) fn alert_failure(error: gpudrift::alert::AlertError) -> Failure {
    if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
