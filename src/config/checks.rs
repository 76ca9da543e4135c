//! Collects what is wrong with the values of a file: all of it, not only the first.

use std::fmt::Display;

use super::document::KeyPath;
use super::select::Patterns;

/// A value that cannot be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Where it stands.
    pub(super) key: KeyPath,
    /// What is wrong with it.
    pub(super) message: String,
}

/// The mistakes found so far, and the table that is looked at.
#[derive(Debug, Default)]
pub(super) struct Checks {
    at: KeyPath,
    mistakes: Vec<Mistake>,
}

impl Checks {
    /// Looks into the table, or the entry of an array, called `key`.
    pub(super) fn within(&mut self, key: impl Display, look: impl FnOnce(&mut Self)) {
        self.at.push(key.to_string());
        look(self);
        self.at.pop();
    }

    /// Says that the value of `key` is wrong.
    pub(super) fn wrong(&mut self, key: &str, message: impl Into<String>) {
        let mut path = self.at.clone();
        path.push(key.to_owned());
        self.mistakes.push(Mistake { key: path, message: message.into() });
    }

    /// Says that `value` is wrong unless it is `ok`.
    pub(super) fn value(&mut self, key: &str, value: impl Display, ok: bool, expected: &str) {
        if !ok {
            self.wrong(key, format!("{key} is {value}, but {expected}"));
        }
    }

    /// Globs must be globs.
    pub(super) fn patterns(&mut self, key: &str, patterns: &[String]) {
        if let Some((pattern, error)) = Patterns::invalid(patterns) {
            self.wrong(key, format!("{key} has {pattern}, but that is not a pattern: {error}"));
        }
    }

    /// Everything that was found, in the order of the checks.
    pub(super) fn found(self) -> Vec<Mistake> {
        self.mistakes
    }
}
