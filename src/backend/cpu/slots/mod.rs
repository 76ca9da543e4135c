//! The cells of many keys at once, by a map whose cells fit u16.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

use crate::counts::{CellMap, Key, MapView};
#[cfg(target_arch = "x86_64")]
use crate::vector::{Width, width};

/// Segments of the table: as many as a map has at the most, so that an index cut to its bits is in range.
pub(super) const SEGMENTS: usize = 1024;

/// A map made ready for the counting loop.
pub(super) struct Slots<'m, K> {
    pub(super) view: MapView<'m, K>,
    /// Base and width of a segment in one word, upper and lower half: one look-up a key.
    pub(super) segments: Box<[u32; SEGMENTS]>,
}

/// Keys that a vector unit may find the cells of.
pub(super) trait Lanes: Key {
    /// Writes the cells of the first keys, and returns how many keys those are: whole vectors of the width, which the
    /// processor has, or none.
    #[cfg(target_arch = "x86_64")]
    fn vector(_: &Slots<'_, Self>, _: &[Self], _: &mut [u16], _: Width) -> usize {
        0
    }
}

impl<'m, K: Lanes> Slots<'m, K> {
    /// `None` for a map with a cell beyond u16.
    pub(super) fn new(map: &'m CellMap) -> Option<Self> {
        u16::try_from(map.n_cells()).ok()?;
        let view = map.view::<K>();
        let mut segments = Box::new([0; SEGMENTS]);
        for (word, segment) in segments.iter_mut().zip(view.segments) {
            // All cells of a segment come before the end cell, whatever the fraction.
            assert!(segment.base + segment.width <= view.last, "segments lie within the cells of their map");
            *word = segment.base << 16 | segment.width;
        }
        Some(Self { view, segments })
    }

    /// Writes the cell of every key.
    pub(super) fn of(&self, keys: &[K], cells: &mut [u16]) {
        #[cfg(target_arch = "x86_64")]
        let done = K::vector(self, keys, cells, width());
        #[cfg(not(target_arch = "x86_64"))]
        let done = 0;
        self.rest_of(keys, cells, done);
    }

    /// Writes the cells of the keys but for the first `done`.
    fn rest_of(&self, keys: &[K], cells: &mut [u16], done: usize) {
        let rest = keys[done..].iter().zip(&mut cells[done..]);
        #[expect(clippy::cast_possible_truncation, reason = "the cells of this map fit u16")]
        match &self.view.pivots {
            None => rest.for_each(|(&key, cell)| *cell = self.view.coarse_cell_of(key) as u16),
            Some(pivots) => rest.for_each(|(&key, cell)| *cell = self.view.slot_of(key, pivots) as u16),
        }
    }
}

macro_rules! lanes {
    ($($t:ty, $of:ident;)*) => {$(
        impl Lanes for $t {
            #[cfg(target_arch = "x86_64")]
            fn vector(slots: &Slots<'_, Self>, keys: &[Self], cells: &mut [u16], width: Width) -> usize {
                match width {
                    Width::Avx512 => {
                        let keys = keys.as_chunks().0;
                        #[expect(unsafe_code, reason = "functions for a processor that has AVX-512")]
                        // SAFETY: the caller asked the processor.
                        unsafe { avx512::$of(slots, keys, cells.as_chunks_mut().0) };
                        keys.len() * avx512::LANES
                    }
                    Width::Avx2 => {
                        let keys = keys.as_chunks().0;
                        #[expect(unsafe_code, reason = "functions for a processor that has AVX2")]
                        // SAFETY: the caller asked the processor.
                        unsafe { avx2::$of(slots, keys, cells.as_chunks_mut().0) };
                        keys.len() * avx2::LANES
                    }
                    Width::Common => 0,
                }
            }
        }
    )*};
}
lanes! { u32, of_32; u64, of_64; }

impl Lanes for u128 {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agree<K: Lanes>(keys: &[K], map: &CellMap) {
        let slots = Slots::<K>::new(map).expect("few cells");
        let check = |cells: &[u16], by: &str| {
            for (&key, &cell) in keys.iter().zip(cells) {
                assert_eq!(usize::from(cell), map.cell_of(key.widen()), "{key:?} by {map:?}, {by}");
            }
        };
        let mut cells = vec![0; keys.len()];
        slots.of(keys, &mut cells);
        check(&cells, "as this processor does it");
        #[cfg(target_arch = "x86_64")]
        for narrower in [Width::Common, Width::Avx2].into_iter().filter(|&one| one < width()) {
            cells.fill(0);
            let done = K::vector(&slots, keys, &mut cells, narrower);
            slots.rest_of(keys, &mut cells, done);
            check(&cells, &format!("with {narrower:?} vectors"));
        }
    }

    proptest! {
        #[test]
        fn vectors_find_the_cells_of_the_definition(
            keys in prop::collection::vec(any::<u64>(), 1..200),
            narrow: bool,
            shift in 0_u32..60,
            ends in 0_usize..100,
            cells in 0_u32..9000,
            pivots: bool,
        ) {
            // Few leading bits, so that keys meet each other and the ends of the map.
            let wide: Vec<u64> = keys.iter().map(|key| if narrow { key >> shift << (shift / 2) } else { *key }).collect();
            let short: Vec<u32> = wide.iter().map(|&key| u32::try_from(key & 0xffff_ffff).expect("32 bits")).collect();
            let map = |mut sample: Vec<u128>| {
                sample.sort_unstable();
                let end = ends.min(sample.len() - 1);
                let (lo, hi) = (sample[end / 2], sample[sample.len() - 1 - end / 3]);
                CellMap::new(lo.min(hi), hi.max(lo), &sample, cells, pivots)
            };
            agree(&wide, &map(wide.iter().map(|&key| key.into()).collect()));
            agree(&short, &map(short.iter().map(|&key| key.into()).collect()));
            let widest: Vec<u128> = wide.iter().map(|&key| u128::from(key) << 40).collect();
            agree(&widest, &map(widest.clone()));
        }
    }

    #[test]
    fn every_key_of_a_narrow_type_has_its_cell() {
        let keys: Vec<u32> = (0..70_000).collect();
        for (lo, hi) in [(0, 0), (0, 69_999), (1000, 1000), (17, 66_000), (69_999, 1 << 31)] {
            for pivots in [false, true] {
                let sample: Vec<u128> = (lo..=hi.min(lo + 5000)).collect();
                agree(&keys, &CellMap::new(lo, hi, &sample, 4096, pivots));
            }
        }
        agree(&keys, &CellMap::identity(65_000));
        assert!(Slots::<u32>::new(&CellMap::identity(66_000)).is_none());
    }
}
