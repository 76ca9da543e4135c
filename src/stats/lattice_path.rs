//! The share of lattice paths that leave a strip: the exact two-sample tail for any two sizes.
//!
//! Under the null hypothesis the merged order of n + m values is a uniformly random path of n steps in i and m steps in j, and D is
//! the largest |i/n − j/m| on it (Hodges 1958). So P(D ≥ d) is the share of paths with |i m − j n| ≥ gap somewhere.
//!
//! ```text
//!   i ↑            upper boundary       Row s = i + j holds the points after s steps. U(s, i) counts the paths to a point
//!     |          . '  . '               that have been on or outside a boundary. A path enters a point by one of two steps:
//!     |       . ' . ' lower
//!     |    . ' . '                          U(s + 1, i) = U(s, i) + U(s, i − 1)
//!     | . ' . '
//!     +------------------→ j            with U = all paths at a boundary point. Only sums of numbers ≥ 0: tails keep their precision.
//! ```
//!
//! Counting the paths outside, not those inside, is Viehmann's (2021) remedy for the lost tail; SciPy works that way too. To make it
//! cheap at every D:
//!
//! * Counts are weighted by p^i q^j, p = n/(n + m), so a row is one multiplication and one addition a point, in one direction, in place.
//! * Turning a path by half a turn swaps the boundaries, so each is reached by the same share. Where hardly any path reaches both
//!   ([`Sides::Upper`]), one boundary is enough.
//! * A point at the edge of the row is dropped when the paths counted there, completed to the end, are below 1e-12 of a lower
//!   bound of the result divided by the number of points that can be dropped. The sum of all that is dropped is therefore below
//!   that share, whatever the sizes; what remains is a strip of some 15 standard deviations around the likely paths.

use std::cell::Cell;
use std::f64::consts::LN_2;

use super::float::real;
use super::lattice_grid::{Crossings, Grid};

/// Rows between two looks at the edges.
const ROWS_BETWEEN_PRUNING: u64 = 32;

/// Rows between two looks at the magnitude, and the magnitude that calls for scaling. A count grows by at most 2 a row.
const ROWS_BETWEEN_SCALING: u64 = 64;
const LARGE: f64 = 1e60;

/// Which boundary a path has to reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sides {
    /// The upper one; the share for the lower one is the same.
    Upper,
    /// Any of the two.
    Both,
}

/// Natural logarithm of the share of paths to (n, m) that reach |i m − j n| ≥ gap, on the sides asked for.
///
/// For 1 ≤ n ≤ m and 0 < gap ≤ n m. Relative error of the share below 1e-11. −∞ where it is below exp(−800).
pub(super) fn ln_share_outside(n: u64, m: u64, gap: u128, sides: Sides) -> f64 {
    let grid = Grid { n, m, gap };
    grid.crossings().map_or(f64::NEG_INFINITY, |crossings| Rows::new(grid, sides, &crossings).run())
}

/// One boundary, followed row by row: the upper one counts its steps in i, the lower one in j.
struct Boundary {
    /// Steps on the own axis at which it is reached in this row.
    at: u64,
    /// at · steps − gap − row · own, in [0, steps).
    rest: u64,
    own: u64,
    steps: u64,
    /// Weight of a step on the own and on the other axis.
    weight: f64,
    other_weight: f64,
    /// Weighted number of all paths to the boundary point; 0 before it is needed.
    paths: f64,
    /// Rows in which it counts.
    first: u64,
    last: u64,
}

impl Boundary {
    fn new(grid: &Grid, row: u64, own: u64, [weight, other_weight]: [f64; 2], [first, last]: [u64; 2]) -> Self {
        let (at, steps) = (grid.boundary(row, own), grid.steps());
        let rest = u128::from(at) * u128::from(steps) - grid.gap - u128::from(row) * u128::from(own);
        Self { at, rest: u64::try_from(rest).unwrap_or(0), own, steps, weight, other_weight, paths: 0.0, first, last }
    }

    /// From `row` to the next one.
    fn advance(&mut self, row: u64) {
        let next = real(row + 1);
        if self.rest < self.own {
            self.at += 1;
            self.rest += self.steps - self.own;
            self.paths *= self.weight * next / real(self.at);
        } else {
            self.rest -= self.own;
            self.paths *= self.other_weight * next / real((row + 1).saturating_sub(self.at).max(1));
        }
    }

    fn counts_in(&self, row: u64) -> bool {
        (self.first..=self.last).contains(&row)
    }
}

/// The rows of the recursion.
///
/// Numbers are relative to the paths to the first boundary point that counts, and the paths to the upper boundary are followed up to
/// the last row. So the result is a ratio of two numbers of the same chain of products, and logarithms of the size of n never appear.
struct Rows {
    grid: Grid,
    ln_negligible: f64,
    row: u64,
    upper: Boundary,
    /// Absent when only the upper boundary counts.
    lower: Option<Boundary>,
    /// Weighted counts, stored downwards so that the recursion runs forwards in place: i has its place at n + 1 − i.
    counts: Vec<f64>,
    /// Points low ≤ i < end of this row are kept. The others are 0 or on a boundary.
    low: u64,
    end: u64,
    /// p/q, the weight of a step in i where one in j weighs 1.
    odds: f64,
    /// Powers of two taken out of `counts` and out of the paths to the boundaries, and the factor between the two.
    count_exponent: i32,
    path_exponent: i32,
    path_factor: f64,
    /// Row and ln of the true weight of the first boundary point: the unit of all numbers.
    unit: Option<(u64, f64)>,
}

impl Rows {
    fn new(grid: Grid, sides: Sides, crossings: &Crossings) -> Self {
        let (n, m, steps) = (grid.n, grid.m, grid.steps());
        let (p, q) = grid.weights();
        let odds = p / q;
        // Half a turn maps a row to steps − row and the upper boundary to the lower one.
        let below = [steps.saturating_sub(crossings.last), steps.saturating_sub(crossings.first)];
        let row = if sides == Sides::Both { crossings.first.min(below[0]) } else { crossings.first };
        let upper = Boundary::new(&grid, row, n, [odds, 1.0], [crossings.first, crossings.last]);
        let lower = (sides == Sides::Both).then(|| Boundary::new(&grid, row, m, [1.0, odds], below));
        let end = upper.at.min(n + 1);
        let low =
            lower.as_ref().map_or(end, |lower| (row + 1).saturating_sub(lower.at).max(row.saturating_sub(m)).min(end));
        Self {
            grid,
            ln_negligible: crossings.ln_negligible,
            row,
            upper,
            lower,
            counts: vec![0.0; usize::try_from(n + 3).unwrap_or(usize::MAX)],
            low,
            end,
            odds,
            count_exponent: 0,
            path_exponent: 0,
            path_factor: 1.0,
            unit: None,
        }
    }

    fn run(mut self) -> f64 {
        let steps = self.grid.steps();
        while self.row < steps {
            if self.row.is_multiple_of(ROWS_BETWEEN_PRUNING) {
                self.prune();
            }
            if self.row.is_multiple_of(ROWS_BETWEEN_SCALING) {
                self.scale();
            }
            self.enter();
            self.next_row();
        }
        let (n, steps) = (real(self.grid.n), real(steps));
        let all_to_boundary = self.upper.paths;
        let boundary_to_end = self.grid.ln_before(steps, real(self.upper.at)) - self.grid.ln_before(steps, n);
        let reached = self.counts[self.slot(self.grid.n)];
        libm::log(reached / all_to_boundary)
            + f64::from(self.count_exponent - self.path_exponent) * LN_2
            + boundary_to_end
    }

    /// Place of point i in `counts`. That of i − 1 follows; i = −1 has one too.
    fn slot(&self, i: u64) -> usize {
        usize::try_from(self.grid.n + 1 - i).unwrap_or(usize::MAX)
    }

    /// Starts to follow the paths to a boundary once it matters and has entered the rectangle.
    fn enter(&mut self) {
        let (row, grid) = (self.row, self.grid);
        let ln_before = |i: u64| grid.ln_before(real(row), real(i));
        let on_upper = Some(self.upper.at).filter(|&i| i <= row);
        let on_lower = self.lower.as_ref().and_then(|lower| row.checked_sub(lower.at));
        let lower_paths = self.lower.as_ref().map_or(0.0, |lower| lower.paths);
        if self.upper.paths == 0.0
            && row >= self.upper.first
            && let Some(i) = on_upper
        {
            self.upper.paths = match on_lower {
                Some(other) if lower_paths > 0.0 => lower_paths * libm::exp(ln_before(i) - ln_before(other)),
                _ => 1.0,
            };
            self.unit.get_or_insert((row, ln_before(i)));
        }
        let upper_paths = self.upper.paths;
        if let (Some(lower), Some(i)) = (&mut self.lower, on_lower)
            && lower.paths == 0.0
            && row >= lower.first
        {
            lower.paths = match on_upper {
                Some(other) if upper_paths > 0.0 => upper_paths * libm::exp(ln_before(i) - ln_before(other)),
                _ => 1.0,
            };
            self.unit.get_or_insert((row, ln_before(i)));
        }
    }

    fn next_row(&mut self) {
        let row = self.row;
        let above = if self.upper.counts_in(row) { self.upper.paths * self.path_factor } else { 0.0 };
        self.upper.advance(row);
        if self.end < self.upper.at.min(self.grid.n + 1) {
            // The row grows by a point, which was on the boundary or, once that no longer matters, is not counted.
            let slot = self.slot(self.end);
            self.counts[slot] = above;
            self.end += 1;
        }

        let (mut below, mut low) = (0.0, self.low.max((row + 1).saturating_sub(self.grid.m)));
        if let Some(lower) = &mut self.lower {
            if lower.counts_in(row) {
                below = lower.paths * self.path_factor;
            }
            lower.advance(row);
            low = low.max((row + 2).saturating_sub(lower.at));
        }
        if low == self.low {
            let slot = self.slot(low) + 1;
            self.counts[slot] = below;
        }
        self.low = low;
        self.row += 1;
        if self.low < self.end {
            let (from, to) = (self.slot(self.end - 1), self.slot(self.low) + 1);
            let odds = self.odds;
            let row = Cell::from_mut(&mut self.counts[from..=to]).as_slice_of_cells();
            for pair in row.windows(2) {
                pair[0].set(pair[0].get() + odds * pair[1].get());
            }
        }
    }

    /// Drops points from the ends of the row that no longer matter, where no boundary feeds them.
    fn prune(&mut self) {
        let Some((first_row, ln_unit)) = self.unit else {
            return;
        };
        let (n, rest) = (self.grid.n, self.grid.steps() - self.row);
        let ln_scale = ln_unit
            + real(self.row - first_row) * libm::log(self.grid.weights().1)
            + f64::from(self.count_exponent) * LN_2;
        let limit_at = |i: u64| libm::exp(self.ln_negligible - ln_scale - self.grid.ln_after(real(self.row), real(i)));
        // Weighted paths from i − 1 to the end, divided by those from i.
        let ratio = |i: u64| self.odds * real(rest + i - n) / real(n + 1 - i);
        let (mut low, mut end) = (self.low, self.end);
        if low < end && self.lower.as_ref().is_none_or(|lower| self.row > lower.last) {
            let mut limit = limit_at(low);
            while low < end && self.counts[self.slot(low)] < limit {
                low += 1;
                limit *= ratio(low);
            }
        }
        if low < end && self.row > self.upper.last {
            let mut limit = limit_at(end - 1);
            while low < end && self.counts[self.slot(end - 1)] < limit {
                end -= 1;
                limit /= ratio(end);
            }
        }
        (self.low, self.end) = (low, end);
    }

    /// Brings counts and paths back to 1 before they can overflow. Powers of two round nothing.
    fn scale(&mut self) {
        let excess = |largest: f64| {
            if largest > LARGE { libm::ilogb(largest) } else { 0 }
        };
        let kept = if self.low < self.end { self.slot(self.end - 1)..self.slot(self.low) + 1 } else { 0..0 };
        let largest_count = self.counts[kept.clone()].iter().copied().fold(0.0, f64::max);
        let exponent = excess(largest_count);
        if exponent > 0 {
            let factor = libm::scalbn(1.0, -exponent);
            self.counts[kept].iter_mut().for_each(|count| *count *= factor);
            self.count_exponent += exponent;
        }
        let largest_paths = self.lower.as_ref().map_or(0.0, |lower| lower.paths).max(self.upper.paths);
        let exponent = excess(largest_paths);
        let factor = libm::scalbn(1.0, -exponent);
        self.upper.paths *= factor;
        if let Some(lower) = &mut self.lower {
            lower.paths *= factor;
        }
        self.path_exponent += exponent;
        self.path_factor = libm::scalbn(1.0, self.path_exponent - self.count_exponent);
    }
}
