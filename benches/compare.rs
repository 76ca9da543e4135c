//! Comparing two samples that are held as keys: counting cells and refining, against radix-sorting both sides.
//!
//! `cargo bench --bench compare`. The sorting path is the oracle too: both must find the same gap.

#![expect(clippy::unwrap_used, reason = "a bench fails loudly where its input is wrong")]

use divan::Bencher;
use divan::counter::ItemsCount;
use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::{Backend, CountJob};
use gpudrift::compare::{MOST_CELLS, Pair, Query, compare, map_for, sample_of};
use gpudrift::counts::{Keys, Scale};
use rand::SeedableRng;
use rand::distr::Distribution as _;
use rand_chacha::ChaCha8Rng;
use rdst::RadixSort;

const ROWS: usize = 100_000;
const KINDS: [&str; 6] = ["normal", "uniform", "lognormal", "zeros", "rounded", "bimodal"];

fn main() {
    divan::main();
}

struct Float;

fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

impl Scale for Float {
    fn value_of(&self, key: u128) -> f64 {
        let key = u64::try_from(key).expect("64-bit keys");
        f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
    }

    fn highest_key(&self) -> u128 {
        u128::from(key(f64::INFINITY))
    }
}

fn sample(kind: &str, shift: f64, seed: u64) -> Keys {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let normal = rand_distr::StandardNormal;
    let mut value = || {
        let x: f64 = normal.sample(&mut rng);
        let u: f64 = rand::distr::StandardUniform.sample(&mut rng);
        shift
            + match kind {
                "normal" => x,
                "uniform" => u,
                "lognormal" => libm::exp(2.0 * x),
                "zeros" => {
                    if u < 0.6 {
                        0.0
                    } else {
                        x
                    }
                }
                "rounded" => (x * 10.0).round() / 10.0,
                _ => {
                    if u < 0.5 {
                        1e-9 + x * 1e-12
                    } else {
                        1e9 + x
                    }
                }
            }
    };
    Keys::U64((0..ROWS).map(|_| key(value())).collect())
}

#[divan::bench(args = KINDS)]
fn count_cells(bencher: Bencher<'_, '_>, kind: &str) {
    let keys = sample(kind, 0.0, 1);
    let picked = sample_of([&keys].into_iter());
    let extent = (*picked.iter().min().unwrap(), *picked.iter().max().unwrap());
    let map = map_for(extent.0, extent.1, picked, ROWS as u64, MOST_CELLS);
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        Cpu.load(vec![vec![&keys]]).unwrap().count_cells(&[CountJob { column: 0, map: &map }]).unwrap()
    });
}

fn by_cells(reference: &Keys, current: &Keys, quantiles: bool) -> u128 {
    let (Keys::U64(r), Keys::U64(c)) = (reference, current) else { unreachable!() };
    // In a scan these are known from decoding.
    let extent = [r, c].map(|side| side.iter().fold((u64::MAX, 0), |(lo, hi), &key| (key.min(lo), key.max(hi))));
    let extent = (u128::from(extent[0].0.min(extent[1].0)), u128::from(extent[0].1.max(extent[1].1)));
    let picked = sample_of([reference, current].into_iter());
    let map = map_for(extent.0, extent.1, picked.clone(), ROWS as u64, MOST_CELLS);
    let query = Query {
        scale: &Float,
        gap: true,
        bins: Some(10),
        quantiles,
        wasserstein: false,
        atoms: quantiles,
        marks: &[],
        distinct: false,
    };
    let pair = Pair { columns: [0, 1], n: [ROWS as u64; 2], extent, map, sample: picked, query };
    let mut loaded = Cpu.load(vec![vec![reference], vec![current]]).unwrap();
    compare(loaded.as_mut(), vec![pair], u64::MAX).unwrap()[0].gap.unwrap()
}

fn by_sorting(reference: &Keys, current: &Keys) -> u128 {
    let (Keys::U64(r), Keys::U64(c)) = (reference, current) else { unreachable!() };
    let (mut r, mut c) = (r.clone(), c.clone());
    r.radix_sort_builder().with_single_threaded_tuner().with_parallel(false).sort();
    c.radix_sort_builder().with_single_threaded_tuner().with_parallel(false).sort();
    let (mut i, mut j, mut gap) = (0, 0, 0_i128);
    while i < r.len() && j < c.len() {
        let key = r[i].min(c[j]);
        while i < r.len() && r[i] == key {
            i += 1;
        }
        while j < c.len() && c[j] == key {
            j += 1;
        }
        gap = gap.max((i as i128 * c.len() as i128 - j as i128 * r.len() as i128).abs());
    }
    gap.unsigned_abs()
}

#[divan::bench(args = KINDS)]
fn compare_by_cells(bencher: Bencher<'_, '_>, kind: &str) {
    let (reference, current) = (sample(kind, 0.0, 1), sample(kind, 0.01, 2));
    assert_eq!(by_cells(&reference, &current, false), by_sorting(&reference, &current));
    bencher.counter(ItemsCount::new(2 * ROWS)).bench_local(|| by_cells(&reference, &current, false));
}

#[divan::bench(args = KINDS)]
fn compare_by_cells_with_quantiles(bencher: Bencher<'_, '_>, kind: &str) {
    let (reference, current) = (sample(kind, 0.0, 1), sample(kind, 0.01, 2));
    bencher.counter(ItemsCount::new(2 * ROWS)).bench_local(|| by_cells(&reference, &current, true));
}

#[divan::bench(args = KINDS)]
fn compare_by_sorting(bencher: Bencher<'_, '_>, kind: &str) {
    let (reference, current) = (sample(kind, 0.0, 1), sample(kind, 0.01, 2));
    bencher.counter(ItemsCount::new(2 * ROWS)).bench_local(|| by_sorting(&reference, &current));
}
