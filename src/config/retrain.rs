//! `[retrain]`: when a model is to be trained again.

use super::checks::Checks;
use super::sections::Section;
use crate::retrain::{PolicyName, RetrainConfig};

impl Section for RetrainConfig {
    fn over(self, shared: Self) -> Self {
        self.or(shared)
    }

    fn check(&self, checks: &mut Checks) {
        for (key, value) in [("drift", self.drift), ("performance_drop", self.performance_drop)] {
            if let Some(value) = value {
                checks.value(key, value, value > 0.0 && value <= 1.0, "must be above 0 and at most 1");
            }
        }
        for (key, value) in [("cost", self.cost), ("loss_per_day", self.loss_per_day)] {
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
