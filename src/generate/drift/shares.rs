//! The categories pass shares among themselves.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, categories, class_is};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// Every second category, the largest first, becomes less frequent and the others more so: the quotient of their odds
/// grows by `odds`. Of booleans, the odds of true do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shares {
    /// By which factor.
    pub odds: f64,
}

impl Change for Shares {
    const NAME: &'static str = "shares";
    const SAYS: &'static str = "some categories, or true, become more frequent at the cost of others";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Boolean, Class::Category])
    }

    fn suits(feature: &Feature) -> bool {
        // Of a rare event four times as many are still few.
        !matches!(feature.distribution, Distribution::Bernoulli { share } if !(0.1..=0.9).contains(&share))
    }

    fn planned(_: &Feature, _: usize, size: f64) -> Self {
        Self { odds: libm::pow(4.0, size) }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        if let Distribution::Bernoulli { share } = before {
            let share = share * self.odds / (share * self.odds + 1.0 - share);
            return Ok(Some(Distribution::Bernoulli { share }));
        }
        let (labels, mut shares) = categories(before)?;
        shares.iter_mut().skip(1).step_by(2).for_each(|share| *share *= self.odds);
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        Ok(Some(Distribution::Category { labels, shares }))
    }

    fn describe(&self, _: &Feature) -> String {
        format!("the odds change by {}", self.odds)
    }
}
