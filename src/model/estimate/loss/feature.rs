//! Columns of features: which they are in a data set, and their values.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use crate::model::columns::{Coded, floats, times};
use crate::model::config::ModelConfig;
use crate::source::{Dataset, Fault};

/// What the values of a feature are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::model) enum Kind {
    /// Numbers; booleans are 0 and 1, times microseconds.
    Number,
    /// Names of categories.
    Name,
}

/// Values of a feature.
#[derive(Clone, Debug)]
pub(in crate::model) enum Feature {
    /// NaN where there is none.
    Numbers(Vec<f64>),
    /// By code.
    Names(Coded),
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..))
}

fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Dictionary(_, values) => kind(values),
        other if other.is_numeric() || is_time(other) => Kind::Number,
        DataType::Boolean => Kind::Number,
        _ => Kind::Name,
    }
}

/// The features of a model in `data`: their columns are added to those that are `read`. Indices into `read`, and kinds; or why
/// they cannot be used.
pub(in crate::model) fn find(
    config: &ModelConfig,
    data: &Dataset,
    called: &str,
    read: &mut Vec<usize>,
) -> Result<(Vec<usize>, Vec<Kind>), String> {
    let (mut at, mut kinds) = (Vec::new(), Vec::new());
    for name in &config.features {
        let column = data.column(name).ok_or_else(|| format!("the {called} has no column `{name}`"))?;
        let facts = &data.columns()[column];
        if let Some(problem) = &facts.problem {
            return Err(format!("column `{name}` of the {called} cannot be read: {problem}"));
        }
        let mut of_types = facts.types.iter().filter(|data_type| **data_type != DataType::Null).map(kind);
        let first = of_types.next().unwrap_or(Kind::Number);
        if of_types.any(|kind| kind != first) {
            return Err(format!("column `{name}` of the {called} is text in some files and a number in others"));
        }
        kinds.push(first);
        at.push(read.iter().position(|&known| known == column).unwrap_or_else(|| {
            read.push(column);
            read.len() - 1
        }));
    }
    Ok((at, kinds))
}

impl Feature {
    /// The values in an array.
    pub(in crate::model) fn of(array: &ArrayRef, kind: Kind) -> Result<Self, Fault> {
        if kind == Kind::Name {
            return Ok(Self::Names(Coded::of(array)?));
        }
        if is_time(array.data_type()) {
            #[expect(clippy::cast_precision_loss, reason = "to the microsecond for 285 years, and near it beyond")]
            let values = times(array)?.iter().map(|time| time.map_or(f64::NAN, |time| time as f64)).collect();
            return Ok(Self::Numbers(values));
        }
        Ok(Self::Numbers(floats(array)?.iter().map(|value| finite(value.unwrap_or(f64::NAN))).collect()))
    }
}

/// Trees compare values, so any number beyond all others does for an infinite one.
fn finite(value: f64) -> f64 {
    value.clamp(-1e300, 1e300)
}
