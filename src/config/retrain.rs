//! `[retrain]`: when a model is to be trained again.

use super::checks::Checks;
use super::sections::Section;
use super::select::did_you_mean;
use crate::model::{METRICS, metric};
use crate::retrain::{PolicyName, RetrainConfig};

impl Section for RetrainConfig {
    fn over(self, shared: Self) -> Self {
        self.or(shared)
    }

    fn check(&self, checks: &mut Checks) {
        if let Some(drift) = self.drift {
            checks.value("drift", drift, drift > 0.0 && drift <= 1.0, "must be above 0 and at most 1");
        }
        if let Some(name) = self.metric.as_ref().filter(|name| metric(name).is_none()) {
            let hint = did_you_mean(name, METRICS.iter().map(|card| card.name));
            checks.wrong("metric", format!("no metric is called {name}{hint}; `gpudrift model metrics` lists them"));
        }
        let amounts =
            [("performance_drop", self.performance_drop), ("cost", self.cost), ("loss_per_day", self.loss_per_day)];
        for (key, value) in amounts {
            if let Some(value) = value {
                checks.value(key, value, value > 0.0 && value.is_finite(), "must be above 0");
            }
        }
        if let Some(nights) = self.nights {
            checks.value("nights", nights, (1..=1000).contains(&nights), "must be from 1 to 1000");
        }
        if self.policy == Some(PolicyName::Budgeted) && (self.cost.is_none() || self.loss_per_day.is_none()) {
            checks.wrong("policy", "policy is budgeted, which takes a cost and a loss_per_day");
        }
    }
}
