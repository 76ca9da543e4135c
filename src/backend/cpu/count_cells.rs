//! Counting cells on the host: the twin of `shaders/count_cells.wgsl`.

use std::cell::RefCell;

use super::slots::{Lanes, Slots};
use crate::counts::{CellCounts, CellMap};
use crate::vector::vectorized;

/// Cells of a block of keys are found first and counted after, so that neither loop waits for the other.
const BLOCK: usize = 1024;

/// Counters of one chunk: a power of two, so that an index cut to its bits is known to be in range.
const COUNTERS: usize = 1 << 15;

/// Whether a map has so few cells that [`count`] also tells the cell of every key.
pub(super) fn tells(map: &CellMap) -> bool {
    map.n_cells() <= COUNTERS
}

/// Number of the keys of all `pieces` in each cell of `map`; where the map [tells], `found` gets the cells of the keys,
/// piece by piece.
pub(super) fn count<K: Lanes>(pieces: &[&[K]], map: &CellMap, found: &mut [Vec<u16>]) -> CellCounts {
    let mut total = CellCounts::zero(map.n_cells());
    let slots = if tells(map) { Slots::new(map) } else { None };
    match slots {
        Some(slots) => FEW.with_borrow_mut(|few| count_slots(pieces, &slots, few, found, &mut total)),
        None => count_many(pieces, map, &mut total),
    }
    total
}

fn count_slots<K: Lanes>(
    pieces: &[&[K]],
    slots: &Slots<'_, K>,
    few: &mut Few,
    found: &mut [Vec<u16>],
    total: &mut CellCounts,
) {
    let mut counted = 0;
    for (keys, found) in pieces.iter().zip(found) {
        // What a used vector holds beyond is overwritten, so only growing costs.
        found.resize(keys.len(), 0);
        for (keys, cells) in keys.chunks(BLOCK).zip(found.chunks_mut(BLOCK)) {
            slots.of(keys, cells);
            counted += cells.len().div_ceil(2);
            if counted > usize::from(u16::MAX) {
                drain(few, total);
                counted = cells.len().div_ceil(2);
            }
            count_few(few, cells);
        }
    }
    drain(few, total);
}

/// A u32 counter holds so many keys, whatever cell they are in.
const MOST_KEYS: usize = 1 << 31;

fn count_many<K: Lanes>(pieces: &[&[K]], map: &CellMap, total: &mut CellCounts) {
    let (view, mut many) = (map.view::<K>(), vec![0_u32; map.n_cells()]);
    for keys in pieces.iter().flat_map(|keys| keys.chunks(MOST_KEYS)) {
        match &view.pivots {
            None => keys.iter().for_each(|&key| many[view.coarse_cell_of(key) as usize] += 1),
            Some(pivots) => keys.iter().for_each(|&key| many[view.slot_of(key, pivots) as usize] += 1),
        }
        add(&mut total.0, &mut many);
    }
}

/// Two histograms, filled by turns: neighbouring keys in one cell would wait for each other's store. Of 16 bits, both fit
/// the first-level cache for a map of 8192 cells.
type Few = [[u16; COUNTERS]; 2];

thread_local! {
    /// All zero between two counts: clearing what was used is cheaper than clearing all of it.
    static FEW: RefCell<Box<Few>> = RefCell::new(
        vec![[0; COUNTERS]; 2].into_boxed_slice().try_into().expect("two were made"),
    );
}

/// Adds at most half of the cells, rounded up, to either histogram; the caller sees to it that no counter overflows.
fn count_few(few: &mut Few, cells: &[u16]) {
    let [even, odd] = few;
    let (pairs, rest) = cells.as_chunks::<2>();
    for &[a, b] in pairs {
        even[usize::from(a) % COUNTERS] += 1;
        odd[usize::from(b) % COUNTERS] += 1;
    }
    rest.iter().for_each(|&cell| even[usize::from(cell) % COUNTERS] += 1);
}

/// Moves the counts into `total`.
fn drain(few: &mut Few, total: &mut CellCounts) {
    few.iter_mut().for_each(|counters| add(&mut total.0, counters));
}

trait Counter: Copy + Default + Into<u64> {}
impl Counter for u16 {}
impl Counter for u32 {}

vectorized! {
    /// Moves as many counters as there are sums.
    fn add<C: Counter>(sums: &mut [u64], counters: &mut [C]) {
        for (sum, counter) in sums.iter_mut().zip(counters) {
            *sum += std::mem::take(counter).into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cell_may_hold_more_keys_than_a_counter() {
        let map = CellMap::new(0, 1000, &[7, 500], 64, false);
        let (large, odd) = (vec![7_u32; 300_001], vec![7_u32; 3]);
        let pieces: Vec<&[u32]> = std::iter::once(&large[..]).chain(std::iter::repeat_n(&odd[..], 100_000)).collect();
        let mut found = vec![Vec::new(); pieces.len()];
        let counts = count(&pieces, &map, &mut found);
        assert_eq!((counts.0[map.cell_of(7)], counts.total()), (600_001, 600_001));
    }
}
