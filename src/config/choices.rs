//! Options with a fixed set of values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::stats::{Adjustment, KsChoice};
use crate::verdict::Level;

/// Who counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum BackendChoice {
    /// A real GPU when there is one, else the CPU
    #[default]
    Auto,
    /// Any GPU, software ones too; an error when there is none
    Gpu,
    /// The CPU
    Cpu,
}

/// How many facts of the two sides are reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FactsChoice {
    /// Mean, deviation, quantiles, distinct values, ...
    #[default]
    Full,
    /// Rows, nulls, NaN and infinite values only; faster
    Basic,
}

/// How p-values become q-values over all features of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Adjust {
    /// q = p
    None,
    /// Bounds the chance of any false alarm
    Bonferroni,
    /// Benjamini-Hochberg: bounds the share of false alarms
    #[default]
    Bh,
    /// Benjamini-Yekutieli: the same under any dependence
    By,
}

impl From<Adjust> for Adjustment {
    fn from(choice: Adjust) -> Self {
        match choice {
            Adjust::None => Self::None,
            Adjust::Bonferroni => Self::Bonferroni,
            Adjust::Bh => Self::BenjaminiHochberg,
            Adjust::By => Self::BenjaminiYekutieli,
        }
    }
}

/// Where the limits of PSI come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdChoice {
    /// psi_warning and psi_critical
    #[default]
    Fixed,
    /// Learned from the reference, for false_alarms_per_year
    Calibrated,
}

/// How p-values of KS are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum KsMethod {
    /// Exact up to 10 000 rows on the larger side, else asymptotic, as in SciPy
    #[default]
    Auto,
    /// Exact
    Exact,
    /// Asymptotic
    Asymp,
}

impl From<KsMethod> for KsChoice {
    fn from(choice: KsMethod) -> Self {
        match choice {
            KsMethod::Auto => Self::Auto,
            KsMethod::Exact => Self::Exact,
            KsMethod::Asymp => Self::Asymp,
        }
    }
}

/// The level from which a run ends with exit code 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Drift is a finding, not a failure
    #[default]
    Never,
    /// Any WARNING or CRITICAL feature
    Warning,
    /// Any CRITICAL feature
    Critical,
}

impl FailOn {
    /// Whether `worst` reaches the gate.
    #[must_use]
    pub fn is_reached(self, worst: Level) -> bool {
        match self {
            Self::Never => false,
            Self::Warning => worst >= Level::Warning,
            Self::Critical => worst >= Level::Critical,
        }
    }
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
