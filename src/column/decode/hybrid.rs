//! The RLE/bit-packing hybrid: dictionary codes and definition levels.

use crate::source::Fault;

/// A run that is being read.
enum Run {
    /// The same value so many times.
    Repeated { value: u32, left: usize },
    /// Packed values from this bit on.
    Packed { bit: usize, left: usize },
}

/// Reads codes of `width` bits.
pub(super) struct Hybrid<'b> {
    bytes: &'b [u8],
    at: usize,
    width: u32,
    run: Run,
}

impl<'b> Hybrid<'b> {
    /// Codes of `width` bits, at most 32.
    pub(super) fn new(bytes: &'b [u8], width: u32) -> Result<Self, Fault> {
        if width > 32 {
            return Err(Fault::corrupt(format!("a dictionary page has codes of {width} bits; 32 is the most")));
        }
        Ok(Self { bytes, at: 0, width, run: Run::Repeated { value: 0, left: 0 } })
    }

    /// Appends `n` codes to `out`.
    pub(super) fn read(&mut self, mut n: usize, out: &mut Vec<u32>) -> Result<(), Fault> {
        while n > 0 {
            match &mut self.run {
                Run::Repeated { left: 0, .. } | Run::Packed { left: 0, .. } => self.next_run()?,
                Run::Repeated { value, left } => {
                    let take = n.min(*left);
                    out.resize(out.len() + take, *value);
                    *left -= take;
                    n -= take;
                }
                Run::Packed { bit, left } => {
                    let take = n.min(*left);
                    unpack(self.bytes, *bit, self.width, take, out);
                    *bit += take * self.width as usize;
                    *left -= take;
                    n -= take;
                }
            }
        }
        Ok(())
    }

    /// How many of the next `n` codes, of one bit each, are 1.
    pub(super) fn count_ones(&mut self, mut n: usize) -> Result<usize, Fault> {
        let mut ones = 0;
        while n > 0 {
            match &mut self.run {
                Run::Repeated { left: 0, .. } | Run::Packed { left: 0, .. } => self.next_run()?,
                Run::Repeated { value, left } => {
                    let take = n.min(*left);
                    ones += take * usize::from(*value == 1);
                    *left -= take;
                    n -= take;
                }
                Run::Packed { bit, left } => {
                    let take = n.min(*left);
                    ones += ones_between(self.bytes, *bit, *bit + take);
                    *bit += take;
                    *left -= take;
                    n -= take;
                }
            }
        }
        Ok(ones)
    }

    fn next_run(&mut self) -> Result<(), Fault> {
        let header = varint(self.bytes, &mut self.at)?;
        let length = usize::try_from(header >> 1).map_err(|_| short())?;
        let width = self.width as usize;
        if header & 1 == 0 {
            let size = width.div_ceil(8);
            let value = self.bytes.get(self.at..self.at + size).ok_or_else(short)?;
            let value = value.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
            self.at += size;
            self.run = Run::Repeated { value, left: length };
            return Ok(());
        }
        // Groups of eight; the last group of a page may be cut short.
        let held = (self.bytes.len() - self.at).saturating_mul(8).checked_div(width);
        let packed = length.checked_mul(8).ok_or_else(short)?;
        let left = held.map_or(packed, |held| packed.min(held));
        self.run = Run::Packed { bit: self.at * 8, left };
        self.at = self.at.saturating_add(length.saturating_mul(width)).min(self.bytes.len());
        if left == 0 && (packed > 0 || self.at >= self.bytes.len()) {
            return Err(short());
        }
        Ok(())
    }
}

fn short() -> Fault {
    Fault::corrupt("a page ends before its codes or levels do")
}

/// An unsigned LEB128 number.
pub(super) fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, Fault> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or_else(short)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(Fault::corrupt("a number in a page has no end"))
}

/// Appends `n` values of `width` bits, at most 32, that begin at `bit`.
fn unpack(bytes: &[u8], bit: usize, width: u32, n: usize, out: &mut Vec<u32>) {
    let mask = (1_u64 << width) - 1;
    out.extend((0..n).map(|index| {
        let bit = bit + index * width as usize;
        let word = word_at(bytes, bit / 8) >> (bit % 8);
        u32::try_from(word & mask).expect("at most 32 bits are left by the mask")
    }));
}

/// Eight bytes from `at` on, little-endian, zeros past the end.
#[inline]
pub(super) fn word_at(bytes: &[u8], at: usize) -> u64 {
    if let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        return u64::from_le_bytes(*word);
    }
    let mut word = [0; 8];
    let rest = bytes.get(at..).unwrap_or_default();
    word[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(word)
}

fn ones_between(bytes: &[u8], mut from: usize, to: usize) -> usize {
    let mut ones = 0;
    while from < to {
        let take = (to - from).min(56);
        let word = word_at(bytes, from / 8) >> (from % 8);
        ones += (word & ((1 << take) - 1)).count_ones() as usize;
        from += take;
    }
    ones
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests make values of every width"
)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_packed_groups_alternate() {
        // The example of the format: 0..8 of three bits, after a run of four sevens.
        let bytes = [0x08, 0x07, 0x03, 0b1000_1000, 0b1100_0110, 0b1111_1010];
        let mut codes = Vec::new();
        Hybrid::new(&bytes, 3).unwrap().read(12, &mut codes).unwrap();
        assert_eq!(codes, [7, 7, 7, 7, 0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn pages_that_end_too_soon_are_errors() {
        let mut codes = Vec::new();
        assert!(Hybrid::new(&[0x08], 3).unwrap().read(1, &mut codes).is_err());
        assert!(Hybrid::new(&[], 1).unwrap().read(1, &mut codes).is_err());
        assert!(Hybrid::new(&[0x08, 1], 1).unwrap().read(5, &mut codes).is_err());
        assert!(Hybrid::new(&[0x03], 0).unwrap().read(9, &mut codes).is_err());
        assert!(Hybrid::new(&[], 63).is_err());
    }

    #[test]
    fn codes_of_no_bits_are_zero() {
        let mut codes = Vec::new();
        Hybrid::new(&[0x14], 0).unwrap().read(10, &mut codes).unwrap();
        assert_eq!(codes, [0; 10]);
    }

    proptest::proptest! {
        #[test]
        fn packed_values_come_back(width in 1_u32..=32, values in proptest::collection::vec(0_u32.., 1..200)) {
            let mask = u32::MAX >> (32 - width);
            let groups = values.len().div_ceil(8);
            let mut bits = Vec::new();
            for index in 0..groups * 8 {
                let value = values.get(index).copied().unwrap_or(0) & mask;
                bits.extend((0..width).map(|bit| value >> bit & 1));
            }
            let mut bytes = vec![u8::try_from(groups << 1 | 1).unwrap()];
            bytes.extend(bits.chunks(8).map(|byte| byte.iter().rev().fold(0_u8, |all, &bit| all << 1 | bit as u8)));
            let mut codes = Vec::new();
            Hybrid::new(&bytes, width).unwrap().read(values.len(), &mut codes).unwrap();
            let wanted: Vec<u32> = values.iter().map(|value| value & mask).collect();
            proptest::prop_assert_eq!(&codes, &wanted);
            if width == 1 {
                let ones = Hybrid::new(&bytes, 1).unwrap().count_ones(values.len()).unwrap();
                proptest::prop_assert_eq!(ones, wanted.iter().filter(|&&v| v == 1).count());
            }
        }

        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>, width in 0_u32..=32, n in 0_usize..5000) {
            let mut codes = Vec::new();
            let _ = Hybrid::new(&bytes, width).unwrap().read(n, &mut codes);
            let _ = Hybrid::new(&bytes, 1).unwrap().count_ones(n);
        }
    }
}
