//! Ascending integers in few bits: the code of P. Elias 1974 ("Efficient storage and retrieval by content and address of
//! static files") and R. Fano 1971, over the gaps' common power of two.
//!
//! Sorted keys of a continuous feature have random gaps, and this code is within 0.6 bits a key of what such gaps can
//! be written in; a general compressor gains nothing on top, and must unpack far more than the few keys wanted.
//!
//! ```text
//!     byte 0     shift    trailing zero bits that all values share
//!     byte 1     width    low bits of a value that stand as they are
//!     then       n x width bits: the low bits, in order, from the lowest bit of a byte up
//!     then       a bit string with bit (value >> width) + index set for every value
//! ```

use crate::counts::Key;

/// Bytes that must follow a sequence in memory: bits are read 16 bytes at a time.
pub(super) const SLACK: usize = 16;

/// Appends `values`, which ascend or repeat, to `out`. Nothing is written for none.
pub(super) fn encode(values: &[u128], out: &mut Vec<u8>) {
    let Some(&last) = values.last() else { return };
    debug_assert!(values.is_sorted(), "the values ascend");
    let shift = values.iter().fold(0, |all, value| all | value).trailing_zeros() & 127;
    let mean_gap = (last >> shift) / values.len() as u128;
    let width = mean_gap.checked_ilog2().unwrap_or(0);
    out.extend([shift, width].map(|bits| u8::try_from(bits).expect("below 128")));
    let mut bits = BitWriter { out: std::mem::take(out), pending: 0, filled: 0 };
    for value in values {
        bits.push((value >> shift) & mask(width), width);
    }
    bits.finish();
    let start = bits.out.len();
    for (index, value) in values.iter().enumerate() {
        // At most twice as many bits as values, and one.
        let bit = usize::try_from(value >> shift >> width).expect("a small number") + index;
        if bits.out.len() <= start + bit / 8 {
            bits.out.resize(start + bit / 8 + 1, 0);
        }
        bits.out[start + bit / 8] |= 1 << (bit % 8);
    }
    *out = bits.out;
}

/// Reads `n` values from the beginning of `bytes`, each plus `base`, and says how many bytes they took; `None` where
/// they cannot be what [`encode`] wrote. At least [`SLACK`] bytes must follow the sequence.
pub(super) fn decode<K: Key>(bytes: &[u8], n: usize, base: K, out: &mut Vec<K>) -> Option<usize> {
    if n == 0 {
        return Some(0);
    }
    let (shift, width) = (u32::from(*bytes.first()?), u32::from(*bytes.get(1)?));
    if shift >= K::BITS || width >= K::BITS {
        return None;
    }
    let start = n.checked_mul(width as usize)?.div_ceil(8).checked_add(2)?;
    if start > bytes.len().checked_sub(SLACK)? {
        return None;
    }
    let from = out.len();
    let base = base.widen();
    let (mut at, mut low_at) = (start, 16_usize);
    while out.len() - from < n {
        let mut word = u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?);
        let before = (at - start) * 8;
        while word != 0 && out.len() - from < n {
            let index = out.len() - from;
            let bit = before + word.trailing_zeros() as usize;
            word &= word - 1;
            let high = bit.checked_sub(index)?;
            let value = if K::BITS <= 64 && width <= 56 {
                // Half the work, for nearly all keys there are.
                u128::from(((high as u64) << width | short(bytes, low_at, width)) << shift)
            } else if width <= 56 {
                ((high as u128) << width | u128::from(short(bytes, low_at, width))) << shift
            } else {
                ((high as u128) << width | long(bytes, low_at, width)) << shift
            };
            low_at += width as usize;
            out.push(K::narrow(value.wrapping_add(base)));
        }
        at += 8;
    }
    // Where the last bit was says where the sequence ends.
    let last = (out.last()?.widen().wrapping_sub(base) >> shift >> width) as usize + n - 1;
    Some(start + last / 8 + 1).filter(|&end| end + SLACK <= bytes.len())
}

/// `width` bits, at most 56, from bit `at`. Callers know that [`SLACK`] bytes follow.
#[inline(always)]
fn short(bytes: &[u8], at: usize, width: u32) -> u64 {
    let word = u64::from_le_bytes(bytes[at / 8..at / 8 + 8].try_into().expect("eight bytes"));
    word >> (at % 8) & ((1 << width) - 1)
}

/// `width` bits, at most 127, from bit `at`.
fn long(bytes: &[u8], at: usize, width: u32) -> u128 {
    let half =
        |at: usize| u128::from_le_bytes(bytes[at / 8..at / 8 + 16].try_into().expect("sixteen bytes")) >> (at % 8);
    let low = width.min(64);
    let above = if width > 64 { (half(at + 64) & mask(width - 64)) << 64 } else { 0 };
    half(at) & mask(low) | above
}

fn mask(width: u32) -> u128 {
    (1 << width) - 1
}

/// Puts bits together, from the lowest bit of a byte up.
struct BitWriter {
    out: Vec<u8>,
    pending: u128,
    filled: u32,
}

impl BitWriter {
    fn push(&mut self, bits: u128, width: u32) {
        let mut left = (bits, width);
        while left.1 > 0 {
            let taken = left.1.min(64);
            self.pending |= (left.0 & mask(taken)) << self.filled;
            self.filled += taken;
            left = (left.0.checked_shr(taken).unwrap_or(0), left.1 - taken);
            while self.filled >= 8 {
                self.out.push(self.pending.to_le_bytes()[0]);
                self.pending >>= 8;
                self.filled -= 8;
            }
        }
    }

    fn finish(&mut self) {
        if self.filled > 0 {
            self.out.push(self.pending.to_le_bytes()[0]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip<K: Key>(values: &[u128], base: u128) -> usize {
        let mut bytes = vec![7, 7];
        encode(values, &mut bytes);
        let length = bytes.len() - 2;
        bytes.extend([0xff; SLACK]);
        let mut found = Vec::new();
        assert_eq!(decode(&bytes[2..], values.len(), K::narrow(base), &mut found), Some(length));
        let expected: Vec<K> = values.iter().map(|value| K::narrow(value + base)).collect();
        assert_eq!(found, expected);
        length
    }

    #[test]
    fn ends_and_extremes_come_back() {
        assert_eq!(round_trip::<u64>(&[], 5), 0);
        round_trip::<u64>(&[0], 5);
        round_trip::<u64>(&[0; 300], 5);
        round_trip::<u64>(&[0, u64::MAX.into()], 0);
        round_trip::<u128>(&[0, u128::MAX], 0);
        round_trip::<u128>(&[1, 2, u128::MAX], 0);
        round_trip::<u32>(&[0, 1, 2, u32::MAX.into()], 0);
    }

    #[test]
    fn common_zeros_cost_nothing() {
        let values: Vec<u128> = (0..256).map(|i| i << 45).collect();
        assert!(round_trip::<u64>(&values, 1 << 62) < 80);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(mut values in prop::collection::vec(any::<u128>(), 0..300), bits in 1_u32..128, base: u64) {
            values.iter_mut().for_each(|value| *value >>= 128 - bits);
            values.sort_unstable();
            if bits <= 63 {
                round_trip::<u64>(&values, (base >> 1).into());
            }
            round_trip::<u128>(&values, 0);
        }

        #[test]
        fn garbage_is_refused_or_read_without_a_panic(bytes: Vec<u8>, n in 0_usize..600) {
            let _ = decode::<u64>(&bytes, n, 0, &mut Vec::new());
            let _ = decode::<u32>(&bytes, n, 9, &mut Vec::new());
            let _ = decode::<u128>(&bytes, n, 9, &mut Vec::new());
        }
    }
}
