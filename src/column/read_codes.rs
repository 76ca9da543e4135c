//! Codes of categories of one row group of one column.

use crate::counts::{Keys, Weighted};
use crate::source::{Dataset, Fault, ReadError, Unit as RowGroup, Values};

use super::categories::CategoryTable;
use super::class::{Class, Unit};
use super::coded::FEW;
use super::decode::{BATCH, ByteBatch, ByteValues, Sink};
use super::encoding::Encoding;
use super::facts::Facts;
use super::lanes::{Lane, Leaf, Stop, place};
use super::read::Flush;
use super::tally::Tally;
use super::words::in_words;

/// Appends the codes of one column in one row group to `out`, nulls left out. New values get new codes in `table`; values
/// of other partitions than the table's are passed over (they count as rows, not as nulls).
///
/// `out` has 32 bits. Window and flush are those of [`read_keys`](super::read_keys).
///
/// # Errors
/// When the column chunk cannot be read, a text is not UTF-8, or the table would grow beyond its limit
/// ([`ReadError::TooManyCategories`]: start again with more partitions); and with what `flush` fails with.
///
/// # Panics
/// When `out` has not 32 bits, or the encoding is not one of categories.
#[expect(clippy::too_many_arguments, reason = "where from, how, and where to; a struct of these would be used once")]
pub fn read_codes<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    encoding: &Encoding,
    table: &mut CategoryTable,
    out: &mut Keys,
    window: usize,
    flush: Flush<'_, E>,
) -> Result<Facts, E> {
    let coder = Coder::new(unit, encoding, table, out, window, flush);
    collect(dataset, unit, column, coder)
}

/// [`read_codes`] with codes that many rows have, as far as a dictionary page tells, in `weighted` instead of `out`. The
/// order of the rows is lost; nothing else is.
///
/// # Errors
/// As [`read_codes`].
///
/// # Panics
/// As [`read_codes`], and when `weighted` has not 32 bits.
pub fn read_weighted_codes<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    encoding: &Encoding,
    table: &mut CategoryTable,
    out: &mut Keys,
    weighted: &mut Weighted,
) -> Result<Facts, E> {
    let flush: Flush<'_, E> = &mut |_| Ok(());
    let coder = Coder::new(unit, encoding, table, out, usize::MAX, flush);
    collect(dataset, unit, column, Coder { weighted: Some(weighted), ..coder })
}

fn collect<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    mut coder: Coder<'_, E>,
) -> Result<Facts, E> {
    match coder.read(dataset, unit, column) {
        Ok(()) => Ok(coder.facts),
        Err(Stop::Taker(error)) => Err(error),
        Err(Stop::Fault(fault)) => Err(fault.at(dataset.place(unit, column)).into()),
    }
}

/// What is known of a value of the dictionary.
#[derive(Clone, Copy)]
enum Known {
    NotYet,
    OtherPartition,
    Code(u32),
}

impl From<Option<u32>> for Known {
    fn from(code: Option<u32>) -> Self {
        code.map_or(Self::OtherPartition, Self::Code)
    }
}

struct Coder<'c, E> {
    table: &'c mut CategoryTable,
    facts: Facts,
    out: &'c mut Keys,
    /// Takes codes that many rows have, where these are wanted.
    weighted: Option<&'c mut Weighted>,
    window: usize,
    flush: Flush<'c, E>,
    text: String,
    dictionary: Option<ByteBatch>,
    /// A dictionary may hold values that no row has, so a value gets its code when a row has it.
    known: Vec<Known>,
    /// Counts the codes of the dictionary, where many rows may share one in `weighted`.
    tally: Option<Tally>,
    /// Whether values have to be UTF-8.
    check: bool,
}

/// Recent integers with their codes, by the low bits.
const RECENT: usize = 1024;

impl<'c, E> Coder<'c, E> {
    fn new(
        unit: &RowGroup,
        encoding: &Encoding,
        table: &'c mut CategoryTable,
        out: &'c mut Keys,
        window: usize,
        flush: Flush<'c, E>,
    ) -> Self {
        let (Encoding::Category { binary }, Keys::U32(_)) = (encoding, &*out) else {
            unreachable!("the codes of categories have 32 bits")
        };
        table.set_binary(*binary);
        Self {
            table,
            facts: Facts { rows: unit.rows, ..Facts::default() },
            out,
            weighted: None,
            window,
            flush,
            text: String::new(),
            dictionary: None,
            known: Vec::new(),
            tally: None,
            check: false,
        }
    }

    fn read(&mut self, dataset: &Dataset, unit: &RowGroup, column: usize) -> Result<(), Stop<E>> {
        match dataset.values(unit, column) {
            Values::Absent | Values::Constant(None) => {
                self.facts.nulls += unit.rows;
                Ok(())
            }
            Values::Constant(Some(value)) => self.constant(value, unit.rows),
            Values::Leaf { file, leaf, data_type } => {
                let class = Class::of(data_type).map_err(Fault::Unsupported)?;
                self.leaf(&Leaf { file, row_group: unit.row_group, leaf, rows: unit.rows, class })
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf<'_>) -> Result<(), Stop<E>> {
        if leaf.class == Class::Null {
            self.facts.nulls += leaf.rows;
            return Ok(());
        }
        if leaf.lane()? != Lane::Bytes {
            let unit = leaf.unit();
            let mut recent = vec![(0_i128, Known::NotYet); RECENT];
            return leaf.integers(&mut |values, nulls| {
                self.facts.nulls += nulls;
                for n in values {
                    self.integer(n, leaf.class, unit, &mut recent)?;
                }
                self.hand_on()
            });
        }
        self.check = leaf.class == Class::Text;
        leaf.read::<ByteValues, _>(self)?;
        match self.tally.take() {
            Some(mut tally) => self.tallied(tally.rows()),
            None => Ok(()),
        }
    }

    fn integer(
        &mut self,
        n: i128,
        class: Class,
        unit: Option<Unit>,
        recent: &mut [(i128, Known)],
    ) -> Result<(), Fault> {
        let slot = usize::try_from(n.rem_euclid(RECENT as i128)).expect("below 1024");
        if matches!(recent[slot], (_, Known::NotYet)) || recent[slot].0 != n {
            self.text.clear();
            in_words(n, class, unit, &mut self.text);
            let code = self.table.code(self.text.as_bytes(), |_| Ok(()))?;
            recent[slot] = (n, code.into());
        }
        if let Known::Code(code) = recent[slot].1 {
            self.push(code);
        }
        Ok(())
    }

    fn constant(&mut self, value: &str, rows: u64) -> Result<(), Stop<E>> {
        let Some(code) = self.table.code(value.as_bytes(), |_| Ok(()))? else { return Ok(()) };
        let mut left = rows;
        while left > 0 {
            let n = left.min(BATCH as u64);
            (0..n).for_each(|_| self.push(code));
            self.hand_on()?;
            left -= n;
        }
        Ok(())
    }

    /// Hands on what was counted by code of the dictionary.
    fn tallied(&mut self, rows: &[u32]) -> Result<(), Stop<E>> {
        let Some(values) = self.dictionary.take() else { return Ok(()) };
        let (mut many, mut rows_of_many) = (Vec::new(), Vec::<u64>::new());
        for (index, &rows) in rows.iter().enumerate().filter(|(_, rows)| **rows > 0) {
            match self.code(values.value(index))? {
                Some(code) if rows <= FEW => (0..rows).for_each(|_| self.push(code)),
                Some(code) => {
                    many.push(code);
                    rows_of_many.push(rows.into());
                }
                None => {}
            }
        }
        self.dictionary = Some(values);
        if let Some(weighted) = &mut self.weighted {
            weighted.append(&Keys::U32(many), rows_of_many);
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, code: u32) {
        if let Keys::U32(codes) = &mut *self.out {
            codes.push(code);
        }
    }

    fn hand_on(&mut self) -> Result<(), Stop<E>> {
        if self.out.len() >= self.window { (self.flush)(self.out).map_err(Stop::Taker) } else { Ok(()) }
    }

    fn code(&mut self, value: &[u8]) -> Result<Option<u32>, Fault> {
        let check = self.check;
        self.table.code(value, |value| if check { check_text(value) } else { Ok(()) })
    }
}

/// That a text is UTF-8.
pub(super) fn check_text(value: &[u8]) -> Result<(), Fault> {
    std::str::from_utf8(value).map(|_| ()).map_err(|error| {
        let start: String = String::from_utf8_lossy(value).chars().take(40).collect();
        Fault::Corrupt(format!("a text is not UTF-8 from its byte {} on: {start:?}", error.valid_up_to()))
    })
}

impl<E> Sink<ByteBatch> for Coder<'_, E> {
    type Error = Stop<E>;

    fn dictionary(&mut self, values: ByteBatch) -> Result<(), Stop<E>> {
        self.known.clear();
        self.known.resize(values.len(), Known::NotYet);
        if self.weighted.is_some() {
            self.tally = Tally::where_it_pays(values.len(), self.facts.rows);
        }
        self.dictionary = Some(values);
        Ok(())
    }

    fn codes(&mut self, codes: &[i32], nulls: u64) -> Result<(), Stop<E>> {
        self.facts.nulls += nulls;
        if let Some(mut tally) = self.tally.take() {
            if !tally.has_room(codes.len()) {
                self.tallied(tally.rows())?;
                tally.clear();
            }
            tally.add(codes);
            self.tally = Some(tally);
            return Ok(());
        }
        if let Some(values) = self.dictionary.take() {
            for &code in codes {
                let code = place(code);
                if let Known::NotYet = self.known[code] {
                    self.known[code] = self.code(values.value(code))?.into();
                }
            }
            self.dictionary = Some(values);
        }
        if let Keys::U32(out) = &mut *self.out {
            out.extend(codes.iter().filter_map(|&code| match self.known[place(code)] {
                Known::Code(code) => Some(code),
                Known::NotYet | Known::OtherPartition => None,
            }));
        }
        self.hand_on()
    }

    fn values(&mut self, values: &ByteBatch, nulls: u64) -> Result<(), Stop<E>> {
        self.facts.nulls += nulls;
        values.each(|value| {
            if let Some(code) = self.code(value)? {
                self.push(code);
            }
            Ok::<_, Fault>(())
        })?;
        self.hand_on()
    }
}
