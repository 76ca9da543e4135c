//! Gauges for the textfile collector of Prometheus' node exporter.
//!
//! Text exposition format without timestamps, which the collector refuses. Numbers of features by level always stand
//! here; series of single features only for those that drifted (WARNING or CRITICAL), at most [`LISTED`] of them, most
//! severe first: thousands of features times several metrics are more series than a Prometheus wants from one job.
//! `--top` sets another limit, and `--all` writes every feature.

use std::collections::HashSet;
use std::io::{self, Write};

use super::{FeatureReport, Report, Sink, SinkOptions};
use crate::change::Cause;
use crate::format::real;
use crate::verdict::Level;

/// Features with series of their own, unless asked for otherwise.
const LISTED: usize = 100;

/// The label that tells jobs apart. Prometheus has a label `job` of its own, which says what was scraped.
pub(crate) const JOB_LABEL: &str = "drift_job";

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
        write_gauges(out, gauges(report, options))
    }
}

/// The latest reports of several jobs together; every series has the job as its first label, `drift_job`.
///
/// # Errors
/// When `out` cannot be written.
pub fn prometheus_of_jobs(jobs: &[(&str, &Report)], options: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut together: indexmap::IndexMap<&str, Gauge<'_>> = indexmap::IndexMap::new();
    for &(job, report) in jobs {
        for mut gauge in gauges(report, options) {
            for (labels, _) in &mut gauge.samples {
                labels.insert(0, (JOB_LABEL, job));
            }
            match together.get_mut(gauge.name) {
                Some(known) => known.samples.append(&mut gauge.samples),
                None => drop(together.insert(gauge.name, gauge)),
            }
        }
    }
    write_gauges(out, together.into_values())
}

/// Labels and value of one sample.
pub(crate) type Sample<'r> = (Vec<(&'static str, &'r str)>, f64);

/// One metric with all its samples.
pub(crate) struct Gauge<'r> {
    name: &'static str,
    help: &'static str,
    samples: Vec<Sample<'r>>,
}

/// Everything that is told of a report; a metric that no listed feature has does not appear.
fn gauges<'r>(report: &'r Report, options: &SinkOptions) -> Vec<Gauge<'r>> {
    let features = listed(report, options);
    let mut gauges = totals(report);
    let listed = "Features that have series of their own below.";
    gauges.push(Gauge::one("gpudrift_features_listed", listed, real(features.len() as u64)));
    gauges.extend(series(&features));
    gauges
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

impl<'r> Gauge<'r> {
    pub(crate) fn new(name: &'static str, help: &'static str, samples: impl IntoIterator<Item = Sample<'r>>) -> Self {
        Self { name, help, samples: samples.into_iter().collect() }
    }

    fn one(name: &'static str, help: &'static str, value: f64) -> Self {
        Self::new(name, help, [(vec![], value)])
    }
}

/// Numbers of the whole run.
fn totals(report: &Report) -> Vec<Gauge<'_>> {
    let (run, summary) = (&report.run, &report.summary);
    let levels = Level::ALL.map(|level| (vec![("level", level.name())], real(summary.of_level(level))));
    let failed = report.skipped.iter().filter(|skipped| skipped.is_failure()).count();
    let could_not = "Features that were asked for by name, or failed to read, and could not be compared.";
    let rows = [("reference", &run.reference), ("current", &run.current)];
    let rows = rows.map(|(side, input)| (vec![("side", side)], real(input.rows)));
    let started = chrono::DateTime::parse_from_rfc3339(&run.started_at).ok();
    let started = started.map(|at| (vec![], u64::try_from(at.timestamp()).map_or(0.0, real)));
    let info = vec![("version", run.version.as_str()), ("backend", &run.backend), ("device", &run.device)];
    vec![
        Gauge::new("gpudrift_features", "Compared features by level.", levels),
        Gauge::one("gpudrift_skipped_features", "Features that could not be compared.", real(summary.skipped)),
        Gauge::one("gpudrift_failed_features", could_not, real(failed as u64)),
        Gauge::new("gpudrift_incidents", "Features that moved together, by cause.", incidents(report)),
        Gauge::one("gpudrift_findings", "Findings of data quality and schema.", real(report.findings.len() as u64)),
        Gauge::new("gpudrift_rows", "Rows of each side.", rows),
        Gauge::one("gpudrift_run_duration_seconds", "Wall time of the run.", run.duration_seconds),
        Gauge::new("gpudrift_run_started_timestamp_seconds", "When the run began, in Unix time.", started),
        Gauge::new("gpudrift_run_info", "Always 1; the labels say who counted.", [(info, 1.0)]),
    ]
}

/// Incidents with a level above ok, by cause.
fn incidents(report: &Report) -> [Sample<'static>; 3] {
    [("pipeline", Cause::Pipeline), ("data", Cause::Data), ("unclear", Cause::Unclear)].map(|(name, cause)| {
        let incidents = report.incidents.iter();
        let number = incidents.filter(|incident| incident.level > Level::Ok && incident.cause == cause).count();
        (vec![("cause", name)], real(number as u64))
    })
}

/// The series of single features.
fn series<'r>(features: &[&'r FeatureReport]) -> [Gauge<'r>; 5] {
    let of = |value: &dyn Fn(&FeatureReport) -> Option<f64>| -> Vec<Sample<'r>> {
        let sample = |&f: &&'r FeatureReport| value(f).map(|value| (vec![("feature", f.name.as_str())], value));
        features.iter().filter_map(sample).collect()
    };
    let level = "Level of a drifted feature: 0 ok, 1 info, 2 warning, 3 critical.";
    let shares = features.iter().flat_map(|feature| {
        [("reference", &feature.reference), ("current", &feature.current)]
            .map(|(side, facts)| (vec![("feature", feature.name.as_str()), ("side", side)], facts.null_share()))
    });
    [
        Gauge::new("gpudrift_feature_level", level, of(&|feature| Some(real(feature.level as u64)))),
        Gauge::new("gpudrift_feature_psi", "Population stability index.", of(&|feature| feature.number("psi"))),
        Gauge::new("gpudrift_feature_ks_statistic", "Kolmogorov-Smirnov D.", of(&|f| f.number("ks_statistic"))),
        Gauge::new("gpudrift_feature_q_value", "p-value adjusted for all features of the run.", of(&|f| f.test().1)),
        Gauge::new("gpudrift_feature_null_share", "Share of the rows that are null.", shares),
    ]
}

/// Writes metrics, each with its help and type; one without samples does not appear.
pub(crate) fn write_gauges<'r>(out: &mut dyn Write, gauges: impl IntoIterator<Item = Gauge<'r>>) -> io::Result<()> {
    for Gauge { name, help, samples } in gauges.into_iter().filter(|gauge| !gauge.samples.is_empty()) {
        writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge")?;
        for (labels, value) in samples {
            let labels: Vec<_> =
                labels.into_iter().map(|(label, text)| format!("{label}=\"{}\"", escaped(text))).collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            // Debug prints the shortest text that reads back to the same bits, with an exponent where that is shorter.
            writeln!(out, "{name}{labels} {value:?}")?;
        }
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
    fn jobs_share_a_metric_and_differ_in_their_label() {
        let (one, other) = (samples::report(), samples::odd());
        let mut out = Vec::new();
        prometheus_of_jobs(&[("a", &one), ("b\"c", &other)], &SinkOptions::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches("# TYPE gpudrift_features gauge").count(), 1);
        let mut seen = HashSet::new();
        for (name, labels, _) in text.lines().filter(|line| !line.starts_with('#')).map(parsed) {
            assert!(labels[0].0 == JOB_LABEL && (labels[0].1 == "a" || labels[0].1 == "b\"c"), "{labels:?}");
            assert!(seen.insert((name, labels)));
        }
        assert!(text.contains("gpudrift_incidents{drift_job=\"a\",cause=\"pipeline\"} 2.0\n"), "{text}");
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
