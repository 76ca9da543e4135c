//! Features that stand still: the job that writes them did not run.

use super::{Check, Finding, Found, RunSides, Sides};
use crate::change::Subject;
use crate::column::Kind;
use crate::format::{count, counted, ratio, real};
use crate::report::FeatureReport;
use crate::verdict::Level;

/// Name of the check.
pub const FROZEN: &str = "frozen";

/// Below this chance of two equal samples the equality is no accident.
const CHANCE: f64 = 1e-6;
/// Distinct values from which two samples that agree in all of them are no accident.
const MANY: u64 = 50;
/// Share of distinct values, as far as an estimate tells, of a feature in which no value occurs twice.
const KEY: f64 = 0.95;

/// Current holds exactly the values of the reference, each as often, where chance would not give that.
pub(super) struct Frozen;

impl Check for Frozen {
    fn name(&self) -> &'static str {
        FROZEN
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        let values = sides.subject.values(1);
        let message = || format!("all {} values are those of the reference, each exactly as often", count(values));
        is_frozen(sides.subject).then(|| Found::new(message()).at(Level::Warning).with("values", real(values)))
    }

    fn run(&self, sides: &RunSides<'_>) -> Vec<Found> {
        let found = is_everything(sides.frozen, sides.compared).then(|| {
            let features = counted(sides.frozen as u64, "feature holds", "features hold");
            Found::new(format!("current is the reference: {features} the same values, each exactly as often"))
                .at(Level::Warning)
                .with("frozen", real(sides.frozen as u64))
                .with("compared", real(sides.compared as u64))
        });
        found.into_iter().collect()
    }

    fn is_blind(&self, sides: &RunSides<'_>) -> bool {
        sides.compared == 0 || sides.rows[1] == 0
    }
}

/// Whether so many features stand still that the two sides must be the same data.
#[must_use]
pub fn is_everything(frozen: usize, compared: usize) -> bool {
    frozen >= 2 && frozen * 10 >= compared * 9
}

/// Whether the two sides are equal and two independent samples would not be.
#[must_use]
pub fn is_frozen(subject: &Subject) -> bool {
    let same =
        subject.n()[0] == subject.n()[1] && subject.nulls[0] == subject.nulls[1] && subject.nans[0] == subject.nans[1];
    if !same || !subject.has_values() || is_key(subject) {
        return false;
    }
    if let Some(gap) = subject.gap {
        // Many values that nobody shares: two samples agree in hardly any.
        return gap == 0
            && subject.distinct[0].is_some_and(|(distinct, _)| distinct > MANY || by_chance(subject) < CHANCE);
    }
    subject.labels_complete
        && subject.labels.iter().all(|label| label.rows[0] == label.rows[1])
        && by_chance(subject) < CHANCE
}

/// Whether the values number the rows or name the entities, which are the same every night by their nature: none occurs
/// twice, and they are names, or whole numbers.
fn is_key(subject: &Subject) -> bool {
    let once = |(distinct, _): (u64, bool)| ratio(distinct, subject.values(0)) >= KEY;
    let whole = |numbers: &[crate::change::Numbers; 2]| {
        let known = numbers[0].order.into_iter().chain([numbers[0].min, numbers[0].max]);
        known.into_iter().all(|value| value.fract() == 0.0)
    };
    subject.distinct[0].is_some_and(once)
        && match subject.kind {
            Kind::Categorical => true,
            // The times of events are whole numbers of something, and new every night.
            Kind::Temporal => false,
            _ => subject.numbers.as_ref().is_some_and(whole),
        }
}

/// The chance that two samples of the feature agree in all counts.
fn by_chance(subject: &Subject) -> f64 {
    let rows: Vec<u64> = match subject.gap {
        Some(_) => subject.atoms.iter().map(|atom| atom.rows[0]).collect(),
        None => subject.labels.iter().map(|label| label.rows[0]).collect(),
    };
    chance_of_equal(&rows, subject.values(0))
}

/// About the chance that two samples of `n` values of one distribution agree in all of the counts `rows`: a product of
/// normal densities at 0, 1 / √(4 π n p (1 − p)), one for each count but the first.
fn chance_of_equal(rows: &[u64], n: u64) -> f64 {
    let one = |&rows: &u64| {
        let variance = 4.0 * std::f64::consts::PI * real(rows) * (1.0 - ratio(rows, n));
        if variance > 1.0 { 1.0 / variance.sqrt() } else { 1.0 }
    };
    rows.iter().skip(1).map(one).product()
}

/// Whether a feature that moves from night to night would hold by chance what it held the night before: it has few
/// values, or it is a key, which is the same every night by its nature.
#[must_use]
pub fn may_stand_still(feature: &FeatureReport) -> bool {
    let side = &feature.current;
    let values = side.values();
    let Some(distinct) = side.facts.as_ref().and_then(|facts| facts.distinct) else { return true };
    let names = feature.kind == Kind::Categorical || feature.data_type.contains("int");
    if values == 0 || (names && ratio(distinct, values) >= KEY) {
        return true;
    }
    let counts: Vec<u64> = match (&feature.categories, &feature.psi_bins) {
        (Some(categories), _) => categories.top.iter().map(|category| category.current).collect(),
        (None, Some(bins)) => bins.current.clone(),
        (None, None) => Vec::new(),
    };
    !has_many_values(feature) && chance_of_equal(&counts, values) >= CHANCE
}

/// Whether it has so many different values that mean, deviation and quantiles of two samples never agree.
#[must_use]
pub fn has_many_values(feature: &FeatureReport) -> bool {
    let distinct = feature.current.facts.as_ref().and_then(|facts| facts.distinct);
    matches!(feature.kind, Kind::Numeric | Kind::Temporal) && distinct.is_some_and(|distinct| distinct > MANY)
}

/// What is to be said of features that hold what they held in the run before, whose window is `window`, with their values;
/// `compared` move from night to night.
#[must_use]
pub fn still(features: &[(&str, u64)], compared: usize, window: &str) -> Vec<Finding> {
    let frozen = features.len();
    if is_everything(frozen, compared) {
        let held = counted(frozen as u64, "feature holds", "features hold");
        let message =
            format!("current is what the run before saw ({window}): {held} the same values, each exactly as often");
        let numbers = [("frozen", frozen), ("compared", compared)];
        let numbers = numbers.map(|(name, number)| (name.to_owned(), real(number as u64))).into();
        return vec![Finding { check: FROZEN.to_owned(), level: Level::Warning, feature: None, message, numbers }];
    }
    let one = |&(name, values): &(&str, u64)| Finding {
        check: FROZEN.to_owned(),
        level: Level::Warning,
        feature: Some(name.to_owned()),
        message: format!("all {} values are those of the run before ({window}), each exactly as often", count(values)),
        numbers: [("values".to_owned(), real(values))].into(),
    };
    features.iter().map(one).collect()
}
