//! Properties of the map that all backends share.

mod support;

use gpudrift::counts::CellMap;
use proptest::prelude::*;
use support::cases::{self, SPREADS};

/// A map of any kind over keys of `bits`, and some of those keys.
fn maps() -> impl Strategy<Value = (CellMap, Vec<u128>)> {
    let sample = (0..3_usize, 0..SPREADS.len(), 0..400_usize, any::<u64>());
    (sample, 0..3000_u32, any::<bool>(), any::<bool>()).prop_map(|((width, spread, n, seed), cells, pivots, whole)| {
        let bits = [32, 64, 128][width];
        let max = u128::MAX >> (128 - bits);
        let mut keys = cases::keys(SPREADS[spread], bits, n, seed);
        let map = if whole {
            let mut sample = keys.clone();
            sample.sort_unstable();
            CellMap::new(0, max, &sample, cells, pivots)
        } else {
            cases::map_of(&keys, cells, pivots)
        };
        keys.extend([0, max, map.lo(), map.hi(), map.lo().saturating_sub(1), map.hi().saturating_add(1).min(max)]);
        keys.sort_unstable();
        (map, keys)
    })
}

proptest! {
    #[test]
    fn cells_never_fall_as_keys_rise((map, keys) in maps()) {
        let cells: Vec<usize> = keys.iter().map(|&key| map.cell_of(key)).collect();
        prop_assert!(cells.is_sorted());
        prop_assert!(cells.iter().all(|&cell| cell < map.n_cells()));
    }

    #[test]
    fn a_key_is_within_the_bounds_of_its_cell((map, keys) in maps()) {
        for key in keys {
            let cell = map.cell_of(key);
            let bounds = map.bounds(cell);
            prop_assert!(bounds.is_some_and(|(first, last)| first <= key && key <= last), "{key} in {cell}: {bounds:?}");
        }
    }

    #[test]
    fn bounds_are_what_cell_of_says_and_leave_no_gap((map, _) in maps()) {
        let mut next = Some(0_u128);
        for cell in 0..map.n_cells() {
            let Some((first, last)) = map.bounds(cell) else { continue };
            prop_assert_eq!(Some(first), next, "cell {}", cell);
            prop_assert!(first <= last);
            prop_assert_eq!(map.cell_of(first), cell);
            prop_assert_eq!(map.cell_of(last), cell);
            next = last.checked_add(1);
        }
        prop_assert_eq!(next, None, "the last cell reaches the highest key");
    }
}

#[test]
fn identity_gives_every_code_a_cell_of_its_own() {
    for n in [1_u32, 2, 1023, 1024, 1025, 2048, 100_000] {
        let map = CellMap::identity(n);
        let mut cells: Vec<usize> = (0..n).map(|code| map.cell_of(code.into())).collect();
        cells.dedup();
        assert_eq!(cells.len(), n as usize, "{n}");
        assert!(cells.is_sorted());
    }
}

#[test]
fn the_highest_keys_of_128_bits_have_a_cell() {
    for pivots in [false, true] {
        let map = CellMap::new(0, u128::MAX, &[], 2000, pivots);
        let cell = map.cell_of(u128::MAX);
        assert_eq!(map.bounds(cell).map(|(_, last)| last), Some(u128::MAX));
    }
}
