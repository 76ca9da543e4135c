//! The values of a column chunk in batches: dense, in their stored type, nulls left out.

use parquet::basic::Type as Physical;
use parquet::data_type as physical;

use crate::source::{DataFile, Fault};

use super::class::{Class, Unit};
use super::decode::{self, Numbers, Shelved, Sink, ValueReader};

/// Why reading stopped: something is wrong with the file, or the taker of the keys failed.
pub(super) enum Stop<E> {
    Fault(Fault),
    Taker(E),
}

/// What comes of handing on a batch.
pub(super) type Taken<E> = Result<(), Stop<E>>;

/// Takes a batch of values, and the number of nulls among them.
type Batches<'b, V, E> = dyn FnMut(&[V], u64) -> Taken<E> + 'b;

/// A batch of integers of any stored type.
type Integers<'i> = &'i mut dyn Iterator<Item = i128>;

impl<E> From<Fault> for Stop<E> {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// One column chunk, and what its values mean.
pub(super) struct Leaf<'d> {
    pub(super) file: &'d DataFile,
    pub(super) row_group: usize,
    pub(super) leaf: usize,
    pub(super) rows: u64,
    pub(super) class: Class,
}

/// How the values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Bool,
    I32,
    U32,
    I64,
    U64,
    I96,
    F32,
    F64,
    /// Big-endian integers, half floats, strings.
    Bytes,
}

impl Leaf<'_> {
    /// How the values are stored, or that their physical type does not go with what they mean.
    pub(super) fn lane(&self) -> Result<Lane, Fault> {
        let unsigned = matches!(self.class, Class::Int { signed: false, .. });
        let stored = self.file.descriptor(self.leaf).physical_type();
        let whole = matches!(self.class, Class::Int { .. } | Class::Decimal { .. } | Class::Temporal { .. });
        Ok(match (stored, self.class) {
            (Physical::BOOLEAN, Class::Boolean) => Lane::Bool,
            (Physical::INT32, _) if whole => {
                if unsigned {
                    Lane::U32
                } else {
                    Lane::I32
                }
            }
            (Physical::INT64, _) if whole => {
                if unsigned {
                    Lane::U64
                } else {
                    Lane::I64
                }
            }
            (Physical::INT96, Class::Temporal { .. }) => Lane::I96,
            (Physical::FLOAT, Class::Float { .. }) => Lane::F32,
            (Physical::DOUBLE, Class::Float { .. }) => Lane::F64,
            (
                Physical::BYTE_ARRAY | Physical::FIXED_LEN_BYTE_ARRAY,
                Class::Text | Class::Binary | Class::Decimal { .. } | Class::Float { bits: 16 },
            ) => Lane::Bytes,
            (stored, class) => {
                return Err(Fault::Unsupported(format!("{} stored as {stored} are not supported", class.words())));
            }
        })
    }

    /// The unit that stored temporal values have. Days stay days when their Arrow type counts milliseconds.
    pub(super) fn unit(&self) -> Option<Unit> {
        match self.class {
            Class::Temporal { unit: Unit::Millisecond, bits: 64, clock: super::class::Clock::Date }
                if self.file.descriptor(self.leaf).physical_type() == Physical::INT32 =>
            {
                Some(Unit::Day)
            }
            Class::Temporal { unit, .. } => Some(unit),
            _ => None,
        }
    }

    /// Reads the column chunk into `sink`.
    pub(super) fn read<V: ValueReader, S: Sink<V::Batch>>(&self, sink: &mut S) -> Result<(), S::Error> {
        let pages = self.file.pages(self.row_group, self.leaf)?;
        decode::read::<V, S>(pages, &self.file.descriptor(self.leaf), sink)
    }

    /// Reads all values of a physical type and hands them on in batches, with the number of nulls among them. What codes
    /// stand for is put in their place.
    pub(super) fn batches<T, E>(&self, each: &mut Batches<'_, T::T, E>) -> Taken<E>
    where
        T: physical::DataType<T: Shelved>,
    {
        self.read::<Numbers<T>, _>(&mut Gathered { dictionary: Vec::new(), values: Vec::new(), each })
    }

    /// The stored integers of a lane of integers.
    pub(super) fn integers<E>(&self, each: &mut dyn FnMut(Integers<'_>, u64) -> Taken<E>) -> Taken<E> {
        match self.lane()? {
            Lane::Bool => self.batches::<physical::BoolType, E>(&mut |values, nulls| {
                each(&mut values.iter().map(|&value| value.into()), nulls)
            }),
            Lane::I32 => self.batches::<physical::Int32Type, E>(&mut |values, nulls| {
                each(&mut values.iter().map(|&value| value.into()), nulls)
            }),
            Lane::U32 => self.batches::<physical::Int32Type, E>(&mut |values, nulls| {
                each(&mut values.iter().map(|&value| value.cast_unsigned().into()), nulls)
            }),
            Lane::I64 => self.batches::<physical::Int64Type, E>(&mut |values, nulls| {
                each(&mut values.iter().map(|&value| value.into()), nulls)
            }),
            Lane::U64 => self.batches::<physical::Int64Type, E>(&mut |values, nulls| {
                each(&mut values.iter().map(|&value| value.cast_unsigned().into()), nulls)
            }),
            Lane::I96 => self.batches::<physical::Int96Type, E>(&mut |values, nulls| {
                each(&mut values.iter().map(nanoseconds), nulls)
            }),
            Lane::F32 | Lane::F64 | Lane::Bytes => {
                Err(Fault::Unsupported(format!("{} are not integers", self.class.words())).into())
            }
        }
    }
}

/// Nanoseconds since 1970 of an INT96 timestamp: nanoseconds of the day, then the Julian day.
pub(super) fn nanoseconds(value: &physical::Int96) -> i128 {
    const JULIAN_1970: i128 = 2_440_588;
    let &[low, high, day] = value.data() else { return 0 };
    let of_day = u64::from(high) << 32 | u64::from(low);
    (i128::from(day) - JULIAN_1970) * 86_400_000_000_000 + i128::from(of_day.cast_signed())
}

/// Puts values in the place of codes.
struct Gathered<'g, 'b, V, E> {
    dictionary: Vec<V>,
    values: Vec<V>,
    each: &'g mut Batches<'b, V, E>,
}

impl<V: Clone, E> Sink<[V]> for Gathered<'_, '_, V, E> {
    type Error = Stop<E>;

    fn dictionary(&mut self, values: Vec<V>) -> Taken<E> {
        self.dictionary = values;
        Ok(())
    }

    fn codes(&mut self, codes: &[i32], nulls: u64) -> Taken<E> {
        self.values.clear();
        self.values.extend(codes.iter().map(|&code| self.dictionary[place(code)].clone()));
        (self.each)(&self.values, nulls)
    }

    fn values(&mut self, values: &[V], nulls: u64) -> Taken<E> {
        (self.each)(values, nulls)
    }
}

/// The place of the value that a code stands for.
#[inline(always)]
pub(super) fn place(code: i32) -> usize {
    code.cast_unsigned() as usize
}
