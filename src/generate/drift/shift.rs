//! The same amount is added to every value.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, categories};
use crate::generate::distribution::{Distribution, Sampler};
use crate::generate::feature::Feature;
use crate::generate::readme::{percent, span};
use crate::generate::types::{Class, class_of, ticks_per_day};

/// Numbers move up by `by`. The share of true booleans rises by it; categories pass their shares on to the category
/// that many ranks later.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shift {
    /// How far.
    pub by: f64,
}

impl Change for Shift {
    const NAME: &'static str = "shift";
    const SAYS: &'static str = "the same amount is added to every value";

    fn takes(data_type: &DataType) -> bool {
        class_of(data_type).is_some_and(|class| class != Class::Nested)
    }

    fn suits(feature: &Feature) -> bool {
        // What begins later is what had its beginning cut off: these have no memory.
        !matches!(feature.distribution, Distribution::Exponential { .. } | Distribution::Geometric { .. })
    }

    fn planned(feature: &Feature, _: usize, size: f64) -> Self {
        let whole = |v: f64| if feature.data_type.is_floating() { v } else { v.round().max(1.0) };
        Self {
            by: match &feature.distribution {
                Distribution::Bernoulli { share } if *share > 0.5 => -0.3 * size,
                Distribution::Bernoulli { .. } => 0.3 * size,
                Distribution::Category { .. } => 1.0,
                distribution => whole(Sampler::new(distribution).spread() * size),
            },
        }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        value + self.by
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of ranks; saturates")]
    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        Ok(match before {
            Distribution::Bernoulli { share } => {
                Some(Distribution::Bernoulli { share: (share + self.by).clamp(0.0, 1.0) })
            }
            Distribution::Category { .. } | Distribution::Ids { .. } => {
                let (labels, mut shares) = categories(before)?;
                let ranks = self.by as usize % shares.len().max(1);
                shares.rotate_right(ranks);
                Some(Distribution::Category { labels, shares })
            }
            _ => None,
        })
    }

    fn describe(&self, feature: &Feature) -> String {
        let by = self.by;
        match &feature.distribution {
            Distribution::Bernoulli { share } => format!("true in {}", percent(share + by)),
            Distribution::Category { .. } => "the categories swap their shares".into(),
            _ if class_of(&feature.data_type) == Some(Class::Time) => {
                format!("{} later", span(by / ticks_per_day(&feature.data_type)))
            }
            _ => format!("{by} is added"),
        }
    }
}
