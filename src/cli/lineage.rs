//! Events of lineage around a run, for the subcommands that scan.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use gpudrift::config::Resolved;
use gpudrift::format::printable;
use gpudrift::history::RunLabel;
use gpudrift::lineage::{Lineage, LineageConfig, LineageRun};
use gpudrift::report::Report;

use super::exit::Failure;

/// Flags about lineage.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LineageArgs {
    /// Events of OpenLineage: a file that lines are added to, or a URL
    ///
    /// START before the scan, then COMPLETE with the schemas, facts and drift of the data as data-quality facets, or FAIL.
    /// `[lineage]` of gpudrift.toml does it for every run. An event that does not arrive costs nothing but a warning.
    #[arg(long, value_name = "FILE|URL", help_heading = "History", hide_short_help = true)]
    lineage: Option<String>,
    /// No events, whatever gpudrift.toml says
    #[arg(long, help_heading = "History", hide_short_help = true, conflicts_with = "lineage")]
    no_lineage: bool,
}

impl LineageArgs {
    /// The targets that flags and file ask for; `None` when neither does.
    pub(crate) fn open(&self, config: &LineageConfig) -> Result<Option<Arc<Lineage>>, Failure> {
        if self.no_lineage {
            return Ok(None);
        }
        let config = match &self.lineage {
            Some(target) => config.clone().at(target),
            None => config.clone(),
        };
        Ok(Lineage::open(&config).map_err(Failure::usage)?.map(Arc::new))
    }
}

/// Runs that have begun and not ended. Who takes one from here tells how it ended, so that it is told once.
static OPEN: Mutex<Vec<(Arc<Lineage>, LineageRun)>> = Mutex::new(Vec::new());

/// One run whose lineage is told, if anybody asked for it. A run that is dropped has failed.
pub(crate) struct Traced {
    run: Option<LineageRun>,
}

impl Traced {
    /// The run of a job under this label; it begins now.
    pub(crate) fn start(lineage: Option<&Arc<Lineage>>, job: &Resolved, label: &RunLabel) -> Self {
        let Some(lineage) = lineage else { return Self { run: None } };
        let run = LineageRun::of(lineage.namespace(), label, &job.scan);
        watch();
        open().push((lineage.clone(), run.clone()));
        warn(&lineage.start(&run));
        Self { run: Some(run) }
    }

    /// It has ended well.
    pub(crate) fn complete(mut self, report: &Report) {
        if let Some((lineage, run)) = self.taken() {
            warn(&lineage.complete(&run, report));
        }
    }

    /// It has failed.
    pub(crate) fn fail(mut self, message: &str) {
        self.failed(message);
    }

    fn failed(&mut self, message: &str) {
        if let Some((lineage, run)) = self.taken() {
            warn(&lineage.fail(&run, message));
        }
    }

    /// The run, unless its end was told already.
    fn taken(&mut self) -> Option<(Arc<Lineage>, LineageRun)> {
        let run = self.run.take()?;
        let mut open = open();
        let place = open.iter().position(|(_, one)| *one == run)?;
        Some(open.swap_remove(place))
    }
}

impl Drop for Traced {
    fn drop(&mut self) {
        self.failed("the run ended without a result");
    }
}

fn open() -> std::sync::MutexGuard<'static, Vec<(Arc<Lineage>, LineageRun)>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on a run that an orchestrator ends (SIGTERM), or a person at a terminal (SIGINT), is told as failed before the
/// program ends by that signal. SIGKILL leaves no time for it.
#[cfg(unix)]
fn watch() {
    use io::IsTerminal;
    use signal_hook::consts::{SIGINT, SIGTERM};
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        // A shell has background jobs ignore SIGINT, and takes the terminal from their input.
        let signals = if io::stdin().is_terminal() { &[SIGTERM, SIGINT][..] } else { &[SIGTERM] };
        let Ok(mut signals) = signal_hook::iterator::Signals::new(signals) else { return };
        let told = move || {
            for signal in signals.forever() {
                let name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
                let runs = std::mem::take(&mut *open());
                for (lineage, run) in runs {
                    warn(&lineage.abort(&run, &format!("ended by {name}")));
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        };
        // Without the thread the signal would be swallowed.
        if std::thread::Builder::new().name("signals".to_owned()).spawn(told).is_err() {
            warn(&["lineage: there is no thread to wait for signals".to_owned()]);
        }
    });
}

#[cfg(not(unix))]
fn watch() {}

/// Trouble is told to quiet runs too.
fn warn(warnings: &[String]) {
    let text: String = warnings.iter().map(|warning| format!("warning: {}\n", printable(warning))).collect();
    let _ = io::stderr().write_all(text.as_bytes());
}
