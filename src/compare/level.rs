//! The cells of a feature as they are known so far: counts of both sides by cell, and zooms into crowded cells.

use crate::counts::{CellCounts, CellMap};

/// Which of the two samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Reference,
    Current,
}

/// A cell: its level in [`Levels`] and its index in that level's map.
pub(super) type CellId = (usize, usize);

/// A cell with rows in it, and how many rows of each side lie before it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) id: CellId,
    pub(super) before: [u64; 2],
    pub(super) rows: [u64; 2],
    /// The one key that it can hold, once that was looked up; `None` when it can hold several.
    pub(super) point: Option<u128>,
}

impl Cell {
    /// Keys to fetch to know all of the cell.
    pub(super) fn cost(&self) -> u64 {
        if self.point.is_some() { 0 } else { self.total() }
    }

    pub(super) fn total(&self) -> u64 {
        self.rows[0] + self.rows[1]
    }
}

/// Sums are kept for one cell in so many: cells are many, and few are ever asked for.
const STRIDE: usize = 32;

#[derive(Debug)]
struct Level {
    map: CellMap,
    /// Rows a side and cell.
    rows: [Vec<u64>; 2],
    /// Rows before every [`STRIDE`]th cell, all smaller keys of the whole sample included.
    before: [Vec<u64>; 2],
    /// Cells that have a level of their own.
    zoomed: Vec<(usize, usize)>,
}

/// All levels of a feature; level 0 covers every key.
#[derive(Debug, Default)]
pub(super) struct Levels(Vec<Level>);

impl Levels {
    /// The map of a level.
    pub(super) fn map(&self, level: usize) -> &CellMap {
        &self.0[level].map
    }

    /// Adds the first level, or a zoom into `parent`; the end cells of a zoom belong to its neighbours and are dropped.
    pub(super) fn push(&mut self, parent: Option<Cell>, map: CellMap, mut rows: [CellCounts; 2]) {
        let mut start = [0, 0];
        if let Some(parent) = parent {
            let ends = if map.pivots().is_some() { 3 } else { 1 };
            for side in &mut rows {
                let n = side.0.len();
                side.0[..ends].fill(0);
                side.0[n - ends..].fill(0);
            }
            start = parent.before;
            let child = self.0.len();
            self.0[parent.id.0].zoomed.push((parent.id.1, child));
        }
        let before = [0, 1].map(|side| {
            let sums = rows[side].0.chunks(STRIDE).scan(start[side], |sum, cells| {
                let before = *sum;
                *sum += cells.iter().sum::<u64>();
                Some(before)
            });
            sums.collect()
        });
        self.0.push(Level { map, rows: rows.map(|counts| counts.0), before, zoomed: Vec::new() });
    }

    /// Visits every cell that has rows, in ascending order of keys.
    pub(super) fn walk(&self, visit: &mut impl FnMut(Cell)) {
        self.walk_level(0, visit);
    }

    fn walk_level(&self, index: usize, visit: &mut impl FnMut(Cell)) {
        let level = &self.0[index];
        let mut before = [0, 1].map(|side| level.before[side].first().copied().unwrap_or(0));
        for (cell, (&r, &c)) in level.rows[0].iter().zip(&level.rows[1]).enumerate() {
            if r + c == 0 {
                continue;
            }
            match level.child(cell) {
                Some(child) => self.walk_level(child, visit),
                None => visit(Cell { id: (index, cell), before, rows: [r, c], point: None }),
            }
            before = [before[0] + r, before[1] + c];
        }
    }

    /// The cell with its counts.
    pub(super) fn cell(&self, id: CellId) -> Cell {
        let level = &self.0[id.0];
        Cell {
            id,
            before: [level.before(0, id.1), level.before(1, id.1)],
            rows: [level.rows[0][id.1], level.rows[1][id.1]],
            point: None,
        }
    }

    /// The cell that `key` falls into.
    pub(super) fn locate(&self, key: u128) -> CellId {
        let mut index = 0;
        loop {
            let cell = self.0[index].map.cell_of(key);
            match self.0[index].child(cell) {
                Some(child) => index = child,
                None => return (index, cell),
            }
        }
    }

    /// The cell that holds the value of `rank` (from 0) of `side`, which has more than `rank` values.
    pub(super) fn locate_rank(&self, side: Side, rank: u64) -> CellId {
        let side = side as usize;
        let mut index = 0;
        loop {
            let level = &self.0[index];
            let stride = level.before[side].partition_point(|&before| before <= rank) - 1;
            // Empty cells before the one that holds the rank have the same number of rows before them.
            let (mut cell, mut after) = (stride * STRIDE, level.before[side][stride]);
            loop {
                after += level.rows[side][cell];
                if after > rank {
                    break;
                }
                cell += 1;
            }
            match level.child(cell) {
                Some(child) => index = child,
                None => return (index, cell),
            }
        }
    }

    /// First and last key that a cell can hold.
    pub(super) fn bounds(&self, id: CellId) -> Option<(u128, u128)> {
        self.0[id.0].map.bounds(id.1)
    }
}

impl Level {
    /// Rows of a side before a cell.
    fn before(&self, side: usize, cell: usize) -> u64 {
        let stride = cell / STRIDE;
        self.before[side][stride] + self.rows[side][stride * STRIDE..cell].iter().sum::<u64>()
    }

    fn child(&self, cell: usize) -> Option<usize> {
        self.zoomed.iter().find(|(parent, _)| *parent == cell).map(|&(_, child)| child)
    }
}
