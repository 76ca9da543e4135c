//! Which run the events are about.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::dataset::{Dataset, inputs};
use crate::config::ScanConfig;
use crate::history::{DEFAULT_JOB, RunLabel, definition};

/// A run, as its events name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageRun {
    pub(super) id: String,
    pub(super) job: String,
    /// The instant that the run stands for, where it was said.
    pub(super) nominal: Option<DateTime<Utc>>,
    pub(super) inputs: Vec<Dataset>,
}

impl LineageRun {
    /// The run of `config` that `label` names, in the namespace of a job.
    #[must_use]
    pub fn of(namespace: &str, label: &RunLabel, config: &ScanConfig) -> Self {
        let job = label.job.clone().unwrap_or_else(|| DEFAULT_JOB.to_owned());
        let nominal = label.as_of.as_ref().map(crate::history::AsOf::at);
        let window = label.run_id.clone().or_else(|| nominal.map(|at| at.to_rfc3339()));
        let now = Utc::now();
        let window = match &window {
            Some(window) => window.clone(),
            None => format!("{now:?} {}", std::process::id()),
        };
        let mut hash = Sha256::new();
        let definition = definition(config);
        let parts = [namespace, &job, &window, &definition].into_iter();
        for part in parts.chain(config.current.iter().map(String::as_str)) {
            hash.update(part);
            hash.update([0]);
        }
        let at = if label.run_id.is_some() { nominal.unwrap_or_default() } else { nominal.unwrap_or(now) };
        Self { id: uuid(at, hash.finalize().as_slice()), job, nominal, inputs: inputs(config) }
    }

    /// Its `runId`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// A UUID of version 7 (RFC 9562, 5.7): the instant in milliseconds, then bits of the hash in the place of random ones, as
/// OpenLineage's own clients make them for runs whose id must be found again.
fn uuid(at: DateTime<Utc>, hash: &[u8]) -> String {
    let mut bytes = [0_u8; 16];
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0).to_be_bytes();
    bytes[..6].copy_from_slice(&millis[2..]);
    bytes[6..].copy_from_slice(&hash[..10]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let text = hex::encode(bytes);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(as_of: Option<&str>, run_id: Option<&str>) -> RunLabel {
        RunLabel { job: None, run_id: run_id.map(str::to_owned), as_of: as_of.map(|text| text.parse().unwrap()) }
    }

    #[test]
    fn a_night_has_one_id_and_another_night_or_job_or_definition_another() {
        let config = ScanConfig::default();
        let id = |namespace: &str, label: &RunLabel, config: &ScanConfig| LineageRun::of(namespace, label, config).id;
        let night = label(Some("2026-11-22"), None);
        let first = id("a", &night, &config);
        assert_eq!(first, id("a", &night, &ScanConfig { threads: 7, ..config.clone() }));
        assert_eq!(&first[14..15], "7");
        let time = format!("{:012x}", "2026-11-22T00:00:00Z".parse::<DateTime<Utc>>().unwrap().timestamp_millis());
        assert_eq!(first.replace('-', "")[..12], time);
        let others = [
            id("b", &night, &config),
            id("a", &label(Some("2026-11-23"), None), &config),
            id("a", &label(Some("2026-11-22"), Some("airflow-7")), &config),
            id("a", &RunLabel { job: Some("churn".to_owned()), ..night.clone() }, &config),
            id("a", &night, &ScanConfig { psi_bins: 20, ..config.clone() }),
            id("a", &night, &ScanConfig { current: vec!["x".to_owned()], ..config.clone() }),
        ];
        assert!(others.iter().all(|other| *other != first), "{first} {others:?}");
        let named = label(None, Some("airflow-7"));
        assert_eq!(id("a", &named, &config), id("a", &named, &config));
        let nameless = label(None, None);
        assert_ne!(id("a", &nameless, &config), id("a", &nameless, &config), "every run is another one");
    }
}
