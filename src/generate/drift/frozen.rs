//! The job that writes the column did not run.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is};
use crate::generate::distribution::Distribution;
use crate::generate::feature::{Expected, Feature};
use crate::generate::types::Class;

/// The job that writes the column did not run: row by row it holds what the reference holds. A scan can tell only where
/// both sides have as many rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Frozen {}

impl Change for Frozen {
    const NAME: &'static str = "frozen";
    const SAYS: &'static str = "row by row, current holds what the reference holds (needs as many rows on both sides)";

    fn takes(data_type: &DataType) -> bool {
        // As many trues as last time are chance.
        class_is(data_type, &[Class::Number, Class::Time, Class::Category])
    }

    fn planned(_: &Feature, _: usize, _: f64) -> Self {
        Self {}
    }

    fn expected(&self, _: &Feature) -> Expected {
        Expected::Info
    }

    fn distribution(&self, _: &Distribution) -> Result<Option<Distribution>, String> {
        Ok(None)
    }

    fn repeats(&self) -> bool {
        true
    }

    fn describe(&self, _: &Feature) -> String {
        "the values of the reference, row by row".into()
    }
}
