//! Fetching the keys of some cells on the host: the twin of `shaders/select.wgsl`.

use crate::counts::{CellMap, CellSet, Key, Keys, MapView, with_keys};
use rdst::RadixSort;
use std::ops::Range;

/// From this many keys on a radix sort is quicker than a comparing one.
const RADIX_KEYS: usize = 1 << 14;

/// Keys of `keys[range]` in the wanted cells, in the order in which they stand.
pub(super) fn by_map(keys: &Keys, range: Range<usize>, map: &CellMap, wanted: &CellSet) -> Keys {
    fn find<K: Key>(keys: &[K], map: &CellMap, wanted: &CellSet) -> Vec<K> {
        let view: MapView<'_, K> = map.view();
        let flags = wanted.flags();
        match &view.pivots {
            None => compact(keys, keys, |&key| flags[view.coarse_cell_of(key) as usize]),
            Some(pivots) => compact(keys, keys, |&key| flags[view.slot_of(key, pivots) as usize]),
        }
    }
    match keys {
        Keys::U32(k) => Keys::U32(find(&k[range], map, wanted)),
        Keys::U64(k) => Keys::U64(find(&k[range], map, wanted)),
        Keys::U128(k) => Keys::U128(find(&k[range], map, wanted)),
    }
}

/// The same where the cell of every key of the range is known.
pub(super) fn by_cells(keys: &Keys, range: Range<usize>, cells: &[u16], wanted: &CellSet) -> Keys {
    // One flag for every u16, so that no index has to be checked.
    let mut flags = vec![false; 1 << 16];
    flags[..wanted.flags().len()].copy_from_slice(wanted.flags());
    let flags: &[bool; 1 << 16] = flags.as_slice().try_into().expect("it was made as long as this");
    let wanted = |&cell: &u16| flags[usize::from(cell)];
    match keys {
        Keys::U32(k) => Keys::U32(compact(&k[range], cells, wanted)),
        Keys::U64(k) => Keys::U64(compact(&k[range], cells, wanted)),
        Keys::U128(k) => Keys::U128(compact(&k[range], cells, wanted)),
    }
}

/// The keys whose companion in `by` is wanted.
///
/// Branch-free: every key is written, and the place moves on only where the key is wanted. Wanted keys are rare and come at random, so
/// a branch would be mispredicted for most of them.
fn compact<K: Key, B>(keys: &[K], by: &[B], wanted: impl Fn(&B) -> bool) -> Vec<K> {
    const BLOCK: usize = 1024;
    let mut found = Vec::new();
    let mut block_found = [K::default(); BLOCK];
    for (block, by) in keys.chunks(BLOCK).zip(by.chunks(BLOCK)) {
        let mut n = 0;
        for (&key, by) in block.iter().zip(by) {
            block_found[n % BLOCK] = key;
            n += usize::from(wanted(by));
        }
        found.extend_from_slice(&block_found[..n]);
    }
    found
}

/// The parts as one piece, ascending; empty and of width `bits` when there is none.
pub(super) fn sorted(bits: u32, parts: &[Keys]) -> Keys {
    let mut all = Keys::with_capacity(bits, parts.iter().map(Keys::len).sum());
    parts.iter().for_each(|part| all.append(part));
    if all.len() > RADIX_KEYS {
        with_keys!(&mut all, k => k.radix_sort_unstable());
    } else {
        with_keys!(&mut all, k => k.sort_unstable());
    }
    all
}
