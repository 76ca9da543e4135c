//! Sums against fractions of big integers.

use super::*;
use crate::column::exact::parts_of;
use proptest::prelude::*;

/// Mean and standard deviation from big integers, over values times 2^1074.
fn oracle(values: &[f64]) -> (f64, Option<f64>) {
    let whole: Vec<BigInt> = values
        .iter()
        .map(|&value| {
            let (mantissa, power) = parts_of(value);
            BigInt::from(mantissa) << (power + 1074)
        })
        .collect();
    let sum: BigInt = whole.iter().sum();
    let squares: BigInt = whole.iter().map(|x| x * x).sum();
    let (n, unit) = (values.len() as u64, BigUint::from(1_u32) << 1074);
    let std = (n > 1).then(|| root_f64(&(squares * n - &sum * &sum), &(&unit * &unit * (n * (n - 1)))));
    (nearest_f64(&sum, &(unit * n)), std)
}

fn of_f64(values: &[f64]) -> Moments {
    let mut moments = Moments::new(0);
    moments.add_f64(values, 0, 0);
    moments
}

#[test]
fn the_mean_is_rounded_once() {
    let moments = of_f64(&[1e16, 1.0, 1.0, -1e16]);
    assert_eq!(moments.mean(), Some(0.5));
    assert_eq!(of_f64(&[0.1; 10]).mean(), Some(0.1));
    assert_eq!(of_f64(&[f64::MAX; 3]).mean(), Some(f64::MAX));
}

#[test]
fn spreads_of_tiny_and_huge_values_are_right() {
    assert_eq!(of_f64(&[1e-200, 3e-200]).std(), Some(2e-200 / 2_f64.sqrt()));
    let huge = of_f64(&[1e200, 3e200]).std().unwrap();
    assert!((huge / (2e200 / 2_f64.sqrt()) - 1.0).abs() < 1e-15);
    assert_eq!(of_f64(&[0.1; 1000]).std(), Some(0.0));
}

#[test]
fn undefined_is_none() {
    assert_eq!(Moments::new(0).mean(), None);
    assert_eq!(of_f64(&[1.0]).std(), None);
    let mut infinite = Moments::new(0);
    infinite.add_f64(&[1.0, f64::INFINITY, f64::NAN], 1, 1);
    assert_eq!((infinite.count(), infinite.mean(), infinite.std()), (2, None, None));
}

#[test]
fn extreme_integers_are_summed() {
    let mut moments = Moments::new(0);
    moments.add_ints(&[i64::MIN, i64::MAX, i64::MIN]);
    assert_eq!(moments.mean(), Some((i64::MIN as f64 * 2.0 + i64::MAX as f64) / 3.0));
    let mut wide = Moments::new(0);
    wide.add_wide(&[i128::MIN, i128::MIN, i128::MAX]);
    assert!((wide.mean().unwrap() / (i128::MIN as f64 / 3.0) - 1.0).abs() < 1e-15);
    assert!((wide.std().unwrap() / (2_f64.powi(128) / 3_f64.sqrt()) - 1.0).abs() < 1e-15);
}

proptest! {
    #[test]
    fn floats_match_big_integers(values in prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 1..60)) {
        let (mean, std) = oracle(&values);
        let moments = of_f64(&values);
        prop_assert_eq!((moments.mean(), moments.std()), (Some(mean), std));
    }

    #[test]
    fn narrow_floats_match_wide_ones(values in prop::collection::vec(any::<f32>().prop_filter("finite", |x| x.is_finite()), 0..60)) {
        let mut narrow = Moments::new(0);
        narrow.add_f32(&values, 0, 0);
        let wide = of_f64(&values.iter().copied().map(f64::from).collect::<Vec<_>>());
        prop_assert_eq!((narrow.mean(), narrow.std()), (wide.mean(), wide.std()));
    }

    #[test]
    fn integers_match_big_integers(values in prop::collection::vec(any::<i128>(), 2..40), scale in -3_i32..9) {
        let mut wide = Moments::new(scale);
        wide.add_wide(&values);
        let sum: BigInt = values.iter().copied().map(BigInt::from).sum();
        let squares: BigInt = values.iter().map(|&x| BigInt::from(x) * x).sum();
        let n = values.len() as u64;
        let spread = squares * n - &sum * &sum;
        let ten = power_of_ten(scale.unsigned_abs());
        let (mean, std) = if scale >= 0 {
            (nearest_f64(&sum, &(&ten * n)), root_f64(&spread, &(&ten * &ten * (n * (n - 1)))))
        } else {
            let ten = BigInt::from(ten);
            (nearest_f64(&(sum * &ten), &n.into()), root_f64(&(spread * &ten * &ten), &(n * (n - 1)).into()))
        };
        prop_assert_eq!((wide.mean(), wide.std()), (Some(mean), Some(std)));

        let narrow: Vec<i64> = values.iter().map(|&x| x as i64).collect();
        let (mut fast, mut slow) = (Moments::new(0), Moments::new(0));
        fast.add_ints(&narrow);
        slow.add_wide(&narrow.iter().map(|&x| x.into()).collect::<Vec<_>>());
        prop_assert_eq!((fast.mean(), fast.std()), (slow.mean(), slow.std()));
    }

    #[test]
    fn merge_equals_whole_in_any_order(values in prop::collection::vec(any::<f64>().prop_filter("finite", |x| x.is_finite()), 2..60), cut in 0_usize..60, ints: Vec<i32>) {
        let cut = cut.min(values.len());
        let mut whole = of_f64(&values);
        whole.add_ints(&ints);
        let (mut one, other) = (of_f64(&values[cut..]), of_f64(&values[..cut]));
        one.add_ints(&ints);
        one.merge(&other);
        prop_assert_eq!((one.count(), one.mean(), one.std()), (whole.count(), whole.mean(), whole.std()));
    }

    #[test]
    fn repeated_is_added_so_often(value: i128, n in 1_u64..100) {
        let (mut repeated, mut each) = (Moments::new(0), Moments::new(0));
        repeated.add_repeated(value, n);
        each.add_wide(&vec![value; usize::try_from(n).unwrap()]);
        prop_assert_eq!((repeated.mean(), repeated.std()), (each.mean(), each.std()));
    }
}

/// Floats as columns have them: most near each other, some far away, some that are no numbers.
fn column(n: usize) -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![
        40 => (0.5..900.0_f64, any::<bool>()).prop_map(|(x, negative)| if negative { -x } else { x }),
        4 => prop::sample::select(vec![0.0, -0.0, 5e-324, -2e-310, f64::MAX, f64::MIN_POSITIVE]),
        2 => any::<f64>(),
    ];
    (prop::collection::vec(value, n / 2..n), prop::sample::select(vec![0, 1, -1, 900, -1020, -1060, 1014]))
        .prop_map(|(values, power)| values.into_iter().map(|x| libm::ldexp(x, power)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn many_floats_together_are_each_of_them(values in column(6000), piece in 1_usize..60) {
        let (mut together, mut each) = (Moments::new(0), Moments::new(0));
        together.add_f64(&values, 0, 0);
        values.chunks(piece).for_each(|values| each.add_f64(values, 0, 0));
        prop_assert_eq!(&together.normalized().floats, &each.normalized().floats);
        let mut one_by_one = Moments::new(0);
        values.iter().for_each(|&x| one_by_one.add_f64(&[x], 0, 0));
        prop_assert_eq!(together.normalized(), one_by_one.normalized());
        let answers = |moments: &Moments| (moments.mean(), moments.std());
        prop_assert_eq!(answers(&together), answers(&one_by_one));
        prop_assert_eq!(answers(&together.normalized()), answers(&one_by_one));

        let narrow: Vec<f32> = values.iter().map(|&x| x as f32).collect();
        let (mut together, mut wide) = (Moments::new(0), Moments::new(0));
        together.add_f32(&narrow, 0, 0);
        narrow.iter().for_each(|&x| wide.add_f64(&[x.into()], 0, 0));
        prop_assert_eq!(&together.normalized().floats, &wide.normalized().floats);
    }
}

#[test]
fn greatest_sums_of_a_window_are_held() {
    for exponent in [1, 2, 1000, 2036, 2046] {
        // The greatest mantissas at both ends of a window of eleven exponents.
        let of = |exponent: u64| f64::from_bits(exponent.min(2046) << 52 | ((1 << 52) - 1));
        for sign in [1.0, -1.0] {
            let values = vec![sign * of(exponent + 10); 40_000];
            let mut each = Moments::new(0);
            values.chunks(50).for_each(|values| each.add_f64(values, 0, 0));
            assert_eq!(of_f64(&values).normalized(), each.normalized());
            let narrow: Vec<f32> =
                vec![sign as f32 * f32::from_bits(0x00ff_ffff | u32::try_from(exponent % 200).unwrap() << 23); 9000];
            let wide: Vec<f64> = narrow.iter().map(|&x| x.into()).collect();
            let mut of_narrow = Moments::new(0);
            of_narrow.add_f32(&narrow, 0, 0);
            assert_eq!(of_narrow.normalized(), of_f64(&wide).normalized());
        }
    }
}
