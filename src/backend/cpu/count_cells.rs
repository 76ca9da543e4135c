//! Counting cells on the host: the twin of `shaders/count_cells.wgsl`.

use crate::counts::{CellCounts, CellMap, Key};

/// Cells of a block of keys are found first and counted after, so that neither loop waits for the other.
const BLOCK: usize = 1024;

/// Number of `keys` in each cell of `map`.
pub(super) fn count<K: Key>(keys: &[K], map: &CellMap) -> CellCounts {
    let view = map.view::<K>();
    let n_cells = map.n_cells();
    // Two histograms, filled by turns: neighbouring keys in one cell would wait for each other's store.
    let mut even = vec![0_u32; n_cells];
    let mut odd = vec![0_u32; n_cells];
    let mut total = CellCounts::zero(n_cells);
    let mut cells = [0_u32; BLOCK];
    // A u32 counter holds the keys of one chunk, whatever cell they are in.
    for chunk in keys.chunks(1 << 31) {
        for block in chunk.chunks(BLOCK) {
            let cells = &mut cells[..block.len()];
            match &view.pivots {
                None => block.iter().zip(&mut *cells).for_each(|(&key, cell)| *cell = view.coarse_cell_of(key)),
                Some(pivots) => {
                    block.iter().zip(&mut *cells).for_each(|(&key, cell)| *cell = view.slot_of(key, pivots))
                }
            }
            let (pairs, rest) = cells.as_chunks::<2>();
            for &[a, b] in pairs {
                even[a as usize] += 1;
                odd[b as usize] += 1;
            }
            for &cell in rest {
                even[cell as usize] += 1;
            }
        }
        for (sum, (even, odd)) in total.0.iter_mut().zip(even.iter_mut().zip(&mut odd)) {
            *sum += u64::from(std::mem::take(even)) + u64::from(std::mem::take(odd));
        }
    }
    total
}
