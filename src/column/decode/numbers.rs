//! Pages of values of a fixed width: booleans, integers, floats.

use std::cell::RefCell;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{DataType, Int96};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::levels::Levels;
use super::parts::Part;
use super::{BATCH, ValueReader};
use crate::source::{Fault, guard};

/// Reads dense values of the physical type `T`, nulls left out.
pub(in crate::column) struct Numbers<T: DataType<T: Shelved>> {
    pages: Part,
    descriptor: ColumnDescPtr,
    nullable: bool,
    page: Option<Open<T>>,
    levels: Vec<i16>,
    values: Vec<T::T>,
}

/// A page that was begun.
enum Open<T: DataType> {
    /// Values as they lie in memory, with nothing to decode.
    Plain { rows_left: usize, levels: Option<Levels>, values: Bytes },
    /// Anything else.
    Encoded(Box<ColumnReaderImpl<T>>),
}

impl<T: DataType<T: Shelved>> ValueReader for Numbers<T> {
    type Batch = [T::T];

    fn new(descriptor: &ColumnDescPtr, pages: Part) -> Result<Self, Fault> {
        let (descriptor, nullable) = (descriptor.clone(), descriptor.max_def_level() > 0);
        Ok(Self { pages, descriptor, nullable, page: None, levels: i16::take(), values: T::T::take() })
    }

    fn next<E: From<Fault>>(&mut self, mut take: impl FnMut(&[T::T], u64) -> Result<(), E>) -> Result<usize, E> {
        let Self { levels, values, nullable, .. } = self;
        loop {
            match &mut self.page {
                Some(Open::Plain { rows_left: rows_left @ 1.., levels, values: bytes }) => {
                    let rows = BATCH.min(*rows_left);
                    *rows_left -= rows;
                    let n = levels.as_mut().map_or(Ok(rows), |levels| levels.values(rows))?;
                    let size = n * size_of::<T::T>();
                    if size > bytes.len() {
                        return Err(Fault::corrupt("a page ends before its values do").into());
                    }
                    let taken = bytes.split_to(size);
                    take(T::T::plain(&taken, values), (rows - n) as u64)?;
                    return Ok(rows);
                }
                Some(Open::Encoded(reader)) => {
                    levels.clear();
                    values.clear();
                    let (rows, n, _) =
                        guard(|| reader.read_records(BATCH, nullable.then_some(&mut *levels), None, values))?;
                    if rows > 0 {
                        take(&values[..n], (rows - n) as u64)?;
                        return Ok(rows);
                    }
                }
                _ => {}
            }
            let Some(page) = self.pages.get_next_page().map_err(Fault::from)? else { return Ok(0) };
            self.page = Some(if T::T::IS_PLAIN && page.encoding() == Encoding::PLAIN {
                let rows_left = page.num_values() as usize;
                let (levels, values) = Levels::split(&page, *nullable)?;
                Open::Plain { rows_left, levels, values }
            } else {
                let (descriptor, page) = (self.descriptor.clone(), Box::new(Part::of(page)));
                Open::Encoded(Box::new(guard(|| Ok::<_, Fault>(ColumnReaderImpl::new(descriptor, page)))?))
            });
        }
    }

    fn dictionary(descriptor: &ColumnDescPtr, page: Page) -> Result<Vec<T::T>, Fault> {
        let n = page.num_values() as usize;
        let (required, page) = as_data_page(descriptor, page)?;
        let mut values = T::T::take();
        values.clear();
        if T::T::IS_PLAIN {
            let bytes = n.checked_mul(size_of::<T::T>()).and_then(|size| page.buffer().get(..size));
            let bytes = bytes.ok_or_else(|| Fault::corrupt("a dictionary page ends before its values do"))?;
            values.extend_from_slice(T::T::plain(bytes, &mut Vec::new()));
            return Ok(values);
        }
        let mut reader = guard(|| Ok::<_, Fault>(ColumnReaderImpl::<T>::new(required, Box::new(Part::of(page)))))?;
        guard(|| reader.read_records(n, None, None, &mut values))?;
        if values.len() < n {
            return Err(Fault::corrupt("a dictionary page ends before its values do"));
        }
        Ok(values)
    }
}

impl<T: DataType<T: Shelved>> Drop for Numbers<T> {
    fn drop(&mut self) {
        T::T::put(std::mem::take(&mut self.values));
        i16::put(std::mem::take(&mut self.levels));
    }
}

/// A dictionary page as a page of values without nulls, and the column that such a page can be of.
pub(super) fn as_data_page(descriptor: &ColumnDescPtr, page: Page) -> Result<(ColumnDescPtr, Page), Fault> {
    let Page::DictionaryPage { buf, num_values, encoding, .. } = page else {
        return Err(Fault::corrupt("a dictionary page was expected"));
    };
    if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
        return Err(Fault::Unsupported(format!("a dictionary page of encoding {encoding} is not supported")));
    }
    let page = Page::DataPage {
        buf,
        num_values,
        encoding: Encoding::PLAIN,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    let required = ColumnDescriptor::new(descriptor.self_type_ptr(), 0, 0, descriptor.path().clone());
    Ok((required.into(), page))
}

/// Vectors that go from one column to the next, a thread: fresh memory would cost a page fault for every 4 KiB.
pub(in crate::column) trait Shelved: Sized {
    /// Whether plain pages hold the values as they are, one after the other.
    const IS_PLAIN: bool;
    /// The values in the bytes of a plain page, whose length is a multiple of theirs; in `values` where they do not lie as
    /// the processor wants them.
    fn plain<'v>(bytes: &'v [u8], values: &'v mut Vec<Self>) -> &'v [Self];
    fn take() -> Vec<Self>;
    fn put(values: Vec<Self>);
}

/// Vectors of a type that are kept: one for batches, one for a dictionary.
const KEPT: usize = 2;
/// Larger ones are freed, so that one big dictionary does not stay in memory for the whole run.
const MAX_KEPT_BYTES: usize = 16 << 20;

macro_rules! shelved {
    ($($name:ident: $t:ty, $is_plain:expr, $bytes:ident, $values:ident => $plain:expr;)*) => {$(
        thread_local!(static $name: RefCell<Vec<Vec<$t>>> = const { RefCell::new(Vec::new()) });
        impl Shelved for $t {
            const IS_PLAIN: bool = $is_plain;
            fn plain<'v>($bytes: &'v [u8], $values: &'v mut Vec<Self>) -> &'v [Self] {
                $plain
            }
            fn take() -> Vec<Self> {
                $name.with_borrow_mut(Vec::pop).unwrap_or_default()
            }
            fn put(values: Vec<Self>) {
                if values.capacity() * size_of::<$t>() <= MAX_KEPT_BYTES {
                    $name.with_borrow_mut(|kept| if kept.len() < KEPT { kept.push(values) });
                }
            }
        }
    )*};
}

macro_rules! plain {
    ($($name:ident: $t:ty),*) => {
        shelved! {$(
            $name: $t, true, bytes, values => {
                if let (true, Ok(values)) = (cfg!(target_endian = "little"), bytemuck::try_cast_slice(bytes)) {
                    return values;
                }
                values.clear();
                values.extend(bytes.as_chunks().0.iter().map(|&bytes| <$t>::from_le_bytes(bytes)));
                values
            };
        )*}
    };
}

macro_rules! encoded {
    ($($name:ident: $t:ty),*) => {
        shelved! {$($name: $t, false, _bytes, values => values;)*}
    };
}

plain!(I16: i16, I32: i32, U32: u32, I64: i64, F32: f32, F64: f64);
encoded!(BOOL: bool, I96: Int96);
