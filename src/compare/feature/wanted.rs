//! Which cells must be looked into.

use super::Feature;
use super::fences;
use crate::compare::atoms::is_frequent;
use crate::compare::level::{Cell, CellId, Side};
use crate::compare::quantile::Position;

impl Feature<'_> {
    /// The wanted cell that holds more keys than may be fetched beside others, if `total`, the number of keys in all of
    /// `wanted`, is beyond the memory.
    pub(super) fn crowded(&self, wanted: &[Cell], total: u64) -> Option<Cell> {
        let largest = wanted.iter().max_by_key(|cell| cell.cost()).filter(|_| total > self.budget);
        largest.copied().filter(|cell| cell.cost() > self.budget / 8)
    }

    /// The largest gap after any cell.
    pub(super) fn gap_at_edges(&self) -> u128 {
        let [n, m] = self.n;
        // Products of row counts below 2^62 fit the machine's own integers; the walk is over thousands of cells a feature.
        if let (Ok(n), Ok(m)) = (i32::try_from(n).map(i64::from), i32::try_from(m).map(i64::from)) {
            let (mut gap, mut best) = (0_i64, 0);
            self.levels.walk(&mut |cell| {
                gap += cell.rows[0].cast_signed() * m - cell.rows[1].cast_signed() * n;
                best = best.max(gap.unsigned_abs());
            });
            return best.into();
        }
        let (n, m) = (i128::from(n), i128::from(m));
        let (mut gap, mut best) = (0_i128, 0);
        self.levels.walk(&mut |cell| {
            gap += i128::from(cell.rows[0]) * m - i128::from(cell.rows[1]) * n;
            best = best.max(gap.unsigned_abs());
        });
        best
    }

    /// The cells that can hold more than is known: a larger gap than `best`, a rank, a bin edge, a fence.
    pub(super) fn wanted(&mut self, best: Option<u128>) -> Vec<Cell> {
        let beats = Beats::new(self.n, best);
        let mut ranges: Vec<(u64, u64)> = if self.n[0] == 0 {
            Vec::new()
        } else {
            self.bin_quantiles()
                .into_iter()
                .map(|q| Position::new(q, self.n[0]))
                .map(|position| (position.below, position.above))
                .collect()
        };
        ranges.reverse();
        let mut holders: Vec<CellId> = Vec::new();
        for (side, ranks) in [(Side::Reference, &self.ranks[0]), (Side::Current, &self.ranks[1])] {
            holders.extend(ranks.iter().map(|&(rank, _)| self.levels.locate_rank(side, rank)));
        }
        holders.extend(self.fence_cells());
        holders.extend(self.query.marks.iter().filter_map(|&mark| self.cut_cell(mark)));
        let mut holds: Vec<Vec<bool>> = Vec::new();
        for (level, cell) in holders {
            if holds.len() <= level {
                holds.resize(level + 1, Vec::new());
            }
            if holds[level].len() <= cell {
                holds[level].resize(cell + 1, false);
            }
            holds[level][cell] = true;
        }
        let is_holder =
            |(level, cell): CellId| holds.get(level).and_then(|cells| cells.get(cell)).is_some_and(|&holds| holds);
        let mut wanted = Vec::new();
        self.levels.walk(&mut |mut cell| {
            let after = [cell.before[0] + cell.rows[0], cell.before[1] + cell.rows[1]];
            while ranges.last().is_some_and(|&(_, above)| above < cell.before[0]) {
                ranges.pop();
            }
            let on_an_edge = ranges.last().is_some_and(|&(below, _)| after[0] > below);
            if self.query.wasserstein
                || self.query.distinct
                || self.query.atoms && is_frequent(cell.rows, self.n)
                || on_an_edge
                || beats.as_ref().is_some_and(|beats| beats.may(&cell))
                || is_holder(cell.id)
            {
                cell.point = self.point(cell.id);
                wanted.push(cell);
            }
        });
        wanted
    }

    /// Cells where the reference's fences may lie, as far as that is known before the quartiles are.
    fn fence_cells(&self) -> Vec<CellId> {
        if !self.query.quantiles || self.n[0] == 0 {
            return Vec::new();
        }
        let range = |q| {
            let position = Position::new(q, self.n[0]);
            let [below, above] = [position.below, position.above].map(|rank| {
                let (lo, hi) = self.bounds(self.levels.locate_rank(Side::Reference, rank));
                (self.query.scale.value_of(lo), self.query.scale.value_of(hi))
            });
            (below.0, above.1)
        };
        let (first, third) = (range(0.25), range(0.75));
        let lowest = fences(first.0, third.1);
        let highest = fences(first.1, third.0);
        let mut cells = Vec::new();
        for i in 0..4 {
            let (from, to) = if i < 2 { (lowest[i], highest[i]) } else { (highest[i], lowest[i]) };
            let ends = [from, to].map(|edge| self.query.scale.first_key_at_least(edge));
            if let [Some(from), Some(to)] = ends {
                let [from, to] = [self.levels.locate(from), self.levels.locate(to)];
                cells.extend([from, to]);
                if from.0 == to.0 {
                    cells.extend((from.1..=to.1).take(64).map(|cell| (from.0, cell)));
                }
            }
        }
        cells
    }
}

/// Which cells can hold a gap larger than the largest that is known.
enum Beats {
    /// In the machine's own integers, where the products fit: sizes n and m, and the gap.
    Narrow(i64, i64, i64),
    Wide(i128, i128, i128),
}

impl Beats {
    /// `None` where no gap is wanted, or none can be larger.
    fn new([n, m]: [u64; 2], best: Option<u128>) -> Option<Self> {
        let best = i128::try_from(best?).ok()?;
        Some(match (i32::try_from(n), i32::try_from(m), i64::try_from(best)) {
            (Ok(n), Ok(m), Ok(best)) => Self::Narrow(n.into(), m.into(), best),
            _ => Self::Wide(n.into(), m.into(), best),
        })
    }

    /// Inside a cell a gap is largest where all rows of one side come first.
    fn may(&self, cell: &Cell) -> bool {
        if cell.rows[0] == 0 || cell.rows[1] == 0 {
            return false;
        }
        match *self {
            Self::Narrow(n, m, best) => {
                let gap = cell.before[0].cast_signed() * m - cell.before[1].cast_signed() * n;
                gap + cell.rows[0].cast_signed() * m > best || cell.rows[1].cast_signed() * n - gap > best
            }
            Self::Wide(n, m, best) => {
                let gap = i128::from(cell.before[0]) * m - i128::from(cell.before[1]) * n;
                gap + i128::from(cell.rows[0]) * m > best || i128::from(cell.rows[1]) * n - gap > best
            }
        }
    }
}
