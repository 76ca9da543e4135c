//! How the keys of a window are cut into tiles, and tiles into dispatches.

use super::layout::Part;
use super::tables::Tile;
use std::ops::Range;

/// Tiles below this many keys are not worth a workgroup that loads a map.
const MIN_TILE: u64 = 1 << 12;

/// How large tiles should be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cutting {
    /// Tiles that a window should give, so that every processor of the device has some.
    pub(super) wanted: u64,
    /// A size that a test asks for.
    pub(super) forced: Option<u32>,
}

impl Cutting {
    /// Keys a tile for `n` keys in all and maps of `cells` cells, at most `most`.
    pub(super) fn tile_keys(self, n: u64, cells: usize, most: u32) -> u32 {
        // Every tile clears and flushes its cells, so it should have several times as many keys.
        let least = (4 * cells as u64).clamp(MIN_TILE, u64::from(most).max(MIN_TILE));
        let even = n.div_ceil(self.wanted).max(least);
        let keys = u32::try_from(even).unwrap_or(most).min(most);
        self.forced.map_or(keys, |forced| forced.clamp(1, most))
    }
}

/// Cuts `part` of `job` into tiles of `keys` keys.
pub(super) fn cut(tiles: &mut Vec<Tile>, job: u32, part: Part, keys: u32) {
    let mut first = part.first;
    let end = part.first + part.n;
    while first < end {
        let n = u64::from(keys).min(end - first);
        let word = |n: u64| u32::try_from(n).expect("a window holds fewer than 2^31 keys");
        tiles.push(Tile { job, first: word(first), n: word(n) });
        first += n;
    }
}

/// Ranges of `tiles` of at most `budget` keys each (or one tile): what one submission may hold.
pub(super) fn dispatches(tiles: &[Tile], budget: u64) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut keys) = (0, 0_u64);
    for (index, tile) in tiles.iter().enumerate() {
        if index > start && keys + u64::from(tile.n) > budget {
            ranges.push(start..index);
            (start, keys) = (index, 0);
        }
        keys += u64::from(tile.n);
    }
    if start < tiles.len() {
        ranges.push(start..tiles.len());
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_a_part_without_gaps() {
        let mut tiles = Vec::new();
        cut(&mut tiles, 3, Part { window: 0, first: 7, n: 25 }, 10);
        let spans: Vec<_> = tiles.iter().map(|tile| (tile.job, tile.first, tile.n)).collect();
        assert_eq!(spans, [(3, 7, 10), (3, 17, 10), (3, 27, 5)]);
    }

    #[test]
    fn dispatches_stay_within_the_budget_and_miss_no_tile() {
        let tiles: Vec<Tile> = (0..10).map(|i| Tile { job: 0, first: 0, n: if i == 4 { 99 } else { 10 } }).collect();
        assert_eq!(dispatches(&tiles, 25), [0..2, 2..4, 4..5, 5..7, 7..9, 9..10]);
        assert_eq!(dispatches(&tiles, u64::MAX), std::slice::from_ref(&(0..10)));
        assert!(dispatches(&[], 25).is_empty());
    }

    #[test]
    fn a_tile_never_exceeds_what_its_kernel_can_count() {
        for n in [1, 1 << 12, 1 << 20, 1 << 30] {
            for cells in [1, 10_000, 1_000_000] {
                let free = Cutting { wanted: 1024, forced: None };
                assert!((1..=65_280).contains(&free.tile_keys(n, cells, 65_280)));
                let forced = Cutting { forced: Some(1 << 20), ..free };
                assert_eq!(forced.tile_keys(n, cells, 65_280), 65_280);
            }
        }
        assert_eq!(Cutting { wanted: 1024, forced: None }.tile_keys(5, 5, 100), 100);
    }
}
