//! The cells of eight keys at a time, with AVX2: the same arithmetic as [`MapView`](crate::counts::MapView), lane by lane.
//!
//! Compilers do not make table look-ups of vectors out of the scalar loop, and the look-ups are what it spends its time
//! with. This file and its sibling hold the crate's only vector instructions; a test compares them with the definition.

use std::arch::x86_64::*;

use bytemuck::cast;

use super::{SEGMENTS, Slots};
use crate::counts::Key;

/// Keys at a time.
pub(super) const LANES: usize = 8;

/// What all keys of a map share.
#[derive(Clone, Copy)]
struct Shared {
    shift: __m128i,
    fraction_bits: __m128i,
    fraction: __m256i,
    last: __m256i,
}

impl Shared {
    #[target_feature(enable = "avx2")]
    fn new<K: Key>(slots: &Slots<'_, K>) -> Self {
        let view = &slots.view;
        Self {
            shift: _mm_cvtsi32_si128(view.shift.cast_signed()),
            fraction_bits: _mm_cvtsi32_si128(view.fraction_bits.cast_signed()),
            fraction: splat((1 << view.fraction_bits) - 1),
            last: splat(view.last),
        }
    }

    /// Cells of keys whose leading bits are `top`; the first where `below`, the last where `above`.
    #[target_feature(enable = "avx2")]
    fn cells(self, segments: &[u32; SEGMENTS], top: __m256i, below: __m256i, above: __m256i) -> __m256i {
        const ALL: u32 = 0x3ff;
        const { assert!(SEGMENTS == 1 << ALL.trailing_ones()) };
        let index = _mm256_and_si256(_mm256_srl_epi32(top, self.fraction_bits), splat(ALL));
        #[expect(unsafe_code, reason = "a look-up for every lane")]
        // SAFETY: an index was cut to the bits of the table's length, which is a power of two.
        let segment = unsafe { _mm256_i32gather_epi32::<4>(segments.as_ptr().cast(), index) };
        let width = _mm256_and_si256(segment, splat(0xffff));
        let within = _mm256_mullo_epi32(_mm256_and_si256(top, self.fraction), width);
        let cell = _mm256_add_epi32(_mm256_srli_epi32::<16>(segment), _mm256_srl_epi32(within, self.fraction_bits));
        _mm256_blendv_epi8(_mm256_andnot_si256(below, cell), self.last, above)
    }
}

#[target_feature(enable = "avx2")]
fn splat(word: u32) -> __m256i {
    _mm256_set1_epi32(word.cast_signed())
}

/// The lower halves of eight words, in their order.
#[target_feature(enable = "avx2")]
fn lower(a: __m256i, b: __m256i) -> __m256i {
    let halves = _mm256_shuffle_ps::<0b10_00_10_00>(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b));
    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_castps_si256(halves))
}

/// Three times `cell`, minus what is -1 where the key is not below its pivot, and minus what is -1 where it is above.
#[target_feature(enable = "avx2")]
fn slot(cell: __m256i, at_least: __m256i, above: __m256i) -> __m256i {
    let thrice = _mm256_add_epi32(cell, _mm256_add_epi32(cell, cell));
    _mm256_sub_epi32(_mm256_sub_epi32(thrice, at_least), above)
}

/// Cells, each of which fits 16 bits.
#[target_feature(enable = "avx2")]
fn narrow(cells: __m256i) -> [u16; LANES] {
    let packed = _mm256_permute4x64_epi64::<0b10_00>(_mm256_packus_epi32(cells, cells));
    cast(_mm256_castsi256_si128(packed))
}

#[target_feature(enable = "avx2")]
fn not(mask: __m256i) -> __m256i {
    _mm256_xor_si256(mask, splat(u32::MAX))
}

#[target_feature(enable = "avx2")]
pub(super) fn of_32(slots: &Slots<'_, u32>, keys: &[[u32; LANES]], cells: &mut [[u16; LANES]]) {
    let (view, shared) = (&slots.view, Shared::new(slots));
    let (lo, hi) = (splat(view.lo), splat(view.hi));
    let pivots = view.pivots.as_deref().inspect(|pivots| assert!(pivots.len() > view.last as usize, "one a cell"));
    for (keys, cells) in keys.iter().zip(cells) {
        let keys: __m256i = cast(*keys);
        let below = not(_mm256_cmpeq_epi32(_mm256_max_epu32(keys, lo), keys));
        let above = not(_mm256_cmpeq_epi32(_mm256_min_epu32(keys, hi), keys));
        let top = _mm256_srl_epi32(_mm256_sub_epi32(keys, lo), shared.shift);
        let cell = shared.cells(&slots.segments, top, below, above);
        *cells = narrow(match pivots {
            None => cell,
            Some(pivots) => {
                #[expect(unsafe_code, reason = "a look-up for every lane")]
                // SAFETY: a cell of a segment is below base + width, and no segment reaches past the last cell (asserted
                // when the table was made); the others are 0 and the last cell itself. There is a pivot for each.
                let pivot = unsafe { _mm256_i32gather_epi32::<4>(pivots.as_ptr().cast(), cell) };
                let at_least = _mm256_cmpeq_epi32(_mm256_max_epu32(keys, pivot), keys);
                let above = not(_mm256_cmpeq_epi32(_mm256_min_epu32(keys, pivot), keys));
                slot(cell, at_least, above)
            }
        });
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn of_64(slots: &Slots<'_, u64>, keys: &[[u64; LANES]], cells: &mut [[u16; LANES]]) {
    let (view, shared) = (&slots.view, Shared::new(slots));
    // Comparisons are signed; without its leading bit an unsigned number is in that order.
    let sign = _mm256_set1_epi64x(i64::MIN);
    let lo = _mm256_set1_epi64x(view.lo.cast_signed());
    let (low, high) = (_mm256_xor_si256(lo, sign), _mm256_set1_epi64x(view.hi.cast_signed() ^ i64::MIN));
    let pivots = view.pivots.as_deref().inspect(|pivots| assert!(pivots.len() > view.last as usize, "one a cell"));
    for (keys, cells) in keys.iter().zip(cells) {
        let [a, b]: [__m256i; 2] = cast(*keys);
        let (sa, sb) = (_mm256_xor_si256(a, sign), _mm256_xor_si256(b, sign));
        let below = lower(_mm256_cmpgt_epi64(low, sa), _mm256_cmpgt_epi64(low, sb));
        let above = lower(_mm256_cmpgt_epi64(sa, high), _mm256_cmpgt_epi64(sb, high));
        let top = lower(
            _mm256_srl_epi64(_mm256_sub_epi64(a, lo), shared.shift),
            _mm256_srl_epi64(_mm256_sub_epi64(b, lo), shared.shift),
        );
        let cell = shared.cells(&slots.segments, top, below, above);
        *cells = narrow(match pivots {
            None => cell,
            Some(pivots) => {
                let (first, second) = (_mm256_castsi256_si128(cell), _mm256_extracti128_si256::<1>(cell));
                #[expect(unsafe_code, reason = "a look-up for every lane")]
                // SAFETY: as for keys of 32 bits.
                let (pa, pb) = unsafe {
                    let pivots = pivots.as_ptr().cast();
                    (_mm256_i32gather_epi64::<8>(pivots, first), _mm256_i32gather_epi64::<8>(pivots, second))
                };
                let (pa, pb) = (_mm256_xor_si256(pa, sign), _mm256_xor_si256(pb, sign));
                let at_least = not(lower(_mm256_cmpgt_epi64(pa, sa), _mm256_cmpgt_epi64(pb, sb)));
                let above = lower(_mm256_cmpgt_epi64(sa, pa), _mm256_cmpgt_epi64(sb, pb));
                slot(cell, at_least, above)
            }
        });
    }
}
