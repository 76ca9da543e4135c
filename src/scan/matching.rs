//! Which feature of the reference is compared with which of current.

use crate::column::{Pairing, pair};
use crate::config::{ConfigError, Patterns, RuleSet, ScanConfig, Settings, View, select_features};
use crate::format::counted;
use crate::quality::Declared;
use crate::report::{SkipCause, Skipped};
use crate::source::{SourceColumn, feast};
use arrow::datatypes::DataType;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// The features to compare, and what is left out.
pub(super) struct Matched {
    /// In the order of the reference's schema.
    pub(super) pairs: Vec<Pair>,
    /// What cannot be compared, with its reason.
    pub(super) skipped: Vec<Skipped>,
    /// The names among them that only the reference has, and only current.
    pub(super) one_sided: [Vec<String>; 2],
    /// Features that the user asked for by name.
    pub(super) named: HashSet<String>,
    pub(super) warnings: Vec<String>,
}

/// A feature of both sides.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) pairing: Pairing,
    /// What rules say about it.
    pub(super) settings: Settings,
    /// What they declare of its values.
    pub(super) declared: Option<Arc<Declared>>,
}

impl Matched {
    /// Gives features the weights of a file, where no rule gave them another.
    pub(super) fn weigh(&mut self, weights: &HashMap<String, f64>, file: &Path) {
        for pair in &mut self.pairs {
            let weight = weights.get(&pair.name).copied().unwrap_or(0.0);
            pair.settings.weight.get_or_insert(weight);
        }
        let known: HashSet<&str> = self.pairs.iter().map(|pair| pair.name.as_str()).collect();
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
pub(super) fn match_features(columns: [&[SourceColumn]; 2], config: &ScanConfig) -> Result<Matched, ConfigError> {
    let [reference, current] = columns.map(|columns| of_view(columns, config.view.as_ref()));
    let columns = [reference.as_slice(), current.as_slice()];
    let all = names(columns);
    let rules = RuleSet::new(&config.rules, &all);
    rules.check()?;
    let settings = all.iter().map(|name| Ok((name.as_str(), rules.of(name)?.settings)));
    let mut settings = settings.collect::<Result<HashMap<&str, Settings>, ConfigError>>()?;
    let excluded = |name: &str| settings.get(name)?.exclude;
    let mut selection = select_features(&all, &config.features, &config.exclude, excluded);
    // Columns that tell rows apart are features for those who ask for them by name.
    let row_columns = config.windows.row_columns();
    selection.names.retain(|name| !row_columns.contains(name) || selection.named.contains(name));
    let categorical = Patterns::new(&config.categorical);
    let [reference, current] = columns.map(by_name);
    let (mut pairs, mut skipped, mut one_sided) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
    for name in selection.names {
        let named = selection.named.contains(&name);
        let mut skip = |reason: String, cause| skipped.push(Skipped { name: name.clone(), reason, cause, named });
        match (reference.get(name.as_str()), current.get(name.as_str())) {
            (Some(&a), Some(&b)) => {
                let settings = settings.remove(name.as_str()).unwrap_or_default();
                let categorical = settings.categorical.unwrap_or_else(|| categorical.matches(&name));
                match pair(a, b, categorical) {
                    Ok(pairing) => {
                        let declared = settings.declared().map(Arc::new);
                        pairs.push(Pair { name, pairing, settings, declared });
                    }
                    Err(reason) => {
                        let cause = match [a, b].iter().find_map(|column| column.problem.as_deref()) {
                            Some(problem) if problem.contains("more than one column") => SkipCause::Duplicate,
                            Some(_) => SkipCause::Unsupported,
                            None => SkipCause::Incomparable,
                        };
                        skip(reason.to_string(), cause);
                    }
                }
            }
            (Some(_), None) => {
                skip("it is in the reference only".to_owned(), SkipCause::OneSided);
                one_sided[0].push(name);
            }
            (None, _) => {
                skip("it is in current only".to_owned(), SkipCause::OneSided);
                one_sided[1].push(name);
            }
        }
    }
    let in_view = |pattern: &str| config.view.as_ref().is_some_and(|view| view.has(pattern));
    let unknown = selection.unmatched.into_iter().filter(|one| !in_view(&one.pattern));
    skipped.extend(unknown.map(|one| Skipped {
        name: one.pattern,
        reason: one.reason,
        cause: SkipCause::Unknown,
        named: true,
    }));
    let absent = config.view.iter().flat_map(|view| absent(view, &all, config));
    skipped.extend(absent);
    let excluded = selection.unmatched_exclude.into_iter().map(|one| format!("--exclude: {}", one.reason));
    let idle = rules.unmatched().iter().map(|idle| idle.message.clone());
    let retyped = config.view.iter().flat_map(|view| retyped(view, columns[1]));
    let warnings = excluded.chain(idle).chain(retyped).collect();
    Ok(Matched { pairs, skipped, one_sided, named: selection.named, warnings })
}

/// The columns that are features of the view, in its order; all of them without one.
pub(super) fn of_view(columns: &[SourceColumn], view: Option<&View>) -> Vec<SourceColumn> {
    let Some(view) = view else { return columns.to_vec() };
    let known = by_name(columns);
    view.features.iter().filter_map(|(name, ..)| known.get(name.as_str()).map(|&column| column.clone())).collect()
}

/// The features of the view that were asked for and that no file has.
fn absent(view: &View, found: &[String], config: &ScanConfig) -> Vec<Skipped> {
    let missing: Vec<_> = view.features.iter().filter(|(name, ..)| !found.contains(name)).collect();
    let names: Vec<String> = missing.iter().map(|(name, ..)| name.clone()).collect();
    let asked = select_features(&names, &config.features, &config.exclude, |_| None).names;
    let asked = missing.into_iter().filter(|(name, ..)| asked.contains(name));
    let skipped = asked.map(|(name, column, _)| Skipped {
        name: name.clone(),
        reason: format!("the feature store knows it, and the files have no column {column}"),
        cause: SkipCause::Unreadable,
        named: false,
    });
    skipped.collect()
}

/// Features whose type in the files is another one than the feature store says.
fn retyped(view: &View, columns: &[SourceColumn]) -> Vec<String> {
    let known = by_name(columns);
    let other = view.features.iter().filter_map(|(name, _, value_type)| {
        let types = &known.get(name.as_str())?.types;
        let fits = |data_type: &DataType| feast::fits(value_type, data_type);
        let found = types.iter().find(|data_type| !fits(data_type))?;
        Some(format!("{name} is {value_type} in the feature store, and {found} in the files"))
    });
    other.collect()
}

fn by_name(columns: &[SourceColumn]) -> HashMap<&str, &SourceColumn> {
    columns.iter().map(|column| (column.name.as_str(), column)).collect()
}

/// The names of all columns: those of the reference in its order, then those that only current has.
pub(super) fn names([reference, current]: [&[SourceColumn]; 2]) -> Vec<String> {
    let known = by_name(reference);
    let only_current = current.iter().filter(|column| !known.contains_key(column.name.as_str()));
    reference.iter().chain(only_current).map(|column| column.name.clone()).collect()
}
