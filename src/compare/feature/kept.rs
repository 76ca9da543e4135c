//! Keys of cells that are asked for again.

use super::Fetched;
use crate::compare::level::CellId;
use crate::counts::{Key, with_keys};
use std::collections::HashMap;
use std::ops::Range;

/// Where the keys of a cell lie in what was fetched, by side.
pub(super) type Place = (usize, [Range<usize>; 2]);

/// What was fetched, with the places of its cells.
#[derive(Default)]
pub(super) struct Kept {
    fetched: Vec<Fetched>,
    places: HashMap<CellId, Place>,
}

impl Kept {
    /// Whether the keys of a cell are kept.
    pub(super) fn has(&self, cell: CellId) -> bool {
        self.places.contains_key(&cell)
    }

    /// Keeps what was fetched for some cells.
    pub(super) fn keep(&mut self, fetched: Vec<Fetched>, places: impl Iterator<Item = (CellId, Place)>) {
        let first = self.fetched.len();
        self.places.extend(places.map(|(cell, (part, ranges))| (cell, (first + part, ranges))));
        self.fetched.extend(fetched);
    }

    /// Keys of a cell that are below `key`, a side; none where they are not kept.
    pub(super) fn below(&self, cell: CellId, key: u128) -> [u64; 2] {
        let Some((part, ranges)) = self.places.get(&cell) else { return [0, 0] };
        [0, 1].map(|side| {
            let range = ranges[side].clone();
            with_keys!(&self.fetched[*part][side], keys => keys[range].partition_point(|&k| k.widen() < key)) as u64
        })
    }
}
