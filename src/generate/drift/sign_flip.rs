//! Every value changes its sign.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is, quantile, range_of};
use crate::generate::distribution::Sampler;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// Debit for credit: every number changes its sign.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SignFlip {}

impl Change for SignFlip {
    const NAME: &'static str = "sign-flip";
    const SAYS: &'static str = "every value changes its sign";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number]) && range_of(data_type).0 < 0.0
    }

    fn suits(feature: &Feature) -> bool {
        // What lies on both sides of zero looks much the same in the mirror.
        let spread = Sampler::new(&feature.distribution).spread();
        quantile(feature, 0.02) >= 0.0 || quantile(feature, 0.5).abs() > spread
    }

    fn planned(_: &Feature, _: usize, _: f64) -> Self {
        Self {}
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        -value
    }

    fn describe(&self, _: &Feature) -> String {
        "minus for plus".into()
    }
}
