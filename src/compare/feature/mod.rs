//! One feature on its way from counts to results: what it must ask next, and what it makes of the answer.

mod finish;
mod kept;
mod visit;
mod wanted;

use super::level::{Cell, CellId, Levels, Side};
use super::quantile::{Position, QUANTILES};
use super::query::{Compared, Query};
use crate::counts::{CellCounts, CellMap, CellSet, Keys};
use finish::fences;
use kept::Kept;
use std::collections::VecDeque;
use visit::Earth;

/// What a feature asks next.
pub(super) enum Step<'s> {
    /// Count both sides with this map.
    Count(&'s CellMap),
    /// Fetch both sides' keys of these cells, by level.
    Select(&'s [Request]),
    /// Nothing any more.
    Done,
}

/// Cells of one level whose keys are to be fetched.
pub(super) struct Request {
    pub(super) level: usize,
    pub(super) wanted: CellSet,
    /// Keys in these cells, reference and current.
    pub(super) rows: [u64; 2],
}

/// Keys of one level's wanted cells, reference and current.
type Fetched = [Keys; 2];

/// Rows below a cut, on either side.
type Below = [u64; 2];

pub(super) struct Feature<'q> {
    query: Query<'q>,
    /// Values a side.
    n: [u64; 2],
    /// Lowest and highest key of both sides.
    extent: (u128, u128),
    sample: Vec<u128>,
    /// Keys that may be fetched at a time.
    budget: u64,
    levels: Levels,
    next_map: Option<(Option<Cell>, CellMap)>,
    groups: VecDeque<Vec<Cell>>,
    request: Vec<Request>,
    /// Keys of cells, kept for the edges where all of them fit at once.
    kept: Kept,
    keep: bool,
    /// Wanted ranks a side, ascending, with their keys once known.
    ranks: [Vec<(u64, Option<u128>)>; 2],
    /// Bin edges, then fences, once the order statistics are known.
    cuts: Option<Vec<f64>>,
    earth: Earth,
    result: Compared,
}

impl<'q> Feature<'q> {
    pub(super) fn new(
        query: Query<'q>,
        n: [u64; 2],
        extent: (u128, u128),
        sample: Vec<u128>,
        map: CellMap,
        budget: u64,
    ) -> Self {
        let mut feature = Self {
            query,
            n,
            extent,
            sample,
            budget: budget.max(1),
            levels: Levels::default(),
            next_map: Some((None, map)),
            groups: VecDeque::new(),
            request: Vec::new(),
            kept: Kept::default(),
            keep: false,
            ranks: [Vec::new(), Vec::new()],
            cuts: None,
            earth: Earth::default(),
            result: Compared { distinct: query.distinct.then_some([0, 0]), ..Compared::default() },
        };
        for (side, q) in feature.positions() {
            let position = Position::new(q, feature.n[side as usize]);
            feature.ranks[side as usize].extend([(position.below, None), (position.above, None)]);
        }
        for ranks in &mut feature.ranks {
            ranks.sort_unstable();
            ranks.dedup();
        }
        feature
    }

    /// Every quantile that is wanted of a side that has values.
    fn positions(&self) -> Vec<(Side, f64)> {
        let mut wanted = Vec::new();
        if self.n[0] > 0 {
            wanted.extend(self.bin_quantiles().into_iter().map(|q| (Side::Reference, q)));
        }
        if self.query.quantiles {
            for side in [Side::Reference, Side::Current].into_iter().filter(|&side| self.n[side as usize] > 0) {
                wanted.extend(QUANTILES.map(|q| (side, q)));
            }
        }
        wanted
    }

    /// Where the bin edges lie: `np.linspace(0, 100, bins + 1) / 100`, the ends left out.
    fn bin_quantiles(&self) -> Vec<f64> {
        let Some(bins) = self.query.bins else { return Vec::new() };
        let step = 100.0 / f64::from(bins);
        (1..bins).map(|i| f64::from(i) * step / 100.0).collect()
    }

    pub(super) fn step(&self) -> Step<'_> {
        if let Some((_, map)) = &self.next_map {
            return Step::Count(map);
        }
        if self.request.is_empty() { Step::Done } else { Step::Select(&self.request) }
    }

    pub(super) fn map(&self, level: usize) -> &CellMap {
        self.levels.map(level)
    }

    pub(super) fn result(self) -> Compared {
        self.result
    }

    /// The counts that [`Step::Count`] asked for.
    pub(super) fn counted(&mut self, rows: [CellCounts; 2]) {
        let (parent, map) = self.next_map.take().expect("counts come only after a map was asked for");
        self.levels.push(parent, map, rows);
        let best = self.query.gap.then(|| self.gap_at_edges());
        let wanted = self.wanted(best);
        let total: u64 = wanted.iter().map(Cell::cost).sum();
        if let Some(cell) = self.crowded(&wanted, total) {
            let (lo, hi) = self.bounds(cell.id);
            let within: Vec<u128> = self.sample.iter().copied().filter(|key| (lo..=hi).contains(key)).collect();
            self.next_map = Some((Some(cell), CellMap::new(lo, hi, &within, 4096, true)));
            return;
        }
        self.result.gap = best;
        self.keep = total <= self.budget;
        self.enqueue(wanted);
        self.advance();
    }

    /// The keys that [`Step::Select`] asked for, in the order of its levels.
    pub(super) fn selected(&mut self, fetched: Vec<Fetched>) {
        let group = self.groups.pop_front().expect("keys come only after a group was asked for");
        let levels: Vec<usize> = std::mem::take(&mut self.request).into_iter().map(|request| request.level).collect();
        let mut taken = vec![[0_usize; 2]; levels.len()];
        let mut places = Vec::new();
        for cell in group {
            if let Some(key) = cell.point {
                self.visit_point(key, &cell);
                continue;
            }
            let part =
                levels.iter().position(|&level| level == cell.id.0).expect("every level of the group was asked for");
            let [r, c] = [0, 1].map(|side| {
                let start = taken[part][side];
                taken[part][side] += usize::try_from(cell.rows[side]).expect("fetched keys fit in memory");
                start..taken[part][side]
            });
            match &fetched[part] {
                [Keys::U32(a), Keys::U32(b)] => self.visit(&cell, &a[r.clone()], &b[c.clone()]),
                [Keys::U64(a), Keys::U64(b)] => self.visit(&cell, &a[r.clone()], &b[c.clone()]),
                [Keys::U128(a), Keys::U128(b)] => self.visit(&cell, &a[r.clone()], &b[c.clone()]),
                _ => unreachable!("both sides of a feature have keys of one width"),
            }
            places.push((cell.id, (part, [r, c])));
        }
        if self.keep {
            self.kept.keep(fetched, places.into_iter());
        }
        self.advance();
    }

    /// Goes on to the next group of cells, to the edges, or to the end.
    fn advance(&mut self) {
        loop {
            let Some(group) = self.groups.front() else {
                if self.cuts.is_none() {
                    self.cut();
                    continue;
                }
                return self.finish();
            };
            self.request = self.request_for(group);
            if !self.request.is_empty() {
                return;
            }
            for cell in self.groups.pop_front().unwrap_or_default() {
                if let Some(key) = cell.point {
                    self.visit_point(key, &cell);
                }
            }
        }
    }

    fn request_for(&self, group: &[Cell]) -> Vec<Request> {
        let mut requests: Vec<Request> = Vec::new();
        for cell in group.iter().filter(|cell| cell.point.is_none()) {
            let (level, index) = cell.id;
            let place = requests.iter().position(|request| request.level == level).unwrap_or_else(|| {
                let wanted = CellSet::none(self.levels.map(level).n_cells());
                requests.push(Request { level, wanted, rows: [0, 0] });
                requests.len() - 1
            });
            let request = &mut requests[place];
            request.wanted.insert(index);
            request.rows = [0, 1].map(|side| request.rows[side] + cell.rows[side]);
        }
        requests
    }

    /// Cuts the wanted cells, in their order, into groups that the memory allows.
    fn enqueue(&mut self, cells: Vec<Cell>) {
        let mut room = 0;
        for cell in cells {
            let cost = cell.cost();
            match self.groups.back_mut().filter(|_| cost <= room) {
                Some(group) => {
                    group.push(cell);
                    room -= cost;
                }
                None => {
                    room = self.budget.saturating_sub(cost);
                    self.groups.push_back(vec![cell]);
                }
            }
        }
    }

    fn point(&self, id: CellId) -> Option<u128> {
        let (first, last) = self.levels.bounds(id)?;
        let (first, last) = (first.max(self.extent.0), last.min(self.extent.1));
        (first == last).then_some(first)
    }

    fn bounds(&self, id: CellId) -> (u128, u128) {
        let (first, last) = self.levels.bounds(id).unwrap_or(self.extent);
        (first.max(self.extent.0), last.min(self.extent.1))
    }
}
