//! Floats whose exponents lie in a window, eight at a time, with AVX-512 and its multiplication of 52 bits.
//!
//! A value of the window is an integer `X` of at most 63 bits times the power of two of the window's lower end. Sums of
//! `X` are kept as the sums of its halves, sums of `X²` by parts: with `X = h 2^52 + l`,
//!
//! ```text
//!     X² = h² 2^104 + h l 2^53 + l²         where each product is summed as its lower 52 bits and what is above them
//! ```
//!
//! What lies outside of the window goes to the tables.

use std::arch::x86_64::*;

use super::tables::{Tabled, Tables};
use super::{FloatSums, Term};
use crate::vector::multiplies_52_bits;

const LANES: usize = 8;
/// Vectors between two looks at what lies outside. No sum of so many parts of 52 bits, in eight lanes, reaches 2^64.
const VECTORS: usize = 256;
/// Values that the window is chosen by.
const SAMPLE: usize = 32;

/// Sums of a window: `x` of the integers, the others of the parts of their squares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    x: i128,
    ll: [u64; 2],
    hl: [u64; 2],
    hh: u64,
}

impl Parts {
    /// As sums of values that are multiples of `2^power`.
    fn term(self, power: i32) -> Term {
        let product = |[low, above]: [u64; 2]| u128::from(low) + (u128::from(above) << 52);
        // Below 2^128: `hl` has the bits of 2048 products of 11 and 52 bits.
        let lower = product(self.ll) + (product(self.hl) << 53);
        let (squares, carry) = lower.overflowing_add(u128::from(self.hh) << 104);
        Term { power, sum: self.x, squares, squares_high: (self.hh >> 24) + u64::from(carry) }
    }
}

/// The bits of a float that may be summed by windows.
pub(super) trait Windowed: Tabled {
    /// Bits of the fraction.
    const FRACTION: u32;
    /// Exponents of a window, so many that no shifted mantissa has more than 63 bits.
    const EXPONENTS: usize = 63 - Self::FRACTION as usize;

    /// Adds `values` to `sums`, and those outside of a window to `tables`. Says `false` and does nothing where the
    /// processor cannot, or where it would not pay.
    fn add_window(values: &[Self], sums: &mut FloatSums, tables: &mut Tables<Self>) -> bool {
        if values.len() < 2 * SAMPLE || !multiplies_52_bits() {
            return false;
        }
        let Some(lowest) = window(values) else { return false };
        let power = Self::LOWEST_POWER + i32::try_from(lowest).expect("11 bits");
        let (vectors, rest) = values.as_chunks::<LANES>();
        let mut outside = [Self::zeroed(); LANES * (VECTORS + 1)];
        for vectors in vectors.chunks(VECTORS) {
            #[expect(unsafe_code, reason = "a function for a processor that has AVX-512")]
            // SAFETY: the processor was asked.
            let (parts, n) = unsafe { sum(vectors, lowest as u64, &mut outside) };
            sums.add(parts.term(power));
            tables.put(&outside[..n]);
        }
        tables.put(rest);
        true
    }
}

impl Windowed for u64 {
    const FRACTION: u32 = 52;
}

impl Windowed for u32 {
    const FRACTION: u32 = 23;
}

/// The lowest exponent of the window that holds most of a sample of the values, if it holds at least half of it.
fn window<B: Windowed>(values: &[B]) -> Option<usize> {
    let step = values.len() / SAMPLE;
    let mut exponents: [usize; SAMPLE] = std::array::from_fn(|index| values[index * step].exponent());
    exponents.sort_unstable();
    let (mut from, mut best) = (0, (0, 0));
    for (to, &highest) in exponents.iter().enumerate() {
        while exponents[from] + B::EXPONENTS <= highest {
            from += 1;
        }
        // Zeros and subnormals have no leading one, and what is no number is not summed.
        if exponents[from] > 0 && highest < B::NO_NUMBER {
            best = best.max((to + 1 - from, highest));
        }
    }
    let (held, highest) = best;
    // No window reaches down to the subnormals: their mantissas lack the leading one.
    (2 * held >= SAMPLE).then(|| (highest + 1).saturating_sub(B::EXPONENTS).max(1))
}

/// Sums the values of the window that begins at the exponent `lowest`, and writes those outside of it, but for zeros, to
/// `outside`; returns how many those are.
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,popcnt")]
fn sum<B: Windowed>(vectors: &[[B; LANES]], lowest: u64, outside: &mut [B; LANES * (VECTORS + 1)]) -> (Parts, usize) {
    let splat = |word: u64| _mm512_set1_epi64(word.cast_signed());
    let fraction_bits = _mm_cvtsi32_si128(B::FRACTION.cast_signed());
    let (fraction, leading) = (splat((1 << B::FRACTION) - 1), splat(1 << B::FRACTION));
    let (exponents, first) = (splat(B::NO_NUMBER as u64), splat(lowest));
    let last = splat(B::EXPONENTS as u64 - 1);
    let sign = splat(1 << (8 * size_of::<B>() - 1));
    let low = splat(u64::from(u32::MAX));
    let zero = _mm512_setzero_si512();
    let (mut x_low, mut x_high) = (zero, zero);
    let (mut ll, mut ll_above, mut hl, mut hl_above, mut hh) = (zero, zero, zero, zero, zero);
    let mut n = 0;
    for vector in &vectors[..vectors.len().min(VECTORS)] {
        let bits = load(vector);
        let exponent = _mm512_and_si512(_mm512_srl_epi64(bits, fraction_bits), exponents);
        let up = _mm512_sub_epi64(exponent, first);
        let within = _mm512_cmple_epu64_mask(up, last);
        let mantissa = _mm512_or_si512(_mm512_and_si512(bits, fraction), leading);
        let x = _mm512_maskz_sllv_epi64(within, mantissa, up);

        let signed = _mm512_mask_sub_epi64(x, _mm512_test_epi64_mask(bits, sign), zero, x);
        x_low = _mm512_add_epi64(x_low, _mm512_and_si512(signed, low));
        x_high = _mm512_add_epi64(x_high, _mm512_srai_epi64::<32>(signed));

        // The multiplication looks at the lower 52 bits of its factors.
        let h = _mm512_srli_epi64::<52>(x);
        ll = _mm512_madd52lo_epu64(ll, x, x);
        ll_above = _mm512_madd52hi_epu64(ll_above, x, x);
        hl = _mm512_madd52lo_epu64(hl, h, x);
        hl_above = _mm512_madd52hi_epu64(hl_above, h, x);
        hh = _mm512_madd52lo_epu64(hh, h, h);

        let left = !within & !_mm512_testn_epi64_mask(bits, _mm512_andnot_si512(sign, splat(u64::MAX)));
        let place = outside[n..].first_chunk_mut().expect("room for one vector more than there are");
        store(_mm512_maskz_compress_epi64(left, bits), place);
        n += left.count_ones() as usize;
    }
    let total = |lanes: __m512i| _mm512_reduce_add_epi64(lanes);
    let parts = Parts {
        x: (i128::from(total(x_high)) << 32) + i128::from(total(x_low)),
        ll: [total(ll), total(ll_above)].map(i64::cast_unsigned),
        hl: [total(hl), total(hl_above)].map(i64::cast_unsigned),
        hh: total(hh).cast_unsigned(),
    };
    (parts, n)
}

/// Eight values, each in a lane of 64 bits.
#[target_feature(enable = "avx512f")]
#[inline]
fn load<B: Windowed>(values: &[B; LANES]) -> __m512i {
    let from = values.as_ptr();
    #[expect(unsafe_code, reason = "a vector is loaded")]
    // SAFETY: as many bytes as eight values have, and neither load asks for an alignment.
    unsafe {
        const { assert!(size_of::<B>() == 8 || size_of::<B>() == 4) };
        if size_of::<B>() == 8 {
            _mm512_loadu_si512(from.cast())
        } else {
            _mm512_cvtepu32_epi64(_mm256_loadu_si256(from.cast()))
        }
    }
}

/// Stores the lanes as eight values.
#[target_feature(enable = "avx512f")]
#[inline]
fn store<B: Windowed>(lanes: __m512i, values: &mut [B; LANES]) {
    let to = values.as_mut_ptr();
    #[expect(unsafe_code, reason = "a vector is stored")]
    // SAFETY: as many bytes as eight values have, any of which make a value, and neither store asks for an alignment.
    unsafe {
        const { assert!(size_of::<B>() == 8 || size_of::<B>() == 4) };
        if size_of::<B>() == 8 {
            _mm512_storeu_si512(to.cast(), lanes);
        } else {
            _mm256_storeu_si256(to.cast(), _mm512_cvtepi64_epi32(lanes));
        }
    }
}
