//! What trends are drawn from: the numbers of every feature over the runs, in little memory.

use std::collections::HashMap;

use serde::Serialize;

use crate::history::{History, HistoryError, Numbers, Point, StoredRun};
use crate::verdict::Level;

/// Significant digits of the numbers that are only drawn.
const DIGITS: i32 = 6;
/// Those of statistics: PSI, D, shares, q-values.
const FEW_DIGITS: i32 = 4;

/// The past of one feature: one entry a run that has it.
#[derive(Clone, Debug, Default)]
pub struct Series(Vec<Entry>);

/// The numbers of one run. What has no value is NaN: a year of thousands of features has to fit into memory.
#[derive(Clone, Copy, Debug)]
struct Entry {
    run: u32,
    level: Level,
    rows: u64,
    psi: f64,
    ks: f64,
    q: f64,
    nulls: f64,
    mean: f64,
    quantiles: [f64; 5],
}

/// Of [`crate::history::QUANTILES`], those that are drawn: 0.05, 0.25, 0.5, 0.75, 0.95.
const DRAWN: [usize; 5] = [1, 3, 4, 5, 7];

impl Entry {
    fn of(run: usize, numbers: &Numbers) -> Self {
        let real = |value: Option<f64>| value.unwrap_or(f64::NAN);
        Self {
            run: u32::try_from(run).unwrap_or(u32::MAX),
            level: numbers.level,
            rows: numbers.rows,
            psi: real(numbers.psi),
            ks: real(numbers.ks),
            q: real(numbers.q),
            nulls: numbers.null_share(),
            mean: real(numbers.mean),
            quantiles: DRAWN.map(|index| real(numbers.quantiles[index])),
        }
    }
}

impl Series {
    /// The past of a feature from its points; `runs` says which run stands where.
    #[must_use]
    pub fn of(points: &[Point], runs: &[StoredRun]) -> Self {
        let places: HashMap<&str, usize> =
            runs.iter().enumerate().map(|(place, run)| (run.name.as_str(), place)).collect();
        let entry = |point: &Point| Some(Entry::of(*places.get(point.run.as_str())?, &point.numbers));
        Self(points.iter().filter_map(entry).collect())
    }

    /// Runs up to the latest of `runs` in a row in which the level was above ok.
    #[must_use]
    pub fn nights(&self, runs: usize) -> usize {
        let mut nights = 0;
        for entry in self.0.iter().rev() {
            let follows = entry.run as usize + 1 + nights == runs;
            if entry.level == Level::Ok || !follows {
                break;
            }
            nights += 1;
        }
        nights
    }

    /// Levels as digits, 0 ok to 3 critical, one a run of the latest `most` of `runs`; a space where a run lacks it.
    #[must_use]
    pub fn levels(&self, runs: usize, most: usize) -> String {
        let level = |entry: Option<&Entry>| entry.map_or(' ', |entry| char::from(b'0' + entry.level as u8));
        self.at_runs(runs, most).map(level).collect()
    }

    /// PSI, one value a run of the latest `most` of `runs`.
    #[must_use]
    pub fn psi(&self, runs: usize, most: usize) -> Vec<Option<f64>> {
        self.at_runs(runs, most).map(|entry| rounded(entry?.psi, FEW_DIGITS - 1)).collect()
    }

    fn at_runs(&self, runs: usize, most: usize) -> impl Iterator<Item = Option<&Entry>> {
        let first = runs.saturating_sub(most);
        let mut entries = self.0.iter().skip_while(move |entry| (entry.run as usize) < first).peekable();
        (first..runs).map(move |run| {
            let mut found = None;
            // A run with two features of one name: the later one.
            while let Some(entry) = entries.next_if(|entry| entry.run as usize == run) {
                found = Some(entry);
            }
            found
        })
    }

    /// The numbers as columns, one value a run; those in the feature's own unit in full with `exact`.
    #[must_use]
    pub fn columns(&self, runs: usize, exact: bool) -> SeriesColumns {
        let entries: Vec<Option<&Entry>> = self.at_runs(runs, runs).collect();
        let column = |digits: i32, of: &dyn Fn(&Entry) -> f64| -> Vec<Option<f64>> {
            entries.iter().map(|entry| entry.and_then(|entry| rounded(of(entry), digits))).collect()
        };
        let digits = if exact { 17 } else { DIGITS };
        let quantile = |index: usize| column(digits, &|entry| entry.quantiles[index]);
        SeriesColumns {
            level: self.levels(runs, runs),
            rows: entries.iter().map(|entry| entry.map(|entry| entry.rows)).collect(),
            psi: column(FEW_DIGITS, &|entry| entry.psi),
            ks: column(FEW_DIGITS, &|entry| entry.ks),
            q: column(FEW_DIGITS, &|entry| entry.q),
            nulls: column(FEW_DIGITS, &|entry| entry.nulls),
            mean: column(digits, &|entry| entry.mean),
            q05: quantile(0),
            q25: quantile(1),
            q50: quantile(2),
            q75: quantile(3),
            q95: quantile(4),
        }
    }
}

/// The past of a feature as columns; every one has one value a run, null where there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeriesColumns {
    /// Levels as digits, 0 ok to 3 critical; a space where a run lacks the feature.
    pub level: String,
    /// Rows of the current side.
    pub rows: Vec<Option<u64>>,
    /// Population stability index.
    pub psi: Vec<Option<f64>>,
    /// Kolmogorov–Smirnov D.
    pub ks: Vec<Option<f64>>,
    /// q-value.
    pub q: Vec<Option<f64>>,
    /// Share of the rows that are null.
    pub nulls: Vec<Option<f64>>,
    /// Mean of the current side.
    pub mean: Vec<Option<f64>>,
    /// Its quantile at 0.05.
    pub q05: Vec<Option<f64>>,
    /// At 0.25.
    pub q25: Vec<Option<f64>>,
    /// At 0.5.
    pub q50: Vec<Option<f64>>,
    /// At 0.75.
    pub q75: Vec<Option<f64>>,
    /// At 0.95.
    pub q95: Vec<Option<f64>>,
}

/// `value` to so many significant digits; nothing where it is not finite.
///
/// The digits are an integer that is divided by a power of ten, which gives the nearest double of the short decimal:
/// it prints as that.
pub(super) fn rounded(value: f64, digits: i32) -> Option<f64> {
    if !value.is_finite() {
        return None;
    }
    if value == 0.0 || digits > 15 {
        return Some(value);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a double is small")]
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = digits - 1 - magnitude;
    Some(match decimals {
        0..=22 => (value * 10f64.powi(decimals)).round() / 10f64.powi(decimals),
        -22..0 => (value / 10f64.powi(-decimals)).round() * 10f64.powi(-decimals),
        _ => value,
    })
}

/// The pasts of many features over the runs of a job.
#[derive(Debug)]
pub struct SeriesSet {
    /// The runs, the oldest first.
    pub runs: Vec<StoredRun>,
    features: HashMap<String, Series>,
}

impl SeriesSet {
    /// Reads what each of `runs` says of every feature, one run at a time.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn read(history: &History, runs: Vec<StoredRun>) -> Result<Self, HistoryError> {
        let mut features: HashMap<String, Series> = HashMap::new();
        for (place, run) in runs.iter().enumerate() {
            for (name, numbers) in history.numbers(run)? {
                let entry = Entry::of(place, &numbers);
                match features.get_mut(&name) {
                    Some(series) => series.0.push(entry),
                    None => drop(features.insert(name, Series(vec![entry]))),
                }
            }
        }
        Ok(Self { runs, features })
    }

    /// The past of one feature; empty when no run has it.
    #[must_use]
    pub fn of(&self, feature: &str) -> &Series {
        static NONE: Series = Series(Vec::new());
        self.features.get(feature).unwrap_or(&NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(levels: &[(u32, Level)]) -> Series {
        let entry = |&(run, level): &(u32, Level)| Entry {
            level,
            psi: f64::from(run) / 3.0,
            ..Entry::of(run as usize, &Numbers::default())
        };
        Series(levels.iter().map(entry).collect())
    }

    #[test]
    fn rounded_numbers_print_short_and_stay_close() {
        for value in [0.123_456_78, -987_654_321.0, 1.0e-7 / 3.0, 1e300, 5e-324, 123.0, 2.0 / 3.0] {
            let short = rounded(value, 4).unwrap();
            assert!((short - value).abs() <= value.abs() * 5e-4, "{value} became {short}");
            let digits = format!("{short:e}").split('e').next().unwrap().replace(['.', '-'], "").len();
            assert!(digits <= 4 || !(1e-18..1e25).contains(&value.abs()), "{short} has {digits} digits");
        }
        assert_eq!((rounded(f64::NAN, 4), rounded(0.0, 4)), (None, Some(0.0)));
    }

    #[test]
    fn a_run_without_the_feature_leaves_a_gap() {
        let series = series(&[(0, Level::Ok), (2, Level::Critical), (3, Level::Warning)]);
        assert_eq!((series.levels(5, 5), series.levels(4, 2)), ("0 32 ".to_owned(), "32".to_owned()));
        assert_eq!(series.psi(4, 3), [None, Some(0.667), Some(1.0)]);
        assert_eq!((series.nights(4), series.nights(5)), (2, 0), "absent from the latest run: not open");
    }
}
