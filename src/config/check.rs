//! Values out of their range, found before any work starts.

use super::settings::{RATE, is_rate};
use super::{ConfigError, Patterns, ScanConfig};
use crate::verdict::Effect;

/// The first value that cannot be meant.
pub(super) fn check(config: &ScanConfig) -> Result<(), ConfigError> {
    let within = |key, value: f64, ok: bool, expected: &str| {
        if ok {
            Ok(())
        } else {
            Err(ConfigError::Value { key, value: value.to_string(), expected: expected.to_owned() })
        }
    };
    let whole = |key, value: u64, ok: bool, expected: &str| {
        if ok {
            Ok(())
        } else {
            Err(ConfigError::Value { key, value: value.to_string(), expected: expected.to_owned() })
        }
    };
    whole("psi_bins", config.psi_bins as u64, (2..=1000).contains(&config.psi_bins), "must be from 2 to 1000")?;
    let floor = config.psi_floor;
    within("psi_floor", floor, floor > 0.0 && floor < 1.0, "must lie between 0 and 1: PSI has a logarithm of it")?;
    whole("threads", config.threads as u64, (1..=4096).contains(&config.threads), "must be from 1 to 4096")?;
    let memory = config.memory_limit;
    whole("memory_limit", memory, memory >= 1 << 20, "must be at least 1 MiB")?;
    whole(
        "max_categories",
        config.max_categories.unwrap_or(1),
        config.max_categories != Some(0),
        "must be at least 1",
    )?;
    let thresholds = &config.thresholds;
    let calibration = &thresholds.calibration;
    let (rate, runs) = (calibration.false_alarms_per_year, calibration.runs_per_year);
    within("false_alarms_per_year", rate, is_rate(rate), RATE)?;
    within("runs_per_year", runs, (1.0..=100_000.0).contains(&runs), "must be from 1 to 100000")?;
    let share = |key, value: f64| within(key, value, (0.0..=1.0).contains(&value), "must be from 0 to 1");
    share("alpha", thresholds.q)?;
    share("null_info", thresholds.null_share)?;
    share("null_warning", thresholds.null_share_warning.unwrap_or(0.0))?;
    share("null_critical", thresholds.null_share_critical.unwrap_or(0.0))?;
    share("ks_info", thresholds.ks_info)?;
    let keys = [("psi_warning", "psi_critical"), ("ks_warning", "ks_critical"), ("js_warning", "js_critical")];
    for (effect, (warning, critical)) in Effect::ALL.into_iter().zip(keys) {
        let limits = thresholds.limits(effect);
        within(
            warning,
            limits.warning,
            limits.warning >= 0.0 && limits.warning.is_finite(),
            "must be a number from 0",
        )?;
        let ordered = limits.critical >= limits.warning && limits.critical.is_finite();
        within(critical, limits.critical, ordered, "must not be below the limit of a warning")?;
    }
    for (key, patterns) in
        [("features", &config.features), ("exclude", &config.exclude), ("categorical", &config.categorical)]
    {
        if let Some((pattern, error)) = Patterns::invalid(patterns) {
            return Err(ConfigError::Value {
                key,
                value: pattern,
                expected: format!("that is not a pattern: {error}"),
            });
        }
    }
    crate::backend::Asked::of(config).map_err(|expected| {
        let value = config.devices.join(",");
        ConfigError::Value { key: "devices", value, expected }
    })?;
    if config.features.is_empty() {
        let expected = "must name a feature, or be \"all\"".to_owned();
        return Err(ConfigError::Value { key: "features", value: "empty".to_owned(), expected });
    }
    Ok(())
}
