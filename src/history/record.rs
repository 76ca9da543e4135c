//! One feature of one run, taken apart for storage and put together again without loss: numbers that trends need, the
//! reference's side (the same night after night, so kept once), and the rest.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::column::Kind;
use crate::report::{Edge, FeatureReport, MetricValue, SideReport};
use crate::verdict::Level;

/// Features whose reference sides, or rests, are compressed together.
pub(super) const BLOCK: usize = 64;

/// The levels of the stored quantiles, as the report names them.
pub const QUANTILES: [&str; 9] = ["0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99"];

/// zstd's level: beyond it a block takes three times as long and shrinks by two per cent.
const COMPRESSION: i32 = 6;

/// The numbers of a feature in one run: its level, the usual metrics, and the current side's facts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Numbers {
    /// The level.
    pub level: Level,
    /// Population stability index.
    pub psi: Option<f64>,
    /// Kolmogorov–Smirnov D.
    pub ks: Option<f64>,
    /// p-value of the feature's test: KS where there is one, else chi-squared.
    pub p: Option<f64>,
    /// Its q-value.
    pub q: Option<f64>,
    /// Rows of the current side.
    pub rows: u64,
    /// Rows that are null.
    pub nulls: u64,
    /// Rows that are NaN.
    pub nans: u64,
    /// Rows that are ±∞.
    pub infinite: u64,
    /// Mean of the current side.
    pub mean: Option<f64>,
    /// Standard deviation of the current side.
    pub std: Option<f64>,
    /// Quantiles of the current side at [`QUANTILES`].
    pub quantiles: [Option<f64>; QUANTILES.len()],
}

impl Numbers {
    /// The numbers of a feature.
    #[must_use]
    pub fn of(feature: &FeatureReport) -> Self {
        let mut rest = feature.clone();
        Self::take(&mut rest)
    }

    /// Share of the rows that are null.
    #[must_use]
    pub fn null_share(&self) -> f64 {
        crate::format::ratio(self.nulls, self.rows)
    }

    /// The numbers of a feature; what they hold is gone from it, and [`Numbers::give`] puts it back.
    fn take(feature: &mut FeatureReport) -> Self {
        let [p, q] = test_names(feature);
        let mut metric = |name: &str| match feature.metrics.get_mut(name)? {
            value @ MetricValue::Number(_) => match std::mem::replace(value, MetricValue::Null) {
                MetricValue::Number(number) if number.is_finite() => Some(number),
                _ => None,
            },
            _ => None,
        };
        let (psi, ks, p, q) = (metric("psi"), metric("ks_statistic"), metric(p), metric(q));
        let side = &mut feature.current;
        let mut numbers = Self {
            level: std::mem::take(&mut feature.level),
            psi,
            ks,
            p,
            q,
            rows: std::mem::take(&mut side.rows),
            nulls: std::mem::take(&mut side.nulls),
            nans: std::mem::take(&mut side.nans),
            infinite: std::mem::take(&mut side.infinite),
            ..Self::default()
        };
        if let Some(facts) = &mut side.facts {
            (numbers.mean, numbers.std) = (facts.mean.take(), facts.std.take());
            for (level, value) in facts.quantiles.iter_mut().flatten() {
                if let Some(index) = QUANTILES.iter().position(|name| name == level) {
                    numbers.quantiles[index] = value.take();
                }
            }
        }
        numbers
    }

    fn give(&self, feature: &mut FeatureReport) {
        let [p, q] = test_names(feature);
        for (name, value) in [("psi", self.psi), ("ks_statistic", self.ks), (p, self.p), (q, self.q)] {
            if let (Some(place), Some(value)) = (feature.metrics.get_mut(name), value) {
                *place = MetricValue::Number(value);
            }
        }
        feature.level = self.level;
        let side = &mut feature.current;
        (side.rows, side.nulls, side.nans, side.infinite) = (self.rows, self.nulls, self.nans, self.infinite);
        if let Some(facts) = &mut side.facts {
            (facts.mean, facts.std) = (self.mean, self.std);
            for (level, value) in facts.quantiles.iter_mut().flatten() {
                if let Some(index) = QUANTILES.iter().position(|name| name == level) {
                    *value = self.quantiles[index];
                }
            }
        }
    }
}

/// Names of the p- and q-value that [`FeatureReport::test`] gives.
fn test_names(feature: &FeatureReport) -> [&'static str; 2] {
    match feature.kind {
        Kind::Numeric | Kind::Temporal => ["ks_p_value", "ks_q_value"],
        _ => ["chi2_p_value", "chi2_q_value"],
    }
}

/// What a feature's report takes from the reference alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ReferencePart {
    side: SideReport,
    edges: Vec<Edge>,
    bins: Vec<u64>,
}

/// A feature's report in three parts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) numbers: Numbers,
    pub(super) reference: ReferencePart,
    /// The report without the other two parts.
    pub(super) rest: FeatureReport,
}

impl Parts {
    pub(super) fn of(feature: &FeatureReport) -> Self {
        let mut rest = feature.clone();
        let mut reference = ReferencePart { side: std::mem::take(&mut rest.reference), ..ReferencePart::default() };
        if let Some(bins) = &mut rest.psi_bins {
            reference.edges = std::mem::take(&mut bins.edges);
            reference.bins = std::mem::take(&mut bins.reference);
        }
        Self { numbers: Numbers::take(&mut rest), reference, rest }
    }

    pub(super) fn join(self) -> FeatureReport {
        let Self { numbers, reference, rest: mut feature } = self;
        numbers.give(&mut feature);
        feature.reference = reference.side;
        if let Some(bins) = &mut feature.psi_bins {
            (bins.edges, bins.reference) = (reference.edges, reference.bins);
        }
        feature
    }
}

/// A value as compressed JSON.
pub(super) fn packed<T: Serialize>(value: &T) -> std::io::Result<Vec<u8>> {
    zstd::bulk::compress(&serde_json::to_vec(value)?, COMPRESSION)
}

/// A value from compressed JSON.
pub(super) fn unpacked<T: DeserializeOwned>(bytes: &[u8]) -> std::io::Result<T> {
    let json = zstd::stream::decode_all(bytes)?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_report_taken_apart_and_packed_is_put_together_without_loss() {
        let reports = [samples::report(), samples::odd(), samples::empty()];
        assert!(reports.iter().map(|report| report.features.len()).sum::<usize>() > 5);
        for feature in reports.iter().flat_map(|report| &report.features) {
            let Parts { numbers, reference, rest } = Parts::of(feature);
            let reference = unpacked(&packed(&reference).unwrap()).unwrap();
            let rest = unpacked(&packed(&rest).unwrap()).unwrap();
            let joined = Parts { numbers, reference, rest }.join();
            // As JSON: a number that is not finite is null in both.
            let text = |feature: &FeatureReport| serde_json::to_string(feature).unwrap();
            assert_eq!(text(&joined), text(feature));
        }
    }

    #[test]
    fn what_numbers_hold_is_not_stored_twice() {
        let report = samples::report();
        let feature = report.features.iter().find(|feature| feature.number("psi").is_some()).unwrap();
        let parts = Parts::of(feature);
        assert_eq!(parts.numbers, Numbers::of(feature));
        assert_eq!(parts.numbers.psi, feature.number("psi"));
        assert_eq!(parts.rest.metrics["psi"], MetricValue::Null);
        assert_eq!(parts.rest.reference, SideReport::default());
    }
}
