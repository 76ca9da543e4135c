//! Validation before deployment: does the challenger do what the policy asks, beside the champion?
//!
//! The two logs hold predictions for the same rows, paired on an id. Every [`Figure`] is a value for each side and for the
//! change between them, with an interval from a paired bootstrap (rows are drawn together, so what both find hard cancels out),
//! or from a test made for it: McNemar for accuracy, DeLong for ROC AUC. Each [`Rule`] of the [`Policy`] bounds one figure, and
//! is kept, broken, or unsure when the bound lies inside the interval. [`Decision`]: reject when a rule is broken, hold when
//! one is unsure, deploy otherwise.
//!
//! Pairs are held in memory, some 60 bytes each.

mod bootstrap;
mod fairness;
mod figures;
mod html;
mod paired;
mod pairs;
mod policy;
mod report;
mod training;

use std::path::Path;
use std::time::Instant;

pub use fairness::{GroupRates, Rate};
pub use figures::Figure;
pub use pairs::PairRows;
pub use policy::{Policy, Rule};
pub use report::{Decision, RuleReport, ValidationReport, ValidationRun};
pub use training::TrainingDrift;

use super::error::ModelError;

/// Compares a challenger with a champion on the current rayon pool.
///
/// # Errors
/// When the policy cannot be used or does not fit the logs, or a file cannot be read.
pub fn validate(
    champion: &[String],
    challenger: &[String],
    policy_file: &Path,
) -> Result<ValidationReport, ModelError> {
    let started = Instant::now();
    let policy = Policy::read(policy_file)?;
    let paired = pairs::read(&policy, champion, challenger)?;
    let mut figures = figures::all(&policy, &paired, "")?;
    if let Some(recent) = paired.recent(&policy)? {
        figures.extend(figures::all(&policy, &recent, "recent.")?);
    }
    figures.extend(figures::operations(&policy, &paired)?);
    let training = training::drift(&policy)?;
    figures.extend(training::figures(&training));
    let groups = fairness::rates(&policy, &paired);
    let rules = report::judge(&policy, policy_file, &figures, paired.rows.paired)?;
    let run = ValidationRun {
        version: env!("CARGO_PKG_VERSION"),
        champion: champion.to_vec(),
        challenger: challenger.to_vec(),
        policy: policy_file.display().to_string(),
        duration_seconds: started.elapsed().as_secs_f64(),
    };
    let decision = rules.iter().map(|rule| rule.answer).max().unwrap_or_default();
    let (confidence, samples, seed) = (policy.confidence().level(), policy.samples(), policy.seed());
    Ok(ValidationReport {
        schema_version: 1,
        run,
        decision,
        confidence,
        samples,
        seed,
        rows: paired.rows,
        rules,
        figures,
        groups,
        training,
    })
}
