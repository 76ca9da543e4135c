//! A category that the reference never saw.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, categories, class_is, position};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::readme::percent;
use crate::generate::types::Class;

/// A category that the reference never saw.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewCategory {
    /// Its name.
    pub label: String,
    /// Its share in current.
    pub share: f64,
}

impl Change for NewCategory {
    const NAME: &'static str = "new-category";
    const SAYS: &'static str = "a category that the reference never saw";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Category])
    }

    fn planned(_: &Feature, _: usize, size: f64) -> Self {
        Self { label: "unseen".into(), share: (0.1 * size).min(0.9) }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        let (mut labels, mut shares) = categories(before)?;
        if position(&labels, &self.label).is_ok() {
            return Err(format!("already has the new category `{}`", self.label));
        }
        shares.iter_mut().for_each(|s| *s *= 1.0 - self.share);
        labels.push(self.label.clone());
        shares.push(self.share);
        Ok(Some(Distribution::Category { labels, shares }))
    }

    fn describe(&self, _: &Feature) -> String {
        format!("{} appears in {}", self.label, percent(self.share))
    }
}
