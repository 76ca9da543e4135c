//! Fewer keys than there are: some order statistics, with exact counts up to each.
//!
//! The rows between two kept keys are counted with the upper one. So the number of rows up to a value is exact at the
//! kept keys, and elsewhere short by at most the rows between its neighbours: |D' - D| is at most their largest number
//! over n. The keys at the ranks of the reported quantiles and of the ten default bins are kept always, each with
//! the key before it, so quantiles, edges and PSI stay exact.

use super::ProfileError;
use super::runs::{RunWriter, Runs};
use crate::compare::{QUANTILES, neighbours};

/// The runs that are kept of `runs`, which have `n` rows, about `size` of them; and the most rows between two.
pub(super) fn coarsen(runs: &Runs<'_>, n: u64, size: u64) -> Result<(RunWriter, u64), ProfileError> {
    let bins = (1..10).map(|i| f64::from(i) * 10.0 / 100.0);
    let mut ranks: Vec<(u64, bool)> =
        QUANTILES.into_iter().chain(bins).flat_map(|q| neighbours(q, n)).map(|rank| (rank, true)).collect();
    let points = size.saturating_sub(2 * ranks.len() as u64).max(2);
    ranks.extend((0..points).map(|i| {
        let rank = u128::from(i) * u128::from(n - 1) / u128::from(points - 1);
        (u64::try_from(rank).expect("below n"), false)
    }));
    ranks.sort_unstable();
    let mut ranks = ranks.into_iter().peekable();
    let (mut kept, mut seen, mut between, mut most) = (RunWriter::default(), 0, 0, 0);
    let mut skipped: Option<(u128, u64)> = None;
    runs.each(&mut |key, count| {
        seen += count;
        let (mut keep, mut exact) = (false, false);
        while let Some((_, wanted)) = ranks.next_if(|&(rank, _)| rank < seen) {
            (keep, exact) = (true, exact || wanted);
        }
        if !keep {
            between += count;
            skipped = Some((key, count));
            return Ok(());
        }
        // An edge may lie on this very key, and then the rows below it have to be known, too.
        if let Some((key, count)) = skipped.take().filter(|_| exact) {
            kept.push(key, between);
            most = most.max(between - count);
            between = 0;
        }
        kept.push(key, between + count);
        most = most.max(between);
        (between, skipped) = (0, None);
        Ok(())
    })?;
    Ok((kept, most))
}
