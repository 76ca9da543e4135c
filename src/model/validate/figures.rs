//! Figures of the champion, of the challenger, and of the change between them.

use indexmap::IndexMap;
use serde::Serialize;

use super::bootstrap::{interval, sampled};
use super::fairness;
use super::paired::{delong, mcnemar};
use super::pairs::{Pairs, Side};
use super::policy::Policy;
use crate::format::real;
use crate::model::error::ModelError;
use crate::model::measure::Sum;
use crate::model::operations;
use crate::model::options::Task;
use crate::stats::normal_two_sided;

/// A figure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Figure {
    /// Its value; null where it is not defined.
    pub value: Option<f64>,
    /// Ends of its interval.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// Of a change: the p-value of no change, where there is a test for it.
    pub p_value: Option<f64>,
    /// Where interval and p-value come from.
    pub method: &'static str,
}

/// Names of the sides, and of the change from the first to the second.
const SIDES: [&str; 3] = ["champion", "challenger", "change"];

/// What is evaluated of each side.
struct Wanted<'p> {
    policy: &'p Policy,
    pairs: &'p Pairs,
    names: Vec<String>,
    large: Vec<Vec<bool>>,
}

impl<'p> Wanted<'p> {
    fn of(policy: &'p Policy, pairs: &'p Pairs) -> Self {
        let mut names: Vec<&str> = match pairs.task {
            Task::Binary => vec!["accuracy", "precision", "recall", "specificity", "f1"],
            Task::Multiclass => vec!["accuracy"],
            Task::Ranking => Vec::new(),
            Task::Regression => vec!["mae", "rmse", "r2"],
        };
        if !pairs.sides[0].scores.is_empty() {
            names.extend(["roc_auc", "average_precision", "log_loss", "brier"]);
        }
        if policy.values.is_some() {
            names.push("business");
        }
        let mut names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        for group in &policy.groups {
            names.extend(
                ["demographic_parity", "equal_opportunity", "equalized_odds"].map(|name| format!("{name}.{group}")),
            );
        }
        let large = (0..policy.groups.len()).map(|group| fairness::large(policy, pairs, group)).collect();
        Self { policy, pairs, names, large }
    }

    /// Every figure of a side, in the order of the names; each row counts as often as it was drawn.
    fn evaluate(&self, side: usize, drawn: Option<&[u32]>) -> Vec<f64> {
        let mut found = match self.pairs.task {
            Task::Regression => self.numbers(side, drawn),
            _ => self.classes(side, drawn),
        };
        for (group, large) in self.large.iter().enumerate() {
            found.extend(fairness::differences(self.pairs, group, side, large, drawn));
        }
        found
    }

    fn worth(&self, outcome: &str) -> f64 {
        self.policy.values.as_ref().and_then(|values| values.get(outcome)).copied().unwrap_or(0.0)
    }

    fn classes(&self, side: usize, drawn: Option<&[u32]>) -> Vec<f64> {
        let (of, labels) = (&self.pairs.sides[side], &self.pairs.labels);
        let times = |pair: usize| drawn.map_or(1, |drawn| u64::from(drawn[pair]));
        let (mut right, mut cells) = ([0_u64; 2], [[0_u64; 2]; 2]);
        for (pair, (&prediction, &label)) in of.classes.iter().zip(labels).enumerate() {
            right[usize::from(prediction == label)] += times(pair);
            cells[usize::from(prediction == 1)][usize::from(label == 1)] += times(pair);
        }
        let [wrong, right] = right.map(real);
        let [[tn, fn_], [fp, tp]] = cells.map(|cells| cells.map(real));
        let all = right + wrong;
        let mut found = vec![right / all];
        if self.pairs.task == Task::Binary {
            found.extend([tp / (tp + fp), tp / (tp + fn_), tn / (tn + fp), 2.0 * tp / (2.0 * tp + fp + fn_)]);
        }
        if !of.scores.is_empty() {
            found.extend(curves(of, labels, &times));
        }
        if self.policy.values.is_some() {
            let total = if self.pairs.task == Task::Binary {
                tp * self.worth("tp") + fp * self.worth("fp") + fn_ * self.worth("fn") + tn * self.worth("tn")
            } else {
                right * self.worth("right") + wrong * self.worth("wrong")
            };
            found.push(total / all);
        }
        found
    }

    fn numbers(&self, side: usize, drawn: Option<&[u32]>) -> Vec<f64> {
        let [mut rows, mut absolute, mut squared, mut sum, mut squares] = [Sum::default(); 5];
        // Labels near their first one, so that the spread is no difference of large numbers.
        let origin = self.pairs.truths.first().copied().unwrap_or_default();
        for (pair, (truth, number)) in self.pairs.truths.iter().zip(&self.pairs.sides[side].numbers).enumerate() {
            let times = drawn.map_or(1.0, |drawn| f64::from(drawn[pair]));
            let (error, label) = (truth - number, truth - origin);
            rows.add(times);
            absolute.add(times * error.abs());
            squared.add(times * error * error);
            sum.add(times * label);
            squares.add(times * label * label);
        }
        let [rows, absolute, squared, sum, squares] = [rows, absolute, squared, sum, squares].map(Sum::value);
        let mut found = vec![absolute / rows, libm::sqrt(squared / rows), 1.0 - squared / (squares - sum * sum / rows)];
        if self.policy.values.is_some() {
            found.push(absolute / rows * self.worth("error"));
        }
        found
    }
}

/// ROC AUC, average precision, log loss and Brier score: one walk over the rows by score.
fn curves(side: &Side, labels: &[u32], times: &dyn Fn(usize) -> u64) -> [f64; 4] {
    let total = |class: bool| -> u64 {
        side.order.iter().filter(|&&pair| (labels[pair as usize] == 1) == class).map(|&pair| times(pair as usize)).sum()
    };
    let (m, n) = (real(total(true)), real(total(false)));
    let [mut area, mut precision, mut loss, mut brier] = [Sum::default(); 4];
    let (mut positives, mut negatives, mut at) = (0.0, 0.0, 0);
    while let Some(&first) = side.order.get(at) {
        let score = side.scores[first as usize];
        let (mut here, mut others) = (0.0, 0.0);
        #[expect(clippy::float_cmp, reason = "equal scores are ties")]
        while let Some(&pair) = side.order.get(at).filter(|&&pair| side.scores[pair as usize] == score) {
            let rows = real(times(pair as usize));
            *(if labels[pair as usize] == 1 { &mut here } else { &mut others }) += rows;
            at += 1;
        }
        area.add(here * (negatives + others / 2.0));
        if here > 0.0 {
            precision.add(here * ((m - positives) / ((m - positives) + (n - negatives))));
        }
        let p = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        loss.add(-here * libm::log(p) - others * libm::log1p(-p));
        brier.add(here * (1.0 - score) * (1.0 - score) + others * score * score);
        positives += here;
        negatives += others;
    }
    [area.value() / (m * n), precision.value() / m, loss.value() / (m + n), brier.value() / (m + n)]
}

fn finite(value: f64) -> Option<f64> {
    Some(value).filter(|value| value.is_finite())
}

/// Every figure of both sides and of the change, by name.
pub(super) fn all(policy: &Policy, pairs: &Pairs, prefix: &str) -> Result<IndexMap<String, Figure>, ModelError> {
    let wanted = Wanted::of(policy, pairs);
    let confidence = policy.confidence();
    let both = |drawn: Option<&[u32]>| [wanted.evaluate(0, drawn), wanted.evaluate(1, drawn)];
    let values = both(None);
    let samples = sampled(pairs.len(), policy.samples(), policy.seed(), |drawn| both(Some(drawn)).concat());
    let count = wanted.names.len();
    let mut figures = IndexMap::new();
    for (at, name) in wanted.names.iter().enumerate() {
        for (side, called) in SIDES.into_iter().enumerate() {
            let pick = |values: &dyn Fn(usize) -> f64| match side {
                2 => values(1) - values(0),
                side => values(side),
            };
            let value = finite(pick(&|side| values[side][at]));
            let of_samples = samples.iter().map(|sample| pick(&|side| sample[side * count + at]));
            let ends = interval(of_samples, confidence).filter(|_| value.is_some());
            let mut figure = Figure {
                value,
                low: ends.map(|ends| ends[0]),
                high: ends.map(|ends| ends[1]),
                p_value: None,
                method: "paired bootstrap",
            };
            if side == 2 && name == "accuracy" {
                figure.p_value = Some(mcnemar(pairs));
                figure.method = "paired bootstrap; exact McNemar test";
            }
            if side == 2
                && name == "roc_auc"
                && let Some((change, error)) = delong(pairs)
            {
                let ends = confidence.normal(change, error);
                figure.low = ends.map(|ends| ends[0]);
                figure.high = ends.map(|ends| ends[1]);
                figure.p_value = Some(if error > 0.0 { normal_two_sided(change / error) } else { 1.0 });
                figure.method = "DeLong";
            }
            figures.insert(format!("{prefix}{called}.{name}"), figure);
        }
    }
    Ok(figures)
}

/// Latency and errors of each log, over all of its rows.
pub(super) fn operations(policy: &Policy, pairs: &Pairs) -> Result<IndexMap<String, Figure>, ModelError> {
    let mut figures = IndexMap::new();
    if policy.latency.is_none() && policy.error.is_none() {
        return Ok(figures);
    }
    let config = policy.model("challenger", &["-".to_owned()])?;
    let mut found = Vec::new();
    for side in &pairs.sides {
        found.extend(operations::operations(&config, &side.operations)?.0);
    }
    let [first, second] = found.as_slice() else { return Ok(figures) };
    let plain = |value: Option<f64>| Figure { value, method: "all rows of the log", ..Figure::default() };
    let change = |a: Option<f64>, b: Option<f64>| plain(a.zip(b).map(|(a, b)| b - a));
    if let (Some(a), Some(b)) = (&first.latency, &second.latency) {
        for (name, a, b) in
            [("latency_p50", a.p50, b.p50), ("latency_p95", a.p95, b.p95), ("latency_p99", a.p99, b.p99)]
        {
            let all = [plain(a), plain(b), change(a, b)];
            figures.extend(SIDES.iter().zip(all).map(|(side, figure)| (format!("{side}.{name}"), figure)));
        }
    }
    if let (Some(a), Some(b)) = (&first.errors, &second.errors) {
        let rate = |report: &operations::ErrorReport| Figure {
            low: report.low,
            high: report.high,
            method: "Wilson",
            ..plain(report.rate)
        };
        let all = [rate(a), rate(b), change(a.rate, b.rate)];
        figures.extend(SIDES.iter().zip(all).map(|(side, figure)| (format!("{side}.error_rate"), figure)));
    }
    Ok(figures)
}
