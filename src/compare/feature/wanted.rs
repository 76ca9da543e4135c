//! Which cells must be looked into.

use super::Feature;
use super::fences;
use crate::compare::atoms::is_frequent;
use crate::compare::level::{Cell, CellId, Levels, Side};
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
        let gaps = Gaps::new(self.n);
        let after_runs = self.levels.runs().map(|run| gaps.after(&run)).max().unwrap_or(0);
        let mut best = after_runs;
        self.levels.walk(&|run| gaps.may_beat(after_runs, run), &mut |cell| best = best.max(gaps.after(&cell)));
        best.unsigned_abs()
    }

    /// The cells that can hold more than is known: a larger gap than `best`, a rank, a bin edge, a fence.
    pub(super) fn wanted(&mut self, best: Option<u128>) -> Vec<Cell> {
        let gaps = Gaps::new(self.n);
        let best = best.and_then(|best| i128::try_from(best).ok());
        let edges: Vec<Position> = match self.n[0] {
            0 => Vec::new(),
            n => self.bin_quantiles().into_iter().map(|q| Position::new(q, n)).collect(),
        };
        let on_an_edge = |cell: &Cell| {
            let next = edges.partition_point(|edge| edge.above < cell.before[0]);
            edges.get(next).is_some_and(|edge| cell.before[0] + cell.rows[0] > edge.below)
        };
        let worth_it = |cell: &Cell| {
            self.query.wasserstein
                || self.query.distinct
                || self.query.atoms && is_frequent(cell.rows, self.n)
                || on_an_edge(cell)
                || best.is_some_and(|best| gaps.may_beat(best, cell))
        };
        let holders = self.holders();
        let mut wanted = Vec::new();
        self.levels.walk(&|run| worth_it(run) || holders.any(run.id.0, Levels::of_run(run.id)), &mut |mut cell| {
            if worth_it(&cell) || holders.any(cell.id.0, cell.id.1..cell.id.1 + 1) {
                cell.point = self.point(cell.id);
                wanted.push(cell);
            }
        });
        wanted
    }

    /// The cells that hold a rank or a mark, or may hold a fence.
    fn holders(&self) -> Holders {
        let mut holders: Vec<CellId> = Vec::new();
        for (side, ranks) in [(Side::Reference, &self.ranks[0]), (Side::Current, &self.ranks[1])] {
            holders.extend(ranks.iter().map(|&(rank, _)| self.levels.locate_rank(side, rank)));
        }
        holders.extend(self.fence_cells());
        holders.extend(self.query.marks.iter().filter_map(|&mark| self.cut_cell(mark)));
        holders.sort_unstable();
        Holders(holders)
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

/// Cells in ascending order.
struct Holders(Vec<CellId>);

impl Holders {
    /// Whether one of these cells of a level is among them.
    fn any(&self, level: usize, cells: std::ops::Range<usize>) -> bool {
        let first = self.0.partition_point(|&id| id < (level, cells.start));
        self.0.get(first).is_some_and(|&id| id < (level, cells.end))
    }
}

/// Gaps between the two ECDFs, times the sizes n and m of both sides.
struct Gaps {
    n: i128,
    m: i128,
}

impl Gaps {
    fn new([n, m]: [u64; 2]) -> Self {
        Self { n: n.into(), m: m.into() }
    }

    /// How far the reference's ECDF lies above current's, where so many rows of each are below.
    fn at(&self, below: [u64; 2]) -> i128 {
        i128::from(below[0]) * self.m - i128::from(below[1]) * self.n
    }

    /// The size of the gap after a cell.
    fn after(&self, cell: &Cell) -> i128 {
        self.at([cell.before[0] + cell.rows[0], cell.before[1] + cell.rows[1]]).abs()
    }

    /// Whether there can be a gap larger than `best` inside a cell. It is largest where all rows of one side come first.
    fn may_beat(&self, best: i128, cell: &Cell) -> bool {
        let [r, c] = cell.rows;
        let [before_r, before_c] = cell.before;
        r > 0 && c > 0 && (self.at([before_r + r, before_c]) > best || -self.at([before_r, before_c + c]) > best)
    }
}
