//! Events of lineage around a run, for the subcommands that scan.

use std::io::{self, Write};

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
    pub(crate) fn open(&self, config: &LineageConfig) -> Result<Option<Lineage>, Failure> {
        if self.no_lineage {
            return Ok(None);
        }
        let config = match &self.lineage {
            Some(target) => config.clone().at(target),
            None => config.clone(),
        };
        Lineage::open(&config).map_err(Failure::usage)
    }
}

/// One run whose lineage is told, if anybody asked for it.
pub(crate) struct Traced<'l> {
    told: Option<(&'l Lineage, LineageRun)>,
}

impl<'l> Traced<'l> {
    /// The run of a job under this label; it begins now.
    pub(crate) fn start(lineage: Option<&'l Lineage>, job: &Resolved, label: &RunLabel) -> Self {
        let told = lineage.map(|lineage| (lineage, LineageRun::of(lineage.namespace(), label, &job.scan)));
        if let Some((lineage, run)) = &told {
            warn(&lineage.start(run));
        }
        Self { told }
    }

    /// It has ended well.
    pub(crate) fn complete(self, report: &Report) {
        if let Some((lineage, run)) = self.told {
            warn(&lineage.complete(&run, report));
        }
    }

    /// It has failed.
    pub(crate) fn fail(self, message: &str) {
        if let Some((lineage, run)) = self.told {
            warn(&lineage.fail(&run, message));
        }
    }
}

/// Trouble is told to quiet runs too.
fn warn(warnings: &[String]) {
    let text: String = warnings.iter().map(|warning| format!("warning: {}\n", printable(warning))).collect();
    let _ = io::stderr().write_all(text.as_bytes());
}
