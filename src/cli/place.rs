//! Which history a command is about.

use std::path::{Path, PathBuf};

use clap::Args;
use gpudrift::alert::AlertsConfig;
use gpudrift::config::{DEFAULT_FILE, FileConfig, Sections};
use gpudrift::history::{History, HistoryConfig, HistoryPlace, RunFilter};

use super::exit::Failure;

/// Where commands look when nobody names a history.
const DEFAULT_HISTORY: &str = "gpudrift.db";

/// The history that `flag` names, or the configuration file where there is one, begun where there is none yet; `None` when
/// neither names one.
pub(crate) fn begin(flag: Option<&Path>, file: Option<&Path>) -> Result<Option<History>, Failure> {
    let asked = file.filter(|_| flag.is_none()).map(FileConfig::read).transpose()?;
    let config = asked.map_or_else(HistoryConfig::default, |file| file.sections.history);
    let opened = config.place(flag.map(Path::to_owned)).map(|place| History::open(&place)).transpose();
    opened.map_err(|error| if error.is_usage() { Failure::usage(error) } else { Failure::failed(error) })
}

/// Flags that name a history and a job in it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Place {
    /// The history [default: that of gpudrift.toml, or ./gpudrift.db]
    #[arg(long, value_name = "PATH", global = true)]
    history: Option<PathBuf>,
    /// Configuration to take the history from [default: ./gpudrift.toml, if there is one]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Runs of this job only
    #[arg(long, value_name = "NAME", global = true)]
    pub(crate) job: Option<String>,
}

impl Place {
    /// The history, which must be there.
    pub(crate) fn open(&self) -> Result<History, Failure> {
        History::open_existing(&self.configs()?.0).map_err(Failure::usage)
    }

    /// The history's configuration and that of alerts.
    pub(crate) fn configs(&self) -> Result<(HistoryPlace, AlertsConfig), Failure> {
        let Sections { history, alerts, .. } = self.sections()?;
        let place = history.place(self.history.clone());
        Ok((place.unwrap_or_else(|| HistoryPlace::at(PathBuf::from(DEFAULT_HISTORY))), alerts))
    }

    /// What the configuration says, for the job that is asked for where it has that one, or else what all jobs share.
    pub(crate) fn sections(&self) -> Result<Sections, Failure> {
        let file = match &self.config {
            Some(path) => Some(FileConfig::read(path)?),
            None if Path::new(DEFAULT_FILE).exists() => Some(FileConfig::read(Path::new(DEFAULT_FILE))?),
            None => None,
        };
        let Some(file) = file else { return Ok(Sections::default()) };
        match &self.job {
            Some(name) if file.jobs().any(|job| job == name) => Ok(file.select(Some(name))?.remove(0).sections),
            _ => Ok(file.sections),
        }
    }

    /// The runs of the job that is asked for, and at most so many.
    pub(crate) fn filter(&self, last: Option<usize>) -> RunFilter {
        RunFilter { job: self.job.clone(), last }
    }
}
