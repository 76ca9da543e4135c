//! The cells of sixteen keys at a time, with AVX-512: the same arithmetic as [`MapView`](crate::counts::MapView), lane by
//! lane, with masks in the place of comparisons that make vectors.

use std::arch::x86_64::*;

use super::{SEGMENTS, Slots};
use crate::counts::Key;

/// Keys at a time.
pub(super) const LANES: usize = 16;

/// What all keys of a map share.
#[derive(Clone, Copy)]
struct Shared {
    shift: __m128i,
    fraction_bits: __m128i,
    fraction: __m512i,
    last: __m512i,
}

impl Shared {
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
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
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    fn cells(self, segments: &[u32; SEGMENTS], top: __m512i, below: __mmask16, above: __mmask16) -> __m512i {
        const ALL: u32 = 0x3ff;
        const { assert!(SEGMENTS == 1 << ALL.trailing_ones()) };
        let index = _mm512_and_si512(_mm512_srl_epi32(top, self.fraction_bits), splat(ALL));
        #[expect(unsafe_code, reason = "a look-up for every lane")]
        // SAFETY: an index was cut to the bits of the table's length, which is a power of two.
        let segment = unsafe { _mm512_i32gather_epi32::<4>(index, segments.as_ptr().cast()) };
        let width = _mm512_and_si512(segment, splat(0xffff));
        let within = _mm512_mullo_epi32(_mm512_and_si512(top, self.fraction), width);
        let cell = _mm512_add_epi32(_mm512_srli_epi32::<16>(segment), _mm512_srl_epi32(within, self.fraction_bits));
        _mm512_mask_mov_epi32(_mm512_maskz_mov_epi32(!below, cell), above, self.last)
    }
}

#[target_feature(enable = "avx512f")]
fn splat(word: u32) -> __m512i {
    _mm512_set1_epi32(word.cast_signed())
}

/// Three times `cell`, and one more where the key is not below its pivot, and one more where it is above.
#[target_feature(enable = "avx512f")]
fn slot(cell: __m512i, at_least: __mmask16, above: __mmask16) -> __m512i {
    let thrice = _mm512_add_epi32(cell, _mm512_add_epi32(cell, cell));
    let one = splat(1);
    let slot = _mm512_mask_add_epi32(thrice, at_least, thrice, one);
    _mm512_mask_add_epi32(slot, above, slot, one)
}

/// Stores cells, each of which fits 16 bits.
#[target_feature(enable = "avx512f,avx512bw")]
fn store(found: __m512i, cells: &mut [u16; LANES]) {
    #[expect(unsafe_code, reason = "a vector is stored")]
    // SAFETY: sixteen words of 16 bits take 32 bytes, and the store asks for no alignment.
    unsafe {
        _mm256_storeu_si256(cells.as_mut_ptr().cast(), _mm512_cvtepi32_epi16(found));
    }
}

/// Words of 64 bits: two vectors of eight.
#[target_feature(enable = "avx512f")]
fn load(keys: &[u64; LANES]) -> [__m512i; 2] {
    let (a, b) = keys.split_at(LANES / 2);
    #[expect(unsafe_code, reason = "vectors are loaded")]
    // SAFETY: either half is eight words of 64 bits, and the load asks for no alignment.
    unsafe {
        [_mm512_loadu_si512(a.as_ptr().cast()), _mm512_loadu_si512(b.as_ptr().cast())]
    }
}

/// The lower halves of sixteen words, in their order.
#[target_feature(enable = "avx512f,avx512dq")]
fn lower(a: __m512i, b: __m512i) -> __m512i {
    _mm512_inserti64x4::<1>(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(a)), _mm512_cvtepi64_epi32(b))
}

fn both(a: __mmask8, b: __mmask8) -> __mmask16 {
    u16::from(b) << 8 | u16::from(a)
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn of_32(slots: &Slots<'_, u32>, keys: &[[u32; LANES]], cells: &mut [[u16; LANES]]) {
    let (view, shared) = (&slots.view, Shared::new(slots));
    let (lo, hi) = (splat(view.lo), splat(view.hi));
    let pivots = view.pivots.as_deref().inspect(|pivots| assert!(pivots.len() > view.last as usize, "one a cell"));
    for (keys, cells) in keys.iter().zip(cells) {
        #[expect(unsafe_code, reason = "a vector is loaded")]
        // SAFETY: sixteen words of 32 bits take 64 bytes, and the load asks for no alignment.
        let keys = unsafe { _mm512_loadu_si512(keys.as_ptr().cast()) };
        let (below, above) = (_mm512_cmplt_epu32_mask(keys, lo), _mm512_cmpgt_epu32_mask(keys, hi));
        let top = _mm512_srl_epi32(_mm512_sub_epi32(keys, lo), shared.shift);
        let cell = shared.cells(&slots.segments, top, below, above);
        let found = match pivots {
            None => cell,
            Some(pivots) => {
                #[expect(unsafe_code, reason = "a look-up for every lane")]
                // SAFETY: a cell of a segment is below base + width, and no segment reaches past the last cell (asserted
                // when the table was made); the others are 0 and the last cell itself. There is a pivot for each.
                let pivot = unsafe { _mm512_i32gather_epi32::<4>(cell, pivots.as_ptr().cast()) };
                slot(cell, _mm512_cmpge_epu32_mask(keys, pivot), _mm512_cmpgt_epu32_mask(keys, pivot))
            }
        };
        store(found, cells);
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
pub(super) fn of_64(slots: &Slots<'_, u64>, keys: &[[u64; LANES]], cells: &mut [[u16; LANES]]) {
    let (view, shared) = (&slots.view, Shared::new(slots));
    let (lo, hi) = (_mm512_set1_epi64(view.lo.cast_signed()), _mm512_set1_epi64(view.hi.cast_signed()));
    let pivots = view.pivots.as_deref().inspect(|pivots| assert!(pivots.len() > view.last as usize, "one a cell"));
    for (keys, cells) in keys.iter().zip(cells) {
        let [a, b] = load(keys);
        let below = both(_mm512_cmplt_epu64_mask(a, lo), _mm512_cmplt_epu64_mask(b, lo));
        let above = both(_mm512_cmpgt_epu64_mask(a, hi), _mm512_cmpgt_epu64_mask(b, hi));
        let top = lower(
            _mm512_srl_epi64(_mm512_sub_epi64(a, lo), shared.shift),
            _mm512_srl_epi64(_mm512_sub_epi64(b, lo), shared.shift),
        );
        let cell = shared.cells(&slots.segments, top, below, above);
        let found = match pivots {
            None => cell,
            Some(pivots) => {
                let (first, second) = (_mm512_castsi512_si256(cell), _mm512_extracti64x4_epi64::<1>(cell));
                #[expect(unsafe_code, reason = "a look-up for every lane")]
                // SAFETY: as for keys of 32 bits.
                let (pa, pb) = unsafe {
                    let pivots = pivots.as_ptr().cast();
                    (_mm512_i32gather_epi64::<8>(first, pivots), _mm512_i32gather_epi64::<8>(second, pivots))
                };
                let at_least = both(_mm512_cmpge_epu64_mask(a, pa), _mm512_cmpge_epu64_mask(b, pb));
                slot(cell, at_least, both(_mm512_cmpgt_epu64_mask(a, pa), _mm512_cmpgt_epu64_mask(b, pb)))
            }
        };
        store(found, cells);
    }
}
