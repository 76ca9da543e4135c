//! Page headers, read for the sizes that they declare.
//!
//! The Parquet crate keeps its page headers to itself, and decompresses a page before anybody can look at its sizes. A
//! wrong size there asks for gigabytes, and an allocation that fails ends the process. So the headers are read here,
//! with Apache's own implementation of Thrift's compact protocol, which skips what it does not know without taking
//! memory for it.

use std::io::Cursor;

use parquet::basic::Encoding;
use thrift::protocol::{TCompactInputProtocol, TFieldIdentifier, TInputProtocol, TType};
use thrift::{Error, TransportErrorKind};

/// Page type numbers of the format.
pub(crate) mod page_type {
    pub(crate) const DATA: i32 = 0;
    pub(crate) const INDEX: i32 = 1;
    pub(crate) const DICTIONARY: i32 = 2;
    pub(crate) const DATA_V2: i32 = 3;
}

/// What a page header says. Counts and sizes are as declared, negative ones already refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct PageHeader {
    pub(crate) page_type: i32,
    pub(crate) uncompressed: usize,
    pub(crate) compressed: usize,
    pub(crate) values: u32,
    pub(crate) nulls: u32,
    pub(crate) rows: u32,
    pub(crate) encoding: i32,
    pub(crate) definition_encoding: i32,
    pub(crate) repetition_encoding: i32,
    pub(crate) definition_bytes: u32,
    pub(crate) repetition_bytes: u32,
    pub(crate) is_compressed: bool,
}

/// Why bytes are no page header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// The bytes end before the header does. More bytes may help.
    End,
    /// No continuation of these bytes is valid.
    Malformed,
}

impl From<Error> for Bad {
    fn from(error: Error) -> Self {
        match error {
            Error::Transport(error) if error.kind == TransportErrorKind::EndOfFile => Self::End,
            _ => Self::Malformed,
        }
    }
}

type Input<'b> = TCompactInputProtocol<Cursor<&'b [u8]>>;

impl PageHeader {
    /// Reads a header at the beginning of `bytes` and tells how many bytes it takes.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, usize), Bad> {
        let mut input = TCompactInputProtocol::new(Cursor::new(bytes));
        let mut header = Self { is_compressed: true, ..Self::default() };
        let mut seen = [false; 3];
        let mut body = None;
        each_field(&mut input, |input, id, field| {
            match id {
                1 => header.page_type = i32_of(input, field)?,
                2 => header.uncompressed = size(input, field)?,
                3 => header.compressed = size(input, field)?,
                5 | 7 | 8 if field.field_type == TType::Struct => {
                    header.read_body(input, id)?;
                    body = Some(id);
                }
                5 | 7 | 8 => return Err(Bad::Malformed),
                _ => input.skip(field.field_type)?,
            }
            if let 1..=3 = id {
                seen[usize::from(id.unsigned_abs()) - 1] = true;
            }
            Ok(())
        })?;
        let wanted = match header.page_type {
            page_type::DATA => Some(5),
            page_type::DICTIONARY => Some(7),
            page_type::DATA_V2 => Some(8),
            _ => body,
        };
        if seen != [true; 3] || body != wanted {
            return Err(Bad::Malformed);
        }
        let end = std::io::Seek::stream_position(&mut input).ok().and_then(|end| usize::try_from(end).ok());
        Ok((header, end.ok_or(Bad::Malformed)?))
    }

    fn read_body(&mut self, input: &mut Input<'_>, body: i16) -> Result<(), Bad> {
        each_field(input, |input, id, field| {
            match (body, id) {
                (_, 1) => self.values = count(input, field)?,
                (5 | 7, 2) | (8, 4) => self.encoding = i32_of(input, field)?,
                (5, 3) => self.definition_encoding = i32_of(input, field)?,
                (5, 4) => self.repetition_encoding = i32_of(input, field)?,
                (8, 2) => self.nulls = count(input, field)?,
                (8, 3) => self.rows = count(input, field)?,
                (8, 5) => self.definition_bytes = count(input, field)?,
                (8, 6) => self.repetition_bytes = count(input, field)?,
                (8, 7) if field.field_type == TType::Bool => self.is_compressed = input.read_bool()?,
                (8, 7) => return Err(Bad::Malformed),
                _ => input.skip(field.field_type)?,
            }
            Ok(())
        })
    }
}

/// Shows `take` every field of a structure, the input standing at its value.
fn each_field<'b>(
    input: &mut Input<'b>,
    mut take: impl FnMut(&mut Input<'b>, i16, &TFieldIdentifier) -> Result<(), Bad>,
) -> Result<(), Bad> {
    input.read_struct_begin()?;
    loop {
        let field = input.read_field_begin()?;
        if field.field_type == TType::Stop {
            return Ok(input.read_struct_end()?);
        }
        take(input, field.id.ok_or(Bad::Malformed)?, &field)?;
    }
}

fn i32_of(input: &mut Input<'_>, field: &TFieldIdentifier) -> Result<i32, Bad> {
    if field.field_type == TType::I32 { Ok(input.read_i32()?) } else { Err(Bad::Malformed) }
}

fn count(input: &mut Input<'_>, field: &TFieldIdentifier) -> Result<u32, Bad> {
    u32::try_from(i32_of(input, field)?).map_err(|_| Bad::Malformed)
}

fn size(input: &mut Input<'_>, field: &TFieldIdentifier) -> Result<usize, Bad> {
    usize::try_from(i32_of(input, field)?).map_err(|_| Bad::Malformed)
}

/// The encoding with this number, if the format has it.
pub(crate) fn encoding(number: i32) -> Option<Encoding> {
    Some(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        #[expect(deprecated, reason = "old files have it, and the decoder still reads it")]
        4 => Encoding::BIT_PACKED,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        7 => Encoding::DELTA_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        9 => Encoding::BYTE_STREAM_SPLIT,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_sizes_are_refused() {
        // Type 0, uncompressed size -1.
        assert_eq!(PageHeader::read(&[0x15, 0x00, 0x15, 0x01, 0x15, 0x02, 0x00]).unwrap_err(), Bad::Malformed);
    }

    #[test]
    fn a_header_cut_short_asks_for_more() {
        assert_eq!(PageHeader::read(&[0x15, 0x00, 0x15]).unwrap_err(), Bad::End);
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        // Type 0, sizes 8 and 4; field 4: i32; field 5: a data page header of 2 values with statistics (field 5: a
        // structure with a binary of three bytes); field 9: a list of two booleans; a byte of the page.
        let bytes = [
            0x15, 0x00, 0x15, 0x10, 0x15, 0x08, 0x15, 0x02, 0x1c, 0x15, 0x04, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, 0x1c,
            0x18, 0x03, 1, 2, 3, 0x00, 0x00, 0x49, 0x21, 0x01, 0x02, 0x00, 0xff,
        ];
        let (header, length) = PageHeader::read(&bytes).unwrap();
        assert_eq!((length, header.uncompressed, header.compressed, header.values), (bytes.len() - 1, 8, 4, 2));
        assert_eq!((header.encoding, header.definition_encoding), (0, 3));
    }

    #[test]
    fn endless_nesting_and_absurd_lengths_are_refused() {
        assert_eq!(PageHeader::read(&[0x4c; 10_000]).unwrap_err(), Bad::Malformed);
        // Field 4, a binary of 2^31 - 1 bytes, and a list of as many structures.
        for kind in [0x48_u8, 0x49] {
            let mut bytes = vec![kind];
            bytes.extend((kind == 0x49).then_some(0xfc));
            bytes.extend([0xff, 0xff, 0xff, 0xff, 0x07]);
            assert!(PageHeader::read(&bytes).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = PageHeader::read(&bytes);
        }
    }
}
