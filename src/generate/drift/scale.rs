//! Every value is multiplied by one factor.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is};
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// Numbers are multiplied by `factor`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scale {
    /// By how much.
    pub factor: f64,
}

impl Change for Scale {
    const NAME: &'static str = "scale";
    const SAYS: &'static str = "every value is multiplied by one factor, which is no unit";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number])
    }

    fn planned(_: &Feature, _: usize, size: f64) -> Self {
        Self { factor: libm::pow(3.0, size) }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        value * self.factor
    }

    fn describe(&self, _: &Feature) -> String {
        format!("× {}", self.factor)
    }
}
