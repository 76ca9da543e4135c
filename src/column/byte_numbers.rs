//! Numbers that are stored as bytes: decimals and half floats.

use half::f16;

use crate::source::Fault;

use super::class::Class;
use super::decode::{ByteSink, Dictionary, read_bytes};
use super::encoding::Number;
use super::lanes::{Leaf, Stop};
use super::read::Collector;

impl<E> Collector<'_, E> {
    /// Reads a column chunk of bytes.
    pub(super) fn bytes(&mut self, leaf: &Leaf<'_>) -> Result<(), Stop<E>> {
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
