//! Data quality and schema: one file a check, one line in [`CHECKS`].
//!
//! A check holds one feature, or the whole run, against what was declared about it or against the reference, and makes a
//! [`Finding`]. Declared rules speak up at WARNING; what nobody asked for is INFO at most, and needs evidence that chance
//! does not give. Every check has a level of its own in the configuration; `ok` turns it off.

mod constant;
mod domain;
mod duplicates;
mod frozen;
mod nulls;
mod outliers;
mod precision;
mod range;
pub mod rows;
mod schema;
mod unique;

use crate::change::Subject;
use crate::verdict::Level;
pub use frozen::is_everything;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the check.
    pub check: String,
    /// How much attention it asks for.
    pub level: Level,
    /// The feature; absent for findings about the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// What was found, as a sentence.
    pub message: String,
    /// The numbers in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
}

/// What a check says before it has a level: the message and its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    message: String,
    numbers: BTreeMap<String, f64>,
    /// Whether a declared rule was broken, rather than the reference contradicted.
    declared: bool,
}

impl Found {
    fn declared(message: String) -> Self {
        Self { message, numbers: BTreeMap::new(), declared: true }
    }

    fn observed(message: String) -> Self {
        Self { message, numbers: BTreeMap::new(), declared: false }
    }

    fn with(mut self, name: &str, number: f64) -> Self {
        if number.is_finite() {
            self.numbers.insert(name.to_owned(), number);
        }
        self
    }
}

/// What was declared about a feature.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expectations {
    /// Least and largest value that is allowed; infinite where nothing was declared.
    pub range: Option<[f64; 2]>,
    /// `range` as two numbers to count below: the least value, and the next one after the largest.
    limits: Vec<f64>,
    /// The only values that are allowed.
    pub allowed: Option<Vec<String>>,
    /// Largest share of nulls that is allowed.
    pub max_null_share: Option<f64>,
    /// Whether no value may occur twice.
    pub unique: bool,
    /// Whether more than one value must occur.
    pub not_constant: bool,
}

impl Expectations {
    /// Declares a range of values; `None` leaves an end open.
    #[must_use]
    pub fn within(mut self, min: Option<f64>, max: Option<f64>) -> Self {
        if min.is_some() || max.is_some() {
            let [min, max] = [min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY)];
            self.limits = vec![min, max.next_up()];
            self.range = Some([min, max]);
        }
        self
    }

    /// Numbers below which the values of the feature are counted.
    #[must_use]
    pub fn limits(&self) -> &[f64] {
        &self.limits
    }
}

/// What the checks of a feature look at; index 0 is the reference, 1 is current.
#[derive(Clone, Debug)]
pub struct Sides<'s> {
    /// The counts of the feature.
    pub subject: &'s Subject,
    /// What was declared about it.
    pub expected: &'s Expectations,
    /// Values below the declared limits.
    pub limits: &'s [[u64; 2]],
    /// Distinct values counted exactly, where they were declared unique, or are categories.
    pub distinct: Option<[u64; 2]>,
    /// Values beyond three interquartile ranges of the reference's quartiles.
    pub outliers: Option<[u64; 2]>,
}

/// What stands on a check's card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its name in the report and the configuration.
    pub name: &'static str,
    /// What it checks, in a sentence.
    pub about: &'static str,
    /// Level of a declared rule that was broken.
    pub declared: Level,
    /// Level of a contradiction to the reference; `ok` is off.
    pub observed: Level,
}

/// Somebody who checks single features.
pub trait Check: Sync {
    /// Its card.
    fn card(&self) -> &'static Card;

    /// What is wrong with the feature. Checks of the whole run find nothing here.
    fn feature(&self, sides: &Sides<'_>) -> Vec<Found>;
}

/// Every check, in the order of the report.
pub static CHECKS: &[&dyn Check] = &[
    &schema::Schema,
    &rows::Rows,
    &nulls::Nulls,
    &unique::Unique,
    &duplicates::Duplicates,
    &constant::Constant,
    &frozen::Frozen,
    &range::Range,
    &domain::Domain,
    &outliers::Outliers,
    &precision::Precision,
];

/// The levels of the checks that were configured; the others have those of their cards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CheckLevels(pub BTreeMap<String, Level>);

impl CheckLevels {
    /// The level of a finding.
    fn of(&self, card: &Card, declared: bool) -> Level {
        let default = if declared { card.declared } else { card.observed };
        self.0.get(card.name).copied().unwrap_or(default)
    }

    fn finding(&self, card: &Card, feature: Option<&str>, found: Found) -> Option<Finding> {
        let level = self.of(card, found.declared);
        (level > Level::Ok).then(|| Finding {
            check: card.name.to_owned(),
            level,
            feature: feature.map(str::to_owned),
            message: found.message,
            numbers: found.numbers,
        })
    }
}

/// Everything that is wrong with a feature.
#[must_use]
pub fn of_feature(sides: &Sides<'_>, levels: &CheckLevels) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS {
        let found = check.feature(sides).into_iter();
        findings.extend(found.filter_map(|found| levels.finding(check.card(), Some(&sides.subject.name), found)));
    }
    findings
}

/// What the checks of the whole run look at.
#[derive(Clone, Debug, Default)]
pub struct RunSides<'r> {
    /// Rows of both sides.
    pub rows: [u64; 2],
    /// Rows of current that are to be expected, from past runs.
    pub usual_rows: Option<rows::Usual>,
    /// Features that only the reference has, and those that only current has.
    pub one_sided: [Vec<&'r str>; 2],
    /// Features whose types cannot be compared any more.
    pub incomparable: Vec<&'r str>,
    /// Features that were compared, and how many of them are frozen.
    pub compared: usize,
    /// See `compared`.
    pub frozen: usize,
}

/// Everything that is wrong with the whole run.
#[must_use]
pub fn of_run(sides: &RunSides<'_>, levels: &CheckLevels) -> Vec<Finding> {
    let schema = schema::changes(sides).into_iter().map(|found| (check_card(&schema::Schema), found));
    let rows = rows::count(sides).into_iter().map(|found| (check_card(&rows::Rows), found));
    let frozen = frozen::everything(sides).into_iter().map(|found| (check_card(&frozen::Frozen), found));
    schema.chain(rows).chain(frozen).filter_map(|(card, found)| levels.finding(card, None, found)).collect()
}

fn check_card(check: &dyn Check) -> &'static Card {
    check.card()
}

#[cfg(test)]
mod tests;
