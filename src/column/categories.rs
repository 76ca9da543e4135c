//! The categories of a feature and their codes.

use hashbrown::HashTable;

use crate::source::Fault;

/// The distinct values of a feature, as bytes, with codes in the order of their first appearance.
///
/// Both sides share one table, so that a code means the same on both. Where the values do not fit the memory, the table
/// holds one of several partitions of them, by hash, and the column is read once a partition.
#[derive(Debug)]
pub struct CategoryTable {
    partition: u64,
    partitions: u64,
    limit: usize,
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    ends: Vec<usize>,
    /// Hash and code: growing the table then needs no value.
    codes: HashTable<(u64, u32)>,
    binary: bool,
}

impl CategoryTable {
    /// An empty table for partition `partition` of `partitions` (at least one), which takes at most some `limit_bytes`.
    #[must_use]
    pub fn new(partition: u32, partitions: u32, limit_bytes: usize) -> Self {
        Self {
            partition: partition.into(),
            partitions: partitions.max(1).into(),
            limit: limit_bytes,
            bytes: Vec::new(),
            ends: Vec::new(),
            codes: HashTable::new(),
            binary: false,
        }
    }

    /// Number of categories; codes are below it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no category yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Memory that the table takes, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>() + self.codes.allocation_size()
    }

    /// The bytes of a category.
    ///
    /// # Panics
    /// When no category has this code.
    #[must_use]
    pub fn value(&self, code: u32) -> &[u8] {
        let code = code as usize;
        let start = if code == 0 { 0 } else { self.ends[code - 1] };
        &self.bytes[start..self.ends[code]]
    }

    /// A category in words: text as it is, binary values in lower-case hexadecimal.
    ///
    /// # Panics
    /// When no category has this code.
    #[must_use]
    pub fn display(&self, code: u32) -> String {
        use std::fmt::Write;
        let value = self.value(code);
        if !self.binary {
            return String::from_utf8_lossy(value).into_owned();
        }
        value.iter().fold(String::with_capacity(2 * value.len()), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// The code of a value that is known to be fine; `None` where it belongs to another partition.
    pub(crate) fn insert(&mut self, value: &[u8]) -> Result<Option<u32>, Fault> {
        self.code(value, |_| Ok(()))
    }

    /// Values are bytes and no text.
    pub(crate) fn set_binary(&mut self, binary: bool) {
        self.binary = binary;
    }

    /// The code of `value`, a new one if it is new; `None` where it belongs to another partition.
    ///
    /// `check` is called for a new value before it gets a code.
    pub(super) fn code(
        &mut self,
        value: &[u8],
        check: impl FnOnce(&[u8]) -> Result<(), Fault>,
    ) -> Result<Option<u32>, Fault> {
        let hash = hash(value);
        // Other bits than those that the table uses.
        if self.partitions > 1 && (hash >> 32) % self.partitions != self.partition {
            return Ok(None);
        }
        if let Some(&(_, code)) = self.codes.find(hash, |&(known, code)| known == hash && self.value(code) == value) {
            return Ok(Some(code));
        }
        check(value)?;
        let Some(code) = u32::try_from(self.ends.len()).ok().filter(|_| self.has_room_for(value.len())) else {
            return Err(Fault::TooManyCategories(self.limit));
        };
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
        self.codes.insert_unique(hash, (hash, code), |&(hash, _)| hash);
        Ok(Some(code))
    }

    /// Whether one more value fits, also if every part of the table has to double for it.
    fn has_room_for(&self, length: usize) -> bool {
        let doubled = |len: usize, capacity: usize, more: usize, size: usize| {
            if len + more <= capacity { capacity * size } else { (2 * capacity).max(len + more) * size }
        };
        let codes = if self.codes.len() < self.codes.capacity() {
            self.codes.allocation_size()
        } else {
            2 * self.codes.allocation_size()
        };
        let needed = doubled(self.bytes.len(), self.bytes.capacity(), length, 1)
            + doubled(self.ends.len(), self.ends.capacity(), 1, size_of::<usize>())
            + codes;
        needed <= self.limit
    }
}

/// A hash that is the same in every run and on every machine, so that partitions are, too: eight bytes at a time,
/// folded by a multiplication of 128 bits.
fn hash(value: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let fold = |a: u64, b: u64| {
        let product = u128::from(a) * u128::from(b);
        u64::try_from(product >> 64).expect("the upper half") ^ a.wrapping_mul(b)
    };
    let (words, rest) = value.as_chunks::<8>();
    let mut hash = fold(value.len() as u64 ^ 0xa076_1d64_78bd_642f, FACTOR);
    for word in words {
        hash = fold(hash ^ u64::from_le_bytes(*word), FACTOR);
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    fold(hash ^ u64::from_le_bytes(last), 0xe703_7ed1_a0b4_28db)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine(_: &[u8]) -> Result<(), Fault> {
        Ok(())
    }

    #[test]
    fn codes_come_in_the_order_of_first_appearance() {
        let mut table = CategoryTable::new(0, 1, 1 << 20);
        let codes: Vec<_> = ["b", "a", "b", "", "a"].map(|value| table.code(value.as_bytes(), fine).unwrap()).into();
        assert_eq!(codes, [Some(0), Some(1), Some(0), Some(2), Some(1)]);
        assert_eq!((table.len(), table.value(2), table.display(1)), (3, &[][..], "a".to_owned()));
        table.set_binary(true);
        assert_eq!(table.display(0), "62");
    }

    #[test]
    fn every_value_is_in_one_partition() {
        let mut tables: Vec<_> = (0..3).map(|partition| CategoryTable::new(partition, 3, 1 << 20)).collect();
        for n in 0..3000 {
            let value = format!("value {n}");
            let found = tables.iter_mut().filter_map(|table| table.code(value.as_bytes(), fine).unwrap()).count();
            assert_eq!(found, 1);
        }
        for table in &tables {
            assert!((800..1200).contains(&table.len()), "{}", table.len());
        }
    }

    #[test]
    fn a_table_stays_within_its_limit() {
        let mut table = CategoryTable::new(0, 1, 100_000);
        let overflow = (0..).find_map(|n: u32| table.code(&n.to_le_bytes(), fine).err());
        assert!(matches!(overflow, Some(Fault::TooManyCategories(100_000))));
        assert!(table.len() > 1000 && table.bytes() <= 100_000, "{} in {}", table.len(), table.bytes());
    }

    #[test]
    fn a_value_that_fails_its_check_gets_no_code() {
        let mut table = CategoryTable::new(0, 1, 1000);
        assert!(table.code(b"x", |_| Err(Fault::corrupt("no"))).is_err());
        assert!(table.is_empty());
    }
}
