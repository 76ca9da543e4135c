//! Walking two sorted pieces side by side.

use std::cmp::Ordering;

/// The largest |A·m − B·n| at or after a key of either piece, where A and B count the rows of reference and current up
/// to and including it; `before` are A and B before the pieces, n and m the sizes of the whole samples.
pub(super) fn largest_gap<K: Ord>(reference: &[K], current: &[K], before: [u64; 2], n: u64, m: u64) -> u128 {
    let (n, m) = (i128::from(n), i128::from(m));
    let mut gap = i128::from(before[0]) * m - i128::from(before[1]) * n;
    let mut largest = gap.unsigned_abs();
    runs(reference, current, |_, r, c| {
        gap += i128::from(r) * m - i128::from(c) * n;
        largest = largest.max(gap.unsigned_abs());
    });
    largest
}

/// Visits the distinct keys of two sorted pieces in ascending order, with how often each piece holds it.
pub(super) fn runs<K: Ord>(reference: &[K], current: &[K], mut visit: impl FnMut(&K, u64, u64)) {
    let (mut i, mut j) = (0, 0);
    while i < reference.len() || j < current.len() {
        let key = match (reference.get(i), current.get(j)) {
            (Some(r), Some(c)) if r.cmp(c) == Ordering::Greater => c,
            (Some(r), _) => r,
            (None, Some(c)) => c,
            (None, None) => break,
        };
        let (i_start, j_start) = (i, j);
        while reference.get(i) == Some(key) {
            i += 1;
        }
        while current.get(j) == Some(key) {
            j += 1;
        }
        visit(key, (i - i_start) as u64, (j - j_start) as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_once_both_sides_are_in() {
        // ECDFs of {1, 1, 2} and {1, 2, 2}: after 1 they are 2/3 and 1/3.
        assert_eq!(largest_gap(&[1, 1, 2], &[1, 2, 2], [0, 0], 3, 3), 3);
    }

    #[test]
    fn disjoint_samples_are_fully_apart() {
        assert_eq!(largest_gap(&[1, 2], &[3, 4, 5], [0, 0], 2, 3), 6);
        assert_eq!(largest_gap(&[3, 4, 5], &[1, 2], [0, 0], 3, 2), 6);
    }
}
