//! The two ECDFs as far as a report knows them: exactly at the edges of the bins, the quantiles, and both ends.

use serde::Serialize;

use crate::format::ratio;
use crate::report::{FeatureReport, SideReport};

/// Points of both ECDFs, by value; between two points a line is drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ecdf {
    /// Value, and share of the reference at or below it.
    pub reference: Vec<(f64, f64)>,
    /// The same of the current side.
    pub current: Vec<(f64, f64)>,
    /// The largest gap between the two at an edge of a bin.
    pub gap: Option<Gap>,
}

/// A gap between the two ECDFs. D, the largest gap at any value, is at least this large.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The value.
    pub at: f64,
    /// Share of the reference below it.
    pub reference: f64,
    /// Share of the current side below it.
    pub current: f64,
}

impl Ecdf {
    /// The ECDFs of a feature with numbers; nothing for others, and where a side has no values.
    #[must_use]
    pub fn of(feature: &FeatureReport) -> Option<Self> {
        let bins = feature.psi_bins.as_ref()?;
        let edges: Vec<f64> = bins.edges.iter().map(|edge| edge.0).collect();
        let (reference, current) = (below(&bins.reference)?, below(&bins.current)?);
        let gap = edges.iter().zip(reference.iter().zip(&current)).filter(|(edge, _)| edge.is_finite());
        let gap = gap.map(|(&at, (&reference, &current))| Gap { at, reference, current });
        let size = |gap: &Gap| (gap.reference - gap.current).abs();
        Some(Self {
            reference: points(&edges, &reference, &feature.reference),
            current: points(&edges, &current, &feature.current),
            gap: gap.max_by(|a, b| size(a).total_cmp(&size(b))),
        })
    }
}

/// Share of the values below each inner edge.
fn below(bins: &[u64]) -> Option<Vec<f64>> {
    let total: u64 = bins.iter().sum();
    let mut sum = 0;
    let inner = bins.split_last().map(|(_, inner)| inner).unwrap_or_default();
    (total > 0).then(|| {
        inner
            .iter()
            .map(|bin| {
                sum += bin;
                ratio(sum, total)
            })
            .collect()
    })
}

/// What is known of one ECDF, ascending.
fn points(edges: &[f64], below: &[f64], side: &SideReport) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = edges.iter().copied().zip(below.iter().copied()).collect();
    if let Some(facts) = &side.facts {
        let quantiles = facts.quantiles.iter().flatten();
        points.extend(quantiles.filter_map(|(level, value)| Some(((*value)?, level.parse().ok()?))));
        if let (Some(min), Some(max)) = (facts.min, facts.max) {
            let (min, max) = (min.as_f64(), max.as_f64());
            points.retain(|(value, _)| (min..=max).contains(value));
            points.extend([(min, 0.0), (max, 1.0)]);
        }
    }
    points.retain(|(value, _)| value.is_finite());
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    // A quantile is interpolated, an edge is not: where values repeat, the one may lie a hair behind the other.
    let mut highest = 0.0_f64;
    for (_, share) in &mut points {
        highest = highest.max(*share);
        *share = highest;
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_curves_rise_from_0_to_1_and_the_gap_is_within_d() {
        let report = samples::report();
        let ecdfs: Vec<_> = report.features.iter().filter_map(|one| Some((one, Ecdf::of(one)?))).collect();
        assert!(ecdfs.len() > 5);
        for (feature, ecdf) in ecdfs {
            for side in [&ecdf.reference, &ecdf.current] {
                assert_eq!((side[0].1, side[side.len() - 1].1), (0.0, 1.0), "{}", feature.name);
                assert!(side.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1));
            }
        }
        let amount = &report.features[0];
        let gap = Ecdf::of(amount).unwrap().gap.unwrap();
        // Shares 2, 3, 5, 7, 9 of 100 lie below the middle edge, 50 of 100 in the reference.
        assert_eq!((gap.reference, gap.current, gap.at), (0.5, 0.26, 22.0));
    }

    #[test]
    fn a_side_without_values_has_no_curve() {
        let report = samples::report();
        let refund = report.features.iter().find(|one| one.name == "orders:refund_amount").unwrap();
        assert_eq!(Ecdf::of(refund), None);
    }
}
