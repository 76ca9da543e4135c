//! The `[retrain]` section of `gpudrift.toml`.
//!
//! ```toml
//! [retrain]
//! policy = "triggered"        # or scheduled, continuous, budgeted
//! drift = 0.1                 # share of the features that drifted, by weight
//! model = "loan"              # whose windows `gpudrift model scan` keeps
//! performance_drop = 0.05
//! min_samples = 1000
//! cooldown = "7 days"
//! hooks = ["trainer"]         # channels of [alerts] that are told when the answer is yes
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::alert::Period;

/// What makes a training due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum PolicyName {
    /// Drift, or a drop of performance
    #[default]
    Triggered,
    /// Time
    Scheduled,
    /// Every new batch that is large enough
    Continuous,
    /// The loss of waiting has reached the cost of training
    Budgeted,
}

impl PolicyName {
    /// The name in the file and in answers.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Scheduled => "scheduled",
            Self::Continuous => "continuous",
            Self::Budgeted => "budgeted",
        }
    }
}

crate::config::optional! {
/// `[retrain]`: when a model is to be trained again.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrainConfig {
    /// What makes a training due; default `triggered`.
    pub policy: Option<PolicyName>,
    /// Share of the features that drifted, by weight, from which a training is due; default 0.1. Features whose change
    /// looks like a bug of the pipeline do not count.
    pub drift: Option<f64>,
    /// So many runs in a row must have it; default 1.
    pub nights: Option<u32>,
    /// The model of `[model.NAME]` whose windows in the history say how good it is; default: the only one.
    pub model: Option<String>,
    /// The metric that must not become worse; default accuracy, or R² of a regression.
    pub metric: Option<String>,
    /// Whether what scores let expect (CBPE) counts where labels are missing; default true.
    pub estimates: Option<bool>,
    /// Drop of performance against the model's baseline from which a training is due; default 0.05.
    pub performance_drop: Option<f64>,
    /// Rows since the last training that any training takes, of a model in the history rows with a label; default 1000.
    pub min_samples: Option<u64>,
    /// No training sooner after the last one; default 1 day.
    pub cooldown: Option<Period>,
    /// How often the schedule asks for a training; default 30 days.
    pub every: Option<Period>,
    /// What a training costs, in any unit; for `budgeted`.
    pub cost: Option<f64>,
    /// What a day costs, in that unit, on which all features have drifted; for `budgeted`.
    pub loss_per_day: Option<f64>,
    /// Channels of `[alerts]` that are told, once, when the answer is yes.
    pub hooks: Option<Vec<String>>,
}
}
