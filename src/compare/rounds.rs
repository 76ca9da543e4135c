//! The rounds of a batch: every feature asks, the backend answers all of them at once, until nobody asks any more.

use super::feature::{Feature, Request, Step};
use super::query::{Compared, Query};
use crate::backend::{CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, CellMap, Keys};
use rayon::prelude::*;

/// Features that a thread takes at a time.
const A_TASK: usize = 4;

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
        for (feature, columns) in features.iter().zip(&columns) {
            match feature.step() {
                Step::Count(map) => count.extend(columns.map(|column| CountJob { column, map })),
                Step::Select(requests) => {
                    for Request { level, wanted, rows } in requests {
                        let map = feature.map(*level);
                        let job = |(column, rows)| SelectJob { column, map, wanted, rows: Some(rows) };
                        select.extend(columns.iter().copied().zip(*rows).map(job));
                    }
                }
                Step::Done => {}
            }
        }
        if count.is_empty() && select.is_empty() {
            return Ok(features.into_iter().map(Feature::result).collect());
        }
        let counted = if count.is_empty() { Vec::new() } else { loaded.count_cells(&count)? };
        let selected = if select.is_empty() { Vec::new() } else { loaded.select(&select)? };
        let (mut counted, mut selected) = (counted.into_iter(), selected.into_iter());
        let answer = |feature: &Feature<'_>| match feature.step() {
            Step::Count(_) => Answer::Counted(both(&mut counted)),
            Step::Select(requests) => Answer::Selected(requests.iter().map(|_| both(&mut selected)).collect()),
            Step::Done => Answer::Nothing,
        };
        let answers: Vec<Answer> = features.iter().map(answer).collect();
        features.par_iter_mut().with_min_len(A_TASK).zip(answers).for_each(|(feature, answer)| match answer {
            Answer::Counted(rows) => feature.counted(rows),
            Answer::Selected(keys) => feature.selected(keys),
            Answer::Nothing => {}
        });
    }
}

/// What a backend found for a feature.
enum Answer {
    Counted([CellCounts; 2]),
    Selected(Vec<[Keys; 2]>),
    Nothing,
}

/// The answers of the reference's and of the current job.
fn both<A>(answers: &mut impl Iterator<Item = A>) -> [A; 2] {
    [answers.next(), answers.next()].map(|answer| answer.expect("a backend answers every job"))
}
