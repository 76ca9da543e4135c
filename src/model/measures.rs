//! Counts of a group become its figures.

use std::io;

use indexmap::IndexMap;

use super::columns::binary_names;
use super::config::ModelConfig;
use super::measure::{METRICS, Measure, Sum, WEIGHT_ONE};
use super::options::Task;
use super::ranking;
use super::scores::{How, NEGATIVE, NO_LABELS, POSITIVE, measure};
use super::tally::Tally;
use crate::format::real;

/// Bins of the calibration error.
const BINS: u32 = 10;

/// Figures by name, in the order of [`METRICS`].
pub(super) type Measures = IndexMap<&'static str, Measure>;

/// How the figures of this model are made.
pub(super) fn how(config: &ModelConfig) -> How {
    How { confidence: config.confidence, bins: BINS, weighted: config.weight.is_some() }
}

/// What a row of weight 1 counts in sums of weights.
pub(super) fn unit(config: &ModelConfig) -> f64 {
    if config.weight.is_some() { WEIGHT_ONE } else { 1.0 }
}

/// Every figure of a group.
pub(super) fn measures(config: &ModelConfig, tally: &Tally) -> io::Result<Measures> {
    let how = how(config);
    let effective = tally.mass.effective(how.weighted);
    let scored = tally.score_mass.effective(how.weighted);
    let mut found: Vec<(&'static str, Measure)> = match config.task {
        Task::Regression => tally.residuals.measures(effective, &how)?,
        Task::Binary => {
            let positive = binary_names(config).pop();
            let mut found = tally.confusion.measures(positive.as_deref(), effective, &how);
            if let Some(scores) = tally.scores.first() {
                found.extend(named(measure(scores, scored, &how)?));
            }
            found
        }
        Task::Ranking => match tally.scores.first() {
            Some(scores) => {
                let of_scores = named(measure(scores, scored, &how)?);
                let mut found: Vec<_> =
                    of_scores.into_iter().filter(|(name, _)| ["roc_auc", "average_precision"].contains(name)).collect();
                found.push(("ndcg", ranking::gain(scores, how.weighted)?));
                found
            }
            None => Vec::new(),
        },
        Task::Multiclass => {
            let mut found = tally.confusion.measures(None, effective, &how);
            if !tally.scores.is_empty() {
                found.extend(several(tally, scored, &how)?);
            }
            found
        }
    };
    found.sort_by_key(|(name, _)| METRICS.iter().position(|card| card.name == *name));
    Ok(found.into_iter().collect())
}

fn named(scores: super::scores::ScoreMeasures) -> [(&'static str, Measure); 5] {
    [
        ("roc_auc", scores.roc_auc),
        ("average_precision", scores.average_precision),
        ("log_loss", scores.log_loss),
        ("brier", scores.brier),
        ("calibration_error", scores.calibration_error),
    ]
}

/// Figures of the scores of several classes: means of one class against the rest, sums over the classes.
fn several(tally: &Tally, effective: f64, how: &How) -> io::Result<[(&'static str, Measure); 5]> {
    let of_class: Vec<_> =
        tally.scores.iter().map(|scores| measure(scores, effective, how)).collect::<Result<_, _>>()?;
    let mean = |of: &dyn Fn(usize) -> Measure| {
        let all: Vec<Measure> = (0..of_class.len()).map(of).collect();
        match all.iter().find(|one| one.value.is_none()) {
            Some(missing) => *missing,
            None => {
                let sum: f64 = all.iter().filter_map(|one| one.value).sum();
                Measure::of(sum / real(all.len() as u64))
            }
        }
    };
    let labelled = tally.scores.first().map_or(0, |scores| scores.totals()[POSITIVE] + scores.totals()[NEGATIVE]);
    let all = real(labelled);
    let mut loss = [Sum::default(); 2];
    let mut placed = 0;
    for scores in &tally.scores {
        placed += scores.totals()[POSITIVE];
        scores.walk(|score, counts| {
            if counts[POSITIVE] > 0 {
                let term = -libm::log(score.clamp(f64::EPSILON, 1.0 - f64::EPSILON));
                loss[0].add(real(counts[POSITIVE]) * term);
                loss[1].add(real(counts[POSITIVE]) * term * term);
            }
        })?;
    }
    let outside = of_class.iter().find_map(|one| one.log_loss.reason);
    let probability = |measure: Measure| match outside {
        Some(reason) => Measure::undefined(reason),
        None if labelled == 0 => Measure::undefined(NO_LABELS),
        None if placed != labelled => Measure::undefined("some labels are classes without a score"),
        None => measure,
    };
    let average = loss[0].value() / all;
    let variance = (loss[1].value() / all - average * average).max(0.0);
    let error = libm::sqrt(variance / (effective - 1.0));
    let brier: f64 = of_class.iter().filter_map(|one| one.brier.value).sum();
    let tops = measure(&tally.tops, effective, how)?;
    Ok([
        ("roc_auc", mean(&|class| of_class[class].roc_auc)),
        ("average_precision", mean(&|class| of_class[class].average_precision)),
        ("log_loss", probability(Measure::of(average).within(how.confidence.normal(average, error)))),
        ("brier", probability(Measure::of(brier))),
        ("calibration_error", probability(tops.calibration_error)),
    ])
}
