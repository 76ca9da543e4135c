//! p-values and q-values against SciPy and against exact arithmetic.
//!
//! The data files under tests/golden are made by tests/golden/pvalues.py; every row ends with the call that made it.

use std::error::Error;
use std::fs;
use std::path::Path;

use gpudrift::stats::{Adjustment, KsChoice, KsMethod, adjust, chi_squared_sf, kolmogorov_sf, ks_two_sample};

type Outcome = Result<(), Box<dyn Error>>;

fn data(name: &str) -> Result<String, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

/// Rows of a data file without its header, split into columns.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().skip(1).map(|line| line.split(';').collect())
}

/// Collects what is too far from its golden value, and how far the worst is.
struct Comparison {
    tolerance: f64,
    compared: usize,
    worst: f64,
    failures: Vec<String>,
}

impl Comparison {
    fn within(tolerance: f64) -> Self {
        Self { tolerance, compared: 0, worst: 0.0, failures: Vec::new() }
    }

    /// Relative to the golden value; a golden 0 has to be met exactly.
    fn add(&mut self, value: f64, golden: f64, call: &str) {
        self.compared += 1;
        let error = if value == golden { 0.0 } else { (value / golden - 1.0).abs() };
        self.worst = if error.is_nan() { f64::INFINITY } else { self.worst.max(error) };
        if error.is_nan() || error > self.tolerance {
            self.failures.push(format!("{call}: golden {golden:e}, here {value:e}, off by {error:e}"));
        }
    }

    fn finish(self, at_least: usize) {
        assert!(self.compared >= at_least, "only {} rows compared", self.compared);
        assert!(
            self.failures.is_empty(),
            "{} of {} rows, worst {:e}:\n{}",
            self.failures.len(),
            self.compared,
            self.worst,
            self.failures.join("\n")
        );
    }
}

#[test]
fn exact_ks_p_values_equal_scipy_and_whole_number_counts() -> Outcome {
    let text = data("ks_exact.csv")?;
    let mut comparison = Comparison::within(1e-9);
    for row in rows(&text) {
        let [gap, n, m, golden, _truth, call] = row[..] else {
            return Err("six columns".into());
        };
        let result = ks_two_sample(gap.parse()?, n.parse()?, m.parse()?, KsChoice::Exact).ok_or("empty side")?;
        assert_eq!(result.method, KsMethod::Exact, "{call}");
        comparison.add(result.p_value, golden.parse()?, call);
    }
    comparison.finish(400);
    Ok(())
}

#[test]
fn automatic_ks_p_values_equal_scipy() -> Outcome {
    let text = data("ks_auto.csv")?;
    let mut comparison = Comparison::within(1e-9);
    for row in rows(&text) {
        let [gap, n, m, golden, _truth, call] = row[..] else {
            return Err("six columns".into());
        };
        let (n, m): (u64, u64) = (n.parse()?, m.parse()?);
        let result = ks_two_sample(gap.parse()?, n, m, KsChoice::Auto).ok_or("empty side")?;
        let expected = if n.max(m) <= 10_000 { KsMethod::Exact } else { KsMethod::Asymp };
        assert_eq!(result.method, expected, "{call}");
        comparison.add(result.p_value, golden.parse()?, call);
    }
    comparison.finish(40);
    Ok(())
}

#[test]
fn asymptotic_ks_p_values_equal_scipy_and_exact_formulas() -> Outcome {
    let text = data("ks_asymp.csv")?;
    let mut comparison = Comparison::within(1e-9);
    for row in rows(&text) {
        let [d, n, golden, _truth, call] = row[..] else {
            return Err("five columns".into());
        };
        comparison.add(kolmogorov_sf(d.parse()?, n.parse()?), golden.parse()?, call);
    }
    comparison.finish(800);
    Ok(())
}

#[test]
fn chi_squared_p_values_equal_scipy_and_exact_formulas() -> Outcome {
    let text = data("chi2_sf.csv")?;
    let mut comparison = Comparison::within(1e-10);
    for row in rows(&text) {
        let [x, dof, golden, _truth, call] = row[..] else {
            return Err("five columns".into());
        };
        comparison.add(chi_squared_sf(x.parse()?, dof.parse()?), golden.parse()?, call);
    }
    comparison.finish(400);
    Ok(())
}

#[test]
fn q_values_equal_scipy() -> Outcome {
    let cases: Vec<serde_json::Value> = serde_json::from_str(&data("adjust.json")?)?;
    let numbers = |list: &serde_json::Value| -> Option<Vec<Option<f64>>> {
        Some(list.as_array()?.iter().map(serde_json::Value::as_f64).collect())
    };
    let mut comparison = Comparison::within(1e-12);
    for case in &cases {
        let method = match case["method"].as_str() {
            Some("none") => Adjustment::None,
            Some("bonferroni") => Adjustment::Bonferroni,
            Some("bh") => Adjustment::BenjaminiHochberg,
            Some("by") => Adjustment::BenjaminiYekutieli,
            other => return Err(format!("method {other:?}").into()),
        };
        let p = numbers(&case["p"]).ok_or("p is a list")?;
        let golden = numbers(&case["q"]).ok_or("q is a list")?;
        let q = adjust(&p, method);
        assert_eq!(q.len(), golden.len());
        for (q, golden) in q.into_iter().zip(golden) {
            assert_eq!(q.is_some(), golden.is_some(), "{}", case["name"]);
            if let (Some(q), Some(golden)) = (q, golden) {
                comparison.add(q, golden, &format!("{} {}", case["name"], case["call"]));
            }
        }
    }
    comparison.finish(1000);
    Ok(())
}
