//! Lineage: which data a run read, and how good it was, as events of [OpenLineage](https://openlineage.io) 2-0-2.
//!
//! ```text
//!     before the scan   START      the two sides as inputs
//!     after it          COMPLETE   with their schemas, facts (dataQualityMetrics) and what was found (dataQualityAssertions)
//!     or                FAIL       with the error, or the signal that ended the run
//! ```
//!
//! Events go to a file, one a line, and to a URL. What does not arrive is told and lost, and a target that did not answer is
//! left alone for a minute: lineage never costs a run.
//!
//! A run that has a name of its own (`--run-id`) or stands for a night (`--as-of`) has the same `runId` whenever it is done
//! again, made of its job, its window, its data's place and its definition; any other run has a new one.

mod config;
mod dataset;
mod deliver;
mod event;
mod quality;
mod run;

use chrono::Utc;

use crate::config::SecretError;
use crate::post::{NoUrl, TrustError};
use crate::report::Report;

pub use config::LineageConfig;
pub use run::LineageRun;

/// Namespace of jobs where none is configured.
const NAMESPACE: &str = "gpudrift";

/// What is wrong with `[lineage]`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineageError {
    /// The endpoint is no URL.
    #[error("[lineage] endpoint")]
    Endpoint(#[source] NoUrl),
    /// The token could not be had.
    #[error("[lineage]")]
    Secret(#[source] SecretError),
    /// The certificates to believe could not be had.
    #[error("[lineage]")]
    Trust(#[source] TrustError),
}

/// Where events go.
pub struct Lineage {
    namespace: String,
    targets: Vec<deliver::Target>,
}

impl std::fmt::Debug for Lineage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lineage").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl Lineage {
    /// Sets up what `config` describes; `None` when it names no target. Nothing is written or sent.
    ///
    /// # Errors
    /// When the configuration is wrong.
    pub fn open(config: &LineageConfig) -> Result<Option<Self>, LineageError> {
        let targets = deliver::targets(config)?;
        let namespace = config.namespace.clone().unwrap_or_else(|| NAMESPACE.to_owned());
        Ok((!targets.is_empty()).then_some(Self { namespace, targets }))
    }

    /// Tells that a run begins. Gives a sentence for each target that did not take the event.
    #[must_use]
    pub fn start(&self, run: &LineageRun) -> Vec<String> {
        self.deliver(&event::start(&self.namespace, run, Utc::now()))
    }

    /// Tells that a run has ended well, with what its report says of the data.
    #[must_use]
    pub fn complete(&self, run: &LineageRun, report: &Report) -> Vec<String> {
        self.deliver(&event::complete(&self.namespace, run, report, Utc::now()))
    }

    /// Tells that a run has failed, and why.
    #[must_use]
    pub fn fail(&self, run: &LineageRun, message: &str) -> Vec<String> {
        self.deliver(&event::fail(&self.namespace, run, message, Utc::now()))
    }

    /// Tells that a run is ended from outside, and why; nobody waits long for an answer.
    #[must_use]
    pub fn abort(&self, run: &LineageRun, message: &str) -> Vec<String> {
        let event = event::fail(&self.namespace, run, message, Utc::now());
        self.deliver_with(&event, deliver::Patience::Once)
    }

    /// The namespace of its jobs.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    fn deliver(&self, event: &serde_json::Value) -> Vec<String> {
        self.deliver_with(event, deliver::Patience::Twice)
    }

    fn deliver_with(&self, event: &serde_json::Value, patience: deliver::Patience) -> Vec<String> {
        let failed = self.targets.iter().filter_map(|target| target.deliver(event, patience).err());
        failed.map(|reason| format!("lineage: {reason}; the event is lost, and the run goes on")).collect()
    }
}
