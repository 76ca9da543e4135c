//! Rows with values beyond a limit are gone.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is, quantile};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// A filter or a partial load: what lies outside is not there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Truncation {
    /// Lower limit, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper limit, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

impl Change for Truncation {
    const NAME: &'static str = "truncation";
    const SAYS: &'static str = "values beyond a limit are gone";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number])
    }

    fn suits(feature: &Feature) -> bool {
        // What is left of a uniform is a narrower one.
        !matches!(feature.distribution, Distribution::Uniform { .. })
    }

    fn planned(feature: &Feature, turn: usize, size: f64) -> Self {
        use Distribution as D;
        // Where most are zero, a limit below them changes nothing, and one at zero leaves nothing else.
        let gone = match feature.distribution {
            D::ZeroInflated { zeros, .. } => (0.3 * size).min(0.9 * (1.0 - zeros)),
            _ => (0.3 * size).min(0.9),
        };
        // Of these, what is left above a limit is a shifted one.
        let falling = matches!(
            feature.distribution,
            D::Exponential { .. } | D::Geometric { .. } | D::Pareto { .. } | D::ZeroInflated { .. }
        );
        match turn.is_multiple_of(2) && !falling {
            true => Self { low: Some(quantile(feature, gone)), high: None },
            false => Self { low: None, high: Some(quantile(feature, 1.0 - gone)) },
        }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        if before.is_category() {
            return Err("categories have no truncation".into());
        }
        let of = Box::new(before.clone());
        Ok(Some(Distribution::Between {
            low: self.low.unwrap_or(f64::NEG_INFINITY),
            high: self.high.unwrap_or(f64::INFINITY),
            of,
        }))
    }

    fn describe(&self, _: &Feature) -> String {
        let [low, high] = [("below", self.low), ("above", self.high)]
            .map(|(where_, limit)| limit.map(|limit| format!("nothing {where_} {limit}")));
        [low, high].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}
