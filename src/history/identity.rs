//! Which run this is: the job, the window it is about, and the definition of its numbers. Two runs with the same three
//! are the same run, and the later one takes the place of the earlier.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::ScanConfig;
use crate::report::Report;

/// Name of the job where none is given.
pub const DEFAULT_JOB: &str = "default";

/// What the user says about a run, besides what its data says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunLabel {
    /// Name of the job; [`DEFAULT_JOB`] when `None`.
    pub job: Option<String>,
    /// The window, when its name is more than a time: an orchestrator's run id, for example.
    pub run_id: Option<String>,
    /// The time that the data is about.
    pub as_of: Option<AsOf>,
}

/// A date, or an instant, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsOf {
    text: String,
    at: DateTime<Utc>,
}

impl AsOf {
    /// The instant; of a date, its midnight in UTC.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

impl std::fmt::Display for AsOf {
    /// As it was written.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<crate::window::AsOf> for AsOf {
    fn from(as_of: crate::window::AsOf) -> Self {
        let at = match as_of {
            crate::window::AsOf::Day(day) => {
                let (month, dom) = (u32::try_from(day.month()), u32::try_from(day.day()));
                let date = month
                    .ok()
                    .zip(dom.ok())
                    .and_then(|(month, dom)| NaiveDate::from_ymd_opt(day.year().into(), month, dom));
                date.and_then(|date| date.and_hms_opt(0, 0, 0)).map(|at| at.and_utc())
            }
            crate::window::AsOf::Instant(instant) => {
                DateTime::from_timestamp(instant.as_second(), instant.subsec_nanosecond().cast_unsigned())
            }
        };
        Self { text: as_of.to_string(), at: at.unwrap_or_default() }
    }
}

impl std::str::FromStr for AsOf {
    type Err = String;

    /// `2026-11-22`, which is its midnight in UTC, or an RFC 3339 instant.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let date = text.parse::<NaiveDate>().ok().and_then(|date| date.and_hms_opt(0, 0, 0)).map(|at| at.and_utc());
        let at = date.or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()));
        at.map(|at| Self { text: text.to_owned(), at })
            .ok_or_else(|| "expected a date like 2026-11-22 or an instant like 2026-11-22T03:00:00Z".to_owned())
    }
}

/// The key of a run, and where it stands in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunIdentity {
    /// Name of the job.
    pub job: String,
    /// The time or the data that it is about.
    pub window: String,
    /// Hash of everything that decides about the numbers.
    pub definition: String,
    /// The instant that it stands for in trends.
    pub at: DateTime<Utc>,
}

impl RunIdentity {
    /// The identity of a run with this report.
    ///
    /// The window is `--run-id`, else `--as-of`. With neither, the data names itself: `data:` and a fingerprint of the
    /// current side's paths and of everything that was counted, so that the same data is the same run and other data
    /// under the same path is another one. What was counted says more than footers do: two nights of equal size can
    /// have equal footers.
    #[must_use]
    pub fn of(report: &Report, label: &RunLabel) -> Self {
        let window = match (&label.run_id, &label.as_of) {
            (Some(id), _) => id.clone(),
            (None, Some(as_of)) => as_of.text.clone(),
            (None, None) => {
                let mut hash = Sha256::new();
                for path in &report.run.current.paths {
                    hash.update(path);
                    hash.update([0]);
                }
                hash.update(counted(report));
                format!("data:{}", digits(hash, 16))
            }
        };
        let started =
            DateTime::parse_from_rfc3339(&report.run.started_at).map_or_else(|_| Utc::now(), |at| at.to_utc());
        Self {
            job: label.job.clone().unwrap_or_else(|| DEFAULT_JOB.to_owned()),
            window,
            definition: definition(&report.run.config),
            at: label.as_of.as_ref().map_or(started, |as_of| as_of.at),
        }
    }

    /// The name of the run: twelve hexadecimal digits that follow from the key alone, in every history.
    #[must_use]
    pub fn name(&self) -> String {
        let mut hash = Sha256::new();
        for part in [&self.job, &self.window, &self.definition] {
            hash.update(part);
            hash.update([0]);
        }
        digits(hash, 12)
    }
}

/// Hash of what decides about the numbers of a report: not the current paths, and nothing of the machine.
///
/// The names of the fields and their text in JSON are hashed, so an option that comes later changes the hash of every
/// run: the first night with it begins a new definition, which trends do not notice.
#[must_use]
pub fn definition(config: &ScanConfig) -> String {
    let mut config = serde_json::to_value(config).unwrap_or_default();
    if let Some(fields) = config.as_object_mut() {
        for machine in ["current", "backend", "devices", "threads", "memory_limit", "skip_bad_files"] {
            fields.remove(machine);
        }
        // A rule is what it says, wherever it stands in its file.
        if let Some(rules) = fields.get_mut("rules").and_then(|rules| rules.as_array_mut()) {
            rules.retain_mut(says_something);
        }
        // The night is the window of a run, and not its definition.
        if let Some(windows) = fields.get_mut("windows").and_then(|windows| windows.as_object_mut()) {
            windows.remove("as_of");
        }
    }
    digits(Sha256::new_with_prefix(config.to_string()), 16)
}

/// Takes from a rule where it stands, and that features are muted for a while: neither decides about a number. Whether
/// anything is left.
fn says_something(rule: &mut serde_json::Value) -> bool {
    let Some(rule) = rule.as_object_mut() else { return true };
    rule.remove("origin");
    let Some(settings) = rule.get_mut("settings").and_then(|settings| settings.as_object_mut()) else { return true };
    let before = settings.len();
    settings.retain(|key, _| !matches!(key.as_str(), "muted_until" | "mute_reason"));
    !settings.is_empty() || before == 0
}

/// Hash of what a report says, findings included, without the circumstances of the run.
///
/// Where there are no findings it is the hash of what was counted alone, as in histories from before findings had a part in
/// it.
#[must_use]
pub fn content(report: &Report) -> String {
    if report.findings.is_empty() {
        return counted(report);
    }
    let mut hasher = Hasher(Sha256::new_with_prefix(counted(report)));
    let _ = serde_json::to_writer(std::io::BufWriter::new(&mut hasher), &report.findings);
    digits(hasher.0, 32)
}

/// Hash of what was counted: equal for equal data and definition. What was found may rest on the clock and on the history.
fn counted(report: &Report) -> String {
    #[derive(Serialize)]
    struct Content<'r>(&'r [crate::report::FeatureReport], &'r [crate::report::Skipped]);
    let mut hasher = Hasher(Sha256::new());
    // Neither the types nor the hasher can fail.
    let _ = serde_json::to_writer(std::io::BufWriter::new(&mut hasher), &Content(&report.features, &report.skipped));
    digits(hasher.0, 32)
}

struct Hasher(Sha256);

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn digits(hash: Sha256, digits: usize) -> String {
    let mut text = hex::encode(hash.finalize());
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn label(as_of: Option<&str>, run_id: Option<&str>) -> RunLabel {
        RunLabel { job: None, run_id: run_id.map(str::to_owned), as_of: as_of.map(|text| text.parse().unwrap()) }
    }

    #[test]
    fn clocks_and_machines_do_not_change_who_a_run_is() {
        let report = samples::report();
        let mut later = report.clone();
        later.run.started_at = "2027-01-01T00:00:00Z".to_owned();
        (later.run.backend, later.run.config.threads, later.run.config.memory_limit) = ("gpu".to_owned(), 64, 1);
        let names = [&report, &later].map(|report| RunIdentity::of(report, &RunLabel::default()).name());
        assert_eq!(names[0], names[1]);
    }

    #[test]
    fn other_data_or_another_definition_is_another_run() {
        let report = samples::report();
        let name = |report: &Report| RunIdentity::of(report, &RunLabel::default()).name();
        let mut data = report.clone();
        data.features[0].current.nulls += 1;
        let mut definition = report.clone();
        definition.run.config.psi_bins = 20;
        let names = [name(&report), name(&data), name(&definition)];
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");
    }

    #[test]
    fn a_finding_is_content_and_not_identity() {
        let found = samples::report();
        assert!(!found.findings.is_empty());
        let report = found.clone().with_findings(Vec::new());
        assert_ne!(content(&report), content(&found));
        assert_eq!(content(&report), counted(&found));
        let names = [&report, &found].map(|report| RunIdentity::of(report, &RunLabel::default()).name());
        assert_eq!(names[0], names[1]);
    }

    #[test]
    fn a_label_wins_over_the_data() {
        let mut report = samples::report();
        let first = RunIdentity::of(&report, &label(Some("2026-11-22"), None));
        report.features[0].current.nulls += 1;
        let second = RunIdentity::of(&report, &label(Some("2026-11-22"), None));
        assert_eq!(first, second);
        assert_eq!(
            (first.window.as_str(), first.at.to_rfc3339().as_str()),
            ("2026-11-22", "2026-11-22T00:00:00+00:00")
        );
        let named = RunIdentity::of(&report, &label(Some("2026-11-22"), Some("airflow-7")));
        assert_eq!((named.window.as_str(), named.at), ("airflow-7", first.at));
    }

    #[test]
    fn a_time_that_is_none_says_what_is_expected() {
        assert!("2026-13-01".parse::<AsOf>().unwrap_err().contains("2026-11-22"));
        assert_eq!("2026-11-22T03:00:00+02:00".parse::<AsOf>().unwrap().at.to_rfc3339(), "2026-11-22T01:00:00+00:00");
    }
}
