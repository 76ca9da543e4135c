//! Which feature of the reference is compared with which of current.

use crate::column::{Pairing, pair};
use crate::config::{Patterns, ScanConfig, select_features};
use crate::report::{SkipCause, Skipped};
use crate::source::SourceColumn;
use std::collections::{HashMap, HashSet};

/// The features to compare, and what is left out.
pub(super) struct Matched {
    /// In the order of the reference's schema.
    pub(super) pairs: Vec<(String, Pairing)>,
    /// What cannot be compared, with its reason.
    pub(super) skipped: Vec<Skipped>,
    /// Features that the user asked for by name.
    pub(super) named: HashSet<String>,
    pub(super) warnings: Vec<String>,
}

/// Matches the columns of both sides by name.
pub(super) fn match_features(columns: [&[SourceColumn]; 2], config: &ScanConfig) -> Matched {
    let [reference, current] = columns.map(|columns| {
        columns.iter().map(|column| (column.name.as_str(), column)).collect::<HashMap<&str, &SourceColumn>>()
    });
    let only_current = columns[1].iter().filter(|column| !reference.contains_key(column.name.as_str()));
    let all: Vec<String> = columns[0].iter().chain(only_current).map(|column| column.name.clone()).collect();
    let mut selection = select_features(&all, &config.features, &config.exclude);
    // Columns that tell rows apart are features for those who ask for them by name.
    let row_columns = config.windows.row_columns();
    selection.names.retain(|name| !row_columns.contains(name) || selection.named.contains(name));
    let categorical = Patterns::new(&config.categorical);
    let (mut pairs, mut skipped) = (Vec::new(), Vec::new());
    for name in selection.names {
        let named = selection.named.contains(&name);
        let mut skip = |reason: String, cause| skipped.push(Skipped { name: name.clone(), reason, cause, named });
        match (reference.get(name.as_str()), current.get(name.as_str())) {
            (Some(&a), Some(&b)) => match pair(a, b, categorical.matches(&name)) {
                Ok(pairing) => pairs.push((name, pairing)),
                Err(reason) => {
                    let cause = match [a, b].iter().find_map(|column| column.problem.as_deref()) {
                        Some(problem) if problem.contains("more than one column") => SkipCause::Duplicate,
                        Some(_) => SkipCause::Unsupported,
                        None => SkipCause::Incomparable,
                    };
                    skip(reason.to_string(), cause);
                }
            },
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
    Matched { pairs, skipped, named: selection.named, warnings }
}
