//! One feature of a synthetic store: what it holds, and what changes between the sides.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::distribution::Distribution;
use super::drift::Drift;

/// The two samples that a scan compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What the features looked like when all was well.
    Reference,
    /// What they look like now.
    Current,
}

impl Side {
    /// Both sides.
    pub const BOTH: [Self; 2] = [Self::Reference, Self::Current];

    /// Name of the side's folder.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Current => "current",
        }
    }
}

/// Shares of the rows that hold something else than an ordinary value. Whatever is not null exists only in floats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Specials {
    /// Nulls.
    pub nulls: f64,
    /// NaN.
    pub nans: f64,
    /// Positive infinities.
    pub infinities: f64,
    /// Negative infinities.
    pub negative_infinities: f64,
    /// Negative zeros.
    pub negative_zeros: f64,
}

impl Specials {
    /// The shares in one fixed order: nulls first.
    #[must_use]
    pub fn shares(&self) -> [f64; 5] {
        [self.nulls, self.nans, self.infinities, self.negative_infinities, self.negative_zeros]
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// On which sides a feature exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// On both.
    #[default]
    Both,
    /// The reference has a column that current lacks.
    ReferenceOnly,
    /// Current has a column that the reference lacks.
    CurrentOnly,
}

impl Presence {
    /// Whether the feature is a column of `side`.
    #[must_use]
    pub fn has(self, side: Side) -> bool {
        match self {
            Self::Both => true,
            Self::ReferenceOnly => side == Side::Reference,
            Self::CurrentOnly => side == Side::Current,
        }
    }
}

/// What a scan with default options should make of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// No drift and nothing to remark.
    Ok,
    /// No drift, but a remark: a new category, a changed type or null share.
    Info,
    /// PSI from 0.1 to below 0.2, and significant.
    Warning,
    /// PSI of at least 0.2, and significant.
    Critical,
    /// Not comparable: listed with a reason.
    Skipped,
}

/// One feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Name of the column.
    pub name: String,
    /// Type of the column in the reference, and in current unless `current_type` says otherwise.
    pub data_type: DataType,
    /// Type of the column in current, where it changed.
    pub current_type: Option<DataType>,
    /// Sides that have the column.
    pub presence: Presence,
    /// The ordinary values; before the drift, in current.
    pub distribution: Distribution,
    /// Floats and decimals are rounded to this many decimal places, which makes ties.
    pub decimals: Option<u8>,
    /// Rows that hold something else.
    pub specials: Specials,
    /// What changes in current.
    pub drift: Option<Drift>,
    /// What a scan should say.
    pub expected: Expected,
    /// A remark for people; may be empty.
    pub note: String,
}

impl Feature {
    /// A feature on both sides that does not drift and has no special values.
    #[must_use]
    pub fn new(name: impl Into<String>, data_type: DataType, distribution: Distribution) -> Self {
        Self {
            name: name.into(),
            data_type,
            current_type: None,
            presence: Presence::Both,
            distribution,
            decimals: None,
            specials: Specials::default(),
            drift: None,
            expected: Expected::Ok,
            note: String::new(),
        }
    }

    /// Type of the column on `side`.
    #[must_use]
    pub fn type_on(&self, side: Side) -> &DataType {
        match (side, &self.current_type) {
            (Side::Current, Some(changed)) => changed,
            _ => &self.data_type,
        }
    }
}
