//! Keys and facts of a row group whose rows belong to several parts, or of which some are not read at all: one decoding,
//! and for every part what [`read_keys`](super::read_keys) gives of a file that holds just its rows.

use parquet::data_type as physical;

use crate::counts::Keys;
use crate::source::{Dataset, Fault, ReadError, RowMap, Unit as RowGroup, Values};

use super::byte_numbers::Meaning;
use super::class::Class;
use super::encoding::{Encoding, Number};
use super::facts::{Facts, FactsLevel};
use super::lanes::{Lane, Leaf, Stop};
use super::plain::{Plain, Width};
use super::read::Collector;
use super::rows::Cell;

/// Takes the keys of one part that have come together; leaves the vector empty.
pub(crate) type FlushPart<'f, E> = &'f mut dyn FnMut(usize, &mut Keys) -> Result<(), E>;

/// Rows of a row group, by part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parted<'p> {
    /// The part of every row.
    pub(crate) map: &'p RowMap,
    /// Number of rows of each part.
    pub(crate) rows: &'p [u64],
}

/// Appends the keys of one column in one row group to `out`, one vector a part, each in the order of the rows.
///
/// Whenever the vectors hold at least `window` keys together, `flush` is called with each of them. Returns the facts of
/// each part.
///
/// # Errors
/// Those of [`read_keys`](super::read_keys).
///
/// # Panics
/// When `out` has not one vector a part, of the width of the encoding, or the encoding is one of categories.
#[expect(clippy::too_many_arguments, reason = "where from, how, and where to; a struct of these would be used once")]
pub(crate) fn read_parted_keys<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    encoding: &Encoding,
    level: FactsLevel,
    parted: Parted<'_>,
    out: &mut [Keys],
    window: usize,
    flush: FlushPart<'_, E>,
) -> Result<Vec<Facts>, E> {
    assert!(!encoding.is_categorical(), "categories are read with read_parted_codes");
    assert!(out.len() == parted.rows.len() && out.iter().all(|keys| keys.bits() == encoding.key_bits()));
    // Parts are emptied here, all at once, and never by their collectors.
    let mut never: Vec<_> = out.iter().map(|_| |_: &mut Keys| Ok(())).collect();
    let collectors = out
        .iter_mut()
        .zip(&mut never)
        .zip(parted.rows)
        .map(|((out, never), &rows)| Collector::new(encoding, level, rows, out, usize::MAX, never));
    let mut router =
        Router { collectors: collectors.collect(), map: parted.map, row: 0, parts: Vec::new(), window, flush };
    match router.read(dataset, unit, column, *encoding, parted.rows) {
        Ok(()) => Ok(router.collectors.into_iter().map(Collector::finish).collect()),
        Err(Stop::Taker(error)) => Err(error),
        Err(Stop::Fault(fault)) => Err(fault.at(dataset.place(unit, column)).into()),
    }
}

/// Sends every row to the collector of its part.
struct Router<'r, 'c, E> {
    collectors: Vec<Collector<'c, E>>,
    map: &'r RowMap,
    /// The next row.
    row: usize,
    /// Parts of the rows of a batch.
    parts: Vec<u32>,
    window: usize,
    flush: FlushPart<'r, E>,
}

impl<E> Router<'_, '_, E> {
    fn read(
        &mut self,
        dataset: &Dataset,
        unit: &RowGroup,
        column: usize,
        encoding: Encoding,
        rows: &[u64],
    ) -> Result<(), Stop<E>> {
        match dataset.values(unit, column) {
            Values::Absent | Values::Constant(None) => {
                for (collector, rows) in self.collectors.iter_mut().zip(rows) {
                    collector.facts.nulls += rows;
                }
                Ok(())
            }
            Values::Constant(Some(value)) => {
                for (part, &rows) in rows.iter().enumerate() {
                    // No more rows at a time than a window holds.
                    let mut left = rows;
                    while left > 0 {
                        let n = left.min(self.window as u64);
                        self.collectors[part].constant(value, n)?;
                        self.hand_on()?;
                        left -= n;
                    }
                }
                Ok(())
            }
            Values::Leaf { file, leaf, data_type } => {
                let class = Class::of(data_type).map_err(Fault::Unsupported)?;
                if class == Class::Null {
                    self.collectors.iter_mut().zip(rows).for_each(|(one, rows)| one.facts.nulls += rows);
                    return Ok(());
                }
                self.leaf(&Leaf { file, row_group: unit.row_group, leaf, rows: unit.rows, class }, encoding)
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf<'_>, encoding: Encoding) -> Result<(), Stop<E>> {
        let same_unit = matches!(encoding, Encoding::Temporal { unit, .. } if leaf.unit() == Some(unit));
        match (leaf.lane()?, encoding) {
            (Lane::F32, Encoding::Float32) => self.plain_rows::<physical::FloatType>(leaf),
            (Lane::F64, Encoding::Float64) => self.plain_rows::<physical::DoubleType>(leaf),
            (Lane::I32, Encoding::Int32) => self.plain_rows::<physical::Int32Type>(leaf),
            (Lane::I64, Encoding::Int64) => self.plain_rows::<physical::Int64Type>(leaf),
            (Lane::I32, Encoding::Temporal { wide: false, .. }) if same_unit => {
                self.plain_rows::<physical::Int32Type>(leaf)
            }
            (Lane::I64, Encoding::Temporal { wide: true, .. }) if same_unit => {
                self.plain_rows::<physical::Int64Type>(leaf)
            }
            _ => self.any_rows(leaf, encoding),
        }
    }

    /// Values whose stored type is that of the encoding.
    fn plain_rows<T: physical::DataType<T: Plain<Key: Width>>>(&mut self, leaf: &Leaf<'_>) -> Result<(), Stop<E>> {
        let mut buffers: Vec<Vec<T::T>> = self.collectors.iter().map(|_| Vec::new()).collect();
        let mut nulls = vec![0; buffers.len()];
        leaf.rows::<T, E>(&mut |values, present| {
            let rows = if present.is_empty() { values.len() } else { present.len() };
            self.next_parts(rows);
            let mut values = values.iter();
            for (index, &part) in self.parts.iter().enumerate() {
                let value = if present.is_empty() || present[index] { values.next() } else { None };
                if part == RowMap::NONE {
                    continue;
                }
                match value {
                    Some(&value) => buffers[part as usize].push(value),
                    None => nulls[part as usize] += 1,
                }
            }
            for ((collector, buffer), nulls) in self.collectors.iter_mut().zip(&mut buffers).zip(&mut nulls) {
                if !buffer.is_empty() || *nulls > 0 {
                    collector.plain(buffer, std::mem::take(nulls))?;
                    buffer.clear();
                }
            }
            self.hand_on()
        })
    }

    /// Values of any type.
    fn any_rows(&mut self, leaf: &Leaf<'_>, encoding: Encoding) -> Result<(), Stop<E>> {
        let numbers = Numbers::of(leaf, encoding)?;
        let mut buffers: Vec<Vec<Number>> = self.collectors.iter().map(|_| Vec::new()).collect();
        let mut nulls = vec![0; buffers.len()];
        leaf.cells::<E>(&mut |cells| {
            self.next_parts(usize::MAX);
            let mut row = 0;
            for cell in cells {
                let part = self.parts.get(row).copied().unwrap_or(RowMap::NONE);
                row += 1;
                if part == RowMap::NONE {
                    continue;
                }
                match numbers.of_cell(cell)? {
                    Some(number) => buffers[part as usize].push(number),
                    None => nulls[part as usize] += 1,
                }
            }
            self.row += row;
            for ((collector, buffer), nulls) in self.collectors.iter_mut().zip(&mut buffers).zip(&mut nulls) {
                if !buffer.is_empty() || *nulls > 0 {
                    collector.numbers(buffer.drain(..).map(Ok), std::mem::take(nulls))?;
                }
            }
            self.hand_on()
        })
    }

    /// The parts of the next rows: `n` of them, which are passed, or a batch of unknown size, which is not.
    fn next_parts(&mut self, n: usize) {
        self.map.read(self.row, n.min(super::decode::BATCH), &mut self.parts);
        if n != usize::MAX {
            self.row += n;
        }
    }

    fn hand_on(&mut self) -> Result<(), Stop<E>> {
        if self.collectors.iter().map(|one| one.out.len()).sum::<usize>() < self.window {
            return Ok(());
        }
        for (part, collector) in self.collectors.iter_mut().enumerate() {
            if !collector.out.is_empty() {
                (self.flush)(part, collector.out).map_err(Stop::Taker)?;
            }
        }
        Ok(())
    }
}

/// What the cells of a column are as numbers.
struct Numbers {
    meaning: Option<Meaning>,
    scale: Option<i32>,
    factor: i128,
}

impl Numbers {
    fn of(leaf: &Leaf<'_>, encoding: Encoding) -> Result<Self, Fault> {
        let factor = match (leaf.unit(), encoding) {
            (Some(own), Encoding::Temporal { unit, .. }) => own.factor_to(unit),
            _ => 1,
        };
        let scale = if let Class::Decimal { scale, .. } = leaf.class { Some(scale) } else { None };
        let meaning = if leaf.lane()? == Lane::Bytes { Some(Meaning::of(leaf.class)?) } else { None };
        Ok(Self { meaning, scale, factor: factor.into() })
    }

    fn of_cell(&self, cell: Cell<'_>) -> Result<Option<Number>, Fault> {
        Ok(Some(match cell {
            Cell::Null => return Ok(None),
            Cell::Float(value) => Number::Float(value),
            Cell::Int(n) => match self.scale {
                Some(scale) => Number::Scaled(n, scale),
                // 97 bits times 47 fit.
                None => Number::Int(n.saturating_mul(self.factor)),
            },
            Cell::Bytes(bytes) => match self.meaning {
                Some(meaning) => meaning.number(bytes)?,
                None => return Err(Fault::corrupt("bytes are no number")),
            },
        }))
    }
}
