//! The text of a configuration file with the place of every key, so that a message can show the line it is about.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::select::did_you_mean;

/// Keys from the top of the file to a value; the entry of an array is its index. `["rule", "0", "psi_warning"]`.
pub type KeyPath = Vec<String>;

/// Something wrong in a configuration file, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, and what may have been meant.
    pub message: String,
    /// The line, and marks below the place in it; empty where the line must not be shown.
    pub excerpt: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}: {}{}", self.file, self.line, self.message, self.excerpt)
    }
}

/// Marks a message about a line that nobody must see: it holds a secret.
pub(super) const UNSEEN: char = '\u{0}';

/// A configuration file, parsed for places only.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    path: PathBuf,
    text: String,
    places: HashMap<KeyPath, Range<usize>>,
}

impl Document {
    /// Finds the places of all keys in the text of a file that lies at `path`.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut document = Self { path: path.to_owned(), text: text.to_owned(), places: HashMap::new() };
        let table = DeTable::parse(text).map_err(|error| document.explain(&error))?;
        collect(table.get_ref(), &mut Vec::new(), &mut document.places);
        Ok(document)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of a key, from 1, or of the nearest table around it that is written down.
    #[must_use]
    pub fn line(&self, key: &[String]) -> usize {
        self.text[..self.start(key)].matches('\n').count() + 1
    }

    /// Whether the key is written in the file.
    #[must_use]
    pub fn has(&self, key: &[String]) -> bool {
        self.places.contains_key(key)
    }

    /// What is wrong with the value of a key.
    #[must_use]
    pub fn problem(&self, key: &[String], message: String) -> Problem {
        let start = self.start(key);
        let end = self.nearest(key).map_or(start, |place| place.end);
        self.problem_at(&(start..end), message)
    }

    /// What serde or the parser found wrong.
    pub(crate) fn explain(&self, error: &toml::de::Error) -> ConfigError {
        let problem = self.problem_at(&error.span().unwrap_or(0..0), message(error.message()));
        ConfigError::Problems(vec![problem])
    }

    fn nearest(&self, key: &[String]) -> Option<&Range<usize>> {
        (0..=key.len()).rev().find_map(|depth| self.places.get(&key[..depth]))
    }

    fn start(&self, key: &[String]) -> usize {
        self.nearest(key).map_or(0, |place| place.start)
    }

    fn problem_at(&self, span: &Range<usize>, message: String) -> Problem {
        let (start, end) = (floor_boundary(&self.text, span.start), floor_boundary(&self.text, span.end));
        let before = &self.text[..start];
        let line = before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or("").chars().count();
        let content = self.text.lines().nth(line).unwrap_or("");
        let marked = self.text[start..end.max(start)].lines().next().unwrap_or("").chars().count();
        let marker = format!("{}{}", " ".repeat(column), "^".repeat(marked.max(1)));
        let excerpt = match message.contains(UNSEEN) || hides_a_secret(content) {
            true => String::new(),
            false => format!("\n\n    {content}\n    {marker}"),
        };
        Problem { file: self.path.display().to_string(), line: line + 1, message: message.replace(UNSEEN, ""), excerpt }
    }
}

/// The place of every key below `table`; a value in an array has the place of the value.
fn collect(table: &DeTable<'_>, at: &mut KeyPath, places: &mut HashMap<KeyPath, Range<usize>>) {
    for (key, value) in table {
        at.push(key.get_ref().to_string());
        places.insert(at.clone(), key.span());
        collect_value(value, at, places);
        at.pop();
    }
}

fn collect_value(value: &Spanned<DeValue<'_>>, at: &mut KeyPath, places: &mut HashMap<KeyPath, Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => collect(table, at, places),
        DeValue::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                at.push(index.to_string());
                places.insert(at.clone(), value.span());
                collect_value(value, at, places);
                at.pop();
            }
        }
        _ => {}
    }
}

/// Whether a line may hold a secret, by the name of its key: such a line is not shown.
fn hides_a_secret(line: &str) -> bool {
    let key = line.split_once('=').map_or("", |(key, _)| key).trim().to_lowercase();
    let named = ["secret", "token", "password", "credential", "key", "url", "webhook"];
    named.iter().any(|name| key.contains(name)) && !key.ends_with("_env") && !key.ends_with("_file")
}

fn floor_boundary(text: &str, mut index: usize) -> usize {
    index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// Serde lists all keys it knows; the nearest few say more.
fn message(serde: &str) -> String {
    let mut quoted = serde.split('`').skip(1).step_by(2);
    match quoted.next() {
        Some(unknown) if serde.starts_with("unknown field") => {
            let known: Vec<_> = quoted.collect();
            let hint = did_you_mean(unknown, known.iter().copied());
            match (hint.is_empty(), known.len()) {
                (true, 0) => format!("unknown key `{unknown}`: this table has no keys yet"),
                (true, _) => format!("unknown key `{unknown}`; the keys are {}", known.join(", ")),
                (false, _) => format!("unknown key `{unknown}`{hint}"),
            }
        }
        Some(unknown) if serde.starts_with("unknown variant") => {
            let known: Vec<_> = quoted.collect();
            let hint = did_you_mean(unknown, known.iter().copied());
            format!("unknown value `{unknown}`; the values are {}{hint}", known.join(", "))
        }
        _ => serde.trim_end().to_owned(),
    }
}
