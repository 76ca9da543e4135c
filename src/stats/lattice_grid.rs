//! Where lattice paths are likely to reach a boundary: what [`lattice_path`](super::lattice_path) may leave out.

use super::binomial::ln_binomial;
use super::float::{real, real_wide, whole};

/// Share of the result that dropping points may lose in all.
const LOSS: f64 = 1e-12;

/// Up to this many points, finding out which ones matter takes longer than counting them all.
const FEW_POINTS: f64 = 50_000.0;

/// Sizes and gap, with probabilities of single points.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) n: u64,
    pub(super) m: u64,
    pub(super) gap: u128,
}

/// Where on the upper boundary paths are likely to be.
pub(super) struct Crossings {
    /// First and last row at which the boundary matters.
    pub(super) first: u64,
    pub(super) last: u64,
    /// ln of the share of paths below which a point may be dropped.
    pub(super) ln_negligible: f64,
}

impl Grid {
    pub(super) fn steps(&self) -> u64 {
        self.n + self.m
    }

    /// p = n/(n + m) and q = m/(n + m).
    pub(super) fn weights(&self) -> (f64, f64) {
        (real(self.n) / real(self.steps()), real(self.m) / real(self.steps()))
    }

    /// ln of p^i q^j times the number of paths from the start to `i` of `row` steps.
    pub(super) fn ln_before(&self, row: f64, i: f64) -> f64 {
        let (p, q) = self.weights();
        ln_binomial(i, row, p, q)
    }

    /// ln of the share of weighted paths from `i` at `row` to the end, relative to all paths.
    pub(super) fn ln_after(&self, row: f64, i: f64) -> f64 {
        let (p, q) = self.weights();
        let (n, steps) = (real(self.n), real(self.steps()));
        ln_binomial(n - i, steps - row, p, q) - ln_binomial(n, steps, p, q)
    }

    /// The part of the upper boundary that matters; None where no path reaches it with a probability that an f64 can hold.
    pub(super) fn crossings(&self) -> Option<Crossings> {
        if self.points() < FEW_POINTS { Some(self.all_crossings()) } else { self.likely_crossings() }
    }

    /// Points within the strip, at most.
    fn points(&self) -> f64 {
        let steps = real(self.steps());
        steps * ((2.0 * real_wide(self.gap) / steps).min(real(self.n)) + 1.0)
    }

    /// Every row counts, and no point is dropped.
    fn all_crossings(&self) -> Crossings {
        Crossings { first: 0, last: self.steps(), ln_negligible: f64::NEG_INFINITY }
    }

    /// Looks along the upper boundary, as a straight line between the lattice points.
    fn likely_crossings(&self) -> Option<Crossings> {
        const LOOKS: u32 = 64;
        let (n, m, steps, gap) = (real(self.n), real(self.m), real(self.steps()), real_wide(self.gap));
        // The boundary enters the rectangle at j = 0 and leaves it at i = n.
        let (from, to) = (gap / m, steps - gap / n);
        let row_at = |look: u32| from + (to - from) * f64::from(look) / f64::from(LOOKS);
        let ln_share = |look: u32| {
            let row = row_at(look);
            let i = ((gap + row * n) / steps).min(n).min(row);
            self.ln_before(row, i) + self.ln_after(row, i)
        };
        let looks: Vec<f64> = (0..=LOOKS).map(ln_share).collect();
        let (best, highest) = (0..=LOOKS)
            .zip(&looks)
            .fold((0, f64::NEG_INFINITY), |best, (look, &ln)| if ln > best.1 { (look, ln) } else { best });
        // Every path outside is at one of n + m boundary points at most; exp(5) covers what lies between the looks.
        if highest + libm::log(steps) + 5.0 < -800.0 {
            return None;
        }
        // Paths through one boundary point are a part of the result: a lower bound. The corner's is exact, the best look's is rounded.
        let corner = self.gap.div_ceil(u128::from(self.m));
        let ln_corner = self.ln_point(u64::try_from(corner).unwrap_or(self.n).min(self.n), 0);
        let best_row = whole(row_at(best).round());
        let best_i = self.boundary(best_row, self.n);
        let ln_best = if best_i <= best_row.min(self.n) && best_row - best_i <= self.m {
            self.ln_point(best_i, best_row - best_i)
        } else {
            f64::NEG_INFINITY
        };
        let ln_negligible = ln_corner.max(ln_best) + libm::log(LOSS / (2.0 * steps));
        let matters = |look: &u32| looks.get(*look as usize).is_some_and(|&ln| ln > ln_negligible);
        let first = (0..=LOOKS).find(matters).unwrap_or(0).saturating_sub(1);
        let last = ((0..=LOOKS).rev().find(matters).unwrap_or(LOOKS) + 1).min(LOOKS);
        Some(Crossings { first: whole(row_at(first).floor()), last: whole(row_at(last).ceil()), ln_negligible })
    }

    /// ln of the share of paths through the point (i, j).
    fn ln_point(&self, i: u64, j: u64) -> f64 {
        self.ln_before(real(i + j), real(i)) + self.ln_after(real(i + j), real(i))
    }

    /// Smallest number of steps on the axis of size `own` that reaches its boundary in this row.
    pub(super) fn boundary(&self, row: u64, own: u64) -> u64 {
        let reached = (self.gap + u128::from(row) * u128::from(own)).div_ceil(u128::from(self.steps()));
        u64::try_from(reached).unwrap_or(u64::MAX)
    }
}
