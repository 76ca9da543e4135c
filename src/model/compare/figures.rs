//! Every figure of two versions, with the test that fits it.

use std::io;

use indexmap::IndexMap;

use super::ComparedFigure;
use crate::format::real;
use crate::model::columns::binary_names;
use crate::model::config::{ERROR_RATE, LATENCY_P95, ModelConfig};
use crate::model::confusion::OfClass;
use crate::model::drift::{Facts, References};
use crate::model::measure::Sum;
use crate::model::measures::{Measures, measures};
use crate::model::operations::{NumberReport, operations};
use crate::model::options::Task;
use crate::model::sample::Sample;
use crate::model::scores::{Area, NEGATIVE, POSITIVE, ScoreCounts};
use crate::model::tally::Tally;
use crate::model::values::ValueCounts;
use crate::stats::{Spread, TwoSample, mann_whitney, normal_two_sided, two_proportions, welch};

/// Names of tests, as reports have them.
const Z: &str = "two-proportion z";
const WELCH: &str = "Welch's t";

type Figures = IndexMap<String, ComparedFigure>;

/// Every figure by name: production first, the canary second.
pub(super) fn figures(config: &ModelConfig, has_labels: bool, sides: [&Tally; 2]) -> io::Result<Figures> {
    let mut found = Figures::new();
    if has_labels {
        let both = [measures(config, sides[0])?, measures(config, sides[1])?];
        of_metrics(config, &both, sides, &mut found)?;
    }
    if config.task == Task::Binary {
        let positive = binary_names(config).pop().unwrap_or_default();
        let shares = sides.map(|tally| {
            let all = tally.predicted.values().sum::<u64>();
            (real(tally.predicted.get(&positive).copied().unwrap_or_default()), real(all))
        });
        found.insert("predicted_positive".to_owned(), of_shares(shares));
    }
    of_places(config, sides, &mut found)?;
    of_operations(config, sides, &mut found)?;
    Ok(found)
}

fn figure(values: [Option<f64>; 2], test: Option<(&'static str, Option<TwoSample>)>) -> ComparedFigure {
    let [production, canary] = values;
    ComparedFigure {
        production,
        canary,
        change: production.zip(canary).map(|(production, canary)| canary - production),
        test: test.map(|(name, _)| name).filter(|_| test.is_some_and(|(_, found)| found.is_some())),
        statistic: test.and_then(|(_, found)| found).map(|found| found.statistic),
        p_value: test.and_then(|(_, found)| found).map(|found| found.p_value),
        ..ComparedFigure::default()
    }
}

/// Two shares, with their test.
fn of_shares(shares: [(f64, f64); 2]) -> ComparedFigure {
    let values = shares.map(|(part, whole)| (whole > 0.0).then(|| part / whole));
    figure(values, Some((Z, two_proportions(shares))))
}

/// Figures from labels. Sums of weights are no rows: where rows have weights there is no test.
fn of_metrics(config: &ModelConfig, both: &[Measures; 2], sides: [&Tally; 2], found: &mut Figures) -> io::Result<()> {
    let positive = binary_names(config).pop().unwrap_or_default();
    let weighted = config.weight.is_some();
    for name in both[0].keys().copied() {
        let values = [0, 1].map(|side: usize| both[side].get(name).and_then(|measure| measure.value));
        let shares = shares_of(name, sides.map(|tally| tally.confusion.of_class(&positive)), sides);
        let test = match (name, shares) {
            _ if weighted => None,
            (_, Some(shares)) => Some((Z, two_proportions(shares))),
            ("roc_auc", _) if config.task.has_two_classes() => Some(("DeLong, unpaired", areas(sides)?)),
            ("log_loss", _) if config.task == Task::Binary => Some((WELCH, terms(sides, loss)?)),
            ("brier", _) if config.task == Task::Binary => Some((WELCH, terms(sides, brier)?)),
            ("rmse", _) => Some(("Welch's t of squared errors", errors(sides, |error| error * error)?)),
            ("mae", _) => Some((WELCH, errors(sides, |error| error)?)),
            _ => None,
        };
        found.insert(name.to_owned(), figure(values, test));
    }
    Ok(())
}

/// The two numbers that a share is made of, for each side.
fn shares_of(name: &str, cells: [OfClass; 2], sides: [&Tally; 2]) -> Option<[(f64, f64); 2]> {
    if name == "accuracy" {
        return Some(sides.map(|tally| {
            let cells = &tally.confusion.cells;
            let right: u64 = cells.iter().filter(|((a, b), _)| a == b).map(|(_, rows)| rows).sum();
            (real(right), real(cells.values().sum()))
        }));
    }
    let of: fn(OfClass) -> (f64, f64) = match name {
        "precision" => |of| (of.tp, of.tp + of.fp),
        "recall" => |of| (of.tp, of.tp + of.fn_),
        "specificity" => |of| (of.tn, of.tn + of.fp),
        _ => return None,
    };
    Some(cells.map(of))
}

/// The difference of two areas over its standard error, for independent samples (DeLong, DeLong and Clarke-Pearson 1988).
fn areas(sides: [&Tally; 2]) -> io::Result<Option<TwoSample>> {
    let mut found = Vec::new();
    for tally in sides {
        let Some(scores) = tally.scores.first() else { return Ok(None) };
        let totals = scores.totals();
        let mut area = Area::new(totals[POSITIVE], totals[NEGATIVE]);
        scores.walk(|_, counts| area.add(counts[POSITIVE], counts[NEGATIVE]))?;
        let Some(variance) = area.variance() else { return Ok(None) };
        found.push((area.value(), variance));
    }
    let [(first, a), (second, b)] = found[..] else { return Ok(None) };
    let z = (second - first) / libm::sqrt(a + b);
    Ok(z.is_finite().then(|| TwoSample { statistic: z, p_value: normal_two_sided(z) }))
}

/// What a row of a score adds to the log loss: positive, and negative.
fn loss(score: f64) -> [f64; 2] {
    let p = score.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
    [-libm::log(p), -libm::log1p(-p)]
}

/// What it adds to the Brier score.
fn brier(score: f64) -> [f64; 2] {
    [(1.0 - score) * (1.0 - score), score * score]
}

/// Welch's test of the terms that rows of both classes have by their scores.
fn terms(sides: [&Tally; 2], of: fn(f64) -> [f64; 2]) -> io::Result<Option<TwoSample>> {
    let spread = |scores: &ScoreCounts| {
        let mut spread = Moments::default();
        scores.walk(|score, counts| {
            let [positive, negative] = of(score);
            spread.add(positive, counts[POSITIVE]);
            spread.add(negative, counts[NEGATIVE]);
        })?;
        io::Result::Ok(spread.value())
    };
    let [Some(first), Some(second)] = sides.map(|tally| tally.scores.first()) else { return Ok(None) };
    Ok(welch([spread(first)?, spread(second)?]))
}

/// Welch's test of a power of the absolute errors.
fn errors(sides: [&Tally; 2], of: fn(f64) -> f64) -> io::Result<Option<TwoSample>> {
    let spread = |errors: &ValueCounts<1>| {
        let mut spread = Moments::default();
        errors.walk(|error, [rows]| spread.add(of(error), rows))?;
        io::Result::Ok(spread.value())
    };
    Ok(welch([spread(&sides[0].residuals.errors)?, spread(&sides[1].residuals.errors)?]))
}

/// Count, mean and variance of values as they come.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    rows: u64,
    /// Taken from all values, so that the spread is no difference of large numbers.
    origin: Option<f64>,
    sum: Sum,
    squares: Sum,
}

impl Moments {
    fn add(&mut self, value: f64, rows: u64) {
        if rows > 0 {
            let off = value - *self.origin.get_or_insert(value);
            self.rows += rows;
            self.sum.add(real(rows) * off);
            self.squares.add(real(rows) * off * off);
        }
    }

    fn value(self) -> Spread {
        let n = real(self.rows);
        let off = self.sum.value() / n;
        let variance = (self.squares.value() - n * off * off) / (n - 1.0);
        Spread { n, mean: self.origin.unwrap_or_default() + off, variance: variance.max(0.0) }
    }
}

/// Where scores and predictions lie: Kolmogorov–Smirnov of numbers, chi-squared of classes.
fn of_places(config: &ModelConfig, sides: [&Tally; 2], found: &mut Figures) -> io::Result<()> {
    for (name, drift) in References::of(config, sides[0])?.compare(config, sides[1])? {
        let number = |name: &str| drift.metrics.get(name).and_then(serde_json::Value::as_f64);
        let ks = number("ks_p_value").is_some();
        let [statistic, p_value] = if ks { ["ks_statistic", "ks_p_value"] } else { ["chi2_statistic", "chi2_p_value"] };
        let test =
            TwoSample { statistic: number(statistic).unwrap_or_default(), p_value: number(p_value).unwrap_or(1.0) };
        let test = number(p_value).map(|_| (if ks { "Kolmogorov–Smirnov" } else { "chi-squared" }, Some(test)));
        let mean = |facts: &Facts| match facts {
            Facts::Numbers(facts) => facts.mean,
            Facts::Classes(_) => None,
        };
        let values = [mean(&drift.reference), mean(&drift.current)];
        found.insert(name, ComparedFigure { psi: number("psi"), ..figure(values, test) });
    }
    Ok(())
}

fn of_operations(config: &ModelConfig, sides: [&Tally; 2], found: &mut Figures) -> io::Result<()> {
    let [(Some(first), _), (Some(second), _)] = [operations(config, sides[0])?, operations(config, sides[1])?] else {
        return Ok(());
    };
    if let (Some(a), Some(b)) = (&first.latency, &second.latency) {
        let both = |of: fn(&NumberReport) -> Option<f64>| [of(a), of(b)];
        let samples = sides.map(|tally| Sample::of(&tally.latency));
        found.insert("latency_p50".to_owned(), figure(both(|one| one.p50), Some(("Mann–Whitney U", places(samples)?))));
        let tail = Some(("two-proportion z above the common p95", tails(samples)?));
        found.insert(LATENCY_P95.to_owned(), figure(both(|one| one.p95), tail));
        found.insert("latency_p99".to_owned(), figure(both(|one| one.p99), None));
    }
    if first.errors.is_some() && second.errors.is_some() {
        let shares = sides.map(|tally| (real(tally.failed[0]), real(tally.failed[1])));
        found.insert(ERROR_RATE.to_owned(), of_shares(shares));
    }
    let throughput = [first.throughput_per_second, second.throughput_per_second];
    if throughput.iter().any(Option::is_some) {
        found.insert("throughput_per_second".to_owned(), figure(throughput, None));
    }
    for (name, a) in &first.columns {
        let means = [a.mean, second.columns.get(name).and_then(|b| b.mean)];
        found.insert(name.clone(), figure(means, None));
    }
    Ok(())
}

/// Whether the values of one sample tend to be larger.
fn places([first, second]: [Sample<'_>; 2]) -> io::Result<Option<TwoSample>> {
    let (mut below, mut twice_u, mut ties) = (0.0, Sum::default(), Sum::default());
    first.walk_both(second, |_, rows| {
        let [a, b] = rows.map(real);
        twice_u.add(b * (2.0 * below + a));
        ties.add((a + b) * (a + b) * (a + b) - (a + b));
        below += a;
    })?;
    Ok(mann_whitney(twice_u.value(), [real(first.rows()), real(second.rows())], ties.value()))
}

/// Whether one sample has more values above the p95 of both together (a quantile test, Mood 1954).
fn tails([first, second]: [Sample<'_>; 2]) -> io::Result<Option<TwoSample>> {
    let sizes = [first.rows(), second.rows()];
    let (mut above, mut passed, rank) = (sizes, 0, (u128::from(sizes[0] + sizes[1]) * 95).div_ceil(100));
    first.walk_both(second, |_, rows| {
        if passed < rank {
            passed += u128::from(rows[0] + rows[1]);
            above = [above[0] - rows[0], above[1] - rows[1]];
        }
    })?;
    Ok(two_proportions([0, 1].map(|side| (real(above[side]), real(sizes[side])))))
}
