//! Windows of the reference in the bins of their feature: what limits are learned from. The rows are held, or read, already;
//! a window is counted below the edges of the bins, which are known once the feature is compared.

use super::ordered::in_groups;
use crate::backend::{DeviceError, Loaded};
use crate::column::{Encoding, Facts};
use crate::compare::{Compared, MOST_CELLS, Pair, Query, map_for};
use crate::counts::CellMap;

/// One window of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    column: usize,
    values: u64,
    zeros: u64,
}

impl Split {
    /// The window whose keys are in `column`; `None` where it has no values.
    pub(super) fn new(column: usize, facts: &Facts) -> Option<Self> {
        let values = facts.values();
        (values > 0).then_some(Self { column, values, zeros: facts.zeros })
    }

    /// Rows of false and true, of booleans.
    pub(super) fn booleans(self) -> Vec<u64> {
        vec![self.zeros, self.values - self.zeros]
    }
}

/// The windows of one feature, and the cells that they are counted in.
pub(super) struct Splits<'t> {
    encoding: &'t Encoding,
    windows: &'t [Split],
    extent: (u128, u128),
    map: CellMap,
    sample: Vec<u128>,
}

impl<'t> Splits<'t> {
    /// The windows of a feature that is compared as `pair` says.
    pub(super) fn new(encoding: &'t Encoding, windows: &'t [Split], pair: &Pair<'_>) -> Option<Self> {
        let most = windows.iter().map(|window| window.values).max()?;
        let map = map_for(pair.extent.0, pair.extent.1, pair.sample.clone(), most, MOST_CELLS);
        Some(Self { encoding, windows, extent: pair.extent, map, sample: pair.sample.clone() })
    }

    /// Rows of every window in every bin.
    pub(super) fn count(
        &self,
        loaded: &mut dyn Loaded,
        compared: &Compared,
        at_once: usize,
        budget: u64,
    ) -> Result<Vec<Vec<u64>>, DeviceError> {
        let Some(bins) = &compared.bins else { return Ok(Vec::new()) };
        let pairs = self.windows.chunks(2).map(|two| {
            // Two windows are counted like two sides; the last of an odd number beside itself.
            let two = [two[0], two[two.len() - 1]];
            Pair {
                columns: two.map(|window| window.column),
                n: two.map(|window| window.values),
                extent: self.extent,
                map: self.map.clone(),
                sample: self.sample.clone(),
                query: self.query(&bins.edges),
            }
        });
        let counted = in_groups(loaded, pairs.collect(), at_once, budget)?;
        let below = counted.iter().flat_map(|two| [0, 1].map(|side: usize| (side, &two.below)));
        Ok(self.windows.iter().zip(below).map(|(window, (side, below))| rows(window.values, side, below)).collect())
    }

    fn query<'q>(&'q self, edges: &'q [f64]) -> Query<'q> {
        Query {
            scale: self.encoding,
            gap: false,
            bins: None,
            quantiles: false,
            wasserstein: false,
            atoms: false,
            marks: edges,
            distinct: false,
        }
    }
}

/// Rows by bin from the rows below every edge.
fn rows(values: u64, side: usize, below: &[[u64; 2]]) -> Vec<u64> {
    let mut before = 0;
    let ends = below.iter().map(|below| below[side]).chain([values]);
    ends.map(|end| end - std::mem::replace(&mut before, end)).collect()
}
