//! Numbers that are stored as bytes: decimals and half floats.

use half::f16;

use crate::source::Fault;

use super::class::Class;
use super::decode::{ByteBatch, ByteValues, Sink};
use super::encoding::{Encoding, Number};
use super::lanes::{Leaf, Stop, place};
use super::read::Collector;
use super::tally::Tally;

impl<E> Collector<'_, E> {
    /// Reads a column chunk of bytes.
    pub(super) fn bytes(&mut self, leaf: &Leaf<'_>) -> Result<(), Stop<E>> {
        let meaning = Meaning::of(leaf.class)?;
        let same_scale = match (meaning, self.encoding) {
            (Meaning::Decimal(own), Encoding::Decimal { scale, wide }) if own == scale => Some(wide),
            _ => None,
        };
        let mut sink = NumberSink {
            collector: self,
            meaning,
            same_scale,
            dictionary: Vec::new(),
            bytes: None,
            rows: leaf.rows,
            tally: None,
            numbers: Vec::new(),
        };
        leaf.read::<ByteValues, _>(&mut sink)?;
        match sink.tally.take() {
            Some(mut tally) => sink.tallied(tally.rows()),
            None => Ok(()),
        }
    }
}

/// What bytes stand for.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// A big-endian integer, times ten to the power of minus this.
    Decimal(i32),
    /// A little-endian half float.
    HalfFloat,
}

impl Meaning {
    /// What the bytes of a column stand for, or that they are no numbers.
    pub(super) fn of(class: Class) -> Result<Self, Fault> {
        match class {
            Class::Decimal { scale, .. } => Ok(Self::Decimal(scale)),
            Class::Float { .. } => Ok(Self::HalfFloat),
            other => Err(Fault::Unsupported(format!("{} are not numbers", other.words()))),
        }
    }

    pub(super) fn number(self, bytes: &[u8]) -> Result<Number, Fault> {
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
#[inline]
fn big_endian(bytes: &[u8]) -> Result<i128, Fault> {
    if let Ok(bytes) = bytes.try_into() {
        return Ok(i128::from_be_bytes(bytes));
    }
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

/// The integer that keys are made of.
fn whole(number: Number) -> i128 {
    match number {
        Number::Int(n) | Number::Scaled(n, _) => n,
        Number::Float(_) => 0,
    }
}

/// The same in 64 bits, where only what the column's precision promises fits.
fn narrow(number: Number, encoding: &Encoding) -> Result<i64, Fault> {
    i64::try_from(whole(number)).map_err(|_| Fault::Value(encoding.key_of(number).err().unwrap_or_default()))
}

struct NumberSink<'s, 'c, E> {
    collector: &'s mut Collector<'c, E>,
    meaning: Meaning,
    /// For decimals whose integers are those that keys are made of: whether these are wide.
    same_scale: Option<bool>,
    /// The dictionary's values; one that is broken matters only where it is used.
    dictionary: Vec<Option<Number>>,
    bytes: Option<ByteBatch>,
    /// Rows of the chunk.
    rows: u64,
    tally: Option<Tally>,
    numbers: Vec<Number>,
}

impl<E> NumberSink<'_, '_, E> {
    /// Hands on what has come together in `numbers`.
    fn hand_on(&mut self, nulls: u64) -> Result<(), Stop<E>> {
        let numbers = self.numbers.drain(..);
        match self.same_scale {
            None => self.collector.numbers(numbers.map(Ok), nulls),
            Some(true) => {
                let values: Vec<i128> = numbers.map(whole).collect();
                self.collector.plain(&values, nulls)
            }
            Some(false) => {
                let encoding = self.collector.encoding;
                let values: Vec<i64> = numbers.map(|number| narrow(number, &encoding)).collect::<Result<_, _>>()?;
                self.collector.plain(&values, nulls)
            }
        }
    }

    /// Hands on what was counted by code.
    fn tallied(&mut self, rows: &[u32]) -> Result<(), Stop<E>> {
        let used = || rows.iter().enumerate().filter(|(_, rows)| **rows > 0);
        let numbers = used().map(|(code, _)| self.number(code)).collect::<Result<Vec<_>, _>>()?;
        let rows: Vec<u32> = used().map(|(_, &rows)| rows).collect();
        if self.same_scale == Some(true) {
            let values: Vec<i128> = numbers.into_iter().map(whole).collect();
            self.collector.tallied(&values, &rows)
        } else {
            let encoding = self.collector.encoding;
            let values: Vec<i64> = numbers.into_iter().map(|n| narrow(n, &encoding)).collect::<Result<_, _>>()?;
            self.collector.tallied(&values, &rows)
        }
    }

    /// The value of the dictionary that `code` stands for.
    fn number(&self, code: usize) -> Result<Number, Fault> {
        match (self.dictionary[code], &self.bytes) {
            (None, Some(values)) => self.meaning.number(values.value(code)),
            (number, _) => number.ok_or_else(|| Fault::corrupt("codes without a dictionary page")),
        }
    }
}

impl<E> Sink<ByteBatch> for NumberSink<'_, '_, E> {
    type Error = Stop<E>;

    fn dictionary(&mut self, values: ByteBatch) -> Result<(), Stop<E>> {
        self.dictionary = (0..values.len()).map(|code| self.meaning.number(values.value(code)).ok()).collect();
        if self.collector.weighted.is_some() && self.same_scale.is_some() {
            self.tally = Tally::where_it_pays(values.len(), self.rows);
        }
        self.bytes = Some(values);
        Ok(())
    }

    fn codes(&mut self, codes: &[i32], nulls: u64) -> Result<(), Stop<E>> {
        if let Some(mut tally) = self.tally.take() {
            self.collector.facts.nulls += nulls;
            if !tally.has_room(codes.len()) {
                self.tallied(tally.rows())?;
                tally.clear();
            }
            tally.add(codes);
            self.tally = Some(tally);
            return Ok(());
        }
        for &code in codes {
            let number = self.number(place(code))?;
            self.numbers.push(number);
        }
        self.hand_on(nulls)
    }

    fn values(&mut self, values: &ByteBatch, nulls: u64) -> Result<(), Stop<E>> {
        values.each(|bytes| {
            self.numbers.push(self.meaning.number(bytes)?);
            Ok::<_, Fault>(())
        })?;
        self.hand_on(nulls)
    }
}
