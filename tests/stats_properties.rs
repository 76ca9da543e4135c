//! Properties of the p-values, and two oracles that share no code with them: path counts and Durbin's matrix, both in whole numbers.

use gpudrift::stats::{Adjustment, KsChoice, KsMethod, adjust, chi_squared_sf, kolmogorov_sf, ks_two_sample};
use num_bigint::{BigInt, BigUint};
use proptest::prelude::*;

fn exact(gap: u128, n: u64, m: u64) -> f64 {
    ks_two_sample(gap, n, m, KsChoice::Exact).map_or(f64::NAN, |p| p.p_value)
}

fn relative(value: f64, truth: f64) -> f64 {
    if value == truth { 0.0 } else { (value / truth - 1.0).abs() }
}

/// numerator / denominator as the nearest f64, or nearly so: sixty digits are kept.
fn quotient(numerator: &BigInt, denominator: &BigInt) -> f64 {
    let digits = numerator * BigInt::from(10).pow(60) / denominator;
    format!("{digits}e-60").parse().unwrap_or(f64::NAN)
}

/// Share of the paths to (n, m) that reach the gap, counted point by point.
fn counted_share(gap: u128, n: u64, m: u64) -> f64 {
    let width = usize::try_from(m).expect("small") + 1;
    let mut inside = vec![BigUint::ZERO; width];
    let mut all = vec![BigUint::from(1_u8); width];
    for i in 0..=n {
        for (j, place) in (0..=m).zip(0..) {
            let distance = (u128::from(i) * u128::from(m)).abs_diff(u128::from(j) * u128::from(n));
            if i > 0 && place > 0 {
                all[place] = &all[place] + &all[place - 1];
            }
            inside[place] = if distance >= gap {
                BigUint::ZERO
            } else if i == 0 && place == 0 {
                BigUint::from(1_u8)
            } else {
                let left = if place > 0 { inside[place - 1].clone() } else { BigUint::ZERO };
                let below = if i > 0 { inside[place].clone() } else { BigUint::ZERO };
                left + below
            };
        }
    }
    let total = BigInt::from(all[width - 1].clone());
    quotient(&(&total - BigInt::from(inside[width - 1].clone())), &total)
}

#[test]
fn exact_p_values_of_all_small_sizes_equal_path_counts() {
    let mut compared = 0;
    for n in 1..=12 {
        for m in 1..=12 {
            for gap in 0..=u128::from(n * m) {
                let (value, truth) = (exact(gap, n, m), counted_share(gap, n, m));
                assert!(relative(value, truth) < 1e-13, "gap {gap}, {n} x {m}: {value:e} {truth:e}");
                compared += 1;
            }
        }
    }
    assert!(compared > 6000);
}

/// P(D ≥ 64ths/64) for n values by Durbin's matrix (Marsaglia, Tsang and Wang 2003) in whole numbers.
fn durbin_share(n: u32, sixty_fourths: u32) -> f64 {
    let k = (n * sixty_fourths).div_ceil(64);
    let side = 2 * k - 1;
    let h = 64 * k - n * sixty_fourths;
    // H times `unit` is whole: h is h/64, and the denominators are powers of 64 and factorials up to `side`.
    let factorial = |count: u32| (1..=count).fold(BigInt::from(1), |product, factor| product * factor);
    let base = BigInt::from(64);
    let unit = base.pow(side) * factorial(side);
    let h_power = |power: u32| BigInt::from(h).pow(power) * base.pow(side - power);
    let entry = |row: u32, column: u32| -> BigInt {
        if column > row + 1 {
            return BigInt::ZERO;
        }
        let mut weight = base.pow(side);
        if column == 0 {
            weight -= h_power(row + 1);
        }
        if row == side - 1 {
            weight -= h_power(side - column);
        }
        if column == 0 && row == side - 1 && 2 * h > 64 {
            weight += BigInt::from(2 * h - 64).pow(side);
        }
        weight * (factorial(side) / factorial(row + 1 - column))
    };
    let matrix: Vec<Vec<BigInt>> = (0..side).map(|row| (0..side).map(|column| entry(row, column)).collect()).collect();
    let mut line: Vec<BigInt> = (1..=side).map(|place| BigInt::from(u8::from(place == k))).collect();
    for _ in 0..n {
        line = (0..side as usize)
            .map(|column| line.iter().zip(&matrix).map(|(value, row)| value * &row[column]).sum())
            .collect();
    }
    let total = BigInt::from(n).pow(n) * unit.pow(n);
    quotient(&(&total - &line[k as usize - 1] * factorial(n)), &total)
}

#[test]
fn kolmogorov_tails_of_small_samples_equal_durbins_matrix() {
    for n in [1, 2, 3, 4, 5, 6, 7, 9, 12, 16, 20, 28, 40] {
        for sixty_fourths in (1..64).step_by(if n > 9 { 5 } else { 1 }) {
            if n * sixty_fourths > 14 * 64 {
                continue;
            }
            let truth = durbin_share(n, sixty_fourths);
            let value = kolmogorov_sf(f64::from(sixty_fourths) / 64.0, u64::from(n));
            assert!(relative(value, truth) < 1e-11, "n {n}, d {sixty_fourths}/64: {value:e} {truth:e}");
        }
    }
}

#[test]
fn kolmogorov_methods_meet_where_they_change() {
    for n in [17_u64, 30, 61, 140, 700, 5_000, 40_000, 1_000_000, 500_000_000] {
        let count = BigUint::from(n).to_string().parse::<f64>().unwrap_or(f64::NAN);
        for d in [8.0 / count, 18.0 / count, (4.6 / count).sqrt(), 0.5] {
            let (below, above) = (kolmogorov_sf(d * (1.0 - 1e-15), n), kolmogorov_sf(d * (1.0 + 1e-15), n));
            assert!(relative(below, above) < 2e-11 || below == above, "n {n}, d {d}: {below:e} {above:e}");
        }
    }
}

#[test]
fn ends_of_the_range() {
    assert_eq!(ks_two_sample(0, 0, 5, KsChoice::Auto), None);
    assert_eq!(ks_two_sample(0, 5, 0, KsChoice::Asymp), None);
    for (n, m) in [(1, 1), (1, 7), (5, 5), (100, 101), (5_000, 7_000), (1_000_000_000, 999_999_999)] {
        for choice in [KsChoice::Auto, KsChoice::Exact, KsChoice::Asymp] {
            assert_eq!(ks_two_sample(0, n, m, choice).map(|p| p.p_value), Some(1.0));
            let beyond = u128::from(n) * u128::from(m) + 1;
            assert_eq!(ks_two_sample(beyond, n, m, choice).map(|p| p.p_value), Some(0.0));
            assert_eq!(ks_two_sample(u128::MAX, n, m, choice).map(|p| p.p_value), Some(0.0));
        }
    }
    assert!(relative(exact(7 * 9, 7, 9), 2.0 / 11_440.0) < 1e-14);
    assert_eq!(exact(5_000 * 7_000, 5_000, 7_000), 0.0);
}

#[test]
fn sizes_that_cannot_be_counted_are_asymptotic() {
    for (n, m) in [(1_000_000_007, 1_000_000_009), (1, 2_147_483_647), (3, 1_500_000_000), (u64::MAX, u64::MAX - 1)] {
        let result = ks_two_sample(u128::from(n.min(m)), n, m, KsChoice::Exact);
        let one_more = ks_two_sample(u128::from(n.min(m)) + 1, n, m, KsChoice::Exact);
        assert_eq!(result.map(|p| p.method), Some(KsMethod::Exact), "one step is enough: nothing to count");
        assert_eq!(one_more.map(|p| p.method), Some(KsMethod::Asymp), "{n} x {m}");
    }
}

#[test]
fn chi_squared_with_two_degrees_of_freedom_is_exponential() {
    for x in [1e-9, 0.1, 1.0, 3.0, 4.0, 50.0, 1_000.0, 1_380.0] {
        assert!(relative(chi_squared_sf(x, 2), libm::exp(-0.5 * x)) < 1e-12);
        assert!(relative(chi_squared_sf(x, 1), libm::erfc((0.5 * x).sqrt())) < 1e-12);
    }
    assert!(chi_squared_sf(f64::NAN, 3).is_nan());
    assert_eq!(chi_squared_sf(f64::INFINITY, 3), 0.0);
    assert_eq!(chi_squared_sf(-1.0, 3), 1.0);
    assert_eq!((chi_squared_sf(0.0, 0), chi_squared_sf(1.0, 0)), (1.0, 0.0));
    assert_eq!(chi_squared_sf(1e6, 3), 0.0);
}

/// Two sizes and two gaps in order.
fn sizes_and_gaps() -> impl Strategy<Value = (u64, u64, u128, u128)> {
    (1_u64..400, 1_u64..400).prop_flat_map(|(n, m)| {
        let most = u128::from(n * m);
        (Just(n), Just(m), 0..=most, 0..=most).prop_map(|(n, m, a, b)| (n, m, a.min(b), a.max(b)))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn two_sample_p_values_are_symmetric_monotone_shares((n, m, gap, larger) in sizes_and_gaps()) {
        for choice in [KsChoice::Exact, KsChoice::Asymp] {
            let p = |gap, n, m| ks_two_sample(gap, n, m, choice).map_or(f64::NAN, |p| p.p_value);
            let (nearer, farther) = (p(gap, n, m), p(larger, n, m));
            prop_assert!((0.0..=1.0).contains(&nearer) && (0.0..=1.0).contains(&farther));
            prop_assert!(farther <= nearer * (1.0 + 1e-11));
            prop_assert_eq!(nearer.to_bits(), p(gap, m, n).to_bits());
        }
    }

    #[test]
    fn exact_p_values_equal_path_counts((n, m, gap, _) in sizes_and_gaps(), score in 0.2_f64..4.0) {
        let (n, m) = (n % 90 + 1, m % 90 + 1);
        // Half of the cases where p is neither 1 nor tiny.
        let typical = (score * score * f64::from(u32::try_from(n * m * (n + m)).unwrap_or(1))).sqrt();
        let gaps = [gap % u128::from(n * m + 1), format!("{typical:.0}").parse().unwrap_or(0)];
        for gap in gaps {
            if gap <= u128::from(n * m) {
                let (value, truth) = (exact(gap, n, m), counted_share(gap, n, m));
                // sixty decimals of the truth
                prop_assert!(truth < 1e-45 || relative(value, truth) < 1e-12, "{} {} {}: {} {}", gap, n, m, value, truth);
            }
        }
    }

    #[test]
    fn kolmogorov_tails_are_monotone_shares(n in 1_u64..100_000, a in 0.0_f64..1.1, b in 0.0_f64..1.1, scale in 1.0_f64..300.0) {
        let (nearer, farther) = (kolmogorov_sf(a.min(b) / scale, n), kolmogorov_sf(a.max(b) / scale, n));
        prop_assert!((0.0..=1.0).contains(&nearer) && (0.0..=1.0).contains(&farther));
        prop_assert!(farther <= nearer * (1.0 + 1e-10));
    }

    #[test]
    fn chi_squared_tails_are_monotone_shares(dof in 1_u64..3_000, a in 0.0_f64..3.0, b in 0.0_f64..3.0) {
        let mean = f64::from(u32::try_from(dof).unwrap_or(1));
        let (nearer, farther) = (chi_squared_sf(a.min(b) * mean, dof), chi_squared_sf(a.max(b) * mean, dof));
        prop_assert!((0.0..=1.0).contains(&nearer) && (0.0..=1.0).contains(&farther));
        prop_assert!(farther <= nearer * (1.0 + 1e-11));
        prop_assert!(chi_squared_sf(a * mean, dof) <= chi_squared_sf(a * mean, dof + 1) * (1.0 + 1e-11));
    }

    #[test]
    fn q_values_keep_the_order_of_p_values(p in prop::collection::vec(prop::option::weighted(0.9, 0.0_f64..=1.0), 0..60), turn in 0_usize..60) {
        for method in [Adjustment::None, Adjustment::Bonferroni, Adjustment::BenjaminiHochberg, Adjustment::BenjaminiYekutieli] {
            let q = adjust(&p, method);
            prop_assert_eq!(q.len(), p.len());
            for (p_one, q_one) in p.iter().zip(&q) {
                prop_assert_eq!(p_one.is_some(), q_one.is_some());
                prop_assert!(q_one.is_none_or(|q| q <= 1.0) && p_one <= q_one);
                for (p_other, q_other) in p.iter().zip(&q) {
                    prop_assert!(p_one.is_none() || p_other.is_none() || p_one > p_other || q_one <= q_other);
                }
            }
            // Neither the order of the features nor the ones without a p-value matter.
            if !p.is_empty() {
                let turn = turn % p.len();
                let (mut turned_p, mut turned_q) = (p.clone(), q.clone());
                turned_p.rotate_left(turn);
                turned_q.rotate_left(turn);
                turned_p.push(None);
                turned_q.push(None);
                prop_assert_eq!(adjust(&turned_p, method), turned_q);
            }
        }
    }
}
