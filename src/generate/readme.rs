//! The `README.md` of the demo store, written from the table of its features.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use arrow::datatypes::DataType;
use arrow::temporal_conversions::date32_to_datetime;

use super::distribution::Distribution;
use super::feature::{Expected, Feature, Presence};
use super::types::{Class, class_of, ticks_per_day};

/// What a reader should know about the demo store; the table names every feature.
pub(super) fn demo(features: &[Feature], reference_rows: u64, current_rows: u64) -> String {
    let drifted = features.iter().filter(|feature| feature.drift.is_some()).count();
    let kinds: BTreeSet<_> = features.iter().filter_map(|feature| Some(feature.drift.as_ref()?.kind())).collect();
    let kinds = kinds.len();
    let mut text = format!(
        "# The demo feature store

Features of a shop that sells on credit: customers, orders, payments, devices. Nothing in it is about anybody; every
value is made up by `gpudrift generate --demo --output data --force`, which also writes this file and `truth.json` (the
same facts for programs), so neither can go stale. The bytes are the same on every machine.

* `reference/`: {reference_rows} rows, `current/`: {current_rows} rows, two files a side, several row groups a file.
* {} features. {drifted} of them drift by design, in {kinds} ways; most of the others are stable.
* The last column says what a scan with default options should find. *ok*: no drift. *info*: no drift, but something
  to remark. *warning*: PSI from 0.1 to below 0.2. *critical*: PSI of 0.2 or more. *skipped*: cannot be compared.

| Feature | Type | Values | In current | A scan says |
|---|---|---|---|---|
",
        features.len()
    );
    for feature in features {
        let type_name = match &feature.current_type {
            Some(changed) => format!("{} → {changed}", feature.data_type),
            None => feature.data_type.to_string(),
        };
        writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            feature.name,
            type_name.replace('|', "\\|"),
            values(feature),
            change(feature),
            expected(feature.expected)
        )
        .expect("writing to memory does not fail");
    }
    text
}

fn values(feature: &Feature) -> String {
    let mut text = match &feature.distribution {
        Distribution::Category { labels, .. }
            if matches!(feature.data_type, DataType::Binary | DataType::FixedSizeBinary(_)) =>
        {
            format!("{} categories", labels.len())
        }
        distribution => moments(distribution, &feature.data_type).unwrap_or_else(|| numbers(distribution)),
    };
    match feature.decimals {
        None => {}
        Some(0) => text += ", rounded to whole numbers",
        Some(1) => text += ", 1 decimal place",
        Some(decimals) => text += &format!(", {decimals} decimal places"),
    }
    let names = ["null", "NaN", "+∞", "−∞", "−0"];
    for (name, share) in names.into_iter().zip(feature.specials.shares()).filter(|(_, share)| *share > 0.0) {
        let _ = write!(text, "; {} {name}", percent(share));
    }
    if !feature.note.is_empty() {
        let _ = write!(text, " ({})", feature.note);
    }
    text
}

/// Distributions of points and spans of time, in dates, hours and minutes.
fn moments(distribution: &Distribution, data_type: &DataType) -> Option<String> {
    let days = |ticks: f64| ticks / ticks_per_day(data_type);
    let point = |ticks: f64| point_in_time(days(ticks), data_type);
    match distribution {
        _ if class_of(data_type) != Some(Class::Time) => None,
        Distribution::Uniform { low, high } => Some(format!("uniform, {} to {}", point(*low), point(*high))),
        Distribution::Normal { mean, sd } => {
            Some(format!("normal, mean {}, standard deviation {}", point(*mean), span(days(*sd))))
        }
        Distribution::LogNormal { median, sigma } => {
            Some(format!("lognormal, median {}, σ {sigma}", span(days(*median))))
        }
        _ => None,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "dates of our time")]
fn point_in_time(days: f64, data_type: &DataType) -> String {
    match data_type {
        DataType::Time32(_) | DataType::Time64(_) => {
            let minutes = (days * 1440.0).round() as i32;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        }
        _ => date32_to_datetime(days.floor() as i32).map(|moment| moment.date().to_string()).unwrap_or_default(),
    }
}

pub(super) fn span(days: f64) -> String {
    let tenths = |number: f64| (number * 10.0).round() / 10.0;
    match days {
        _ if days >= 1.0 => format!("{} days", tenths(days)),
        _ if days * 24.0 >= 1.0 => format!("{} hours", tenths(days * 24.0)),
        _ => format!("{} minutes", tenths(days * 1440.0)),
    }
}

fn numbers(distribution: &Distribution) -> String {
    use Distribution as D;
    match distribution {
        D::Uniform { low, high } => format!("uniform, {low} to {high}"),
        D::Normal { mean, sd } => format!("normal, mean {mean}, standard deviation {sd}"),
        D::LogNormal { median, sigma } => format!("lognormal, median {median}, σ {sigma}"),
        D::Exponential { mean } => format!("exponential, mean {mean}"),
        D::Pareto { scale, alpha } => format!("heavy tail (Lomax), scale {scale}, α {alpha}"),
        D::Bimodal { first, second, sd, share } => {
            format!("two narrow modes: {} at {first}, the rest at {second}, standard deviation {sd}", percent(*share))
        }
        D::ZeroInflated { zeros, median, sigma } => {
            format!("{} zeros, the rest lognormal, median {median}, σ {sigma}", percent(*zeros))
        }
        D::Poisson { mean } => format!("Poisson counts, mean {mean}"),
        D::Geometric { mean } => format!("falling counts, mean about {mean}"),
        D::Bernoulli { share } => format!("true in {}", percent(*share)),
        D::Constant { value } => format!("always {value}"),
        D::Category { labels, .. } if labels.len() > 8 => {
            format!("{} categories, from {} to {}", labels.len(), labels[0], labels[labels.len() - 1])
        }
        D::Category { labels, shares } => {
            let names: Vec<_> = labels.iter().zip(shares).map(|(l, s)| format!("{l} {}", percent(*s))).collect();
            names.join(", ")
        }
        D::Ids { pool, .. } => format!("identifiers, one of {pool}"),
        D::Either { share, first, second } => {
            format!("{} {}, the rest {}", percent(*share), numbers(first), numbers(second))
        }
        D::Between { low, high, of } => format!("{} from {low} to {high}", numbers(of)),
    }
}

fn change(feature: &Feature) -> String {
    match (&feature.drift, feature.presence) {
        (_, Presence::ReferenceOnly) => "the column is gone".into(),
        (_, Presence::CurrentOnly) => "the column is new".into(),
        (None, _) if feature.current_type.is_some() => "the type changed, the values did not".into(),
        (None, _) => "nothing".into(),
        (Some(drift), _) => format!("**{}**: {}", drift.kind().name(), drift.describe(feature)),
    }
}

fn expected(level: Expected) -> &'static str {
    match level {
        Expected::Ok => "ok",
        Expected::Info => "info",
        Expected::Warning => "**warning**",
        Expected::Critical => "**critical**",
        Expected::Skipped => "skipped",
    }
}

pub(super) fn percent(share: f64) -> String {
    // Rounded to tenths of a percent, without a trailing zero: 12.5 %, 3 %.
    format!("{} %", (share * 1000.0).round() / 10.0)
}
