//! What a backend returns of cells, and what it is asked about them.

/// Number of keys of one sample in each cell of a [`CellMap`](super::CellMap): one `u64` a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellCounts(pub Vec<u64>);

impl CellCounts {
    /// Nothing counted yet, for `cells` cells.
    #[must_use]
    pub fn zero(cells: usize) -> Self {
        Self(vec![0; cells])
    }

    /// Adds the counts of another piece of the same sample, made with the same map.
    ///
    /// # Panics
    /// When the numbers of cells differ: the counts belong to different maps.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.0.len(), other.0.len(), "counts of different maps cannot be added");
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            *mine += theirs;
        }
    }

    /// Number of keys counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// A set of cells of one map: one flag a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellSet(Vec<bool>);

impl CellSet {
    /// No cell of `cells`.
    #[must_use]
    pub fn none(cells: usize) -> Self {
        Self(vec![false; cells])
    }

    /// Every cell of `cells`.
    #[must_use]
    pub fn all(cells: usize) -> Self {
        Self(vec![true; cells])
    }

    /// Puts `cell` into the set.
    ///
    /// # Panics
    /// When the map has no such cell.
    pub fn insert(&mut self, cell: usize) {
        self.0[cell] = true;
    }

    /// Whether `cell` is in the set.
    #[must_use]
    pub fn contains(&self, cell: usize) -> bool {
        self.0.get(cell).copied().unwrap_or(false)
    }

    /// Whether no cell is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.0.contains(&true)
    }

    /// One flag a cell.
    #[must_use]
    pub fn flags(&self) -> &[bool] {
        &self.0
    }
}
