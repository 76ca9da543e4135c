//! The monotone map from keys to cells.
//!
//! The keys from `lo` to `hi` are cut into at most 1024 segments of equal length, a power of two; a segment is cut
//! into `width` cells of (nearly) equal length. Dense segments get many cells, empty ones get one. Only the leading
//! bits of `key - lo` matter (10 for the segment, at most 16 within it), so one subtraction and one shift turn a key of any width
//! into 32-bit arithmetic:
//!
//! ```text
//!     top      = (key - lo) >> shift                      at most 26 bits
//!     segment  = top >> fraction_bits
//!     fraction = top & (2^fraction_bits - 1)
//!     cell     = base[segment] + ((fraction * width[segment]) >> fraction_bits)
//! ```
//!
//! The map is monotone whatever it was made from, so counting with it is exact whatever it was made from: a bad
//! sample costs time, never a digit.

use super::Key;
use std::sync::Arc;

const MAX_SEGMENTS: u32 = 1024;
const MAX_FRACTION_BITS: u32 = 16;

/// One segment of a [`CellMap`]: its first cell and how many it has. Laid out as two GPU words.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Index of the segment's first cell; inner cells begin at 1.
    pub base: u32,
    /// Number of cells, 1 to 2^`fraction_bits`.
    pub width: u32,
}

/// A monotone map from keys to cells: cell 0 holds keys below `lo`, the last cell keys above `hi`.
///
/// With pivots every cell is cut in three (below, at, above its pivot), see the [module](super).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellMap {
    lo: u128,
    hi: u128,
    shift: u32,
    fraction_bits: u32,
    segments: Arc<[Segment]>,
    pivots: Option<Arc<[u128]>>,
}

impl CellMap {
    /// A map of about `cells` inner cells over the keys `lo..=hi`, with cells narrow where `sample` is dense.
    ///
    /// `sample` is sorted ascending; keys outside `lo..=hi` are ignored. `pivots` asks for a pivot in every cell: the
    /// most frequent key of the sample in it.
    #[must_use]
    pub fn new(lo: u128, hi: u128, sample: &[u128], cells: u32, pivots: bool) -> Self {
        let hi = hi.max(lo);
        let span = hi - lo;
        let bits = 128 - span.leading_zeros();
        let segment_bits = bits.saturating_sub(MAX_SEGMENTS.trailing_zeros());
        let fraction_bits = segment_bits.min(MAX_FRACTION_BITS);
        let shift = segment_bits - fraction_bits;
        let mut map = Self { lo, hi, shift, fraction_bits, segments: Arc::new([]), pivots: None };
        let n_segments = (map.top(hi) >> fraction_bits) + 1;
        map.fill_segments(n_segments, sample, cells);
        if pivots {
            map.pivots = Some(map.pivots_from(sample));
        }
        map
    }

    /// One cell a key for the keys `0..n`: the map of category codes. `n` is at most 2^26.
    #[must_use]
    pub fn identity(n: u32) -> Self {
        let hi = u128::from(n.max(1) - 1);
        let mut map = Self::new(0, hi, &[], 0, false);
        debug_assert_eq!(map.shift, 0, "codes beyond 2^26");
        let width = 1 << map.fraction_bits;
        let mut base = 1;
        let segment = |_| {
            base += width;
            Segment { base: base - width, width }
        };
        map.segments = (0..map.segments.len()).map(segment).collect();
        map
    }

    /// The map whose segments have these numbers of cells, with pivots at these cells; [`widths`](Self::widths) and
    /// [`set_pivots`](Self::set_pivots) of a map give it back. `None` where no map can have them.
    #[must_use]
    pub fn from_parts(lo: u128, hi: u128, widths: &[u16], pivots: Option<&[(u32, u128)]>) -> Option<Self> {
        if hi < lo {
            return None;
        }
        let mut map = Self::new(lo, hi, &[], 0, false);
        if widths.len() != map.segments.len() {
            return None;
        }
        let mut base = 1_u32;
        let mut segments = Vec::with_capacity(widths.len());
        for width in widths.iter().copied().map(u32::from) {
            if width == 0 || width > 1 << map.fraction_bits {
                return None;
            }
            segments.push(Segment { base, width });
            base += width;
        }
        map.segments = segments.into();
        if let Some(set) = pivots {
            let mut all = vec![0; map.coarse_cells() as usize];
            for &(cell, pivot) in set {
                if pivot < lo || pivot > hi || map.coarse_cell_of(pivot) != cell {
                    return None;
                }
                all[cell as usize] = pivot;
            }
            map.pivots = Some(all.into());
        }
        Some(map)
    }

    /// Number of cells of each segment.
    ///
    /// # Panics
    /// For a map of category codes, whose segments are wider.
    #[must_use]
    pub fn widths(&self) -> Vec<u16> {
        self.segments.iter().map(|segment| u16::try_from(segment.width).expect("fitted from a sample")).collect()
    }

    /// The pivots that cut a cell, with their cells; `None` for a map without pivots.
    #[must_use]
    pub fn set_pivots(&self) -> Option<Vec<(u32, u128)>> {
        let set =
            |(cell, &pivot): (usize, &u128)| (pivot != 0).then(|| Some((u32::try_from(cell).ok()?, pivot))).flatten();
        self.pivots.as_ref().map(|pivots| pivots.iter().enumerate().filter_map(set).collect())
    }

    fn fill_segments(&mut self, n_segments: u32, sample: &[u128], cells: u32) {
        let mut in_segment = vec![0_u64; n_segments as usize];
        let mut total = 0_u64;
        for &key in sample.iter().filter(|&&key| key >= self.lo && key <= self.hi) {
            in_segment[(self.top(key) >> self.fraction_bits) as usize] += 1;
            total += 1;
        }
        let spare = u64::from(cells.saturating_sub(n_segments));
        let widest = (1_u64 << self.fraction_bits).min(u64::from(u16::MAX));
        let mut base = 1;
        let segment = |count: u64| {
            let share = (spare * count).checked_div(total).unwrap_or(spare / u64::from(n_segments));
            let width = u32::try_from((1 + share).min(widest)).unwrap_or(u32::MAX);
            base += width;
            Segment { base: base - width, width }
        };
        self.segments = in_segment.into_iter().map(segment).collect();
    }

    /// The most frequent key of the sample in each cell. A cell without any gets pivot 0, which has every key above it (or at it):
    /// the cell stays whole.
    fn pivots_from(&self, sample: &[u128]) -> Arc<[u128]> {
        let mut pivots = vec![0; self.coarse_cells() as usize];
        let mut best = vec![0_usize; pivots.len()];
        for run in sample.chunk_by(|a, b| a == b) {
            let cell = self.coarse_cell_of(run[0]) as usize;
            if run.len() > best[cell] {
                best[cell] = run.len();
                pivots[cell] = run[0];
            }
        }
        pivots.into()
    }

    /// Whether this is the very map that `other` was cloned from, or the other way round. Equal maps that were made apart are not.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let same_pivots = match (&self.pivots, &other.pivots) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        same_pivots && Arc::ptr_eq(&self.segments, &other.segments) && self.lo == other.lo && self.hi == other.hi
    }

    /// Lowest key of the inner cells.
    #[must_use]
    pub fn lo(&self) -> u128 {
        self.lo
    }

    /// Highest key of the inner cells.
    #[must_use]
    pub fn hi(&self) -> u128 {
        self.hi
    }

    /// How far `key - lo` is shifted to the right.
    #[must_use]
    pub fn shift(&self) -> u32 {
        self.shift
    }

    /// Bits that tell the place within a segment, 0 to 16.
    #[must_use]
    pub fn fraction_bits(&self) -> u32 {
        self.fraction_bits
    }

    /// The segments, at most 1024.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// One key a coarse cell, where the map has pivots: a key of the cell, or 0 for a cell that is not cut.
    #[must_use]
    pub fn pivots(&self) -> Option<&[u128]> {
        self.pivots.as_deref()
    }

    /// Cells before pivots cut them: the inner ones, and one at either end.
    #[must_use]
    pub fn coarse_cells(&self) -> u32 {
        self.segments.last().map_or(1, |last| last.base + last.width) + 1
    }

    /// Number of cells.
    #[must_use]
    pub fn n_cells(&self) -> usize {
        self.coarse_cells() as usize * if self.pivots.is_some() { 3 } else { 1 }
    }

    fn top(&self, key: u128) -> u32 {
        let distance = key - self.lo;
        // Wide shifts take several times as long.
        match u64::try_from(distance) {
            Ok(distance) if self.shift < u64::BITS => distance.offset(0, self.shift),
            _ => distance.offset(0, self.shift),
        }
    }

    fn coarse_cell_of(&self, key: u128) -> u32 {
        if key < self.lo {
            return 0;
        }
        if key > self.hi {
            return self.coarse_cells() - 1;
        }
        let top = self.top(key);
        let segment = self.segments[(top >> self.fraction_bits) as usize];
        let fraction = top & ((1 << self.fraction_bits) - 1);
        segment.base + ((fraction * segment.width) >> self.fraction_bits)
    }

    /// The cell of `key`. The definition that every backend must equal.
    #[must_use]
    pub fn cell_of(&self, key: u128) -> usize {
        let coarse = self.coarse_cell_of(key) as usize;
        self.pivots.as_ref().map_or(coarse, |pivots| {
            3 * coarse + usize::from(key >= pivots[coarse]) + usize::from(key > pivots[coarse])
        })
    }

    /// First and last key of `cell`, or `None` for a cell that can hold no key.
    ///
    /// The end cells reach to 0 and to `u128::MAX`, whatever the width of the keys.
    #[must_use]
    pub fn bounds(&self, cell: usize) -> Option<(u128, u128)> {
        let parts = if self.pivots.is_some() { 3 } else { 1 };
        let coarse = u32::try_from(cell / parts).ok()?;
        let (first, last) = self.coarse_bounds(coarse);
        if first > last || (coarse == 0 && self.lo == 0) {
            return None;
        }
        let Some(pivots) = &self.pivots else { return Some((first, last)) };
        let pivot = pivots[coarse as usize];
        match cell % parts {
            0 => (first < pivot).then(|| (first, pivot - 1)),
            1 => (first <= pivot && pivot <= last).then_some((pivot, pivot)),
            _ => (pivot < last).then(|| (first.max(pivot + 1), last)),
        }
    }

    /// First and last key of a coarse cell; first > last for one that is empty.
    fn coarse_bounds(&self, cell: u32) -> (u128, u128) {
        if cell == 0 {
            return (0, self.lo.saturating_sub(1));
        }
        if cell >= self.coarse_cells() - 1 {
            return self.hi.checked_add(1).map_or((u128::MAX, 0), |first| (first, u128::MAX));
        }
        let index = self.segments.partition_point(|segment| segment.base <= cell) - 1;
        let segment = self.segments[index];
        let first_top = |within: u32| -> u128 {
            let fraction = ((u64::from(within) << self.fraction_bits).div_ceil(u64::from(segment.width))) as u128;
            ((index as u128) << self.fraction_bits) + fraction
        };
        let within = cell - segment.base;
        // Above the highest key of all there is none, so a cell that would begin there is empty.
        let start_of = |within: u32| -> Option<u128> {
            let top = first_top(within);
            let offset = top << self.shift;
            (offset >> self.shift == top).then(|| self.lo.checked_add(offset)).flatten()
        };
        let last = start_of(within + 1).map_or(self.hi, |next| (next - 1).min(self.hi));
        start_of(within).map_or((u128::MAX, 0), |first| (first, last))
    }

    /// The map with its parts in the width of the keys, for the counting loops.
    #[must_use]
    pub fn view<K: Key>(&self) -> MapView<'_, K> {
        let widest = u128::MAX >> (128 - K::BITS);
        MapView {
            lo: K::narrow(self.lo),
            hi: K::narrow(self.hi.min(widest)),
            shift: self.shift,
            fraction_bits: self.fraction_bits,
            segments: &self.segments,
            last: self.coarse_cells() - 1,
            pivots: self.pivots.as_ref().map(|pivots| pivots.iter().map(|&p| K::narrow(p.min(widest))).collect()),
        }
    }
}

/// A [`CellMap`] in the width of the keys it is used on.
#[derive(Clone, Debug)]
pub struct MapView<'m, K> {
    /// Lowest key of the inner cells.
    pub lo: K,
    /// Highest key of the inner cells.
    pub hi: K,
    /// How far `key - lo` is shifted to the right.
    pub shift: u32,
    /// Bits that tell the place within a segment.
    pub fraction_bits: u32,
    /// At most 1024 segments.
    pub segments: &'m [Segment],
    /// Index of the last coarse cell, the one above `hi`.
    pub last: u32,
    /// One pivot a coarse cell.
    pub pivots: Option<Vec<K>>,
}

impl<K: Key> MapView<'_, K> {
    /// The cell before pivots cut it.
    ///
    /// The two branches are taken for few keys, if any: they cost less than doing without them.
    #[inline(always)]
    pub fn coarse_cell_of(&self, key: K) -> u32 {
        if key < self.lo {
            return 0;
        }
        if key > self.hi {
            return self.last;
        }
        let top = key.offset(self.lo, self.shift);
        let segment = self.segments[(top >> self.fraction_bits) as usize];
        let fraction = top & ((1 << self.fraction_bits) - 1);
        segment.base + ((fraction * segment.width) >> self.fraction_bits)
    }

    /// The cell of `key`, cut at `pivots`.
    #[inline(always)]
    pub fn slot_of(&self, key: K, pivots: &[K]) -> u32 {
        let cell = self.coarse_cell_of(key);
        let pivot = pivots[cell as usize];
        3 * cell + u32::from(key >= pivot) + u32::from(key > pivot)
    }
}
