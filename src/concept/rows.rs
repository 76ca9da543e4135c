//! Rows of Parquet, a bounded piece at a time: the value, the names of the stream, and the time of each.

use std::collections::HashMap;
use std::fs::File;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, RecordBatch, StringArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

use super::error::ConceptError;
use crate::source::{Dataset, Fault, Unit, Values, guard};

/// Rows that are read at once: what memory holds for each thread.
const ROWS_AT_ONCE: u64 = 1 << 19;

/// How prediction and label become a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// 1 where they differ, 0 where they are equal
    #[default]
    ZeroOne,
    /// The absolute difference
    Absolute,
}

/// Where the values of the streams come from.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueSource {
    /// A column.
    Column(String),
    /// Two columns, compared.
    Pair {
        /// What was predicted.
        prediction: String,
        /// What came true.
        label: String,
        /// How they are compared.
        loss: Loss,
    },
}

/// Indices of the columns that are read.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) value: usize,
    pub(super) label: Option<(usize, Loss)>,
    pub(super) stream_by: Vec<usize>,
    pub(super) order_by: Option<usize>,
}

/// Some rows of a row group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) unit: Unit,
    pub(super) offset: u64,
    pub(super) rows: u64,
}

/// Rows as they were read.
pub(super) struct Batch {
    pub(super) values: PrimitiveArray<Float64Type>,
    pub(super) keys: Vec<StringArray>,
    pub(super) times: Option<PrimitiveArray<Int64Type>>,
}

/// A row group in pieces that fit into memory.
pub(super) fn pieces(unit: Unit) -> impl Iterator<Item = Piece> {
    let count = unit.rows.div_ceil(ROWS_AT_ONCE);
    (0..count).map(move |piece| {
        let offset = piece * ROWS_AT_ONCE;
        Piece { unit, offset, rows: (unit.rows - offset).min(ROWS_AT_ONCE) }
    })
}

/// Reads pieces in parallel; the batches stand in the order of the pieces.
pub(super) fn read(data: &Dataset, columns: &Columns, pieces: &[Piece]) -> Result<Vec<Batch>, ConceptError> {
    let mut footers: HashMap<usize, ArrowReaderMetadata> = HashMap::new();
    for piece in pieces {
        if let std::collections::hash_map::Entry::Vacant(slot) = footers.entry(piece.unit.file) {
            slot.insert(footer(data, piece.unit.file).map_err(|fault| at(data, piece.unit, columns.value, fault))?);
        }
    }
    let read = |piece: &Piece| {
        read_piece(data, columns, piece, &footers[&piece.unit.file])
            .map_err(|(column, fault)| at(data, piece.unit, column, fault))
    };
    let batches: Result<Vec<Vec<Batch>>, ConceptError> = pieces.par_iter().map(read).collect();
    Ok(batches?.into_iter().flatten().collect())
}

fn at(data: &Dataset, unit: Unit, column: usize, fault: Fault) -> ConceptError {
    ConceptError::Read(Box::new(fault.at(data.place(&unit, column))))
}

/// The footer of a file, with statistics.
pub(super) fn footer(data: &Dataset, file: usize) -> Result<ArrowReaderMetadata, Fault> {
    let file = File::open(data.files()[file].path())?;
    guard(|| ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()))
}

fn read_piece(
    data: &Dataset,
    columns: &Columns,
    piece: &Piece,
    footer: &ArrowReaderMetadata,
) -> Result<Vec<Batch>, (usize, Fault)> {
    let wanted = [columns.value].into_iter().chain(columns.label.map(|(label, _)| label));
    let wanted: Vec<usize> = wanted.chain(columns.stream_by.iter().copied()).chain(columns.order_by).collect();
    let leaves = wanted.iter().filter_map(|&column| match data.values(&piece.unit, column) {
        Values::Leaf { leaf, .. } => Some(leaf),
        Values::Absent | Values::Constant(_) => None,
    });
    let leaves: Vec<usize> = leaves.collect();
    let whole = |fault: Fault| (columns.value, fault);
    let path = data.files()[piece.unit.file].path();
    let size = |rows: u64| usize::try_from(rows).map_err(|_| whole(Fault::corrupt("too many rows in a row group")));
    let (offset, rows) = (size(piece.offset)?, size(piece.rows)?);
    if leaves.is_empty() {
        let empty = RecordBatch::new_empty(arrow::datatypes::SchemaRef::new(arrow::datatypes::Schema::empty()));
        return Ok(vec![batch(data, columns, piece, &empty, rows)?]);
    }
    let file = File::open(path).map_err(|error| whole(error.into()))?;
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
        batches.push(batch(data, columns, piece, &read, read.num_rows())?);
    }
    if found != rows {
        return Err(whole(Fault::corrupt(format!("{found} rows where {rows} were declared"))));
    }
    Ok(batches)
}

fn batch(
    data: &Dataset,
    columns: &Columns,
    piece: &Piece,
    read: &RecordBatch,
    rows: usize,
) -> Result<Batch, (usize, Fault)> {
    let array = |column: usize| -> ArrayRef {
        match data.values(&piece.unit, column) {
            Values::Leaf { .. } => match read.column_by_name(&data.columns()[column].name) {
                Some(array) => array.clone(),
                None => new_null_array(&DataType::Null, rows),
            },
            Values::Constant(Some(text)) => std::sync::Arc::new(StringArray::from_iter_values((0..rows).map(|_| text))),
            Values::Absent | Values::Constant(None) => new_null_array(&DataType::Null, rows),
        }
    };
    let as_type =
        |column: usize, data_type: &DataType| cast(&array(column), data_type).map_err(|fault| (column, fault));
    let floats =
        |column: usize| as_type(column, &DataType::Float64).map(|array| array.as_primitive::<Float64Type>().clone());
    let texts = |column: usize| as_type(column, &DataType::Utf8).map(|array| array.as_string::<i32>().clone());
    let values = match columns.label {
        None => floats(columns.value)?,
        Some((label, Loss::Absolute)) => {
            let (prediction, label) = (floats(columns.value)?, floats(label)?);
            pairs(prediction.iter().zip(label.iter()), |prediction, label| (prediction - label).abs())
        }
        Some((label, Loss::ZeroOne)) if are_numbers(&array(columns.value), &array(label)) => {
            let (prediction, label) = (floats(columns.value)?, floats(label)?);
            pairs(prediction.iter().zip(label.iter()), |prediction, label| {
                // Neither right nor wrong.
                if prediction.is_nan() || label.is_nan() { f64::NAN } else { differ(prediction != label) }
            })
        }
        Some((label, Loss::ZeroOne)) => {
            let (prediction, label) = (texts(columns.value)?, texts(label)?);
            pairs(prediction.iter().zip(label.iter()), |prediction, label| differ(prediction != label))
        }
    };
    let keys = columns.stream_by.iter().map(|&column| texts(column)).collect::<Result<_, _>>()?;
    let times = columns
        .order_by
        .map(|column| as_type(column, &DataType::Int64).map(|array| array.as_primitive::<Int64Type>().clone()));
    Ok(Batch { values, keys, times: times.transpose()? })
}

fn differ(differ: bool) -> f64 {
    f64::from(u8::from(differ))
}

fn pairs<T>(
    pairs: impl Iterator<Item = (Option<T>, Option<T>)>,
    value: impl Fn(T, T) -> f64,
) -> PrimitiveArray<Float64Type> {
    pairs.map(|(prediction, label)| Some(value(prediction?, label?))).collect()
}

fn are_numbers(a: &ArrayRef, b: &ArrayRef) -> bool {
    let is_number = |array: &ArrayRef| {
        array.data_type().is_numeric() || matches!(array.data_type(), DataType::Boolean | DataType::Null)
    };
    is_number(a) && is_number(b)
}

/// Arrow's cast, where what does not fit is an error and never a null.
fn cast(array: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, Fault> {
    if array.data_type() == data_type {
        return Ok(array.clone());
    }
    if let Some(flags) = array.as_any().downcast_ref::<BooleanArray>().filter(|_| data_type == &DataType::Float64) {
        let values: PrimitiveArray<Float64Type> = flags.iter().map(|flag| flag.map(differ)).collect();
        return Ok(std::sync::Arc::new(values));
    }
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(array, data_type, &options).map_err(|error| Fault::Value(error.to_string()))
}
