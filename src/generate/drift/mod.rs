//! Drift: what becomes of a feature in current. One file a kind, one line in the list below.
//!
//! A kind changes single numbers ([`Change::number`]), a distribution as a whole ([`Change::distribution`]), the special
//! values, or where the draws come from. No kind is planned for a distribution on which it would be the same as another
//! kind: a shifted exponential is one whose beginning was cut off, a narrower uniform is a scaled one.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::distribution::{Distribution, Sampler};
use super::feature::{Expected, Feature, Specials};
use super::types::{Class, class_of};

/// A kind of drift.
trait Change: Sized {
    /// Its name on the command line.
    const NAME: &'static str;
    /// What happens, in a few words.
    const SAYS: &'static str;

    /// Whether a column of this type can drift so.
    fn takes(data_type: &DataType) -> bool;

    /// Whether the drift shows on the feature, as what it is.
    fn suits(_: &Feature) -> bool {
        true
    }

    /// What the feature is about, and the distribution that shows the drift, where the usual ones do not.
    fn shown_by(_: &DataType, _turn: usize) -> Option<(&'static str, Distribution)> {
        None
    }

    /// The drift of a feature made to measure: the `turn`th of its kind, `size` times as strong as usual.
    fn planned(feature: &Feature, turn: usize, size: f64) -> Self;

    /// What a scan should say of a feature with the planned drift of the usual size.
    fn expected(&self, _: &Feature) -> Expected {
        Expected::Critical
    }

    /// What becomes of one number. Whatever acts on the whole distribution leaves it alone.
    #[inline]
    fn number(&self, value: f64) -> f64 {
        value
    }

    /// What becomes of the distribution, where the drift acts on it as a whole. Says what is wrong when it cannot drift
    /// so.
    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        match before {
            Distribution::Ids { .. } => Err("identifiers can only go missing (null-spike)".into()),
            Distribution::Category { .. } => Err(format!("categories have no {}", Self::NAME)),
            _ => Ok(None),
        }
    }

    /// The special values of current.
    fn specials(&self, before: Specials) -> Specials {
        before
    }

    /// Whether the number is one that the drift put there: it gets no digits beyond those of an f64.
    fn exact(&self, _: f64) -> bool {
        false
    }

    /// Whether current draws what the reference drew, row by row.
    fn repeats(&self) -> bool {
        false
    }

    /// The feature whose values it has.
    fn partner(&self) -> Option<&str> {
        None
    }

    /// The drift in a few words, for people.
    fn describe(&self, feature: &Feature) -> String;
}

macro_rules! kinds {
    ($($module:ident :: $kind:ident),+ $(,)?) => {
        $(mod $module;)+
        $(pub use $module::$kind;)+

        /// A change that current shows against the reference.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each is described where it is defined")]
        pub enum Drift {
            $($kind($kind),)+
        }

        $(impl From<$kind> for Drift {
            fn from(drift: $kind) -> Self {
                Self::$kind(drift)
            }
        })+

        /// The kinds of [`Drift`], as they are named on the command line.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "one a variant of Drift, where they are described")]
        pub enum DriftKind {
            $($kind,)+
        }

        /// Every kind of drift with its name.
        pub const DRIFT_KINDS: [(&str, DriftKind); [$(DriftKind::$kind),+].len()] =
            [$(($kind::NAME, DriftKind::$kind)),+];

        impl DriftKind {
            /// What happens, in a few words.
            #[must_use]
            pub fn says(self) -> &'static str {
                match self { $(Self::$kind => $kind::SAYS,)+ }
            }

            /// Whether a column of this type can drift so.
            pub(super) fn takes(self, data_type: &DataType) -> bool {
                match self { $(Self::$kind => $kind::takes(data_type),)+ }
            }

            pub(super) fn suits(self, feature: &Feature) -> bool {
                match self { $(Self::$kind => $kind::suits(feature),)+ }
            }

            pub(super) fn shown_by(self, data_type: &DataType, turn: usize) -> Option<(&'static str, Distribution)> {
                match self { $(Self::$kind => $kind::shown_by(data_type, turn),)+ }
            }

            pub(super) fn planned(self, feature: &Feature, turn: usize, size: f64) -> Drift {
                match self { $(Self::$kind => $kind::planned(feature, turn, size).into(),)+ }
            }
        }

        impl Drift {
            /// Which kind it is.
            #[must_use]
            pub fn kind(&self) -> DriftKind {
                match self { $(Self::$kind(_) => DriftKind::$kind,)+ }
            }

            pub(super) fn expected(&self, feature: &Feature) -> Expected {
                match self { $(Self::$kind(drift) => drift.expected(feature),)+ }
            }

            #[inline]
            pub(super) fn number(&self, value: f64) -> f64 {
                match self { $(Self::$kind(drift) => drift.number(value),)+ }
            }

            pub(super) fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
                match self { $(Self::$kind(drift) => drift.distribution(before),)+ }
            }

            pub(super) fn specials(&self, before: Specials) -> Specials {
                match self { $(Self::$kind(drift) => drift.specials(before),)+ }
            }

            pub(super) fn exact(&self, value: f64) -> bool {
                match self { $(Self::$kind(drift) => drift.exact(value),)+ }
            }

            pub(super) fn repeats(&self) -> bool {
                match self { $(Self::$kind(drift) => drift.repeats(),)+ }
            }

            /// The feature whose values it has, where two changed places.
            #[must_use]
            pub fn partner(&self) -> Option<&str> {
                match self { $(Self::$kind(drift) => drift.partner(),)+ }
            }

            pub(super) fn describe(&self, feature: &Feature) -> String {
                match self { $(Self::$kind(drift) => drift.describe(feature),)+ }
            }
        }
    };
}

kinds! {
    shift::Shift,
    scale::Scale,
    spread::Spread,
    unit_change::UnitChange,
    null_spike::NullSpike,
    default_value::DefaultValue,
    new_category::NewCategory,
    vanished_category::VanishedCategory,
    recoded::Recoded,
    shares::Shares,
    constant::Constant,
    frozen::Frozen,
    clipping::Clipping,
    truncation::Truncation,
    rounding::Rounding,
    sign_flip::SignFlip,
    swapped::Swapped,
    time_zone::TimeZone,
    shape::Shape,
}

pub use recoded::Spelling;

impl DriftKind {
    /// The kind with the given name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        DRIFT_KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        DRIFT_KINDS.iter().find(|(_, kind)| *kind == self).expect("the list holds every kind").0
    }
}

/// A number or a category.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number; temporal values in their own unit.
    Number(f64),
    /// Name of a category.
    Label(String),
}

/// The categories of a distribution that a drift of categories changes.
fn categories(before: &Distribution) -> Result<(Vec<String>, Vec<f64>), String> {
    match before {
        Distribution::Category { labels, shares } => Ok((labels.clone(), shares.clone())),
        Distribution::Ids { .. } => Err("identifiers can only go missing (null-spike)".into()),
        _ => Err("only categories have labels".into()),
    }
}

/// Where a category stands among the others.
fn position(labels: &[String], label: &str) -> Result<usize, String> {
    labels.iter().position(|known| known == label).ok_or_else(|| format!("has no category `{label}`"))
}

/// The category of the given rank, most frequent first.
fn label(feature: &Feature, rank: usize) -> String {
    match &feature.distribution {
        Distribution::Category { labels, .. } => labels.get(rank).cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn class_is(data_type: &DataType, classes: &[Class]) -> bool {
    class_of(data_type).is_some_and(|class| classes.contains(&class))
}

/// The values that a type of numbers can hold.
fn range_of(data_type: &DataType) -> (f64, f64) {
    use DataType as T;
    match data_type {
        T::Int8 => (f64::from(i8::MIN), f64::from(i8::MAX)),
        T::Int16 => (f64::from(i16::MIN), f64::from(i16::MAX)),
        T::Int32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        T::Int64 => (-9e18, 9e18),
        T::UInt8 => (0.0, f64::from(u8::MAX)),
        T::UInt16 => (0.0, f64::from(u16::MAX)),
        T::UInt32 => (0.0, f64::from(u32::MAX)),
        T::UInt64 => (0.0, 1.8e19),
        other => super::types::limits(other),
    }
}

/// The distance between two neighbouring values of the feature, 0 where there is no such thing.
fn grid(feature: &Feature) -> f64 {
    let steps = matches!(feature.distribution, Distribution::Poisson { .. } | Distribution::Geometric { .. });
    match (feature.decimals, &feature.data_type) {
        (Some(decimals), _) => libm::exp10(-f64::from(decimals)),
        (None, DataType::Decimal128(_, scale)) if !steps => libm::exp10(-f64::from(*scale)),
        (None, data_type) if steps || data_type.is_integer() => 1.0,
        _ => 0.0,
    }
}

/// About one standard deviation of what lies together: of two modes, of one of them.
fn width(feature: &Feature) -> f64 {
    match feature.distribution {
        Distribution::Bimodal { sd, .. } => sd,
        ref distribution => Sampler::new(distribution).spread(),
    }
}

/// A quantile of the feature.
fn quantile(feature: &Feature, share: f64) -> f64 {
    Sampler::new(&feature.distribution).value(share)
}

#[cfg(test)]
mod tests;
