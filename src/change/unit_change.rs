//! Somebody changed the unit.

use super::fit::{Fit, affine, best_affine, known, median, sampling_error};
use super::text::factor as written;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::significant;

/// Factors between units that people mix up; each stands for its inverse, too.
const FACTORS: [(f64, &str); 24] = [
    (10.0, "power of ten"),
    (100.0, "percent and share, cents"),
    (1e3, "kilo"),
    (1e4, "power of ten"),
    (1e5, "power of ten"),
    (1e6, "mega, micro"),
    (1e9, "giga, nano"),
    (60.0, "minutes and seconds"),
    (3600.0, "hours and seconds"),
    (24.0, "days and hours"),
    (1440.0, "days and minutes"),
    (86_400.0, "days and seconds"),
    (8.64e7, "days and milliseconds"),
    (7.0, "weeks and days"),
    (1024.0, "kibi"),
    (1_048_576.0, "mebi"),
    (8.0, "bytes and bits"),
    (1.609_344, "miles and kilometres"),
    (3.280_839_895, "metres and feet"),
    (2.54, "inches and centimetres"),
    (2.204_622_622, "kilograms and pounds"),
    (3.785_411_784, "gallons and litres"),
    (3.6, "m/s and km/h"),
    (57.295_779_513, "radians and degrees"),
];

/// A scale with another zero: a·x + b.
struct Scale {
    a: f64,
    b: f64,
    what: &'static str,
    /// What such numbers plausibly are before.
    range: [f64; 2],
}

const SCALES: [Scale; 4] = [
    Scale { a: 1.8, b: 32.0, what: "Celsius to Fahrenheit", range: [-90.0, 600.0] },
    Scale { a: 1.0 / 1.8, b: -32.0 / 1.8, what: "Fahrenheit to Celsius", range: [-130.0, 1100.0] },
    Scale { a: 1.0, b: 273.15, what: "Celsius to kelvin", range: [-90.0, 600.0] },
    Scale { a: 1.0, b: -273.15, what: "kelvin to Celsius", range: [180.0, 900.0] },
];

/// What a unit may explain less than the factor that fits best, beside chance.
const LESS: f64 = 0.02;
/// How often a change of scale is one to a given unit, for once that it is none.
const PRIOR: f64 = 0.015;
/// Factors that are no units lie near 1: the mean of |ln factor|.
const NEAR: f64 = 0.7;
/// No factor is known better than this, in ln.
const LEAST_ERROR: f64 = 0.001;

/// The same quantity in another unit: × 1000, × 60, × 1.609, 1.8·x + 32, …. Evidence: the ratios of the quantiles
/// meet a factor between two units within what two samples differ by, and the distributions agree once it is undone.
pub(super) struct UnitChange;

impl Kind for UnitChange {
    fn name(&self) -> &'static str {
        "unit_change"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if subject.ticks_per_day.is_some() {
            return None;
        }
        by_factor(subject).or_else(|| by_scale(subject))
    }
}

fn by_factor(subject: &Subject) -> Option<Explanation> {
    let (_, spread) = observed_factor(subject)?;
    let (observed, free) = best_factor(subject)?;
    let distance = |unit: f64| (libm::log(observed / unit)).abs();
    let (unit, what) = FACTORS
        .into_iter()
        .flat_map(|(factor, what)| [(factor, what), (1.0 / factor, what)])
        .min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))?;
    let error = sampling_error(subject, f64::abs)?.max(spread).max(LEAST_ERROR);
    let elsewhere = libm::exp(-libm::log(observed).abs() / NEAR) / (2.0 * NEAR);
    let sure = known(distance(unit), error, PRIOR, elsewhere);
    let found = affine(subject, unit, 0.0).filter(|found| found.accepted && sure >= 0.5)?;
    // A unit that explains clearly less than the factor itself is only near it.
    if free.explained > found.explained + LESS + 2.0 * subject.standard_error(0.5) {
        return None;
    }
    let (times, number) = if unit >= 1.0 { ("×", unit) } else { ("÷", 1.0 / unit) };
    Some(Explanation {
        title: format!("unit change {times} {}", written(number)),
        evidence: format!(
            "every quantile is {} times its reference ({what}); undone, the two differ by {} points at most",
            ratios(subject)?,
            significant(found.worst * 100.0),
        ),
        // Above a scale by the same factor, which would be its other name.
        confidence: found.explained * (0.86 + 0.13 * (2.0 * sure - 1.0)),
        cause: Cause::Pipeline,
    })
}

fn by_scale(subject: &Subject) -> Option<Explanation> {
    let [reference, _] = subject.numbers.as_ref()?;
    let [least, .., most] = reference.quantiles;
    let (Scale { a, b, what, .. }, found) = SCALES
        .iter()
        .filter(|scale| scale.range[0] <= least && most <= scale.range[1])
        .filter_map(|scale| affine(subject, scale.a, scale.b).map(|found| (scale, found)))
        .filter(|(_, found)| found.accepted)
        .min_by(|x, y| x.1.worst.total_cmp(&y.1.worst))?;
    let formula = match (*a, *b) {
        (1.0, b) => format!("x {} {}", if b < 0.0 { '−' } else { '+' }, b.abs()),
        (a, _) if a > 1.0 => "1.8·x + 32".to_owned(),
        _ => "(x − 32) / 1.8".to_owned(),
    };
    Some(Explanation {
        title: format!("unit change {formula}"),
        evidence: format!(
            "every quantile is {formula} of its reference ({what}); undone, the two differ by {} points at most",
            significant(found.worst * 100.0)
        ),
        confidence: 0.97 * found.explained,
        cause: Cause::Pipeline,
    })
}

/// The factor that fits best, with its fit: the median ratio of the quantiles, or the one of a quantile that knows it
/// better.
pub(super) fn best_factor(subject: &Subject) -> Option<(f64, Fit)> {
    let (median, _) = observed_factor(subject)?;
    let [reference, current] = subject.numbers.as_ref()?;
    let each = reference.quantiles.iter().zip(&current.quantiles).map(|(r, c)| c / r);
    let ways = std::iter::once(median).chain(each.filter(|ratio| *ratio > 0.0)).map(|factor| (factor, 0.0));
    best_affine(subject, ways).map(|((factor, _), found)| (factor, found))
}

/// The factor between the quantiles, and how uncertain its logarithm is.
pub(super) fn observed_factor(subject: &Subject) -> Option<(f64, f64)> {
    let [reference, current] = subject.numbers.as_ref()?;
    let all = reference.quantiles.iter().zip(&current.quantiles);
    let ratios: Vec<f64> = all.filter(|(r, _)| **r != 0.0).map(|(r, c)| c / r).collect();
    let observed = median(ratios.clone()).filter(|factor| *factor > 0.0 && factor.is_finite())?;
    // Most quantiles must have one, and of the sign of the median: zeros stay zeros under any factor.
    if ratios.len() < 3 || ratios.iter().filter(|ratio| **ratio > 0.0).count() * 2 <= ratios.len() {
        return None;
    }
    let off: Vec<f64> =
        ratios.iter().filter(|ratio| **ratio > 0.0).map(|ratio| libm::log(ratio / observed).abs()).collect();
    Some((observed, median(off)? / 2.0))
}

/// The ratios of the quantiles: one number where they agree, else the least and the largest.
fn ratios(subject: &Subject) -> Option<String> {
    let [reference, current] = subject.numbers.as_ref()?;
    let all = reference.quantiles.iter().zip(&current.quantiles).filter(|(r, _)| **r != 0.0).map(|(r, c)| c / r);
    let (low, high) =
        all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
    let [a, b] =
        [low, high].map(|ratio| if (1.0..1e6).contains(&ratio) { format!("{ratio:.1}") } else { significant(ratio) });
    Some(if a == b { a } else { format!("{a} to {b}") })
}
