//! What is declared of a feature's values, and by how many rows it is broken: one check a kind of rule.
//!
//! A broken rule is no statistic: one row breaks it, and the count is exact. Unlike what chance may do, it is the level
//! of the feature, too, so that gates and alerts see it.

use regex::Regex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Check, Found, Limit, Sides};
use crate::column::Kind;
use crate::format::{count, counted, percent, printable, ratio, real};
use crate::verdict::Level;

/// Values that a message lists.
const EXAMPLES: usize = 5;

/// A value that a feature may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Allowed {
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A category.
    Text(String),
}

impl Allowed {
    /// As a category is written.
    fn text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
            Self::Text(value) => value.clone(),
        }
    }
}

/// What is declared of a feature.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// The level of a broken rule.
    pub level: Level,
    /// Smallest value.
    pub min: Option<Limit>,
    /// Largest value.
    pub max: Option<Limit>,
    /// The only values that it may have.
    pub allowed: Option<Vec<Allowed>>,
    /// What the whole of a text must match.
    pub pattern: Option<Regex>,
    /// Largest share of rows that may be null.
    pub max_null_share: Option<f64>,
    /// Whether no value may occur twice.
    pub unique: bool,
}

/// The expression that matches a text as a whole.
///
/// # Errors
/// When `pattern` is no regular expression.
pub fn whole_text(pattern: &str) -> Result<Regex, regex::Error> {
    // So that a mistake is told in the words of the user: the rest cannot be wrong then.
    Regex::new(pattern)?;
    Regex::new(&format!("^(?:{pattern})$"))
}

impl Declared {
    /// The allowed values as numbers, where all of them are.
    #[must_use]
    pub fn numbers(&self) -> Option<Vec<f64>> {
        let number = |value: &Allowed| match value {
            Allowed::Number(value) => Some(*value),
            _ => None,
        };
        self.allowed.as_ref()?.iter().map(number).collect()
    }

    /// Whether it takes the names of categories to tell.
    #[must_use]
    pub fn is_about_names(&self) -> bool {
        self.allowed.is_some() || self.pattern.is_some()
    }
}

/// Rows in values that may not be, and the most frequent of these; index 0 is the reference, 1 is current.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Rows of both sides.
    pub rows: [u64; 2],
    /// How many values they have in current.
    pub values: u64,
    /// The most frequent ones in current with their rows, then by name.
    pub examples: Vec<(String, u64)>,
}

impl Strangers {
    /// Adds a value and its rows on either side.
    fn add(&mut self, name: impl FnOnce() -> String, rows: [u64; 2]) {
        self.rows = [self.rows[0] + rows[0], self.rows[1] + rows[1]];
        if rows[1] > 0 {
            self.values += 1;
            let place = self.examples.partition_point(|(_, known)| *known > rows[1]);
            if place < EXAMPLES || self.examples.get(EXAMPLES - 1).is_some_and(|(_, known)| *known == rows[1]) {
                self.examples.push((name(), rows[1]));
                self.examples.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
                self.examples.truncate(EXAMPLES);
            }
        }
    }
}

/// Categories held against what is declared of their names, one after another.
#[derive(Clone, Debug)]
pub struct Names<'d> {
    allowed: Option<(std::collections::HashSet<String>, Strangers)>,
    pattern: Option<(&'d Regex, Strangers)>,
}

impl<'d> Names<'d> {
    /// Nothing was looked at yet.
    #[must_use]
    pub fn new(declared: &'d Declared) -> Self {
        let allowed = declared.allowed.as_ref().map(|allowed| allowed.iter().map(Allowed::text).collect());
        Self {
            allowed: allowed.map(|allowed| (allowed, Strangers::default())),
            pattern: declared.pattern.as_ref().map(|pattern| (pattern, Strangers::default())),
        }
    }

    /// Looks at a category, which has `rows` on either side.
    pub fn see(&mut self, name: &str, rows: [u64; 2]) {
        if let Some((_, strangers)) = self.allowed.as_mut().filter(|(allowed, _)| !allowed.contains(name)) {
            strangers.add(|| name.to_owned(), rows);
        }
        if let Some((_, strangers)) = self.pattern.as_mut().filter(|(pattern, _)| !pattern.is_match(name)) {
            strangers.add(|| name.to_owned(), rows);
        }
    }

    /// What was found.
    #[must_use]
    pub fn violations(self) -> Violations {
        Violations {
            outside: self.allowed.map(|(_, strangers)| strangers),
            unlike: self.pattern.map(|(_, strangers)| strangers),
            ..Violations::default()
        }
    }
}

/// The rows that break what is declared; index 0 is the reference, 1 is current. `None` is what was not, or cannot be,
/// counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// Values below the smallest one.
    pub below: Option<[u64; 2]>,
    /// Values above the largest one.
    pub above: Option<[u64; 2]>,
    /// Values that are not among the allowed ones.
    pub outside: Option<Strangers>,
    /// Texts that the pattern does not match.
    pub unlike: Option<Strangers>,
    /// Distinct values of both sides, exactly.
    pub distinct: Option<[u64; 2]>,
}

/// Whether the check called `name` is about what is declared.
pub(super) fn is_declared(name: &str) -> bool {
    [Range.name(), Domain.name(), Pattern.name(), Nulls.name(), Unique.name()].contains(&name)
}

/// The finding about `rows` of current, and those of the reference, that break a rule.
fn broken(sides: &Sides<'_>, rows: [u64; 2], message: String) -> Option<Found> {
    let level = sides.declared?.level;
    let share = ratio(rows[1], sides.subject.values(1));
    (rows[1] > 0).then(|| {
        let found = Found::new(message).at(level).with("violations", real(rows[1])).with("share", share);
        found.with("violations_reference", real(rows[0]))
    })
}

fn of_values(rows: u64, sides: &Sides<'_>) -> String {
    let values = sides.subject.values(1);
    format!("{} of {} ({})", count(rows), counted(values, "value", "values"), percent(ratio(rows, values)))
}

fn unchecked(rule: &str, why: &str) -> Found {
    Found::new(format!("{rule} is declared and was not checked: {why}"))
}

/// Values below `min`, or above `max`.
pub(super) struct Range;

impl Check for Range {
    fn name(&self) -> &'static str {
        "declared_range"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        let declared = sides.declared?;
        let limits =
            [(&declared.min, &sides.violations.below, "below"), (&declared.max, &sides.violations.above, "above")];
        let mut parts = Vec::new();
        let mut rows = [0, 0];
        for (limit, found, word) in limits {
            let Some(limit) = limit else { continue };
            let Some(found) = found else {
                let why = match (sides.subject.kind, limit) {
                    (Kind::Temporal, Limit::Number(_)) => "it is of numbers, and the values are times",
                    (_, Limit::Number(_)) => "it is for numbers, and the values are none",
                    (_, Limit::Time(_)) => "it is for dates and timestamps, and the values are none",
                };
                return Some(unchecked("a range", why));
            };
            rows = [rows[0] + found[0], rows[1] + found[1]];
            if found[1] > 0 {
                let verb = if found[1] == 1 { "is" } else { "are" };
                parts.push(format!("{} {verb} {word} {limit}", of_values(found[1], sides)));
            }
        }
        broken(sides, rows, parts.join(", and "))
    }
}

fn strangers(sides: &Sides<'_>, found: &Strangers, what: &str) -> Option<Found> {
    let examples: Vec<String> = found.examples.iter().map(|(name, _)| format!("{:?}", printable(name))).collect();
    let more = match found.values.saturating_sub(found.examples.len() as u64) {
        _ if examples.is_empty() => String::new(),
        0 => format!(": {}", examples.join(", ")),
        rest => format!(": {}, and {} more", examples.join(", "), count(rest)),
    };
    let verb = if found.rows[1] == 1 { "is" } else { "are" };
    broken(sides, found.rows, format!("{} {verb} {what}{more}", of_values(found.rows[1], sides)))
}

/// Values that are not among the `allowed` ones.
pub(super) struct Domain;

impl Check for Domain {
    fn name(&self) -> &'static str {
        "declared_domain"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        sides.declared?.allowed.as_ref()?;
        let Some(found) = &sides.violations.outside else {
            let why = match sides.subject.kind {
                Kind::Numeric => "the values are numbers, and an allowed one is none",
                Kind::Temporal => "the values are times",
                _ => "there are more categories than max_categories allows",
            };
            return Some(unchecked("a domain", why));
        };
        strangers(sides, found, "not among the allowed ones")
    }
}

/// Texts that `pattern` does not match.
pub(super) struct Pattern;

impl Check for Pattern {
    fn name(&self) -> &'static str {
        "declared_pattern"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        sides.declared?.pattern.as_ref()?;
        let Some(found) = &sides.violations.unlike else {
            let why = match sides.subject.kind {
                Kind::Categorical => "there are more categories than max_categories allows",
                _ => "it is for texts, and the values are none",
            };
            return Some(unchecked("a pattern", why));
        };
        strangers(sides, found, "not of the declared pattern")
    }
}

/// More nulls than `max_null_share` allows; `not_null` allows none.
pub(super) struct Nulls;

impl Check for Nulls {
    fn name(&self) -> &'static str {
        "declared_nulls"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        let declared = sides.declared?;
        let most = declared.max_null_share?;
        let (nulls, rows) = (sides.subject.nulls, sides.subject.rows);
        let [before, now] = [0, 1].map(|side| ratio(nulls[side], rows[side]));
        let allowed = if most == 0.0 { "none may be".to_owned() } else { format!("at most {} may be", percent(most)) };
        let verb = if nulls[1] == 1 { "is" } else { "are" };
        let rows = counted(rows[1], "row", "rows");
        let message = || format!("{} of {rows} ({}) {verb} null, and {allowed}", count(nulls[1]), percent(now));
        (nulls[1] > 0 && now > most).then(|| {
            let found = Found::new(message()).at(declared.level).with("violations", real(nulls[1]));
            found.with("share", now).with("share_reference", before)
        })
    }
}

/// Values that occur more than once, where none may.
pub(super) struct Unique;

impl Check for Unique {
    fn name(&self) -> &'static str {
        "declared_unique"
    }

    fn feature(&self, sides: &Sides<'_>) -> Option<Found> {
        if !sides.declared?.unique {
            return None;
        }
        let Some(distinct) = sides.violations.distinct else {
            return Some(unchecked("uniqueness", "there are more categories than max_categories allows"));
        };
        let repeated = [0, 1].map(|side: usize| sides.subject.values(side).saturating_sub(distinct[side]));
        let verb = if repeated[1] == 1 { "repeats" } else { "repeat" };
        broken(sides, repeated, format!("{} {verb} another one", of_values(repeated[1], sides)))
    }
}
