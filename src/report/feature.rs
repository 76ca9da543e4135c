//! What the report says of one feature.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Edge, MetricValue, Number};
use crate::change::ChangeKind;
use crate::column::Kind;
use crate::format::ratio;
use crate::verdict::{Basis, Level};

/// One compared feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureReport {
    /// What a user calls it: `feature_view:feature`, or the name of the column.
    pub name: String,
    /// The segment that it is compared in, by column; absent for the feature as a whole. A null value is null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<BTreeMap<String, Option<String>>>,
    /// Type of the reference's column.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Type of the current side's column, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_type: Option<String>,
    /// What it is to the statistics.
    pub kind: Kind,
    /// How much attention it asks for.
    pub level: Level,
    /// The level that its own numbers of this night give, where earlier nights or a mute make another one of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw_level: Option<Level>,
    /// The last day on which it is muted, where that has lowered its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_until: Option<String>,
    /// Its importance, where one was given: within a level, reports for people rank by weight × effect.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// One sentence for each thing that speaks for the level; empty for `ok`.
    pub reasons: Vec<String>,
    /// Facts of the reference.
    pub reference: SideReport,
    /// Facts of the current side.
    pub current: SideReport,
    /// What moved between the two.
    pub change: Change,
    /// Metrics by name, in the order of the registry. A metric that does not apply to the feature is absent; one that
    /// applies and has no value is null.
    pub metrics: IndexMap<String, MetricValue>,
    /// Why a value is null: the name of a metric, or `reference.mean`, `current.std` and the like.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub undefined: BTreeMap<String, String>,
    /// The limits of PSI that its level rests on, where they are learned from the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// The bins behind PSI and Jensen–Shannon; absent for features without numbers, or without values to bin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub psi_bins: Option<PsiBins>,
    /// One-sided categories; absent for features without categories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Categories>,
    /// What happened to it, where something did: pipeline bug or real drift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_kind: Option<ChangeKind>,
    /// How the numbers came about, where it is not the usual way: a bound on the categories, for example.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Limits of PSI that were learned from the reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// WARNING from here.
    pub warning: f64,
    /// CRITICAL from here.
    pub critical: f64,
    /// False alarms a year that they allow the feature at WARNING, and a tenth of it at CRITICAL.
    pub false_alarms_per_year: f64,
    /// Runs a year.
    pub runs_per_year: f64,
    /// What they rest on.
    #[serde(flatten)]
    pub basis: Basis,
}

impl FeatureReport {
    /// The metric called `name`, when it is a finite number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.metrics.get(name)?.number()
    }

    /// Everything that people should read about it: what happened, then one sentence for each reason.
    #[must_use]
    pub fn why(&self) -> Vec<String> {
        let happened = self.change_kind.as_ref().map(ChangeKind::sentence);
        happened.into_iter().chain(self.reasons.iter().cloned()).collect()
    }

    /// The level that its own numbers give.
    #[must_use]
    pub fn raw_level(&self) -> Level {
        self.raw_level.unwrap_or(self.level)
    }

    /// Gives it another level than its own numbers do, which are kept as the raw one, for `reason`.
    pub fn relevel(&mut self, level: Level, reason: String) {
        self.raw_level.get_or_insert(self.level);
        self.level = level;
        self.reasons.insert(0, reason);
    }

    /// The feature's statistic with its p- and q-value: KS where there is one, else chi-squared.
    #[must_use]
    pub fn test(&self) -> (Option<f64>, Option<f64>) {
        let test = if self.kind == Kind::Numeric || self.kind == Kind::Temporal { "ks" } else { "chi2" };
        (self.number(&format!("{test}_p_value")), self.number(&format!("{test}_q_value")))
    }
}

/// Facts of one side. `--facts basic` leaves the four counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SideReport {
    /// All rows.
    pub rows: u64,
    /// Rows that are null.
    pub nulls: u64,
    /// Rows that are NaN; never counted among the nulls.
    pub nans: u64,
    /// Rows that are +∞ or −∞.
    pub infinite: u64,
    /// The rest, with `--facts full`.
    #[serde(flatten)]
    pub facts: Option<Facts>,
}

impl SideReport {
    /// Rows that take part in the statistics: neither null nor NaN.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.rows.saturating_sub(self.nulls).saturating_sub(self.nans)
    }

    /// Share of the rows that are null.
    #[must_use]
    pub fn null_share(&self) -> f64 {
        ratio(self.nulls, self.rows)
    }
}

/// What `--facts full` adds. What does not apply to the feature's kind, or has no value, is null.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Distinct values: exact up to 10 000, beyond that an estimate. Its presence tells that there are full facts.
    #[serde(deserialize_with = "Option::deserialize")]
    pub distinct: Option<u64>,
    /// Whether `distinct` is an estimate.
    pub distinct_estimated: bool,
    /// Smallest value; null when infinite.
    pub min: Option<Number>,
    /// Largest value; null when infinite.
    pub max: Option<Number>,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Standard deviation with ddof 1; null for one value.
    pub std: Option<f64>,
    /// Values that are zero.
    pub zeros: Option<u64>,
    /// Values beyond 1.5 interquartile ranges of the reference's quartiles.
    pub outliers: Option<u64>,
    /// Values beyond 3 interquartile ranges of the reference's quartiles.
    pub extreme_outliers: Option<u64>,
    /// Quantiles (linear interpolation) by their level: `0.01` to `0.99`.
    #[serde(deserialize_with = "quantiles")]
    pub quantiles: Option<IndexMap<String, Option<f64>>>,
}

/// An absent field is an error here, so that the four counts alone read back as no facts.
fn quantiles<'de, D: Deserializer<'de>>(read: D) -> Result<Option<IndexMap<String, Option<f64>>>, D::Error> {
    Option::deserialize(read)
}

/// What moved from the reference to the current side. Null where a side has no value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Current minus reference share of nulls.
    pub null_share_change: Option<f64>,
    /// Current minus reference share of NaN.
    pub nan_share_change: Option<f64>,
    /// Current minus reference share of ±∞.
    pub infinite_share_change: Option<f64>,
    /// The rest, with `--facts full`.
    #[serde(flatten)]
    pub facts: Option<FactChange>,
}

/// What `--facts full` adds to [`Change`]. Shares are of the values: neither null nor NaN.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FactChange {
    /// Change of the mean in standard deviations of the reference.
    #[serde(deserialize_with = "Option::deserialize")]
    pub mean_shift: Option<f64>,
    /// Standard deviation of the current side over that of the reference.
    pub std_ratio: Option<f64>,
    /// Current minus reference share of zeros.
    pub zero_share_change: Option<f64>,
    /// Current minus reference share of outliers.
    pub outlier_share_change: Option<f64>,
    /// Current minus reference share of extreme outliers.
    pub extreme_outlier_share_change: Option<f64>,
}

impl Change {
    /// What moved between two sides, from their facts.
    #[must_use]
    pub fn between(reference: &SideReport, current: &SideReport) -> Self {
        let share = |part: fn(&SideReport) -> u64| {
            let rows = reference.rows > 0 && current.rows > 0;
            rows.then(|| ratio(part(current), current.rows) - ratio(part(reference), reference.rows))
        };
        Self {
            null_share_change: share(|side| side.nulls),
            nan_share_change: share(|side| side.nans),
            infinite_share_change: share(|side| side.infinite),
            facts: Self::of_facts(reference, current),
        }
    }

    fn of_facts(reference: &SideReport, current: &SideReport) -> Option<FactChange> {
        let (before, after) = (reference.facts.as_ref()?, current.facts.as_ref()?);
        let (n, m) = (reference.values(), current.values());
        let share = |part: fn(&Facts) -> Option<u64>| {
            let (a, b) = (part(before)?, part(after)?);
            (n > 0 && m > 0).then(|| ratio(b, m) - ratio(a, n))
        };
        let per_std = |value: Option<f64>| {
            let std = before.std.filter(|&std| std > 0.0)?;
            value.map(|value| value / std).filter(|ratio| ratio.is_finite())
        };
        Some(FactChange {
            mean_shift: per_std(after.mean.zip(before.mean).map(|(b, a)| b - a)),
            std_ratio: per_std(after.std),
            zero_share_change: share(|facts| facts.zeros),
            outlier_share_change: share(|facts| facts.outliers),
            extreme_outlier_share_change: share(|facts| facts.extreme_outliers),
        })
    }
}

/// The bins that PSI and Jensen–Shannon are computed from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PsiBins {
    /// The inner edges, ascending: one less than there are bins. Bin i holds values in [edge i − 1, edge i).
    pub edges: Vec<Edge>,
    /// Values of the reference in each bin.
    pub reference: Vec<u64>,
    /// Values of the current side in each bin.
    pub current: Vec<u64>,
}

/// Categories that stand on one side only, and the most frequent ones.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Categories {
    /// Categories that the reference does not have: the first 1000 by value.
    pub new: Vec<Category>,
    /// How many there are.
    pub new_count: u64,
    /// Categories that the current side does not have: the first 1000 by value.
    pub missing: Vec<Category>,
    /// How many there are.
    pub missing_count: u64,
    /// The most frequent categories of both sides together, for a picture: most frequent first, then by value.
    pub top: Vec<TopCategory>,
}

impl Categories {
    /// Longest list of new or missing categories in a report.
    pub const LISTED: usize = 1000;
    /// Longest list of most frequent categories in a report.
    pub const TOP: usize = 10;
}

/// A category of one side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// The category: text as it is, binary values as lower-case hexadecimal, booleans as `false` and `true`.
    pub value: String,
    /// Values in it.
    pub count: u64,
    /// Its share of the side's values.
    pub share: f64,
}

/// A category of both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopCategory {
    /// The category, written as in [`Category`].
    pub value: String,
    /// Values of the reference in it.
    pub reference: u64,
    /// Values of the current side in it.
    pub current: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(mean: f64, std: f64) -> SideReport {
        let facts = Facts { mean: Some(mean), std: Some(std), zeros: Some(5), ..Facts::default() };
        SideReport { rows: 10, nulls: 0, nans: 0, infinite: 0, facts: Some(facts) }
    }

    #[test]
    fn the_mean_moves_in_standard_deviations_of_the_reference() {
        let change = Change::between(&side(1.0, 2.0), &side(5.0, 3.0));
        let facts = change.facts.unwrap();
        assert_eq!((facts.mean_shift, facts.std_ratio, facts.zero_share_change), (Some(2.0), Some(1.5), Some(0.0)));
        assert_eq!(change.null_share_change, Some(0.0));
    }

    #[test]
    fn a_constant_reference_has_no_unit_to_measure_with() {
        let facts = Change::between(&side(1.0, 0.0), &side(5.0, 3.0)).facts.unwrap();
        assert_eq!((facts.mean_shift, facts.std_ratio), (None, None));
        let overflow = Change::between(&side(-1e308, 1e-3), &side(1e308, 1.0)).facts.unwrap();
        assert_eq!(overflow.mean_shift, None, "never infinite");
    }

    #[test]
    fn an_empty_side_has_no_shares() {
        let change = Change::between(&SideReport::default(), &side(1.0, 1.0));
        assert_eq!((change.null_share_change, change.facts), (None, None));
    }

    #[test]
    fn basic_facts_are_the_four_counts_and_read_back_as_such() {
        let basic = SideReport { rows: 3, nulls: 2, nans: 1, infinite: 0, facts: None };
        let text = serde_json::to_string(&basic).unwrap();
        assert_eq!(text, r#"{"rows":3,"nulls":2,"nans":1,"infinite":0}"#);
        assert_eq!(serde_json::from_str::<SideReport>(&text).unwrap(), basic);
        let full = SideReport { facts: Some(Facts::default()), ..basic };
        assert_eq!(serde_json::from_str::<SideReport>(&serde_json::to_string(&full).unwrap()).unwrap(), full);
    }
}
