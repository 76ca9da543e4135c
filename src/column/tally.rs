//! Codes of a dictionary, counted.

use super::decode::Shelved;
use super::lanes::place;

/// So many rows and no more are counted before they are handed on: a counter of 32 bits holds them, whatever their codes.
const MOST: usize = 1 << 31;
/// Rows that a value must have on average.
const ROWS_A_VALUE: u64 = 2;
/// Up to so many values have four counters each, and up to so many two. Counters take turns, as neighbouring rows with
/// one code would wait for each other's store; but they should stay in the cache.
const FOUR: usize = 1 << 10;
const TWO: usize = 1 << 16;

/// The number of rows of every code below a length.
pub(super) struct Tally {
    /// `lanes` counters for each of `n` codes, lane by lane.
    counters: Vec<u32>,
    n: usize,
    lanes: usize,
    counted: usize,
}

impl Tally {
    /// A tally of the codes of a dictionary of `n` values in a chunk of `rows` rows, or nothing where the values are so
    /// many that counting codes saves nothing: then nearly every row has a value of its own, and the tally is one more
    /// thing to do.
    pub(super) fn where_it_pays(n: usize, rows: u64) -> Option<Self> {
        ((n as u64).saturating_mul(ROWS_A_VALUE) <= rows).then(|| Self::new(n))
    }

    /// Nothing counted yet, of codes below `n`.
    fn new(n: usize) -> Self {
        let lanes = if n <= FOUR {
            4
        } else if n <= TWO {
            2
        } else {
            1
        };
        let mut counters = u32::take();
        counters.clear();
        counters.resize(lanes * n, 0);
        Self { counters, n, lanes, counted: 0 }
    }

    /// Whether `rows` more may be counted.
    pub(super) fn has_room(&self, rows: usize) -> bool {
        self.counted + rows <= MOST
    }

    /// Counts a batch of codes, for which there is [room](Self::has_room).
    pub(super) fn add(&mut self, codes: &[i32]) {
        self.counted += codes.len();
        let n = self.n;
        // Where the lanes of four neighbours begin.
        let [b_lane, c_lane, d_lane] = match self.lanes {
            4 => [n, 2 * n, 3 * n],
            2 => [n, 0, n],
            _ => [0, 0, 0],
        };
        let counters = self.counters.as_mut_slice();
        let (chunks, last) = codes.as_chunks::<4>();
        for &[a, b, c, d] in chunks {
            counters[place(a)] += 1;
            counters[b_lane + place(b)] += 1;
            counters[c_lane + place(c)] += 1;
            counters[d_lane + place(d)] += 1;
        }
        last.iter().for_each(|&code| counters[place(code)] += 1);
    }

    /// The number of rows of each code.
    pub(super) fn rows(&mut self) -> &[u32] {
        let (rows, others) = self.counters.split_at_mut(self.n);
        for lane in others.chunks_exact_mut(self.n.max(1)) {
            rows.iter_mut().zip(lane).for_each(|(rows, counter)| *rows += std::mem::take(counter));
        }
        rows
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.counters.fill(0);
        self.counted = 0;
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        u32::put(std::mem::take(&mut self.counters));
    }
}

#[cfg(test)]
#[allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "tests make codes of numbers")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn codes_are_counted_however_they_come(
            n in prop::sample::select(vec![1, 3, FOUR, FOUR + 1, TWO, TWO + 1]),
            codes in prop::collection::vec(any::<prop::sample::Index>(), 0..300),
            cuts in prop::collection::vec(0_usize..300, 0..4),
            looked_at: bool,
        ) {
            let codes: Vec<i32> = codes.iter().map(|code| code.index(n) as i32).collect();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(codes.len())).chain([0, codes.len()]).collect();
            cuts.sort_unstable();
            let mut tally = Tally::new(n);
            for cut in cuts.windows(2) {
                tally.add(&codes[cut[0]..cut[1]]);
                if looked_at {
                    tally.rows();
                }
            }
            let mut wanted = vec![0; n];
            codes.iter().for_each(|&code| wanted[place(code)] += 1);
            prop_assert_eq!(tally.rows(), &wanted);
            tally.clear();
            prop_assert!(tally.rows().iter().all(|&rows| rows == 0));
        }
    }

    #[test]
    fn an_empty_dictionary_has_no_codes() {
        assert!(Tally::new(0).rows().is_empty());
    }

    #[test]
    fn dictionaries_as_long_as_their_columns_are_not_tallied() {
        assert!(Tally::where_it_pays(50, 100).is_some() && Tally::where_it_pays(51, 100).is_none());
        assert!(Tally::where_it_pays(usize::MAX, u64::MAX - 1).is_none());
    }

    #[test]
    fn no_more_is_counted_than_a_counter_holds() {
        let mut tally = Tally::new(1);
        tally.add(&[0; 7]);
        assert!(tally.has_room(MOST - 7) && !tally.has_room(MOST - 6));
        assert!(u32::try_from(MOST).is_ok());
    }
}
