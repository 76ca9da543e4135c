//! Every kind: what it does to numbers, shares and special values, and that it is what a spec plans.

use std::collections::HashSet;

use super::*;
use crate::generate::types::TYPES;

fn shares_after(drift: &Drift) -> Result<Vec<(String, f64)>, String> {
    match drift.distribution(&Distribution::zipf(["a", "b", "c"], 1.0))? {
        Some(Distribution::Category { labels, shares }) => Ok(labels.into_iter().zip(shares).collect()),
        other => panic!("{other:?}"),
    }
}

fn new_category(label: &str) -> Drift {
    NewCategory { label: label.into(), share: 0.1 }.into()
}

#[test]
fn categories_keep_adding_up_to_one() {
    for drift in [
        Shift { by: 1.0 }.into(),
        new_category("d"),
        VanishedCategory { label: "b".into() }.into(),
        Constant { value: Value::Label("c".into()) }.into(),
        Shares { odds: 4.0 }.into(),
        Recoded { spelling: Spelling::Case }.into(),
        DefaultValue { value: Value::Label("none".into()), share: 0.3 }.into(),
        DefaultValue { value: Value::Label("a".into()), share: 0.3 }.into(),
    ] {
        let after = shares_after(&drift).expect("it applies");
        assert!((after.iter().map(|(_, s)| s).sum::<f64>() - 1.0).abs() < 1e-12, "{drift:?}");
    }
}

#[test]
fn categories_move_as_said() {
    let before: Vec<f64> = [6.0, 3.0, 2.0].iter().map(|s| s / 11.0).collect();
    let after = |drift: Drift| shares_after(&drift).expect("it applies");
    let shifted = after(Shift { by: 1.0 }.into());
    assert!((shifted[1].1 - before[0]).abs() < 1e-12 && (shifted[0].1 - before[2]).abs() < 1e-12);
    assert_eq!(after(new_category("d"))[3], ("d".into(), 0.1));
    assert_eq!(after(VanishedCategory { label: "b".into() }.into()).len(), 2);
    let odds = |shares: &[(String, f64)]| shares[1].1 / shares[0].1;
    assert!((odds(&after(Shares { odds: 4.0 }.into())) - 2.0).abs() < 1e-12);
    let half = Distribution::Bernoulli { share: 0.5 };
    let moved = Drift::from(Shares { odds: 3.0 }).distribution(&half).expect("it applies");
    assert_eq!(moved, Some(Distribution::Bernoulli { share: 0.75 }));
}

#[test]
fn names_are_written_otherwise() {
    let named = |spelling: Spelling, label: &str| spelling.of(0, label);
    assert_eq!(named(Spelling::Case, "Bern"), "BERN");
    assert_eq!(named(Spelling::Case, "DE"), "de");
    assert_eq!(named(Spelling::Whitespace, "DE"), "DE ");
    assert_eq!(named(Spelling::Encoding, "München"), "MÃ¼nchen");
    assert_eq!(named(Spelling::LostCharacters, "München"), "M?nchen");
    assert_eq!([named(Spelling::Codes, "DE"), named(Spelling::Prefix, "DE")], ["1", "v2:DE"]);
    assert_eq!([Spelling::Renamed.of(0, "DE"), Spelling::Renamed.of(1, "FR")], ["DE (new)", "FR"]);
}

#[test]
fn impossible_drifts_say_why() {
    assert!(shares_after(&VanishedCategory { label: "x".into() }.into()).unwrap_err().contains("`x`"));
    assert!(shares_after(&new_category("a")).is_err());
    assert!(shares_after(&Scale { factor: 2.0 }.into()).unwrap_err().contains("no scale"));
    let numbers = Distribution::Normal { mean: 0.0, sd: 1.0 };
    assert!(new_category("a").distribution(&numbers).is_err());
    let ids = Distribution::Ids { prefix: String::new(), pool: 9 };
    assert!(Drift::from(Scale { factor: 2.0 }).distribution(&ids).unwrap_err().contains("null-spike"));
}

#[test]
fn numbers_move_as_said() {
    let moved = |drift: Drift, value: f64| drift.number(value);
    assert_eq!(moved(UnitChange { factor: 1.8, offset: 32.0 }.into(), 100.0), 212.0);
    assert_eq!(moved(Clipping { low: 0.0, high: 1.0 }.into(), 7.0), 1.0);
    assert_eq!(moved(Constant { value: Value::Number(3.0) }.into(), 7.0), 3.0);
    assert_eq!(moved(Shift { by: 2.0 }.into(), 7.0), 9.0);
    assert_eq!(moved(Spread { factor: 2.0, centre: 5.0 }.into(), 7.0), 9.0);
    assert_eq!(moved(SignFlip {}.into(), 7.0), -7.0);
    assert_eq!(moved(Rounding { decimals: 1 }.into(), 7.26), 7.3);
    assert_eq!(moved(Rounding { decimals: -2 }.into(), 749.0), 700.0);
    assert_eq!(moved(TimeZone { hours: 5.5, ticks: 3600.0 }.into(), 7.0), 19_807.0);
}

#[test]
fn what_is_cut_off_is_gone_and_what_is_mixed_in_is_there() {
    let normal = Distribution::Normal { mean: 0.0, sd: 1.0 };
    let values = |drift: Drift| {
        let after = drift.distribution(&normal).expect("it applies").expect("it acts on the whole");
        let sampler = Sampler::new(&after);
        (0..10_000).map(move |i| sampler.value((f64::from(i) + 0.5) / 10_000.0)).collect::<Vec<_>>()
    };
    let cut = values(Truncation { low: Some(0.0), high: Some(1.0) }.into());
    assert!(cut.iter().all(|value| (-1e-9..=1.0 + 1e-9).contains(value)), "{:?}", (cut[0], cut[9999]));
    assert!((cut[5000] - 0.442).abs() < 0.01, "the median of what is left: {}", cut[5000]);
    let nines = values(DefaultValue { value: Value::Number(99.0), share: 0.3 }.into());
    assert_eq!(nines.iter().filter(|value| **value == 99.0).count(), 3000);
    let humps = values(Shape { share: 0.25, mean: 50.0, sd: 1.0 }.into());
    assert_eq!(humps.iter().filter(|value| **value > 40.0).count(), 2500);
}

#[test]
fn a_null_spike_leaves_room_for_the_other_special_values() {
    let before = Specials { nulls: 0.5, nans: 0.4, infinities: 0.1, ..Specials::default() };
    let after = Drift::from(NullSpike { share: 0.9 }).specials(before);
    assert!((after.shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!((after.nans - 0.08).abs() < 1e-12);
    let all = Specials { nulls: 1.0, ..Specials::default() };
    assert_eq!(Drift::from(NullSpike { share: 1.0 }).specials(all), all);
}

#[test]
fn every_kind_has_one_name_and_says_what_it_is() {
    for (name, kind) in DRIFT_KINDS {
        assert_eq!((kind.name(), DriftKind::named(name)), (name, Some(kind)));
        assert!(!kind.says().is_empty());
        let written = serde_json::to_value(kind.planned(&feature(), 0, 1.0)).expect("it can be printed");
        assert_eq!(written["kind"], name);
    }
    assert_eq!(DRIFT_KINDS.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), DRIFT_KINDS.len());
    assert_eq!(DriftKind::named("nope"), None);
}

#[test]
fn some_type_takes_every_kind_and_nothing_happens_to_nested_columns() {
    for (name, kind) in DRIFT_KINDS {
        assert!(TYPES.iter().any(|(_, make)| kind.takes(&make())), "{name}");
        assert!(!kind.takes(&crate::generate::types::list()), "{name}");
    }
}

fn feature() -> Feature {
    Feature::new("f", DataType::Float64, Distribution::Normal { mean: 19.0, sd: 4.0 })
}

#[test]
fn units_come_in_turns_and_leave_a_type_its_range() {
    let units: HashSet<String> =
        (0..36).map(|turn| format!("{:?}", DriftKind::UnitChange.planned(&feature(), turn, 1.0))).collect();
    assert_eq!(units.len(), 36);
    let visits = Feature::new("f", DataType::Int8, Distribution::Poisson { mean: 6.0 });
    for turn in 0..36 {
        let Drift::UnitChange(unit) = DriftKind::UnitChange.planned(&visits, turn, 1.0) else { panic!("a unit") };
        assert!((2.0..=10.0).contains(&unit.factor), "{unit:?}");
    }
}
