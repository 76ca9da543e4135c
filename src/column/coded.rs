//! Column chunks with a dictionary, counted by code: how many rows have each code, and then each value once, with its
//! number of rows.
//!
//! ```text
//!     dictionary   7.5   1.0   3.2   9.9        codes of the rows   0 1 0 0 3 0 1 ...
//!     rows           4     2     0     1        tallied
//!     keys         many: (7.5, 4)               few: 1.0, 1.0, 9.9, as if from a page of values
//! ```

use std::marker::PhantomData;

use bytemuck::Pod;
use parquet::data_type::DataType;

use super::decode::{BATCH, Numbers, Shelved, Sink};
use super::facts::{Facts, FactsLevel};
use super::lanes::{Leaf, Stop, Taken, place};
use super::moments::Moments;
use super::plain::{Plain, Width};
use super::read::{Collector, count};
use super::tally::Tally;
use crate::vector::vectorized;

/// A value that at most so many rows have is put down once a row, which costs less than to keep the number.
pub(super) const FEW: u32 = 2;
/// Values of a dictionary that are looked at at a time: once a row they are no more than a batch.
const BLOCK: usize = BATCH / FEW as usize;

/// Takes the values of a chunk, stored as `V`, which are the `T` that keys are made of.
struct Same<'s, 'c, E, V: Shelved, T> {
    collector: &'s mut Collector<'c, E>,
    /// Rows of the chunk.
    rows: u64,
    dictionary: Vec<V>,
    /// Values in the place of codes, where codes are not counted.
    gathered: Vec<V>,
    tally: Option<Tally>,
    keys_of: PhantomData<T>,
}

impl<V: Shelved, E, T> Drop for Same<'_, '_, E, V, T> {
    fn drop(&mut self) {
        V::put(std::mem::take(&mut self.gathered));
        V::put(std::mem::take(&mut self.dictionary));
    }
}

impl<E, V: Shelved + Pod, T: Plain<Key: Width> + Pod> Sink<[V]> for Same<'_, '_, E, V, T> {
    type Error = Stop<E>;

    fn dictionary(&mut self, values: Vec<V>) -> Taken<E> {
        if self.collector.weighted.is_some() {
            self.tally = Tally::where_it_pays(values.len(), self.rows);
        }
        self.dictionary = values;
        Ok(())
    }

    fn codes(&mut self, codes: &[i32], nulls: u64) -> Taken<E> {
        if let Some(tally) = &mut self.tally {
            self.collector.facts.nulls += nulls;
            if !tally.has_room(codes.len()) {
                self.collector.tallied::<T>(bytemuck::cast_slice(&self.dictionary), tally.rows())?;
                tally.clear();
            }
            tally.add(codes);
            return Ok(());
        }
        if let Some(values) = in_sequence(codes, &self.dictionary) {
            return self.collector.plain::<T>(bytemuck::cast_slice(values), nulls);
        }
        self.gathered.clear();
        for codes in codes.chunks(SEQUENCE) {
            match in_sequence(codes, &self.dictionary) {
                Some(values) => self.gathered.extend_from_slice(values),
                None => self.gathered.extend(codes.iter().map(|&code| self.dictionary[place(code)])),
            }
        }
        self.collector.plain::<T>(bytemuck::cast_slice(&self.gathered), nulls)
    }

    fn values(&mut self, values: &[V], nulls: u64) -> Taken<E> {
        self.collector.plain::<T>(bytemuck::cast_slice(values), nulls)
    }
}

/// Codes that are looked at together, whether each is one more than the one before it.
const SEQUENCE: usize = 512;

/// The values of `codes` as they lie in the dictionary, where each code is one more than the one before it. Writers number
/// values as they come, so the codes of a column that hardly repeats a value are such sequences.
fn in_sequence<'d, V>(codes: &[i32], dictionary: &'d [V]) -> Option<&'d [V]> {
    let first = *codes.first()?;
    let steps = |codes: &[i32]| codes.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) == 1);
    // Mostly the first few tell.
    if !steps(&codes[..codes.len().min(8)]) || !steps_of_one(codes) {
        return None;
    }
    dictionary.get(place(first)..place(first) + codes.len())
}

vectorized! {
    fn steps_of_one(codes: &[i32]) -> bool {
        let mut others = 0_u32;
        for (code, next) in codes.iter().zip(codes.iter().skip(1)) {
            others += u32::from(next.wrapping_sub(*code) != 1);
        }
        others == 0
    }
}

impl<E> Collector<'_, E> {
    /// A column chunk whose values, stored as `P`, are the `T` that keys are made of.
    pub(super) fn same<P, T>(&mut self, leaf: &Leaf<'_>) -> Taken<E>
    where
        P: DataType<T: Shelved + Pod>,
        T: Plain<Key: Width> + Pod,
    {
        let mut sink = Same::<_, P::T, T> {
            collector: self,
            rows: leaf.rows,
            dictionary: Vec::new(),
            gathered: P::T::take(),
            tally: None,
            keys_of: PhantomData,
        };
        leaf.read::<Numbers<P>, _>(&mut sink)?;
        match sink.tally.take() {
            Some(mut tally) => sink.collector.tallied::<T>(bytemuck::cast_slice(&sink.dictionary), tally.rows()),
            None => Ok(()),
        }
    }

    /// Values of a dictionary, each with the number of rows that have it, which may be none.
    pub(super) fn tallied<T: Plain<Key: Width>>(&mut self, values: &[T], rows: &[u32]) -> Taken<E> {
        let mut many = Many { values: Vec::new(), keys: Vec::new(), rows: Vec::new() };
        let mut few = Vec::new();
        for (values, rows) in values.chunks(BLOCK).zip(rows.chunks(BLOCK)) {
            few.clear();
            repeat_few(values, rows, &mut few);
            self.plain(&few, 0)?;
            self.facts.nans += many.add(values, rows);
        }
        if !many.rows.is_empty() {
            self.many(many);
        }
        Ok(())
    }

    fn many<T: Plain<Key: Width>>(&mut self, many: Many<T>) {
        if let Some(weighted) = &mut self.weighted {
            weighted.append(&T::Key::wrap(many.keys.clone()), many.rows.iter().map(|&rows| rows.into()));
        }
        if let (Some(distinct), Some(least), Some(greatest)) =
            (&mut self.distinct, many.keys.iter().min(), many.keys.iter().max())
        {
            distinct.add(&many.keys, *least, *greatest);
        }
        let (encoding, level) = (self.encoding, self.level);
        self.facts.merge(&many.facts(|values, keys| {
            let mut facts = Facts { moments: Moments::new(encoding.scale()), ..Facts::default() };
            let infinite = count(&mut facts, &mut None, keys, &encoding, level);
            if level == FactsLevel::Full {
                T::add(values, 0, infinite, &mut facts.moments);
            }
            facts
        }));
    }
}

/// Values that many rows have, none of them NaN, with their keys and numbers of rows.
struct Many<T: Plain> {
    values: Vec<T>,
    keys: Vec<T::Key>,
    rows: Vec<u32>,
}

impl<T: Plain> Many<T> {
    /// Takes the values that many rows have. Returns the number of rows that have NaN.
    fn add(&mut self, values: &[T], rows: &[u32]) -> u64 {
        let mut nans = 0;
        for (&value, &rows) in values.iter().zip(rows).filter(|(_, rows)| **rows > FEW) {
            if value.is_nan() {
                nans += u64::from(rows);
            } else {
                self.values.push(value);
                self.keys.push(value.key());
                self.rows.push(rows);
            }
        }
        nans
    }

    /// The facts of all rows, where `once` gives those of some values with one row each.
    ///
    /// Facts add exactly, so twice the facts of some rows are the facts of twice the rows. The values are therefore added
    /// by the binary digits of their numbers of rows: five rows are one row, and one row twice doubled.
    fn facts(mut self, once: impl Fn(&[T], &[T::Key]) -> Facts) -> Facts {
        let mut digits = Vec::new();
        while !self.rows.is_empty() {
            let odd = self.rows.iter().enumerate().filter(|(_, rows)| *rows % 2 == 1);
            let (values, keys): (Vec<T>, Vec<T::Key>) =
                odd.map(|(index, _)| (self.values[index], self.keys[index])).unzip();
            digits.push(once(&values, &keys));
            self.halve();
        }
        digits.into_iter().rev().fold(Facts::default(), |half, digit| {
            let mut facts = half.clone();
            facts.merge(&half);
            facts.merge(&digit);
            facts
        })
    }

    /// Takes the last binary digit off all numbers of rows, and leaves out what has no more.
    fn halve(&mut self) {
        let mut kept = 0;
        for index in 0..self.rows.len() {
            let rows = self.rows[index] / 2;
            if rows > 0 {
                (self.values[kept], self.keys[kept], self.rows[kept]) = (self.values[index], self.keys[index], rows);
                kept += 1;
            }
        }
        self.values.truncate(kept);
        self.keys.truncate(kept);
        self.rows.truncate(kept);
    }
}

/// Adds the values that few rows have, once a row.
///
/// Branch-free: every value is written, and the place moves on only as far as its rows go. How many rows a value has comes
/// at random, so a branch would be mispredicted.
fn repeat_few<T: Copy>(values: &[T], rows: &[u32], few: &mut Vec<T>) {
    let Some(&first) = values.first() else { return };
    few.resize(values.len() * FEW as usize + 1, first);
    let mut n = 0;
    for (&value, &rows) in values.iter().zip(rows) {
        few[n] = value;
        few[n + 1] = value;
        n += if rows <= FEW { rows as usize } else { 0 };
    }
    few.truncate(n);
}

#[cfg(test)]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "tests make values of every width"
)]
mod tests;
