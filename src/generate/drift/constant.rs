//! Every row has the same value.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, Value, categories, label, position, quantile};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::{Class, class_of};

/// A stuck sensor: every row has the same value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Constant {
    /// That value.
    pub value: Value,
}

impl Change for Constant {
    const NAME: &'static str = "constant";
    const SAYS: &'static str = "every row has the same value";

    fn takes(data_type: &DataType) -> bool {
        class_of(data_type).is_some_and(|class| class != Class::Nested)
    }

    fn planned(feature: &Feature, _: usize, _: f64) -> Self {
        Self {
            value: match feature.distribution {
                Distribution::Category { .. } => Value::Label(label(feature, 0)),
                _ => Value::Number(quantile(feature, 0.5)),
            },
        }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        match self.value {
            Value::Number(constant) => constant,
            Value::Label(_) => value,
        }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        match &self.value {
            Value::Number(_) if before.is_category() => {
                Err("a constant of categories is a label, and identifiers can only go missing (null-spike)".into())
            }
            Value::Number(_) => Ok(None),
            Value::Label(label) => {
                let (labels, mut shares) = categories(before)?;
                let at = position(&labels, label)?;
                shares.iter_mut().enumerate().for_each(|(i, s)| *s = if i == at { 1.0 } else { 0.0 });
                Ok(Some(Distribution::Category { labels, shares }))
            }
        }
    }

    fn exact(&self, _: f64) -> bool {
        true
    }

    fn describe(&self, _: &Feature) -> String {
        match &self.value {
            Value::Number(value) => format!("always {value}"),
            Value::Label(label) => format!("always {label}"),
        }
    }
}
