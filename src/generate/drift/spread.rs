//! The values lie wider apart, or closer together.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is, grid, quantile, range_of, width};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// Numbers go to `factor` times their distance from `centre`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// How many times as far.
    pub factor: f64,
    /// What stays where it is.
    pub centre: f64,
}

impl Change for Spread {
    const NAME: &'static str = "spread";
    const SAYS: &'static str = "the values lie wider apart, or closer together, around their median";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number])
    }

    fn suits(feature: &Feature) -> bool {
        // Around zero it would be a scale; and whole numbers need room for closer ones.
        let around_zero = quantile(feature, 0.5).abs() <= 0.5 * width(feature);
        // A narrower uniform is one whose ends were cut off.
        let uniform = matches!(feature.distribution, Distribution::Uniform { .. });
        !around_zero && width(feature) > 4.0 * grid(feature) && !(uniform && range_of(&feature.data_type).0 >= 0.0)
    }

    fn planned(feature: &Feature, turn: usize, size: f64) -> Self {
        let signed = range_of(&feature.data_type).0 < 0.0;
        let wider = libm::pow(2.0, size);
        let uniform = matches!(feature.distribution, Distribution::Uniform { .. });
        let factor = if signed && (uniform || turn.is_multiple_of(2)) { wider } else { 1.0 / wider };
        Self { factor, centre: quantile(feature, 0.5) }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        self.centre + self.factor * (value - self.centre)
    }

    fn describe(&self, _: &Feature) -> String {
        format!("{} times as far from {}", self.factor, self.centre)
    }
}
