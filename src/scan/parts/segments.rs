//! Segments: the rows that share the values of some columns.

use std::collections::{BTreeMap, HashMap};

use super::PartsError;
use crate::column::{Cell, in_words_of, read_cells};
use crate::source::{Dataset, Fault, ReadError, RowMap, Unit, Values};

/// More values than this are no segments: nobody wants them told apart, and they would not fit in memory.
const MOST_VALUES: usize = 100_000;

/// The values of a segment, one a column; `None` is null.
pub(in crate::scan) type SegmentValues = Vec<Option<String>>;

/// The segments that were found, with codes in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct SegmentTable {
    codes: HashMap<SegmentValues, u32>,
    values: Vec<SegmentValues>,
}

impl SegmentTable {
    pub(super) fn code(&mut self, values: &SegmentValues) -> Result<u32, PartsError> {
        if let Some(&code) = self.codes.get(values) {
            return Ok(code);
        }
        if self.values.len() >= MOST_VALUES {
            return Err(PartsError::TooManySegments { limit: MOST_VALUES });
        }
        let code = u32::try_from(self.values.len()).expect("fewer than the limit");
        self.codes.insert(values.clone(), code);
        self.values.push(values.clone());
        Ok(code)
    }

    pub(super) fn known(&self, values: &SegmentValues) -> Option<u32> {
        self.codes.get(values).copied()
    }

    pub(super) fn values(&self, code: u32) -> &SegmentValues {
        &self.values[code as usize]
    }
}

/// The values of one column in a unit: a code a row, and what the codes stand for.
pub(super) struct ColumnCodes {
    pub(super) map: RowMap,
    pub(super) values: Vec<Option<String>>,
}

/// Reads a column that cuts rows into segments.
pub(super) fn read_column(data: &Dataset, unit: &Unit, column: usize) -> Result<ColumnCodes, ReadError> {
    let data_type = match data.values(unit, column) {
        Values::Leaf { data_type, .. } => Some(data_type),
        _ => None,
    };
    let mut codes = ColumnCodes { map: RowMap::new(), values: Vec::new() };
    let mut null: Option<u32> = None;
    let mut texts: HashMap<Vec<u8>, u32> = HashMap::new();
    let mut integers: HashMap<i128, u32> = HashMap::new();
    read_cells(data, unit, column, &mut |cell, n| {
        let mut new = |value: Option<String>| -> Result<u32, Fault> {
            if codes.values.len() > MOST_VALUES {
                let reason = format!("more than {MOST_VALUES} distinct values are no segments");
                return Err(Fault::Unsupported(reason));
            }
            codes.values.push(value);
            Ok(u32::try_from(codes.values.len() - 1).expect("fewer than the limit"))
        };
        let code = match cell {
            Cell::Null => match null {
                Some(code) => code,
                None => *null.insert(new(None)?),
            },
            Cell::Bytes(value) => match texts.get(value) {
                Some(&code) => code,
                None => {
                    let code = new(Some(String::from_utf8_lossy(value).into_owned()))?;
                    texts.insert(value.to_owned(), code);
                    code
                }
            },
            Cell::Int(value) => match integers.get(&value) {
                Some(&code) => code,
                None => {
                    let mut words = String::new();
                    if let Some(data_type) = data_type {
                        in_words_of(value, data_type, &mut words);
                    }
                    let code = new(Some(words))?;
                    integers.insert(value, code);
                    code
                }
            },
            Cell::Float(_) => return Err(Fault::Unsupported("floats do not cut rows into segments".to_owned())),
        };
        codes.map.push(code, n);
        Ok(())
    })?;
    codes.map.shrink();
    Ok(codes)
}

/// The indices of the columns that cut rows into segments.
pub(super) fn columns(data: &Dataset, side: &'static str, names: &[String]) -> Result<Vec<usize>, PartsError> {
    let of = |name: &String| {
        let wrong = |reason: &str| PartsError::Column {
            flag: "--segment-by",
            column: name.clone(),
            side,
            reason: reason.into(),
        };
        let column = data.column(name).ok_or_else(|| wrong("there is no such column"))?;
        if let Some(problem) = &data.columns()[column].problem {
            return Err(wrong(problem));
        }
        use arrow::datatypes::DataType::{Decimal32, Decimal64, Decimal128, Decimal256, Float16, Float32, Float64};
        let numbers = |one: &_| {
            matches!(one, Float16 | Float32 | Float64 | Decimal32(..) | Decimal64(..) | Decimal128(..) | Decimal256(..))
        };
        if data.columns()[column].types.iter().any(numbers) {
            return Err(wrong("segments are texts, whole numbers, booleans or dates"));
        }
        Ok(column)
    };
    names.iter().map(of).collect()
}

/// One segment of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scan) struct Segment {
    pub(in crate::scan) code: u32,
    pub(in crate::scan) values: SegmentValues,
    /// Rows of both sides.
    pub(in crate::scan) rows: u64,
}

impl Segment {
    /// `country=US,device=ios`, nulls as `null`.
    pub(in crate::scan) fn name(&self, columns: &[String]) -> String {
        let parts: Vec<String> = columns
            .iter()
            .zip(&self.values)
            .map(|(key, value)| format!("{key}={}", value.as_deref().unwrap_or("null")))
            .collect();
        parts.join(",")
    }

    pub(in crate::scan) fn fields(&self, columns: &[String]) -> BTreeMap<String, Option<String>> {
        columns.iter().cloned().zip(self.values.iter().cloned()).collect()
    }
}

/// The segments with the most rows, largest first, equal ones by their values; and those that are left out.
pub(super) fn largest(table: &SegmentTable, rows: BTreeMap<u32, u64>, most: usize) -> (Vec<Segment>, Vec<Segment>) {
    let segment = |(code, rows)| Segment { code, values: table.values(code).clone(), rows };
    let mut all: Vec<Segment> = rows.into_iter().map(segment).collect();
    all.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.values.cmp(&b.values)));
    let rest = all.split_off(most.min(all.len()));
    (all, rest)
}
