//! Frequent values.
//!
//! A value that one in fifty has is an *atom*: a default, a limit, a small integer. Its cell holds as many rows, so all
//! atoms are found by looking into the few cells that do, and which cells there were does not show.

/// A value that one in so many values of a side has is an atom: at most a hundred a feature.
pub const ATOM: u64 = 50;

/// A frequent value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Atom {
    /// The value.
    pub value: f64,
    /// Values below it in the reference and in current.
    pub below: [u64; 2],
    /// Values equal to it.
    pub rows: [u64; 2],
}

/// Whether a value with these rows is an atom of samples of sizes `n`, or a cell may hold one.
pub(super) fn is_frequent(rows: [u64; 2], n: [u64; 2]) -> bool {
    (0..2).any(|side| rows[side] > 0 && rows[side].saturating_mul(ATOM) >= n[side])
}
