//! Which feature of the reference is compared with which of current.

use super::context::Task;
use crate::column::pair;
use crate::config::{ConfigError, Patterns, RuleSet, ScanConfig, Settings, select_features};
use crate::format::counted;
use crate::report::{SkipCause, Skipped};
use crate::source::Dataset;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The features to compare, and what is left out.
pub(super) struct Matched {
    /// In the order of the reference's schema.
    pub(super) tasks: Vec<Task>,
    /// What cannot be compared, with its reason.
    pub(super) skipped: Vec<Skipped>,
    /// Features that the user asked for by name.
    pub(super) named: HashSet<String>,
    pub(super) warnings: Vec<String>,
}

impl Matched {
    /// Gives features the weights of a file, where no rule gave them another.
    pub(super) fn weigh(&mut self, weights: &HashMap<String, f64>, file: &Path) {
        for task in &mut self.tasks {
            let weight = weights.get(&task.name).copied().unwrap_or(0.0);
            task.settings.weight.get_or_insert(weight);
        }
        let known: HashSet<&str> = self.tasks.iter().map(|task| task.name.as_str()).collect();
        let idle = weights.keys().filter(|name| !known.contains(name.as_str())).count();
        if idle > 0 {
            let names = counted(idle as u64, "name", "names");
            self.warnings.push(format!("weights: {names} of {} are no feature of this scan", file.display()));
        }
    }
}

/// Matches the columns of both sides by name.
///
/// # Errors
/// When a rule matches no feature, or two contradict each other.
pub(super) fn match_features(
    reference: &Dataset,
    current: &Dataset,
    config: &ScanConfig,
) -> Result<Matched, ConfigError> {
    let all = names(reference, current);
    let rules = RuleSet::new(&config.rules, &all);
    rules.check()?;
    let settings = all.iter().map(|name| Ok((name.as_str(), rules.of(name)?.settings)));
    let mut settings = settings.collect::<Result<HashMap<&str, Settings>, ConfigError>>()?;
    let excluded = |name: &str| settings.get(name)?.exclude;
    let selection = select_features(&all, &config.features, &config.exclude, excluded);
    let categorical = Patterns::new(&config.categorical);
    let (mut tasks, mut skipped) = (Vec::new(), Vec::new());
    for name in selection.names {
        let named = selection.named.contains(&name);
        let mut skip = |reason: String, cause| skipped.push(Skipped { name: name.clone(), reason, cause, named });
        match (reference.column(&name), current.column(&name)) {
            (Some(a), Some(b)) => {
                let columns = [&reference.columns()[a], &current.columns()[b]];
                let settings = settings.remove(name.as_str()).unwrap_or_default();
                let categorical = settings.categorical.unwrap_or_else(|| categorical.matches(&name));
                match pair(columns[0], columns[1], categorical) {
                    Ok(pairing) => tasks.push(Task { name, columns: [a, b], pairing, settings }),
                    Err(reason) => {
                        let cause = match columns.iter().find_map(|column| column.problem.as_deref()) {
                            Some(problem) if problem.contains("more than one column") => SkipCause::Duplicate,
                            Some(_) => SkipCause::Unsupported,
                            None => SkipCause::Incomparable,
                        };
                        skip(reason.to_string(), cause);
                    }
                }
            }
            (Some(_), None) => skip("it is in the reference only".to_owned(), SkipCause::OneSided),
            (None, _) => skip("it is in current only".to_owned(), SkipCause::OneSided),
        }
    }
    let unknown = selection.unmatched.into_iter();
    skipped.extend(unknown.map(|one| Skipped {
        name: one.pattern,
        reason: one.reason,
        cause: SkipCause::Unknown,
        named: true,
    }));
    let excluded = selection.unmatched_exclude.into_iter().map(|one| format!("--exclude: {}", one.reason));
    let idle = rules.unmatched().iter().map(|idle| idle.message.clone());
    let warnings = excluded.chain(idle).collect();
    Ok(Matched { tasks, skipped, named: selection.named, warnings })
}

/// The names of all columns: those of the reference in its order, then those that only current has.
pub(super) fn names(reference: &Dataset, current: &Dataset) -> Vec<String> {
    let only_current = current.columns().iter().filter(|column| reference.column(&column.name).is_none());
    reference.columns().iter().chain(only_current).map(|column| column.name.clone()).collect()
}
