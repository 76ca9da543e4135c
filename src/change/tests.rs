//! One test a kind: counts in, kind out. The samples are made value by value, and counted here by their definitions.

use super::{Cause, ChangeKind, Label, Numbers, Subject, explain, swapped};
use crate::column::Kind;
use crate::compare::{ATOM, Atom, QUANTILES};
use crate::format::real;

const ROWS: usize = 20_000;

/// Uniform draws from 0 to 1 (splitmix64).
fn uniform(seed: u64, n: usize) -> impl Iterator<Item = f64> {
    (0..n as u64).map(move |i| {
        let mut z = (seed << 32 | i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        real((z ^ (z >> 31)) >> 11) / real(1 << 53)
    })
}

/// Bell-shaped values around `centre`, up to 1.5 `width` away from it.
fn bell(seed: u64, centre: f64, width: f64) -> Vec<f64> {
    let draws: Vec<f64> = uniform(seed, 3 * ROWS).collect();
    draws.chunks(3).map(|three| centre + width * (three.iter().sum::<f64>() - 1.5)).collect()
}

/// The rank below the quantile `q` of `n` sorted values, and how far the quantile lies above it.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
fn rank(q: f64, n: usize) -> (usize, f64) {
    let at = q * real(n as u64 - 1);
    (at as usize, at.fract())
}

fn side(values: &[f64]) -> Numbers {
    let order = QUANTILES.map(|q| values[rank(q, values.len()).0]);
    let quantiles = QUANTILES.map(|q| {
        let (below, above) = rank(q, values.len());
        values[below] + (values[(below + 1).min(values.len() - 1)] - values[below]) * above
    });
    Numbers { quantiles, order, min: values[0], max: values[values.len() - 1] }
}

/// The subject of two samples of numbers, of which current has some nulls, too.
pub(crate) fn of_numbers(mut reference: Vec<f64>, mut current: Vec<f64>, nulls: u64) -> Subject {
    reference.sort_by(f64::total_cmp);
    current.sort_by(f64::total_cmp);
    let sides = [&reference, &current];
    let n = sides.map(|side| side.len() as u64);
    let distinct = sides.map(|side| {
        let mut values = side.clone();
        values.dedup();
        values
    });
    let below = |x: f64| sides.map(|side| side.partition_point(|value| *value < x) as u64);
    let mut all = distinct.concat();
    all.sort_by(f64::total_cmp);
    all.dedup();
    let atom = |value: f64| {
        let (below, up_to) = (below(value), below(value.next_up()));
        Atom { value, below, rows: [up_to[0] - below[0], up_to[1] - below[1]] }
    };
    let atoms: Vec<Atom> = all.iter().map(|value| atom(*value)).collect();
    let gap = atoms.iter().map(|atom| {
        let [r, c] = [0, 1].map(|side: usize| i128::from(atom.below[side] + atom.rows[side]));
        (r * i128::from(n[1]) - c * i128::from(n[0])).unsigned_abs()
    });
    let numbers = [side(&reference), side(&current)];
    Subject {
        name: "feature".to_owned(),
        kind: Kind::Numeric,
        ticks_per_day: None,
        rows: [n[0], n[1] + nulls],
        nulls: [0, nulls],
        nans: [0, 0],
        distinct: distinct.map(|values| Some((values.len() as u64, false))),
        gap: gap.max(),
        below: (1..10).map(|i| reference[i * reference.len() / 10]).map(|edge| (edge, below(edge))).collect(),
        atoms: atoms.into_iter().filter(|atom| (0..2).any(|side| atom.rows[side] * ATOM >= n[side])).collect(),
        numbers: Some(numbers),
        labels: Vec::new(),
        labels_complete: false,
    }
}

/// The subject of categories with their rows on both sides.
pub(crate) fn of_labels(labels: &[(&str, [u64; 2])]) -> Subject {
    let rows = [0, 1].map(|side: usize| labels.iter().map(|(_, rows)| rows[side]).sum());
    let distinct = |side: usize| Some((labels.iter().filter(|(_, rows)| rows[side] > 0).count() as u64, false));
    Subject {
        name: "feature".to_owned(),
        kind: Kind::Categorical,
        ticks_per_day: None,
        rows,
        nulls: [0, 0],
        nans: [0, 0],
        distinct: [distinct(0), distinct(1)],
        gap: None,
        numbers: None,
        atoms: Vec::new(),
        below: Vec::new(),
        labels: labels.iter().map(|&(name, rows)| Label { name: name.to_owned(), rows }).collect(),
        labels_complete: true,
    }
}

/// What is said of the usual reference with `current`.
fn said(current: Vec<f64>) -> ChangeKind {
    explain(&of_numbers(bell(1, 50.0, 20.0), current, 0)).unwrap()
}

/// What is said when every value of another sample of the usual distribution becomes `change` of it.
fn each(change: impl Fn(f64) -> f64) -> ChangeKind {
    said(bell(2, 50.0, 20.0).into_iter().map(change).collect())
}

fn assert_says(said: &ChangeKind, kind: &str, title: &str, cause: Cause) {
    assert_eq!((said.kind.as_str(), said.title.as_str(), said.cause), (kind, title, cause), "{said:?}");
    assert!(said.confidence >= 0.5 && said.confidence <= 1.0, "{said:?}");
}

#[test]
fn constant() {
    assert_says(&each(|_| 50.0), "constant", "constant", Cause::Pipeline);
    let alive = explain(&of_numbers(vec![50.0; ROWS], bell(2, 50.0, 20.0), 0)).unwrap();
    assert_says(&alive, "constant", "no longer constant", Cause::Unclear);
}

#[test]
fn shares_that_lie_close_are_not_swapped_and_those_that_lie_apart_are() {
    let names = ["n", "ne", "e", "se", "s", "sw", "w", "nw"];
    let before = [330, 310, 300, 290, 270, 260, 250, 240];
    let said = |before: [u64; 8], after: [u64; 8]| {
        let labels: Vec<_> = (0..8).map(|i| (names[i], [before[i], after[i]])).collect();
        explain(&of_labels(&labels)).unwrap().title
    };
    assert_eq!(said(before, [240, 330, 250, 310, 260, 300, 270, 290]), "shares moved");
    let apart = [4000, 2000, 1000, 500, 250, 120, 60, 30];
    assert_eq!(said(apart, [2000, 4000, 500, 1000, 250, 120, 60, 30]), "recoded (names swapped)");
}

#[test]
fn one_of_few_values_that_rises_while_the_others_move_is_no_filled_null() {
    let hundreds =
        |values: Vec<f64>| values.into_iter().map(|value| (value / 10.0).round() * 100.0).collect::<Vec<_>>();
    let mut subject = of_numbers(hundreds(bell(1, 50.0, 20.0)), hundreds(bell(2, 60.0, 12.0)), 0);
    (subject.rows[0], subject.nulls[0]) = (subject.rows[0] + ROWS as u64 / 14, ROWS as u64 / 14);
    assert_ne!(explain(&subject).unwrap().kind, "default_value");
}

#[test]
fn two_values_have_no_default() {
    let of = |ones: usize| (0..ROWS).map(|i| f64::from(u8::from(i < ones))).collect::<Vec<_>>();
    let said = explain(&of_numbers(of(ROWS / 2), of(ROWS * 2 / 3), 0)).unwrap();
    assert_ne!(said.kind, "default_value", "{said:?}");
}

#[test]
fn null_spike() {
    let mut current = bell(2, 50.0, 20.0);
    current.truncate(ROWS / 2);
    let half_null = of_numbers(bell(1, 50.0, 20.0), current, ROWS as u64 / 2);
    assert_says(&explain(&half_null).unwrap(), "null_spike", "null spike", Cause::Pipeline);
}

#[test]
fn default_value() {
    let values = bell(2, 50.0, 20.0).into_iter().enumerate();
    let current = values.map(|(row, value)| if row % 5 == 0 { -1.0 } else { value }).collect();
    assert_says(&said(current), "default_value", "default value -1", Cause::Pipeline);
}

#[test]
fn unit_change() {
    assert_says(&each(|x| 1000.0 * x), "unit_change", "unit change × 1000", Cause::Pipeline);
    assert_says(&each(|x| x / 60.0), "unit_change", "unit change ÷ 60", Cause::Pipeline);
    assert_says(&each(|x| 1.8 * x + 32.0), "unit_change", "unit change 1.8·x + 32", Cause::Pipeline);
}

#[test]
fn a_factor_is_a_unit_within_what_two_samples_differ_by_and_not_beyond() {
    let few = |seed: u64, factor: f64| -> Vec<f64> {
        bell(seed, 50.0, 20.0).into_iter().take(2000).map(|x| factor * x).collect()
    };
    let said = |seed: u64, factor: f64| explain(&of_numbers(few(1, 1.0), few(seed, factor), 0)).unwrap();
    for seed in 2..12 {
        assert_eq!(said(seed, 60.0).title, "unit change × 60", "seed {seed}");
        assert_eq!(
            said(seed, 2.0).kind,
            "scale",
            "half as much again as a mile, a tenth less than a pound: seed {seed}"
        );
    }
}

#[test]
fn what_is_no_temperature_does_not_become_kelvin() {
    let said = explain(&of_numbers(bell(1, 1500.0, 400.0), bell(2, 1773.15, 400.0), 0)).unwrap();
    assert_eq!(said.kind, "shift", "{said:?}");
    assert_eq!(each(|x| x + 273.15).title, "unit change x + 273.15");
}

#[test]
fn a_narrow_side_tells_a_spread_that_the_quartiles_do_not() {
    // Whole numbers that fall by a tenth each: the quartiles are known to one of them.
    let falling = |seed: u64| uniform(seed, ROWS).map(|u| (-10.0 * libm::log(1.0 - u)).floor()).collect::<Vec<_>>();
    let current = falling(2).into_iter().map(|x| 6.0 + 3.0 * (x - 6.0)).collect();
    let said = explain(&of_numbers(falling(1), current, 0)).unwrap();
    assert_eq!(said.kind, "spread", "{said:?}");
}

#[test]
fn time_zone() {
    let day = 86_400.0;
    let noon = |seed: u64| bell(seed, 20_000.5 * day, 0.2 * day).into_iter().map(f64::round);
    let moved = |by: f64| {
        let current = noon(2).map(|time| time + by).collect();
        let subject = of_numbers(noon(1).collect(), current, 0);
        explain(&Subject { kind: Kind::Temporal, ticks_per_day: Some(day), ..subject }).unwrap()
    };
    assert_says(&moved(-2.0 * 3600.0), "time_zone", "time zone −2 hours", Cause::Pipeline);
    assert_eq!(moved(3.0 * day).kind, "shift", "no two zones lie days apart");
    assert_eq!(moved(1.3 * 3600.0).kind, "shift", "nor 78 minutes");
    let few = |seed: u64, by: f64| noon(seed).take(1000).map(move |time| time + by).collect::<Vec<_>>();
    for seed in 2..12 {
        let subject = of_numbers(few(1, 0.0), few(seed, 9.0 * 3600.0), 0);
        let said = explain(&Subject { kind: Kind::Temporal, ticks_per_day: Some(day), ..subject }).unwrap();
        assert_eq!(said.title, "time zone +9 hours", "seed {seed}");
    }
}

#[test]
fn sign_flip() {
    assert_says(&each(|x| -x), "sign_flip", "sign flip", Cause::Pipeline);
}

#[test]
fn rounding() {
    assert_says(&each(f64::round), "rounding", "rounded to whole numbers", Cause::Pipeline);
}

#[test]
fn clipping() {
    assert_says(&each(|x| x.min(55.0)), "clipping", "clipped above at 55", Cause::Pipeline);
    assert_says(&each(|x| x.clamp(45.0, 55.0)), "clipping", "clipped to 45 … 55", Cause::Pipeline);
}

#[test]
fn truncation() {
    let current = bell(2, 50.0, 20.0).into_iter().filter(|x| *x >= 50.0).collect();
    assert_says(&said(current), "truncation", "cut below 50", Cause::Unclear);
}

#[test]
fn recoded() {
    let case = [("de", [500, 0]), ("fr", [300, 0]), ("DE", [0, 510]), ("FR", [0, 295])];
    assert_says(&explain(&of_labels(&case)).unwrap(), "recoded", "recoded (letter case)", Cause::Pipeline);
    let renamed = [("de", [500, 0]), ("fr", [300, 310]), ("it", [200, 195]), ("ger", [0, 510])];
    assert_says(&explain(&of_labels(&renamed)).unwrap(), "recoded", "recoded (renamed)", Cause::Pipeline);
    let replaced = [("de", [500, 0]), ("fr", [300, 310]), ("it", [200, 195]), ("tv", [0, 40])];
    assert_ne!(explain(&of_labels(&replaced)).unwrap().kind, "recoded", "the new one is smaller than the old one was");
    let codes = [("a", [900, 0]), ("b", [600, 0]), ("c", [100, 0]), ("1", [0, 890]), ("2", [0, 610]), ("3", [0, 99])];
    assert_says(&explain(&of_labels(&codes)).unwrap(), "recoded", "recoded (other names)", Cause::Pipeline);
}

#[test]
fn new_category() {
    let labels = [("a", [600, 540]), ("b", [400, 360]), ("tv", [0, 100])];
    assert_says(&explain(&of_labels(&labels)).unwrap(), "new_category", "new category \"tv\"", Cause::Data);
}

#[test]
fn vanished_category() {
    let labels = [("a", [600, 660]), ("b", [300, 340]), ("tv", [100, 0])];
    let said = explain(&of_labels(&labels)).unwrap();
    assert_says(&said, "vanished_category", "category \"tv\" vanished", Cause::Unclear);
}

#[test]
fn a_rare_category_that_is_gone_is_not_what_happened_where_the_others_moved() {
    let labels = [("a", [6000, 4000]), ("b", [3000, 3500]), ("c", [950, 2500]), ("d", [50, 0])];
    assert_eq!(explain(&of_labels(&labels)).unwrap().kind, "shares");
    let labels = [("a", [6000, 4000]), ("b", [3000, 3500]), ("c", [1000, 2400]), ("d", [0, 100])];
    assert_eq!(explain(&of_labels(&labels)).unwrap().kind, "shares");
}

#[test]
fn what_is_rounded_to_zero_is_no_default() {
    let amounts = |seed: u64| uniform(seed, ROWS).map(|u| 150.0 * (libm::pow(1.0 - u, -0.7) - 1.0)).collect::<Vec<_>>();
    let current = amounts(2).into_iter().map(|x| (x / 100.0).round() * 100.0).collect();
    let said = explain(&of_numbers(amounts(1), current, 0)).unwrap();
    assert_eq!(said.title, "rounded to multiples of 100", "{said:?}");
}

#[test]
fn shares() {
    let labels = [("a", [600, 400]), ("b", [300, 350]), ("c", [100, 250])];
    assert_says(&explain(&of_labels(&labels)).unwrap(), "shares", "shares moved", Cause::Data);
}

#[test]
fn scale() {
    let said = each(|x| 3.0 * x);
    assert!(
        said.title.starts_with("scaled × ") && (said.kind.as_str(), said.cause) == ("scale", Cause::Unclear),
        "{said:?}"
    );
}

#[test]
fn shift() {
    let said = each(|x| x + 12.0);
    assert!(
        said.title.starts_with("shifted +") && (said.kind.as_str(), said.cause) == ("shift", Cause::Data),
        "{said:?}"
    );
}

#[test]
fn spread() {
    let said = each(|x| 50.0 + 2.0 * (x - 50.0));
    assert!(
        said.title.starts_with("spread × ") && (said.kind.as_str(), said.cause) == ("spread", Cause::Data),
        "{said:?}"
    );
}

#[test]
fn shape() {
    let two_humps = bell(2, 38.0, 4.0).into_iter().zip(bell(3, 62.0, 4.0)).enumerate();
    let current = two_humps.map(|(row, (low, high))| if row % 2 == 0 { low } else { high }).collect();
    assert_says(&said(current), "shape", "shape changed", Cause::Data);
}

#[test]
fn swapped_features() {
    let named = |name: &str, subject: Subject| Subject { name: name.to_owned(), ..subject };
    let subjects = [
        named("a", of_numbers(bell(1, 50.0, 20.0), bell(2, 7.0, 1.0), 0)),
        named("b", of_numbers(bell(3, 300.0, 9.0), bell(4, 320.0, 9.0), 0)),
        named("c", of_numbers(bell(5, 7.0, 1.0), bell(6, 50.0, 20.0), 0)),
    ];
    let found = swapped::pairs(&subjects);
    assert_says(found[0].as_ref().unwrap(), "swapped", "swapped with \"c\"", Cause::Pipeline);
    assert_says(found[2].as_ref().unwrap(), "swapped", "swapped with \"a\"", Cause::Pipeline);
    assert_eq!(found[1], None);
}

#[test]
fn of_features_that_are_alike_each_has_one_partner() {
    let [high, low] = [(50.0, 20.0), (7.0, 1.0)];
    let became = |seed: u64, from: (f64, f64), to: (f64, f64)| {
        of_numbers(bell(seed, from.0, from.1), bell(seed + 10, to.0, to.1), 0)
    };
    let subjects = [became(1, high, low), became(2, low, high), became(3, high, low), became(4, low, high)];
    let found = swapped::pairs(&subjects);
    assert!(found.iter().all(|found| found.as_ref().is_some_and(|found| found.kind == swapped::NAME)), "{found:?}");
}

#[test]
fn every_kind_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<_> =
        super::KINDS.iter().map(|kind| kind.name()).chain([swapped::NAME]).collect();
    assert_eq!(names.len(), super::KINDS.len() + 1);
}
