//! Values go missing.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::Change;
use crate::generate::distribution::Distribution;
use crate::generate::feature::{Expected, Feature, Specials};
use crate::generate::readme::percent;
use crate::generate::types::{Class, class_of};

/// Values go missing. Of the rows that are left, as many are NaN or infinite as before.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NullSpike {
    /// Share of nulls in current.
    pub share: f64,
}

impl Change for NullSpike {
    const NAME: &'static str = "null-spike";
    const SAYS: &'static str = "values go missing";

    fn takes(data_type: &DataType) -> bool {
        class_of(data_type).is_some_and(|class| class != Class::Nested)
    }

    fn planned(feature: &Feature, _: usize, size: f64) -> Self {
        Self { share: (feature.specials.nulls + 0.4 * size).min(1.0) }
    }

    fn expected(&self, _: &Feature) -> Expected {
        Expected::Info
    }

    fn distribution(&self, _: &Distribution) -> Result<Option<Distribution>, String> {
        Ok(None)
    }

    fn specials(&self, before: Specials) -> Specials {
        let left = if before.nulls < 1.0 { (1.0 - self.share) / (1.0 - before.nulls) } else { 0.0 };
        Specials {
            nulls: self.share,
            nans: before.nans * left,
            infinities: before.infinities * left,
            negative_infinities: before.negative_infinities * left,
            negative_zeros: before.negative_zeros * left,
        }
    }

    fn describe(&self, _: &Feature) -> String {
        format!("{} are null", percent(self.share))
    }
}
