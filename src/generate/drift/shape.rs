//! The distribution gets another shape.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is, grid, quantile, width};
use crate::generate::distribution::{Distribution, Sampler};
use crate::generate::feature::Feature;
use crate::generate::readme::percent;
use crate::generate::types::Class;

/// New people come: a share of the rows is of another kind, around one value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shape {
    /// Share of the new ones in current.
    pub share: f64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub sd: f64,
}

impl Change for Shape {
    const NAME: &'static str = "shape";
    const SAYS: &'static str = "a share of the rows is of another kind, around one value";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number])
    }

    fn suits(feature: &Feature) -> bool {
        // All of them on one value would be a default.
        width(feature) > 20.0 * grid(feature)
    }

    fn planned(feature: &Feature, _: usize, size: f64) -> Self {
        let spread = Sampler::new(&feature.distribution).spread();
        Self { share: (0.35 * size).min(0.9), mean: quantile(feature, 0.9), sd: spread / 4.0 }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        if before.is_category() {
            return Err("categories have no shape".into());
        }
        let first = Box::new(Distribution::Normal { mean: self.mean, sd: self.sd });
        Ok(Some(Distribution::Either { share: self.share, first, second: Box::new(before.clone()) }))
    }

    fn describe(&self, _: &Feature) -> String {
        format!("{} lie around {}", percent(self.share), self.mean)
    }
}
