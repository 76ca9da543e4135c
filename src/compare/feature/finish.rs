//! Edges, fences and quantiles, once the order statistics are known.

use super::{Below, Feature};
use crate::compare::level::{Cell, CellId, Side};
use crate::compare::quantile::{Position, QUANTILES};
use crate::compare::query::{Outliers, PsiBins};

impl Feature<'_> {
    fn rank(&self, side: Side, rank: u64) -> f64 {
        let ranks = &self.ranks[side as usize];
        let key = ranks
            .binary_search_by_key(&rank, |(rank, _)| *rank)
            .ok()
            .and_then(|index| ranks[index].1)
            .or_else(|| self.point(self.levels.locate_rank(side, rank)))
            .expect("the cell of every wanted rank was fetched or is a point");
        self.query.scale.value_of(key)
    }

    fn quantile(&self, side: Side, q: f64) -> f64 {
        let position = Position::new(q, self.n[side as usize]);
        position.value(self.rank(side, position.below), self.rank(side, position.above))
    }

    /// Sets the cuts (bin edges, then fences) now that the order statistics are known, and asks for cells still missing.
    pub(super) fn cut(&mut self) {
        let mut cuts = Vec::new();
        if self.n[0] > 0 {
            cuts.extend(self.bin_quantiles().into_iter().map(|q| self.quantile(Side::Reference, q)));
            if self.query.quantiles {
                let fences = fences(self.quantile(Side::Reference, 0.25), self.quantile(Side::Reference, 0.75));
                cuts.extend(fences.into_iter().filter(|_| fences.iter().all(|fence| fence.is_finite())));
            }
        }
        (self.query.wasserstein, self.query.atoms, self.query.distinct) = (false, false, false);
        let marks = self.query.marks;
        let mut missing: Vec<CellId> =
            cuts.iter().chain(marks).filter_map(|&cut| self.cut_cell(cut)).filter(|&id| !self.kept.has(id)).collect();
        missing.sort_unstable();
        missing.dedup();
        self.cuts = Some(cuts);
        let cells: Vec<Cell> = missing.into_iter().map(|id| self.levels.cell(id)).collect();
        // A cell that is left here holds less than the budget, or the memory would not have let it be a candidate; what
        // it holds is looked at and, when there are several groups, let go again.
        self.keep = true;
        self.enqueue(cells);
    }

    /// The cell whose keys say how many rows lie below `cut`, or `None` when its counts do.
    pub(super) fn cut_cell(&self, cut: f64) -> Option<CellId> {
        let id = self.levels.locate(self.query.scale.first_key_at_least(cut)?);
        (self.levels.cell(id).total() > 0 && self.point(id).is_none()).then_some(id)
    }

    /// Rows of both sides whose value is below `cut`.
    fn below(&self, cut: f64) -> Below {
        let Some(key) = self.query.scale.first_key_at_least(cut) else { return self.n };
        let id = self.levels.locate(key);
        let cell = self.levels.cell(id);
        // The last cell of all may hold the largest value alone, and reach beyond it: so may a fence.
        let is_below = self.point(id).is_some_and(|point| point < key);
        let within = if is_below { cell.rows } else { self.kept.below(id, key) };
        [0, 1].map(|side| cell.before[side] + within[side])
    }

    pub(super) fn finish(&mut self) {
        let cuts = self.cuts.iter().flatten();
        let cuts: Vec<(f64, Below)> = cuts.map(|&cut| (cut, self.below(cut))).collect();
        if self.n[0] > 0 {
            let (edges, fence) = cuts.split_at(self.bin_quantiles().len());
            if self.query.bins.is_some() {
                let rows = |side: usize| {
                    let bounds: Vec<u64> = std::iter::once(0)
                        .chain(edges.iter().map(|(_, below)| below[side]))
                        .chain([self.n[side]])
                        .collect();
                    bounds.windows(2).map(|pair| pair[1] - pair[0]).collect()
                };
                self.result.bins = Some(PsiBins {
                    edges: edges.iter().map(|&(edge, _)| edge).collect(),
                    reference: rows(0),
                    current: rows(1),
                });
            }
            if let [(_, far_low), (_, low), (_, high), (_, far_high)] = fence {
                self.result.outliers = Some([0, 1].map(|side| Outliers {
                    outer: low[side] + self.n[side] - high[side],
                    extreme: far_low[side] + self.n[side] - far_high[side],
                }));
            }
        }
        if self.query.quantiles {
            for side in [Side::Reference, Side::Current] {
                if self.n[side as usize] > 0 {
                    self.result.quantiles[side as usize] = Some(QUANTILES.map(|q| self.quantile(side, q)));
                    let n = self.n[side as usize];
                    self.result.order[side as usize] =
                        Some(QUANTILES.map(|q| self.rank(side, Position::new(q, n).below)));
                }
            }
        }
        self.result.below = self.query.marks.iter().map(|&mark| self.below(mark)).collect();
        if self.earth.last.is_some() && self.n.iter().all(|&n| n > 0) {
            self.result.wasserstein = Some(self.earth.sum);
        }
    }
}

/// The fences of Tukey's box plot: values below the first two, or not below the last two, are outliers (extreme, outer, outer, extreme).
pub(super) fn fences(first_quartile: f64, third_quartile: f64) -> [f64; 4] {
    let range = third_quartile - first_quartile;
    [
        first_quartile - 3.0 * range,
        first_quartile - 1.5 * range,
        (third_quartile + 1.5 * range).next_up(),
        (third_quartile + 3.0 * range).next_up(),
    ]
}
