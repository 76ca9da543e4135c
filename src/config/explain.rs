//! Every setting of a feature, and which line of which rule gave it.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::document::KeyPath;
use super::rules::Rank;
use super::settings::Settings;
use super::{ConfigError, JobConfig, Patterns, RuleSet, ScanConfig, ThresholdChoice, resolve};

/// The settings of one feature.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The feature.
    pub feature: String,
    /// The job, where the file has jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// Every key that has a value, in the order of the documentation.
    pub settings: Vec<Explained>,
}

/// The value of one key, and those that it was preferred to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The key.
    pub key: &'static str,
    /// What holds.
    #[serde(flatten)]
    pub said: Said,
    /// What less specific tables say, the most specific of them first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Said>,
}

/// A value, and who says it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Said {
    /// The value.
    pub value: Value,
    /// `default`, `scan`, `rule` or `feature`.
    pub by: &'static str,
    /// The table, as it is written in the file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub table: String,
    /// The file and line of the key: `gpudrift.toml:12`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub origin: String,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.by {
            "default" => write!(f, "default"),
            _ => write!(f, "{}  {}", self.origin, self.table),
        }
    }
}

/// Explains what `job` says about `feature`, whether or not the data has it. `weight` is what the file of weights, if
/// there is one, has for it.
///
/// # Errors
/// When an option of the file is wrong, or two rules contradict each other.
pub fn explain(job: &JobConfig, feature: &str, weight: Option<f64>) -> Result<Explanation, ConfigError> {
    let config = resolve::without_data(job)?;
    let names = [feature.to_owned()];
    let applied = RuleSet::new(&job.rules, &names).of(feature)?;
    let base = base(&config, feature, weight);
    let thresholds = applied.settings.thresholds(&config.thresholds);
    let holds = values(&of_thresholds(&thresholds).or(applied.settings.clone()).or(base.clone()));
    let base = values(&base);
    let settings = Settings::KEYS.iter().filter_map(|&key| {
        let layers = applied.said.get(key).map(Vec::as_slice).unwrap_or_default();
        let mut said: Vec<Said> = layers
            .iter()
            .rev()
            .map(|&layer| {
                let layer = &job.rules.0[layer];
                let path = [layer.key.clone(), vec![key.to_owned()]].concat();
                let by = if layer.rank == Rank::Feature { "feature" } else { "rule" };
                Said {
                    value: values(&layer.settings)[key].clone(),
                    by,
                    table: layer.to_string(),
                    origin: place(job, &path),
                }
            })
            .collect();
        said.extend(base.get(key).map(|value| of_run(job, key, value.clone())));
        let mut said = said.into_iter();
        let mut first = said.next()?;
        // A limit that another one took along is not the one that is written anywhere.
        if let Some(value) = holds.get(key)
            && *value != first.value
        {
            first = Said { value: value.clone(), ..first };
        }
        Some(Explained { key, said: first, over: said.collect() })
    });
    Ok(Explanation { feature: feature.to_owned(), job: job.name.clone(), settings: settings.collect() })
}

/// The settings that every feature has.
fn base(config: &ScanConfig, feature: &str, weight: Option<f64>) -> Settings {
    Settings {
        exclude: Some(Patterns::new(&config.exclude).matches(feature)),
        categorical: Some(Patterns::new(&config.categorical).matches(feature)),
        weight: weight.or(Some(1.0)),
        ..of_thresholds(&config.thresholds)
    }
}

fn of_thresholds(thresholds: &crate::verdict::Thresholds) -> Settings {
    Settings {
        effect: Some(thresholds.effect),
        alpha: Some(thresholds.q),
        threshold: Some(match thresholds.calibration.calibrated {
            true => ThresholdChoice::Calibrated,
            false => ThresholdChoice::Fixed,
        }),
        false_alarms_per_year: Some(thresholds.calibration.false_alarms_per_year),
        psi_warning: Some(thresholds.psi.warning),
        psi_critical: Some(thresholds.psi.critical),
        ks_warning: Some(thresholds.ks.warning),
        ks_critical: Some(thresholds.ks.critical),
        js_warning: Some(thresholds.js.warning),
        js_critical: Some(thresholds.js.critical),
        ks_info: Some(thresholds.ks_info),
        null_info: Some(thresholds.null_share),
        null_warning: thresholds.null_share_warning,
        null_critical: thresholds.null_share_critical,
        ..Settings::default()
    }
}

fn values(settings: &Settings) -> serde_json::Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(values)) => values,
        _ => serde_json::Map::new(),
    }
}

/// A value of the run: of `[scan]`, of the job or shared, or the default.
fn of_run(job: &JobConfig, key: &'static str, value: Value) -> Said {
    let option = if key == "weight" { "weights" } else { key };
    let shared: KeyPath = vec!["scan".to_owned(), option.to_owned()];
    let own = job.name.iter().map(|name| [vec!["job".to_owned(), name.clone()], shared.clone()].concat());
    match own.chain([shared.clone()]).find(|path| job.document.has(path)) {
        Some(path) => {
            let table = path[..path.len() - 1].join(".");
            Said { value, by: "scan", table: format!("[{table}]"), origin: place(job, &path) }
        }
        None => Said { value, by: "default", table: String::new(), origin: String::new() },
    }
}

fn place(job: &JobConfig, path: &[String]) -> String {
    format!("{}:{}", job.document.path().display(), job.document.line(path))
}
