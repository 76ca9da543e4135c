//! How features moved over the nights.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{History, HistoryError, Point, RunFilter};
use crate::config::Patterns;
use crate::verdict::Level;

/// A feature over the runs of a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trend {
    /// The feature.
    pub feature: String,
    /// What each run says of it, the oldest first. Runs that lack it have no point.
    pub points: Vec<Point>,
    /// Where the level became another one.
    pub changes: Vec<LevelChange>,
}

/// A run in which a feature had another level than in the run before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LevelChange {
    /// Name of the run.
    pub run: String,
    /// Its window.
    pub window: String,
    /// The instant that it stands for.
    #[serde(with = "super::instant")]
    pub at: DateTime<Utc>,
    /// The level before.
    pub from: Level,
    /// The level from then on.
    pub to: Level,
}

impl Trend {
    fn of(feature: String, points: Vec<Point>) -> Self {
        let changes = points.windows(2).filter_map(|pair| {
            let [before, after] = [&pair[0], &pair[1]];
            (before.numbers.level != after.numbers.level).then(|| LevelChange {
                run: after.run.clone(),
                window: after.window.clone(),
                at: after.at,
                from: before.numbers.level,
                to: after.numbers.level,
            })
        });
        Self { feature, changes: changes.collect(), points }
    }

    /// The level in the latest run that has the feature.
    #[must_use]
    pub fn level(&self) -> Level {
        self.points.last().map(|point| point.numbers.level).unwrap_or_default()
    }

    /// The highest level of all its runs.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.points.iter().map(|point| point.numbers.level).max().unwrap_or_default()
    }
}

/// The features that `wanted` names (every one without it) over the runs that `filter` lets through: by the latest
/// level, then the worst one, then the latest PSI, the most severe first.
///
/// # Errors
/// When the history cannot be read.
pub fn trends(history: &History, filter: &RunFilter, wanted: Option<&Patterns>) -> Result<Vec<Trend>, HistoryError> {
    let mut points: BTreeMap<String, Vec<Point>> = BTreeMap::new();
    for run in history.runs(filter)? {
        for (feature, numbers) in history.numbers(&run)? {
            if wanted.is_none_or(|wanted| wanted.matches(&feature)) {
                let point = Point { run: run.name.clone(), window: run.window.clone(), at: run.at, numbers };
                points.entry(feature).or_default().push(point);
            }
        }
    }
    let mut trends: Vec<_> = points.into_iter().map(|(feature, points)| Trend::of(feature, points)).collect();
    let psi = |trend: &Trend| trend.points.last().and_then(|point| point.numbers.psi).unwrap_or(f64::NEG_INFINITY);
    trends.sort_by(|a, b| (b.level(), b.worst()).cmp(&(a.level(), a.worst())).then_with(|| psi(b).total_cmp(&psi(a))));
    Ok(trends)
}
