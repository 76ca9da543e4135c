//! Data quality and schema: one file a check, one line in [`CHECKS`].
//!
//! A check holds one feature, or the whole run, against the reference, and makes a [`Finding`]. A finding is a remark: it
//! changes no level and no exit status, and needs evidence that chance does not give.

mod duplicates;
mod frozen;
mod outliers;
mod precision;
mod rows;
mod schema;
mod unique;

use crate::change::Subject;
pub use frozen::{is_everything, is_frozen};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Name of the check.
    pub check: String,
    /// The feature; absent for findings about the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    /// What was found, as a sentence.
    pub message: String,
    /// The numbers in it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub numbers: BTreeMap<String, f64>,
}

/// What a check says: the message and its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    message: String,
    numbers: BTreeMap<String, f64>,
}

impl Found {
    fn new(message: String) -> Self {
        Self { message, numbers: BTreeMap::new() }
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
}

/// Every check, in the order of the report.
pub static CHECKS: &[&dyn Check] = &[
    &schema::Schema,
    &rows::Rows,
    &unique::Unique,
    &duplicates::Duplicates,
    &frozen::Frozen,
    &outliers::Outliers,
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

fn finding(check: &dyn Check, feature: Option<&str>, Found { message, numbers }: Found) -> Finding {
    Finding { check: check.name().to_owned(), feature: feature.map(str::to_owned), message, numbers }
}

#[cfg(test)]
mod tests;
