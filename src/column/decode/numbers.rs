//! Pages of values of a fixed width: booleans, integers, floats.

use std::cell::RefCell;

use parquet::basic::Encoding;
use parquet::column::page::Page;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{DataType, Int96};
use parquet::schema::types::{ColumnDescPtr, ColumnDescriptor};

use super::parts::Part;
use super::{BATCH, ValueReader};
use crate::source::{Fault, guard};

/// Reads dense values of the physical type `T`, nulls left out.
pub(in crate::column) struct Numbers<T: DataType<T: Shelved>> {
    reader: ColumnReaderImpl<T>,
    nullable: bool,
    levels: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType<T: Shelved>> ValueReader for Numbers<T> {
    type Batch = [T::T];

    fn new(descriptor: &ColumnDescPtr, pages: Part) -> Result<Self, Fault> {
        let nullable = descriptor.max_def_level() > 0;
        let reader = guard(|| Ok::<_, Fault>(ColumnReaderImpl::new(descriptor.clone(), Box::new(pages))))?;
        Ok(Self { reader, nullable, levels: i16::take(), values: T::T::take() })
    }

    fn next<E: From<Fault>>(&mut self, mut take: impl FnMut(&[T::T], u64) -> Result<(), E>) -> Result<usize, E> {
        let Self { reader, nullable, levels, values } = self;
        levels.clear();
        values.clear();
        let (rows, n, _) = guard(|| reader.read_records(BATCH, nullable.then_some(levels), None, values))?;
        if rows > 0 {
            take(&values[..n], (rows - n) as u64)?;
        }
        Ok(rows)
    }

    fn dictionary(descriptor: &ColumnDescPtr, page: Page) -> Result<Vec<T::T>, Fault> {
        let n = page.num_values() as usize;
        let (required, page) = as_data_page(descriptor, page)?;
        let mut reader = guard(|| Ok::<_, Fault>(ColumnReaderImpl::<T>::new(required, Box::new(Part::of(page)))))?;
        let mut values = T::T::take();
        values.clear();
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
    fn take() -> Vec<Self>;
    fn put(values: Vec<Self>);
}

/// Vectors of a type that are kept: one for batches, one for a dictionary.
const KEPT: usize = 2;
/// Larger ones are freed, so that one big dictionary does not stay in memory for the whole run.
const MAX_KEPT_BYTES: usize = 16 << 20;

macro_rules! shelved {
    ($($name:ident: $t:ty),*) => {$(
        thread_local!(static $name: RefCell<Vec<Vec<$t>>> = const { RefCell::new(Vec::new()) });
        impl Shelved for $t {
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
shelved!(I16: i16, I32: i32, U32: u32, I64: i64, F32: f32, F64: f64, BOOL: bool, I96: Int96);
