//! The set of hashes while a piece is read.
//!
//! Open addressing with the leading bits of the hash as the slot, so the table is nearly sorted as it stands: taking
//! the hashes out in order, or into a table of twice the size, is one walk.

use std::cell::RefCell;

use crate::vector::vectorized;

/// Slots at the beginning, at the least and at the most; few values stay in the first-level cache.
const FIRST_SLOTS: (usize, usize) = (1 << 6, 1 << 12);
/// Slots a hash at the least. With few collisions the first look decides, which the processor can predict.
const SPARSE: usize = 2;

/// A set of hashes. Slots are zero where empty; the hash zero is kept apart.
pub(super) struct Table {
    slots: Vec<u64>,
    /// The slot of a hash is its leading bits: `hash >> shift`.
    shift: u32,
    count: usize,
    has_zero: bool,
}

thread_local! {
    /// The memory of finished tables, all zero.
    static SHELF: RefCell<Vec<Vec<u64>>> = const { RefCell::new(Vec::new()) };
}

/// A place in a table.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "as many bits as the table has slots for")]
fn index(place: u64) -> usize {
    place as usize
}

vectorized! {
    /// Puts hashes into their slots, but for the hash zero, until `room` of them were new; returns how many were looked at,
    /// and how many were new. `room` is not 0.
    fn fill(slots: &mut [u64], shift: u32, hashes: &[u64], room: usize) -> (usize, usize) {
        let mask = slots.len() - 1;
        let mut added = 0;
        for (taken, &hash) in hashes.iter().enumerate() {
            let mut slot = index(hash >> shift) & mask;
            // Where the hash is zero, the slot is as it should be when it is empty.
            while slots[slot] != hash {
                if slots[slot] == 0 {
                    slots[slot] = hash;
                    added += 1;
                    break;
                }
                slot = (slot + 1) & mask;
            }
            if added == room {
                return (taken + 1, added);
            }
        }
        (hashes.len(), added)
    }
}

/// Hashes that are looked for together.
const BLOCK: usize = 256;
/// Hashes that are passed over together where none is missing.
const TOGETHER: usize = size_of::<u128>();

vectorized! {
    /// Moves the hashes that are not in their first slot to the front, as many as are returned. Of a column of few values
    /// that is next to none, and to look, which vectors can do, takes a fraction of what [`fill`] takes.
    fn missing(slots: &[u64], shift: u32, hashes: &mut [u64]) -> usize {
        let mask = slots.len() - 1;
        let mut n = 0;
        for block in (0..hashes.len()).step_by(BLOCK) {
            let end = hashes.len().min(block + BLOCK);
            let mut is_missing = [0_u8; BLOCK];
            for (is_missing, &hash) in is_missing.iter_mut().zip(&hashes[block..end]) {
                *is_missing = u8::from(slots[index(hash >> shift) & mask] != hash);
            }
            for (from, is_missing) in (block..end).step_by(TOGETHER).zip(is_missing.as_chunks::<TOGETHER>().0) {
                if u128::from_ne_bytes(*is_missing) == 0 {
                    continue;
                }
                for (at, &is_missing) in (from..end).zip(is_missing) {
                    hashes[n] = hashes[at];
                    n += usize::from(is_missing);
                }
            }
        }
        n
    }
}

impl Table {
    /// An empty table that expects `n` hashes.
    pub(super) fn new(n: u64) -> Self {
        let n = usize::try_from(n).unwrap_or(usize::MAX);
        let size = n.saturating_mul(SPARSE).clamp(FIRST_SLOTS.0, FIRST_SLOTS.1).next_power_of_two();
        let mut slots = SHELF.with_borrow_mut(Vec::pop).unwrap_or_default();
        slots.resize(size, 0);
        Self { slots, shift: 64 - size.trailing_zeros(), count: 0, has_zero: false }
    }

    /// Number of hashes.
    pub(super) fn len(&self) -> usize {
        self.count + usize::from(self.has_zero)
    }

    /// Adds hashes, and leaves them in any order.
    pub(super) fn insert_all(&mut self, hashes: &mut [u64]) {
        self.has_zero |= hashes.contains(&0);
        let missing = missing(&self.slots, self.shift, hashes);
        let mut hashes = &hashes[..missing];
        while !hashes.is_empty() {
            let room = self.slots.len() / SPARSE - self.count;
            let (taken, added) = fill(&mut self.slots, self.shift, hashes, room);
            self.count += added;
            hashes = &hashes[taken..];
            if added == room {
                self.grow();
            }
        }
    }

    #[cold]
    fn grow(&mut self) {
        let hashes = self.drain();
        self.slots.resize(2 * self.slots.len(), 0);
        self.shift -= 1;
        let mask = self.slots.len() - 1;
        for hash in hashes {
            let mut slot = index(hash >> self.shift);
            while self.slots[slot & mask] != 0 {
                slot += 1;
            }
            self.slots[slot & mask] = hash;
        }
    }

    /// Empties the slots, in their order, which is nearly that of the hashes.
    fn drain(&mut self) -> Vec<u64> {
        // Without a branch: whether a slot is used cannot be predicted.
        let mut out = vec![0; self.count + 1];
        let mut n = 0;
        for slot in &mut self.slots {
            out[n] = *slot;
            n += usize::from(*slot != 0);
            *slot = 0;
        }
        out.truncate(n);
        out
    }

    /// The hashes, ascending.
    pub(super) fn finish(mut self) -> Vec<u64> {
        let mut out = self.drain();
        if self.has_zero {
            out.insert(0, 0);
        }
        // Within a cluster the order is that of insertion; a cluster that wrapped around stands at the front.
        for index in 1..out.len() {
            let hash = out[index];
            let mut at = index;
            while at > 0 && out[at - 1] > hash {
                out[at] = out[at - 1];
                at -= 1;
            }
            out[at] = hash;
        }
        SHELF.with_borrow_mut(|shelf| shelf.push(self.slots));
        out
    }
}
