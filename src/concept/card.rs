//! What a detector is called, what it takes, and where it comes from.

use std::fmt;

use super::Detector;

/// Everything that is known about a detector before it runs.
#[derive(Debug)]
pub struct Card {
    /// Name on the command line.
    pub name: &'static str,
    /// Name in the literature.
    pub title: &'static str,
    /// What it watches for, in one sentence.
    pub about: &'static str,
    /// The paper, and the implementation whose answers ours equal.
    pub source: &'static str,
    /// Which values it takes.
    pub input: Input,
    /// Whether it forgets everything after a drift. One that does not says drift as long as it lasts.
    pub restarts: bool,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// What is wrong with settings that are each in their range.
    pub(super) check: fn(&Settings) -> Result<(), String>,
    /// A new detector with settings that were checked.
    pub(super) build: fn(&Settings) -> Box<dyn Detector>,
}

/// Which values a detector takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Any finite number.
    Real,
    /// Numbers from 0 to 1: errors (1) and successes (0), or losses in that range.
    Unit,
}

impl Input {
    /// Whether `value` is one of them.
    #[must_use]
    pub fn takes(self, value: f64) -> bool {
        match self {
            Self::Real => value.is_finite(),
            Self::Unit => (0.0..=1.0).contains(&value),
        }
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real => "any number",
            Self::Unit => "0 to 1",
        })
    }
}

/// One parameter of a detector.
#[derive(Debug)]
pub struct Parameter {
    /// Name on the command line, as River has it.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its value when none is given.
    pub default: Value,
    /// Which values it may have.
    pub(super) range: Range,
}

impl Parameter {
    /// Its range in words.
    #[must_use]
    pub fn range(&self) -> String {
        self.range.to_string()
    }
}

/// Which values a parameter may have.
#[derive(Debug)]
pub(super) enum Range {
    /// Whole numbers, both ends included.
    Integer(u64, u64),
    /// Finite numbers of the closed interval.
    Real(f64, f64),
    /// Finite numbers of the open interval.
    Open(f64, f64),
    /// Finite numbers, or nothing.
    Optional,
    /// One of some words.
    Choice(&'static [&'static str]),
}

impl Range {
    /// The value that `text` means, if it is one of the range.
    pub(super) fn parse(&self, text: &str) -> Option<Value> {
        let real = || text.parse::<f64>().ok().filter(|value| value.is_finite());
        match self {
            Self::Integer(low, high) => {
                text.parse().ok().filter(|value| (low..=high).contains(&value)).map(Value::Integer)
            }
            Self::Real(low, high) => real().filter(|value| (*low..=*high).contains(value)).map(Value::Real),
            Self::Open(low, high) => real().filter(|value| *low < *value && *value < *high).map(Value::Real),
            Self::Optional => real().map(Value::Real),
            Self::Choice(words) => words.iter().find(|word| **word == text).map(|word| Value::Word(word)),
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(low, u64::MAX) => write!(f, "a whole number, at least {low}"),
            Self::Integer(low, high) => write!(f, "a whole number from {low} to {high}"),
            Self::Real(low, f64::INFINITY) => write!(f, "a number, at least {low}"),
            Self::Real(low, high) => write!(f, "a number from {low} to {high}"),
            Self::Open(low, f64::INFINITY) => write!(f, "a number above {low}"),
            Self::Open(low, high) => write!(f, "a number above {low} and below {high}"),
            Self::Optional => f.write_str("a number"),
            Self::Choice(words) => write!(f, "one of {}", words.join(", ")),
        }
    }
}

/// The value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(u64),
    /// A number.
    Real(f64),
    /// A word of a list.
    Word(&'static str),
    /// Nothing was given, and that means something.
    Unset,
}

impl fmt::Display for Value {
    /// As it is typed: a number reads back to the same bits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
            Self::Word(word) => f.write_str(word),
            Self::Unset => f.write_str("unset"),
        }
    }
}

/// The values of all parameters of a detector, each in its range.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings(pub(super) Vec<(&'static str, Value)>);

impl Settings {
    /// Names and values, in the order of the card.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        self.0.iter().copied()
    }

    fn value(&self, name: &str) -> Value {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.expect("a detector asks for the parameters of its own card").1
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &str) -> u64 {
        match self.value(name) {
            Value::Integer(value) => value,
            other => unreachable!("{name} is no whole number: {other:?}"),
        }
    }

    /// A whole number that counts things in memory.
    pub(super) fn size(&self, name: &str) -> usize {
        usize::try_from(self.integer(name)).unwrap_or(usize::MAX)
    }

    /// A number.
    pub(super) fn real(&self, name: &str) -> f64 {
        self.optional(name).unwrap_or_else(|| unreachable!("{name} has a default"))
    }

    /// A number, where one was given.
    pub(super) fn optional(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Value::Real(value) => Some(value),
            Value::Unset => None,
            other => unreachable!("{name} is no number: {other:?}"),
        }
    }

    /// A word of a list.
    pub(super) fn word(&self, name: &str) -> &'static str {
        match self.value(name) {
            Value::Word(word) => word,
            other => unreachable!("{name} is no word: {other:?}"),
        }
    }

    /// The words `true` and `false`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.word(name) == "true"
    }
}

/// The range of a flag.
pub(super) const FLAG: Range = Range::Choice(&["false", "true"]);

/// For detectors whose parameters do not depend on each other.
pub(super) fn no_check(_: &Settings) -> Result<(), String> {
    Ok(())
}
