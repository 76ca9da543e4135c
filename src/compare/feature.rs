//! One feature on its way from counts to results: what it must ask next, and what it makes of the answer.

use super::atoms::{Atom, is_frequent};
use super::level::{Cell, CellId, Levels, Side};
use super::merge;
use super::quantile::{Position, QUANTILES};
use crate::counts::{CellCounts, CellMap, CellSet, Key, Keys, Scale, with_keys};
use std::collections::{HashMap, VecDeque};

/// What is wanted of a feature.
#[derive(Clone, Copy)]
pub struct Query<'q> {
    /// Turns keys into numbers.
    pub scale: &'q dyn Scale,
    /// The largest gap between the two ECDFs.
    pub gap: bool,
    /// Number of PSI bins, when PSI or another statistic of its bins is wanted; at least 1.
    pub bins: Option<u32>,
    /// The [`QUANTILES`] of both sides, and the values beyond the reference's fences.
    pub quantiles: bool,
    /// Wasserstein-1, which visits every key of both sides.
    pub wasserstein: bool,
    /// The values that at least one in [`ATOM`](super::ATOM) values of a side has.
    pub atoms: bool,
    /// Values of which it is wanted how many rows lie below; finite.
    pub marks: &'q [f64],
    /// How many distinct values a side has, which visits every key of both sides.
    pub distinct: bool,
}

/// PSI bins: inner edges at the reference's quantiles, and the rows of both sides in each bin.
#[derive(Clone, Debug, PartialEq)]
pub struct PsiBins {
    /// b − 1 inner edges of b bins, ascending; may repeat, may be infinite.
    pub edges: Vec<f64>,
    /// Rows of the reference in each of the b bins. Bins are [a, b), the last one closed.
    pub reference: Vec<u64>,
    /// Rows of current in each of the b bins.
    pub current: Vec<u64>,
}

/// Values of one side outside the reference's fences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outliers {
    /// Beyond 1.5 interquartile ranges from the quartiles.
    pub outer: u64,
    /// Beyond 3 interquartile ranges from the quartiles.
    pub extreme: u64,
}

/// What was found, all of it exact; absent where it was not wanted or a side has no values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared {
    /// max |A·m − B·n| over all values: D of Kolmogorov and Smirnov times n·m.
    pub gap: Option<u128>,
    /// The PSI bins.
    pub bins: Option<PsiBins>,
    /// [`QUANTILES`] of the reference and of current.
    pub quantiles: [Option<[f64; 9]>; 2],
    /// The order statistics just below the [`QUANTILES`]: values that some row has.
    pub order: [Option<[f64; 9]>; 2],
    /// Outliers of the reference and of current by the reference's fences.
    pub outliers: Option<[Outliers; 2]>,
    /// The frequent values, ascending.
    pub atoms: Vec<Atom>,
    /// Wasserstein-1; finite unless a value is infinite or the sum overflows.
    pub wasserstein: Option<f64>,
    /// Rows of both sides below each of the marks.
    pub below: Vec<[u64; 2]>,
    /// Distinct values of both sides.
    pub distinct: Option<[u64; 2]>,
}

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
    kept: HashMap<CellId, Fetched>,
    keep: bool,
    /// Wanted ranks a side, ascending, with their keys once known.
    ranks: [Vec<(u64, Option<u128>)>; 2],
    /// Bin edges, then fences, once the order statistics are known.
    cuts: Option<Vec<f64>>,
    earth: Earth,
    result: Compared,
}

/// Running state of Wasserstein-1 over ascending keys.
#[derive(Default)]
struct Earth {
    rows: [u64; 2],
    last: Option<f64>,
    sum: f64,
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
            kept: HashMap::new(),
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

    /// The wanted cell that holds more keys than may be fetched beside others, if `total`, the number of keys in all of
    /// `wanted`, is beyond the memory.
    fn crowded(&self, wanted: &[Cell], total: u64) -> Option<Cell> {
        let largest = wanted.iter().max_by_key(|cell| cell.cost()).filter(|_| total > self.budget);
        largest.copied().filter(|cell| cell.cost() > self.budget / 8)
    }

    /// The keys that [`Step::Select`] asked for, in the order of its levels.
    pub(super) fn selected(&mut self, fetched: Vec<Fetched>) {
        let group = self.groups.pop_front().expect("keys come only after a group was asked for");
        let levels: Vec<usize> = std::mem::take(&mut self.request).into_iter().map(|request| request.level).collect();
        let mut taken = vec![[0_usize; 2]; levels.len()];
        for cell in group {
            if let Some(key) = cell.point {
                self.visit_point(key, &cell);
                continue;
            }
            let part =
                levels.iter().position(|&level| level == cell.id.0).expect("every level of the group was asked for");
            let keys = [0, 1].map(|side| {
                let start = taken[part][side];
                let rows = usize::try_from(cell.rows[side]).expect("fetched keys fit in memory");
                taken[part][side] += rows;
                slice(&fetched[part][side], start..start + rows)
            });
            self.visit(&cell, &keys);
            if self.keep {
                self.kept.insert(cell.id, keys);
            }
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

    /// The largest gap after any cell.
    fn gap_at_edges(&self) -> u128 {
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
    fn wanted(&mut self, best: Option<u128>) -> Vec<Cell> {
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

    /// Takes what a fetched cell tells: `keys` are its rows of both sides, sorted.
    fn visit(&mut self, cell: &Cell, keys: &Fetched) {
        for (side, keys) in keys.iter().enumerate() {
            let first = cell.before[side];
            let ranks = &mut self.ranks[side];
            let from = ranks.partition_point(|(rank, _)| *rank < first);
            for (rank, key) in ranks[from..].iter_mut().take_while(|(rank, _)| *rank < first + cell.rows[side]) {
                let within = usize::try_from(*rank - first).expect("fetched keys fit in memory");
                *key = Some(keys.get(within));
            }
        }
        if let Some(gap) = &mut self.result.gap {
            let [n, m] = self.n;
            *gap = (*gap).max(match keys {
                [Keys::U32(r), Keys::U32(c)] => merge::largest_gap(r, c, cell.before, n, m),
                [Keys::U64(r), Keys::U64(c)] => merge::largest_gap(r, c, cell.before, n, m),
                [Keys::U128(r), Keys::U128(c)] => merge::largest_gap(r, c, cell.before, n, m),
                _ => unreachable!("both sides of a feature have keys of one width"),
            });
        }
        if self.query.atoms && is_frequent(cell.rows, self.n) {
            let (n, mut below, atoms) = (self.n, cell.before, &mut self.result.atoms);
            let mut take = |key: u128, rows: [u64; 2]| {
                if is_frequent(rows, n) {
                    atoms.push(Atom { value: self.query.scale.value_of(key), below, rows });
                }
                below = [below[0] + rows[0], below[1] + rows[1]];
            };
            match keys {
                [Keys::U32(r), Keys::U32(c)] => merge::runs(r, c, |&key, r, c| take(key.into(), [r, c])),
                [Keys::U64(r), Keys::U64(c)] => merge::runs(r, c, |&key, r, c| take(key.into(), [r, c])),
                [Keys::U128(r), Keys::U128(c)] => merge::runs(r, c, |&key, r, c| take(key, [r, c])),
                _ => unreachable!("both sides of a feature have keys of one width"),
            }
        }
        if self.query.distinct {
            let distinct = self.result.distinct.get_or_insert_default();
            let mut take = |rows: [u64; 2]| (0..2).for_each(|side| distinct[side] += u64::from(rows[side] > 0));
            match keys {
                [Keys::U32(r), Keys::U32(c)] => merge::runs(r, c, |_, r, c| take([r, c])),
                [Keys::U64(r), Keys::U64(c)] => merge::runs(r, c, |_, r, c| take([r, c])),
                [Keys::U128(r), Keys::U128(c)] => merge::runs(r, c, |_, r, c| take([r, c])),
                _ => unreachable!("both sides of a feature have keys of one width"),
            }
        }
        if self.query.wasserstein {
            let (scale, n, earth) = (self.query.scale, self.n, &mut self.earth);
            let mut take = |key: u128, r: u64, c: u64| earth.take(scale.value_of(key), [r, c], n);
            match keys {
                [Keys::U32(r), Keys::U32(c)] => merge::runs(r, c, |&key, r, c| take(key.into(), r, c)),
                [Keys::U64(r), Keys::U64(c)] => merge::runs(r, c, |&key, r, c| take(key.into(), r, c)),
                [Keys::U128(r), Keys::U128(c)] => merge::runs(r, c, |&key, r, c| take(key, r, c)),
                _ => unreachable!("both sides of a feature have keys of one width"),
            }
        }
    }

    /// Takes what a cell of one single key tells: its edges are in the gap already.
    fn visit_point(&mut self, key: u128, cell: &Cell) {
        if self.query.atoms && is_frequent(cell.rows, self.n) {
            let value = self.query.scale.value_of(key);
            self.result.atoms.push(Atom { value, below: cell.before, rows: cell.rows });
        }
        if self.query.distinct {
            let distinct = self.result.distinct.get_or_insert_default();
            (0..2).for_each(|side| distinct[side] += u64::from(cell.rows[side] > 0));
        }
        if self.query.wasserstein {
            self.earth.take(self.query.scale.value_of(key), cell.rows, self.n);
        }
    }

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
    fn cut(&mut self) {
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
        let mut missing: Vec<CellId> = cuts
            .iter()
            .chain(marks)
            .filter_map(|&cut| self.cut_cell(cut))
            .filter(|id| !self.kept.contains_key(id))
            .collect();
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
    fn cut_cell(&self, cut: f64) -> Option<CellId> {
        let id = self.levels.locate(self.query.scale.first_key_at_least(cut)?);
        (self.levels.cell(id).total() > 0 && self.point(id).is_none()).then_some(id)
    }

    /// Rows of both sides whose value is below `cut`.
    fn below(&self, cut: f64) -> Below {
        let Some(key) = self.query.scale.first_key_at_least(cut) else { return self.n };
        let id = self.levels.locate(key);
        let cell = self.levels.cell(id);
        let mut below = cell.before;
        // The last cell of all may hold the largest value alone, and reach beyond it: so may a fence.
        if self.point(id).is_some_and(|point| point < key) {
            below = [0, 1].map(|side| below[side] + cell.rows[side]);
        } else if let Some(keys) = self.kept.get(&id) {
            for (below, keys) in below.iter_mut().zip(keys) {
                *below += with_keys!(keys, keys => keys.partition_point(|&k| k.widen() < key)) as u64;
            }
        }
        below
    }

    fn finish(&mut self) {
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

impl Earth {
    /// Adds the next value in ascending order and the rows that hold it: |F − G| before it, times the step to it
    /// (SciPy's `wasserstein_distance`).
    #[expect(clippy::cast_precision_loss, reason = "row counts stay below 2^53")]
    fn take(&mut self, value: f64, rows: [u64; 2], n: [u64; 2]) {
        if let Some(last) = self.last {
            let [a, b] = [0, 1].map(|side| self.rows[side] as f64 / n[side] as f64);
            if value > last {
                self.sum += (a - b).abs() * (value - last);
            }
        }
        self.last = Some(value);
        self.rows = [self.rows[0] + rows[0], self.rows[1] + rows[1]];
    }
}

/// The fences of Tukey's box plot: values below the first two, or not below the last two, are outliers (extreme, outer, outer, extreme).
fn fences(first_quartile: f64, third_quartile: f64) -> [f64; 4] {
    let range = third_quartile - first_quartile;
    [
        first_quartile - 3.0 * range,
        first_quartile - 1.5 * range,
        (third_quartile + 1.5 * range).next_up(),
        (third_quartile + 3.0 * range).next_up(),
    ]
}

fn slice(keys: &Keys, range: std::ops::Range<usize>) -> Keys {
    match keys {
        Keys::U32(k) => Keys::U32(k[range].to_vec()),
        Keys::U64(k) => Keys::U64(k[range].to_vec()),
        Keys::U128(k) => Keys::U128(k[range].to_vec()),
    }
}
