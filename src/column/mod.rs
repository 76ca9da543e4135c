//! From columns to keys: which columns compare, which keys their values have, and what is counted on the way.
//!
//! [`pair()`] finds an [`Encoding`] that holds the values of both sides exactly and in order. [`read_keys`] turns a row
//! group of a column into keys and [`Facts`], [`read_codes()`] into codes of categories. Past this door no code sees a
//! float, a null or a NaN.

mod append;
mod byte_numbers;
mod categories;
mod class;
mod coded;
mod decode;
mod distinct;
mod encoding;
mod exact;
mod facts;
mod key;
mod lanes;
mod moments;
mod pair;
mod parted;
mod parted_codes;
mod plain;
mod read;
mod read_codes;
mod rows;
mod tally;
mod translate;
mod words;

use serde::{Deserialize, Serialize};

pub use categories::CategoryTable;
pub use class::Unit as TimeUnit;
pub use distinct::Distinct;
pub use encoding::Encoding;
pub use facts::{Facts, FactsLevel};
pub(crate) use key::f64_of;
pub use key::{f32_key, f64_key};
pub use moments::Moments;
pub use pair::{Incomparable, Pairing, pair};
pub(crate) use parted::{Parted, read_parted_keys};
pub(crate) use parted_codes::read_parted_codes;
pub use read::{Flush, read_keys, read_weighted_keys};
pub use read_codes::{read_codes, read_weighted_codes};
pub(crate) use rows::{Cell, read_cells};
pub(crate) use words::in_words_of;

/// What a feature is, and so which statistics it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Integers, floats, decimals.
    Numeric,
    /// Strings, binary values, and what the configuration makes categories.
    Categorical,
    /// Booleans, which get the statistics of 0 and 1 and those of two categories.
    Boolean,
    /// Dates, times, timestamps, durations: as the integers that are stored.
    Temporal,
}

impl Kind {
    /// The kind in lower case, as in the JSON report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Numeric => "numeric",
            Self::Categorical => "categorical",
            Self::Boolean => "boolean",
            Self::Temporal => "temporal",
        }
    }
}
