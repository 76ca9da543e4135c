//! Rows of Parquet, a bounded piece at a time, as Arrow arrays: for those who look at whole rows instead of columns.

use std::collections::HashMap;
use std::fs::File;

use arrow::array::{Array, ArrayRef, BooleanArray, PrimitiveArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Schema, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use super::{Dataset, Fault, ReadError, Unit, Values, guard};

/// Rows that are read at once: what memory holds for each thread.
const ROWS_AT_ONCE: u64 = 1 << 19;

/// Some rows of a row group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// The row group.
    pub(crate) unit: Unit,
    /// Its rows before this piece.
    pub(crate) offset: u64,
    /// Rows of this piece, at least 1.
    pub(crate) rows: u64,
}

/// A row group in pieces that fit into memory.
pub(crate) fn pieces(unit: Unit) -> impl Iterator<Item = Piece> {
    let count = unit.rows.div_ceil(ROWS_AT_ONCE);
    (0..count).map(move |piece| {
        let offset = piece * ROWS_AT_ONCE;
        Piece { unit, offset, rows: (unit.rows - offset).min(ROWS_AT_ONCE) }
    })
}

/// Reads `columns` of pieces in parallel, and what `make` makes of them: one or more batches a piece, in the order of the
/// pieces. `make` gets an array for each of `columns`, null where a file has no such column; its faults name one of them.
pub(crate) fn read_rows<T: Send>(
    data: &Dataset,
    columns: &[usize],
    pieces: &[Piece],
    make: impl Fn(&[ArrayRef]) -> Result<T, (usize, Fault)> + Sync,
) -> Result<Vec<T>, ReadError> {
    let first = columns.first().copied().unwrap_or_default();
    let mut footers: HashMap<usize, ArrowReaderMetadata> = HashMap::new();
    for piece in pieces {
        if let std::collections::hash_map::Entry::Vacant(slot) = footers.entry(piece.unit.file) {
            slot.insert(footer(data, piece.unit.file).map_err(|fault| fault.at(data.place(&piece.unit, first)))?);
        }
    }
    let read = |piece: &Piece| {
        read_piece(data, columns, piece, &footers[&piece.unit.file], &make)
            .map_err(|(column, fault)| fault.at(data.place(&piece.unit, column)))
    };
    let batches: Result<Vec<Vec<T>>, ReadError> = pieces.par_iter().map(read).collect();
    Ok(batches?.into_iter().flatten().collect())
}

/// The footer of a file, with statistics.
pub(crate) fn footer(data: &Dataset, file: usize) -> Result<ArrowReaderMetadata, Fault> {
    let file = File::open(data.files()[file].path())?;
    guard(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))
}

fn read_piece<T>(
    data: &Dataset,
    columns: &[usize],
    piece: &Piece,
    footer: &ArrowReaderMetadata,
    make: impl Fn(&[ArrayRef]) -> Result<T, (usize, Fault)>,
) -> Result<Vec<T>, (usize, Fault)> {
    let leaves = columns.iter().filter_map(|&column| match data.values(&piece.unit, column) {
        Values::Leaf { leaf, .. } => Some(leaf),
        Values::Absent | Values::Constant(_) => None,
    });
    let leaves: Vec<usize> = leaves.collect();
    let whole = |fault: Fault| (columns.first().copied().unwrap_or_default(), fault);
    let size = |rows: u64| usize::try_from(rows).map_err(|_| whole(Fault::corrupt("too many rows in a row group")));
    let (offset, rows) = (size(piece.offset)?, size(piece.rows)?);
    let made = |read: &RecordBatch, rows: usize| {
        let arrays: Vec<ArrayRef> = columns.iter().map(|&column| array(data, piece, read, column, rows)).collect();
        make(&arrays)
    };
    if leaves.is_empty() {
        return Ok(vec![made(&RecordBatch::new_empty(SchemaRef::new(Schema::empty())), rows)?]);
    }
    let file = File::open(data.files()[piece.unit.file].path()).map_err(|error| whole(error.into()))?;
    let mask = ProjectionMask::leaves(footer.parquet_schema(), leaves);
    let reader = guard(|| {
        ParquetRecordBatchReaderBuilder::new_with_metadata(file, footer.clone())
            .with_row_groups(vec![piece.unit.row_group])
            .with_projection(mask)
            .with_offset(offset)
            .with_limit(rows)
            .with_batch_size(rows)
            .build()
    });
    let mut reader = reader.map_err(whole)?;
    let (mut batches, mut found) = (Vec::new(), 0);
    while let Some(read) =
        guard(|| reader.next().transpose().map_err(parquet::errors::ParquetError::from)).map_err(whole)?
    {
        found += read.num_rows();
        batches.push(made(&read, read.num_rows())?);
    }
    if found != rows {
        return Err(whole(Fault::corrupt(format!("{found} rows where {rows} were declared"))));
    }
    Ok(batches)
}

fn array(data: &Dataset, piece: &Piece, read: &RecordBatch, column: usize, rows: usize) -> ArrayRef {
    match data.values(&piece.unit, column) {
        Values::Leaf { .. } => match read.column_by_name(&data.columns()[column].name) {
            Some(array) => array.clone(),
            None => new_null_array(&DataType::Null, rows),
        },
        Values::Constant(Some(text)) => std::sync::Arc::new(StringArray::from_iter_values((0..rows).map(|_| text))),
        Values::Absent | Values::Constant(None) => new_null_array(&DataType::Null, rows),
    }
}

/// Arrow's cast, where what does not fit is an error and never a null; booleans are 0 and 1.
pub(crate) fn cast(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, Fault> {
    if array.data_type() == data_type {
        return Ok(array.clone());
    }
    if let Some(flags) = array.as_any().downcast_ref::<BooleanArray>().filter(|_| data_type == &DataType::Float64) {
        let values: PrimitiveArray<Float64Type> =
            flags.iter().map(|flag| flag.map(|flag| f64::from(u8::from(flag)))).collect();
        return Ok(std::sync::Arc::new(values));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, data_type, &options).map_err(|error| Fault::Value(error.to_string()))
}
