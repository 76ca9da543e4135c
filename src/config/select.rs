//! Which features a list of names and globs means.

use std::collections::HashSet;

use globset::{Glob, GlobBuilder, GlobMatcher};

/// Names that are told apart from what was typed by at most this much are offered.
const SIMILAR: f64 = 0.75;

/// The features that were selected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Selected features, in the order of the schema.
    pub names: Vec<String>,
    /// Those among them that were asked for by their exact name: the run fails its user where one cannot be scanned.
    pub named: HashSet<String>,
    /// What was asked for and matches nothing.
    pub unmatched: Vec<Unmatched>,
    /// Patterns of `--exclude` that match nothing: probably a typing error, worth a warning.
    pub unmatched_exclude: Vec<Unmatched>,
}

/// A name or pattern that matches nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmatched {
    /// What was typed.
    pub pattern: String,
    /// A sentence that says so, with the names that may have been meant.
    pub reason: String,
}

/// Selects from `all` (the features of both sides, in the order of the schema) what `include` asks for and `exclude`
/// does not leave out. `all` in `include` is everything. A pattern that is the exact name of a feature means that
/// feature, even when it has characters that mean something in a glob.
#[must_use]
pub fn select_features(all: &[String], include: &[String], exclude: &[String]) -> Selection {
    let known: HashSet<&str> = all.iter().map(String::as_str).collect();
    let (wanted, unwanted) = (Patterns::of(include, &known), Patterns::of(exclude, &known));
    let everything = include.iter().any(|pattern| pattern == "all");
    let names = all.iter().filter(|name| (everything || wanted.matches(name)) && !unwanted.matches(name));
    let unmatched = |patterns: &[String]| -> Vec<Unmatched> {
        let patterns = patterns.iter().filter(|pattern| *pattern != "all" || known.contains("all"));
        patterns.filter_map(|pattern| unmatched(pattern, all, &known)).collect()
    };
    Selection {
        names: names.cloned().collect(),
        named: include.iter().filter(|name| known.contains(name.as_str())).cloned().collect(),
        unmatched: unmatched(include),
        unmatched_exclude: unmatched(exclude),
    }
}

fn unmatched(pattern: &str, all: &[String], known: &HashSet<&str>) -> Option<Unmatched> {
    if known.contains(pattern) {
        return None;
    }
    let glob = is_glob(pattern).then(|| matcher(pattern).ok()).flatten();
    let reason = match glob {
        Some(glob) if all.iter().any(|name| glob.is_match(name)) => return None,
        Some(_) => "no feature matches this pattern".to_owned(),
        None => format!("no feature has this name{}", did_you_mean(pattern, all.iter().map(String::as_str))),
    };
    Some(Unmatched { pattern: pattern.to_owned(), reason })
}

/// Exact names and globs, ready to be asked.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    exact: HashSet<String>,
    globs: Vec<GlobMatcher>,
}

impl Patterns {
    /// Patterns for names that are not known yet: each is taken as a name, and as a glob if it looks like one.
    #[must_use]
    pub fn new(patterns: &[String]) -> Self {
        Self::of(patterns, &HashSet::new())
    }

    /// Patterns that are the name of a known feature are no globs.
    fn of(patterns: &[String], known: &HashSet<&str>) -> Self {
        let globs = patterns.iter().filter(|pattern| is_glob(pattern) && !known.contains(pattern.as_str()));
        Self {
            exact: patterns.iter().cloned().collect(),
            globs: globs.filter_map(|pattern| matcher(pattern).ok()).collect(),
        }
    }

    /// Whether one of the patterns means `name`.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.exact.contains(name) || self.globs.iter().any(|glob| glob.is_match(name))
    }

    /// The first pattern that is neither a name nor a glob, and why.
    pub(super) fn invalid(patterns: &[String]) -> Option<(String, globset::ErrorKind)> {
        let mut globs = patterns.iter().filter(|pattern| is_glob(pattern));
        globs.find_map(|pattern| matcher(pattern).err().map(|error| (pattern.clone(), error.kind().clone())))
    }
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?', '[', '{', '\\'])
}

fn matcher(pattern: &str) -> Result<GlobMatcher, globset::Error> {
    let glob: Glob = GlobBuilder::new(pattern).literal_separator(false).backslash_escape(true).build()?;
    Ok(glob.compile_matcher())
}

/// `; did you mean a, b or c?` with the nearest of `known`, or nothing where none is near.
pub(crate) fn did_you_mean<'k>(typed: &str, known: impl Iterator<Item = &'k str>) -> String {
    let folded = typed.to_lowercase();
    let mut near: Vec<(f64, &str)> = known
        .map(|name| {
            let lower = name.to_lowercase();
            // Half a name is often typed without its feature view.
            let feature = lower.rsplit(':').next().unwrap_or(&lower);
            let similarity = strsim::normalized_damerau_levenshtein(&folded, &lower);
            (similarity.max(0.99 * strsim::normalized_damerau_levenshtein(&folded, feature)), name)
        })
        .filter(|(similarity, _)| *similarity >= SIMILAR)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let names: Vec<_> = near.iter().take(3).map(|(_, name)| *name).collect();
    match names.as_slice() {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        [first @ .., last] => format!("; did you mean {} or {last}?", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn schema() -> Vec<String> {
        owned(&["user:age", "user:income", "order:total", "order:items", "weird[1]", "id"])
    }

    fn selected(include: &[&str], exclude: &[&str]) -> Selection {
        select_features(&schema(), &owned(include), &owned(exclude))
    }

    #[test]
    fn all_is_everything_in_the_order_of_the_schema() {
        assert_eq!(selected(&["all"], &[]).names, schema());
        assert_eq!(selected(&["id", "user:*"], &[]).names, ["user:age", "user:income", "id"]);
    }

    #[test]
    fn exclusion_wins() {
        assert_eq!(selected(&["all"], &["order:*", "id"]).names, ["user:age", "user:income", "weird[1]"]);
        assert_eq!(selected(&["user:age"], &["user:age"]).names, [""; 0]);
    }

    #[test]
    fn names_are_told_apart_from_globs() {
        let selection = selected(&["user:age", "order:*"], &[]);
        assert_eq!(selection.named, HashSet::from(["user:age".to_owned()]));
        assert_eq!(selected(&["weird[1]"], &[]).names, ["weird[1]"], "a name may look like a glob");
        assert_eq!(selected(&["{user,order}:*"], &[]).names.len(), 4);
    }

    #[test]
    fn what_matches_nothing_says_so() {
        let selection = selected(&["user:agee", "income", "x*", "all", "nothing_like_it"], &["ordr:total"]);
        let reasons: Vec<_> = selection.unmatched.iter().map(|u| (u.pattern.as_str(), u.reason.as_str())).collect();
        assert_eq!(
            reasons,
            [
                ("user:agee", "no feature has this name; did you mean user:age?"),
                ("income", "no feature has this name; did you mean user:income?"),
                ("x*", "no feature matches this pattern"),
                ("nothing_like_it", "no feature has this name"),
            ]
        );
        assert_eq!(selection.unmatched_exclude[0].pattern, "ordr:total");
    }

    #[test]
    fn patterns_stand_alone() {
        let patterns = Patterns::new(&owned(&["store_*", "status"]));
        assert!(patterns.matches("store_id") && patterns.matches("status") && !patterns.matches("my_status"));
        assert!(Patterns::invalid(&owned(&["a", "b[", "c"])).is_some_and(|(pattern, _)| pattern == "b["));
    }
}
