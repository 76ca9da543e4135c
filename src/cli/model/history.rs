//! `gpudrift model history`: how models did, window by window.

use clap::Args;
use gpudrift::format::{count, counted, percent, printable, significant};
use gpudrift::history::{EarlierDefinition, ModelFilter, ModelTrend, ModelValue, ModelWindow, StoredValidation};
use gpudrift::model::{METRICS, Task, metric};
use gpudrift::report::sparkline;
use gpudrift::verdict::Level;

use super::EXAMPLES;
use crate::cli::columns::{columns, number};
use crate::cli::exit::{Exit, Failure};
use crate::cli::history::{Format, print_json};
use crate::cli::output::print;
use crate::cli::place::Place;

/// What `gpudrift model history` takes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct ModelHistoryArgs {
    /// A model, window by window [default: all, a line each]
    model: Option<String>,
    /// Only this version
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Segments, too
    #[arg(long)]
    segments: bool,
    /// The metric to follow [default: accuracy, or rmse of a regression]
    #[arg(long, value_name = "NAME", value_parser = known)]
    metric: Option<String>,
    /// The latest N windows
    #[arg(long, value_name = "N", default_value_t = 30)]
    last: usize,
    /// For people or for programs
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    #[command(flatten)]
    place: Place,
}

fn known(name: &str) -> Result<String, String> {
    let names = METRICS.iter().map(|card| card.name).collect::<Vec<_>>().join(", ");
    metric(name).map(|card| card.name.to_owned()).ok_or_else(|| format!("must be one of {names}"))
}

/// Shows what was asked for.
pub(super) fn run(args: &ModelHistoryArgs) -> Result<Exit, Failure> {
    let history = args.place.open()?;
    let filter = ModelFilter {
        job: args.place.job.clone(),
        model: args.model.clone(),
        version: args.version.clone(),
        whole: !args.segments,
        last: Some(args.last),
    };
    let trends = history.model_trends(&filter).map_err(Failure::failed)?;
    if trends.is_empty() {
        let all = history.model_trends(&ModelFilter::default()).map_err(Failure::failed)?;
        let mut names: Vec<_> = all.iter().map(|trend| trend.model.as_str()).collect();
        names.dedup();
        let there = if names.is_empty() {
            "`gpudrift model scan` with a history keeps them".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        let path = history.path().display();
        return Err(Failure::usage(anyhow::anyhow!("no such windows of models in {path}; {there}")));
    }
    if args.format == Format::Json {
        return print_json(&trends).map(|()| Exit::Finished);
    }
    let shown = |trend: &ModelTrend| {
        args.metric.clone().unwrap_or_else(|| {
            if trend.task == Task::Regression { "rmse" } else { trend.task.main_metric() }.to_owned()
        })
    };
    let text = match &args.model {
        None => many(&trends, shown),
        Some(model) => {
            let mut parts: Vec<String> = trends.iter().map(|trend| one(trend, &shown(trend))).collect();
            let decisions = history.validations(args.place.job.as_deref(), Some(model)).map_err(Failure::failed)?;
            if !decisions.is_empty() {
                parts.push(validations(&decisions));
            }
            parts.join("\n")
        }
    };
    print(&text).map_err(Failure::failed)?;
    Ok(Exit::Finished)
}

/// What validations of its challengers decided.
fn validations(all: &[StoredValidation]) -> String {
    let row = |one: &StoredValidation| {
        let rules = one.report["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let against = rules.iter().find(|rule| rule["answer"] != "deploy");
        let why = against.map(|rule| format!("{}: {}", text(&rule["figure"]), text(&rule["reason"])));
        let challenger = one.report["run"]["challenger"].as_array().map(Vec::as_slice).unwrap_or_default();
        let challenger: Vec<&str> = challenger.iter().map(text).collect();
        let at = one.at.format("%Y-%m-%d %H:%M").to_string();
        vec![at, one.decision.name().to_owned(), challenger.join(", "), why.unwrap_or_default()]
    };
    columns(&["validated", "decision", "challenger", "because"], &[], all.iter().map(row))
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The same in words, an expected value with a tilde.
fn told(value: &ModelValue, name: &str) -> String {
    match (value.metric(name), value.estimate(name)) {
        (Some(metric), _) => significant(metric),
        (None, Some(estimate)) => format!("~{}", significant(estimate)),
        (None, None) => "–".to_owned(),
    }
}

fn title(trend: &ModelTrend) -> String {
    let segment = trend.segment.as_ref().map(ToString::to_string);
    [trend.version.clone(), segment].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// One line a version and a segment.
fn many(trends: &[ModelTrend], shown: impl Fn(&ModelTrend) -> String) -> String {
    let row = |trend: &ModelTrend| {
        let name = shown(trend);
        let latest = trend.windows.last();
        let values: Vec<_> = trend.windows.iter().map(|window| window.latest().best(&name)).collect();
        let change = trend.windows.windows(2).rev().find_map(|pair| {
            let [before, after] = [&pair[0], &pair[1]].map(|window| window.latest().level);
            (before != after).then(|| format!("{} → {} in {}", before.name(), after.name(), pair[1].key.window))
        });
        vec![
            trend.level().name().to_uppercase(),
            trend.model.clone(),
            title(trend),
            latest.and_then(|window| window.traffic).map_or_else(|| "–".to_owned(), percent),
            latest.map_or_else(|| "–".to_owned(), |window| percent(window.latest().coverage())),
            format!("{name} {}", latest.map_or_else(|| "–".to_owned(), |window| told(window.latest(), &name))),
            scaled(&values, &values),
            change.unwrap_or_default(),
        ]
    };
    let headers =
        ["level", "model", "version", "traffic", "labels", "latest window", "over the windows", "last change of level"];
    columns(&headers, &["traffic", "labels"], trends.iter().map(row))
}

/// A sparkline between the least and the greatest of `all`, or a fiftieth of the greatest: noise is not blown up.
fn scaled(values: &[Option<f64>], all: &[Option<f64>]) -> String {
    let ends = all.iter().flatten().fold([f64::INFINITY, f64::NEG_INFINITY], |[a, b], v| [a.min(*v), b.max(*v)]);
    let span = (ends[1] - ends[0]).max(ends[1].abs() / 50.0);
    // A dot would say zero.
    let floor = ends[1] - span * 1.125;
    sparkline(values.iter().map(|value| value.map(|value| value - floor)), span * 1.125)
}

/// One line a window, and the pictures above.
fn one(trend: &ModelTrend, name: &str) -> String {
    let (metric, estimate) = (trend.metric(name), trend.estimate(name));
    let all: Vec<_> = metric.iter().chain(&estimate).copied().collect();
    let of = match title(trend) {
        title if title.is_empty() => String::new(),
        title => format!(" ({})", printable(&title)),
    };
    let mut text = format!(
        "{}{of}: {} now, {} at worst\n  {name:<22} {}\n",
        printable(&trend.model),
        trend.level().name().to_uppercase(),
        trend.worst().name().to_uppercase(),
        scaled(&metric, &all),
    );
    if estimate.iter().any(Option::is_some) {
        let expected = if trend.task == Task::Regression { "as expected (DLE)" } else { "as expected (CBPE)" };
        text += &format!("  {:<22} {}\n", expected, scaled(&estimate, &all));
        text += &gaps(trend, name);
    }
    let traffic: Vec<_> = trend.windows.iter().map(|window| window.traffic).collect();
    if traffic.iter().flatten().any(|share| *share < 1.0) {
        text += &format!("  {:<22} {}\n", "share of the traffic", sparkline(traffic, 1.0));
    }
    let mut before = None;
    let rows: Vec<_> = trend.windows.iter().map(|window| row(window, name, &mut before)).collect();
    let headers = [
        "window",
        "level",
        "rows",
        "traffic",
        "first stored",
        "labels",
        name,
        "amended",
        "labels now",
        "now",
        "expected",
        "off by",
        "p95 ms",
        "errors",
    ];
    text + "\n" + &columns(&headers, &headers[2..], rows) + &earlier(trend, name)
}

/// What was found of the same windows as long as something else was configured.
fn earlier(trend: &ModelTrend, name: &str) -> String {
    let rows =
        trend.windows.iter().flat_map(|window| window.earlier.iter().map(|earlier| (&window.key.window, earlier)));
    let rows: Vec<_> = rows
        .map(|(window, EarlierDefinition { definition, first, amended })| {
            let last = amended.as_ref().unwrap_or(first);
            let day = first.stored_at.format("%Y-%m-%d %H:%M").to_string();
            let now = amended.as_ref().map_or_else(|| "–".to_owned(), |value| told(value, name));
            vec![
                window.clone(),
                definition.clone(),
                last.level.name().to_uppercase(),
                day,
                percent(first.coverage()),
                told(first, name),
                now,
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let headers = ["window", "definition", "level", "first stored", "labels", name, "amended"];
    "\nfound earlier, when something else was configured\n".to_owned() + &columns(&headers, &headers[4..], rows)
}

/// How far estimates lay from what came true.
fn gaps(trend: &ModelTrend, name: &str) -> String {
    let gaps: Vec<(f64, bool, &str)> = trend
        .windows
        .iter()
        .filter_map(|window| {
            let estimate = window.latest().estimated.get(name)?;
            let (error, truth) = (estimate.error?, window.latest().metric(name)?);
            let inside = estimate.low.zip(estimate.high).is_some_and(|(low, high)| (low..=high).contains(&truth));
            Some((error.abs(), inside, window.key.window.as_str()))
        })
        .collect();
    let Some((largest, _, window)) = gaps.iter().max_by(|a, b| a.0.total_cmp(&b.0)) else { return String::new() };
    let mean = gaps.iter().map(|(gap, ..)| gap).sum::<f64>() / gpudrift::format::real(gaps.len() as u64);
    format!(
        "  estimates were off by {} on average over {}, by {} at most ({window}); {} held the truth in their interval\n",
        significant(mean),
        counted(gaps.len() as u64, "window", "windows"),
        significant(*largest),
        gaps.iter().filter(|(_, inside, _)| *inside).count(),
    )
}

fn row(window: &ModelWindow, name: &str, before: &mut Option<Level>) -> Vec<String> {
    let latest = window.latest();
    let change = match before.replace(latest.level) {
        Some(level) if level < latest.level => " ▲",
        Some(level) if level > latest.level => " ▼",
        _ => "",
    };
    let was = match window.first.level {
        level if level != latest.level => format!(" was {}", level.name().to_uppercase()),
        _ => String::new(),
    };
    let day = |value: &ModelValue| value.stored_at.format("%Y-%m-%d %H:%M").to_string();
    let amended = window.amended.as_ref();
    let blank = || "–".to_owned();
    let operations = latest.operations.as_ref();
    let p95 = operations.and_then(|all| all.latency.as_ref()).and_then(|latency| latency.p95);
    let errors = operations.and_then(|all| all.errors).and_then(|errors| errors.rate);
    vec![
        window.key.window.clone() + if window.open { " …" } else { "" },
        format!("{}{change}{was}", latest.level.name().to_uppercase()),
        count(latest.rows.rows),
        window.traffic.map_or_else(blank, percent),
        day(&window.first),
        percent(window.first.coverage()),
        told(&window.first, name),
        amended.map_or_else(blank, day),
        amended.map_or_else(blank, |value| percent(value.coverage())),
        amended.map_or_else(blank, |value| told(value, name)),
        number(latest.estimate(name)),
        number(latest.estimated.get(name).and_then(|estimate| estimate.error)),
        number(p95),
        errors.map_or_else(blank, percent),
    ]
}
