//! The answer: deploy, hold or reject, with the figure of every rule; as JSON, Markdown or HTML.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::fairness::GroupRates;
use super::figures::Figure;
use super::pairs::PairRows;
use super::policy::{Policy, Rule};
use super::training::TrainingDrift;
use crate::config::did_you_mean;
use crate::format::{count, probability, significant};
use crate::model::error::ModelError;

/// What follows from a rule, or from all of them; later ones win.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Every rule is kept.
    #[default]
    Deploy,
    /// Some rule may be broken: the data does not tell.
    Hold,
    /// Some rule is broken.
    Reject,
}

impl Decision {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }
}

/// What ran.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ValidationRun {
    /// Version of the program.
    pub version: &'static str,
    /// Paths and globs of the champion's log.
    pub champion: Vec<String>,
    /// Paths and globs of the challenger's log.
    pub challenger: Vec<String>,
    /// The policy.
    pub policy: String,
    /// Wall time.
    pub duration_seconds: f64,
}

/// A rule, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleReport {
    /// The figure that it bounds.
    pub figure: String,
    /// It must not be below.
    pub min: Option<f64>,
    /// It must not be above.
    pub max: Option<f64>,
    /// The figure.
    pub value: Option<f64>,
    /// Ends of its interval.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
    /// What follows.
    pub answer: Decision,
    /// Why.
    pub reason: String,
}

/// What a validation found.
#[derive(Clone, Debug, Serialize)]
pub struct ValidationReport {
    /// Version of this layout.
    pub schema_version: u32,
    /// What ran.
    pub run: ValidationRun,
    /// What follows from all rules.
    pub decision: Decision,
    /// Level of the intervals.
    pub confidence: f64,
    /// Samples of the bootstrap, and their seed.
    pub samples: u32,
    /// See `samples`.
    pub seed: u64,
    /// How many rows there were.
    pub rows: PairRows,
    /// Every rule.
    pub rules: Vec<RuleReport>,
    /// Every figure by name: `champion.`, `challenger.` and `change.` (challenger minus champion), over all pairs, and with
    /// `recent.` in front over the recent ones.
    pub figures: IndexMap<String, Figure>,
    /// What the challenger does with groups, by column.
    pub groups: BTreeMap<String, Vec<GroupRates>>,
    /// Features of the training data beside the current ones.
    pub training: Vec<TrainingDrift>,
}

/// Looks at every rule.
pub(super) fn judge(
    policy: &Policy,
    file: &Path,
    figures: &IndexMap<String, Figure>,
    paired: u64,
) -> Result<Vec<RuleReport>, ModelError> {
    let judged = policy.rule.iter().map(|rule| {
        let figure = figures.get(&rule.figure).ok_or_else(|| {
            let hint = did_you_mean(&rule.figure, figures.keys().map(String::as_str));
            let known = figures.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let reason = format!("no figure is called {}{hint}; known are {known}", rule.figure);
            ModelError::Policy { file: file.to_owned(), reason }
        })?;
        // Features of the training data are no pairs.
        let few = paired < policy.min_rows.unwrap_or(100) && !rule.figure.starts_with("training.");
        let (answer, reason) = answer(rule, figure, few);
        Ok(RuleReport {
            figure: rule.figure.clone(),
            min: rule.min,
            max: rule.max,
            value: figure.value,
            low: figure.low,
            high: figure.high,
            answer,
            reason,
        })
    });
    judged.collect()
}

fn answer(rule: &Rule, figure: &Figure, few: bool) -> (Decision, String) {
    let broken = rule.otherwise.unwrap_or(Decision::Reject);
    let unsure = broken.min(Decision::Hold);
    let Some(value) = figure.value else {
        return (unsure, "the figure is not defined on these rows".to_owned());
    };
    // An interval whose ends are unknown is the value alone.
    let certain = rule.certain.unwrap_or(true);
    let ends = figure.low.zip(figure.high).filter(|_| certain);
    let (low, high) = ends.unwrap_or((value, value));
    let (min, max) = (rule.min.unwrap_or(f64::NEG_INFINITY), rule.max.unwrap_or(f64::INFINITY));
    let bound = match (rule.min, rule.max) {
        (Some(min), Some(max)) => format!("{} to {}", significant(min), significant(max)),
        (Some(min), None) => format!("at least {}", significant(min)),
        (None, Some(max)) => format!("at most {}", significant(max)),
        (None, None) => "anything".to_owned(),
    };
    let seen = match ends {
        Some((low, high)) => format!("{} ({} to {})", significant(value), significant(low), significant(high)),
        None => significant(value),
    };
    match () {
        () if few => (unsure, format!("{seen}, from too few pairs to be sure; it must be {bound}")),
        () if low >= min && high <= max => (Decision::Deploy, format!("{seen} is {bound}")),
        () if high < min || low > max => (broken, format!("{seen} is not {bound}")),
        () => (unsure, format!("{seen} may not be {bound}")),
    }
}

impl ValidationReport {
    /// One object, an element a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self).map_err(io::Error::from)?;
        writeln!(out)
    }

    /// For people, and for pull requests.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_markdown(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# Validation: {}\n", self.decision.name())?;
        writeln!(
            out,
            "{} pairs with a label, of {} matched rows ({} of the champion, {} of the challenger); {} intervals, {} samples, seed {}.\n",
            count(self.rows.paired),
            count(self.rows.matched),
            count(self.rows.champion),
            count(self.rows.challenger),
            crate::format::percent(self.confidence),
            self.samples,
            self.seed
        )?;
        writeln!(out, "| rule | answer | why |\n|---|---|---|")?;
        for rule in &self.rules {
            writeln!(out, "| `{}` | {} | {} |", escaped(&rule.figure), rule.answer.name(), escaped(&rule.reason))?;
        }
        writeln!(
            out,
            "\n| figure | champion | challenger | change | interval of the change | p |\n|---|--:|--:|--:|--:|--:|"
        )?;
        for name in self.figures.keys().filter(|name| name.contains("change.")) {
            let of = |side: &str| self.figures.get(&name.replacen("change.", side, 1));
            let value =
                |figure: Option<&Figure>| figure.and_then(|one| one.value).map_or_else(|| "–".to_owned(), significant);
            let change = self.figures.get(name);
            let ends = change.and_then(|one| Some(format!("{} to {}", significant(one.low?), significant(one.high?))));
            let p = change.and_then(|one| one.p_value).map_or_else(String::new, probability);
            let (first, second, ends) = (value(of("champion.")), value(of("challenger.")), ends.unwrap_or_default());
            let title = escaped(&name.replacen("change.", "", 1));
            writeln!(out, "| {title} | {first} | {second} | {} | {ends} | {p} |", value(change))?;
        }
        for (column, groups) in &self.groups {
            writeln!(
                out,
                "\n| {} | rows | predicted positive | of positives | of negatives |\n|---|--:|--:|--:|--:|",
                escaped(column)
            )?;
            for group in groups {
                let rate = |rate: &super::Rate| rate.value.map_or_else(|| "–".to_owned(), significant);
                let small = if group.small { " (too few)" } else { "" };
                writeln!(
                    out,
                    "| {}{small} | {} | {} | {} | {} |",
                    escaped(group.group.as_deref().unwrap_or("null")),
                    count(group.rows),
                    rate(&group.selection_rate),
                    rate(&group.true_positive_rate),
                    rate(&group.false_positive_rate)
                )?;
            }
        }
        if !self.training.is_empty() {
            writeln!(out, "\n| feature of the training data | now | PSI | q |\n|---|---|--:|--:|")?;
        }
        for one in &self.training {
            let (psi, q) = (one.psi.map(significant), one.q_value.map(probability));
            let dash = || "–".to_owned();
            let (psi, q) = (psi.unwrap_or_else(dash), q.unwrap_or_else(dash));
            writeln!(out, "| {} | {} | {psi} | {q} |", escaped(&one.feature), one.level.name())?;
        }
        Ok(())
    }
}

/// Text that stays in its cell.
fn escaped(text: &str) -> String {
    crate::format::printable(text).replace('|', "\\|").replace('<', "&lt;").replace('`', "'")
}
