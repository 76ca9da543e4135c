//! Page headers, with their sizes checked.

use parquet::basic::Encoding;

use super::thrift::{Bad, Field, Reader};

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

impl PageHeader {
    /// Reads a header at the beginning of `bytes` and tells how many bytes it takes.
    pub(crate) fn read(bytes: &[u8]) -> Result<(Self, usize), Bad> {
        let mut reader = Reader::new(bytes);
        let mut header = Self { is_compressed: true, ..Self::default() };
        let mut seen = [false; 3];
        let mut body = None;
        let mut previous = 0;
        while let Some(field) = reader.field(previous)? {
            match field.id {
                1 => header.page_type = reader.i32(field)?,
                2 => header.uncompressed = size(&mut reader, field)?,
                3 => header.compressed = size(&mut reader, field)?,
                5 | 7 | 8 => {
                    reader.enter(field)?;
                    header.read_body(&mut reader, field.id)?;
                    body = Some(field.id);
                }
                _ => reader.skip(field)?,
            }
            if let 1..=3 = field.id {
                seen[usize::from(field.id.unsigned_abs()) - 1] = true;
            }
            previous = field.id;
        }
        let wanted = match header.page_type {
            page_type::DATA => Some(5),
            page_type::DICTIONARY => Some(7),
            page_type::DATA_V2 => Some(8),
            _ => body,
        };
        if seen != [true; 3] || body != wanted {
            return Err(Bad::Malformed);
        }
        Ok((header, reader.position()))
    }

    fn read_body(&mut self, reader: &mut Reader<'_>, body: i16) -> Result<(), Bad> {
        let mut previous = 0;
        while let Some(field) = reader.field(previous)? {
            match (body, field.id) {
                (_, 1) => self.values = count(reader, field)?,
                (5 | 7, 2) | (8, 4) => self.encoding = reader.i32(field)?,
                (5, 3) => self.definition_encoding = reader.i32(field)?,
                (5, 4) => self.repetition_encoding = reader.i32(field)?,
                (8, 2) => self.nulls = count(reader, field)?,
                (8, 3) => self.rows = count(reader, field)?,
                (8, 5) => self.definition_bytes = count(reader, field)?,
                (8, 6) => self.repetition_bytes = count(reader, field)?,
                (8, 7) => self.is_compressed = reader.bool(field)?,
                _ => reader.skip(field)?,
            }
            previous = field.id;
        }
        Ok(())
    }
}

fn count(reader: &mut Reader<'_>, field: Field) -> Result<u32, Bad> {
    u32::try_from(reader.i32(field)?).map_err(|_| Bad::Malformed)
}

fn size(reader: &mut Reader<'_>, field: Field) -> Result<usize, Bad> {
    usize::try_from(reader.i32(field)?).map_err(|_| Bad::Malformed)
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
}
