//! A configuration file: read, understood, checked.

use std::path::{Path, PathBuf};

use super::checks::Checks;
use super::document::Document;
use super::sections::{Section, Sections};
use super::{ConfigError, DEFAULT_FILE, ScanOptions};

/// A configuration file.
#[derive(Clone, Debug, PartialEq)]
pub struct FileConfig {
    /// Its text, with the places of the keys.
    pub document: Document,
    /// What it says; relative paths have the file's folder in front.
    pub sections: Sections,
}

impl FileConfig {
    /// The file that applies: the one named with `--config`, or else [`DEFAULT_FILE`] in this folder when the command
    /// line does not name both sides. A scan whose sides are both typed does not depend on the folder it runs in.
    ///
    /// # Errors
    /// When the file cannot be read or is wrong; a missing default file is none.
    pub fn find(named: Option<&Path>, flags: &ScanOptions) -> Result<Option<Self>, ConfigError> {
        match named {
            Some(_) => Self::named_or_default(named),
            None if flags.source.is_some() || flags.feast.is_some() => Ok(None),
            None if (flags.reference.is_some() || flags.profile.is_some()) && flags.current.is_some() => Ok(None),
            None => Self::named_or_default(None),
        }
    }

    /// The file that applies to a command of its own table: the one named, or [`DEFAULT_FILE`] in this folder, if there is one.
    ///
    /// # Errors
    /// When the file cannot be read or is wrong; a missing default file is none.
    pub fn named_or_default(named: Option<&Path>) -> Result<Option<Self>, ConfigError> {
        match named {
            Some(path) => Self::read(path).map(Some),
            None => match Self::read(Path::new(DEFAULT_FILE)) {
                Err(ConfigError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
                read => read.map(Some),
            },
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, has keys that nobody knows, or values that cannot be meant.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { file: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Understands the text of a file that lies at `path`.
    ///
    /// # Errors
    /// As [`FileConfig::read`]; the message shows the line of every wrong value.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let document = Document::parse(text, path)?;
        let mut sections: Sections = toml::from_str(text).map_err(|error| document.explain(&error))?;
        let mut checks = Checks::default();
        sections.check(&mut checks);
        let problems: Vec<_> =
            checks.found().into_iter().map(|wrong| document.problem(&wrong.key, wrong.message)).collect();
        if !problems.is_empty() {
            return Err(ConfigError::Problems(problems));
        }
        sections.relative_to(path.parent().unwrap_or(Path::new("")));
        Ok(Self { document, sections })
    }

    /// Where the file lies.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.document.path().to_owned()
    }
}
