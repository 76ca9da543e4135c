//! The comparison of two samples against an oracle that follows the definitions: sort everything, look at every value.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::cast_sign_loss,
    reason = "samples of a test are small"
)]

use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob, weighted};
use gpudrift::compare::{
    ATOM, Atom, Compared, MOST_CELLS, Outliers, Pair, QUANTILES, Query, compare, map_for, sample_of_both,
};
use gpudrift::counts::{CellCounts, CellMap, Key, Keys, Scale, Weighted, with_keys};
use proptest::prelude::*;

/// Keys that stand for themselves.
struct Plain(u128);

impl Scale for Plain {
    fn value_of(&self, key: u128) -> f64 {
        key as f64
    }

    fn highest_key(&self) -> u128 {
        self.0
    }
}

fn sorted_values(keys: &Keys) -> Vec<f64> {
    let mut values: Vec<f64> = with_keys!(keys, k => k.iter().map(|k| k.widen() as f64).collect());
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = (sorted.len() - 1) as f64 * q;
    let (below, t) = (place.floor() as usize, place - place.floor());
    let (a, b) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    if t < 0.5 { a + (b - a) * t } else { b - (b - a) * (1.0 - t) }
}

/// Values at, between and beyond the keys, of which it is asked how many rows lie below.
fn marks(keys: &[u128]) -> Vec<f64> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let at = |eighths: usize| sorted.get(sorted.len() * eighths / 8).map(|&key| key as f64);
    let some = [at(0), at(3), at(7), sorted.last().map(|&key| key as f64)].into_iter().flatten();
    [0.0, 1e30, 12.5, -3.0].into_iter().chain(some.flat_map(|x| [x, x.next_up()])).collect()
}

fn oracle(reference: &Keys, current: &Keys, bins: u32) -> Compared {
    let sides = [sorted_values(reference), sorted_values(current)];
    let mut found = Compared::default();
    let mut all: Vec<f64> = sides.concat();
    all.sort_by(f64::total_cmp);
    all.dedup();
    let up_to = |side: &[f64], x: f64| side.iter().filter(|&&v| v <= x).count() as i128;
    let [n, m] = [sides[0].len() as i128, sides[1].len() as i128];
    // On the keys themselves: integers beyond 2^53 are different values though their doubles are the same.
    let exact = [reference, current].map(|side| (0..side.len()).map(|i| side.get(i)).collect::<Vec<_>>());
    let keys_up_to = |side: usize, x: u128| exact[side].iter().filter(|&&key| key <= x).count() as i128;
    let gap_at = |&x: &u128| (keys_up_to(0, x) * m - keys_up_to(1, x) * n).unsigned_abs();
    found.gap = Some(exact.iter().flatten().map(gap_at).max().unwrap_or(0));
    for (quantiles, side) in found.quantiles.iter_mut().zip(&sides) {
        *quantiles = (!side.is_empty()).then(|| QUANTILES.map(|q| quantile(side, q)));
    }
    for (order, side) in found.order.iter_mut().zip(&sides) {
        let below = |q: f64| side[((side.len() - 1) as f64 * q).floor() as usize];
        *order = (!side.is_empty()).then(|| QUANTILES.map(below));
    }
    let mut keys: Vec<u128> = exact.concat();
    keys.sort_unstable();
    keys.dedup();
    let lower = |side: &[f64], x: f64| side.iter().filter(|&&v| v < x).count() as u64;
    found.below = marks(&keys).into_iter().map(|mark| [lower(&sides[0], mark), lower(&sides[1], mark)]).collect();
    let distinct = |side: &[u128]| side.iter().collect::<std::collections::HashSet<_>>().len() as u64;
    found.distinct = Some([distinct(&exact[0]), distinct(&exact[1])]);
    let rows = |key: u128| [0, 1].map(|side: usize| exact[side].iter().filter(|&&k| k == key).count() as u64);
    let below = |key: u128| [0, 1].map(|side: usize| exact[side].iter().filter(|&&k| k < key).count() as u64);
    let atom =
        |&&key: &&u128| (0..2).any(|side| rows(key)[side] > 0 && rows(key)[side] * ATOM >= exact[side].len() as u64);
    found.atoms =
        keys.iter().filter(atom).map(|&key| Atom { value: key as f64, below: below(key), rows: rows(key) }).collect();
    if !sides[0].is_empty() {
        let edges: Vec<f64> =
            (1..bins).map(|i| quantile(&sides[0], f64::from(i) * (100.0 / f64::from(bins)) / 100.0)).collect();
        let histogram = |side: &[f64]| {
            let mut rows = vec![0; bins as usize];
            for v in side {
                rows[edges.iter().filter(|&edge| edge <= v).count()] += 1;
            }
            rows
        };
        let (q1, q3) = (quantile(&sides[0], 0.25), quantile(&sides[0], 0.75));
        let beyond = |side: &[f64], k: f64| {
            side.iter().filter(|&&v| v < q1 - k * (q3 - q1) || v > q3 + k * (q3 - q1)).count() as u64
        };
        found.outliers =
            Some([0, 1].map(|side| Outliers { outer: beyond(&sides[side], 1.5), extreme: beyond(&sides[side], 3.0) }));
        found.bins =
            Some(gpudrift::compare::PsiBins { reference: histogram(&sides[0]), current: histogram(&sides[1]), edges });
    }
    if n > 0 && m > 0 {
        let step = |pair: &[f64]| {
            let [a, b] = [0, 1].map(|side| up_to(&sides[side], pair[0]) as f64 / sides[side].len() as f64);
            (a - b).abs() * (pair[1] - pair[0])
        };
        found.wasserstein = Some(all.windows(2).map(step).fold(0.0, |sum, x| sum + x));
    }
    found
}

/// The CPU, and every job must tell how many keys it will find.
struct Told;

impl Backend for Told {
    fn name(&self) -> &'static str {
        Cpu.name()
    }

    fn device(&self) -> String {
        Cpu.device()
    }

    fn batch_bytes(&self) -> usize {
        Cpu.batch_bytes()
    }

    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        static CPU: Cpu = Cpu;
        Ok(Box::new(ToldColumns(CPU.load(columns)?)))
    }
}

struct ToldColumns<'k>(Box<dyn Loaded + 'k>);

impl Loaded for ToldColumns<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        self.0.count_cells(jobs)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let found = self.0.select(jobs)?;
        for (job, keys) in jobs.iter().zip(&found) {
            assert_eq!(job.rows, Some(keys.len() as u64), "keys that a job was told to find");
        }
        Ok(found)
    }
}

fn found(reference: &[Keys], current: &[Keys], map: Option<CellMap>, bins: u32, budget: u64) -> Compared {
    let none = [Weighted::empty(reference[0].bits()), Weighted::empty(current[0].bits())];
    found_beside(reference, current, &none, map, bins, budget)
}

/// The same of sides that have weighted keys beside the others.
fn found_beside(
    reference: &[Keys],
    current: &[Keys],
    beside: &[Weighted; 2],
    map: Option<CellMap>,
    bins: u32,
    budget: u64,
) -> Compared {
    let all = compared([reference, current], beside, map.clone(), bins, budget, true);
    // Asked for less, fewer cells are looked into, and what was asked for is the same.
    let some = compared([reference, current], beside, map, bins, budget, false);
    assert_eq!(some, Compared { wasserstein: None, below: Vec::new(), distinct: None, ..all.clone() });
    all
}

fn compared(
    sides: [&[Keys]; 2],
    beside: &[Weighted; 2],
    map: Option<CellMap>,
    bins: u32,
    budget: u64,
    everything: bool,
) -> Compared {
    let columns: Vec<Column<'_>> = sides.map(|side| side.iter().collect()).into();
    let n = [0, 1].map(|side| sides[side].iter().map(|keys| keys.len() as u64).sum::<u64>() + beside[side].total());
    let all = || sides.into_iter().flatten();
    let each = |k: &Keys| (0..k.len()).map(|i| k.get(i)).collect::<Vec<_>>();
    let keys: Vec<u128> = all().chain(beside.iter().map(Weighted::keys)).flat_map(each).collect();
    let extent = (keys.iter().copied().min().unwrap_or(0), keys.iter().copied().max().unwrap_or(0));
    let sample = sample_of_both(all(), beside.iter());
    let map = map.unwrap_or_else(|| map_for(extent.0, extent.1, sample.clone(), n[0].max(n[1]), MOST_CELLS));
    let scale = Plain(u128::MAX >> (128 - sides[0][0].bits()));
    let marks = if everything { marks(&keys) } else { Vec::new() };
    let query = Query {
        scale: &scale,
        gap: true,
        bins: Some(bins),
        quantiles: true,
        wasserstein: everything,
        atoms: true,
        marks: &marks,
        distinct: everything,
    };
    let pair = Pair { columns: [0, 1], n, extent, map, sample, query };
    let mut loaded = weighted::load(&Told, columns, beside.iter().map(|weighted| vec![weighted]).collect()).unwrap();
    compare(loaded.as_mut(), vec![pair], budget).unwrap().remove(0)
}

/// Samples as they come: spread, tied, narrow, at the ends.
fn values(bits: u32) -> impl Strategy<Value = Vec<u64>> {
    let top = u64::MAX >> (64 - bits);
    let one = prop_oneof![
        0..=top,
        0..=20_u64,
        (top / 2)..=(top / 2 + 3000),
        Just(top),
        Just(0),
        Just(top / 3),
        (0..50_u64).prop_map(move |v| (v << (bits - 8)) & top),
    ];
    (0..1500_usize, 0..7_usize).prop_flat_map(move |(n, kind)| {
        let kinds: BoxedStrategy<u64> = match kind {
            0 => (0..=top).boxed(),
            1 => (0..=20_u64).boxed(),
            2 => ((top / 2)..=(top / 2 + 3000)).boxed(),
            _ => one.clone().boxed(),
        };
        proptest::collection::vec(kinds, n)
    })
}

/// Two narrow modes far apart, a few rows in one, so that the upper fences lie far beyond the largest value.
fn two_modes() -> impl Strategy<Value = Vec<u64>> {
    let one = (prop::bool::weighted(0.3), 0..6_u64, 0..4_u64, 0..4_u64);
    let value = |(far, a, b, c)| a * b * c + if far { 22_490 } else { 9 };
    proptest::collection::vec(one.prop_map(value), 200..2500)
}

fn keys(bits: u32, values: Vec<u64>) -> Keys {
    match bits {
        32 => Keys::U32(values.into_iter().map(|v| u32::try_from(v).unwrap()).collect()),
        64 => Keys::U64(values),
        _ => Keys::U128(values.into_iter().map(|v| u128::from(v) << 50).collect()),
    }
}

fn check(bits: u32, reference: Vec<u64>, current: Vec<u64>, bins: u32, budget: u64) -> Result<(), TestCaseError> {
    let (reference, current) = (keys(bits, reference), keys(bits, current));
    let expected = oracle(&reference, &current, bins);
    let actual = found(&[reference], &[current], None, bins, budget);
    prop_assert_eq!(actual, expected);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn narrow_keys_equal_the_oracle(r in values(32), c in values(32), bins in 1..20_u32) {
        check(32, r, c, bins, u64::MAX)?;
    }

    #[test]
    fn wide_keys_equal_the_oracle(r in values(64), c in values(64)) {
        check(64, r, c, 10, u64::MAX)?;
    }

    #[test]
    fn two_narrow_modes_far_apart_equal_the_oracle(r in two_modes(), c in two_modes()) {
        check(32, r.clone(), c.clone(), 10, u64::MAX)?;
        check(64, r, c, 10, u64::MAX)?;
    }

    #[test]
    fn widest_keys_equal_the_oracle(r in values(64), c in values(64)) {
        check(128, r, c, 10, u64::MAX)?;
    }

    #[test]
    fn memory_bound_changes_no_digit(r in values(64), c in values(64), budget in 30..400_u64) {
        check(64, r, c, 10, budget)?;
    }

    #[test]
    fn keys_with_weights_count_as_so_many_keys(
        r in values(64),
        c in values(64),
        bits in prop::sample::select(vec![32, 64, 128]),
        apart in 1..4_u64,
        budget in prop::sample::select(vec![200, u64::MAX]),
    ) {
        // Some of the keys, each with all of its rows, as a dictionary page would give them.
        let split = |values: Vec<u64>| {
            let values: Vec<u64> = values.into_iter().map(|v| if bits == 32 { v >> 32 } else { v }).collect();
            let (mut many, few): (Vec<u64>, Vec<u64>) = values.iter().partition(|&value| value % 3 >= apart);
            many.sort_unstable();
            let runs: Vec<&[u64]> = many.chunk_by(|a, b| a == b).collect();
            let mut beside = Weighted::empty(bits);
            beside.append(&keys(bits, runs.iter().map(|run| run[0]).collect()), runs.iter().map(|run| run.len() as u64));
            (keys(bits, few), beside, keys(bits, values))
        };
        let (reference, current) = (split(r), split(c));
        let found = found_beside(&[reference.0], &[current.0], &[reference.1, current.1], None, 10, budget);
        prop_assert_eq!(found, oracle(&reference.2, &current.2, 10));
    }

    #[test]
    fn map_changes_no_digit(r in values(32), c in values(32), lo in any::<u32>(), hi in any::<u32>(), pivots: bool, cells in 0..5000_u32) {
        let (r, c) = (keys(32, r), keys(32, c));
        let map = CellMap::new(lo.into(), hi.into(), &[], cells, pivots);
        prop_assert_eq!(found(std::slice::from_ref(&r), std::slice::from_ref(&c), Some(map), 10, 1000), oracle(&r, &c, 10));
    }
}

#[test]
fn whole_sample_in_one_value_is_no_drift() {
    let same = Keys::U32(vec![7; 5000]);
    let found = found(std::slice::from_ref(&same), std::slice::from_ref(&same), None, 10, u64::MAX);
    assert_eq!(found, oracle(&same, &same, 10));
    assert_eq!(found.gap, Some(0));
}

#[test]
fn pieces_of_a_column_make_no_difference() {
    let values: Vec<u64> = (0..40_000_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    let pieces: Vec<Keys> = values.chunks(777).map(|piece| Keys::U64(piece.to_vec())).collect();
    let current = Keys::U64(values[5..9000].to_vec());
    let whole = found(&[Keys::U64(values)], std::slice::from_ref(&current), None, 10, u64::MAX);
    assert_eq!(found(&pieces, &[current], None, 10, 500), whole);
}
