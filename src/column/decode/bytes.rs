//! Pages of values that are bytes: BYTE_ARRAY and FIXED_LEN_BYTE_ARRAY, as Arrow arrays.
//!
//! Arrow's views of a plain page point into the page, so no byte of it is copied. The arrays are of plain bytes, whatever
//! the column means: its type is taken off the schema that the reader is given.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, AsArray, BinaryViewArray, FixedSizeBinaryArray};
use arrow::datatypes::{DataType, Field, Fields};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, RowGroups};
use parquet::arrow::{FieldLevels, ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::{Encoding, Repetition, Type as Physical};
use parquet::column::page::{Page, PageIterator, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type};

use super::numbers::as_data_page;
use super::parts::{OnlyChunk, Part};
use super::{ValueReader, delta};
use crate::source::{Fault, guard};

/// Name of the schema that the crate is given, and of its only field.
const NAME: &str = "bytes";
/// Rows at a time.
const ROWS: usize = 4096;
/// Bytes of values that a batch may take where they are copied out of the page.
const COPIED: usize = 64 << 20;

/// Values of a batch; null slots are to be passed over.
#[derive(Clone)]
pub(in crate::column) enum ByteBatch {
    /// Of any length.
    Views(BinaryViewArray),
    /// Of one length.
    Fixed(FixedSizeBinaryArray),
}

impl ByteBatch {
    /// Number of slots, null or not.
    pub(in crate::column) fn len(&self) -> usize {
        match self {
            Self::Views(array) => array.len(),
            Self::Fixed(array) => array.len(),
        }
    }

    /// The value in a slot that is not null.
    #[inline]
    pub(in crate::column) fn value(&self, index: usize) -> &[u8] {
        match self {
            Self::Views(array) => array.value(index),
            Self::Fixed(array) => array.value(index),
        }
    }

    /// The values that are not null, in order, each shown to `take`.
    pub(in crate::column) fn each<E>(&self, take: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Views(array) if array.null_count() == 0 => {
                (0..array.len()).map(|i| array.value(i)).try_for_each(take)
            }
            Self::Fixed(array) if array.null_count() == 0 => {
                (0..array.len()).map(|i| array.value(i)).try_for_each(take)
            }
            Self::Views(array) => array.iter().flatten().try_for_each(take),
            Self::Fixed(array) => array.iter().flatten().try_for_each(take),
        }
    }

    fn nulls(&self) -> u64 {
        let nulls = match self {
            Self::Views(array) => array.null_count(),
            Self::Fixed(array) => array.null_count(),
        };
        nulls as u64
    }

    fn of(array: &dyn Array) -> Result<Self, Fault> {
        match array.data_type() {
            DataType::BinaryView => Ok(Self::Views(array.as_binary_view().clone())),
            DataType::FixedSizeBinary(_) => Ok(Self::Fixed(array.as_fixed_size_binary().clone())),
            other => Err(Fault::Unsupported(format!("bytes that are read as {other} are not supported"))),
        }
    }
}

/// Reads values that are bytes, a page at a time.
pub(in crate::column) struct ByteValues {
    pages: Part,
    raw: Raw,
    page: Option<ParquetRecordBatchReader>,
}

impl ValueReader for ByteValues {
    type Batch = ByteBatch;

    fn new(descriptor: &ColumnDescPtr, pages: Part) -> Result<Self, Fault> {
        Ok(Self { pages, raw: Raw::new(descriptor)?, page: None })
    }

    fn next<E: From<Fault>>(&mut self, mut take: impl FnMut(&ByteBatch, u64) -> Result<(), E>) -> Result<usize, E> {
        loop {
            if let Some(page) = &mut self.page
                && let Some(batch) = guard(|| page.next().transpose().map_err(ParquetError::from))?
            {
                let values = ByteBatch::of(batch.column(0))?;
                take(&values, values.nulls())?;
                return Ok(batch.num_rows());
            }
            let Some(page) = self.pages.get_next_page().map_err(Fault::from)? else { return Ok(0) };
            let rows = self.raw.rows_at_a_time(&page)?;
            self.page = Some(self.raw.reader(page, rows)?);
        }
    }

    fn dictionary(descriptor: &ColumnDescPtr, page: Page) -> Result<ByteBatch, Fault> {
        let n = page.num_values() as usize;
        let (required, page) = as_data_page(descriptor, page)?;
        let mut reader = Raw::new(&required)?.reader(page, n.max(1))?;
        match guard(|| reader.next().transpose().map_err(ParquetError::from))? {
            Some(batch) if batch.num_rows() == n => ByteBatch::of(batch.column(0)),
            None if n == 0 => ByteBatch::of(&BinaryViewArray::from_iter_values(std::iter::empty::<&[u8]>())),
            _ => Err(Fault::corrupt("a dictionary page ends before its values do")),
        }
    }
}

/// A column as one of plain bytes, whatever it means.
struct Raw {
    levels: FieldLevels,
    metadata: ParquetMetaData,
    nullable: bool,
    width: Option<usize>,
}

impl Raw {
    fn new(descriptor: &ColumnDescPtr) -> Result<Self, Fault> {
        let width = match descriptor.physical_type() {
            Physical::FIXED_LEN_BYTE_ARRAY => Some(usize::try_from(descriptor.type_length()).unwrap_or(0)),
            _ => None,
        };
        match width {
            Some(0) => return Err(Fault::corrupt("values of fixed length have no bytes")),
            Some(width) if width > COPIED => {
                return Err(Fault::Unsupported(format!("values of {width} bytes are over the limit of {COPIED}")));
            }
            _ => {}
        }
        let nullable = descriptor.max_def_level() > 0;
        let field = Type::primitive_type_builder(NAME, descriptor.physical_type())
            .with_repetition(if nullable { Repetition::OPTIONAL } else { Repetition::REQUIRED })
            .with_length(width.and_then(|width| i32::try_from(width).ok()).unwrap_or(-1));
        let schema = Type::group_type_builder(NAME).with_fields(vec![Arc::new(field.build()?)]).build()?;
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        let hint = width.is_none().then(|| Fields::from(vec![Field::new(NAME, DataType::BinaryView, nullable)]));
        let levels = parquet_to_arrow_field_levels(&schema, ProjectionMask::all(), hint.as_ref())?;
        let metadata = ParquetMetaData::new(FileMetaData::new(1, 0, None, None, schema, None), Vec::new());
        Ok(Self { levels, metadata, nullable, width })
    }

    /// Reads `page` in batches of so many rows.
    fn reader(&self, page: Page, rows: usize) -> Result<ParquetRecordBatchReader, Fault> {
        let lent = OnePage { page: Mutex::new(Some(page)), metadata: &self.metadata };
        guard(|| ParquetRecordBatchReader::try_new_with_row_groups(&self.levels, &lent, rows, None))
    }

    /// How many rows of `page` may be read at a time: as many as the memory allows, whatever their values are.
    fn rows_at_a_time(&self, page: &Page) -> Result<usize, Fault> {
        let sections = match page.encoding() {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
            Encoding::DELTA_BYTE_ARRAY => 2,
            _ => 0,
        };
        delta::check(page, self.nullable, sections)?;
        // Every value may begin with all bytes of the one before it, which is no longer than the page.
        let longest = if sections == 2 { page.buffer().len() } else { self.width.unwrap_or(1) };
        Ok((COPIED / longest.max(1)).clamp(1, ROWS))
    }
}

/// The only page of the only column chunk of the only row group.
struct OnePage<'m> {
    page: Mutex<Option<Page>>,
    metadata: &'m ParquetMetaData,
}

impl RowGroups for OnePage<'_> {
    fn num_rows(&self) -> usize {
        let page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        page.as_ref().map_or(0, |page| page.num_values() as usize)
    }

    fn column_chunks(&self, _: usize) -> Result<Box<dyn PageIterator>, ParquetError> {
        let page = self.page.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(Box::new(OnlyChunk(page.map(Part::of))))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(std::iter::empty())
    }

    fn metadata(&self) -> &ParquetMetaData {
        self.metadata
    }
}
