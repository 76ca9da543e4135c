//! Fetching the keys of some cells on the host: the twin of `shaders/select.wgsl`.

use crate::counts::{CellMap, CellSet, Key, Keys, MapView, with_keys};
use rdst::RadixSort;
use std::ops::Range;

/// From this many keys on a radix sort is quicker than a comparing one.
const RADIX_KEYS: usize = 1 << 14;

/// Keys of `keys[range]` in the wanted cells, in the order in which they stand.
pub(super) fn select(keys: &Keys, range: Range<usize>, map: &CellMap, wanted: &CellSet) -> Keys {
    match keys {
        Keys::U32(k) => Keys::U32(select_keys(&k[range], map, wanted)),
        Keys::U64(k) => Keys::U64(select_keys(&k[range], map, wanted)),
        Keys::U128(k) => Keys::U128(select_keys(&k[range], map, wanted)),
    }
}

fn select_keys<K: Key>(keys: &[K], map: &CellMap, wanted: &CellSet) -> Vec<K> {
    let view: MapView<'_, K> = map.view();
    let flags = wanted.flags();
    match &view.pivots {
        None => compact(keys, |key| flags[view.coarse_cell_of(key) as usize]),
        Some(pivots) => compact(keys, |key| flags[view.slot_of(key, pivots) as usize]),
    }
}

/// Branch-free: every key is written, and the place moves on only where the key is wanted. Wanted keys are rare and
/// come at random, so a branch would be mispredicted for most of them.
fn compact<K: Key>(keys: &[K], wanted: impl Fn(K) -> bool) -> Vec<K> {
    const BLOCK: usize = 1024;
    let mut found = Vec::new();
    let mut block_found = [K::default(); BLOCK];
    for block in keys.chunks(BLOCK) {
        let mut n = 0;
        for &key in block {
            block_found[n] = key;
            n += usize::from(wanted(key));
        }
        found.extend_from_slice(&block_found[..n]);
    }
    found
}

/// The parts as one piece, ascending; empty and of width `bits` when there is none.
pub(super) fn sorted(bits: u32, parts: Vec<Keys>) -> Keys {
    let mut all = Keys::with_capacity(bits, parts.iter().map(Keys::len).sum());
    parts.iter().for_each(|part| all.append(part));
    if all.len() > RADIX_KEYS {
        with_keys!(&mut all, k => k.radix_sort_unstable());
    } else {
        with_keys!(&mut all, k => k.sort_unstable());
    }
    all
}
