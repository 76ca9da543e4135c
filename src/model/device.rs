//! Scores sorted by a backend of the feature scan.
//!
//! Rows that add the same to the counters of a score (with a positive label and predicted positive, without a label, …) are a
//! column of keys each. The backend puts the keys of all columns of some batches in order at once, and runs of equal keys
//! become counts: those of a sort on the host, so the report is the same whoever sorted.

use super::scores::ScoreCounts;
use super::tally::Tally;
use crate::backend::{Backend, DeviceError, SelectJob};
use crate::column::f64_key;
use crate::counts::{CellMap, CellSet, Keys};

/// Rows of one tally that add the same to the counters of one score.
struct Kind {
    tally: usize,
    /// Place among [`Tally::scored`].
    score: usize,
    adds: [u64; 5],
    keys: Vec<u64>,
}

/// Adds the scores of these tallies that are not sorted yet to their counts.
pub(super) fn sort(backend: &dyn Backend, tallies: &mut [&mut Tally]) -> Result<(), DeviceError> {
    let mut kinds: Vec<Kind> = Vec::new();
    for (at, tally) in tallies.iter_mut().enumerate() {
        for (score, rows) in std::mem::take(&mut tally.unsorted).into_iter().enumerate() {
            let first = kinds.len();
            for (value, adds) in rows {
                let key = f64_key(value);
                match kinds[first..].iter_mut().find(|kind| kind.adds == adds) {
                    Some(kind) => kind.keys.push(key),
                    None => kinds.push(Kind { tally: at, score, adds, keys: vec![key] }),
                }
            }
        }
    }
    if kinds.is_empty() {
        return Ok(());
    }
    let columns: Vec<Keys> = kinds.iter_mut().map(|kind| Keys::U64(std::mem::take(&mut kind.keys))).collect();
    let map = CellMap::new(0, u128::from(u64::MAX), &[], 0, false);
    let wanted = CellSet::all(map.n_cells());
    let job = |(column, keys): (usize, &Keys)| SelectJob {
        column,
        map: &map,
        wanted: &wanted,
        rows: Some(keys.len() as u64),
    };
    let jobs: Vec<SelectJob<'_>> = columns.iter().enumerate().map(job).collect();
    let sorted = backend.load(columns.iter().map(|keys| vec![keys]).collect())?.select(&jobs)?;
    for (kind, keys) in kinds.iter().zip(&sorted) {
        if let (Keys::U64(keys), Some(counts)) = (keys, tallies[kind.tally].scored().nth(kind.score)) {
            counts.merge(ScoreCounts::of_sorted(keys, kind.adds));
        }
    }
    Ok(())
}
