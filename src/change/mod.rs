//! What happened to a feature that moved: one file a kind of change, one line in [`KINDS`].
//!
//! The first question of an engineer is *pipeline bug or real drift*. A kind looks at the exact counts of both sides
//! (quantiles, frequent values, categories, nulls) and says, if it can, what the current side would be had just this
//! happened to the reference; how much of the observed difference that explains is its confidence. The kind with the
//! highest confidence is the answer; it comes with its evidence in numbers. Nothing here reads rows or files.
//!
//! ```text
//!     Subject ──> every kind of KINDS ──> Explanation     one feature
//!     Subjects ──> swapped::pairs ──────> Explanation     two features that changed places
//!     Explanations ──> incident::group ─> Incident        features that moved together
//! ```

mod card;
mod clipping;
mod constant;
mod default_value;
mod fit;
pub mod incident;
mod new_category;
mod null_spike;
mod recoded;
mod rounding;
mod scale;
mod shape;
mod shares;
mod shift;
mod sign_flip;
mod spread;
mod subject;
pub mod swapped;
mod text;
mod time_zone;
mod truncation;
mod unit_change;
mod vanished_category;

pub use crate::compare::Atom;
pub use card::{Cause, ChangeKind, Explanation};
pub use incident::Incident;
pub use rounding::lost_decimals;
pub use subject::{Label, Numbers, Subject};

/// Somebody who can say what happened to a feature.
pub trait Kind: Sync {
    /// Its name in the report.
    fn name(&self) -> &'static str;

    /// What happened, if it was this.
    fn examine(&self, subject: &Subject) -> Option<Explanation>;
}

/// Every kind that one feature alone can show, the more specific one first: it wins where two are equally sure.
pub static KINDS: &[&dyn Kind] = &[
    &constant::Constant,
    &null_spike::NullSpike,
    &default_value::DefaultValue,
    &unit_change::UnitChange,
    &time_zone::TimeZone,
    &sign_flip::SignFlip,
    &rounding::Rounding,
    &clipping::Clipping,
    &truncation::Truncation,
    &recoded::Recoded,
    &new_category::NewCategory,
    &vanished_category::VanishedCategory,
    &scale::Scale,
    &shift::Shift,
    &spread::Spread,
    &shares::Shares,
    &shape::Shape,
];

/// What happened to the feature: the kind with the highest confidence, the more specific one where two are equal.
#[must_use]
pub fn explain(subject: &Subject) -> Option<ChangeKind> {
    let mut best: Option<ChangeKind> = None;
    for kind in KINDS {
        let Some(found) = kind.examine(subject) else { continue };
        let found = found.of(kind.name());
        if best.as_ref().is_none_or(|best| found.confidence > best.confidence) {
            best = Some(found);
        }
    }
    best
}

#[cfg(test)]
pub(crate) mod tests;
