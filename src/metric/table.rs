//! The 2 × k table of rows by bin or category.

/// Cells of the table that have the same counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableCell {
    /// Rows of the reference.
    pub reference: u64,
    /// Rows of current.
    pub current: u64,
    /// How many bins or categories have exactly these counts; at least 1.
    pub times: u64,
}

/// Rows of both sides by bin (in the order of the bins) or by category (cells with equal counts taken together,
/// ascending).
///
/// Every statistic of categories is a sum over them, so their names and their order do not matter, and a feature with
/// a million categories of one row each is one cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    cells: Vec<TableCell>,
}

impl Table {
    /// The table of bins: one cell a bin, in their order.
    #[must_use]
    pub fn of_bins(reference: &[u64], current: &[u64]) -> Self {
        let cell = |(&reference, &current)| TableCell { reference, current, times: 1 };
        Self { cells: reference.iter().zip(current).map(cell).collect() }
    }

    /// The table of categories from the counts of each, in any order.
    #[must_use]
    pub fn of_categories(counts: impl IntoIterator<Item = [u64; 2]>) -> Self {
        let mut times = std::collections::BTreeMap::new();
        for counts in counts {
            *times.entry(counts).or_insert(0) += 1;
        }
        Self::of_multiplicities(times)
    }

    /// The table of categories from how many of them have the same counts.
    #[must_use]
    pub fn of_multiplicities(times: std::collections::BTreeMap<[u64; 2], u64>) -> Self {
        let cell = |([reference, current], times): ([u64; 2], u64)| TableCell { reference, current, times };
        Self { cells: times.into_iter().filter(|(counts, _)| *counts != [0, 0]).map(cell).collect() }
    }

    /// The cells.
    #[must_use]
    pub fn cells(&self) -> &[TableCell] {
        &self.cells
    }

    /// Rows of the reference and of current.
    #[must_use]
    pub fn rows(&self) -> [u64; 2] {
        self.cells.iter().fold([0, 0], |[n, m], cell| [n + cell.reference * cell.times, m + cell.current * cell.times])
    }

    /// Number of bins or categories.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.cells.iter().map(|cell| cell.times).sum()
    }

    /// Whether there is no bin or category.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Σ f(share in the reference, share in current) over all bins or categories, in their order.
    #[expect(clippy::cast_precision_loss, reason = "row counts stay below 2^53")]
    #[must_use]
    pub fn sum_of_shares(&self, f: impl Fn(f64, f64) -> f64) -> f64 {
        let [n, m] = self.rows().map(|rows| rows as f64);
        let term = |cell: &TableCell| f(cell.reference as f64 / n, cell.current as f64 / m) * cell.times as f64;
        self.cells.iter().map(term).fold(0.0, |sum, term| sum + term)
    }

    /// The largest f(share in the reference, share in current).
    #[expect(clippy::cast_precision_loss, reason = "row counts stay below 2^53")]
    pub(super) fn largest_of_shares(&self, f: impl Fn(f64, f64) -> f64) -> f64 {
        let [n, m] = self.rows().map(|rows| rows as f64);
        self.cells.iter().map(|cell| f(cell.reference as f64 / n, cell.current as f64 / m)).fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_categories_is_irrelevant() {
        let counts = [[3, 1], [0, 2], [3, 1], [0, 0], [1, 0]];
        let mut reversed = counts;
        reversed.reverse();
        let table = Table::of_categories(counts);
        assert_eq!(table, Table::of_categories(reversed));
        assert_eq!((table.len(), table.rows()), (4, [7, 4]));
    }
}
