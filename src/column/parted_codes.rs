//! Codes of categories of a row group whose rows belong to several parts.

use crate::counts::Keys;
use crate::source::{Dataset, Fault, ReadError, RowMap, Unit as RowGroup, Values};

use super::categories::CategoryTable;
use super::class::Class;
use super::decode::BATCH;
use super::encoding::Encoding;
use super::facts::Facts;
use super::lanes::{Lane, Leaf, Stop};
use super::parted::{FlushPart, Parted};
use super::read_codes::check_text;
use super::rows::Cell;
use super::words::in_words;

/// Appends the codes of one column in one row group to `out`, one vector a part; the table is shared by all parts.
/// Window and flush are those of [`read_parted_keys`](super::read_parted_keys).
///
/// # Errors
/// Those of [`read_codes`](super::read_codes()).
///
/// # Panics
/// When `out` has not one vector of 32 bits a part, or the encoding is not one of categories.
#[expect(clippy::too_many_arguments, reason = "where from, how, and where to; a struct of these would be used once")]
pub(crate) fn read_parted_codes<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    encoding: &Encoding,
    table: &mut CategoryTable,
    parted: Parted<'_>,
    out: &mut [Keys],
    window: usize,
    flush: FlushPart<'_, E>,
) -> Result<Vec<Facts>, E> {
    let Encoding::Category { binary } = encoding else { unreachable!("numbers are read with read_parted_keys") };
    assert!(out.len() == parted.rows.len() && out.iter().all(|keys| keys.bits() == 32));
    table.set_binary(*binary);
    let facts = parted.rows.iter().map(|&rows| Facts { rows, ..Facts::default() }).collect();
    let mut coder = Coder { table, facts, out, window, flush };
    match coder.read(dataset, unit, column, parted) {
        Ok(()) => Ok(coder.facts),
        Err(Stop::Taker(error)) => Err(error),
        Err(Stop::Fault(fault)) => Err(fault.at(dataset.place(unit, column)).into()),
    }
}

struct Coder<'c, E> {
    table: &'c mut CategoryTable,
    facts: Vec<Facts>,
    out: &'c mut [Keys],
    window: usize,
    flush: FlushPart<'c, E>,
}

impl<E> Coder<'_, E> {
    fn read(&mut self, data: &Dataset, unit: &RowGroup, column: usize, parted: Parted<'_>) -> Result<(), Stop<E>> {
        match data.values(unit, column) {
            Values::Absent | Values::Constant(None) => {
                self.all_null(parted.rows);
                Ok(())
            }
            Values::Constant(Some(value)) => {
                for (part, &rows) in parted.rows.iter().enumerate().filter(|(_, rows)| **rows > 0) {
                    let Some(code) = self.table.code(value.as_bytes(), |_| Ok(()))? else { continue };
                    let mut left = rows;
                    while left > 0 {
                        let n = left.min(BATCH as u64);
                        (0..n).for_each(|_| self.push(part, code));
                        self.hand_on()?;
                        left -= n;
                    }
                }
                Ok(())
            }
            Values::Leaf { file, leaf, data_type } => {
                let class = Class::of(data_type).map_err(Fault::Unsupported)?;
                if class == Class::Null {
                    self.all_null(parted.rows);
                    return Ok(());
                }
                self.leaf(&Leaf { file, row_group: unit.row_group, leaf, rows: unit.rows, class }, parted.map)
            }
        }
    }

    fn all_null(&mut self, rows: &[u64]) {
        self.facts.iter_mut().zip(rows).for_each(|(facts, rows)| facts.nulls += rows);
    }

    fn leaf(&mut self, leaf: &Leaf<'_>, map: &RowMap) -> Result<(), Stop<E>> {
        let unit = leaf.unit();
        let is_text = leaf.lane()? == Lane::Bytes && leaf.class == Class::Text;
        let (mut row, mut parts, mut words) = (0, Vec::new(), String::new());
        // The value before, which is often the same, and what became of it.
        let mut last: Option<(i128, Option<u32>)> = None;
        leaf.cells::<E>(&mut |cells| {
            map.read(row, BATCH, &mut parts);
            let mut index = 0;
            for cell in cells {
                let part = parts.get(index).copied().unwrap_or(RowMap::NONE);
                index += 1;
                if part == RowMap::NONE {
                    continue;
                }
                let part = part as usize;
                let code = match cell {
                    Cell::Null => {
                        self.facts[part].nulls += 1;
                        continue;
                    }
                    Cell::Bytes(value) => {
                        self.table.code(value, |value| if is_text { check_text(value) } else { Ok(()) })?
                    }
                    Cell::Int(n) => match last {
                        Some((known, code)) if known == n => code,
                        _ => {
                            words.clear();
                            in_words(n, leaf.class, unit, &mut words);
                            let code = self.table.code(words.as_bytes(), |_| Ok(()))?;
                            last = Some((n, code));
                            code
                        }
                    },
                    Cell::Float(_) => return Err(Fault::corrupt("floats are no categories").into()),
                };
                if let Some(code) = code {
                    self.push(part, code);
                }
            }
            row += index;
            self.hand_on()
        })
    }

    #[inline]
    fn push(&mut self, part: usize, code: u32) {
        if let Keys::U32(codes) = &mut self.out[part] {
            codes.push(code);
        }
    }

    fn hand_on(&mut self) -> Result<(), Stop<E>> {
        if self.out.iter().map(Keys::len).sum::<usize>() < self.window {
            return Ok(());
        }
        for (part, codes) in self.out.iter_mut().enumerate().filter(|(_, codes)| !codes.is_empty()) {
            (self.flush)(part, codes).map_err(Stop::Taker)?;
        }
        Ok(())
    }
}
