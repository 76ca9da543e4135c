//! The contract of a backend, from its definition: slow, obvious, and without a line of the backends' code.

use gpudrift::backend::{CountJob, SelectJob};
use gpudrift::counts::{CellCounts, Keys};

/// All keys of a column, widened.
pub(crate) fn widened(pieces: &[Keys]) -> Vec<u128> {
    pieces.iter().flat_map(|piece| (0..piece.len()).map(|index| piece.get(index))).collect()
}

/// One look-up a key, one addition a key.
pub(crate) fn count(columns: &[Vec<Keys>], job: &CountJob<'_>) -> CellCounts {
    let mut counts = CellCounts::zero(job.map.n_cells());
    for key in widened(&columns[job.column]) {
        counts.0[job.map.cell_of(key)] += 1;
    }
    counts
}

/// Look at every key, keep the wanted ones, sort them.
pub(crate) fn select(columns: &[Vec<Keys>], job: &SelectJob<'_>) -> Vec<u128> {
    let mut found = widened(&columns[job.column]);
    found.retain(|&key| job.wanted.contains(job.map.cell_of(key)));
    found.sort_unstable();
    found
}
