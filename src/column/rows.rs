//! A column chunk row by row, nulls in their places: for timestamps, keys and segments, and for row groups of which
//! some rows are read.

use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{self as physical, AsBytes};

use crate::source::{Dataset, Fault, ReadError, Unit as RowGroup, Values, guard};

use super::class::Class;
use super::decode::BATCH;
use super::lanes::{Lane, Leaf, Stop, nanoseconds};

/// One value of one row, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'c> {
    /// No value.
    Null,
    /// Integers, booleans, times; decimals as the integer that is stored.
    Int(i128),
    /// A float.
    Float(f64),
    /// Text, binary values, big-endian decimals, half floats; the value in the name of a folder.
    Bytes(&'c [u8]),
}

/// Takes a batch of rows of any type as cells.
type Cells<'r, E> = dyn FnMut(&mut dyn Iterator<Item = Cell<'_>>) -> Result<(), Stop<E>> + 'r;

/// Takes a batch of rows: the values that are there, and for every row whether it has one (empty where every row has).
type Rows<'r, V, E> = dyn FnMut(&[V], &[bool]) -> Result<(), Stop<E>> + 'r;

impl Leaf<'_> {
    /// Reads all rows of a physical type and hands them on in batches.
    pub(super) fn rows<T: physical::DataType, E>(&self, each: &mut Rows<'_, T::T, E>) -> Result<(), Stop<E>> {
        let descriptor = self.file.descriptor(self.leaf);
        let nullable = descriptor.max_def_level() > 0;
        let pages = self.file.pages(self.row_group, self.leaf)?;
        let mut reader = guard(|| Ok::<_, Fault>(ColumnReaderImpl::<T>::new(descriptor, Box::new(pages))))?;
        let (mut levels, mut values, mut present) = (Vec::new(), Vec::new(), Vec::new());
        let mut left = self.rows;
        while left > 0 {
            levels.clear();
            values.clear();
            present.clear();
            let most = usize::try_from(left).unwrap_or(BATCH).min(BATCH);
            let (rows, n, _) = guard(|| reader.read_records(most, nullable.then_some(&mut levels), None, &mut values))?;
            let whole = !nullable || levels.len() == rows;
            if rows == 0 || !whole {
                let read = self.rows - left;
                return Err(Fault::Corrupt(format!("the column ends after {read} of {} rows", self.rows)).into());
            }
            if n < rows {
                present.extend(levels.iter().map(|&level| level > 0));
            }
            if n != rows && present.iter().filter(|&&there| there).count() != n {
                return Err(Fault::corrupt("the levels of a page do not go with its values").into());
            }
            each(&values[..n], &present)?;
            left -= rows as u64;
        }
        Ok(())
    }

    /// Reads all rows, whatever their type, and hands them on in batches of cells.
    pub(super) fn cells<E>(&self, each: &mut Cells<'_, E>) -> Result<(), Stop<E>> {
        match self.lane()? {
            Lane::Bool => self.rows::<physical::BoolType, E>(&mut |values, present| {
                each(&mut cells(values, present, |&value| Cell::Int(value.into())))
            }),
            Lane::I32 => self.rows::<physical::Int32Type, E>(&mut |values, present| {
                each(&mut cells(values, present, |&value| Cell::Int(value.into())))
            }),
            Lane::U32 => self.rows::<physical::Int32Type, E>(&mut |values, present| {
                each(&mut cells(values, present, |&value| Cell::Int(value.cast_unsigned().into())))
            }),
            Lane::I64 => self.rows::<physical::Int64Type, E>(&mut |values, present| {
                each(&mut cells(values, present, |&value| Cell::Int(value.into())))
            }),
            Lane::U64 => self.rows::<physical::Int64Type, E>(&mut |values, present| {
                each(&mut cells(values, present, |&value| Cell::Int(value.cast_unsigned().into())))
            }),
            Lane::I96 => self.rows::<physical::Int96Type, E>(&mut |values, present| {
                each(&mut cells(values, present, |value| Cell::Int(nanoseconds(value))))
            }),
            Lane::F32 => self.rows::<physical::FloatType, E>(&mut |values, present| {
                each(&mut cells(values, present, |&value| Cell::Float(value.into())))
            }),
            Lane::F64 => self.rows::<physical::DoubleType, E>(&mut |values, present| {
                each(&mut cells(values, present, |&value| Cell::Float(value)))
            }),
            Lane::Bytes if self.file.descriptor(self.leaf).physical_type() == parquet::basic::Type::BYTE_ARRAY => {
                self.rows::<physical::ByteArrayType, E>(&mut |values, present| {
                    each(&mut cells(values, present, |value| Cell::Bytes(value.as_bytes())))
                })
            }
            Lane::Bytes => self.rows::<physical::FixedLenByteArrayType, E>(&mut |values, present| {
                each(&mut cells(values, present, |value| Cell::Bytes(value.as_bytes())))
            }),
        }
    }
}

/// The cells of a batch, one a row.
fn cells<'v, V>(
    values: &'v [V],
    present: &'v [bool],
    cell: impl Fn(&'v V) -> Cell<'v> + 'v,
) -> impl Iterator<Item = Cell<'v>> {
    let mut values = values.iter();
    let mut row = 0;
    std::iter::from_fn(move || {
        if present.is_empty() {
            return values.next().map(&cell);
        }
        let there = *present.get(row)?;
        row += 1;
        Some(if there { values.next().map_or(Cell::Null, &cell) } else { Cell::Null })
    })
}

/// Shows every row of one column in one row group to `each`: its value, and how often it repeats from this row on.
///
/// # Errors
/// When the column chunk cannot be read; and with what `each` fails with.
pub(crate) fn read_cells(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    each: &mut dyn FnMut(Cell<'_>, usize) -> Result<(), Fault>,
) -> Result<(), ReadError> {
    let at_place = |fault: Fault| fault.at(dataset.place(unit, column));
    let rows = usize::try_from(unit.rows).unwrap_or(usize::MAX);
    match dataset.values(unit, column) {
        Values::Absent | Values::Constant(None) => each(Cell::Null, rows).map_err(at_place),
        Values::Constant(Some(value)) => each(Cell::Bytes(value.as_bytes()), rows).map_err(at_place),
        Values::Leaf { file, leaf, data_type } => {
            let class = Class::of(data_type).map_err(|reason| at_place(Fault::Unsupported(reason)))?;
            if class == Class::Null {
                return each(Cell::Null, rows).map_err(at_place);
            }
            let leaf = Leaf { file, row_group: unit.row_group, leaf, rows: unit.rows, class };
            let outcome = leaf.cells::<Fault>(&mut |cells| {
                for cell in cells {
                    each(cell, 1).map_err(Stop::Taker)?;
                }
                Ok(())
            });
            outcome.map_err(|stop| match stop {
                Stop::Fault(fault) | Stop::Taker(fault) => at_place(fault),
            })
        }
    }
}
