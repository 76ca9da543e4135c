//! Which rows are compared: windows of time, segments, the last write of an event.

use std::path::Path;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Names, ScanOptions};
use crate::window::{AsOf, Compare, Window, WindowError, WindowSpec};

/// What the integers of a timestamp column count, where its type does not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum EpochUnit {
    /// Seconds since 1970
    S,
    /// Milliseconds since 1970
    Ms,
    /// Microseconds since 1970
    Us,
    /// Nanoseconds since 1970
    Ns,
}

/// Which rows of the data are compared; all of them by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowConfig {
    /// The column with the time of an event, or the keys of folders that name it together.
    pub timestamp: Vec<String>,
    /// What it counts, where it is an integer.
    pub timestamp_unit: Option<EpochUnit>,
    /// Keys of folders that follow the timestamp, so that those outside of the windows need not be opened.
    pub time_folders: Vec<String>,
    /// The column with the time at which a row was written.
    pub created: Option<String>,
    /// The columns that name what a row is about.
    pub entity: Vec<String>,
    /// The reference window; all rows of the reference when `None`.
    pub reference: Option<WindowSpec>,
    /// The current window; all rows of the current side when `None`.
    pub current: Option<WindowSpec>,
    /// With what the current window is compared, the one that decides about the run first.
    pub compare: Vec<Compare>,
    /// The night of the run.
    pub as_of: Option<AsOf>,
    /// The time zone of days, and of timestamps that have none.
    pub timezone: String,
    /// Columns whose values cut the rows into segments.
    pub segment_by: Vec<String>,
    /// At most so many segments are scanned, those with the most rows.
    pub max_segments: usize,
    /// A current window whose newest row is older than its end by more than so many seconds is late.
    pub late_after_seconds: i64,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self {
            timestamp: Vec::new(),
            timestamp_unit: None,
            time_folders: Vec::new(),
            created: None,
            entity: Vec::new(),
            reference: None,
            current: None,
            compare: vec![Compare::Reference],
            as_of: None,
            timezone: "UTC".to_owned(),
            segment_by: Vec::new(),
            max_segments: 50,
            late_after_seconds: 86_400,
        }
    }
}

/// A reference and a current window; `None` is all rows of that side.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    /// What the reference is.
    pub(crate) with: Compare,
    /// The reference window.
    pub(crate) reference: Option<Window>,
    /// The current window.
    pub(crate) current: Option<Window>,
}

impl WindowConfig {
    /// Whether every row is compared, as if there were no windows and segments.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self { as_of: self.as_of, ..Self::default() }
    }

    /// Columns that say when, and about whom, a row is: no features, unless they are asked for by name.
    #[must_use]
    pub fn row_columns(&self) -> Vec<String> {
        self.timestamp.iter().chain(&self.time_folders).chain(&self.created).chain(&self.entity).cloned().collect()
    }

    /// The night that windows are counted from: `as_of`, or now.
    #[must_use]
    pub fn night(&self) -> AsOf {
        self.as_of.unwrap_or_else(AsOf::now)
    }

    /// What is compared with what on the night `as_of`. With `one_source`, both sides are the same data.
    ///
    /// # Errors
    /// When a window is empty, lies in the future, or shares rows with the window that it is compared with.
    pub(crate) fn comparisons(&self, as_of: AsOf, one_source: bool) -> Result<Vec<Comparison>, WindowError> {
        let zone = crate::window::zone(&self.timezone)?;
        let resolve = |spec: &Option<WindowSpec>| -> Result<Option<Window>, WindowError> {
            spec.as_ref().map(|spec| Window::resolve(spec, as_of, &zone)).transpose()
        };
        let (fixed, current) = (resolve(&self.reference)?, resolve(&self.current)?);
        let mut comparisons = Vec::new();
        for &with in &self.compare {
            let reference = match (&current, with) {
                (Some(current), Compare::Previous | Compare::SameWeekday | Compare::LastYear) => {
                    current.compared_with(with)?
                }
                _ => fixed.clone(),
            };
            if let (true, Some(reference), Some(current)) = (one_source, &reference, &current) {
                reference.apart_from(current)?;
            }
            comparisons.push(Comparison { with, reference, current: current.clone() });
        }
        Ok(comparisons)
    }
}

/// What the options say about windows. With `one_source`, both sides are the same data; `profile` stands for the reference.
pub(super) fn resolve(
    options: &mut ScanOptions,
    one_source: bool,
    profile: Option<&Path>,
) -> Result<WindowConfig, ConfigError> {
    let defaults = WindowConfig::default();
    let (reference, current) = (options.reference_window.take(), options.current_window.take());
    let otherwise = match (&reference, one_source) {
        (None, true) => vec![Compare::Previous],
        _ => defaults.compare,
    };
    let mut compare: Vec<Compare> = Vec::new();
    for with in options.compare.take().unwrap_or(otherwise) {
        if !compare.contains(&with) {
            compare.push(with);
        }
    }
    let config = WindowConfig {
        timestamp: Names::joined(options.timestamp.take()).unwrap_or_default(),
        timestamp_unit: options.timestamp_unit,
        time_folders: Names::joined(options.time_folders.take()).unwrap_or_default(),
        created: options.created.take(),
        entity: Names::joined(options.entity.take()).unwrap_or_default(),
        reference,
        current,
        compare,
        as_of: options.as_of,
        timezone: options.timezone.take().unwrap_or(defaults.timezone),
        segment_by: Names::joined(options.segment_by.take()).unwrap_or_default(),
        max_segments: options.max_segments.unwrap_or(defaults.max_segments),
        late_after_seconds: options.late_after.take().map_or(Ok(defaults.late_after_seconds), |text| seconds(&text))?,
    };
    check(&config, one_source)?;
    check_profile(&config, profile)?;
    config.comparisons(config.night(), one_source)?;
    Ok(config)
}

fn check(config: &WindowConfig, one_source: bool) -> Result<(), ConfigError> {
    let missing = |key, value: &str, expected: &str| {
        Err(ConfigError::Value { key, value: value.to_owned(), expected: expected.to_owned() })
    };
    let beside = config.compare.iter().any(|with| *with != Compare::Reference);
    let windows = [("reference_window", &config.reference), ("current_window", &config.current)];
    for (key, window) in windows {
        if let Some(window) = window
            && config.timestamp.is_empty()
        {
            return missing(key, &window.to_string(), "needs a column with the time of a row: --timestamp COLUMN");
        }
    }
    if config.current.is_none() && (one_source || beside) {
        let value = if one_source { "not given" } else { "needed" };
        let expected = "to compare parts of one source, or a window with the one before it, takes a window: \
                        --current-window yesterday (or last-7-days, 2026-11-22, START..END)";
        return missing("current_window", value, expected);
    }
    if one_source && config.reference.is_none() && config.compare.contains(&Compare::Reference) {
        let expected = "one source is compared with a window of itself: --reference-window 2026-01-01..2026-03-31, or \
                        --compare previous";
        return missing("reference_window", "not given", expected);
    }
    if let Some(created) = config.created.as_ref().filter(|_| config.entity.is_empty()) {
        let expected = "the last write of what? name the columns of the entity: --entity COLUMN,...";
        return missing("created", created, expected);
    }
    if let Some(created) = config.created.as_ref().filter(|_| config.timestamp.is_empty()) {
        return missing("created", created, "events are told apart by entity and time: --timestamp COLUMN");
    }
    if config.max_segments == 0 {
        return missing("max_segments", "0", "must be at least 1");
    }
    if config.compare.is_empty() {
        return missing("compare", "empty", "is reference, previous, same-weekday, last-year, or several of them");
    }
    Ok(())
}

/// A profile holds its rows already, and has no times to choose among them.
fn check_profile(config: &WindowConfig, profile: Option<&Path>) -> Result<(), ConfigError> {
    let Some(profile) = profile else { return Ok(()) };
    let asked = [("reference_window", config.reference.is_some()), ("segment_by", !config.segment_by.is_empty())];
    match asked.into_iter().find(|(_, asked)| *asked) {
        Some((key, _)) => Err(ConfigError::Value {
            key,
            value: "given".to_owned(),
            expected: format!("takes rows, and {} is a profile: name data with --reference", profile.display()),
        }),
        None => Ok(()),
    }
}

fn seconds(text: &str) -> Result<i64, ConfigError> {
    let length = text.parse::<SignedDuration>().ok().map(|length| length.as_secs()).filter(|&seconds| seconds > 0);
    length.ok_or_else(|| ConfigError::Value {
        key: "late_after",
        value: text.to_owned(),
        expected: "is a length of time, like 6h, 90min or 36h".to_owned(),
    })
}

impl From<WindowError> for ConfigError {
    fn from(error: WindowError) -> Self {
        Self::Window(error)
    }
}
