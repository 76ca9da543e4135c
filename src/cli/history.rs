//! `gpudrift history`: how features moved over the nights, which runs there are, and which are to go.

use clap::{Args, Subcommand, ValueEnum};
use gpudrift::config::Patterns;
use gpudrift::format::{count, counted, percent, probability};
use gpudrift::history::{History, LevelChange, StoredRun, Trend, trends};
use gpudrift::report::sparkline;
use gpudrift::verdict::Level;

use super::columns::{columns, number};
use super::exit::{Exit, Failure};
use super::output::print;
use super::place::Place;

/// Below the CRITICAL limit of PSI a sparkline does not fill its height: noise is not blown up.
const FULL_PSI: f64 = 0.2;

/// What `gpudrift history` takes.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  gpudrift history                            features that are, or were lately, not ok
  gpudrift history customer_age               one feature, run by run
  gpudrift history 'user:*' --last 90 -f json
  gpudrift history runs --job churn
  gpudrift history prune --keep-days 400

A feature whose name is that of a subcommand goes by a glob: 'run[s]'."
)]
pub(crate) struct HistoryArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// A feature, or a glob
    feature: Option<String>,
    /// The latest N runs
    #[arg(long, value_name = "N", default_value_t = 30)]
    last: usize,
    /// Show features that were always ok, too
    #[arg(long)]
    all: bool,
    /// For people or for programs
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT", global = true)]
    format: Format,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the runs
    Runs {
        /// The latest N runs
        #[arg(long, value_name = "N")]
        last: Option<usize>,
    },
    /// Remove old runs, and give their space back
    Prune {
        /// Keep the runs of so many days before the latest
        #[arg(long, value_name = "N")]
        keep_days: u32,
    },
}

/// For whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// A value as JSON on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(Failure::failed)?;
    print(&(text + "\n")).map_err(Failure::failed)
}

/// Shows what was asked for.
pub(crate) fn run(args: HistoryArgs) -> Result<Exit, Failure> {
    let mut history = args.place.open()?;
    match args.command {
        Some(Command::Runs { last }) => show_runs(&history, &args.place, last, args.format)?,
        Some(Command::Prune { keep_days }) => {
            let removed = history.keep(keep_days).map_err(Failure::failed)?;
            let mut said = counted(removed.runs as u64, "run", "runs");
            if removed.model_windows > 0 {
                said += " and ";
                said += &counted(removed.model_windows as u64, "window of a model", "windows of models");
            }
            print(&format!("{said} removed from {}\n", history.path().display())).map_err(Failure::failed)?;
        }
        None => show_trends(&history, &args)?,
    }
    Ok(Exit::Finished)
}

fn show_runs(history: &History, place: &Place, last: Option<usize>, format: Format) -> Result<(), Failure> {
    let runs = history.runs(&place.filter(last)).map_err(Failure::failed)?;
    if format == Format::Json {
        return print_json(&runs);
    }
    let row = |run: &StoredRun| {
        let mut row = vec![run.name.clone(), run.job.clone(), run.window.clone()];
        row.push(run.at.format("%Y-%m-%d %H:%M").to_string());
        let summary = run.summary;
        let counts = [summary.critical, summary.warning, summary.info, summary.ok, summary.skipped];
        row.extend(counts.map(count));
        row.push(run.revision.to_string());
        row
    };
    let headers = ["run", "job", "window", "time (UTC)", "critical", "warning", "info", "ok", "skipped", "revision"];
    print(&columns(&headers, &headers[4..], runs.iter().map(row))).map_err(Failure::failed)
}

fn show_trends(history: &History, args: &HistoryArgs) -> Result<(), Failure> {
    let patterns = args.feature.clone().map(|feature| Patterns::new(&[feature]));
    let filter = args.place.filter(Some(args.last));
    let mut trends = trends(history, &filter, patterns.as_ref()).map_err(Failure::failed)?;
    if let (Some(feature), true) = (&args.feature, trends.is_empty()) {
        let runs = history.runs(&filter).map_err(Failure::failed)?.len();
        return Err(Failure::usage(anyhow::anyhow!("no feature {feature:?} in the {runs} runs looked at")));
    }
    let found = trends.len();
    if args.feature.is_none() && !args.all {
        trends.retain(|trend| trend.worst() > Level::Ok);
    }
    if args.format == Format::Json {
        return print_json(&trends);
    }
    let text = match trends.as_slice() {
        [trend] if args.feature.is_some() => one(trend),
        several => many(several) + &left_out(found - several.len()),
    };
    print(&text).map_err(Failure::failed)
}

fn left_out(ok: usize) -> String {
    match ok {
        0 => String::new(),
        ok => {
            format!("… {} always ok; --all shows them\n", counted(ok as u64, "feature", "features"))
        }
    }
}

/// One line a feature.
fn many(trends: &[Trend]) -> String {
    let row = |trend: &Trend| {
        let latest = trend.points.last();
        vec![
            trend.level().name().to_uppercase(),
            trend.feature.clone(),
            number(latest.and_then(|point| point.numbers.psi)),
            psi(trend),
            trend.changes.last().map(changed).unwrap_or_default(),
        ]
    };
    columns(&["level", "feature", "PSI", "PSI over the runs", "last change of level"], &["PSI"], trends.iter().map(row))
}

fn psi(trend: &Trend) -> String {
    let values: Vec<_> = trend.points.iter().map(|point| point.numbers.psi).collect();
    sparkline(values, FULL_PSI)
}

fn changed(change: &LevelChange) -> String {
    format!("{} → {} in {}", change.from.name(), change.to.name(), change.window)
}

/// One line a run, and the pictures above.
fn one(trend: &Trend) -> String {
    let shares: Vec<_> = trend.points.iter().map(|point| Some(point.numbers.null_share())).collect();
    let mut text = format!(
        "{}: {} now, {} at worst\n  PSI   {}\n  nulls {}\n\n",
        gpudrift::format::printable(&trend.feature),
        trend.level().name().to_uppercase(),
        trend.worst().name().to_uppercase(),
        psi(trend),
        sparkline(shares, 0.1),
    );
    let mut before = None;
    let rows = trend.points.iter().map(|point| {
        let numbers = &point.numbers;
        let change = match before.replace(numbers.level) {
            Some(level) if level < numbers.level => "▲",
            Some(level) if level > numbers.level => "▼",
            _ => "",
        };
        vec![
            point.window.clone(),
            point.run.clone(),
            format!("{} {change}", numbers.level.name().to_uppercase()),
            number(numbers.psi),
            number(numbers.ks),
            numbers.q.map_or_else(|| "–".to_owned(), probability),
            percent(numbers.null_share()),
            number(numbers.mean),
            number(numbers.quantiles[4]),
            count(numbers.rows),
        ]
    });
    let headers = ["window", "run", "level", "PSI", "KS D", "q", "null", "mean", "median", "rows"];
    text += &columns(&headers, &headers[3..], rows.collect::<Vec<_>>());
    text
}
