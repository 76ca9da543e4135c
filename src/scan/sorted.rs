//! What a scan would be that sorts both sides instead of counting cells: the oracle of `gpudrift bench`, and what the
//! counting is measured against.
//!
//! It finds the gap and the bins, from the definitions and with no code of [`compare`](crate::compare); quantiles,
//! outliers and Wasserstein-1 it does not.

use super::context::Context;
use crate::backend::Column;
use crate::column::Encoding;
use crate::compare::{Compared, PsiBins};
use crate::counts::{Key, Keys, Scale};
use rdst::{RadixKey, RadixSort};

/// Compares a feature that is held, by sorting its two sides.
pub(super) fn compare(context: &Context<'_>, scale: &Encoding, sides: [&Column<'_>; 2]) -> Compared {
    let bits = scale.key_bits();
    let join = |side: usize| {
        let mut all = context.pool.take(bits, sides[side].iter().map(|piece| piece.len()).sum());
        sides[side].iter().for_each(|piece| all.append(piece));
        sort(&mut all);
        all
    };
    let (reference, current) = rayon::join(|| join(0), || join(1));
    let (gap, bins) = (context.wanted.gap, context.wanted.bins);
    let (gap, bins) = match (&reference, &current) {
        (Keys::U32(r), Keys::U32(c)) => (gap.then(|| largest_gap(r, c)), bins.and_then(|k| cut(scale, r, c, k))),
        (Keys::U64(r), Keys::U64(c)) => (gap.then(|| largest_gap(r, c)), bins.and_then(|k| cut(scale, r, c, k))),
        (Keys::U128(r), Keys::U128(c)) => (gap.then(|| largest_gap(r, c)), bins.and_then(|k| cut(scale, r, c, k))),
        _ => unreachable!("both sides of a feature have keys of one width"),
    };
    context.pool.give(reference);
    context.pool.give(current);
    Compared { gap, bins, ..Compared::default() }
}

fn sort(keys: &mut Keys) {
    fn radix<K: RadixKey + Copy + Send + Sync>(keys: &mut [K]) {
        keys.radix_sort_builder().with_single_threaded_tuner().with_parallel(false).sort();
    }
    match keys {
        Keys::U32(keys) => radix(keys),
        Keys::U64(keys) => radix(keys),
        Keys::U128(keys) => radix(keys),
    }
}

/// max |A·m − B·n| over all keys, where A and B count the keys up to it.
fn largest_gap<K: Key>(r: &[K], c: &[K]) -> u128 {
    let (n, m) = (r.len() as u128, c.len() as u128);
    let (mut i, mut j, mut gap) = (0, 0, 0);
    while i < r.len() && j < c.len() {
        let key = r[i].min(c[j]);
        while i < r.len() && r[i] == key {
            i += 1;
        }
        while j < c.len() && c[j] == key {
            j += 1;
        }
        gap = gap.max((i as u128 * m).abs_diff(j as u128 * n));
    }
    gap
}

/// `bins` bins at the quantiles of the reference, as NumPy's `percentile` computes them: `None` without a reference.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "NumPy computes places in float64; they lie within the sample"
)]
fn cut<K: Key>(scale: &dyn Scale, r: &[K], c: &[K], bins: u32) -> Option<PsiBins> {
    let last = r.len().checked_sub(1)?;
    let quantile = |q: f64| {
        let place = last as f64 * q;
        let below = (place.floor() as usize).min(last);
        let (t, above) = (place - below as f64, (below + 1).min(last));
        let [a, b] = [below, above].map(|at| scale.value_of(r[at].widen()));
        let edge = if t < 0.5 { a + (b - a) * t } else { b - (b - a) * (1.0 - t) };
        let inverted = ((r.len() as f64 * q).ceil() as usize).saturating_sub(1).clamp(below, above);
        if edge.is_finite() { edge } else { scale.value_of(r[inverted].widen()) }
    };
    let edges: Vec<f64> = (1..bins).map(|bin| quantile(f64::from(bin) * (100.0 / f64::from(bins)) / 100.0)).collect();
    let rows = |keys: &[K]| {
        let below = |&edge: &f64| keys.partition_point(|key| scale.value_of(key.widen()) < edge) as u64;
        let bounds: Vec<u64> = std::iter::once(0).chain(edges.iter().map(below)).chain([keys.len() as u64]).collect();
        bounds.windows(2).map(|pair| pair[1] - pair[0]).collect()
    };
    Some(PsiBins { reference: rows(r), current: rows(c), edges })
}
