//! Keys and facts of one row group of one column.

use half::f16;
use parquet::data_type as physical;

use crate::counts::{Key, Keys, with_keys};
use crate::source::{Dataset, Fault, ReadError, Unit as RowGroup, Values, partition};

use super::class::{Class, Unit};
use super::decode::{ByteSink, Dictionary, read_bytes};
use super::distinct::Distinguisher;
use super::encoding::{Encoding, Number};
use super::facts::{Facts, FactsLevel, Special};
use super::key::{f32_key, f64_key, i32_key, i64_key};
use super::lanes::{BATCH, Lane, Leaf, Stop};
use super::moments::Moments;

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
    assert!(!encoding.is_categorical(), "categories are read with read_codes");
    assert_eq!(out.bits(), encoding.key_bits(), "the vector for the keys has the width of the encoding");
    let mut collector = Collector {
        encoding: *encoding,
        facts: Facts { rows: unit.rows, moments: Moments::new(encoding.scale()), ..Facts::default() },
        distinct: (level == FactsLevel::Full).then(|| Distinguisher::new(unit.rows)),
        level,
        out,
        window,
        flush,
    };
    match collector.read(dataset, unit, column) {
        Ok(()) => Ok(collector.finish()),
        Err(Stop::Taker(error)) => Err(error),
        Err(Stop::Fault(fault)) => Err(fault.at(dataset.place(unit, column)).into()),
    }
}

/// A stored type whose key is a matter of some bit operations.
trait Plain: Copy {
    type Key: Key;
    const FLOAT: bool;
    fn key(self) -> Self::Key;
    fn is_nan(self) -> bool;
    fn add(values: &[Self], nans: u64, infinite: u64, moments: &mut Moments);
}

macro_rules! plain_integer {
    ($($t:ty, $key:ty, $to_key:expr;)*) => {$(
        impl Plain for $t {
            type Key = $key;
            const FLOAT: bool = false;
            #[inline(always)]
            fn key(self) -> $key {
                $to_key(self)
            }
            fn is_nan(self) -> bool {
                false
            }
            fn add(values: &[Self], _: u64, _: u64, moments: &mut Moments) {
                moments.add_ints(values);
            }
        }
    )*};
}
plain_integer! {
    i32, u32, i32_key;
    u32, u32, std::convert::identity;
    i64, u64, i64_key;
    u64, u64, std::convert::identity;
}

macro_rules! plain_float {
    ($($t:ty, $key:ty, $to_key:expr, $add:ident;)*) => {$(
        impl Plain for $t {
            type Key = $key;
            const FLOAT: bool = true;
            #[inline(always)]
            fn key(self) -> $key {
                $to_key(self)
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                <$t>::is_nan(self)
            }
            fn add(values: &[Self], nans: u64, infinite: u64, moments: &mut Moments) {
                moments.$add(values, nans, infinite);
            }
        }
    )*};
}
plain_float! {
    f32, u32, f32_key, add_f32;
    f64, u64, f64_key, add_f64;
}

/// Reaches the vector of one width inside [`Keys`].
trait Width: Key {
    fn of(keys: &mut Keys) -> &mut Vec<Self>;
}

macro_rules! width {
    ($($t:ty, $variant:ident;)*) => {$(
        impl Width for $t {
            fn of(keys: &mut Keys) -> &mut Vec<Self> {
                match keys {
                    Keys::$variant(keys) => keys,
                    _ => unreachable!("the width was checked at the door"),
                }
            }
        }
    )*};
}
width! { u32, U32; u64, U64; u128, U128; }

struct Collector<'c, E> {
    encoding: Encoding,
    level: FactsLevel,
    facts: Facts,
    distinct: Option<Distinguisher>,
    out: &'c mut Keys,
    window: usize,
    flush: Flush<'c, E>,
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

    fn finish(mut self) -> Facts {
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
            (Lane::F32, Encoding::Float32) => {
                leaf.batches::<physical::FloatType, E>(&mut |values, nulls| self.plain(values, nulls))
            }
            (Lane::F64, Encoding::Float64) => {
                leaf.batches::<physical::DoubleType, E>(&mut |values, nulls| self.plain(values, nulls))
            }
            (Lane::I32, Encoding::Int32) => {
                leaf.batches::<physical::Int32Type, E>(&mut |values, nulls| self.plain(values, nulls))
            }
            (Lane::I32, Encoding::Temporal { wide: false, .. }) if same_unit => {
                leaf.batches::<physical::Int32Type, E>(&mut |values, nulls| self.plain(values, nulls))
            }
            (Lane::U32, Encoding::UInt32) => leaf.batches::<physical::Int32Type, E>(&mut |values, nulls| {
                self.plain::<u32>(bytemuck::cast_slice(values), nulls)
            }),
            (Lane::I64, Encoding::Int64) => {
                leaf.batches::<physical::Int64Type, E>(&mut |values, nulls| self.plain(values, nulls))
            }
            (Lane::I64, Encoding::Temporal { wide: true, .. } | Encoding::Decimal { wide: false, .. }) if same_unit => {
                leaf.batches::<physical::Int64Type, E>(&mut |values, nulls| self.plain(values, nulls))
            }
            (Lane::U64, Encoding::UInt64) => leaf.batches::<physical::Int64Type, E>(&mut |values, nulls| {
                self.plain::<u64>(bytemuck::cast_slice(values), nulls)
            }),
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
    fn plain<T: Plain<Key: Width>>(&mut self, values: &[T], nulls: u64) -> Result<(), Stop<E>> {
        self.facts.nulls += nulls;
        let keys = T::Key::of(self.out);
        let from = keys.len();
        let nans = if T::FLOAT { values.iter().map(|value| u64::from(value.is_nan())).sum() } else { 0 };
        if nans == 0 {
            keys.extend(values.iter().map(|value| value.key()));
        } else {
            keys.extend(values.iter().filter(|value| !value.is_nan()).map(|value| value.key()));
        }
        self.facts.nans += nans;
        let infinite = count::<T::Key>(&mut self.facts, &mut self.distinct, &keys[from..], &self.encoding, self.level);
        if self.level == FactsLevel::Full {
            T::add(values, nans, infinite, &mut self.facts.moments);
        }
        self.hand_on()
    }

    /// A batch of values of any type.
    fn numbers(&mut self, numbers: impl Iterator<Item = Result<Number, Fault>>, nulls: u64) -> Result<(), Stop<E>> {
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
    fn constant(&mut self, value: &str, rows: u64) -> Result<(), Stop<E>> {
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

    fn bytes(&mut self, leaf: &Leaf<'_>) -> Result<(), Stop<E>> {
        let meaning = match leaf.class {
            Class::Decimal { scale, .. } => Meaning::Decimal(scale),
            Class::Float { .. } => Meaning::HalfFloat,
            other => return Err(Fault::Unsupported(format!("{} are not numbers", other.words())).into()),
        };
        let mut pages = leaf.file.pages(leaf.row_group, leaf.leaf)?;
        let mut sink = NumberSink { collector: self, meaning, dictionary: Vec::new() };
        read_bytes(&mut pages, &leaf.file.descriptor(leaf.leaf), &mut sink)
    }
}

/// Counts the keys of a batch; returns how many stand for infinities.
fn count<K: Key>(
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
    if let Some(distinct) = distinct {
        distinct.add(keys);
    }
    facts.add_keys(keys, special, level)
}

/// What bytes stand for.
#[derive(Clone, Copy)]
enum Meaning {
    /// A big-endian integer, times ten to the power of minus this.
    Decimal(i32),
    /// A little-endian half float.
    HalfFloat,
}

impl Meaning {
    fn number(self, bytes: &[u8]) -> Result<Number, Fault> {
        match self {
            Self::HalfFloat => {
                let bytes = bytes.try_into().map_err(|_| Fault::corrupt("a half float has not two bytes"))?;
                Ok(Number::Float(f16::from_le_bytes(bytes).into()))
            }
            Self::Decimal(scale) => big_endian(bytes).map(|n| Number::Scaled(n, scale)),
        }
    }
}

/// A big-endian integer in two's complement.
fn big_endian(bytes: &[u8]) -> Result<i128, Fault> {
    let Some(&first) = bytes.first() else {
        return Err(Fault::corrupt("a decimal has no bytes"));
    };
    let sign = if first & 0x80 == 0 { 0x00 } else { 0xff };
    let (spare, low) = bytes.split_at(bytes.len().saturating_sub(16));
    let fits = spare.iter().all(|&byte| byte == sign) && low[0] & 0x80 == sign & 0x80;
    if !fits {
        return Err(Fault::Value(format!("a decimal of {} bytes does not fit 128 bits", bytes.len())));
    }
    let mut whole = [sign; 16];
    whole[16 - low.len()..].copy_from_slice(low);
    Ok(i128::from_be_bytes(whole))
}

struct NumberSink<'s, 'c, E> {
    collector: &'s mut Collector<'c, E>,
    meaning: Meaning,
    /// The dictionary's values; one that is broken matters only where it is used.
    dictionary: Vec<Option<Number>>,
}

impl<E> ByteSink for NumberSink<'_, '_, E> {
    type Error = Stop<E>;

    fn nulls(&mut self, n: usize) {
        self.collector.facts.nulls += n as u64;
    }

    fn dictionary(&mut self, dictionary: &Dictionary) -> Result<(), Stop<E>> {
        self.dictionary = (0..dictionary.len()).map(|code| self.meaning.number(dictionary.value(code)).ok()).collect();
        Ok(())
    }

    fn codes(&mut self, dictionary: &Dictionary, codes: &[u32]) -> Result<(), Stop<E>> {
        let numbers = codes.iter().map(|&code| match self.dictionary[code as usize] {
            Some(number) => Ok(number),
            None => self.meaning.number(dictionary.value(code as usize)),
        });
        self.collector.numbers(numbers, 0)
    }

    fn values(&mut self, values: &[&[u8]]) -> Result<(), Stop<E>> {
        self.collector.numbers(values.iter().map(|bytes| self.meaning.number(bytes)), 0)
    }
}

#[cfg(test)]
mod tests;
