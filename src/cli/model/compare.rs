//! `gpudrift model compare`: a canary beside production.

use std::io::{self, Write};

use clap::Args;
use gpudrift::model::compare::{CompareReport, Versions, compare};

use super::EXAMPLES;
use super::look::{LookArgs, Written};
use crate::cli::exit::{Exit, Failure};

/// What `gpudrift model compare` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ModelCompareArgs {
    #[command(flatten)]
    look: LookArgs,
    /// The version that serves [default: the one with the most rows]
    #[arg(long, value_name = "VERSION")]
    production: Option<String>,
    /// The version that may replace it [default: every other one]
    #[arg(long, value_name = "VERSION")]
    canary: Option<String>,
}

impl Written for CompareReport {
    fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_table(out)
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        self.write_json(out)
    }
}

/// Compares, and writes the report.
pub(super) fn run(args: &ModelCompareArgs) -> Result<Exit, Failure> {
    let versions = Versions { production: args.production.clone(), canary: args.canary.clone() };
    let (report, fail_on) = args.look.run(|models, memory| compare(models, &versions, memory))?;
    if report.comparisons.is_empty() && !args.look.quiet {
        let _ = writeln!(io::stderr(), "warning: in no window did two versions serve");
    }
    let reached = fail_on.iter().any(|(model, fail_on)| fail_on.is_reached(report.worst(model)));
    Ok(if reached { Exit::Gate } else { Exit::Finished })
}
