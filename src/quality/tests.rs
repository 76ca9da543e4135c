//! One test a check: counts in, finding out.

use super::{Finding, RunSides, Sides, of_feature, of_run};
use crate::change::Subject;
use crate::change::tests::{of_labels, of_numbers};
use crate::format::real;

fn numbers(range: std::ops::Range<u64>, value: impl Fn(u64) -> f64) -> Vec<f64> {
    range.map(value).collect()
}

/// A value with many decimals for each number.
fn golden(i: u64) -> f64 {
    (real(i) * 0.618_033_988_749_895).fract() * 97.3
}

fn of(subject: &Subject) -> Vec<Finding> {
    of_feature(&Sides { subject, outliers: None })
}

fn names(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.check.as_str()).collect()
}

#[test]
fn two_samples_of_one_distribution_give_no_finding() {
    let subject = of_numbers(numbers(0..1000, golden), numbers(1000..2000, golden), 0);
    assert_eq!(of(&subject), []);
}

#[test]
fn frozen() {
    let same = of_numbers(numbers(0..1000, golden), numbers(0..1000, golden), 0);
    let found = of(&same);
    assert_eq!(names(&found), ["frozen"]);
    assert_eq!((found[0].feature.as_deref(), found[0].numbers["values"]), (Some("feature"), 1000.0));
    let off_by_one = of_numbers(numbers(0..1000, golden), numbers(1..1001, golden), 0);
    assert_eq!(of(&off_by_one), []);
    let labels = ["a", "b", "c", "d", "e"].map(|name| (name, [100_000, 100_000]));
    assert_eq!(names(&of(&of_labels(&labels))), ["frozen"]);
    assert_eq!(of(&of_labels(&labels[..2])), [], "two shares can be equal by chance");
}

#[test]
fn keys_are_never_frozen() {
    let index = of_numbers(numbers(1..1001, real), numbers(1..1001, real), 0);
    assert_eq!(of(&index), []);
    let entities: Vec<String> = (0..500).map(|i| format!("id-{i}")).collect();
    let labels: Vec<_> = entities.iter().map(|name| (name.as_str(), [1, 1])).collect();
    assert_eq!(of(&of_labels(&labels)), []);
}

#[test]
fn frozen_run() {
    let run = |frozen| of_run(&RunSides { rows: [9, 9], compared: 10, frozen, ..RunSides::default() });
    assert_eq!(names(&run(9)), ["frozen"]);
    assert_eq!(run(8), []);
}

#[test]
fn duplicates() {
    let twice = of_numbers(numbers(0..1000, golden), numbers(1000..2000, |i| golden(i / 2)), 0);
    let found = of(&twice);
    assert_eq!(names(&found), ["duplicates"]);
    assert_eq!((found[0].numbers["distinct_share"], found[0].numbers["distinct_share_reference"]), (0.5, 1.0));
}

#[test]
fn unique() {
    let entities: Vec<String> = (0..500).map(|i| format!("id-{i}")).collect();
    let rows = |i: usize| [1, if i < 3 { 2 } else { u64::from(i > 5) }];
    let labels: Vec<_> = entities.iter().enumerate().map(|(i, name)| (name.as_str(), rows(i))).collect();
    let found = of(&of_labels(&labels));
    assert_eq!(names(&found), ["unique"]);
    assert_eq!(found[0].numbers["repeated"], 3.0);
}

#[test]
fn outliers() {
    let subject = of_numbers(numbers(0..1000, golden), numbers(1000..2000, golden), 0);
    let with = |outliers| of_feature(&Sides { subject: &subject, outliers: Some(outliers) });
    assert_eq!(names(&with([5, 60])), ["outliers"]);
    assert_eq!(with([5, 20]), [], "chance");
    assert_eq!(with([60, 5]), [], "fewer are no news");
}

#[test]
fn precision() {
    let whole = of_numbers(numbers(0..1000, golden), numbers(1000..2000, |i| golden(i).round()), 0);
    let found = of(&whole);
    assert_eq!(names(&found), ["precision"]);
    assert_eq!(found[0].message, "all values are whole numbers now");
    let tenths = of_numbers(numbers(0..9000, golden), numbers(9000..18_000, |i| (golden(i) * 10.0).round() / 10.0), 0);
    assert_eq!(of(&tenths)[0].message, "values have at most 1 decimal now");
}

#[test]
fn schema() {
    let run = RunSides {
        rows: [9, 9],
        one_sided: [vec!["a", "b", "c", "d", "e", "f", "g"], vec!["h"]],
        incomparable: vec!["i"],
        ..RunSides::default()
    };
    let found = of_run(&run);
    let messages: Vec<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
    let gone = "7 columns are gone: a, b, c, d, e, and 2 more";
    assert_eq!(messages, [gone, "1 column is new: h", "1 column is of another type: i"]);
    assert_eq!((names(&found), found[0].numbers["gone"]), (vec!["schema"; 3], 7.0));
}

#[test]
fn rows() {
    let of = |rows| of_run(&RunSides { rows, ..RunSides::default() });
    assert_eq!(names(&of([10, 0])), ["rows"]);
    assert!(of([0, 0]).is_empty() && of([10, 1]).is_empty());
}
