//! What a kind of change says about a feature.

use serde::{Deserialize, Serialize};

/// Whose fault a change is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Something broke between the world and the feature: nobody's behaviour changed.
    Pipeline,
    /// The world changed, as far as the counts can tell.
    Data,
    /// The counts fit both.
    Unclear,
}

impl Cause {
    /// How a sentence calls it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Pipeline => "pipeline bug",
            Self::Data => "real drift",
            Self::Unclear => "bug or drift",
        }
    }
}

/// What a kind says about a feature.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What happened, in a few words: `unit change × 1000`. Features with the same title moved in the same way.
    pub title: String,
    /// The numbers that speak for it, as a sentence.
    pub evidence: String,
    /// From 0 to 1: the share of the difference that it explains, less what chance or another explanation may claim.
    pub confidence: f64,
    /// What it is here.
    pub cause: Cause,
}

impl Explanation {
    /// The explanation as the report has it.
    #[must_use]
    pub(super) fn of(self, kind: &str) -> ChangeKind {
        let Self { title, evidence, confidence, cause } = self;
        // Two digits are all that a confidence is worth.
        let confidence = (confidence.clamp(0.0, 1.0) * 100.0).round() / 100.0;
        ChangeKind { kind: kind.to_owned(), title, confidence, cause, evidence }
    }
}

/// What happened to a feature, as the report has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChangeKind {
    /// Name of the kind.
    pub kind: String,
    /// What happened, in a few words.
    pub title: String,
    /// From 0 to 1.
    pub confidence: f64,
    /// Pipeline bug or real drift.
    pub cause: Cause,
    /// The numbers that speak for it.
    pub evidence: String,
}

impl ChangeKind {
    /// The reason that people read: `unit change × 1000 (pipeline bug, 98% sure): every quantile is 1000 times …`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let sure = crate::format::percent(self.confidence);
        format!("{} ({}, {sure} sure): {}", self.title, self.cause.words(), self.evidence)
    }
}
