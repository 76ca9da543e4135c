//! Numbers that are stored as bytes: decimals and half floats.

use half::f16;

use crate::source::Fault;

use super::class::Class;
use super::decode::{ByteSink, Dictionary, read_bytes};
use super::encoding::{Encoding, Number};
use super::lanes::{Leaf, Stop};
use super::read::Collector;

impl<E> Collector<'_, E> {
    /// Reads a column chunk of bytes.
    pub(super) fn bytes(&mut self, leaf: &Leaf<'_>) -> Result<(), Stop<E>> {
        let meaning = Meaning::of(leaf.class)?;
        let mut pages = leaf.file.pages(leaf.row_group, leaf.leaf)?;
        let same_scale = match (meaning, self.encoding) {
            (Meaning::Decimal(own), Encoding::Decimal { scale, wide }) if own == scale => Some(wide),
            _ => None,
        };
        let mut sink = NumberSink { collector: self, meaning, same_scale, dictionary: Vec::new() };
        read_bytes(&mut pages, &leaf.file.descriptor(leaf.leaf), &mut sink)
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
    /// For decimals whose integers are those that keys are made of: whether these are wide.
    same_scale: Option<bool>,
    /// The dictionary's values; one that is broken matters only where it is used.
    dictionary: Vec<Option<Number>>,
}

impl<E> NumberSink<'_, '_, E> {
    fn hand_on(&mut self, numbers: impl Iterator<Item = Result<Number, Fault>>) -> Result<(), Stop<E>> {
        let whole = |number| match number {
            Number::Int(n) | Number::Scaled(n, _) => n,
            Number::Float(_) => 0,
        };
        match self.same_scale {
            None => self.collector.numbers(numbers, 0),
            Some(true) => {
                let values: Vec<i128> = numbers.map(|number| number.map(whole)).collect::<Result<_, _>>()?;
                self.collector.plain(&values, 0)
            }
            Some(false) => {
                let encoding = self.collector.encoding;
                let narrow = |number| {
                    // Only what the column's precision promises fits.
                    i64::try_from(whole(number))
                        .map_err(|_| Fault::Value(encoding.key_of(number).err().unwrap_or_default()))
                };
                let values: Vec<i64> = numbers.map(|number| number.and_then(narrow)).collect::<Result<_, _>>()?;
                self.collector.plain(&values, 0)
            }
        }
    }
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
        let (meaning, known) = (self.meaning, std::mem::take(&mut self.dictionary));
        let outcome = self.hand_on(codes.iter().map(|&code| match known[code as usize] {
            Some(number) => Ok(number),
            None => meaning.number(dictionary.value(code as usize)),
        }));
        self.dictionary = known;
        outcome
    }

    fn values(&mut self, values: &[&[u8]]) -> Result<(), Stop<E>> {
        let meaning = self.meaning;
        self.hand_on(values.iter().map(|bytes| meaning.number(bytes)))
    }
}
