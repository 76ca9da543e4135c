//! As much of Thrift's compact protocol as it takes to read a page header.
//!
//! The Parquet crate keeps its page headers to itself, and decompresses a page before anybody can look at the sizes
//! that the header declares. A wrong size there asks for gigabytes, and an allocation that fails ends the process.

/// Nesting that no Parquet footer comes near; deeper input is refused instead of overflowing the stack.
const MAX_DEPTH: u32 = 32;

/// Why bytes are not a Thrift structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// The bytes end before the structure does. More bytes may help.
    End,
    /// No continuation of these bytes is valid.
    Malformed,
}

/// Field types of the compact protocol.
mod kind {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const MAP: u8 = 11;
    pub(super) const STRUCT: u8 = 12;
    pub(super) const UUID: u8 = 13;
}

/// A place in bytes of the compact protocol.
pub(crate) struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// One field of a structure; the reader stands at its value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Number of the field in its structure.
    pub(crate) id: i16,
    kind: u8,
}

impl<'b> Reader<'b> {
    /// A reader at the beginning of `bytes`.
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Number of bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn byte(&mut self) -> Result<u8, Bad> {
        let byte = *self.bytes.get(self.at).ok_or(Bad::End)?;
        self.at += 1;
        Ok(byte)
    }

    fn advance(&mut self, n: u64) -> Result<(), Bad> {
        match usize::try_from(n) {
            Ok(n) if n <= self.left() => {
                self.at += n;
                Ok(())
            }
            _ => Err(Bad::End),
        }
    }

    fn varint(&mut self) -> Result<u64, Bad> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Bad::Malformed)
    }

    fn zigzag(&mut self) -> Result<i64, Bad> {
        let raw = self.varint()?;
        Ok((raw >> 1).cast_signed() ^ -((raw & 1).cast_signed()))
    }

    /// The next field after the one numbered `previous` (0 at the start), or `None` at the structure's end.
    pub(crate) fn field(&mut self, previous: i16) -> Result<Option<Field>, Bad> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let delta = i16::from(head >> 4);
        let id = if delta == 0 {
            i16::try_from(self.zigzag()?).map_err(|_| Bad::Malformed)?
        } else {
            previous.checked_add(delta).ok_or(Bad::Malformed)?
        };
        Ok(Some(Field { id, kind: head & 0x0f }))
    }

    /// The value of a field of type i32.
    pub(crate) fn i32(&mut self, field: Field) -> Result<i32, Bad> {
        match field.kind {
            kind::I32 => i32::try_from(self.zigzag()?).map_err(|_| Bad::Malformed),
            _ => Err(Bad::Malformed),
        }
    }

    /// The value of a field of type bool, which stands in its head.
    pub(crate) fn bool(&mut self, field: Field) -> Result<bool, Bad> {
        match field.kind {
            kind::TRUE => Ok(true),
            kind::FALSE => Ok(false),
            _ => Err(Bad::Malformed),
        }
    }

    /// Fails unless the field is a structure; its fields follow.
    pub(crate) fn enter(&mut self, field: Field) -> Result<(), Bad> {
        if field.kind == kind::STRUCT { Ok(()) } else { Err(Bad::Malformed) }
    }

    /// Passes over the value of a field.
    pub(crate) fn skip(&mut self, field: Field) -> Result<(), Bad> {
        self.skip_value(field.kind, false, 0)
    }

    fn skip_struct(&mut self, depth: u32) -> Result<(), Bad> {
        if depth > MAX_DEPTH {
            return Err(Bad::Malformed);
        }
        let mut previous = 0;
        while let Some(field) = self.field(previous)? {
            self.skip_value(field.kind, false, depth)?;
            previous = field.id;
        }
        Ok(())
    }

    fn skip_value(&mut self, kind: u8, in_list: bool, depth: u32) -> Result<(), Bad> {
        match kind {
            kind::TRUE | kind::FALSE if in_list => self.byte().map(drop),
            kind::TRUE | kind::FALSE => Ok(()),
            kind::BYTE => self.byte().map(drop),
            kind::I16 | kind::I32 | kind::I64 => self.varint().map(drop),
            kind::DOUBLE => self.advance(8),
            kind::UUID => self.advance(16),
            kind::BINARY => {
                let length = self.varint()?;
                self.advance(length)
            }
            kind::LIST | kind::SET => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                self.skip_elements(length, &[head & 0x0f], depth)
            }
            kind::MAP => {
                let length = self.varint()?;
                if length == 0 {
                    return Ok(());
                }
                let kinds = self.byte()?;
                self.skip_elements(length, &[kinds >> 4, kinds & 0x0f], depth)
            }
            kind::STRUCT => self.skip_struct(depth + 1),
            _ => Err(Bad::Malformed),
        }
    }

    fn skip_elements(&mut self, length: u64, kinds: &[u8], depth: u32) -> Result<(), Bad> {
        // Every element takes at least one byte, so a longer list cannot be there.
        if length > self.left() as u64 {
            return Err(Bad::End);
        }
        if depth > MAX_DEPTH {
            return Err(Bad::Malformed);
        }
        for _ in 0..length {
            for &kind in kinds {
                self.skip_value(kind, true, depth + 1)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8]) -> Result<usize, Bad> {
        let mut reader = Reader::new(bytes);
        reader.skip_struct(0)?;
        Ok(reader.position())
    }

    #[test]
    fn a_list_longer_than_the_bytes_is_refused() {
        // Field 1, a list of 2^31 - 1 structures, then nothing.
        assert_eq!(check(&[0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]), Err(Bad::End));
    }

    #[test]
    fn fields_are_read_in_order() {
        // Field 1: i32 -2; field 3: bool true; end.
        let mut reader = Reader::new(&[0x15, 0x03, 0x21, 0x00]);
        let first = reader.field(0).unwrap().unwrap();
        assert_eq!((first.id, reader.i32(first).unwrap()), (1, -2));
        let second = reader.field(1).unwrap().unwrap();
        assert_eq!((second.id, reader.bool(second).unwrap()), (3, true));
        assert!(reader.field(3).unwrap().is_none());
    }

    #[test]
    fn endless_nesting_is_refused() {
        assert_eq!(check(&[0x1c; 10_000]), Err(Bad::Malformed));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_in_an_answer(bytes: Vec<u8>) {
            let _ = check(&bytes);
        }
    }
}
