//! Exit codes, and errors that carry one. A drift code is never the code of a transient failure, so that an
//! orchestrator can retry the one and page about the other.

use std::io::{self, Write};
use std::process::ExitCode;

use gpudrift::config::{ConfigError, FailOn};
use gpudrift::report::Report;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It finished, drift or not.
    Finished = 0,
    /// It finished, and the gate asked for with `--fail-on` was reached.
    Gate = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// Input could not be opened, or the run failed.
    Failed = 3,
    /// It finished, but a feature named explicitly could not be scanned, or a column (or a file that was left out)
    /// failed to read.
    Incomplete = 4,
}

impl Exit {
    /// How a run with this report ends. The gate wins over an incomplete run.
    pub(crate) fn of(report: &Report, fail_on: FailOn) -> Self {
        let skipped_files = [&report.run.reference, &report.run.current].map(|input| input.skipped_files.len());
        if fail_on.is_reached(report.gate()) {
            Self::Gate
        } else if report.skipped.iter().any(|skipped| skipped.is_failure()) || skipped_files != [0, 0] {
            Self::Incomplete
        } else {
            Self::Finished
        }
    }

    /// The worse of two: failed, wrong usage, the gate, incomplete, finished.
    pub(crate) fn worse(self, other: Self) -> Self {
        let badness = |exit| match exit {
            Self::Finished => 0,
            Self::Incomplete => 1,
            Self::Gate => 2,
            Self::Usage => 3,
            Self::Failed => 4,
        };
        if badness(other) > badness(self) { other } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that ends the program, and the code that it ends with.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Exit,
    pub(crate) source: anyhow::Error,
}

impl Failure {
    pub(crate) fn usage(source: impl Into<anyhow::Error>) -> Self {
        Self { code: Exit::Usage, source: source.into() }
    }

    pub(crate) fn failed(source: impl Into<anyhow::Error>) -> Self {
        Self { code: Exit::Failed, source: source.into() }
    }

    /// The same, with what was being done in front.
    pub(crate) fn within(self, what: String) -> Self {
        Self { source: self.source.context(what), ..self }
    }

    /// Says on stderr what happened, with its causes, and gives the code.
    pub(crate) fn report(self) -> Exit {
        let mut text = format!("error: {}\n", self.source);
        let mut told = self.source.to_string();
        for cause in self.source.chain().skip(1) {
            let cause = cause.to_string();
            // Some errors repeat their cause in their own text.
            if !told.contains(&cause) {
                text += &format!("  caused by: {cause}\n");
            }
            told = cause;
        }
        // Nobody is left to tell when stderr is closed.
        let _ = io::stderr().write_all(text.as_bytes());
        self.code
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gpudrift::report::{Run, SkipCause, Skipped, SkippedFile};

    fn report(level: &str, skipped: &[(SkipCause, bool)]) -> Report {
        let feature = serde_json::json!({
            "name": "x", "type": "int32", "kind": "numeric", "level": level, "reasons": [], "metrics": {},
            "reference": { "rows": 1, "nulls": 0, "nans": 0, "infinite": 0 },
            "current": { "rows": 1, "nulls": 0, "nans": 0, "infinite": 0 },
            "change": { "null_share_change": 0.0, "nan_share_change": 0.0, "infinite_share_change": 0.0 },
        });
        let skipped = skipped.iter().map(|&(cause, named)| Skipped {
            name: "y".to_owned(),
            reason: "because".to_owned(),
            cause,
            named,
        });
        Report::new(Run::default(), vec![serde_json::from_value(feature).unwrap()], skipped.collect())
    }

    #[test]
    fn codes_are_as_agreed() {
        use SkipCause::{OneSided, Unknown, Unreadable, Unsupported};
        type Case = (&'static str, &'static [(SkipCause, bool)], FailOn, u8);
        let cases: [Case; 11] = [
            ("critical", &[], FailOn::Never, 0),
            ("ok", &[(OneSided, false), (Unsupported, false)], FailOn::Critical, 0),
            ("warning", &[], FailOn::Critical, 0),
            ("info", &[], FailOn::Warning, 0),
            ("warning", &[], FailOn::Warning, 1),
            ("critical", &[], FailOn::Warning, 1),
            ("critical", &[], FailOn::Critical, 1),
            ("ok", &[(Unsupported, true)], FailOn::Never, 4),
            ("ok", &[(Unknown, true)], FailOn::Critical, 4),
            ("ok", &[(Unreadable, false)], FailOn::Never, 4),
            ("critical", &[(Unreadable, true)], FailOn::Critical, 1),
        ];
        for (level, skipped, fail_on, code) in cases {
            assert_eq!(Exit::of(&report(level, skipped), fail_on) as u8, code, "{level} {skipped:?} {fail_on:?}");
        }
    }

    #[test]
    fn a_file_that_was_left_out_is_not_silent() {
        let mut report = report("ok", &[]);
        report.run.current.skipped_files = vec![SkippedFile { path: "a".to_owned(), reason: "cut off".to_owned() }];
        assert_eq!(Exit::of(&report, FailOn::Never), Exit::Incomplete);
    }
}
