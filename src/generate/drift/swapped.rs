//! Two features change places.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// Two features of one type change places: each has the rows that the other would have had.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Swapped {
    /// Name of the other one.
    pub with: String,
}

impl Change for Swapped {
    const NAME: &'static str = "swapped";
    const SAYS: &'static str = "two features of one type change places";

    fn takes(data_type: &DataType) -> bool {
        use DataType as T;
        // Two booleans that changed places are two whose shares moved, and two times of day are alike.
        class_is(data_type, &[Class::Number, Class::Category])
            || matches!(data_type, T::Date32 | T::Date64 | T::Timestamp(..))
    }

    fn planned(_: &Feature, _: usize, _: f64) -> Self {
        Self { with: String::new() }
    }

    fn distribution(&self, _: &Distribution) -> Result<Option<Distribution>, String> {
        Ok(None)
    }

    fn partner(&self) -> Option<&str> {
        Some(&self.with)
    }

    fn describe(&self, _: &Feature) -> String {
        format!("the values of `{}`", self.with)
    }
}
