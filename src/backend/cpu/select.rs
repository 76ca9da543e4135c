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
            None => compact(keys, |key| flags[view.coarse_cell_of(key) as usize]),
            Some(pivots) => compact(keys, |key| flags[view.slot_of(key, pivots) as usize]),
        }
    }
    match keys {
        Keys::U32(k) => Keys::U32(find(&k[range], map, wanted)),
        Keys::U64(k) => Keys::U64(find(&k[range], map, wanted)),
        Keys::U128(k) => Keys::U128(find(&k[range], map, wanted)),
    }
}

/// The wanted cells: one flag for every u16, so that no index has to be checked.
pub(super) struct Flags(Box<[bool; 1 << 16]>);

impl Flags {
    pub(super) fn of(wanted: &CellSet) -> Self {
        let mut flags = vec![false; 1 << 16];
        flags[..wanted.flags().len()].copy_from_slice(wanted.flags());
        Self(flags.into_boxed_slice().try_into().expect("it was made as long as this"))
    }

    /// [`by_map`] where the cell of every key of the range is known.
    pub(super) fn gather(&self, keys: &Keys, range: Range<usize>, cells: &[u16]) -> Keys {
        match keys {
            Keys::U32(k) => Keys::U32(gather(&k[range], cells, &self.0)),
            Keys::U64(k) => Keys::U64(gather(&k[range], cells, &self.0)),
            Keys::U128(k) => Keys::U128(gather(&k[range], cells, &self.0)),
        }
    }
}

/// The keys whose cells are wanted.
///
/// Most often none of eight is, and that takes one branch to see. Otherwise all are written, and the place moves on only
/// where a key is wanted: a branch for each would be mispredicted.
fn gather<K: Key>(keys: &[K], cells: &[u16], flags: &[bool; 1 << 16]) -> Vec<K> {
    const BLOCK: usize = 1024;
    let mut found = Vec::new();
    let mut block = [K::default(); BLOCK];
    let mut n = 0;
    let (key_groups, key_rest) = keys.as_chunks::<8>();
    let (groups, rest) = cells.as_chunks::<8>();
    for (keys, cells) in key_groups.iter().zip(groups) {
        let mut any = false;
        for &cell in cells {
            any |= flags[usize::from(cell)];
        }
        if any {
            for lane in 0..8 {
                block[n % BLOCK] = keys[lane];
                n += usize::from(flags[usize::from(cells[lane])]);
            }
            if n > BLOCK - 8 {
                found.extend_from_slice(&block[..n]);
                n = 0;
            }
        }
    }
    found.extend_from_slice(&block[..n]);
    found.extend(key_rest.iter().zip(rest).filter(|(_, cell)| flags[usize::from(**cell)]).map(|(&key, _)| key));
    found
}

/// The keys that are wanted.
///
/// Branch-free: every key is written, and the place moves on only where the key is wanted. Wanted keys come at random, so
/// a branch would be mispredicted for most of them.
fn compact<K: Key>(keys: &[K], wanted: impl Fn(K) -> bool) -> Vec<K> {
    const BLOCK: usize = 1024;
    let mut found = Vec::new();
    let mut block_found = [K::default(); BLOCK];
    for block in keys.chunks(BLOCK) {
        let mut n = 0;
        for &key in block {
            block_found[n % BLOCK] = key;
            n += usize::from(wanted(key));
        }
        found.extend_from_slice(&block_found[..n]);
    }
    found
}

/// The parts as one piece; empty and of width `bits` when there is none.
pub(super) fn joined(bits: u32, mut parts: impl Iterator<Item = Keys>) -> Keys {
    let mut all = parts.next().unwrap_or_else(|| Keys::empty(bits));
    parts.for_each(|part| all.append(&part));
    all
}

/// The parts as one piece, ascending; empty and of width `bits` when there is none.
pub(super) fn sorted(bits: u32, parts: Vec<Keys>) -> Keys {
    let mut all = joined(bits, parts.into_iter());
    if all.len() > RADIX_KEYS {
        with_keys!(&mut all, k => k.radix_sort_unstable());
    } else {
        with_keys!(&mut all, k => k.sort_unstable());
    }
    all
}
