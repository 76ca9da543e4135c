//! `gpudrift diff`: what is new, gone, worse and better between two runs, or between two reports in files.

use std::path::Path;

use anyhow::Context;
use clap::Args;
use gpudrift::history::{Diff, Moved, diff};
use gpudrift::report::Report;

use super::columns::{columns, number};
use super::exit::{Exit, Failure};
use super::history::{Format, print_json};
use super::output::print;
use super::place::Place;

/// What `gpudrift diff` takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  gpudrift diff latest~1 latest           last night against the night before
  gpudrift diff 2026-11-21 2026-11-22
  gpudrift diff before.json after.json    two JSON reports

A run is its name or the beginning of it, its window, `latest`, or `latest~N` for the one N runs before.")]
pub(crate) struct DiffArgs {
    /// The run, or JSON report, to compare with
    first: String,
    /// The run, or JSON report, to look at
    second: String,
    /// For people or for programs
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    place: Place,
}

/// Shows the differences.
pub(crate) fn run(args: &DiffArgs) -> Result<Exit, Failure> {
    let diff = diff(&report(&args.first, &args.place)?, &report(&args.second, &args.place)?);
    match args.format {
        Format::Json => print_json(&diff)?,
        Format::Table => print(&text(&diff)).map_err(Failure::failed)?,
    }
    Ok(Exit::Finished)
}

/// A file of this name, or else a run.
fn report(asked: &str, place: &Place) -> Result<Report, Failure> {
    if Path::new(asked).is_file() {
        let text = std::fs::read(asked).with_context(|| format!("cannot read {asked}")).map_err(Failure::failed)?;
        return serde_json::from_slice(&text)
            .with_context(|| format!("{asked} is no JSON report of gpudrift (scan --format json)"))
            .map_err(Failure::usage);
    }
    let history = place.open()?;
    let run = history.find(asked, &place.filter(None)).map_err(Failure::usage)?;
    history.report(&run).map_err(Failure::failed)
}

fn text(diff: &Diff) -> String {
    let mut rows = Vec::new();
    let lists = [("worse", &diff.worse), ("new", &diff.new), ("better", &diff.better), ("gone", &diff.gone)];
    for (name, list) in lists {
        rows.extend(list.iter().map(|moved| row(name, moved)));
    }
    let mut text = String::new();
    if !rows.is_empty() {
        text = columns(&["", "feature", "level", "PSI", "why"], &[], rows) + "\n";
    }
    text += &format!(
        "{} worse, {} better, {} new, {} gone; {} moved within their level, {} the same\n",
        diff.worse.len(),
        diff.better.len(),
        diff.new.len(),
        diff.gone.len(),
        diff.moved,
        diff.same
    );
    text
}

fn row(name: &str, moved: &Moved) -> Vec<String> {
    let level = |level: Option<gpudrift::verdict::Level>| level.map_or("–", gpudrift::verdict::Level::name);
    vec![
        name.to_owned(),
        moved.feature.clone(),
        format!("{} → {}", level(moved.before), level(moved.after)),
        format!("{} → {}", number(moved.psi_before), number(moved.psi_after)),
        moved.reasons.first().cloned().unwrap_or_default(),
    ]
}
