//! Rows of Parquet, a bounded piece at a time: the value, the names of the stream, and the time of each.

use arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use super::error::ConceptError;
use crate::source::rows::{Piece, cast, read_rows};
use crate::source::{Dataset, Fault};

/// How prediction and label become a value.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
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

/// Rows as they were read.
pub(super) struct Batch {
    pub(super) values: PrimitiveArray<Float64Type>,
    pub(super) keys: Vec<StringArray>,
    pub(super) times: Option<PrimitiveArray<Int64Type>>,
}

impl Columns {
    /// All of them, each once.
    fn all(&self) -> Vec<usize> {
        let label = self.label.map(|(label, _)| label);
        let mut all: Vec<usize> = Vec::new();
        for column in [self.value].into_iter().chain(label).chain(self.stream_by.iter().copied()).chain(self.order_by) {
            if !all.contains(&column) {
                all.push(column);
            }
        }
        all
    }
}

/// Reads pieces in parallel; the batches stand in the order of the pieces.
pub(super) fn read(data: &Dataset, columns: &Columns, pieces: &[Piece]) -> Result<Vec<Batch>, ConceptError> {
    let all = columns.all();
    read_rows(data, &all, pieces, |arrays| batch(columns, &all, arrays))
        .map_err(|error| ConceptError::Read(Box::new(error)))
}

fn batch(columns: &Columns, all: &[usize], arrays: &[ArrayRef]) -> Result<Batch, (usize, Fault)> {
    let array = |column: usize| -> &ArrayRef {
        let at = all.iter().position(|&one| one == column).expect("every column is among all of them");
        &arrays[at]
    };
    let as_type = |column: usize, data_type: &DataType| cast(array(column), data_type).map_err(|fault| (column, fault));
    let floats =
        |column: usize| as_type(column, &DataType::Float64).map(|array| array.as_primitive::<Float64Type>().clone());
    let texts = |column: usize| as_type(column, &DataType::Utf8).map(|array| array.as_string::<i32>().clone());
    let values = match columns.label {
        None => floats(columns.value)?,
        Some((label, Loss::Absolute)) => {
            let (prediction, label) = (floats(columns.value)?, floats(label)?);
            pairs(prediction.iter().zip(label.iter()), |prediction, label| (prediction - label).abs())
        }
        Some((label, Loss::ZeroOne)) if are_numbers(array(columns.value), array(label)) => {
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
