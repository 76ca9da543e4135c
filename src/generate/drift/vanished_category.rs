//! A category that current no longer has.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, categories, class_is, label, position};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// A category of the reference that current no longer has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VanishedCategory {
    /// Its name.
    pub label: String,
}

impl Change for VanishedCategory {
    const NAME: &'static str = "vanished-category";
    const SAYS: &'static str = "the largest category is gone";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Category])
    }

    fn planned(feature: &Feature, _: usize, _: f64) -> Self {
        Self { label: label(feature, 0) }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        let (mut labels, mut shares) = categories(before)?;
        let at = position(&labels, &self.label)?;
        if labels.len() == 1 {
            return Err(format!("`{}` is its only category and cannot vanish", self.label));
        }
        labels.remove(at);
        let left = 1.0 - shares.remove(at);
        shares.iter_mut().for_each(|s| *s /= left);
        Ok(Some(Distribution::Category { labels, shares }))
    }

    fn describe(&self, _: &Feature) -> String {
        format!("{} no longer appears", self.label)
    }
}
