//! Keys and facts of one row group of one column.

use parquet::data_type as physical;

use crate::counts::{Key, Keys, Weighted, with_keys};
use crate::source::{Dataset, Fault, ReadError, Unit as RowGroup, Values, partition};

use super::append::append_keys;
use super::class::{Class, Unit};
use super::decode::BATCH;
use super::distinct::Distinguisher;
use super::encoding::{Encoding, Number};
use super::facts::{Facts, FactsLevel, Special};
use super::lanes::{Lane, Leaf, Stop};
use super::moments::Moments;
use super::plain::{Plain, Width};

/// Takes the keys that have come together; leaves the vector empty, or puts another one in its place.
pub type Flush<'f, E> = &'f mut dyn FnMut(&mut Keys) -> Result<(), E>;

/// Appends the keys of one column in one row group to `out`, in the order of the rows, nulls and NaNs left out.
///
/// `out` has the width of [`Encoding::key_bits`]. Whenever it holds at least `window` keys, `flush` is called, which
/// takes them away; with a window of `usize::MAX` it never is. At most some 32 000 keys more than the window come
/// together.
///
/// # Errors
/// When the column chunk cannot be read, or a value does not fit the encoding; and with what `flush` fails with. The keys
/// that came before stay in `out`.
///
/// # Panics
/// When `out` has another width than the encoding, or the encoding is one of categories.
#[expect(clippy::too_many_arguments, reason = "where from, how, and where to; a struct of these would be used once")]
pub fn read_keys<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    encoding: &Encoding,
    level: FactsLevel,
    out: &mut Keys,
    window: usize,
    flush: Flush<'_, E>,
) -> Result<Facts, E> {
    let collector = Collector::new(encoding, level, unit.rows, out, window, flush);
    collect(dataset, unit, column, collector)
}

/// [`read_keys`] with keys that many rows have, as far as a dictionary page tells, in `weighted` instead of `out`. The
/// order of the rows is lost; nothing else is.
///
/// # Errors
/// As [`read_keys`].
///
/// # Panics
/// As [`read_keys`], and when `weighted` has keys of another width.
pub fn read_weighted_keys<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    encoding: &Encoding,
    level: FactsLevel,
    out: &mut Keys,
    weighted: &mut Weighted,
) -> Result<Facts, E> {
    let flush: Flush<'_, E> = &mut |_| Ok(());
    let collector = Collector::new(encoding, level, unit.rows, out, usize::MAX, flush);
    collect(dataset, unit, column, Collector { weighted: Some(weighted), ..collector })
}

fn collect<E: From<ReadError>>(
    dataset: &Dataset,
    unit: &RowGroup,
    column: usize,
    mut collector: Collector<'_, E>,
) -> Result<Facts, E> {
    match collector.read(dataset, unit, column) {
        Ok(()) => Ok(collector.finish()),
        Err(Stop::Taker(error)) => Err(error),
        Err(Stop::Fault(fault)) => Err(fault.at(dataset.place(unit, column)).into()),
    }
}

/// What comes together while a column chunk is read.
pub(super) struct Collector<'c, E> {
    pub(super) encoding: Encoding,
    pub(super) level: FactsLevel,
    pub(super) facts: Facts,
    pub(super) distinct: Option<Distinguisher>,
    pub(super) out: &'c mut Keys,
    /// Takes keys that many rows have, where these are wanted.
    pub(super) weighted: Option<&'c mut Weighted>,
    window: usize,
    flush: Flush<'c, E>,
}

impl<'c, E> Collector<'c, E> {
    /// Nothing read yet of `rows` rows.
    pub(super) fn new(
        encoding: &Encoding,
        level: FactsLevel,
        rows: u64,
        out: &'c mut Keys,
        window: usize,
        flush: Flush<'c, E>,
    ) -> Self {
        assert!(!encoding.is_categorical(), "categories are read with read_codes");
        assert_eq!(out.bits(), encoding.key_bits(), "the vector for the keys has the width of the encoding");
        Self {
            encoding: *encoding,
            facts: Facts { rows, moments: Moments::new(encoding.scale()), ..Facts::default() },
            distinct: (level == FactsLevel::Full).then(|| Distinguisher::new(rows)),
            level,
            out,
            weighted: None,
            window,
            flush,
        }
    }
}

impl<E> Collector<'_, E> {
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

    pub(super) fn finish(mut self) -> Facts {
        if let Some(distinct) = self.distinct.take() {
            self.facts.distinct = distinct.finish();
        }
        self.facts
    }

    fn leaf(&mut self, leaf: &Leaf<'_>) -> Result<(), Stop<E>> {
        if leaf.class == Class::Null {
            self.facts.nulls += leaf.rows;
            return Ok(());
        }
        let encoding = self.encoding;
        // Whether the stored integer is the one that the key is made of.
        let same_unit = match encoding {
            Encoding::Temporal { unit, .. } => leaf.unit() == Some(unit),
            Encoding::Decimal { scale, .. } => matches!(leaf.class, Class::Decimal { scale: own, .. } if own == scale),
            _ => false,
        };
        match (leaf.lane()?, encoding) {
            (Lane::F32, Encoding::Float32) => self.same::<physical::FloatType, f32>(leaf),
            (Lane::F64, Encoding::Float64) => self.same::<physical::DoubleType, f64>(leaf),
            (Lane::I32, Encoding::Int32) => self.same::<physical::Int32Type, i32>(leaf),
            (Lane::I32, Encoding::Temporal { wide: false, .. }) if same_unit => {
                self.same::<physical::Int32Type, i32>(leaf)
            }
            (Lane::U32, Encoding::UInt32) => self.same::<physical::Int32Type, u32>(leaf),
            (Lane::I64, Encoding::Int64) => self.same::<physical::Int64Type, i64>(leaf),
            (Lane::I64, Encoding::Temporal { wide: true, .. } | Encoding::Decimal { wide: false, .. }) if same_unit => {
                self.same::<physical::Int64Type, i64>(leaf)
            }
            (Lane::U64, Encoding::UInt64) => self.same::<physical::Int64Type, u64>(leaf),
            (Lane::F32, _) => leaf.batches::<physical::FloatType, E>(&mut |values, nulls| {
                self.numbers(values.iter().map(|&x| Ok(Number::Float(x.into()))), nulls)
            }),
            (Lane::F64, _) => leaf.batches::<physical::DoubleType, E>(&mut |values, nulls| {
                self.numbers(values.iter().map(|&x| Ok(Number::Float(x))), nulls)
            }),
            (Lane::Bytes, _) => self.bytes(leaf),
            _ => {
                let factor = i128::from(self.factor_from(leaf.unit()));
                let scale = if let Class::Decimal { scale, .. } = leaf.class { Some(scale) } else { None };
                leaf.integers(&mut |values, nulls| {
                    let numbers = values.map(|n| match scale {
                        Some(scale) => Ok(Number::Scaled(n, scale)),
                        // 97 bits times 47 fit.
                        None => Ok(Number::Int(n.saturating_mul(factor))),
                    });
                    self.numbers(numbers, nulls)
                })
            }
        }
    }

    fn factor_from(&self, unit: Option<Unit>) -> i64 {
        match (unit, self.encoding) {
            (Some(own), Encoding::Temporal { unit, .. }) => own.factor_to(unit),
            _ => 1,
        }
    }

    /// A batch of values whose stored type is that of the encoding.
    pub(super) fn plain<T: Plain<Key: Width>>(&mut self, values: &[T], nulls: u64) -> Result<(), Stop<E>> {
        self.facts.nulls += nulls;
        let keys = T::Key::of(self.out);
        let from = keys.len();
        let nans = append_keys(values, keys);
        self.facts.nans += nans;
        let infinite = count::<T::Key>(&mut self.facts, &mut self.distinct, &keys[from..], &self.encoding, self.level);
        if self.level == FactsLevel::Full {
            T::add(values, nans, infinite, &mut self.facts.moments);
        }
        self.hand_on()
    }

    /// A batch of values of any type.
    pub(super) fn numbers(
        &mut self,
        numbers: impl Iterator<Item = Result<Number, Fault>>,
        nulls: u64,
    ) -> Result<(), Stop<E>> {
        self.facts.nulls += nulls;
        let encoding = self.encoding;
        let (mut ints, mut floats): (Vec<i128>, Vec<f64>) = (Vec::new(), Vec::new());
        let from = self.out.len();
        for number in numbers {
            let number = number?;
            if let Number::Float(value) = number {
                if value.is_nan() {
                    self.facts.nans += 1;
                    continue;
                }
                floats.push(value);
            }
            let key = encoding.key_of(number).map_err(Fault::Value)?;
            with_keys!(&mut *self.out, keys => keys.push(Key::narrow(key)));
            // What has a key at this scale is an integer at it.
            ints.extend(number.at_scale(encoding.scale()));
        }
        with_keys!(&*self.out, keys => {
            count(&mut self.facts, &mut self.distinct, &keys[from..], &encoding, self.level);
        });
        if self.level == FactsLevel::Full {
            let infinite = floats.iter().filter(|value| value.is_infinite()).count() as u64;
            self.facts.moments.add_f64(&floats, 0, infinite);
            self.facts.moments.add_wide(&ints);
        }
        self.hand_on()
    }

    fn hand_on(&mut self) -> Result<(), Stop<E>> {
        if self.out.len() >= self.window { (self.flush)(self.out).map_err(Stop::Taker) } else { Ok(()) }
    }

    /// The value in the name of a folder, once a row.
    pub(super) fn constant(&mut self, value: &str, rows: u64) -> Result<(), Stop<E>> {
        let number = match self.encoding {
            Encoding::Temporal { unit, .. } => {
                partition::day(value).map(|day| i128::from(day) * i128::from(Unit::Day.factor_to(unit)))
            }
            _ => partition::integer(value).map(i128::from),
        };
        let number = number
            .map(Number::Int)
            .ok_or_else(|| Fault::Value(format!("the partition value {value:?} has another type")))?;
        let key = self.encoding.key_of(number).map_err(Fault::Value)?;
        let mut left = rows;
        while left > 0 {
            let n = left.min(BATCH as u64);
            let from = self.out.len();
            with_keys!(&mut *self.out, keys => {
                keys.resize(from + usize::try_from(n).expect("a batch"), Key::narrow(key));
                count(&mut self.facts, &mut self.distinct, &keys[from..], &self.encoding, self.level);
            });
            if self.level == FactsLevel::Full {
                let whole = number.at_scale(self.encoding.scale()).expect("an integer with a key");
                self.facts.moments.add_repeated(whole, n);
            }
            self.hand_on()?;
            left -= n;
        }
        Ok(())
    }
}

/// Counts the keys of a batch; returns how many stand for infinities.
pub(super) fn count<K: Key>(
    facts: &mut Facts,
    distinct: &mut Option<Distinguisher>,
    keys: &[K],
    encoding: &Encoding,
    level: FactsLevel,
) -> u64 {
    let special = Special {
        zero: K::narrow(encoding.zero_key()),
        infinite: encoding.infinite_keys().map(|(low, high)| (K::narrow(low), K::narrow(high))),
    };
    let Some(ends) = facts.add_keys(keys, special, level) else { return 0 };
    if let Some(distinct) = distinct {
        distinct.add(keys, ends.least, ends.greatest);
    }
    ends.infinite
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests make values of every width"
)]
pub(super) mod tests;
