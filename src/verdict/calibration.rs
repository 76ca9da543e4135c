//! Limits of PSI that are learned from the reference, for an asked rate of false alarms.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Limits;
use crate::format::{counted, real};
use crate::stats::Gamma;

/// Windows of the reference that it takes to learn from them: of fewer, the spread is not known well enough to say what
/// happens once in some hundred nights.
const FEWEST: usize = 28;

/// Standard errors that estimates are taken higher by.
const ERRORS: f64 = 2.5;

/// The rate of CRITICAL beside that of WARNING.
const RARER: f64 = 10.0;

/// Whether limits are learned, and for how many false alarms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Whether they are.
    pub calibrated: bool,
    /// False alarms a year that a feature may have at WARNING; a tenth of them at CRITICAL.
    pub false_alarms_per_year: f64,
    /// Runs a year.
    pub runs_per_year: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self { calibrated: false, false_alarms_per_year: 0.1, runs_per_year: 365.0 }
    }
}

impl Calibration {
    /// Whether it says nothing that the defaults do not.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The chance of a false alarm in a run.
    fn chance(&self) -> f64 {
        (self.false_alarms_per_year / self.runs_per_year).clamp(1e-12, 0.5)
    }
}

/// What learned limits rest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Basis {
    /// `time` where windows of the reference were looked at, `chance` where the law of windows drawn from it at random is
    /// taken.
    pub split: String,
    /// Windows of the reference that were looked at; none are of chance, whose law is computed.
    pub windows: u64,
    /// The largest PSI of a window of the reference against the rest of it.
    pub largest: Option<f64>,
    /// Whether the limit of WARNING is one of a fitted law; it is the largest window's own PSI else.
    pub fitted: bool,
    /// Why not by time, where it is not.
    pub note: Option<String>,
}

/// The limits of PSI for a rate of false alarms, learned from the reference. `chance` is the law of PSI where the current
/// window is drawn from the reference; `windows` are the PSI of windows of the reference against the rest of it, as they would
/// be with as many values as the current one.
///
/// What the windows vary by beyond chance is taken for one normal effect: the square of a normal variable, times the largest
/// weight that the variance allows, beside the law of chance. Of all weighted sums of squares with that mean and variance
/// this one has the longest tail, so the limit is on the safe side. For the mean and the variance stand their estimates plus
/// 2.5 standard errors, that of the variance by the kurtosis of a gamma distribution, 3 + 6/shape: with 28 windows, features
/// whose days differ by one normal effect then have 0.5 to 0.9 of the asked false alarms, and features whose days differ by
/// chance alone 0.2 of them. The limits are never below those of chance, and those of what happens less than once in so many
/// windows never below the largest of them.
#[must_use]
pub fn learned(calibration: &Calibration, chance: Gamma, windows: &[f64]) -> (Limits, Basis) {
    let p = calibration.chance();
    let limits = |level: &dyn Fn(f64) -> f64| Limits { warning: level(p), critical: level(p / RARER) };
    let by_chance = limits(&|p| chance.level(p));
    let largest = windows.iter().copied().reduce(f64::max);
    if windows.len() < FEWEST {
        let note = match windows.len() {
            0 => None,
            few => {
                let few = counted(few as u64, "window", "windows");
                Some(format!("the reference holds {few} of the current one's length, and it takes {FEWEST}"))
            }
        };
        return (by_chance, Basis { split: "chance".to_owned(), windows: 0, largest: None, fitted: true, note });
    }
    let n = real(windows.len() as u64);
    let mean = windows.iter().sum::<f64>() / n;
    let variance = windows.iter().map(|psi| (psi - mean) * (psi - mean)).sum::<f64>() / (n - 1.0);
    let shape = (mean * mean / variance).max(f64::MIN_POSITIVE);
    let variance_error = variance * libm::sqrt((2.0 + 6.0 / shape) / n);
    let (chance_mean, chance_variance) = (chance.shape * chance.scale, chance.shape * chance.scale * chance.scale);
    let weight = libm::sqrt((variance + ERRORS * variance_error - chance_variance).max(0.0) / 2.0);
    let constant = (mean + ERRORS * libm::sqrt(variance / n) - chance_mean).max(0.0) - weight;
    let by_time = limits(&|p| chance.level_with_square(constant, weight, p));
    let seen = |p: f64| largest.filter(|_| p * n < 1.0).unwrap_or(0.0);
    let highest = |p: f64, limits: [f64; 2]| limits.into_iter().fold(seen(p), f64::max);
    let limits = Limits {
        warning: highest(p, [by_time.warning, by_chance.warning]),
        critical: highest(p / RARER, [by_time.critical, by_chance.critical]),
    };
    let fitted = limits.warning > seen(p);
    (limits, Basis { split: "time".to_owned(), windows: windows.len() as u64, largest, fitted, note: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warning(calibration: Calibration, windows: &[f64]) -> f64 {
        let chance = Gamma { shape: 4.5, scale: 0.004 };
        learned(&calibration, chance, windows).0.warning
    }

    #[test]
    fn fewer_false_alarms_take_a_higher_limit() {
        let rate = |false_alarms_per_year| Calibration { false_alarms_per_year, ..Calibration::default() };
        let windows: Vec<f64> = (0..30_u32).map(|i| 0.01 + 0.001 * f64::from(i)).collect();
        assert!(warning(rate(1.0), &windows) < warning(rate(0.1), &windows));
        let (limits, basis) = learned(&rate(1.0), Gamma { shape: 4.5, scale: 0.004 }, &windows);
        assert!(limits.warning < limits.critical);
        assert_eq!((basis.split.as_str(), basis.windows, basis.largest), ("time", 30, Some(0.01 + 0.001 * 29.0)));
    }

    #[test]
    fn windows_that_vary_take_a_higher_limit_and_few_are_not_believed() {
        let calm = warning(Calibration::default(), &[0.018; 30]);
        let wild: Vec<f64> = (0..30_u32).map(|i| if i % 7 == 0 { 0.4 } else { 0.02 }).collect();
        assert!(warning(Calibration::default(), &wild) > 2.0 * calm);
        let once: Vec<f64> = (0..100_u32).map(|i| if i == 7 { 0.4 } else { 0.018 }).collect();
        let (limits, basis) = learned(&Calibration::default(), Gamma { shape: 4.5, scale: 0.004 }, &once);
        assert!(limits.warning >= 0.4 && basis.fitted == (limits.warning > 0.4), "{limits:?}");
        let (limits, basis) = learned(&Calibration::default(), Gamma { shape: 4.5, scale: 0.004 }, &wild[..5]);
        assert_eq!(limits.warning, warning(Calibration::default(), &[]));
        assert!(basis.note.is_some_and(|note| note.contains("5 windows")));
        assert_eq!(warning(Calibration::default(), &[0.0; 30]), limits.warning, "never below chance");
    }
}
