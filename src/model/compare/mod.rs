//! Versions that serve side by side: a canary beside production, window by window.
//!
//! Each figure of both sides, the change from production to the canary, and where there is one the test that the two are
//! samples of the same (`figures`). The p-values of a model are adjusted together; a level takes both an effect that reaches the
//! limits of `levels` and a q-value of at most 0.05. Rows are not paired: every request was answered by one version. For two
//! models that answered the same requests see [`validate`](super::validate).

mod figures;
mod report;

use std::collections::BTreeMap;
use std::time::Instant;

use figures::figures;
pub use report::{CompareReport, ComparedFigure, Comparison, ComparisonSide};

use super::config::{ERROR_RATE, LATENCY_P95, ModelConfig};
use super::count::{self, Counted};
use super::error::ModelError;
use super::measure::{Better, metric};
use super::options::Limits;
use super::report::{Dates, RunFacts, Segment};
use super::rows::Group;
use super::tally::Tally;
use crate::format::{percent, probability, ratio, significant};
use crate::stats::{Adjustment, adjust};
use crate::verdict::Level;

/// q-values up to this one are no chance.
const Q: f64 = 0.05;
/// PSI of scores from here on is worth knowing.
const PSI: f64 = 0.1;

/// Which versions are compared: those named, or else the one with the most rows with each other one.
#[derive(Clone, Debug, Default)]
pub struct Versions {
    /// The one that serves.
    pub production: Option<String>,
    /// The one that may replace it.
    pub canary: Option<String>,
}

/// Compares the versions of each model on the current rayon pool, holding about `memory` bytes of counts and labels.
///
/// # Errors
/// When a configuration does not fit the data, a version that is named does not occur, or a file cannot be read.
pub fn compare(models: &[ModelConfig], versions: &Versions, memory: u64) -> Result<CompareReport, ModelError> {
    let started = Instant::now();
    let mut comparisons = Vec::new();
    for config in models {
        if config.version.is_none() {
            let what = "comparing takes the column of the `version` that answered";
            return Err(ModelError::Missing { model: config.name.clone(), what });
        }
        let counted = count::log(config, &count::open_log(config)?, None, memory, None)?;
        comparisons.extend(of_model(config, &counted, versions)?);
    }
    let run = RunFacts {
        version: env!("CARGO_PKG_VERSION"),
        duration_seconds: started.elapsed().as_secs_f64(),
        backend: "cpu",
        ..RunFacts::default()
    };
    Ok(CompareReport { schema_version: 1, run, comparisons })
}

/// A version, by what people call it.
fn called(version: Option<&str>) -> &str {
    version.unwrap_or("null")
}

fn of_model(config: &ModelConfig, counted: &Counted, versions: &Versions) -> Result<Vec<Comparison>, ModelError> {
    let mut rows: BTreeMap<&str, u64> = BTreeMap::new();
    for (group, tally) in counted.groups.iter().filter(|(group, _)| group.segment.is_none()) {
        *rows.entry(called(group.version.as_deref())).or_default() += tally.rows.rows;
    }
    for (key, named) in [("production", &versions.production), ("canary", &versions.canary)] {
        if let Some(named) = named.as_ref().filter(|named| !rows.contains_key(named.as_str())) {
            let known = rows.keys().copied().collect::<Vec<_>>().join(", ");
            let expected = format!("the versions of model {} are {known}", config.name);
            return Err(ModelError::Value { key, value: named.clone(), expected });
        }
    }
    let canary = versions.canary.as_deref();
    let most = rows.iter().filter(|(name, _)| Some(**name) != canary).max_by_key(|(_, count)| **count);
    let Some(production) = versions.production.as_deref().or(most.map(|(name, _)| *name)) else {
        return Ok(Vec::new());
    };
    // Groups of one window and one segment, each of another version.
    let mut places: BTreeMap<Group, Vec<(&str, &Tally)>> = BTreeMap::new();
    for (group, tally) in &counted.groups {
        let place = Group { version: None, ..group.clone() };
        places.entry(place).or_default().push((called(group.version.as_deref()), tally));
    }
    let mut comparisons = Vec::new();
    for (place, all) in &places {
        let Some((_, tally)) = all.iter().find(|(name, _)| *name == production) else { continue };
        let others = all.iter().filter(|(name, _)| *name != production);
        for (other, of_other) in others.filter(|(name, _)| canary.is_none_or(|canary| canary == *name)) {
            let sides = [(production, *tally), (*other, *of_other)];
            comparisons.push(compared(config, counted, place, all, sides)?);
        }
    }
    judge(config, &mut comparisons);
    Ok(comparisons)
}

fn compared(
    config: &ModelConfig,
    counted: &Counted,
    place: &Group,
    all: &[(&str, &Tally)],
    sides: [(&str, &Tally); 2],
) -> Result<Comparison, ModelError> {
    let rows: u64 = all.iter().map(|(_, tally)| tally.rows.rows).sum();
    let side = |(version, tally): (&str, &Tally)| ComparisonSide {
        version: version.to_owned(),
        traffic: ratio(tally.rows.rows, rows),
        coverage: ratio(tally.rows.labelled, tally.rows.rows),
        rows: tally.rows,
    };
    let dates = place.window.and_then(|start| config.window.dates(start));
    let segment = place.segment.as_ref();
    Ok(Comparison {
        model: config.name.clone(),
        window: dates.map(|[start, end]| Dates { start: start.to_string(), end: end.to_string() }),
        untimed: place.window.is_none(),
        segment: segment.map(|(at, value)| Segment { column: counted.segments[*at].clone(), value: value.clone() }),
        production: side(sides[0]),
        canary: side(sides[1]),
        level: Level::Ok,
        reasons: Vec::new(),
        figures: figures(config, counted.has_labels, sides.map(|(_, tally)| tally))?,
    })
}

/// Adjusts the p-values of a model, and gives each comparison its level.
fn judge(config: &ModelConfig, comparisons: &mut [Comparison]) {
    let p: Vec<Option<f64>> =
        comparisons.iter().flat_map(|one| one.figures.values().map(|figure| figure.p_value)).collect();
    let mut q = adjust(&p, Adjustment::BenjaminiHochberg).into_iter();
    for comparison in comparisons {
        for figure in comparison.figures.values_mut() {
            figure.q_value = q.next().flatten();
        }
        let few = [&comparison.production, &comparison.canary].map(|side| side.rows.measured < config.min_labels);
        let (few, mut reasons) = (few.contains(&true), Vec::new());
        for (name, figure) in &mut comparison.figures {
            if let Some((level, reason)) = level(config, name, figure, few) {
                figure.level = level;
                reasons.push((level, reason));
            }
        }
        reasons.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
        comparison.level = reasons.first().map_or(Level::Ok, |(level, _)| *level);
        comparison.reasons = reasons.into_iter().map(|(_, reason)| reason).collect();
    }
}

/// What a figure amounts to, with the sentence that says so; `None` where it is nothing.
fn level(config: &ModelConfig, name: &str, figure: &ComparedFigure, few: bool) -> Option<(Level, String)> {
    // A figure without a test has nothing but its effect.
    if figure.test.is_some() && figure.q_value.is_none_or(|q| q > Q) {
        return None;
    }
    let sure = figure.q_value.map_or_else(|| "without a test".to_owned(), |q| format!("q {}", probability(q)));
    if name == "score" || name == "prediction" || name.starts_with("score:") {
        let psi = figure.psi.filter(|psi| *psi >= PSI)?;
        let reason = format!("{name}s lie elsewhere: PSI {} ({sure})", significant(psi));
        return Some((Level::Info, reason));
    }
    let (production, canary) = figure.production.zip(figure.canary)?;
    let limits: &Limits = config.levels.get(name)?;
    let told = |words: &str| format!("{} of the canary {words} ({sure})", name.replace('_', " "));
    let (level, words) = match name {
        LATENCY_P95 => {
            let [before, after] = [production, canary].map(|value| limits.level(value));
            let level = if after > before { after } else { Level::Ok };
            (level, format!("is {} ms, that of production {}", significant(canary), significant(production)))
        }
        ERROR_RATE => (
            limits.level(canary - production),
            format!("is {}, that of production {}", percent(canary), percent(production)),
        ),
        _ if few => return None,
        _ => {
            let higher = metric(name).is_some_and(|card| card.better == Better::Higher);
            let worse = if higher { production - canary } else { canary - production };
            let words = format!(
                "is {} {}, that of production {}",
                significant(canary),
                if worse > 0.0 { "and worse" } else { "and better" },
                significant(production)
            );
            (limits.level(worse), words)
        }
    };
    (level > Level::Ok).then(|| (level, told(&words)))
}
