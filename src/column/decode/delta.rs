//! How many lengths a page of DELTA_LENGTH_BYTE_ARRAY or DELTA_BYTE_ARRAY declares.
//!
//! The crate's decoders take memory for as many lengths as such a page declares, and differences of no bits take no bytes:
//! a page of twenty bytes can ask for billions. So the count is held against the number of values before the page is
//! decoded. Nothing is decoded here; sections are passed over by their sizes.

use parquet::column::page::Page;

use super::levels;
use crate::source::Fault;

/// Fails unless each of the `sections` of lengths that the values of `page` begin with declares at most as many lengths as
/// the page has values.
pub(super) fn check(page: &Page, nullable: bool, sections: usize) -> Result<(), Fault> {
    if sections == 0 {
        return Ok(());
    }
    let [_, values] = levels::sections(page, nullable).ok_or_else(short)?;
    let mut rest: &[u8] = &values;
    for _ in 0..sections {
        if rest.is_empty() {
            // A page without values; if there should be any, the decoder says so.
            return Ok(());
        }
        let (count, after) = section(rest).ok_or_else(short)?;
        if count > u64::from(page.num_values()) {
            let values = page.num_values();
            return Err(Fault::corrupt(format!("a delta page of {values} values declares {count} lengths")));
        }
        rest = after;
    }
    Ok(())
}

fn short() -> Fault {
    Fault::corrupt("a delta page ends before its lengths do")
}

/// The number of lengths that a DELTA_BINARY_PACKED section declares, and what follows the section.
fn section(mut bytes: &[u8]) -> Option<(u64, &[u8])> {
    let block = varint(&mut bytes)?;
    let miniblocks = usize::try_from(varint(&mut bytes)?).ok()?;
    let count = varint(&mut bytes)?;
    varint(&mut bytes)?; // the first length
    let per_miniblock = block.checked_div(miniblocks as u64)?;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        varint(&mut bytes)?; // the least difference
        let (widths, packed) = bytes.split_at_checked(miniblocks)?;
        bytes = packed;
        // Miniblocks without values are not stored, whatever width stands for them.
        for &width in widths.iter().take(usize::try_from(left.div_ceil(per_miniblock.max(1))).unwrap_or(usize::MAX)) {
            let size = per_miniblock.checked_mul(width.into())? / 8;
            bytes = bytes.get(usize::try_from(size).ok()?..)?;
            left = left.saturating_sub(per_miniblock);
        }
    }
    Some((count, bytes))
}

/// An unsigned LEB128 number, taken off the front.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::Encoding;

    #[test]
    fn sections_are_passed_over_by_their_sizes() {
        // 1, 2, 3, 4, 5: all differences are 1, so the miniblock has no bits.
        let bytes = [0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0xaa];
        assert_eq!(section(&bytes), Some((5, &[0xaa][..])));
        // One length has no block.
        assert_eq!(section(&[0x80, 0x01, 0x04, 0x01, 0x06, 0xbb]), Some((1, &[0xbb][..])));
        assert_eq!(section(&bytes[..9]), None);
    }

    #[test]
    fn more_lengths_than_values_are_refused() {
        let mut buf = vec![0x80, 0x01, 0x04];
        buf.extend([0xff, 0xff, 0xff, 0xff, 0x7f, 0x02]);
        buf.extend([0; 2000]);
        let page = |encoding| Page::DataPage {
            buf: buf.clone().into(),
            num_values: 1000,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        assert!(check(&page(Encoding::DELTA_LENGTH_BYTE_ARRAY), false, 1).is_err());
        assert!(check(&page(Encoding::DELTA_BYTE_ARRAY), false, 2).is_err());
        assert!(check(&page(Encoding::PLAIN), false, 0).is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = section(&bytes);
        }
    }
}
