//! PSI, its bias-corrected value and its p-value against NumPy and SciPy.
//!
//! tests/golden/psi.csv is made by tests/golden/psi.py, which also shows by simulation that the p-value is calibrated.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use gpudrift::metric::{Comparison, METRICS, Outcome, Settings, Table};

fn counts(text: &str) -> Vec<u64> {
    text.split(' ').map(|count| count.parse().unwrap()).collect()
}

#[test]
fn psi_and_what_chance_explains_of_it_equal_scipy() {
    let text = include_str!("golden/psi.csv");
    let metric = METRICS.iter().find(|metric| metric.card().name == "psi").unwrap();
    let mut compared = 0;
    for row in text.lines().skip(1) {
        let fields: Vec<&str> = row.split(';').collect();
        let sides = [counts(fields[0]), counts(fields[1])];
        let n: [u64; 2] = [0, 1].map(|side: usize| sides[side].iter().sum());
        let comparison = Comparison { n, table: Some(Table::of_bins(&sides[0], &sides[1])), ..Comparison::default() };
        let outcomes = metric.evaluate(&comparison, &Settings::default());
        for (outcome, golden) in outcomes.iter().zip(&fields[2..5]) {
            let golden: f64 = golden.parse().unwrap();
            let Outcome::Number(value) = *outcome else { panic!("{row}: {outcome:?}") };
            assert!((value - golden).abs() <= 1e-14 + 1e-8 * golden.abs(), "{row}: golden {golden:e}, here {value:e}");
        }
        assert_eq!(outcomes[3..], [fields[5].parse().unwrap(), n[0], n[1]].map(Outcome::Integer), "{row}");
        compared += 1;
    }
    assert_eq!(compared, 36);
}
