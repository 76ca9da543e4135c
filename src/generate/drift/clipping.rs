//! Values beyond a limit are set to it.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is, quantile};
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// Saturation: what lies outside is moved to the nearer limit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Clipping {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

impl Change for Clipping {
    const NAME: &'static str = "clipping";
    const SAYS: &'static str = "values beyond a limit are set to it";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number, Class::Time])
    }

    fn planned(feature: &Feature, _: usize, size: f64) -> Self {
        let beyond = (0.25 * size).min(0.45);
        Self { low: quantile(feature, beyond), high: quantile(feature, 1.0 - beyond) }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        value.max(self.low).min(self.high)
    }

    fn exact(&self, value: f64) -> bool {
        value == self.low || value == self.high
    }

    fn describe(&self, _: &Feature) -> String {
        format!("nothing below {} or above {}", self.low, self.high)
    }
}
