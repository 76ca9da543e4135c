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
use super::options::Task;
use super::sample::Sample;
use super::tally::{Numbers, Tally};
use crate::format::{probability, significant};
use crate::metric::{Comparison, METRICS, Outcome, Settings, Table};
use crate::stats::{Adjustment, adjust};
use crate::verdict::{Level, Thresholds};

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

/// A sample with its facts.
struct Side<'t> {
    sample: Sample<'t>,
    facts: NumberFacts,
}

/// Reference sides of a segment, by what is compared: looked at once for all its groups.
pub(super) struct References<'t> {
    /// With the edges of their bins.
    numbers: IndexMap<String, (Side<'t>, Vec<f64>)>,
    classes: &'t BTreeMap<String, u64>,
}

/// What is compared of a group, by name: `score`, `score:CLASS`, or `prediction`.
fn sides<'t>(config: &ModelConfig, tally: &'t Tally) -> io::Result<IndexMap<String, Side<'t>>> {
    let mut sides = IndexMap::new();
    if config.task == Task::Regression {
        let Numbers { nulls, nans, .. } = tally.predictions;
        let sample = Sample::of(&tally.predictions);
        sides.insert("prediction".to_owned(), Side { sample, facts: sample.facts(nulls, nans)? });
    }
    for ((class, _), scores) in config.scores.iter().zip(&tally.scores) {
        let name = if config.task.has_two_classes() { "score".to_owned() } else { format!("score:{class}") };
        // Nulls and NaNs of several score columns are counted together.
        let only = config.scores.len() == 1;
        let [nulls, nans] = [tally.rows.null_scores, tally.rows.nan_scores].map(|count| if only { count } else { 0 });
        let sample = Sample::Scores(scores);
        sides.insert(name, Side { sample, facts: sample.facts(nulls, nans)? });
    }
    Ok(sides)
}

impl<'t> References<'t> {
    pub(super) fn of(config: &ModelConfig, tally: &'t Tally) -> io::Result<Self> {
        let mut numbers = IndexMap::new();
        for (name, side) in sides(config, tally)? {
            let edges = side.sample.edges()?;
            numbers.insert(name, (side, edges));
        }
        Ok(Self { numbers, classes: &tally.predicted })
    }

    /// Compares a group with its reference.
    pub(super) fn compare(&self, config: &ModelConfig, tally: &Tally) -> io::Result<IndexMap<String, DriftReport>> {
        let mut reports = IndexMap::new();
        if config.task.predicts_classes() {
            let classes = self.classes.keys().chain(tally.predicted.keys());
            let count = |classes: &BTreeMap<String, u64>, class: &String| classes.get(class).copied().unwrap_or(0);
            let both: BTreeMap<&String, [u64; 2]> =
                classes.map(|class| (class, [count(self.classes, class), count(&tally.predicted, class)])).collect();
            let n = [self.classes, &tally.predicted].map(|side| side.values().sum());
            let table = Some(Table::of_categories(both.into_values()));
            let comparison = Comparison { n, table, ..Comparison::default() };
            let [reference, current] = [self.classes, &tally.predicted].map(|side| Facts::Classes(side.clone()));
            reports.insert("prediction".to_owned(), of_comparison(&comparison, &OF_CLASSES, reference, current));
        }
        for (name, current) in sides(config, tally)? {
            let Some((reference, edges)) = self.numbers.get(&name) else { continue };
            let infinite = [reference.facts.infinite, current.facts.infinite];
            let comparison = reference.sample.compare(current.sample, edges, infinite)?;
            let [of_reference, of_current] = [reference.facts, current.facts].map(Facts::Numbers);
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
