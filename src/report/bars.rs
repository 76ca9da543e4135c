//! Both distributions of a feature as two rows of bars on one scale.

use super::FeatureReport;
use crate::format::{ratio, real};

const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Shares of the two sides in the same bins: one a bin, of all values of the side.
#[derive(Debug, PartialEq)]
pub(super) struct Bars {
    /// What each bin is, in words.
    pub(super) labels: Vec<String>,
    /// Share of the reference in each bin.
    pub(super) reference: Vec<f64>,
    /// Share of the current side in each bin.
    pub(super) current: Vec<f64>,
}

impl Bars {
    /// The PSI bins of a feature, or else its most frequent categories; nothing without values.
    pub(super) fn of(feature: &FeatureReport) -> Option<Self> {
        if let Some(bins) = &feature.psi_bins {
            return Self::from_counts(bin_labels(feature), &bins.reference, &bins.current);
        }
        let top = &feature.categories.as_ref()?.top;
        let labels = top.iter().map(|category| category.value.clone()).collect();
        let (reference, current): (Vec<_>, Vec<_>) = top.iter().map(|c| (c.reference, c.current)).unzip();
        Self::from_counts(labels, &reference, &current)
    }

    /// Shares are of the counts at hand: for categories, of those that are drawn.
    fn from_counts(labels: Vec<String>, reference: &[u64], current: &[u64]) -> Option<Self> {
        let shares = |counts: &[u64]| -> Vec<f64> {
            let total = counts.iter().sum();
            counts.iter().map(|&count| ratio(count, total)).collect()
        };
        let bars = Self { labels, reference: shares(reference), current: shares(current) };
        (bars.highest() > 0.0).then_some(bars)
    }

    /// The largest share of either side.
    pub(super) fn highest(&self) -> f64 {
        self.reference.iter().chain(&self.current).copied().fold(0.0, f64::max)
    }

    /// The bars as two words of block characters; a dot is an empty bin.
    pub(super) fn sparklines(&self) -> (String, String) {
        let highest = self.highest();
        let line = |shares: &[f64]| shares.iter().map(|share| block(share / highest)).collect();
        (line(&self.reference), line(&self.current))
    }
}

/// A row of values as a word of block characters, the highest value (or `least`, if that is higher) as a full block. A
/// dot is a value of 0 or below, a space no value.
#[must_use]
pub fn sparkline(values: impl IntoIterator<Item = Option<f64>> + Clone, least: f64) -> String {
    let highest = values.clone().into_iter().flatten().fold(least, f64::max);
    values
        .into_iter()
        .map(|value| value.map_or(' ', |value| block(if highest > 0.0 { value / highest } else { 0.0 })))
        .collect()
}

fn block(height: f64) -> char {
    if height <= 0.0 {
        return '·';
    }
    // The lowest block whose height is not below the bar's.
    let index = (1..8).position(|eighths| height <= real(eighths) / 8.0).unwrap_or(7);
    LEVELS[index]
}

fn bin_labels(feature: &FeatureReport) -> Vec<String> {
    let Some(bins) = &feature.psi_bins else { return Vec::new() };
    let edge = |index: Option<usize>| index.and_then(|index| bins.edges.get(index));
    (0..bins.reference.len())
        .map(|bin| match (edge(bin.checked_sub(1)), edge(Some(bin))) {
            (None, None) => "all values".to_owned(),
            (None, Some(right)) => format!("< {right}"),
            (Some(left), None) => format!("≥ {left}"),
            (Some(left), Some(right)) => format!("{left} to {right}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_share_one_scale() {
        let bars = Bars::from_counts(Vec::new(), &[1, 1, 1, 1], &[0, 0, 1, 3]).unwrap();
        assert_eq!(bars.sparklines(), ("▃▃▃▃".to_owned(), "··▃█".to_owned()));
        let one_sided = Bars::from_counts(Vec::new(), &[0, 0], &[1, 999]).unwrap();
        assert_eq!(one_sided.sparklines(), ("··".to_owned(), "▁█".to_owned()), "a single row is not nothing");
    }

    #[test]
    fn a_row_of_values_has_gaps_where_it_has_none() {
        assert_eq!(sparkline([Some(0.1), None, Some(0.0), Some(0.8)], 0.2), "▁ ·█");
        assert_eq!(sparkline([Some(0.01), Some(0.02)], 0.2), "▁▁", "noise is not blown up");
        assert_eq!(sparkline([None, Some(0.0)], 0.0), " ·");
    }

    #[test]
    fn nothing_is_drawn_without_values() {
        assert_eq!(Bars::from_counts(Vec::new(), &[0, 0], &[0, 0]), None);
        assert_eq!(Bars::from_counts(Vec::new(), &[], &[]), None);
    }
}
