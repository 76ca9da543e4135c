//! Clocks of two time zones.

use super::fit::{affine, known, median, sampling_error};
use super::shift::observed_shift;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// How often a shift by hours is one by a given number of whole hours, or by a given half one, for once that it is none.
const WHOLE: f64 = 0.04;
const HALF: f64 = 0.008;
/// Where shifts by hours lie that are no time zones: habits move by minutes.
const ELSEWHERE: f64 = 0.02;
/// No shift is known better than this, in half hours.
const LEAST_ERROR: f64 = 0.01;
/// Time zones lie from 12 hours behind to 14 hours ahead of UTC.
const HALF_HOURS: f64 = 28.0;

/// Every time moved by whole or half hours: local time for UTC, or summer time. Evidence: the differences of the
/// quantiles meet a multiple of half an hour within what two samples differ by; or days that began at midnight begin at
/// another hour.
pub(super) struct TimeZone;

impl Kind for TimeZone {
    fn name(&self) -> &'static str {
        "time_zone"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let half_hour = subject.ticks_per_day? / 48.0;
        if half_hour < 1.0 {
            return None;
        }
        of_dates(subject, half_hour).or_else(|| of_times(subject, half_hour))
    }
}

fn of_times(subject: &Subject, half_hour: f64) -> Option<Explanation> {
    let [reference, current] = subject.numbers.as_ref()?;
    let observed = observed_shift(subject)?;
    let steps = (observed / half_hour).round();
    if steps == 0.0 || steps.abs() > HALF_HOURS {
        return None;
    }
    let off = reference.quantiles.iter().zip(&current.quantiles).map(|(r, c)| (c - r - observed).abs());
    let spread = median(off.collect())? / 2.0;
    let error = sampling_error(subject, |_| 1.0)?.max(spread).max(LEAST_ERROR * half_hour);
    let prior = if steps % 2.0 == 0.0 { WHOLE } else { HALF };
    let hours = |ticks: f64| ticks / half_hour / 2.0;
    let sure = known(hours(observed - steps * half_hour), hours(error), prior, ELSEWHERE);
    let found = affine(subject, 1.0, steps * half_hour).filter(|found| found.accepted && sure >= 0.5)?;
    Some(explanation(
        steps,
        &format!(
            "every quantile lies {} minutes off; undone, the two differ by {} points at most",
            significant(observed / half_hour * 30.0),
            significant(found.worst * 100.0)
        ),
        // Above a shift by as much, which would be its other name.
        found.explained * (0.87 + 0.1 * (2.0 * sure - 1.0)),
    ))
}

/// Dates stored as timestamps: the reference's lie at midnight and current's all at one other hour.
fn of_dates(subject: &Subject, half_hour: f64) -> Option<Explanation> {
    let day = subject.ticks_per_day?;
    let [reference, current] = subject.numbers.as_ref()?;
    let values = |side: &super::Numbers| side.order.into_iter().chain([side.min, side.max]).collect::<Vec<_>>();
    if !values(reference).iter().all(|value| value.rem_euclid(day) == 0.0) {
        return None;
    }
    let hours: Vec<f64> = values(current).iter().map(|value| value.rem_euclid(day) / half_hour).collect();
    let first = *hours.first()?;
    // Summer time begins within a window: two neighbouring hours are one zone.
    let one_zone = hours.iter().all(|half_hours| (half_hours - first).abs() <= 2.0 && half_hours.fract() == 0.0);
    let steps = if first > 24.0 { first - 48.0 } else { first };
    (first != 0.0 && one_zone)
        .then(|| explanation(steps, "days that began at midnight now all begin at another hour", 0.96))
}

fn explanation(half_hours: f64, evidence: &str, confidence: f64) -> Explanation {
    let sign = if half_hours < 0.0 { '−' } else { '+' };
    let hours = half_hours.abs() / 2.0;
    let unit = if (hours - 1.0).abs() < f64::EPSILON { "hour" } else { "hours" };
    Explanation {
        title: format!("time zone {sign}{hours} {unit}"),
        evidence: evidence.to_owned(),
        confidence,
        cause: Cause::Pipeline,
    }
}
