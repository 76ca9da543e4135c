//! Does an explanation fit? What current would be had it happened to the reference, held against what current is.
//!
//! An explanation predicts, for any value x, the share of current's values up to x from the reference's distribution.
//! It is asked at current's nine quantiles, where the true share is known. The largest error says how well it fits;
//! errors within five standard errors of two samples (and half a percentage point for the interpolation, two where values
//! repeat) are no errors. All of it is in probabilities, so units, outliers and tails do not matter.

use super::Subject;
use crate::compare::QUANTILES;

/// Standard errors that a quantile may be off.
const STANDARD_ERRORS: f64 = 5.0;
/// What interpolation between quantiles may add.
const SLACK: f64 = 0.005;
/// The same where values repeat: those that fewer than one in fifty rows have are not known one by one.
const SLACK_REPEATED: f64 = 0.02;
/// Up to so many distinct values they repeat.
const REPEATED: u64 = 1000;

/// A distribution function, known at some points and taken as straight in between.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ecdf {
    /// Level and value, ascending.
    points: Vec<(f64, f64)>,
}

impl Ecdf {
    pub(super) fn new(points: impl Iterator<Item = (f64, f64)>) -> Self {
        let mut points: Vec<_> = points.filter(|(_, value)| value.is_finite()).collect();
        points.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.total_cmp(&b.0)));
        Self { points }
    }

    /// The shares of values below and up to `x`: equal for a continuous distribution, apart at a frequent value.
    pub(super) fn interval(&self, x: f64) -> (f64, f64) {
        let close = 1e-9 * x.abs();
        let from = self.points.partition_point(|point| point.1 < x - close);
        let to = self.points.partition_point(|point| point.1 <= x + close);
        let left = from.checked_sub(1).map(|at| self.points[at]);
        let right = self.points.get(to).copied();
        match (left, right) {
            (None, _) if from == to => (0.0, 0.0),
            (_, None) if from == to => (1.0, 1.0),
            _ if from < to => (self.points[from].0, self.points[to - 1].0),
            (Some((p, a)), Some((q, b))) => {
                let level = p + (q - p) * (x - a) / (b - a);
                (level, level)
            }
            _ => (0.0, 1.0),
        }
    }

    /// The value at a level, the middle one where many have it.
    pub(super) fn value(&self, level: f64) -> Option<f64> {
        let at = self.points.partition_point(|point| point.0 < level);
        let right = self.points.get(at).copied()?;
        let left = at.checked_sub(1).map_or(right, |before| self.points[before]);
        let width = right.0 - left.0;
        Some(if width > 0.0 { left.1 + (right.1 - left.1) * (level - left.0) / width } else { right.1 })
    }

    /// The level at `x` in one number.
    pub(super) fn level(&self, x: f64) -> f64 {
        let (low, high) = self.interval(x);
        f64::midpoint(low, high)
    }
}

/// How well an explanation fits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fit {
    /// Largest error of a share at current's quantiles.
    pub(super) worst: f64,
    /// Whether every error is within what two samples of one distribution show.
    pub(super) accepted: bool,
    /// The share of the difference between the two sides that the explanation explains.
    pub(super) explained: f64,
}

/// What interpolation may add to an error.
pub(super) fn slack(subject: &Subject) -> f64 {
    let repeated = subject.distinct[0].is_some_and(|(distinct, _)| distinct <= REPEATED);
    if repeated { SLACK_REPEATED } else { SLACK }
}

/// Holds the prediction `shares(x)` (below, up to) against current's quantiles.
pub(super) fn fit(subject: &Subject, shares: impl Fn(f64) -> (f64, f64)) -> Option<Fit> {
    let [_, current] = subject.numbers.as_ref()?;
    let reference = subject.ecdf(0)?;
    let slack = slack(subject);
    let error = |p: f64, (low, high): (f64, f64)| (low - p).max(p - high).max(0.0);
    let (mut worst, mut before, mut accepted) = (0.0_f64, 0.0_f64, true);
    for (p, x) in QUANTILES.into_iter().zip(current.quantiles) {
        let off = error(p, shares(x));
        worst = worst.max(off);
        before = before.max(error(p, reference.interval(x)));
        accepted &= off <= STANDARD_ERRORS * subject.standard_error(p) + slack;
    }
    let explained = if before > 0.0 { (1.0 - worst / before).max(0.0) } else { 0.0 };
    Some(Fit { worst, accepted, explained })
}

/// The fit of "nothing happened": accepted when current is distributed as the reference.
pub(super) fn unchanged(subject: &Subject) -> Option<Fit> {
    let reference = subject.ecdf(0)?;
    fit(subject, |x| reference.interval(x))
}

/// The fit of "every value x became a·x + b", a ≠ 0.
pub(super) fn affine(subject: &Subject, a: f64, b: f64) -> Option<Fit> {
    let reference = subject.ecdf(0)?;
    fit(subject, |x| {
        let (low, high) = reference.interval((x - b) / a);
        if a > 0.0 { (low, high) } else { (1.0 - high, 1.0 - low) }
    })
}

/// Of several ways in which every value x can have become a·x + b the one that fits best.
pub(super) fn best_affine(subject: &Subject, ways: impl Iterator<Item = (f64, f64)>) -> Option<((f64, f64), Fit)> {
    ways.filter(|(a, b)| a.is_finite() && b.is_finite() && *a != 0.0)
        .filter_map(|(a, b)| affine(subject, a, b).map(|found| ((a, b), found)))
        .min_by(|x, y| x.1.worst.total_cmp(&y.1.worst))
}

/// About how far the quantiles of two samples of one distribution lie apart: the median over the quantiles, each
/// distance through `scale` of the value there.
pub(super) fn sampling_error(subject: &Subject, scale: impl Fn(f64) -> f64) -> Option<f64> {
    let [reference, _] = subject.numbers.as_ref()?;
    let ecdf = subject.ecdf(0)?;
    let at = |(p, x): (f64, f64)| {
        let error = subject.standard_error(p);
        let (low, high) = (ecdf.value((p - error).max(0.0))?, ecdf.value((p + error).min(1.0))?);
        Some((high - low) / 2.0 / scale(x)).filter(|error| error.is_finite())
    };
    median(QUANTILES.into_iter().zip(reference.quantiles).filter_map(at).collect())
}

/// The chance that an observed number is a known one, `off` away from it: it would be met with the error `error`, and
/// a number from nowhere lies near it with the density `elsewhere`, in odds of one to `prior`.
pub(super) fn known(off: f64, error: f64, prior: f64, elsewhere: f64) -> f64 {
    let met = libm::exp(-off * off / (2.0 * error * error)) / (error * (2.0 * std::f64::consts::PI).sqrt());
    let odds = prior * met / elsewhere;
    odds / (1.0 + odds)
}

/// The median of some numbers.
pub(super) fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() {
        0 => None,
        n if n.is_multiple_of(2) => Some(f64::midpoint(numbers[half - 1], numbers[half])),
        _ => Some(numbers[half]),
    }
}
