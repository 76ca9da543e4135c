//! Counting cells on the host: the twin of `shaders/count_cells.wgsl`.

use std::cell::RefCell;

use super::slots::{Lanes, Slots};
use crate::counts::{CellCounts, CellMap};

/// Cells of a block of keys are found first and counted after, so that neither loop waits for the other.
const BLOCK: usize = 1024;

/// Counters of one chunk: a power of two, so that an index cut to its bits is known to be in range.
const COUNTERS: usize = 1 << 15;

/// Whether a map has so few cells that [`count`] also tells the cell of every key.
pub(super) fn tells(map: &CellMap) -> bool {
    map.n_cells() <= COUNTERS
}

/// Number of `keys` in each cell of `map`; where the map [tells], `found` gets the cell of every key.
pub(super) fn count<K: Lanes>(keys: &[K], map: &CellMap, found: &mut Vec<u16>) -> CellCounts {
    let n_cells = map.n_cells();
    let mut total = CellCounts::zero(n_cells);
    // A u32 counter holds the keys of one chunk, whatever cell they are in.
    const CHUNK: usize = 1 << 31;
    let slots = if tells(map) { Slots::new(map) } else { None };
    let Some(slots) = slots else {
        let (view, mut many) = (map.view::<K>(), vec![0; n_cells]);
        for keys in keys.chunks(CHUNK) {
            match &view.pivots {
                None => keys.iter().for_each(|&key| many[view.coarse_cell_of(key) as usize] += 1),
                Some(pivots) => keys.iter().for_each(|&key| many[view.slot_of(key, pivots) as usize] += 1),
            }
            drain([&mut many, &mut []], &mut total);
        }
        return total;
    };
    // What a used vector holds beyond is overwritten, so only growing costs.
    found.resize(keys.len(), 0);
    FEW.with_borrow_mut(|few| {
        for (keys, found) in keys.chunks(CHUNK).zip(found.chunks_mut(CHUNK)) {
            for (keys, cells) in keys.chunks(BLOCK).zip(found.chunks_mut(BLOCK)) {
                slots.of(keys, cells);
                count_few(few, cells);
            }
            let [even, odd] = &mut **few;
            drain([even, odd], &mut total);
        }
    });
    total
}

/// Two histograms, filled by turns: neighbouring keys in one cell would wait for each other's store.
type Few = [[u32; COUNTERS]; 2];

thread_local! {
    /// All zero between two counts: clearing what was used is cheaper than clearing all of it.
    static FEW: RefCell<Box<Few>> = RefCell::new(
        vec![[0; COUNTERS]; 2].into_boxed_slice().try_into().expect("two were made"),
    );
}

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
fn drain([even, odd]: [&mut [u32]; 2], total: &mut CellCounts) {
    let n = total.0.len();
    for (sum, counter) in total.0.iter_mut().zip(&mut *even) {
        *sum += u64::from(*counter);
    }
    for (sum, counter) in total.0.iter_mut().zip(&mut *odd) {
        *sum += u64::from(*counter);
    }
    for counters in [even, odd] {
        let used = counters.len().min(n);
        counters[..used].fill(0);
    }
}
