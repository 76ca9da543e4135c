//! What the keys of a cell tell.

use super::Feature;
use crate::compare::atoms::{Atom, is_frequent};
use crate::compare::level::Cell;
use crate::compare::merge;
use crate::counts::Key;

impl Feature<'_> {
    /// Takes what a fetched cell tells: `r` and `c` are its rows of reference and current, sorted.
    pub(super) fn visit<K: Key>(&mut self, cell: &Cell, r: &[K], c: &[K]) {
        for (side, keys) in [r, c].into_iter().enumerate() {
            let first = cell.before[side];
            let ranks = &mut self.ranks[side];
            let from = ranks.partition_point(|(rank, _)| *rank < first);
            for (rank, key) in ranks[from..].iter_mut().take_while(|(rank, _)| *rank < first + cell.rows[side]) {
                let within = usize::try_from(*rank - first).expect("fetched keys fit in memory");
                *key = Some(keys[within].widen());
            }
        }
        let n = self.n;
        if let Some(gap) = &mut self.result.gap {
            *gap = (*gap).max(merge::largest_gap(r, c, cell.before, n[0], n[1]));
        }
        if self.query.atoms && is_frequent(cell.rows, n) {
            let (mut below, scale, atoms) = (cell.before, self.query.scale, &mut self.result.atoms);
            merge::runs(r, c, |key, r, c| {
                if is_frequent([r, c], n) {
                    atoms.push(Atom { value: scale.value_of(key.widen()), below, rows: [r, c] });
                }
                below = [below[0] + r, below[1] + c];
            });
        }
        if self.query.distinct {
            let distinct = self.result.distinct.get_or_insert_default();
            merge::runs(r, c, |_, r, c| {
                *distinct = [distinct[0] + u64::from(r > 0), distinct[1] + u64::from(c > 0)];
            });
        }
        if self.query.wasserstein {
            let (scale, earth) = (self.query.scale, &mut self.earth);
            merge::runs(r, c, |key, r, c| earth.take(scale.value_of(key.widen()), [r, c], n));
        }
    }

    /// Takes what a cell of one single key tells: its edges are in the gap already.
    pub(super) fn visit_point(&mut self, key: u128, cell: &Cell) {
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
}

/// Running state of Wasserstein-1 over ascending keys.
#[derive(Default)]
pub(super) struct Earth {
    rows: [u64; 2],
    pub(super) last: Option<f64>,
    pub(super) sum: f64,
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
