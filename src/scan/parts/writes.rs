//! The last write of an event counts: which rows were written again later.
//!
//! Rows with the same entity and the same time are writes of one event. The last one by the time at which it was
//! written is read; of those written at the same time, the one that is stored last. Rows without an entity, or without a time,
//! are left as they are.
//!
//! Writes of one event that none of them replaces, because nothing says when they were written or all at the same time,
//! are *repeats*: the data has the key of an entity twice.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use rayon::prelude::*;

use super::PartsError;
use super::time::Time;
use crate::column::{Cell, read_cells};
use crate::config::EpochUnit;
use crate::source::{Dataset, ReadError, RowMap, Unit};

/// Memory of an event, about.
const BYTES_AN_EVENT: u64 = 112;

/// The columns that tell writes of one event apart.
pub(super) struct Writes {
    pub(super) entity: Vec<usize>,
    pub(super) time: usize,
    pub(super) epoch: Option<EpochUnit>,
    pub(super) created: Option<usize>,
}

/// What was found of the rows of a data set, by the index of the unit.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Rows that a later write replaces; none without a time of writing.
    pub(super) replaced: HashMap<usize, Bits>,
    /// Rows that repeat the key of another one, which was not written earlier.
    pub(super) repeats: HashMap<usize, Bits>,
}

/// The rows of a unit that were written again: one bit a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// Whether a row is one of them.
    pub(super) fn has(&self, row: usize) -> bool {
        self.0.get(row / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    fn set(&mut self, row: usize) {
        if self.0.len() <= row / 64 {
            self.0.resize(row / 64 + 1, 0);
        }
        self.0[row / 64] |= 1 << (row % 64);
    }

    /// Number of rows.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// The rows as a map: 1 where a row was written again, 0 elsewhere.
    pub(super) fn map(&self, rows: usize) -> RowMap {
        let mut map = RowMap::new();
        for row in 0..rows {
            let word = self.0.get(row / 64).copied().unwrap_or(0);
            map.push(u32::from(word >> (row % 64) & 1 == 1), 1);
        }
        map
    }
}

/// An event: a hash of its entity and time of 128 bits. Two events share one with a chance of some 1e-20 for a billion of them.
type Event = u128;

/// A write of an event: when, and where it stands.
type Write = (i128, usize, usize);

/// The last write of an event, and others of the same time of writing.
struct Last {
    write: Write,
    ties: Vec<(usize, usize)>,
}

impl Writes {
    /// The rows of `units` that a later write replaces, by the index of the unit. At most `memory` bytes are for events:
    /// with more of them the columns are read several times, once for each share of the events.
    pub(super) fn replaced(&self, data: &Dataset, units: &[(usize, Unit)], memory: usize) -> Result<Found, PartsError> {
        let rows: u64 = units.iter().map(|(_, unit)| unit.rows).sum();
        let shares = rows.saturating_mul(BYTES_AN_EVENT).div_ceil(memory.max(1) as u64).clamp(1, 1 << 20);
        let replaced: Mutex<HashMap<usize, Bits>> = Mutex::default();
        let mut repeats: HashMap<usize, Bits> = HashMap::new();
        for share in 0..shares {
            let last: Mutex<HashMap<Event, Last>> = Mutex::default();
            units.par_iter().try_for_each(|(index, unit)| -> Result<(), ReadError> {
                let events = self.events(data, unit)?;
                let mut last = last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let mut replaced = replaced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for (row, (event, created)) in events.into_iter().enumerate() {
                    let Some(event) = event.filter(|event| share_of(*event, shares) == share) else { continue };
                    let write = (created, *index, row);
                    match last.entry(event) {
                        std::collections::hash_map::Entry::Vacant(slot) => {
                            slot.insert(Last { write, ties: Vec::new() });
                        }
                        std::collections::hash_map::Entry::Occupied(mut slot) => {
                            let last = slot.get_mut();
                            if write.0 > last.write.0 {
                                last.ties.clear();
                            }
                            let tied = write.0 == last.write.0;
                            let earlier =
                                if last.write < write { std::mem::replace(&mut last.write, write) } else { write };
                            if tied {
                                last.ties.push((earlier.1, earlier.2));
                            }
                            if self.created.is_some() {
                                replaced.entry(earlier.1).or_default().set(earlier.2);
                            }
                        }
                    }
                }
                Ok(())
            })?;
            let last = last.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
            for (unit, row) in last.into_values().flat_map(|last| last.ties) {
                repeats.entry(unit).or_default().set(row);
            }
        }
        let replaced = replaced.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(Found { replaced, repeats })
    }

    /// Event and time of writing of every row.
    fn events(&self, data: &Dataset, unit: &Unit) -> Result<Vec<(Option<Event>, i128)>, ReadError> {
        let rows = usize::try_from(unit.rows).unwrap_or(usize::MAX);
        let mut events: Vec<(Option<Event>, i128)> = Vec::new();
        Time::nanoseconds(data, unit, self.time, self.epoch, &mut |time, n| {
            let event = time.map(|time| mixed(0, &time));
            events.resize((events.len() + n).min(rows), (event, i128::MIN));
        })?;
        for &column in &self.entity {
            let mut row = 0;
            read_cells(data, unit, column, &mut |cell, n| {
                for (event, _) in events.iter_mut().skip(row).take(n) {
                    *event = event.and_then(|event| match cell {
                        Cell::Null => None,
                        // An integer and its text are the same name: a folder has only texts.
                        Cell::Int(n) => Some(mixed(event, n.to_string().as_bytes())),
                        Cell::Float(x) => Some(mixed(event, &x.to_bits())),
                        Cell::Bytes(bytes) => Some(mixed(event, bytes)),
                    });
                }
                row += n;
                Ok(())
            })?;
        }
        let Some(created) = self.created else { return Ok(events) };
        let mut row = 0;
        Time::nanoseconds(data, unit, created, self.epoch, &mut |created, n| {
            for (_, at) in events.iter_mut().skip(row).take(n) {
                *at = created.unwrap_or(i128::MIN);
            }
            row += n;
        })?;
        Ok(events)
    }
}

fn share_of(event: Event, shares: u64) -> u64 {
    u64::try_from(event >> 64).unwrap_or(0) % shares
}

/// Two hashes with fixed keys, so that a share holds the same events in every pass.
fn mixed<T: Hash + ?Sized>(event: Event, more: &T) -> Event {
    let half = |seed: u8| {
        let mut hasher = DefaultHasher::new();
        (seed, event).hash(&mut hasher);
        more.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(1) << 64 | half(2)
}
