//! How many rows came.

use super::{Card, Check, Found, RunSides, Sides};
use crate::format::{self, real};
use crate::verdict::Level;
use serde::{Deserialize, Serialize};

/// Median absolute deviations, as standard deviations, that a number of rows may be off.
const DEVIATIONS: f64 = 5.0;
/// A factor within which a number of rows is never remarkable.
const FACTOR: f64 = 1.5;
/// Past runs that it takes to know what is usual.
const FEWEST: usize = 7;

/// Rows of current against past runs. Against a reference of another length of time a number says nothing.
pub(super) struct Rows;

impl Check for Rows {
    fn card(&self) -> &'static Card {
        &Card {
            name: "rows",
            about: "no rows at all, or far fewer or more than in past runs",
            declared: Level::Warning,
            observed: Level::Warning,
        }
    }

    fn feature(&self, _: &Sides<'_>) -> Vec<Found> {
        Vec::new()
    }
}

/// The number of rows that past runs had.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Usual {
    /// Their median.
    pub median: f64,
    /// Their standard deviation, as 1.4826 median absolute deviations: one bad night does not widen it.
    pub deviation: f64,
}

impl Usual {
    /// What is usual by the rows of past runs; nothing before there are seven.
    #[must_use]
    pub fn of(past: &[u64]) -> Option<Self> {
        if past.len() < FEWEST {
            return None;
        }
        let median = median(past.iter().map(|&rows| real(rows)).collect());
        let deviation = 1.4826 * self::median(past.iter().map(|&rows| (real(rows) - median).abs()).collect());
        Some(Self { median, deviation })
    }

    /// Whether a night with so many rows is out of the ordinary: five deviations off, and by more than half.
    #[must_use]
    pub fn is_odd(&self, rows: u64) -> bool {
        let rows = real(rows);
        let far = (rows - self.median).abs() > DEVIATIONS * self.deviation;
        far && (rows * FACTOR < self.median || rows > self.median * FACTOR)
    }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    if numbers.len().is_multiple_of(2) { f64::midpoint(numbers[half - 1], numbers[half]) } else { numbers[half] }
}

/// The findings about the number of rows.
pub(super) fn count(sides: &RunSides<'_>) -> Option<Found> {
    let [before, now] = sides.rows;
    if now == 0 && before > 0 {
        return Some(Found::observed("the current side has no rows".to_owned()).with("rows", 0.0));
    }
    let usual = sides.usual_rows.filter(|usual| usual.is_odd(now))?;
    Some(
        Found::observed(format!("{} rows, where past runs have {} (median)", format::count(now), usual.median.round()))
            .with("rows", real(now))
            .with("usual_rows", usual.median),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_night_does_not_change_what_is_usual() {
        let usual = Usual::of(&[1000, 1010, 990, 1005, 995, 0, 1002, 998]).unwrap();
        assert!(!usual.is_odd(1020) && !usual.is_odd(700));
        assert!(usual.is_odd(0) && usual.is_odd(600) && usual.is_odd(2000));
        assert_eq!(Usual::of(&[1000; 6]), None, "too few runs to know");
        let steady = Usual::of(&[1000; 9]).unwrap();
        assert!(!steady.is_odd(1001), "a steady past does not make one row an alarm");
    }
}
