//! Prediction drift: do the predictions and scores of a group lie where those of the reference lay?
//!
//! Both sides are counts of values already, so the statistics of the feature scan come from one walk: the largest gap between
//! the two ECDFs, and the rows in the bins at the reference's percentiles.

use std::collections::BTreeMap;
use std::io;

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Number, Value};

use super::config::ModelConfig;
use super::measure::Sum;
use super::options::Task;
use super::scores::ROWS;
use super::tally::{Numbers, Tally};
use super::values::ValueCounts;
use crate::compare::{neighbours, quantile_between};
use crate::format::{probability, real, significant};
use crate::metric::{Comparison, METRICS, Outcome, Settings, Table};
use crate::stats::{Adjustment, adjust};
use crate::verdict::{Level, Thresholds};

/// Bins of PSI and Jensen–Shannon, as in the feature scan.
const BINS: u32 = 10;
/// Scores of a class from here on are confident.
const CONFIDENT: f64 = 0.9;
/// Metrics of the feature scan that are taken, of numbers and of classes.
const OF_NUMBERS: [&str; 3] = ["psi", "ks", "js"];
const OF_CLASSES: [&str; 3] = ["psi", "js", "chi2"];

/// What the predictions, or the scores of a class, look like beside those of the reference.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DriftReport {
    /// Whether they moved.
    pub level: Level,
    /// Statistics by name.
    pub metrics: BTreeMap<&'static str, Value>,
    /// The p-value, adjusted for all comparisons of the model (Benjamini–Hochberg).
    pub q_value: Option<f64>,
    /// Why statistics have no value.
    pub undefined: BTreeMap<&'static str, &'static str>,
    /// What the reference looks like.
    pub reference: Facts,
    /// What the group looks like.
    pub current: Facts,
}

/// A side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Facts {
    /// Scores, or predicted numbers.
    Numbers(NumberFacts),
    /// Rows by predicted class.
    Classes(BTreeMap<String, u64>),
}

impl Default for Facts {
    fn default() -> Self {
        Self::Classes(BTreeMap::new())
    }
}

/// Numbers in short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct NumberFacts {
    /// Values that are neither null nor NaN.
    pub values: u64,
    /// Nulls.
    pub nulls: u64,
    /// NaNs.
    pub nans: u64,
    /// Infinite values.
    pub infinite: u64,
    /// Values that are exactly 0.
    pub zeros: u64,
    /// Values that are exactly 1.
    pub ones: u64,
    /// Values outside 0 to 1: none of them is a probability.
    pub outside: u64,
    /// The mean of the finite ones.
    pub mean: Option<f64>,
    /// Their standard deviation (ddof 1).
    pub std: Option<f64>,
    /// Quantiles (linear) 0.05, 0.5 and 0.95.
    pub quantiles: Option<[f64; 3]>,
    /// Mean of max(p, 1 − p): how sure the model is; of scores between 0 and 1.
    pub confidence: Option<f64>,
    /// Share of rows with max(p, 1 − p) ≥ 0.9.
    pub confident: Option<f64>,
}

/// One side of a comparison of numbers, in memory: its distinct values with their rows.
struct Side {
    values: Vec<(f64, u64)>,
    n: u64,
    facts: NumberFacts,
}

impl Side {
    fn of<const N: usize>(counts: &ValueCounts<N>, counter: usize, nulls: u64, nans: u64) -> io::Result<Self> {
        let mut values = Vec::new();
        counts.walk(|value, counts| {
            if counts[counter] > 0 {
                values.push((value, counts[counter]));
            }
        })?;
        let n = values.iter().map(|(_, rows)| rows).sum();
        let facts = facts(&values, n, nulls, nans);
        Ok(Self { values, n, facts })
    }

    fn of_numbers(numbers: &Numbers) -> io::Result<Self> {
        Self::of(&numbers.values, 0, numbers.nulls, numbers.nans)
    }
}

/// The quantile `q` of sorted values with their rows, `n` of them, at least one.
pub(super) fn quantile(values: &[(f64, u64)], n: u64, q: f64) -> f64 {
    let [below, above] = neighbours(q, n);
    let at = |rank: u64| {
        let mut rows = 0;
        let found = values.iter().find(|(_, count)| {
            rows += count;
            rank < rows
        });
        found.map_or(f64::NAN, |(value, _)| *value)
    };
    quantile_between(q, n, at(below), at(above))
}

fn facts(values: &[(f64, u64)], n: u64, nulls: u64, nans: u64) -> NumberFacts {
    let count = |of: &dyn Fn(f64) -> bool| values.iter().filter(|(value, _)| of(*value)).map(|(_, rows)| rows).sum();
    let infinite: u64 = count(&f64::is_infinite);
    let outside: u64 = count(&|value| !(0.0..=1.0).contains(&value));
    let sum = |of: &dyn Fn(f64) -> f64| {
        let mut sum = Sum::default();
        values
            .iter()
            .filter(|(value, _)| value.is_finite())
            .for_each(|(value, rows)| sum.add(real(*rows) * of(*value)));
        sum.value()
    };
    let finite = n - infinite;
    let some = |value: f64| Some(value).filter(|value| value.is_finite());
    let mean = if finite > 0 { some(sum(&|value| value) / real(finite)) } else { None };
    let spread = mean.map(|mean| sum(&|value| (value - mean) * (value - mean)));
    let sure = |value: f64| value.max(1.0 - value);
    let probabilities = n > 0 && outside == 0;
    NumberFacts {
        values: n,
        nulls,
        nans,
        infinite,
        zeros: count(&|value| value == 0.0),
        ones: count(&|value| value == 1.0),
        outside,
        mean,
        std: spread.filter(|_| finite > 1).and_then(|spread| some(libm::sqrt(spread / real(finite - 1)))),
        quantiles: (n > 0 && infinite == 0).then(|| [0.05, 0.5, 0.95].map(|q| quantile(values, n, q))),
        confidence: probabilities.then(|| sum(&sure) / real(n)),
        confident: probabilities.then(|| real(count(&|value| sure(value) >= CONFIDENT)) / real(n)),
    }
}

/// Compares two samples as the feature scan does.
fn compare(reference: &Side, current: &Side) -> Comparison {
    let (n, m) = (u128::from(reference.n), u128::from(current.n));
    let edges: Vec<f64> = if reference.n == 0 {
        Vec::new()
    } else {
        (1..BINS).map(|at| quantile(&reference.values, reference.n, f64::from(at) / f64::from(BINS))).collect()
    };
    let bin = |value: f64| edges.partition_point(|edge| *edge <= value);
    let mut bins = [vec![0_u64; edges.len() + 1], vec![0_u64; edges.len() + 1]];
    for (side, bins) in [reference, current].into_iter().zip(&mut bins) {
        side.values.iter().for_each(|(value, rows)| bins[bin(*value)] += rows);
    }
    let (mut below, mut gap) = ([0_u128; 2], 0);
    let (mut left, mut right) = (reference.values.iter().peekable(), current.values.iter().peekable());
    while let Some(value) = match (left.peek(), right.peek()) {
        (Some((a, _)), Some((b, _))) => Some(a.min(*b)),
        (Some((a, _)), None) => Some(*a),
        (None, Some((b, _))) => Some(*b),
        (None, None) => None,
    } {
        while let Some((_, rows)) = left.next_if(|(at, _)| *at <= value) {
            below[0] += u128::from(*rows);
        }
        while let Some((_, rows)) = right.next_if(|(at, _)| *at <= value) {
            below[1] += u128::from(*rows);
        }
        gap = gap.max((below[0] * m).abs_diff(below[1] * n));
    }
    Comparison {
        n: [reference.n, current.n],
        gap: Some(gap),
        table: Some(Table::of_bins(&bins[0], &bins[1])),
        infinite: [reference.facts.infinite, current.facts.infinite],
        ..Comparison::default()
    }
}

fn of_comparison(comparison: &Comparison, names: &[&str], reference: Facts, current: Facts) -> DriftReport {
    let mut report = DriftReport { reference, current, ..DriftReport::default() };
    for metric in METRICS.iter().filter(|metric| names.contains(&metric.card().name)) {
        let outcomes = metric.evaluate(comparison, &Settings::default());
        for (name, outcome) in metric.card().values.iter().zip(outcomes) {
            let value = match outcome {
                Outcome::Number(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
                Outcome::Integer(value) => Value::from(value),
                Outcome::Word(word) => Value::from(word),
                Outcome::Undefined(reason) => {
                    report.undefined.insert(name, reason);
                    Value::Null
                }
            };
            report.metrics.insert(name, value);
        }
    }
    report
}

/// Reference sides of a segment, by what is compared: made once for all its groups.
pub(super) struct References {
    numbers: IndexMap<String, Side>,
    classes: BTreeMap<String, u64>,
}

/// What is compared of a group, by name: `score`, `score:CLASS`, or `prediction`.
fn sides(config: &ModelConfig, tally: &Tally) -> io::Result<IndexMap<String, Side>> {
    let mut sides = IndexMap::new();
    if config.task == Task::Regression {
        sides.insert("prediction".to_owned(), Side::of_numbers(&tally.predictions)?);
    }
    for ((class, _), scores) in config.scores.iter().zip(&tally.scores) {
        let name = if config.task == Task::Binary { "score".to_owned() } else { format!("score:{class}") };
        // Nulls and NaNs of several score columns are counted together.
        let only = config.scores.len() == 1;
        let [nulls, nans] = [tally.rows.null_scores, tally.rows.nan_scores].map(|count| if only { count } else { 0 });
        sides.insert(name, Side::of(scores, ROWS, nulls, nans)?);
    }
    Ok(sides)
}

impl References {
    pub(super) fn of(config: &ModelConfig, tally: &Tally) -> io::Result<Self> {
        Ok(Self { numbers: sides(config, tally)?, classes: tally.predicted.clone() })
    }

    /// Compares a group with its reference.
    pub(super) fn compare(&self, config: &ModelConfig, tally: &Tally) -> io::Result<IndexMap<String, DriftReport>> {
        let mut reports = IndexMap::new();
        if config.task != Task::Regression {
            let classes = self.classes.keys().chain(tally.predicted.keys());
            let count = |classes: &BTreeMap<String, u64>, class: &String| classes.get(class).copied().unwrap_or(0);
            let both: BTreeMap<&String, [u64; 2]> =
                classes.map(|class| (class, [count(&self.classes, class), count(&tally.predicted, class)])).collect();
            let n = [&self.classes, &tally.predicted].map(|side| side.values().sum());
            let table = Some(Table::of_categories(both.into_values()));
            let comparison = Comparison { n, table, ..Comparison::default() };
            let facts = [&self.classes, &tally.predicted].map(|side| Facts::Classes(side.clone()));
            let [reference, current] = facts;
            reports.insert("prediction".to_owned(), of_comparison(&comparison, &OF_CLASSES, reference, current));
        }
        for (name, current) in sides(config, tally)? {
            let Some(reference) = self.numbers.get(&name) else { continue };
            let facts = [reference, &current].map(|side| Facts::Numbers(side.facts));
            let [of_reference, of_current] = facts;
            let comparison = compare(reference, &current);
            reports.insert(name, of_comparison(&comparison, &OF_NUMBERS, of_reference, of_current));
        }
        Ok(reports)
    }
}

/// Adjusts the p-values of all comparisons of a model, and gives each its level: as in the feature scan, an effect (PSI) and
/// a q-value must both reach their limits. Returns the sentences for each group.
pub(super) fn judge(all: &mut [IndexMap<String, DriftReport>]) -> Vec<Vec<(Level, String)>> {
    let p_of = |report: &DriftReport| {
        let found = ["ks_p_value", "chi2_p_value"].iter().find_map(|name| report.metrics.get(name));
        found.and_then(Value::as_f64)
    };
    let p: Vec<Option<f64>> = all.iter().flat_map(|reports| reports.values().map(p_of)).collect();
    let mut q = adjust(&p, Adjustment::BenjaminiHochberg).into_iter();
    let thresholds = Thresholds::default();
    let mut told = Vec::with_capacity(all.len());
    for reports in all {
        let mut reasons = Vec::new();
        for (name, report) in reports {
            report.q_value = q.next().flatten();
            let (Some(psi), Some(q)) = (report.metrics.get("psi").and_then(Value::as_f64), report.q_value) else {
                continue;
            };
            report.level = match () {
                () if q > thresholds.q || psi < thresholds.psi.warning => Level::Ok,
                () if psi >= thresholds.psi.critical => Level::Critical,
                () => Level::Warning,
            };
            if report.level > Level::Ok {
                let what = if name == "prediction" { "predictions" } else { name };
                let reason = format!("{what} drifted: PSI {} (q {})", significant(psi), probability(q));
                reasons.push((report.level, reason));
            }
        }
        told.push(reasons);
    }
    told
}
