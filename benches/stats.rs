//! Time of one p-value: `cargo bench --bench stats`.
//!
//! Arguments are chosen so that together they pass through every method of `stats`.

use divan::{Bencher, black_box};
use gpudrift::stats::{Adjustment, KsChoice, adjust, chi_squared_sf, kolmogorov_sf, ks_two_sample};

fn main() {
    divan::main();
}

/// nd²: 0.5 and 2 in the centre, 5 where the tail begins, 300 near 1e-260.
const SQUARES: [f64; 4] = [0.5, 2.0, 5.0, 300.0];

fn square_root_share(square: f64, n: u32) -> f64 {
    (square / f64::from(n)).sqrt()
}

#[divan::bench(args = SQUARES, consts = [50, 140, 450, 600, 10_000, 2_500_000, 500_000_000])]
fn ks_asymp<const N: u32>(bencher: Bencher<'_, '_>, square: f64) {
    let d = square_root_share(square, N);
    bencher.bench(|| kolmogorov_sf(black_box(d), black_box(u64::from(N))));
}

/// D in units of √((n + m) / nm): p from 0.96 over 1e-3 to 1e-200.
const SCORES: [f64; 6] = [0.5, 1.0, 1.9, 3.0, 6.0, 15.0];

fn ks_exact(bencher: Bencher<'_, '_>, n: u32, m: u32, score: f64) {
    let root = (f64::from(n) * f64::from(m) * (f64::from(n) + f64::from(m))).sqrt();
    let gap: u128 = format!("{:.0}", score * root).parse().unwrap_or(0);
    bencher.bench(|| ks_two_sample(black_box(gap), u64::from(n), u64::from(m), KsChoice::Exact));
}

#[divan::bench(args = SCORES)]
fn ks_exact_100_x_130(bencher: Bencher<'_, '_>, score: f64) {
    ks_exact(bencher, 100, 130, score);
}

#[divan::bench(args = SCORES)]
fn ks_exact_1000_x_1000(bencher: Bencher<'_, '_>, score: f64) {
    ks_exact(bencher, 1000, 1000, score);
}

#[divan::bench(args = SCORES)]
fn ks_exact_5000_x_7000(bencher: Bencher<'_, '_>, score: f64) {
    ks_exact(bencher, 5000, 7000, score);
}

#[divan::bench(args = SCORES)]
fn ks_exact_9999_x_10000(bencher: Bencher<'_, '_>, score: f64) {
    ks_exact(bencher, 9999, 10_000, score);
}

#[divan::bench(args = [0.5, 1.0, 1.001, 1.2, 1.5], consts = [1, 20, 1000, 1_000_000])]
fn chi_squared<const DOF: u32>(bencher: Bencher<'_, '_>, share: f64) {
    let x = f64::from(DOF) * share;
    bencher.bench(|| chi_squared_sf(black_box(x), black_box(u64::from(DOF))));
}

#[divan::bench(args = [100, 10_000])]
fn benjamini_hochberg(bencher: Bencher<'_, '_>, features: u32) {
    let p: Vec<Option<f64>> =
        (0..features).map(|i| Some(f64::from(i.wrapping_mul(2_654_435_761)) / f64::from(u32::MAX))).collect();
    bencher.bench(|| adjust(black_box(&p), Adjustment::BenjaminiHochberg));
}
