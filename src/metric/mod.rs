//! From exact counts to statistics: one file a metric, one line in [`METRICS`].
//!
//! A metric is a pure function of integers. It never looks at rows, files or devices. Every floating-point number of a
//! report is computed here, once, in f64, in a fixed order, with `ln` and `sqrt` that give the same bits on every
//! machine.

mod chi_squared;
mod hellinger;
mod jensen_shannon;
mod kolmogorov_smirnov;
mod kullback_leibler;
mod l_infinity;
mod psi;
mod psi_chance;
mod table;
mod total_variation;
mod wasserstein;

pub use psi::psi_term;
pub use psi_chance::Chance;
pub use table::{Table, TableCell};

use crate::stats::KsChoice;

/// What a metric may look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// Values a side, nulls and NaNs left out.
    pub n: [u64; 2],
    /// max |A·m − B·n| over all values.
    pub gap: Option<u128>,
    /// Rows of both sides by PSI bin (numeric) or by category.
    pub table: Option<Table>,
    /// Wasserstein-1 as summed over all values.
    pub wasserstein: Option<f64>,
    /// Infinite values a side.
    pub infinite: [u64; 2],
}

/// Choices that move a number; the report says which were used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Shares below this count as this in PSI and KL.
    pub psi_floor: f64,
    /// How the p-value of KS is computed.
    pub ks_method: KsChoice,
}

impl Default for Settings {
    fn default() -> Self {
        Self { psi_floor: 0.001, ks_method: KsChoice::Auto }
    }
}

/// One value of a metric.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A finite number.
    Number(f64),
    /// A whole number, such as degrees of freedom.
    Integer(u64),
    /// A word, such as the method of a p-value.
    Word(&'static str),
    /// There is no value, and this is why.
    Undefined(&'static str),
}

/// Which features a metric is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applies {
    /// Features whose values are ordered: numbers, times, booleans as 0 and 1.
    Ordered,
    /// Features whose values are categories, booleans among them.
    Categories,
    /// Every feature: over PSI bins, or over categories.
    Both,
}

/// What a metric needs counted of an ordered feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The largest gap between the two ECDFs.
    Gap,
    /// Rows by bin or category.
    Table,
    /// A walk over every value.
    Everything,
}

/// What stands on a metric's card: for `--help`, the README and the tests.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Name on the command line.
    pub name: &'static str,
    /// Names of its values in a report.
    pub values: &'static [&'static str],
    /// What it measures, in a sentence.
    pub measures: &'static str,
    /// Features it is for.
    pub applies: Applies,
    /// What must be counted for it.
    pub needs: Needs,
    /// Whether it is computed without being asked for.
    pub default: bool,
    /// Range, and which way is worse.
    pub range: &'static str,
    /// The definition it must equal.
    pub definition: &'static str,
}

/// A statistic of two samples.
pub trait Metric: Sync {
    /// Its card.
    fn card(&self) -> &'static Card;

    /// Its values, in the order of [`Card::values`].
    fn evaluate(&self, comparison: &Comparison, settings: &Settings) -> Vec<Outcome>;
}

/// Every metric, in the order of the report.
pub static METRICS: &[&dyn Metric] = &[
    &psi::Psi,
    &kolmogorov_smirnov::KolmogorovSmirnov,
    &jensen_shannon::JensenShannon,
    &chi_squared::ChiSquared,
    &wasserstein::Wasserstein,
    &hellinger::Hellinger,
    &total_variation::TotalVariation,
    &l_infinity::LInfinity,
    &kullback_leibler::KullbackLeibler,
];

/// Why metrics of a side without values have none.
const EMPTY_REFERENCE: &str = "the reference has no values";
const EMPTY_CURRENT: &str = "current has no values";
const NOT_FINITE: &str = "the result is too large for a number";

/// The reason that `comparison` has no statistics at all, if there is one.
fn empty_side(comparison: &Comparison) -> Option<Outcome> {
    match comparison.n {
        [0, _] => Some(Outcome::Undefined(EMPTY_REFERENCE)),
        [_, 0] => Some(Outcome::Undefined(EMPTY_CURRENT)),
        _ => None,
    }
}

/// `statistic` of the table as one outcome, or why there is none.
fn of_table(comparison: &Comparison, statistic: impl Fn(&Table) -> f64) -> Outcome {
    if let Some(undefined) = empty_side(comparison) {
        return undefined;
    }
    match comparison.table.as_ref().map(statistic) {
        Some(value) if value.is_finite() => Outcome::Number(value),
        Some(_) => Outcome::Undefined(NOT_FINITE),
        None => Outcome::Undefined("its counts were not asked for"),
    }
}
