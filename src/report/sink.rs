//! The list of sinks: everybody who can write a [`Report`].

use std::io::{self, Write};

use super::{FeatureReport, Report, html, json, junit, markdown, ndjson, parquet, prometheus, table};
use crate::verdict::Level;

/// Writes a report in one format.
pub trait Sink: Sync {
    /// The name, as in `--format`.
    fn name(&self) -> &'static str;

    /// What it is for, in a few words, for the help.
    fn about(&self) -> &'static str;

    /// Whether the bytes are not text, so that they do not belong on a terminal.
    fn is_binary(&self) -> bool {
        false
    }

    /// What stands before, between and after the reports of several jobs in one file; `None` where that cannot be.
    fn joint(&self) -> Option<[&'static str; 3]> {
        None
    }

    /// Writes the whole report.
    ///
    /// # Errors
    /// When `out` cannot be written.
    fn write(&self, report: &Report, options: &SinkOptions, out: &mut dyn Write) -> io::Result<()>;
}

/// Every sink, in the order of the help; the first is the default.
pub static SINKS: &[&dyn Sink] = &[
    &table::Table,
    &json::Json,
    &ndjson::NdJson,
    &parquet::Parquet,
    &markdown::Markdown,
    &html::Html,
    &junit::JUnit,
    &prometheus::Prometheus,
];

/// The sink called `name`.
#[must_use]
pub fn sink(name: &str) -> Option<&'static dyn Sink> {
    SINKS.iter().copied().find(|sink| sink.name() == name)
}

/// Writes the reports of several jobs together, in a format that has a [joint](Sink::joint).
///
/// # Errors
/// When `out` cannot be written.
pub fn write_all(sink: &dyn Sink, reports: &[&Report], options: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
    let [before, between, after] = sink.joint().unwrap_or_default();
    out.write_all(before.as_bytes())?;
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            out.write_all(between.as_bytes())?;
        }
        sink.write(report, options, out)?;
    }
    out.write_all(after.as_bytes())
}

/// How the formats for people look. The formats for machines take no notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkOptions {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether to colour.
    pub color: bool,
    /// At most so many features, the most severe first.
    pub top: Option<usize>,
    /// Every feature, whatever its level.
    pub all: bool,
}

impl Default for SinkOptions {
    fn default() -> Self {
        Self { width: 120, color: false, top: None, all: false }
    }
}

impl SinkOptions {
    /// The features to show, most severe first, and how many are left out.
    ///
    /// All with `all`; `top` with that; otherwise every feature that is not ok, and at most `ok` that are.
    pub(super) fn shown<'r>(&self, report: &'r Report, ok: usize) -> (Vec<&'r FeatureReport>, usize) {
        let mut features = report.by_severity();
        let total = features.len();
        let notable = features.iter().filter(|feature| feature.level > Level::Ok).count();
        features.truncate(match (self.all, self.top) {
            (true, _) => total,
            (false, Some(top)) => top,
            (false, None) => notable + ok,
        });
        let hidden = total - features.len();
        (features, hidden)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn names_are_unique_and_found() {
        assert!(!SINKS.is_empty());
        for (index, one) in SINKS.iter().enumerate() {
            assert!(SINKS[..index].iter().all(|other| other.name() != one.name()));
            assert_eq!(sink(one.name()).map(Sink::name), Some(one.name()));
        }
        assert!(sink("xml").is_none());
    }

    #[test]
    fn every_sink_writes_any_report_and_the_same_bytes_twice() {
        for sink in SINKS {
            for report in [samples::report(), samples::empty(), samples::odd()] {
                for options in
                    [SinkOptions::default(), SinkOptions { width: 0, top: Some(0), ..SinkOptions::default() }]
                {
                    let (mut first, mut second) = (Vec::new(), Vec::new());
                    sink.write(&report, &options, &mut first).unwrap();
                    sink.write(&report, &options, &mut second).unwrap();
                    assert!(!first.is_empty(), "{} wrote nothing", sink.name());
                    assert_eq!(first, second, "{} is not deterministic", sink.name());
                    assert_eq!(sink.is_binary(), std::str::from_utf8(&first).is_err(), "{}", sink.name());
                }
            }
        }
    }

    #[test]
    fn people_read_what_happened_before_the_other_reasons() {
        let mut report = samples::report();
        let drifted = report.features.iter_mut().find(|feature| feature.level == Level::Critical).unwrap();
        drifted.change_kind = Some(crate::change::ChangeKind {
            kind: "unit_change".to_owned(),
            title: "unit change × 1000".to_owned(),
            confidence: 0.98,
            cause: crate::change::Cause::Pipeline,
            evidence: "every quantile is larger".to_owned(),
        });
        assert_eq!(drifted.name, "customer_stats:amount_mean_90d");
        let reason = drifted.reasons[0].clone();
        for name in ["table", "markdown", "html"] {
            let mut out = Vec::new();
            let options = SinkOptions { width: 300, ..SinkOptions::default() };
            sink(name).unwrap().write(&report, &options, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let mut rest = &text[text.find("amount").unwrap()..];
            for part in ["unit change × 1000", "pipeline bug, 98% sure", "every quantile is larger", &reason] {
                let at = rest.find(part).unwrap_or_else(|| panic!("{name}: no {part:?} in its place\n{text}"));
                rest = &rest[at..];
            }
        }
    }

    #[test]
    fn a_pipe_that_closes_is_an_error_of_the_writer_and_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for sink in SINKS {
            let error = sink.write(&samples::report(), &SinkOptions::default(), &mut Closed).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{}", sink.name());
        }
    }

    #[test]
    fn the_severe_are_shown_before_the_ok() {
        let report = samples::report();
        let notable = report.features.iter().filter(|f| f.level > Level::Ok).count();
        let shown = |options: SinkOptions, ok| options.shown(&report, ok).0.len();
        assert_eq!(shown(SinkOptions::default(), 2), notable + 2);
        assert_eq!(shown(SinkOptions { top: Some(3), ..SinkOptions::default() }, 2), 3);
        assert_eq!(shown(SinkOptions { all: true, top: Some(3), ..SinkOptions::default() }, 2), report.features.len());
    }
}
