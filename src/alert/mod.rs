//! Telling people: incidents from their first night to their last, delivered at least once.
//!
//! ```text
//!     Report -> incidents -> what changed since the last run    night     one transaction: incidents and outbox
//!            -> outbox    -> CHANNELS                           deliver   sent in order; what fails waits for the next run
//! ```
//!
//! Features that moved together are one incident, and stay one until all of them are quiet; who joins it later is told of
//! after the cool-down, not at once. An incident is told when it begins, when its level rises, when somebody asked to be
//! reminded, and when it is over; not every night. A model that became worse is an incident of its own, one a version. One whose features were all muted is told as muted, once, and closed. What is told stands in the outbox (in the history's file) before anything is sent, and is marked
//! after: a process that ends in between sends an event twice under one name, never not at all. Nothing here changes a
//! report, and no failure here loses one.
//!
//! A new type of channel is a file in `channel/` and a line in [`CHANNELS`].

mod channel;
mod compose;
mod config;
mod deliver;
mod incident;
mod members;
mod message;
mod models;
mod night;
mod outbox;
mod past;
mod playbook;
mod retrain;
mod samples;

use std::path::PathBuf;

use rusqlite::Connection;

use crate::history::{self, History, HistoryError, RunFilter, RunIdentity};
use crate::report::Report;
use crate::verdict::Level;

pub use crate::post::{NoUrl, TrustError};
pub use channel::{CHANNELS, ChannelType, Problem};
pub use config::{AlertsConfig, ChannelConfig, Period, Tls};
pub use deliver::{Delivered, SendStep, Tested};
pub use members::Member;
pub use message::{Action, FeatureNote, Links, MESSAGE_VERSION, Message, RunNote};
pub use outbox::{OpenIncident, Waiting};
pub use past::{PastIncident, past_incidents};
pub use playbook::PLAYBOOK;

/// Why alerts could not be set up, or kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertError {
    /// A table `[alerts.NAME]` is wrong.
    #[error("[alerts.{name}]")]
    Channel {
        /// Its name.
        name: String,
        /// What is wrong.
        #[source]
        problem: Problem,
    },
    /// The playbook could not be read.
    #[error("cannot read the playbook {}", file.display())]
    Playbook {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A template is wrong, or names something that messages do not have.
    #[error("[alerts] {key} is a template that does not work")]
    Template {
        /// `dashboard`, `runbook` or `playbook`.
        key: &'static str,
        /// What is wrong, and where.
        source: Box<minijinja::Error>,
    },
    /// No channel has this name.
    #[error("there is no channel {name:?}; the channels are {known}")]
    NoSuchChannel {
        /// What was asked for.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// The state of alerts could not be read or written.
    #[error(transparent)]
    History(#[from] HistoryError),
}

impl AlertError {
    /// Whether the configuration is to blame.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::History(_))
    }
}

/// One channel, ready to send.
struct Named {
    name: String,
    level: Level,
    resolve: bool,
    /// Whether it is told of drift, or only what hooks are for.
    drift: bool,
    channel: Box<dyn channel::Channel>,
}

/// Incidents and their messages, beside a history.
pub struct Alerts {
    settings: AlertsConfig,
    channels: Vec<Named>,
    templates: playbook::Templates,
    connection: Connection,
    path: PathBuf,
}

impl std::fmt::Debug for Alerts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alerts").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Alerts {
    /// Sets up what `config` describes: secrets are read, addresses and templates are checked. Nothing is sent.
    ///
    /// # Errors
    /// When the configuration is wrong, or the history's file cannot be opened.
    pub fn open(history: &History, config: &AlertsConfig) -> Result<Self, AlertError> {
        let timeout = config.timeout.map_or(deliver::TIMEOUT, |timeout| timeout.0);
        let named = |(name, channel): (&String, &ChannelConfig)| {
            Ok(Named {
                name: name.clone(),
                level: channel.level.unwrap_or(Level::Warning),
                resolve: channel.resolve.unwrap_or(true),
                drift: channel.drift.unwrap_or(true),
                channel: channel::build(name, channel, timeout)?,
            })
        };
        let channels = config.channels.iter().map(named).collect::<Result<_, AlertError>>()?;
        let path = history.state_path().to_owned();
        Ok(Self {
            settings: config.clone(),
            channels,
            templates: playbook::Templates::of(config)?,
            connection: history::connect(&path)?,
            path,
        })
    }

    /// Whether there is anybody to tell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.channels.is_empty()
    }

    /// Takes note of a stored run, and of runs of its job that were stored and never looked at. Messages go to the
    /// outbox; [`Alerts::flush`] sends them. Doing it again with the same report changes nothing.
    ///
    /// # Errors
    /// When the history cannot be read or written; then nothing has changed.
    pub fn night(&self, history: &History, identity: &RunIdentity, report: &Report) -> Result<(), AlertError> {
        let last = night::last_looked_at(&self.connection, &identity.job).map_err(|error| self.failed(error))?;
        if let Some(last) = last {
            // A process that ended between storing a run and telling about it.
            let missed = history.runs(&RunFilter::job(&identity.job))?;
            for run in missed.into_iter().filter(|run| run.at > last && run.at < identity.at) {
                let report = history.report(&run)?;
                self.look_at(&run.job, &run.name, &run.window, run.at, &report)?;
            }
            if identity.at < last {
                // A window of the past, filled in later: nobody is to be woken by it.
                return Ok(());
            }
        }
        self.look_at(&identity.job, &identity.name(), &identity.window, identity.at, report)
    }

    fn failed(&self, source: rusqlite::Error) -> AlertError {
        HistoryError::sqlite("write", &self.path, source).into()
    }
}
