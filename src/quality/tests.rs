//! One test a check: counts in, finding out.

use super::{
    Allowed, CHECKS, Declared, Finding, Names, RunSides, Sides, Violations, Volume, of_feature, of_run, raises, volume,
    whole_text,
};
use crate::change::Subject;
use crate::change::tests::{of_labels, of_numbers};
use crate::format::real;
use crate::report::FreshnessReport;
use crate::verdict::Level;

fn numbers(range: std::ops::Range<u64>, value: impl Fn(u64) -> f64) -> Vec<f64> {
    range.map(value).collect()
}

/// A value with many decimals for each number.
fn golden(i: u64) -> f64 {
    (real(i) * 0.618_033_988_749_895).fract() * 97.3
}

fn of(subject: &Subject) -> Vec<Finding> {
    of_feature(&sides(subject, &Violations::default()))
}

fn sides<'s>(subject: &'s Subject, violations: &'s Violations) -> Sides<'s> {
    Sides { subject, outliers: None, beyond: None, declared: None, violations }
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
    let with = |outliers| of_feature(&Sides { outliers: Some(outliers), ..sides(&subject, &Violations::default()) });
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

#[test]
fn a_run_without_rows_is_critical_and_one_that_lost_a_column_a_warning() {
    let run = RunSides { rows: [9, 0], one_sided: [vec!["a"], vec!["b"]], ..RunSides::default() };
    let levels: Vec<Level> = of_run(&run).iter().map(|finding| finding.level).collect();
    assert_eq!(levels, [Level::Warning, Level::Info, Level::Critical]);
}

#[test]
fn range() {
    let subject = of_numbers(numbers(0..1000, golden), numbers(1000..2000, golden), 0);
    let with = |beyond| of_feature(&Sides { beyond: Some(beyond), ..sides(&subject, &Violations::default()) });
    assert_eq!(with(20), [], "chance: about one in fifty thousand");
    assert_eq!(names(&with(40)), ["range"]);
    assert_eq!(with(0), []);
}

#[test]
fn late_windows_and_missing_folders_are_findings() {
    let freshness = FreshnessReport {
        rows: 10,
        newest: Some("2026-11-20T03:00:00Z".to_owned()),
        newest_stored: None,
        seconds_before_end: Some(180_000),
        late: true,
        missing_folders: ["dt=1", "dt=2", "dt=3", "dt=4"].map(str::to_owned).to_vec(),
    };
    let found = of_run(&RunSides { rows: [9, 10], freshness: Some(&freshness), ..RunSides::default() });
    assert_eq!(names(&found), ["freshness", "partitions"]);
    assert!(found.iter().all(|finding| finding.level == Level::Warning));
    assert!(found[0].message.contains("of 2026-11-20T03:00:00Z, 50 hours before the end"), "{}", found[0].message);
    assert_eq!(found[1].message, "4 folders of the current window are not there: dt=1, dt=2, dt=3, ...");
    let fresh = FreshnessReport { late: false, missing_folders: Vec::new(), ..freshness };
    assert_eq!(of_run(&RunSides { rows: [9, 10], freshness: Some(&fresh), ..RunSides::default() }), []);
}

#[test]
fn a_night_with_half_or_twice_the_rows_of_all_before_is_a_finding() {
    let before = [1000, 700, 1100, 900, 1000];
    let unusual = |rows| match volume(rows, &before) {
        Volume::Unusual(found) => found,
        other => panic!("{rows}: {other:?}"),
    };
    assert_eq!(unusual(349).level, Level::Warning);
    assert_eq!(volume(350, &before), Volume::Usual);
    assert_eq!(volume(2200, &before), Volume::Usual);
    let said = unusual(2201).message;
    assert_eq!(said, "current has 2,201 rows, and the 5 runs before had 700 to 1,100");
    assert_eq!(volume(1, &before[..4]), Volume::Unknown, "four nights are no past");
    assert_eq!(volume(1, &[]), Volume::Unknown);
}

fn declared() -> Declared {
    Declared { level: Level::Critical, ..Declared::default() }
}

/// What is found of 1000 values on either side.
fn broken(declared: &Declared, violations: &Violations) -> Vec<Finding> {
    let subject = of_numbers(numbers(0..1000, golden), numbers(1000..2000, golden), 0);
    of_feature(&Sides { declared: Some(declared), ..sides(&subject, violations) })
}

#[test]
fn declared_range() {
    let rule = Declared { min: Some(0.0.into()), max: Some(10.5.into()), ..declared() };
    let found = broken(&rule, &Violations { below: Some([0, 1]), above: Some([3, 20]), ..Violations::default() });
    assert_eq!(names(&found), ["declared_range"]);
    assert!(raises(&found[0]) && found[0].level == Level::Critical);
    assert_eq!(found[0].message, "1 of 1,000 values (0.1%) is below 0, and 20 of 1,000 values (2%) are above 10.5");
    assert_eq!((found[0].numbers["violations"], found[0].numbers["violations_reference"]), (21.0, 3.0));
    let none = Violations { below: Some([5, 0]), above: Some([0, 0]), ..Violations::default() };
    assert_eq!(broken(&rule, &none), [], "what only the reference breaks is over");
    let unchecked = broken(&rule, &Violations::default());
    assert_eq!((names(&unchecked), unchecked[0].level), (vec!["declared_range"], Level::Info));
    assert!(unchecked[0].message.contains("was not checked") && !raises(&unchecked[0]));
}

#[test]
fn declared_domain_and_pattern_count_rows_and_name_the_most_frequent() {
    let allowed = ["red", "blue"].map(|name| Allowed::Text(name.to_owned())).to_vec();
    let rule = Declared { allowed: Some(allowed), pattern: whole_text("[a-z]+").ok(), ..declared() };
    let mut seen = Names::new(&rule);
    let rows = [("red", [500, 400]), ("grün", [0, 7]), ("gone", [500, 0]), ("a1", [0, 7]), ("b", [0, 9])];
    rows.into_iter().for_each(|(name, rows)| seen.see(name, rows));
    let found = broken(&rule, &seen.violations());
    assert_eq!(names(&found), ["declared_domain", "declared_pattern"]);
    let domain = r#"23 of 1,000 values (2.3%) are not among the allowed ones: "b", "a1", "grün""#;
    assert_eq!(found[0].message, domain);
    assert_eq!((found[0].numbers["violations"], found[0].numbers["violations_reference"]), (23.0, 500.0));
    assert_eq!(found[1].numbers["violations"], 14.0, "a pattern is about the whole text");
}

#[test]
fn examples_do_not_depend_on_the_order_of_categories() {
    let rule = Declared { allowed: Some(vec![Allowed::Bool(true)]), ..declared() };
    let mut rows: Vec<(String, [u64; 2])> = (0..40).map(|i| (format!("c{i:02}"), [0, 1 + i % 4])).collect();
    let seen = |rows: &[(String, [u64; 2])]| {
        let mut names = Names::new(&rule);
        rows.iter().for_each(|(name, rows)| names.see(name, *rows));
        names.violations()
    };
    let forth = seen(&rows);
    rows.reverse();
    assert_eq!(forth, seen(&rows));
    let outside = forth.outside.unwrap();
    let names: Vec<&str> = outside.examples.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["c03", "c07", "c11", "c15", "c19"]);
    assert_eq!((outside.values, outside.rows), (40, [0, 100]));
}

#[test]
fn declared_nulls_and_unique() {
    let mut subject = of_numbers(numbers(0..1000, golden), numbers(1000..2000, golden), 0);
    (subject.rows, subject.nulls) = ([1010, 1010], [10, 10]);
    let of = |rule: &Declared, distinct| {
        let violations = Violations { distinct, ..Violations::default() };
        of_feature(&Sides { declared: Some(rule), ..sides(&subject, &violations) })
    };
    let most = |share| Declared { max_null_share: Some(share), ..declared() };
    assert_eq!(of(&most(0.0), None)[0].message, "10 of 1,010 rows (1%) are null, and none may be");
    assert_eq!(names(&of(&most(0.0099), None)), ["declared_nulls"]);
    assert_eq!(of(&most(0.01), None), []);
    let unique = Declared { unique: true, ..declared() };
    assert_eq!(of(&unique, Some([1000, 1000])), []);
    assert_eq!(of(&unique, Some([1000, 999]))[0].message, "1 of 1,000 values (0.1%) repeats another one");
}

#[test]
fn every_check_has_a_name_of_its_own() {
    let mut names: Vec<&str> = CHECKS.iter().map(|check| check.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len());
}

#[test]
fn entities() {
    let of = |repeats| of_run(&RunSides { rows: [9, 1000], repeats, ..RunSides::default() });
    assert_eq!(of(0), []);
    assert_eq!(of(3)[0].message, "3 rows (0.3%) have the entity and time of another one");
    assert_eq!((names(&of(1)), of(1)[0].level), (vec!["entities"], Level::Warning));
}

#[test]
fn without_rows_most_checks_of_the_run_can_tell_nothing() {
    let none = RunSides { rows: [100, 0], ..RunSides::default() };
    assert_eq!(super::blind(&none), ["schema", "entities", "frozen"]);
    assert!(!of_run(&none).is_empty(), "and that there are none is found");
    assert_eq!(super::blind(&RunSides { rows: [100, 100], compared: 3, ..RunSides::default() }), [""; 0]);
}
