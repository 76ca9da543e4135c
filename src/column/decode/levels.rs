//! Definition levels of a page: how many of its rows have a value.

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::Page;
use parquet::encodings::rle::RleDecoder;
use parquet::util::bit_util::BitReader;

use crate::source::{Fault, guard};
use crate::vector::vectorized;

/// Rows at a time.
const AT_ONCE: usize = 4096;

/// The levels of a page in which a row has a value or none.
pub(super) enum Levels {
    Rle(RleDecoder),
    Packed(BitReader),
}

impl Levels {
    /// The levels of `page`, where its column may have nulls, and the bytes of its values.
    pub(super) fn split(page: &Page, nullable: bool) -> Result<(Option<Self>, Bytes), Fault> {
        let Some([levels, values]) = sections(page, nullable) else {
            return Err(Fault::corrupt("a page ends before its levels do"));
        };
        if !nullable {
            return Ok((None, values));
        }
        #[expect(deprecated, reason = "old files have it")]
        let levels = match page {
            Page::DataPage { def_level_encoding: Encoding::BIT_PACKED, .. } => Self::Packed(BitReader::new(levels)),
            _ => {
                let mut decoder = RleDecoder::new(1);
                guard(|| decoder.set_data(levels))?;
                Self::Rle(decoder)
            }
        };
        Ok((Some(levels), values))
    }

    /// How many of the next `rows` rows have a value.
    pub(super) fn values(&mut self, rows: usize) -> Result<usize, Fault> {
        let mut levels = [0_u8; AT_ONCE];
        let (mut left, mut values) = (rows, 0);
        while left > 0 {
            let levels = &mut levels[..left.min(AT_ONCE)];
            let read = match self {
                Self::Rle(decoder) => guard(|| decoder.get_batch(levels))?,
                Self::Packed(reader) => reader.get_batch(levels, 1),
            };
            if read < levels.len() {
                return Err(Fault::corrupt("a page ends before its levels do"));
            }
            values += ones(levels) as usize;
            left -= read;
        }
        Ok(values)
    }
}

vectorized! {
    fn ones(levels: &[u8]) -> u32 {
        let mut ones = 0;
        for &level in levels {
            ones += u32::from(level == 1);
        }
        ones
    }
}

/// Definition levels and values of a page; `None` where it is too short to hold them.
pub(super) fn sections(page: &Page, nullable: bool) -> Option<[Bytes; 2]> {
    let buffer = page.buffer();
    let cut = |from: usize, to: usize| {
        let whole = from <= to && to <= buffer.len();
        whole.then(|| [buffer.slice(from..to), buffer.slice(to..)])
    };
    match page {
        Page::DataPageV2 { def_levels_byte_len, rep_levels_byte_len, .. } => {
            let from = usize::try_from(*rep_levels_byte_len).ok()?;
            cut(from, from.checked_add(usize::try_from(*def_levels_byte_len).ok()?)?)
        }
        #[expect(deprecated, reason = "old files have it")]
        Page::DataPage { def_level_encoding: Encoding::BIT_PACKED, num_values, .. } if nullable => {
            cut(0, usize::try_from(*num_values).ok()?.div_ceil(8))
        }
        _ if nullable => {
            let length = usize::try_from(u32::from_le_bytes(*buffer.first_chunk::<4>()?)).ok()?;
            cut(4, length.checked_add(4)?)
        }
        _ => cut(0, 0),
    }
}
