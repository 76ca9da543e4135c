//! A configuration to begin with, from what a first scan has seen.
//!
//! A proposal is a guess with its reason beside it, for a person to read and change: identifiers and times of rows are
//! left out, integers with few values are compared as categories.

use std::fmt::Write;

use super::propose_times::Times;
use crate::column::Kind;
use crate::format::{count, counted};
use crate::report::{FeatureReport, Report, SkipCause};

/// At most so many distinct values make an integer a code.
const FEW: u64 = 20;
/// So many rows a value, on average, tell a code from a small sample.
const ROWS_A_VALUE: u64 = 10;
/// With fewer values than this every column may be unique.
const ENOUGH: u64 = 50;
/// Names that tell when a row was made rather than what it says.
const ROW_TIMES: [&str; 16] = [
    "timestamp",
    "event_timestamp",
    "event_time",
    "event_ts",
    "event_date",
    "ts",
    "time_hour",
    "datetime",
    "created",
    "created_at",
    "created_timestamp",
    "updated_at",
    "ingested_at",
    "loaded_at",
    "write_time",
    "processed_at",
];

/// The head of the options.
const SCAN: &str = "# Any option of `gpudrift scan`, with underscores.\n[scan]\n";

/// Where the data lies, as it is to be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sides {
    /// Paths of the reference, relative to the folder of the file.
    pub reference: Vec<String>,
    /// Paths of the current side.
    pub current: Vec<String>,
    /// Paths of both, in the place of the two.
    pub source: Vec<String>,
    /// Columns that are keys of folders.
    pub partitions: Vec<String>,
    /// Those of them whose values may be times: integers and dates.
    pub time_folders: Vec<String>,
}

/// The text of a `gpudrift.toml` for the two sides that `report` compared, or for one source, compared with itself: then
/// `None` where no column tells when a row is, or too few days are there for two windows.
#[must_use]
pub fn propose(report: &Report, sides: &Sides) -> Option<String> {
    let mut out = String::new();
    let rows = |rows| counted(rows, "row", "rows");
    let (reference, current) = (rows(report.run.reference.rows), rows(report.run.current.rows));
    let from = match sides.source.is_empty() {
        true => format!("{reference} of the reference and {current} of the current side"),
        false => reference,
    };
    let _ = write!(
        out,
        "# Proposed by `gpudrift init` from {from}.\n\
         # Check it with `gpudrift config check`; `gpudrift config explain FEATURE` shows what holds for a feature.\n\n",
    );
    let times = Times::of(report, sides);
    if sides.source.is_empty() {
        let _ = write!(
            out,
            "# What is compared with. Paths are relative to the folder of this file.\n[reference]\npaths = {}\n\n\
             # What is looked at.\n[current]\npaths = {}\n\n",
            array(&sides.reference),
            array(&sides.current),
        );
        out += SCAN;
        if let Some(times) = &times {
            let name = text(&times.timestamp);
            let _ = writeln!(out, "# timestamp = {name}   # the time of a row, for windows and segments");
        }
        options(&mut out, report, sides, None);
    } else {
        let times = times?;
        let _ = write!(
            out,
            "# The data of both sides: windows of time tell them apart. Paths are relative to the folder of this file.\n\
             [source]\npaths = {}\n\n",
            array(&sides.source),
        );
        out += SCAN;
        times.write(&mut out)?;
        options(&mut out, report, sides, Some(&times));
    }
    skipped(&mut out, report);
    out += "\n# Settings of features: for all that match a pattern, the most specific one wins ...\n\
            # [[rule]]\n# match = \"user:*\"\n# psi_critical = 0.3\n# weight = 2            # importance: ranks the report\n\
            # min = 0               # what values may be: max, allowed, pattern, not_null, unique, too\n";
    let example = report.features.first().map_or("user:age", |feature| &feature.name);
    let _ = write!(out, "\n# ... and for one, over any rule.\n# [feature.{}]\n# null_warning = 0.05\n", text(example));
    out += "\n# What a run writes. Without a sink, --format and --output say so.\n\
            # [[sink]]\n# format = \"html\"\n# output = \"drift-{date}.html\"\n";
    Some(out)
}

/// Writes what is said about columns, but those that are said to be no features already.
fn options(out: &mut String, report: &Report, sides: &Sides, times: Option<&Times>) {
    let said = times.map(Times::columns).unwrap_or_default();
    let calendar = |feature: &FeatureReport| {
        let is_calendar = times.is_some_and(|times| times.is_calendar(&feature.name));
        is_calendar.then(|| "a part of the calendar: another one in every window".to_owned())
    };
    let excluded: Vec<(&str, String)> = report
        .features
        .iter()
        .filter_map(|feature| Some((feature.name.as_str(), no_feature(feature).or_else(|| calendar(feature))?)))
        .chain(sides.partitions.iter().map(|key| (key.as_str(), "a key of folders".to_owned())))
        .filter(|(name, _)| !said.iter().any(|said| said == name))
        .collect();
    list(out, "exclude", "No features by the look of it: leave them out.", &excluded);
    let codes: Vec<(&str, String)> = report
        .features
        .iter()
        .filter(|feature| no_feature(feature).or_else(|| calendar(feature)).is_none())
        .filter_map(|feature| Some((feature.name.as_str(), code(feature)?)))
        .collect();
    list(out, "categorical", "Integers with few values: compare them as categories, not as numbers.", &codes);
    *out += "# fail_on = \"critical\"    # exit code 1 for a nightly job\n\
             # psi_warning = 0.1        # levels: see `gpudrift scan --help`\n\
             # psi_critical = 0.2\n";
}

fn list(out: &mut String, key: &str, about: &str, entries: &[(&str, String)]) {
    if entries.is_empty() {
        return;
    }
    let _ = writeln!(out, "# {about}\n{key} = [");
    let names: Vec<String> = entries.iter().map(|(name, _)| format!("{},", text(&pattern(name)))).collect();
    let widest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).min(40);
    for (name, (_, why)) in names.iter().zip(entries) {
        let _ = writeln!(out, "    {name:widest$}  # {why}");
    }
    *out += "]\n";
}

fn skipped(out: &mut String, report: &Report) {
    let skipped: Vec<_> = report.skipped.iter().filter(|skipped| skipped.cause != SkipCause::Unknown).collect();
    if skipped.is_empty() {
        return;
    }
    *out += "\n# These cannot be compared as they are; every report lists them under `skipped`:\n";
    for skipped in skipped {
        let reason: String = skipped.reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let _ = writeln!(out, "#   {}: {reason}", text(&skipped.name));
    }
}

/// Why a column looks like no feature at all.
fn no_feature(feature: &FeatureReport) -> Option<String> {
    let own = feature.name.rsplit(':').next().unwrap_or(&feature.name).to_lowercase();
    if feature.kind == Kind::Temporal {
        return ROW_TIMES.contains(&own.as_str()).then(|| "the time of a row, by its name".to_owned());
    }
    let whole = feature.data_type.contains("int");
    if !whole && feature.kind != Kind::Categorical {
        return None;
    }
    let side = &feature.reference;
    let (values, facts) = (side.rows.saturating_sub(side.nulls), side.facts.as_ref()?);
    let distinct = facts.distinct?;
    let named =
        ["id", "uuid", "guid", "key", "pk"].iter().any(|name| own == *name || own.ends_with(&format!("_{name}")));
    // Estimates of large numbers of distinct values are off by a percent or two.
    let unique =
        distinct == values || (facts.distinct_estimated && distinct.saturating_mul(100) >= values.saturating_mul(96));
    let unique = unique && values >= ENOUGH;
    if unique && (named || !whole || counts_up(feature, values)) {
        return Some("another value in every row".to_owned());
    }
    if named && whole {
        return Some("an identifier, by its name".to_owned());
    }
    (!whole && values >= ENOUGH && distinct.saturating_mul(2) > values)
        .then(|| format!("{} values in {}", count(distinct), counted(values, "row", "rows")))
}

/// Whether the values are a range without gaps, as of a row number.
fn counts_up(feature: &FeatureReport, values: u64) -> bool {
    let limits = feature.reference.facts.as_ref().and_then(|facts| Some((facts.min?.as_f64(), facts.max?.as_f64())));
    limits.is_some_and(|(min, max)| max - min + 1.0 <= 1.02 * crate::format::real(values))
}

/// Why an integer looks like a code.
fn code(feature: &FeatureReport) -> Option<String> {
    let side = &feature.reference;
    let (values, distinct) = (side.rows.saturating_sub(side.nulls), side.facts.as_ref()?.distinct?);
    let few = (2..=FEW).contains(&distinct) && values >= distinct * ROWS_A_VALUE;
    (feature.kind == Kind::Numeric && feature.data_type.contains("int") && few)
        .then(|| counted(distinct, "value", "values"))
}

/// A name that means nothing but itself where patterns are read.
fn pattern(name: &str) -> String {
    name.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\') {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

pub(super) fn array(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|one| text(one)).collect::<Vec<_>>().join(", "))
}

/// A text as TOML writes it, on one line: what JSON escapes, TOML does too, and one character more.
pub(super) fn text(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::FileConfig;
    use crate::report::{Run, samples};
    use std::path::Path;

    fn feature(name: &str, data_type: &str, rows: u64, distinct: u64, max: i64) -> FeatureReport {
        let kind = match data_type {
            "string" => "categorical",
            t if t.starts_with("timestamp") => "temporal",
            _ => "numeric",
        };
        serde_json::from_value(serde_json::json!({
            "name": name, "type": data_type, "kind": kind, "level": "ok", "reasons": [], "metrics": {},
            "reference": { "rows": rows, "nulls": 0, "nans": 0, "infinite": 0, "distinct": distinct,
                "distinct_estimated": distinct > 10_000, "min": 1, "max": max, "mean": null, "std": null, "zeros": 0, "quantiles": null },
            "current": { "rows": rows, "nulls": 0, "nans": 0, "infinite": 0 },
            "change": { "null_share_change": 0.0, "nan_share_change": 0.0, "infinite_share_change": 0.0 },
        }))
        .unwrap()
    }

    #[test]
    fn identifiers_and_times_of_rows_are_no_features() {
        let excluded = |feature: &FeatureReport| no_feature(feature).is_some();
        let cases = [
            (feature("user_id", "int64", 1000, 1000, 99_999), true),
            (feature("row", "int64", 1000, 1000, 1000), true),
            (feature("amount_cents", "int64", 1000, 1000, 9_999_999), false),
            (feature("token", "string", 1000, 1000, 0), true),
            (feature("city", "string", 1000, 40, 0), false),
            (feature("street", "string", 1000, 900, 0), true),
            (feature("driver_id", "int64", 1000, 5, 1005), true),
            (feature("paid", "int64", 1000, 5, 1005), false),
            (feature("price", "float64", 1000, 1000, 9), false),
            (feature("user:event_timestamp", "timestamp[us]", 1000, 1000, 9), true),
            (feature("last_login", "timestamp[us]", 1000, 1000, 9), false),
            (feature("big_id", "int64", 100_000, 98_500, 1 << 40), true),
            (feature("tiny", "string", 10, 10, 0), false),
        ];
        for (feature, expected) in &cases {
            assert_eq!(excluded(feature), *expected, "{}", feature.name);
        }
    }

    #[test]
    fn integers_with_few_values_are_codes() {
        assert_eq!(code(&feature("status", "int8", 1000, 7, 9)).as_deref(), Some("7 values"));
        assert_eq!(code(&feature("age", "int8", 1000, 80, 99)), None);
        assert_eq!(code(&feature("constant", "int8", 1000, 1, 1)), None);
        assert_eq!(code(&feature("sample", "int8", 30, 7, 9)), None, "few rows");
        assert_eq!(code(&feature("rating", "float32", 1000, 5, 5)), None);
    }

    #[test]
    fn what_is_proposed_is_a_right_file_whatever_the_names() {
        let odd = [r#"quo"te"#, "new\nline", "star*", "br[a]ce{x}", r"back\slash", "comma,id", "é_id", ""];
        let features = odd.iter().map(|name| feature(&format!("{name}_id"), "int64", 1000, 1000, 1000));
        let mut features: Vec<_> = features.chain(odd.iter().map(|name| feature(name, "int8", 1000, 3, 3))).collect();
        features.extend(samples::report().features);
        let report = Report::new(Run::default(), features, samples::odd().skipped);
        let sides = Sides {
            reference: vec!["a \"b\"".into()],
            current: vec!["c".into()],
            partitions: vec!["month".into()],
            ..Sides::default()
        };
        let proposed = propose(&report, &sides).unwrap();
        let file = FileConfig::parse(&proposed, Path::new("gpudrift.toml"))
            .unwrap_or_else(|error| panic!("{error}\n{proposed}"));
        assert_eq!(file.sections.reference.paths.as_deref(), Some(&["a \"b\"".to_owned()][..]));
        let excluded = crate::config::Names::joined(file.sections.scan.exclude).unwrap();
        let patterns = crate::config::Patterns::new(&excluded);
        for name in odd {
            assert!(patterns.matches(&format!("{name}_id")), "{name}");
        }
        assert!(excluded.contains(&"month".to_owned()));
    }
}
