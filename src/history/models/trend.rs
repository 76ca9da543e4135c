//! Windows of models in series.

use std::collections::HashMap;

use serde::Serialize;

use super::{EarlierDefinition, ModelKey, ModelSegment, ModelWindow};
use crate::model::Task;
use crate::verdict::Level;

/// Which windows: all that agree with what is named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelFilter {
    /// Of this job.
    pub job: Option<String>,
    /// Of this model.
    pub model: Option<String>,
    /// Of this version.
    pub version: Option<String>,
    /// Only the rows of all segments.
    pub whole: bool,
    /// The latest so many windows of each model.
    pub last: Option<usize>,
}

/// Windows of one version and one segment of a model, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelTrend {
    /// Name of the job.
    pub job: String,
    /// Name of the model.
    pub model: String,
    /// What it predicts.
    pub task: Task,
    /// `None` for the rows of all segments.
    pub segment: Option<ModelSegment>,
    /// `None` where versions are not told apart.
    pub version: Option<String>,
    /// Its windows.
    pub windows: Vec<ModelWindow>,
}

/// What makes a window one, under whatever definition.
fn place(key: &ModelKey) -> ModelKey {
    ModelKey { definition: String::new(), ..key.clone() }
}

/// Of one window under several definitions the one that was stored last, with the others in it.
fn latest_definition(mut windows: Vec<ModelWindow>) -> Option<ModelWindow> {
    windows.sort_by_key(|window| window.latest().stored_at);
    let latest = windows.pop()?;
    let earlier = windows.into_iter().map(|ModelWindow { key, first, amended, .. }| EarlierDefinition {
        definition: key.definition,
        first,
        amended,
    });
    Some(ModelWindow { earlier: earlier.collect(), ..latest })
}

/// The windows that `filter` lets through, with their shares of the traffic, in the order of trends.
pub(super) fn filtered(windows: Vec<ModelWindow>, filter: &ModelFilter) -> Vec<ModelWindow> {
    let mut by_place: HashMap<ModelKey, Vec<ModelWindow>> = HashMap::new();
    for window in windows {
        by_place.entry(place(&window.key)).or_default().push(window);
    }
    let mut windows: Vec<ModelWindow> = by_place.into_values().filter_map(latest_definition).collect();
    let every_version = |key: &ModelKey| ModelKey { version: None, ..place(key) };
    let mut rows: HashMap<ModelKey, u64> = HashMap::new();
    for window in &windows {
        *rows.entry(every_version(&window.key)).or_default() += window.latest().rows.rows;
    }
    for window in &mut windows {
        let all = rows.get(&every_version(&window.key)).copied().unwrap_or_default();
        window.traffic = (all > 0).then(|| crate::format::ratio(window.latest().rows.rows, all));
    }
    windows.retain(|window| {
        let ModelKey { job, model, version, segment, .. } = &window.key;
        filter.job.as_ref().is_none_or(|wanted| wanted == job)
            && filter.model.as_ref().is_none_or(|wanted| wanted == model)
            && filter.version.as_ref().is_none_or(|wanted| Some(wanted) == version.as_ref())
            && !(filter.whole && segment.is_some())
    });
    if let Some(last) = filter.last {
        latest(&mut windows, last);
    }
    windows.sort_by(|a, b| order(a).cmp(&order(b)));
    windows
}

/// The latest so many windows of each model.
fn latest(windows: &mut Vec<ModelWindow>, last: usize) {
    let mut ends: HashMap<[String; 2], Vec<chrono::DateTime<chrono::Utc>>> = HashMap::new();
    let model = |window: &ModelWindow| [window.key.job.clone(), window.key.model.clone()];
    for window in windows.iter() {
        ends.entry(model(window)).or_default().push(window.at);
    }
    for ends in ends.values_mut() {
        ends.sort_unstable();
        ends.dedup();
        ends.drain(..ends.len().saturating_sub(last));
    }
    windows.retain(|window| ends.get(&model(window)).is_some_and(|ends| ends.contains(&window.at)));
}

type Order<'w> =
    (&'w str, &'w str, &'w Option<ModelSegment>, &'w Option<String>, chrono::DateTime<chrono::Utc>, &'w str);

fn order(window: &ModelWindow) -> Order<'_> {
    let ModelKey { job, model, segment, version, window: name, .. } = &window.key;
    (job, model, segment, version, window.at, name)
}

impl ModelTrend {
    /// Windows in the order of trends become series.
    pub(super) fn of(windows: Vec<ModelWindow>) -> Vec<Self> {
        let mut trends: Vec<Self> = Vec::new();
        for window in windows {
            let ModelKey { job, model, segment, version, .. } = &window.key;
            let same = |trend: &Self| {
                (&trend.job, &trend.model, &trend.segment, &trend.version) == (job, model, segment, version)
            };
            match trends.last_mut().filter(|trend| same(trend)) {
                Some(trend) => trend.windows.push(window),
                None => trends.push(Self {
                    job: job.clone(),
                    model: model.clone(),
                    task: window.task,
                    segment: segment.clone(),
                    version: version.clone(),
                    windows: vec![window],
                }),
            }
        }
        trends
    }

    /// The level of its latest window.
    #[must_use]
    pub fn level(&self) -> Level {
        self.windows.last().map(|window| window.latest().level).unwrap_or_default()
    }

    /// How it stands: the level of its latest window or, where labels are not there yet, of the latest one with figures from
    /// labels, if that is higher.
    #[must_use]
    pub fn standing(&self) -> Level {
        let measured = self.windows.iter().rev().find(|window| !window.latest().metrics.is_empty());
        self.level().max(measured.map(|window| window.latest().level).unwrap_or_default())
    }

    /// The highest level of all its windows.
    #[must_use]
    pub fn worst(&self) -> Level {
        self.windows.iter().map(|window| window.latest().level).max().unwrap_or_default()
    }

    /// A metric by window, as it is known now.
    #[must_use]
    pub fn metric(&self, name: &str) -> Vec<Option<f64>> {
        self.windows.iter().map(|window| window.latest().metric(name)).collect()
    }

    /// A metric by window as it was to be expected without labels.
    #[must_use]
    pub fn estimate(&self, name: &str) -> Vec<Option<f64>> {
        self.windows.iter().map(|window| window.latest().estimate(name)).collect()
    }
}
