//! Data quality and schema: one file a check, one line in [`CHECKS`].
//!
//! A check holds one feature, or the whole run, against the reference or against what is declared of it, and makes a
//! [`Finding`] with a level. What is held against the reference is a remark about a feature that needs evidence that
//! chance does not give, and leaves the level of the feature alone; what breaks a declared rule is the level of its
//! feature. What is wrong with the whole run counts for the gate.

mod declared;
mod duplicates;
mod entities;
mod freshness;
mod frozen;
mod limit;
mod outliers;
mod precision;
mod range;
mod rows;
mod schema;
mod unique;
mod volume;

use crate::change::Subject;
use crate::report::FreshnessReport;
use crate::verdict::Level;
pub use declared::{Allowed, Declared, Names, Strangers, Violations, whole_text};
pub use frozen::{FROZEN, has_many_values, is_everything, is_frozen, may_stand_still, still};
pub use limit::Limit;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
pub use volume::{NIGHTS, VOLUME, Volume, volume};

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the check.
    pub check: String,
    /// How much attention it asks for.
    #[serde(default = "info")]
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

/// The level of findings that were kept before they had one.
fn info() -> Level {
    Level::Info
}

/// What a check says: the message and its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    level: Level,
    message: String,
    numbers: BTreeMap<String, f64>,
}

impl Found {
    /// A remark.
    fn new(message: String) -> Self {
        Self { level: Level::Info, message, numbers: BTreeMap::new() }
    }

    fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }

    fn with(mut self, name: &str, number: f64) -> Self {
        self.numbers.insert(name.to_owned(), number);
        self
    }
}

/// What the checks of a feature look at; index 0 is the reference, 1 is current.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'s> {
    /// The counts of the feature.
    pub subject: &'s Subject,
    /// Values beyond three interquartile ranges of the reference's quartiles.
    pub outliers: Option<[u64; 2]>,
    /// Values of current below the smallest, or above the largest, of the reference.
    pub beyond: Option<u64>,
    /// What is declared of it.
    pub declared: Option<&'s Declared>,
    /// The rows that break it.
    pub violations: &'s Violations,
}

/// What the checks of the whole run look at.
#[derive(Clone, Debug, Default)]
pub struct RunSides<'r> {
    /// Rows of both sides.
    pub rows: [u64; 2],
    /// Features that only the reference has, and those that only current has.
    pub one_sided: [Vec<&'r str>; 2],
    /// Features whose types cannot be compared any more.
    pub incomparable: Vec<&'r str>,
    /// Features that were compared.
    pub compared: usize,
    /// How many of them are frozen.
    pub frozen: usize,
    /// Rows of current that repeat the entity and time of another one.
    pub repeats: u64,
    /// Whether the current window has its data.
    pub freshness: Option<&'r FreshnessReport>,
}

/// Somebody who checks single features, or the whole run.
pub trait Check: Sync {
    /// Its name in the report.
    fn name(&self) -> &'static str;

    /// What is wrong with the feature.
    fn feature(&self, _: &Sides<'_>) -> Option<Found> {
        None
    }

    /// What is wrong with the whole run.
    fn run(&self, _: &RunSides<'_>) -> Vec<Found> {
        Vec::new()
    }

    /// Whether it can tell nothing about the whole run, so that finding nothing says nothing.
    fn is_blind(&self, _: &RunSides<'_>) -> bool {
        false
    }
}

/// Every check, in the order of the report.
pub static CHECKS: &[&dyn Check] = &[
    &schema::Schema,
    &rows::Rows,
    &freshness::Freshness,
    &freshness::Partitions,
    &entities::Entities,
    &declared::Range,
    &declared::Domain,
    &declared::Pattern,
    &declared::Nulls,
    &declared::Unique,
    &unique::Unique,
    &duplicates::Duplicates,
    &frozen::Frozen,
    &outliers::Outliers,
    &range::Range,
    &precision::Precision,
];

/// Everything that is wrong with a feature.
#[must_use]
pub fn of_feature(sides: &Sides<'_>) -> Vec<Finding> {
    let found = |check: &&dyn Check| Some(finding(*check, Some(&sides.subject.name), check.feature(sides)?));
    CHECKS.iter().filter_map(found).collect()
}

/// Everything that is wrong with the whole run.
#[must_use]
pub fn of_run(sides: &RunSides<'_>) -> Vec<Finding> {
    CHECKS.iter().flat_map(|check| check.run(sides).into_iter().map(|found| finding(*check, None, found))).collect()
}

/// The checks that could tell nothing about the whole run.
#[must_use]
pub fn blind(sides: &RunSides<'_>) -> Vec<String> {
    CHECKS.iter().filter(|check| check.is_blind(sides)).map(|check| check.name().to_owned()).collect()
}

/// Whether the finding is the level of its feature, too: it broke what is declared.
#[must_use]
pub fn raises(finding: &Finding) -> bool {
    finding.level > Level::Info && declared::is_declared(&finding.check)
}

fn finding(check: &dyn Check, feature: Option<&str>, Found { level, message, numbers }: Found) -> Finding {
    Finding { check: check.name().to_owned(), level, feature: feature.map(str::to_owned), message, numbers }
}

#[cfg(test)]
mod tests;
