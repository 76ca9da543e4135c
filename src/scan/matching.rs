//! Which feature of the reference is compared with which of current.

use super::context::Task;
use crate::column::pair;
use crate::config::{Patterns, ScanConfig, select_features};
use crate::report::{SkipCause, Skipped};
use crate::source::Dataset;
use std::collections::HashSet;

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

/// Matches the columns of both sides by name.
pub(super) fn match_features(reference: &Dataset, current: &Dataset, config: &ScanConfig) -> Matched {
    let only_current = current.columns().iter().filter(|column| reference.column(&column.name).is_none());
    let all: Vec<String> = reference.columns().iter().chain(only_current).map(|column| column.name.clone()).collect();
    let selection = select_features(&all, &config.features, &config.exclude);
    let categorical = Patterns::new(&config.categorical);
    let (mut tasks, mut skipped) = (Vec::new(), Vec::new());
    for name in selection.names {
        let named = selection.named.contains(&name);
        let mut skip = |reason: String, cause| skipped.push(Skipped { name: name.clone(), reason, cause, named });
        match (reference.column(&name), current.column(&name)) {
            (Some(a), Some(b)) => {
                let columns = [&reference.columns()[a], &current.columns()[b]];
                match pair(columns[0], columns[1], categorical.matches(&name)) {
                    Ok(pairing) => tasks.push(Task { name, columns: [a, b], pairing }),
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
    let warnings = selection.unmatched_exclude.into_iter().map(|one| format!("--exclude: {}", one.reason)).collect();
    Matched { tasks, skipped, named: selection.named, warnings }
}
