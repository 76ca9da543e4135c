//! What groups are measured against: figures, predictions and estimates of the reference.

use std::collections::BTreeMap;

use super::config::ModelConfig;
use super::count::{Counted, Log};
use super::drift::References;
use super::error::ModelError;
use super::estimate::{Estimation, Estimator, Method};
use super::measures::{Measures, measures};
use super::options::Task;

/// A value of a segment, by its column; `None` for all rows.
pub(super) type Slice = Option<(String, Option<String>)>;

/// What groups are measured against.
#[derive(Default)]
pub(super) struct Baseline<'t> {
    /// Figures of the reference.
    pub(super) figures: BTreeMap<Slice, Measures>,
    /// Its predictions and scores.
    pub(super) predictions: BTreeMap<Slice, References<'t>>,
    /// What it says about labels that are still to come.
    pub(super) estimator: Option<Estimator>,
    /// Whether its rows have labels.
    pub(super) has_labels: bool,
    /// How estimates are made, or why not.
    pub(super) estimation: Option<Estimation>,
}

impl<'t> Baseline<'t> {
    /// Of a counted reference.
    pub(super) fn of(config: &ModelConfig, reference: &'t Counted, memory: u64) -> Result<Self, ModelError> {
        let mut baseline = Self { has_labels: reference.has_labels, ..Self::default() };
        for (group, tally) in &reference.groups {
            let slice = group.segment.as_ref().map(|(at, value)| (reference.segments[*at].clone(), value.clone()));
            if reference.has_labels {
                baseline.figures.insert(slice.clone(), measures(config, tally)?);
                if slice.is_none() {
                    let of_method = Estimation { method: Method::Cbpe, ..Estimation::default() };
                    match Estimator::of(config, tally, memory)? {
                        Ok(estimator) => {
                            baseline.estimator = Some(estimator);
                            baseline.estimation = Some(Estimation { rows: tally.rows.labelled, ..of_method });
                        }
                        Err(Some(reason)) => {
                            baseline.estimation = Some(Estimation { reason: Some(reason), ..of_method });
                        }
                        Err(None) => {}
                    }
                }
            }
            baseline.predictions.insert(slice, References::of(config, tally)?);
        }
        Ok(baseline)
    }

    /// Learns how wrong a regression is, where its features are named.
    pub(super) fn learn_losses(&mut self, config: &ModelConfig, log: &mut Log, memory: u64) -> Result<(), ModelError> {
        if config.task != Task::Regression || config.features.is_empty() || !self.has_labels {
            return Ok(());
        }
        let learned = match log.add_features(config, "log") {
            Ok(kinds) => Estimator::of_losses(config, &kinds, memory)?,
            Err(reason) => Err(reason),
        };
        let mut estimation =
            Estimation { method: Method::Dle, features: config.features.clone(), ..Estimation::default() };
        match learned {
            Ok((estimator, rows)) => {
                self.estimator = Some(estimator);
                estimation.rows = rows;
            }
            Err(reason) => estimation.reason = Some(reason),
        }
        self.estimation = Some(estimation);
        Ok(())
    }

    /// The figure of a segment of the reference, or a declared one.
    pub(super) fn figure(&self, config: &ModelConfig, slice: &Slice, name: &str) -> Option<f64> {
        let found = self.figures.get(slice).and_then(|figures| figures.get(name)).and_then(|measure| measure.value);
        found.or_else(|| config.baseline.get(name).copied())
    }
}
