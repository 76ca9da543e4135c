//! Decimals got lost.

use super::fit::fit;
use super::{Cause, Explanation, Kind, Numbers, Subject};
use crate::format::{count, counted};

/// Grids that are looked for: 10^6 down to 10^-9.
const DECIMALS: std::ops::RangeInclusive<i32> = -6..=9;
/// Values of the reference that must lie off current's grid.
const OFF_GRID: usize = 4;

/// Values have fewer decimals than before, or are whole numbers. Evidence: all order statistics of current lie on a
/// grid that those of the reference do not lie on, and there are at most half as many distinct values.
pub(super) struct Rounding;

impl Kind for Rounding {
    fn name(&self) -> &'static str {
        "rounding"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let rounded = rounded(subject)?;
        let reference = subject.ecdf(0)?;
        let half = libm::exp10(-f64::from(rounded.after)) / 2.0;
        let found = fit(subject, |x| (reference.interval(x - 2.0 * half).0, reference.interval(x + 2.0 * half).1))?;
        let title = match rounded.after {
            0 => "rounded to whole numbers".to_owned(),
            after @ 1.. => format!("rounded to {}", counted(after.unsigned_abs().into(), "decimal", "decimals")),
            after => format!("rounded to multiples of {}", libm::exp10(-f64::from(after))),
        };
        let [before, after] = rounded.distinct;
        Some(Explanation {
            title,
            evidence: format!(
                "distinct values fell from {} to {}, and every quantile, the smallest and the largest value have {}",
                count(before),
                count(after),
                match rounded.before {
                    Some(decimals) => format!("fewer decimals than the {decimals} of the reference"),
                    None => "fewer decimals than in the reference".to_owned(),
                }
            ),
            confidence: if found.accepted { 0.96 } else { 0.3 },
            cause: Cause::Pipeline,
        })
    }
}

/// Decimals before (if there is a grid at all) and after, and distinct values of both sides.
pub(super) struct Rounded {
    before: Option<i32>,
    after: i32,
    distinct: [u64; 2],
}

/// The grid that current fell onto.
pub(super) fn rounded(subject: &Subject) -> Option<Rounded> {
    if subject.ticks_per_day.is_some() || subject.values(1) < 20 {
        return None;
    }
    let [reference, current] = subject.numbers.as_ref()?;
    let distinct = [subject.distinct[0]?.0, subject.distinct[1]?.0];
    let after = coarsest(current)?;
    let off = distinct_values(reference).iter().filter(|value| !on_grid(**value, after)).count();
    // Fewer rows have fewer distinct values by themselves.
    let fewer = distinct[1].saturating_mul(2) <= distinct[0].min(subject.values(1));
    (off >= OFF_GRID && fewer && distinct[1] >= 3).then(|| Rounded { before: coarsest(reference), after, distinct })
}

/// The decimals that current's values have left, where the reference's have more.
#[must_use]
pub fn lost_decimals(subject: &Subject) -> Option<i32> {
    rounded(subject).map(|rounded| rounded.after)
}

/// The fewest decimals that all known values of a side have.
fn coarsest(side: &Numbers) -> Option<i32> {
    let values = distinct_values(side);
    (values.len() >= 3)
        .then(|| DECIMALS.into_iter().find(|&decimals| values.iter().all(|value| on_grid(*value, decimals))))?
}

fn distinct_values(side: &Numbers) -> Vec<f64> {
    let mut values: Vec<f64> =
        side.order.into_iter().chain([side.min, side.max]).filter(|value| *value != 0.0).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

/// Whether `value` has at most so many decimals, as far as a 32-bit float can tell.
fn on_grid(value: f64, decimals: i32) -> bool {
    let steps = value * libm::exp10(f64::from(decimals));
    // A float of 32 bits beyond 2^21 or so has no digits left to tell.
    steps.abs() < 2e6 && (steps - steps.round()).abs() <= 1e-7 * steps.abs().max(1.0)
}
