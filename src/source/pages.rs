//! The pages of one column chunk: found, checked and decompressed.
//!
//! Stands in for the Parquet crate's own page reader, so that every size is checked before memory is taken, buffers
//! are used again, and a chunk is read with one call to the system.

use std::cell::RefCell;
use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Type as Physical};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;

use super::buffer::Buffer;
use super::decompress::Decompressor;
use super::error::Fault;
use super::header::{Bad, PageHeader, encoding, page_type};

/// Chunks up to this size are read at once, larger ones page by page.
const MAX_WHOLE_CHUNK: u64 = 64 << 20;
/// Where a chunk is read page by page: bytes in which a header is looked for, first and last attempt.
const HEADER_WINDOW: (usize, usize) = (16 << 10, 4 << 20);

thread_local! {
    static DECOMPRESSOR: RefCell<Decompressor> = RefCell::default();
}

/// Where a column chunk lies and what its pages may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    /// Offset of the first page in the file.
    pub(crate) start: u64,
    /// Bytes of all pages with their headers.
    pub(crate) length: u64,
    /// How the pages are compressed.
    pub(crate) codec: Compression,
    /// Whether pages are compressed even if their headers deny it.
    pub(crate) always_compressed: bool,
    /// The type of the values in the pages.
    pub(crate) physical: Physical,
    /// Bytes of a value of fixed length, where the physical type has one in the schema.
    pub(crate) type_length: usize,
    /// Values with nulls, as many as the row group has rows.
    pub(crate) rows: u64,
}

impl Chunk {
    /// The fewest bytes that a value takes in a dictionary page.
    fn dictionary_width(&self) -> usize {
        match self.physical {
            Physical::BOOLEAN => usize::MAX,
            Physical::INT32 | Physical::FLOAT | Physical::BYTE_ARRAY => 4,
            Physical::INT64 | Physical::DOUBLE => 8,
            Physical::INT96 => 12,
            Physical::FIXED_LEN_BYTE_ARRAY => self.type_length.max(1),
        }
    }
}

/// Reads `length` bytes of `file` at `offset` into `out`, without moving a cursor that threads share.
pub(crate) fn read_at(file: &File, out: &mut [u8], offset: u64) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
    }
    #[cfg(windows)]
    {
        let mut filled = 0;
        while filled < out.len() {
            match std::os::windows::fs::FileExt::seek_read(file, &mut out[filled..], offset + filled as u64)? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                n => filled += n,
            }
        }
        Ok(())
    }
}

enum Store {
    Whole(Bytes),
    Streamed(Arc<File>),
}

/// Yields the dictionary page, if any, and the data pages of a chunk.
pub(crate) struct Pages {
    store: Store,
    chunk: Chunk,
    /// Bytes of the chunk that were passed.
    at: u64,
    /// Values that data pages have still to bring.
    values_left: u64,
    begun: bool,
}

impl Pages {
    /// The pages of `chunk`, which the caller knows to lie within the file.
    pub(crate) fn new(file: &Arc<File>, chunk: Chunk) -> Result<Self, Fault> {
        let store = if chunk.length <= MAX_WHOLE_CHUNK {
            let mut buffer =
                Buffer::take(usize::try_from(chunk.length).map_err(|_| Fault::corrupt("chunk too long"))?)?;
            read_at(file, buffer.as_mut(), chunk.start)?;
            Store::Whole(buffer.share())
        } else {
            Store::Streamed(Arc::clone(file))
        };
        Ok(Self { store, chunk, at: 0, values_left: chunk.rows, begun: false })
    }

    /// The next page, or `None` when all rows have come.
    ///
    /// # Errors
    /// When the chunk ends before its rows do, or a page is not what its header says.
    pub(crate) fn next_page(&mut self) -> Result<Option<Page>, Fault> {
        while self.values_left > 0 {
            let header = self.next_header()?;
            let start = self.at;
            if header.compressed as u64 > self.chunk.length - start {
                return Err(Fault::corrupt(format!(
                    "a page of {} bytes reaches past the end of its column chunk",
                    header.compressed
                )));
            }
            self.at += header.compressed as u64;
            let first = !std::mem::replace(&mut self.begun, true);
            match header.page_type {
                page_type::DATA | page_type::DATA_V2 if header.values == 0 => {}
                page_type::DATA | page_type::DATA_V2 => {
                    self.values_left = self.values_left.checked_sub(u64::from(header.values)).ok_or_else(|| {
                        Fault::corrupt(format!("the pages hold more values than the {} rows declared", self.chunk.rows))
                    })?;
                    return self.data_page(&header, start).map(Some);
                }
                page_type::DICTIONARY if first => return self.dictionary_page(&header, start).map(Some),
                page_type::DICTIONARY => return Err(Fault::corrupt("a dictionary page after other pages")),
                page_type::INDEX => {}
                other => return Err(Fault::Unsupported(format!("page type {other} is not known"))),
            }
        }
        Ok(None)
    }

    fn next_header(&mut self) -> Result<PageHeader, Fault> {
        let left = usize::try_from(self.chunk.length - self.at).unwrap_or(usize::MAX);
        let mut window = match self.store {
            Store::Whole(_) => left,
            Store::Streamed(_) => HEADER_WINDOW.0,
        };
        loop {
            let seen = self.bytes(self.at, window.min(left))?;
            match PageHeader::read(&seen) {
                Ok((header, length)) => {
                    self.at += length as u64;
                    return Ok(header);
                }
                Err(Bad::End) if window < left && window < HEADER_WINDOW.1 => window *= 16,
                Err(Bad::End) => {
                    return Err(Fault::corrupt(format!(
                        "the column chunk ends with {} of {} values missing",
                        self.values_left, self.chunk.rows
                    )));
                }
                Err(Bad::Malformed) => {
                    return Err(Fault::Corrupt(format!(
                        "no page header at byte {} (encrypted columns look like this, too)",
                        self.chunk.start + self.at
                    )));
                }
            }
        }
    }

    /// Bytes of the chunk; the caller keeps within it.
    fn bytes(&self, at: u64, length: usize) -> Result<Bytes, Fault> {
        match &self.store {
            Store::Whole(bytes) => {
                let at = usize::try_from(at).expect("a position in memory");
                Ok(bytes.slice(at..at + length))
            }
            Store::Streamed(file) => {
                let mut buffer = Buffer::take(length)?;
                read_at(file, buffer.as_mut(), self.chunk.start + at)?;
                Ok(buffer.share())
            }
        }
    }

    /// The body of a page, of which the first `plain` bytes are never compressed.
    fn body(&self, header: &PageHeader, start: u64, plain: usize) -> Result<Bytes, Fault> {
        let stored = self.bytes(start, header.compressed)?;
        let is_compressed = header.is_compressed || self.chunk.always_compressed;
        if self.chunk.codec == Compression::UNCOMPRESSED || !is_compressed {
            return Ok(stored);
        }
        Decompressor::check_size(self.chunk.codec, stored.len(), header.uncompressed)?;
        if plain > stored.len() || plain > header.uncompressed {
            return Err(Fault::corrupt("the levels of a page are longer than the page"));
        }
        let mut buffer = Buffer::take(header.uncompressed)?;
        let (levels, values) = buffer.as_mut().split_at_mut(plain);
        levels.copy_from_slice(&stored[..plain]);
        DECOMPRESSOR.with_borrow_mut(|codec| codec.decompress(self.chunk.codec, &stored[plain..], values))?;
        Ok(buffer.share())
    }

    fn dictionary_page(&self, header: &PageHeader, start: u64) -> Result<Page, Fault> {
        let buf = self.body(header, start, 0)?;
        let fits = buf.len() / self.chunk.dictionary_width();
        if header.values as usize > fits {
            return Err(Fault::corrupt(format!(
                "a dictionary of {} bytes cannot hold the {} values it declares",
                buf.len(),
                header.values
            )));
        }
        let encoding = known(header.encoding)?;
        Ok(Page::DictionaryPage { buf, num_values: header.values, encoding, is_sorted: false })
    }

    fn data_page(&self, header: &PageHeader, start: u64) -> Result<Page, Fault> {
        let encoding = known(header.encoding)?;
        if header.page_type == page_type::DATA {
            return Ok(Page::DataPage {
                buf: self.body(header, start, 0)?,
                num_values: header.values,
                encoding,
                def_level_encoding: known(header.definition_encoding)?,
                rep_level_encoding: known(header.repetition_encoding)?,
                statistics: None,
            });
        }
        let levels = u64::from(header.definition_bytes) + u64::from(header.repetition_bytes);
        let levels = usize::try_from(levels).map_err(|_| Fault::corrupt("levels too long"))?;
        let buf = self.body(header, start, levels)?;
        if levels > buf.len() || header.nulls > header.values {
            return Err(Fault::corrupt("the levels of a page are longer than the page"));
        }
        Ok(Page::DataPageV2 {
            buf,
            num_values: header.values,
            encoding,
            num_nulls: header.nulls,
            num_rows: header.rows,
            def_levels_byte_len: header.definition_bytes,
            rep_levels_byte_len: header.repetition_bytes,
            is_compressed: false,
            statistics: None,
        })
    }
}

fn known(number: i32) -> Result<parquet::basic::Encoding, Fault> {
    encoding(number).ok_or_else(|| Fault::Unsupported(format!("encoding {number} is not supported")))
}

impl Iterator for Pages {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        self.next_page().map_err(Into::into)
    }

    // Whole chunks are read here, so nobody looks ahead or skips.
    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        Err(ParquetError::NYI("pages are read in order".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// A data page of `values` values of encoding PLAIN with `body`, which declares `uncompressed` bytes.
    fn page(values: u8, uncompressed: &[u8], body: &[u8]) -> Vec<u8> {
        let mut page = vec![0x15, 0x00, 0x15];
        page.extend(uncompressed);
        page.extend([0x15, u8::try_from(2 * body.len()).unwrap(), 0x2c, 0x15, 2 * values]);
        page.extend([0x15, 0x00, 0x15, 0x06, 0x15, 0x06, 0x00, 0x00]);
        page.extend(body);
        page
    }

    fn read(bytes: &[u8], codec: Compression, rows: u64) -> Result<Vec<u32>, Fault> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        let chunk = Chunk {
            start: 0,
            length: bytes.len() as u64,
            codec,
            always_compressed: false,
            physical: Physical::INT32,
            type_length: 0,
            rows,
        };
        let mut pages = Pages::new(&Arc::new(file), chunk)?;
        let mut values = Vec::new();
        while let Some(page) = pages.next_page()? {
            values.push(page.num_values());
        }
        Ok(values)
    }

    #[test]
    fn pages_come_until_the_rows_are_there() {
        let bytes = [page(2, &[16], &[0; 8]), page(1, &[8], &[0; 4]), page(9, &[8], &[0; 4])].concat();
        assert_eq!(read(&bytes, Compression::UNCOMPRESSED, 3).unwrap(), [2, 1]);
    }

    #[test]
    fn too_few_and_too_many_values_are_errors() {
        let bytes = page(2, &[16], &[0; 8]);
        let missing = read(&bytes, Compression::UNCOMPRESSED, 3);
        assert!(matches!(missing, Err(Fault::Corrupt(words)) if words.contains("1 of 3 values missing")));
        let more = read(&bytes, Compression::UNCOMPRESSED, 1);
        assert!(matches!(more, Err(Fault::Corrupt(words)) if words.contains("more values than the 1 rows")));
        let cut = read(&bytes[..bytes.len() - 1], Compression::UNCOMPRESSED, 2);
        assert!(matches!(cut, Err(Fault::Corrupt(words)) if words.contains("past the end")));
    }

    #[test]
    fn absurd_sizes_are_refused_before_memory_is_taken() {
        // 2^31 - 1 bytes uncompressed, from eight bytes.
        let huge = [0xfe, 0xff, 0xff, 0xff, 0x0f];
        for codec in [Compression::SNAPPY, Compression::ZSTD(Default::default()), Compression::LZ4_RAW] {
            assert!(read(&page(2, &huge, &[0; 8]), codec, 2).is_err());
        }
        // A dictionary of 2^31 - 1 values in four bytes.
        let mut dictionary = vec![0x15, 0x04, 0x15, 0x08, 0x15, 0x08, 0x4c, 0x15];
        dictionary.extend(huge);
        dictionary.extend([0x15, 0x00, 0x00, 0x00, 1, 2, 3, 4]);
        let refused = read(&dictionary, Compression::UNCOMPRESSED, 1);
        assert!(matches!(refused, Err(Fault::Corrupt(words)) if words.contains("cannot hold")));
    }
}
