//! A sample of numbers that is counted by distinct value, walked over and never held: its facts and quantiles, and two of
//! them beside each other.

use std::io;

use super::drift::NumberFacts;
use super::measure::Sum;
use super::scores::{ROWS, ScoreCounts};
use super::tally::Numbers;
use super::values::{ValueCounts, Walk};
use crate::compare::{neighbours, quantile_between};
use crate::format::real;
use crate::metric::{Comparison, Table};

/// Bins of PSI and Jensen–Shannon, as in the feature scan.
const BINS: u32 = 10;
/// Scores of a class from here on are confident.
const CONFIDENT: f64 = 0.9;

/// Rows by value.
#[derive(Clone, Copy)]
pub(super) enum Sample<'t> {
    /// Scores of a class.
    Scores(&'t ScoreCounts),
    /// A column of numbers.
    Numbers(&'t ValueCounts<1>),
}

/// A walk over the distinct values of a sample, ascending.
enum Values<'t> {
    Scores(Walk<'t, 5>),
    Numbers(Walk<'t, 1>),
}

impl Values<'_> {
    /// The next value that rows have, and how many.
    fn next(&mut self) -> io::Result<Option<(f64, u64)>> {
        loop {
            let found = match self {
                Self::Scores(walk) => walk.next()?.map(|(value, counts)| (value, counts[ROWS])),
                Self::Numbers(walk) => walk.next()?.map(|(value, [rows])| (value, rows)),
            };
            match found {
                Some((_, 0)) => {}
                found => return Ok(found),
            }
        }
    }
}

impl<'t> Sample<'t> {
    pub(super) fn of(numbers: &'t Numbers) -> Self {
        Self::Numbers(&numbers.values)
    }

    /// Rows with a value.
    pub(super) fn rows(self) -> u64 {
        match self {
            Self::Scores(counts) => counts.totals()[ROWS],
            Self::Numbers(counts) => counts.totals()[0],
        }
    }

    fn values(self) -> io::Result<Values<'t>> {
        Ok(match self {
            Self::Scores(counts) => Values::Scores(counts.walker()?),
            Self::Numbers(counts) => Values::Numbers(counts.walker()?),
        })
    }

    /// Visits every value with its rows, ascending.
    pub(super) fn walk(self, mut visit: impl FnMut(f64, u64)) -> io::Result<()> {
        let mut values = self.values()?;
        while let Some((value, rows)) = values.next()? {
            visit(value, rows);
        }
        Ok(())
    }

    /// The quantiles at ascending `levels` (linear, as NumPy): one walk; none without rows.
    pub(super) fn quantiles(self, levels: &[f64]) -> io::Result<Vec<f64>> {
        let n = self.rows();
        if n == 0 {
            return Ok(Vec::new());
        }
        let ranks: Vec<u64> = levels.iter().flat_map(|&level| neighbours(level, n)).collect();
        let (mut found, mut below) = (Vec::with_capacity(ranks.len()), 0);
        self.walk(|value, rows| {
            below += rows;
            while ranks.get(found.len()).is_some_and(|&rank| rank < below) {
                found.push(value);
            }
        })?;
        found.resize(ranks.len(), f64::NAN);
        let pairs = found.as_chunks::<2>().0.iter().zip(levels);
        Ok(pairs.map(|(&[below, above], &level)| quantile_between(level, n, below, above)).collect())
    }

    /// What the sample looks like, beside its nulls and NaNs.
    pub(super) fn facts(self, nulls: u64, nans: u64) -> io::Result<NumberFacts> {
        let n = self.rows();
        let [mut infinite, mut outside, mut zeros, mut ones, mut confident] = [0; 5];
        let [mut total, mut sure_total] = [Sum::default(); 2];
        let sure = |value: f64| value.max(1.0 - value);
        self.walk(|value, rows| {
            let count = |of: bool| if of { rows } else { 0 };
            infinite += count(value.is_infinite());
            outside += count(!(0.0..=1.0).contains(&value));
            zeros += count(value == 0.0);
            ones += count(value == 1.0);
            confident += count(sure(value) >= CONFIDENT);
            if value.is_finite() {
                total.add(real(rows) * value);
                sure_total.add(real(rows) * sure(value));
            }
        })?;
        let finite = n - infinite;
        let some = |value: f64| Some(value).filter(|value| value.is_finite());
        let mean = if finite > 0 { some(total.value() / real(finite)) } else { None };
        let mut spread = Sum::default();
        if let Some(mean) = mean {
            self.walk(|value, rows| {
                if value.is_finite() {
                    spread.add(real(rows) * ((value - mean) * (value - mean)));
                }
            })?;
        }
        let spread = mean.map(|_| spread.value()).filter(|_| finite > 1);
        let probabilities = n > 0 && outside == 0;
        let quantiles = if infinite == 0 { self.quantiles(&[0.05, 0.5, 0.95])? } else { Vec::new() };
        Ok(NumberFacts {
            values: n,
            nulls,
            nans,
            infinite,
            zeros,
            ones,
            outside,
            mean,
            std: spread.and_then(|spread| some(libm::sqrt(spread / real(finite - 1)))),
            quantiles: quantiles.try_into().ok(),
            confidence: probabilities.then(|| sure_total.value() / real(n)),
            confident: probabilities.then(|| real(confident) / real(n)),
        })
    }

    /// The percentiles that bins of PSI end at.
    pub(super) fn edges(self) -> io::Result<Vec<f64>> {
        let levels: Vec<f64> = (1..BINS).map(|at| f64::from(at) / f64::from(BINS)).collect();
        self.quantiles(&levels)
    }

    /// Visits every value of two samples, ascending, with the rows that each has of it.
    pub(super) fn walk_both(self, other: Self, mut visit: impl FnMut(f64, [u64; 2])) -> io::Result<()> {
        let (mut left, mut right) = (self.values()?, other.values()?);
        let (mut a, mut b) = (left.next()?, right.next()?);
        while let Some(value) = match (a, b) {
            (Some((a, _)), Some((b, _))) => Some(a.min(b)),
            (one, other) => one.or(other).map(|(value, _)| value),
        } {
            let mut rows = [0; 2];
            // Keys make one of −0 and 0, so that equal values are equal numbers.
            if let Some((_, count)) = a.filter(|(at, _)| *at <= value) {
                (rows[0], a) = (count, left.next()?);
            }
            if let Some((_, count)) = b.filter(|(at, _)| *at <= value) {
                (rows[1], b) = (count, right.next()?);
            }
            visit(value, rows);
        }
        Ok(())
    }

    /// Compares with a sample as the feature scan does, in bins that end at `edges`.
    pub(super) fn compare(self, current: Self, edges: &[f64], infinite: [u64; 2]) -> io::Result<Comparison> {
        let sizes = [self.rows(), current.rows()];
        let [n, m] = sizes.map(u128::from);
        let mut bins = [vec![0_u64; edges.len() + 1], vec![0_u64; edges.len() + 1]];
        let (mut below, mut gap) = ([0_u128; 2], 0);
        self.walk_both(current, |value, rows| {
            let bin = edges.partition_point(|edge| *edge <= value);
            for side in 0..2 {
                bins[side][bin] += rows[side];
                below[side] += u128::from(rows[side]);
            }
            gap = gap.max((below[0] * m).abs_diff(below[1] * n));
        })?;
        Ok(Comparison {
            n: sizes,
            gap: Some(gap),
            table: Some(Table::of_bins(&bins[0], &bins[1])),
            infinite,
            ..Comparison::default()
        })
    }
}
