//! The rounds of a batch: every feature asks, the backend answers all of them at once, until nobody asks any more.

use super::feature::{Compared, Feature, Query, Step};
use crate::backend::{CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::CellMap;

/// Two columns of a batch that belong together.
pub struct Pair<'q> {
    /// Index of the reference's and of the current column in the batch.
    pub columns: [usize; 2],
    /// Number of keys of each.
    pub n: [u64; 2],
    /// Lowest and highest key of the two.
    pub extent: (u128, u128),
    /// The cells to count first; [`map_for`](super::map_for) makes good ones.
    pub map: CellMap,
    /// Some keys of both, for zooms; may be empty.
    pub sample: Vec<u128>,
    /// What is wanted.
    pub query: Query<'q>,
}

/// Compares every pair of a batch, exactly.
///
/// `budget` is the number of keys a pair that may be fetched from the backend at a time: a bound on memory, never on exactness.
///
/// # Errors
/// Those of the backend.
pub fn compare(loaded: &mut dyn Loaded, pairs: Vec<Pair<'_>>, budget: u64) -> Result<Vec<Compared>, DeviceError> {
    let columns: Vec<[usize; 2]> = pairs.iter().map(|pair| pair.columns).collect();
    let mut features: Vec<Feature<'_>> = pairs
        .into_iter()
        .map(|pair| Feature::new(pair.query, pair.n, pair.extent, pair.sample, pair.map, budget))
        .collect();
    loop {
        let (mut count, mut select) = (Vec::new(), Vec::new());
        let (mut counting, mut selecting) = (Vec::new(), Vec::new());
        for (index, feature) in features.iter().enumerate() {
            match feature.step() {
                Step::Count(map) => {
                    counting.push(index);
                    count.extend(columns[index].map(|column| CountJob { column, map }));
                }
                Step::Select(levels) => {
                    selecting.push((index, levels.len()));
                    for (level, wanted) in levels {
                        let map = feature.map(*level);
                        select.extend(columns[index].map(|column| SelectJob { column, map, wanted }));
                    }
                }
                Step::Done => {}
            }
        }
        if counting.is_empty() && selecting.is_empty() {
            return Ok(features.into_iter().map(Feature::result).collect());
        }
        let counted = if count.is_empty() { Vec::new() } else { loaded.count_cells(&count)? };
        let selected = if select.is_empty() { Vec::new() } else { loaded.select(&select)? };
        let mut counted = counted.into_iter();
        for index in counting {
            let rows = [counted.next(), counted.next()].map(|rows| rows.expect("a backend answers every job"));
            features[index].counted(rows);
        }
        let mut selected = selected.into_iter();
        for (index, levels) in selecting {
            let fetched = (0..levels)
                .map(|_| [selected.next(), selected.next()].map(|keys| keys.expect("a backend answers every job")))
                .collect();
            features[index].selected(fetched);
        }
    }
}
