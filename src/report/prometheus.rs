//! Gauges for the textfile collector of Prometheus' node exporter.
//!
//! Text exposition format without timestamps, which the collector refuses. Numbers of features by level always stand
//! here; series of single features only for those that drifted (WARNING or CRITICAL), at most [`LISTED`] of them, most
//! severe first: thousands of features times several metrics are more series than a Prometheus wants from one job.
//! `--top` sets another limit, and `--all` writes every feature.

use std::collections::HashSet;
use std::io::{self, Write};

use super::{FeatureReport, Report, Sink, SinkOptions};
use crate::format::real;
use crate::verdict::Level;

/// Features with series of their own, unless asked for otherwise.
const LISTED: usize = 100;

/// The textfile collector's format.
pub(super) struct Prometheus;

impl Sink for Prometheus {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn about(&self) -> &'static str {
        "gauges for the textfile collector"
    }

    fn write(&self, report: &Report, options: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        totals(out, report)?;
        let features = listed(report, options);
        gauge(
            out,
            "gpudrift_features_listed",
            "Features that have series of their own below.",
            [(vec![], real(features.len() as u64))],
        )?;
        series(out, &features)
    }
}

/// The features with series of their own: drifted, most severe first, one of each name.
fn listed<'r>(report: &'r Report, options: &SinkOptions) -> Vec<&'r FeatureReport> {
    let limit = if options.all { usize::MAX } else { options.top.unwrap_or(LISTED) };
    let mut seen = HashSet::new();
    let features = report.by_severity().into_iter();
    features
        .filter(|feature| (options.all || feature.level >= Level::Warning) && seen.insert(&feature.name))
        .take(limit)
        .collect()
}

/// Numbers of the whole run.
fn totals(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let (run, summary) = (&report.run, &report.summary);
    let levels = Level::ALL.map(|level| (vec![("level", level.name())], real(summary.of_level(level))));
    gauge(out, "gpudrift_features", "Compared features by level.", levels)?;
    gauge(out, "gpudrift_skipped_features", "Features that could not be compared.", [(vec![], real(summary.skipped))])?;
    let failed = report.skipped.iter().filter(|skipped| skipped.is_failure()).count();
    let help = "Features that were asked for by name, or failed to read, and could not be compared.";
    gauge(out, "gpudrift_failed_features", help, [(vec![], real(failed as u64))])?;
    let rows = [("reference", &run.reference), ("current", &run.current)];
    let rows = rows.map(|(side, input)| (vec![("side", side)], real(input.rows)));
    gauge(out, "gpudrift_rows", "Rows of each side.", rows)?;
    gauge(out, "gpudrift_run_duration_seconds", "Wall time of the run.", [(vec![], run.duration_seconds)])?;
    if let Ok(started) = chrono::DateTime::parse_from_rfc3339(&run.started_at) {
        let seconds = u64::try_from(started.timestamp()).map_or(0.0, real);
        gauge(out, "gpudrift_run_started_timestamp_seconds", "When the run began, in Unix time.", [(vec![], seconds)])?;
    }
    let info = vec![("version", run.version.as_str()), ("backend", &run.backend), ("device", &run.device)];
    gauge(out, "gpudrift_run_info", "Always 1; the labels say who counted.", [(info, 1.0)])
}

/// The series of single features; a metric that no listed feature has does not appear.
fn series(out: &mut dyn Write, features: &[&FeatureReport]) -> io::Result<()> {
    let of = |value: &dyn Fn(&FeatureReport) -> Option<f64>| -> Vec<Sample<'_>> {
        features.iter().filter_map(|&f| value(f).map(|value| (vec![("feature", f.name.as_str())], value))).collect()
    };
    let level = of(&|feature| Some(real(feature.level as u64)));
    gauge(out, "gpudrift_feature_level", "Level of a drifted feature: 0 ok, 1 info, 2 warning, 3 critical.", level)?;
    gauge(out, "gpudrift_feature_psi", "Population stability index.", of(&|feature| feature.number("psi")))?;
    let ks = of(&|feature| feature.number("ks_statistic"));
    gauge(out, "gpudrift_feature_ks_statistic", "Kolmogorov-Smirnov D.", ks)?;
    gauge(
        out,
        "gpudrift_feature_q_value",
        "p-value adjusted for all features of the run.",
        of(&|feature| feature.test().1),
    )?;
    let shares = features.iter().flat_map(|feature| {
        [("reference", &feature.reference), ("current", &feature.current)]
            .map(|(side, facts)| (vec![("feature", feature.name.as_str()), ("side", side)], facts.null_share()))
    });
    gauge(out, "gpudrift_feature_null_share", "Share of the rows that are null.", shares)
}

/// Labels and value of one sample.
type Sample<'r> = (Vec<(&'static str, &'r str)>, f64);

/// One metric with all its samples; nothing without samples.
fn gauge<'r>(
    out: &mut dyn Write,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = Sample<'r>>,
) -> io::Result<()> {
    let mut samples = samples.into_iter().peekable();
    if samples.peek().is_none() {
        return Ok(());
    }
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")?;
    for (labels, value) in samples {
        let labels: Vec<_> = labels.into_iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        // Debug prints the shortest text that reads back to the same bits, with an exponent where that is shorter.
        writeln!(out, "{name}{labels} {value:?}")?;
    }
    Ok(())
}

/// A label's value: backslash, quote and line feed are escaped, as the format demands.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report, options: SinkOptions) -> String {
        let mut out = Vec::new();
        Prometheus.write(report, &options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Reads a sample by the grammar of the text format: name, optional labels, value, and nothing after it.
    fn parsed(line: &str) -> (String, Vec<(String, String)>, f64) {
        let end = line.find(['{', ' ']).unwrap();
        let (name, mut rest) = line.split_at(end);
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{name}");
        let mut labels = Vec::new();
        if let Some(mut inner) = rest.strip_prefix('{') {
            loop {
                let (label, after) = inner.split_once("=\"").unwrap();
                let mut text = String::new();
                let mut chars = after.char_indices();
                let end = loop {
                    match chars.next().unwrap() {
                        (_, '\\') => text.push(match chars.next().unwrap().1 {
                            'n' => '\n',
                            c => {
                                assert!(c == '\\' || c == '"');
                                c
                            }
                        }),
                        (end, '"') => break end,
                        (_, c) => text.push(c),
                    }
                };
                labels.push((label.to_owned(), text));
                inner = &after[end + 1..];
                match inner.strip_prefix(',') {
                    Some(more) => inner = more,
                    None => break,
                }
            }
            rest = inner.strip_prefix('}').unwrap();
        }
        let value = rest.strip_prefix(' ').unwrap();
        assert!(!value.contains(' '), "a timestamp: {line}");
        (name.to_owned(), labels, value.parse().unwrap())
    }

    #[test]
    fn every_line_is_valid_and_every_series_is_unique() {
        for report in [samples::report(), samples::odd(), samples::empty()] {
            let all = SinkOptions { all: true, ..SinkOptions::default() };
            let text = written(&report, all);
            assert!(text.ends_with('\n'));
            let (mut typed, mut seen) = (HashSet::new(), HashSet::new());
            for line in text.lines() {
                if let Some(rest) = line.strip_prefix("# TYPE ") {
                    let name = rest.strip_suffix(" gauge").unwrap();
                    assert!(typed.insert(name.to_owned()), "{name} is declared twice");
                } else if !line.starts_with("# HELP ") {
                    let (name, labels, _) = parsed(line);
                    assert!(typed.contains(&name), "{name} is not declared");
                    assert!(seen.insert((name, labels)), "twice: {line}");
                }
            }
        }
    }

    #[test]
    fn odd_names_come_through() {
        let text = written(&samples::odd(), SinkOptions { all: true, ..SinkOptions::default() });
        let name = &samples::odd().features[0].name;
        let levels = text.lines().filter(|line| line.starts_with("gpudrift_feature_level{")).map(parsed);
        assert!(levels.into_iter().any(|(_, labels, _)| &labels[0].1 == name));
    }

    #[test]
    fn levels_are_counted_and_only_drifted_features_are_listed() {
        let report = samples::report();
        let text = written(&report, SinkOptions::default());
        assert!(
            text.contains(&format!("gpudrift_features{{level=\"critical\"}} {:?}\n", real(report.summary.critical)))
        );
        let drifted = report.summary.warning + report.summary.critical;
        assert_eq!(text.matches("gpudrift_feature_level{").count() as u64, drifted);
        let few = written(&samples::wide(5000), SinkOptions { top: Some(7), ..SinkOptions::default() });
        assert_eq!(few.matches("gpudrift_feature_level{").count(), 7);
        assert!(written(&samples::wide(5000), SinkOptions::default()).lines().count() < 700);
    }
}
