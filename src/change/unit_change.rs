//! Somebody changed the unit.

use super::fit::{affine, median};
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

/// Scales with another zero: a·x + b.
const SCALES: [(f64, f64, &str); 4] = [
    (1.8, 32.0, "Celsius to Fahrenheit"),
    (1.0 / 1.8, -32.0 / 1.8, "Fahrenheit to Celsius"),
    (1.0, 273.15, "Celsius to kelvin"),
    (1.0, -273.15, "kelvin to Celsius"),
];

/// What a unit may explain less than the factor that fits best.
const LESS: f64 = 0.02;

/// ln of the largest factor that a change of scale may plausibly have, on either side of 1.
const RANGE: f64 = 13.8;

/// The same quantity in another unit: × 1000, × 60, × 1.609, 1.8·x + 32, …. Evidence: the ratios of the quantiles
/// meet a factor between two units within their own spread, and the distributions agree once it is undone.
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
    let (observed, spread) = observed_factor(subject)?;
    let distance = |known: f64| (libm::log(observed / known)).abs();
    let near = |known: f64| distance(known) <= 3.0 * spread + 0.002;
    let (known, what) = FACTORS
        .into_iter()
        .flat_map(|(factor, what)| [(factor, what), (1.0 / factor, what)])
        .filter(|&(known, _)| near(known))
        .min_by(|a, b| distance(a.0).total_cmp(&distance(b.0)))?;
    let found = affine(subject, known, 0.0).filter(|found| found.accepted)?;
    // A unit that explains clearly less than the factor itself is only near it.
    if affine(subject, observed, 0.0).is_some_and(|free| free.explained > found.explained + LESS) {
        return None;
    }
    // The chance that a factor from nowhere lands as near to one of the list.
    let chance = (48.0 * 2.0 * (spread + 0.001) / (2.0 * RANGE)).min(0.8);
    let (times, number) = if known >= 1.0 { ("×", known) } else { ("÷", 1.0 / known) };
    Some(Explanation {
        title: format!("unit change {times} {}", written(number)),
        evidence: format!(
            "every quantile is {} times its reference ({what}); undone, the two differ by {} points at most",
            ratios(subject)?,
            significant(found.worst * 100.0),
        ),
        confidence: 0.99 * found.explained * (1.0 - chance),
        cause: Cause::Pipeline,
    })
}

fn by_scale(subject: &Subject) -> Option<Explanation> {
    let (a, b, what, found) = SCALES
        .into_iter()
        .filter_map(|(a, b, what)| affine(subject, a, b).map(|found| (a, b, what, found)))
        .filter(|(.., found)| found.accepted)
        .min_by(|x, y| x.3.worst.total_cmp(&y.3.worst))?;
    let formula = match (a, b) {
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
