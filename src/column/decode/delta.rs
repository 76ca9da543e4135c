//! DELTA_BINARY_PACKED, as far as lengths of byte arrays need it.

use super::hybrid::{varint, word_at};
use crate::source::Fault;

/// Lengths in one page. Differences of no bits take no bytes, so a small page could ask for billions.
const MAX_LENGTHS: usize = 1 << 24;

/// Reads the lengths at the beginning of `bytes` and tells how many bytes they take.
///
/// At most `limit` lengths are accepted, and none is negative.
pub(super) fn lengths(bytes: &[u8], limit: usize) -> Result<(Vec<usize>, usize), Fault> {
    let mut at = 0;
    let block = varint(bytes, &mut at)?;
    let miniblocks = varint(bytes, &mut at)?;
    let count = varint(bytes, &mut at)?;
    let mut value = zigzag(varint(bytes, &mut at)?);
    let per_miniblock =
        block.checked_div(miniblocks).filter(|&n| n > 0 && n % 32 == 0 && block <= 1 << 20 && block % miniblocks == 0);
    let (Some(per_miniblock), Some(count)) =
        (per_miniblock, usize::try_from(count).ok().filter(|&n| n <= limit.min(MAX_LENGTHS)))
    else {
        return Err(Fault::corrupt(format!(
            "a delta page declares {count} lengths in blocks of {block} in {miniblocks}"
        )));
    };
    let per_miniblock = usize::try_from(per_miniblock).map_err(|_| short())?;
    let miniblocks = usize::try_from(miniblocks).map_err(|_| short())?;
    let mut out = Vec::with_capacity(count);
    if count > 0 {
        out.push(length(value)?);
    }
    while out.len() < count {
        let least = zigzag(varint(bytes, &mut at)?);
        let widths = bytes.get(at..at + miniblocks).ok_or_else(short)?;
        at += miniblocks;
        for &width in widths {
            if out.len() == count {
                // Miniblocks without values are not stored, whatever width stands for them.
                break;
            }
            if width > 64 {
                return Err(Fault::corrupt(format!("a delta page has differences of {width} bits")));
            }
            let end = at + per_miniblock * usize::from(width) / 8;
            let packed = bytes.get(at..end).ok_or_else(short)?;
            for index in 0..per_miniblock.min(count - out.len()) {
                let delta = bits_at(packed, index * usize::from(width), width).cast_signed();
                value = value.wrapping_add(least).wrapping_add(delta);
                out.push(length(value)?);
            }
            at = end;
        }
    }
    Ok((out, at))
}

fn short() -> Fault {
    Fault::corrupt("a delta page ends before its lengths do")
}

fn zigzag(raw: u64) -> i64 {
    (raw >> 1).cast_signed() ^ -((raw & 1).cast_signed())
}

fn length(value: i64) -> Result<usize, Fault> {
    // Lengths are 32-bit; differences wrap at that width.
    let low = i32::try_from(value).or_else(|_| i32::try_from(value.rem_euclid(1 << 32)));
    low.ok()
        .and_then(|low| usize::try_from(low).ok())
        .ok_or_else(|| Fault::corrupt(format!("a delta page holds a length of {value}")))
}

/// `width` bits, at most 64, from `bit` on.
fn bits_at(bytes: &[u8], bit: usize, width: u8) -> u64 {
    if width == 0 {
        return 0;
    }
    let shift = bit % 8;
    let low = word_at(bytes, bit / 8) >> shift;
    let high = if shift + usize::from(width) > 64 { word_at(bytes, bit / 8 + 8) << (64 - shift) } else { 0 };
    (low | high) & (u64::MAX >> (64 - width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_format_is_read() {
        // 1, 2, 3, 4, 5: all differences are 1, so the miniblock has no bits.
        let bytes = [0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00];
        assert_eq!(lengths(&bytes, 5).unwrap(), (vec![1, 2, 3, 4, 5], 10));
    }

    #[test]
    fn more_lengths_than_values_are_refused() {
        let bytes = [0x80, 0x01, 0x04, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x02];
        assert!(lengths(&bytes, 1000).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = lengths(&bytes, 1 << 16);
        }

        #[test]
        fn bits_are_found_at_any_place(bytes in prop::collection::vec(any::<u8>(), 9..40), bit in 0_usize..64, width in 1_u8..=64) {
            prop_assume!(bit + usize::from(width) <= bytes.len() * 8);
            let slow = (0..usize::from(width)).fold(0_u64, |all, i| {
                let at = bit + i;
                all | u64::from(bytes[at / 8] >> (at % 8) & 1) << i
            });
            prop_assert_eq!(bits_at(&bytes, bit, width), slow);
        }
    }
}
