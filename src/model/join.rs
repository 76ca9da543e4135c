//! Labels that arrive apart, joined to predictions by id; and ids that occur twice.
//!
//! Memory holds the ids: when there are more than fit, [`spool`](super::spool) deals them to parts, and joins part by part.

use std::io;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::columns::NONE;
use super::options::Keep;

/// A label: a code of a class, or the bits of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Truth(pub(super) u64);

impl Truth {
    pub(super) fn of_class(code: u32) -> Self {
        Self(u64::from(code))
    }

    pub(super) fn of_number(number: f64) -> Self {
        Self(number.to_bits())
    }

    pub(super) fn class(self) -> u32 {
        u32::try_from(self.0).unwrap_or(NONE)
    }

    pub(super) fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// What was found about ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct IdFacts {
    /// Rows of the log whose id another row has, too, and that were left out.
    pub duplicate_predictions: u64,
    /// Rows of the log without an id.
    pub predictions_without_id: u64,
    /// Labels whose id another label has, too, and that were left out.
    pub duplicate_labels: u64,
    /// Those of them that say something else than the one that was kept.
    pub conflicting_labels: u64,
    /// Labels without an id.
    pub labels_without_id: u64,
    /// Labels that are null or NaN.
    pub empty_labels: u64,
    /// Labels whose id no row of the log has.
    pub labels_without_prediction: u64,
}

/// Bytes that an id of a label, or of the log, takes in memory.
pub(super) const LABEL_BYTES: u64 = 64;
pub(super) const SEEN_BYTES: u64 = 40;

struct Slot {
    truth: Truth,
    used: bool,
}

/// What takes labels, in their order.
pub(super) trait LabelSink {
    /// Takes the next ones.
    fn add_labels(&mut self, ids: &[Option<u128>], truths: impl Iterator<Item = Option<Truth>>) -> io::Result<()>;
}

/// A join in memory.
pub(super) struct Join {
    keep: Keep,
    labels: HashMap<u128, Slot>,
    /// Rows of the log that are still to come with this id.
    remaining: HashMap<u128, u32>,
    pub(super) facts: IdFacts,
}

impl Join {
    pub(super) fn new(keep: Keep) -> Self {
        Self { keep, labels: HashMap::new(), remaining: HashMap::new(), facts: IdFacts::default() }
    }

    /// Makes room for so many labels and rows: a map that grows is there twice for a moment.
    pub(super) fn with_room(mut self, labels: u64, rows: u64) -> Self {
        let room = |count: u64| usize::try_from(count).unwrap_or_default();
        self.labels.reserve(room(labels));
        self.remaining.reserve(room(rows));
        self
    }

    /// Takes the ids of the whole log once before its rows, when the last row of an id is the one to keep.
    pub(super) fn add_ids(&mut self, ids: &[Option<u128>]) {
        for &id in ids.iter().flatten() {
            *self.remaining.entry(id).or_default() += 1;
        }
    }

    /// Which of the next rows of the log count, and their labels.
    pub(super) fn rows(&mut self, ids: &[Option<u128>]) -> (Vec<bool>, Vec<Option<Truth>>) {
        let mut row = |id: &Option<u128>| {
            let Some(id) = id else {
                self.facts.predictions_without_id += 1;
                return (true, None);
            };
            let kept = match (self.keep, self.remaining.entry(*id)) {
                (Keep::First, Entry::Vacant(slot)) => {
                    slot.insert(0);
                    true
                }
                (Keep::First, Entry::Occupied(_)) | (Keep::Last, Entry::Vacant(_)) => false,
                (Keep::Last, Entry::Occupied(mut slot)) => {
                    *slot.get_mut() = slot.get().saturating_sub(1);
                    *slot.get() == 0
                }
            };
            if !kept {
                self.facts.duplicate_predictions += 1;
                return (false, None);
            }
            let slot = self.labels.get_mut(id);
            (
                true,
                slot.map(|slot| {
                    slot.used = true;
                    slot.truth
                }),
            )
        };
        ids.iter().map(&mut row).unzip()
    }

    /// What was found, once all rows were taken.
    pub(super) fn finish(mut self) -> IdFacts {
        self.facts.labels_without_prediction = self.labels.values().filter(|slot| !slot.used).count() as u64;
        self.facts
    }
}

impl LabelSink for Join {
    fn add_labels(&mut self, ids: &[Option<u128>], truths: impl Iterator<Item = Option<Truth>>) -> io::Result<()> {
        for (id, truth) in ids.iter().zip(truths) {
            match (id, truth) {
                (None, _) => self.facts.labels_without_id += 1,
                (Some(_), None) => self.facts.empty_labels += 1,
                (Some(id), Some(truth)) => match self.labels.entry(*id) {
                    Entry::Vacant(slot) => {
                        slot.insert(Slot { truth, used: false });
                    }
                    Entry::Occupied(mut slot) => {
                        self.facts.duplicate_labels += 1;
                        self.facts.conflicting_labels += u64::from(slot.get().truth != truth);
                        if self.keep == Keep::Last {
                            slot.get_mut().truth = truth;
                        }
                    }
                },
            }
        }
        Ok(())
    }
}

impl IdFacts {
    pub(super) fn merge(&mut self, other: Self) {
        self.duplicate_predictions += other.duplicate_predictions;
        self.predictions_without_id += other.predictions_without_id;
        self.duplicate_labels += other.duplicate_labels;
        self.conflicting_labels += other.conflicting_labels;
        self.labels_without_id += other.labels_without_id;
        self.empty_labels += other.empty_labels;
        self.labels_without_prediction += other.labels_without_prediction;
    }
}
