//! The set of hashes while a piece is read.
//!
//! Open addressing with the leading bits of the hash as the slot, so the table is nearly sorted as it stands: the
//! smallest hashes are its front, and taking them out in order costs one walk. A small cache of recent hashes in front
//! of it keeps columns of few values in the first-level cache.

use std::cell::RefCell;

use super::{EXACT, KEPT};

/// Slots at the most: a third is filled when the count stops being exact.
const MAX_SLOTS: usize = 1 << 15;
const RECENT: usize = 1 << 10;

/// See the module. Slots are zero where empty; the hash zero is kept apart.
pub(super) struct Table {
    slots: Vec<u64>,
    recent: Vec<u64>,
    /// The slot of a hash is its leading bits: `hash >> shift`.
    shift: u32,
    /// Slots in use, a power of two.
    size: usize,
    /// Hashes above are not among the smallest.
    limit: u64,
    count: usize,
    has_zero: bool,
    estimated: bool,
}

/// A place in one of the tables, which have at most 2^15.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "15 bits")]
fn index(place: u64) -> usize {
    place as usize
}

thread_local! {
    /// Emptied tables, to be used again: their memory is larger than many a column.
    static SHELF: RefCell<Vec<Table>> = const { RefCell::new(Vec::new()) };
}

impl Table {
    /// An empty table for at most `n` hashes.
    pub(super) fn new(n: usize) -> Self {
        let mut table = SHELF.with_borrow_mut(Vec::pop).unwrap_or_else(|| Self {
            slots: Vec::new(),
            recent: vec![0; RECENT],
            shift: 0,
            size: 0,
            limit: u64::MAX,
            count: 0,
            has_zero: false,
            estimated: false,
        });
        table.size = n.saturating_mul(2).clamp(64, MAX_SLOTS).next_power_of_two();
        if table.slots.len() < table.size {
            table.slots.resize(table.size, 0);
        }
        // Nothing equals what stands in the cache: no hash of slot i ends in other bits than i.
        table.recent.fill(u64::MAX);
        table.recent[RECENT - 1] = 0;
        table.shift = 64 - table.size.trailing_zeros();
        (table.limit, table.count, table.has_zero, table.estimated) = (u64::MAX, 0, false, false);
        table
    }

    #[inline(always)]
    pub(super) fn insert(&mut self, hash: u64) {
        if hash <= self.limit {
            self.insert_small(hash);
        }
    }

    #[inline(always)]
    fn insert_small(&mut self, hash: u64) {
        // The low bits: the slot of the table is taken from the leading ones.
        let recent = &mut self.recent[index(hash % RECENT as u64)];
        if *recent == hash {
            return;
        }
        *recent = hash;
        self.insert_new(hash);
    }

    #[inline(always)]
    fn insert_new(&mut self, hash: u64) {
        let mut slot = index(hash >> self.shift);
        loop {
            let known = self.slots[slot];
            if known == 0 {
                break;
            }
            if known == hash {
                return;
            }
            slot = (slot + 1) & (self.size - 1);
        }
        if hash == 0 {
            if std::mem::replace(&mut self.has_zero, true) {
                return;
            }
        } else {
            self.slots[slot] = hash;
        }
        self.count += 1;
        let most = if self.estimated { 2 * KEPT } else { EXACT };
        if self.count > most {
            self.estimated = true;
            self.compact();
        }
    }

    /// Keeps the smallest hashes and spreads them over the table again.
    #[cold]
    fn compact(&mut self) {
        let mut hashes = Vec::with_capacity(self.count);
        self.drain_into(&mut hashes);
        hashes.truncate(KEPT);
        self.set_limit(hashes[KEPT - 1]);
        for hash in hashes {
            self.insert_new(hash);
        }
    }

    fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
        // The smallest shift that takes the limit into the table.
        self.shift = (64 - limit.leading_zeros()).saturating_sub(self.size.trailing_zeros());
    }

    /// Empties the table into `out`, ascending.
    fn drain_into(&mut self, out: &mut Vec<u64>) {
        if self.has_zero {
            out.push(0);
        }
        for slot in &mut self.slots[..self.size] {
            if *slot != 0 {
                out.push(std::mem::take(slot));
            }
        }
        // Within a cluster the order is that of insertion; clusters that wrapped around stand at the front.
        for index in 1..out.len() {
            let hash = out[index];
            let mut at = index;
            while at > 0 && out[at - 1] > hash {
                out[at] = out[at - 1];
                at -= 1;
            }
            out[at] = hash;
        }
        (self.count, self.has_zero) = (0, false);
    }

    /// The hashes ascending, all or the smallest, and whether it is only the smallest.
    pub(super) fn finish(mut self) -> (Vec<u64>, bool) {
        let mut out = Vec::with_capacity(self.count);
        self.drain_into(&mut out);
        if self.estimated {
            out.truncate(KEPT);
            out.shrink_to_fit();
        }
        let estimated = self.estimated;
        SHELF.with_borrow_mut(|shelf| shelf.push(self));
        (out, estimated)
    }
}
