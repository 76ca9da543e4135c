//! Quantiles and PSI edges of the reference, for people who look into a profile.

use super::loaded::Alone;
use super::runs::Runs;
use crate::column::{Encoding, Facts};
use crate::compare::{MOST_CELLS, Pair, Query, compare, map_for};

/// Keys that are fetched at a time.
const MOST_KEYS: u64 = 1 << 20;

/// Quantiles and inner edges of ten bins; nothing without values.
pub(super) fn of(runs: &Runs<'_>, facts: &Facts, encoding: &Encoding) -> (Option<[f64; 9]>, Vec<f64>) {
    let (Some(lo), Some(hi)) = (facts.min_key, facts.max_key) else { return (None, Vec::new()) };
    let query = Query {
        scale: encoding,
        gap: false,
        bins: Some(10),
        quantiles: true,
        wasserstein: false,
        atoms: false,
        marks: &[],
        distinct: false,
    };
    let n = facts.values();
    let map = map_for(lo, hi, runs.sample(1024).unwrap_or_default(), n, MOST_CELLS);
    let pair = Pair { columns: [0, 1], n: [n, 0], extent: (lo, hi), map, sample: Vec::new(), query };
    let compared = compare(&mut Alone(runs), vec![pair], MOST_KEYS).ok().and_then(|mut all| all.pop());
    compared.map_or((None, Vec::new()), |compared| {
        (compared.quantiles[0], compared.bins.map(|bins| bins.edges).unwrap_or_default())
    })
}
