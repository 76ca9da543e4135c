//! Keys that many rows share.

use super::{CellCounts, CellMap, CellSet, Key, Keys, with_keys};

/// Keys with the number of rows that hold each. A key may stand in it more than once; counts add.
///
/// What a dictionary page makes of a column: as many keys as the dictionary has values, however many rows there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighted {
    keys: Keys,
    rows: Vec<u64>,
}

impl Weighted {
    /// No keys yet, of the width of `bits`.
    #[must_use]
    pub fn empty(bits: u32) -> Self {
        Self { keys: Keys::empty(bits), rows: Vec::new() }
    }

    /// Adds `keys` with the number of rows that hold each.
    ///
    /// # Panics
    /// When the widths of the keys differ, or there are not as many numbers as keys.
    pub fn append(&mut self, keys: &Keys, rows: impl IntoIterator<Item = u64>) {
        self.keys.append(keys);
        self.rows.extend(rows);
        assert_eq!(self.keys.len(), self.rows.len(), "every key has a number of rows");
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The number of rows of each key.
    #[must_use]
    pub fn rows(&self) -> &[u64] {
        &self.rows
    }

    /// The number of rows of all keys.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.rows.iter().sum()
    }

    /// Adds the rows of every key to its cell of `map`.
    ///
    /// # Panics
    /// When `counts` are of another map.
    pub fn count(&self, map: &CellMap, counts: &mut CellCounts) {
        if self.rows.is_empty() {
            return; // As most pieces are, and making the map ready takes longer than a small piece.
        }
        with_keys!(&self.keys, keys => {
            for (cell, rows) in cells_of(keys, map).zip(&self.rows) {
                counts.0[cell] += rows;
            }
        });
    }

    /// Adds the keys in the `wanted` cells of `map` to `found`, each as often as it has rows.
    ///
    /// # Panics
    /// When `found` has keys of another width.
    pub fn select(&self, map: &CellMap, wanted: &CellSet, found: &mut Keys) {
        if self.rows.is_empty() {
            return;
        }
        let mut all = |index: usize, key: u128| {
            let rows = usize::try_from(self.rows[index]).expect("selected keys fit in memory");
            with_keys!(&mut *found, found => found.resize(found.len() + rows, Key::narrow(key)));
        };
        with_keys!(&self.keys, keys => {
            for (index, cell) in cells_of(keys, map).enumerate() {
                if wanted.contains(cell) {
                    all(index, keys[index].widen());
                }
            }
        });
    }
}

/// The cell of every key.
fn cells_of<'k, K: Key>(keys: &'k [K], map: &'k CellMap) -> impl Iterator<Item = usize> + 'k {
    let view = map.view();
    keys.iter().map(move |&key| {
        let cell = match &view.pivots {
            None => view.coarse_cell_of(key),
            Some(pivots) => view.slot_of(key, pivots),
        };
        cell as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_weight_counts_as_so_many_keys(
            pairs in prop::collection::vec((0_u32..50, 0_u64..9), 0..40),
            wanted in 0_u32..50,
            pivots: bool,
        ) {
            let mut weighted = Weighted::empty(32);
            let (keys, rows): (Vec<u32>, Vec<u64>) = pairs.iter().copied().unzip();
            weighted.append(&Keys::U32(keys), rows);
            let expanded: Vec<u32> = pairs.iter().flat_map(|&(key, n)| (0..n).map(move |_| key)).collect();
            let sample: Vec<u128> = (0..50).collect();
            let map = CellMap::new(3, 44, &sample, 16, pivots);
            let (mut counted, mut plain) = (CellCounts::zero(map.n_cells()), CellCounts::zero(map.n_cells()));
            weighted.count(&map, &mut counted);
            expanded.iter().for_each(|&key| plain.0[map.cell_of(key.into())] += 1);
            prop_assert_eq!(&counted, &plain);
            prop_assert_eq!(weighted.total(), expanded.len() as u64);
            let mut set = CellSet::none(map.n_cells());
            set.insert(map.cell_of(wanted.into()));
            let mut found = Keys::empty(32);
            weighted.select(&map, &set, &mut found);
            let kept = expanded.into_iter().filter(|&key| set.contains(map.cell_of(key.into()))).collect();
            prop_assert_eq!(found, Keys::U32(kept));
        }
    }
}
