//! Counting cells on the host: the twin of `shaders/count_cells.wgsl`.

use crate::counts::{CellCounts, CellMap, Key};
use std::cell::RefCell;

/// Cells of a block of keys are found first and counted after, so that neither loop waits for the other.
const BLOCK: usize = 1024;

/// Counters of one chunk: a power of two, so that an index cut to its bits is known to be in range.
const COUNTERS: usize = 1 << 15;

/// Number of `keys` in each cell of `map`; the cell of every key, which fits u16, is added to `found`.
pub(super) fn count<K: Key>(keys: &[K], map: &CellMap, found: Option<&mut Vec<u16>>) -> CellCounts {
    let n_cells = map.n_cells();
    let mut total = CellCounts::zero(n_cells);
    // A u32 counter holds the keys of one chunk, whatever cell they are in.
    if n_cells <= COUNTERS {
        let mut found = found;
        FEW.with_borrow_mut(|few| {
            for chunk in keys.chunks(1 << 31) {
                cells_of(chunk, map, found.as_deref_mut(), |cells| count_few(few, cells));
                few.iter_mut().for_each(|counters| drain(counters, &mut total));
            }
        });
    } else {
        let mut many = vec![0; n_cells];
        for chunk in keys.chunks(1 << 31) {
            cells_of(chunk, map, None, |cells| cells.iter().for_each(|&cell| many[cell as usize] += 1));
            drain(&mut many, &mut total);
        }
    }
    total
}

/// Shows `count` the cells of all keys, a block at a time.
fn cells_of<K: Key>(keys: &[K], map: &CellMap, mut found: Option<&mut Vec<u16>>, mut count: impl FnMut(&[u32])) {
    let view = map.view::<K>();
    let mut cells = [0_u32; BLOCK];
    for block in keys.chunks(BLOCK) {
        let cells = &mut cells[..block.len()];
        match &view.pivots {
            None => block.iter().zip(&mut *cells).for_each(|(&key, cell)| *cell = view.coarse_cell_of(key)),
            Some(pivots) => block.iter().zip(&mut *cells).for_each(|(&key, cell)| *cell = view.slot_of(key, pivots)),
        }
        count(cells);
        if let Some(found) = &mut found {
            #[expect(clippy::cast_possible_truncation, reason = "the caller asks for cells only where they fit")]
            found.extend(cells.iter().map(|&cell| cell as u16));
        }
    }
}

/// Two histograms, filled by turns: neighbouring keys in one cell would wait for each other's store.
type Few = [[u32; COUNTERS]; 2];

thread_local! {
    /// All zero between two counts: clearing what was used is cheaper than clearing all of it.
    static FEW: RefCell<Box<Few>> = RefCell::new(
        vec![[0; COUNTERS]; 2].into_boxed_slice().try_into().expect("two were made"),
    );
}

fn count_few(few: &mut Few, cells: &[u32]) {
    let [even, odd] = few;
    let (pairs, rest) = cells.as_chunks::<2>();
    for &[a, b] in pairs {
        even[a as usize % COUNTERS] += 1;
        odd[b as usize % COUNTERS] += 1;
    }
    rest.iter().for_each(|&cell| even[cell as usize % COUNTERS] += 1);
}

/// Moves the counts into `total`.
fn drain(counters: &mut [u32], total: &mut CellCounts) {
    for (sum, counter) in total.0.iter_mut().zip(counters) {
        *sum += u64::from(std::mem::take(counter));
    }
}
