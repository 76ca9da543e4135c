//! Choosing the cells of a feature from a sample of its keys. Speed depends on this choice, results never do.

use crate::counts::{CellMap, Key, Keys, Weighted, with_keys};

/// Keys a side that are looked at to choose the cells.
pub const SAMPLE_KEYS: usize = 2048;

/// Inner cells of a map: enough that a cell holds a few dozen values of a large column, few enough for the first-level
/// cache and for a workgroup's memory.
pub const MOST_CELLS: u32 = 8192;
const FEWEST_CELLS: u32 = 64;
const ROWS_A_CELL: u64 = 8;
/// From so many rows a cell on, more cells than that pay where the device counts them as well: what has to be fetched is
/// a share of the cells.
const ROWS_A_FULL_CELL: u64 = 128;

/// A cell holding more of the sample than one part in this many asks for a better range.
const CROWDED: usize = 24;

/// Bits that a range should lose before its ends are left out.
const MUCH_NARROWER: u32 = 2;

/// Columns of few rows have few cells, for which so many keys are enough, or one in [`ROWS_A_SAMPLED_KEY`].
const FEWEST_SAMPLE_KEYS: usize = 512;
const ROWS_A_SAMPLED_KEY: usize = 4;

/// At most [`SAMPLE_KEYS`] keys of the pieces of a column, evenly spaced.
pub fn sample_of<'k>(pieces: impl Iterator<Item = &'k Keys> + Clone) -> Vec<u128> {
    sample_of_both(pieces, std::iter::empty())
}

/// The same of a column some of whose keys are weighted; such a key is taken as often as its rows ask for.
pub fn sample_of_both<'k>(
    pieces: impl Iterator<Item = &'k Keys> + Clone,
    weighted: impl Iterator<Item = &'k Weighted> + Clone,
) -> Vec<u128> {
    let dense: usize = pieces.clone().map(Keys::len).sum();
    let shared = usize::try_from(weighted.clone().map(Weighted::total).sum::<u64>()).unwrap_or(usize::MAX);
    let total = dense.saturating_add(shared);
    let most = (total / ROWS_A_SAMPLED_KEY).clamp(FEWEST_SAMPLE_KEYS, SAMPLE_KEYS);
    let step = total.div_ceil(most).max(1);
    let mut sample = Vec::with_capacity(total.min(most));
    let mut next = 0;
    for piece in weighted {
        for (index, &rows) in piece.rows().iter().enumerate() {
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            while next < rows {
                sample.push(piece.keys().get(index));
                next += step;
            }
            next -= rows;
        }
    }
    for piece in pieces {
        with_keys!(piece, keys => {
            while next < keys.len() {
                sample.push(keys[next].widen());
                next += step;
            }
            next -= keys.len();
        });
    }
    sample
}

/// Rows for which a map has as many cells as a weighted key should have: enough that few of them share one.
const ROWS_A_WEIGHTED_KEY: u64 = 4 * ROWS_A_CELL;

/// The number of rows to make a map for, given the keys of a column and those that have weights: many rows that share a key
/// need no more cells than one.
pub fn rows_of_both<'k>(pieces: impl Iterator<Item = &'k Keys>, weighted: impl Iterator<Item = &'k Weighted>) -> u64 {
    let of_weighted = |piece: &Weighted| piece.total().min(piece.rows().len() as u64 * ROWS_A_WEIGHTED_KEY);
    pieces.map(|piece| piece.len() as u64).sum::<u64>() + weighted.map(of_weighted).sum::<u64>()
}

/// The cells for a feature whose keys lie in `lo..=hi`: `sample` is of both sides and gets sorted, `rows` is the number of keys of
/// the larger side, `most` what the device counts well ([`Backend::most_cells`](crate::backend::Backend::most_cells)).
#[must_use]
pub fn map_for(lo: u128, hi: u128, mut sample: Vec<u128>, rows: u64, most: u32) -> CellMap {
    sort(&mut sample);
    let tied = sample.chunk_by(|a, b| a == b).any(|run| run.len() > 4.max(sample.len() / 512));
    let at = |rows_a_cell: u64| u32::try_from(rows / rows_a_cell).unwrap_or(u32::MAX);
    // With pivots a cell is three.
    let [most, usual] = [most, MOST_CELLS].map(|most| if tied { most / 2 } else { most });
    let cells = at(ROWS_A_CELL).min(usual).max(at(ROWS_A_FULL_CELL)).clamp(FEWEST_CELLS, most.max(FEWEST_CELLS));
    let (lo, hi) = without_ends(lo, hi, &sample);
    let whole = CellMap::new(lo, hi, &sample, cells, tied);
    let few = sample.len() / CROWDED;
    if !may_crowd(&whole, &sample, few) {
        return whole;
    }
    let crowd = crowding(&whole, &sample);
    if crowd <= few {
        return whole;
    }
    // Far-off values (sentinels, outliers, a narrow mode beside a wide one) leave one cell with most of the sample.
    // Leaving some of the tails to the end cells often mends it.
    let at = |share: usize| (sample[sample.len() * share / 100], sample[(sample.len() - 1) * (100 - share) / 100]);
    [1, 5, 20]
        .into_iter()
        .map(at)
        .filter(|(from, to)| from < to)
        .map(|(from, to)| CellMap::new(from, to, &sample, cells, tied))
        .map(|map| (crowding(&map, &sample), map))
        .chain([(crowd, whole)])
        .min_by_key(|(crowd, _)| *crowd)
        .map(|(_, map)| map)
        .expect("the chain holds at least the whole range")
}

/// The range of the sorted sample instead of `lo..=hi`, where that is much narrower: the ends are left to the end cells.
///
/// Keys of floats are as far apart as their exponents and signs: among five million balances around 3750, one below zero
/// makes the range of keys a thousand times as long, and the segments of a map too long to follow the values.
fn without_ends(lo: u128, hi: u128, sample: &[u128]) -> (u128, u128) {
    let bits = |(lo, hi): (u128, u128)| u128::BITS - hi.saturating_sub(lo).leading_zeros();
    let ends = sample.first().zip(sample.last()).map(|(&first, &last)| (first.max(lo), last.min(hi)));
    ends.filter(|&ends| ends.0 <= ends.1 && bits(ends) + MUCH_NARROWER <= bits((lo, hi))).unwrap_or((lo, hi))
}

/// Sorts ascending, as narrower keys where that is possible.
fn sort(keys: &mut [u128]) {
    let narrow: Result<Vec<u64>, _> = keys.iter().map(|&key| u64::try_from(key)).collect();
    match narrow {
        Ok(mut narrow) => {
            narrow.sort_unstable();
            keys.iter_mut().zip(narrow).for_each(|(key, sorted)| *key = sorted.into());
        }
        Err(_) => keys.sort_unstable(),
    }
}

/// Whether a cell may hold more than `few` keys of the sorted sample: for certain not where no two keys share one that lie
/// half as many apart.
fn may_crowd(map: &CellMap, sample: &[u128], few: usize) -> bool {
    let mut before = None;
    sample.iter().step_by((few / 2).max(1)).any(|&key| {
        let cell = Some(map.cell_of(key));
        std::mem::replace(&mut before, cell) == cell
    })
}

/// Most keys of the sorted sample that share a cell without sharing a key's own cell.
fn crowding(map: &CellMap, sample: &[u128]) -> usize {
    let mut worst = 0;
    let mut cells = sample.iter().map(|&key| map.cell_of(key));
    let mut rest = sample;
    let mut next = cells.next();
    while let Some(cell) = next {
        let mut n = 1;
        next = cells.find(|&other| {
            n += usize::from(other == cell);
            other != cell
        });
        let (same_cell, others) = rest.split_at(n);
        if same_cell.first() != same_cell.last() {
            worst = worst.max(n);
        }
        rest = others;
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_far_away_does_not_make_all_cells_wide() {
        let from = 1 << 62;
        let sample: Vec<u128> = (0..4096).map(|i| from + (i << 32)).collect();
        for lo in [from, 0] {
            let map = map_for(lo, from + (4096 << 32), sample.clone(), 5_000_000, MOST_CELLS);
            let mut cells: Vec<usize> = sample.iter().map(|&key| map.cell_of(key)).collect();
            cells.dedup();
            assert!(cells.len() > 2000, "{} cells for 4096 keys, from {lo}", cells.len());
        }
    }
}
