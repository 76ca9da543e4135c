//! `gpudrift.toml`: where the two sides lie, and any option of a scan.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::select::did_you_mean;
use super::{ConfigError, DEFAULT_FILE, ScanOptions};
use crate::alert::AlertsConfig;
use crate::history::HistoryConfig;

/// What a configuration file says, with the paths of both sides among the options.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FileConfig {
    /// The file.
    pub path: PathBuf,
    /// What it says; relative paths have the file's folder in front.
    pub options: ScanOptions,
    /// `[history]`.
    pub history: HistoryConfig,
    /// `[alerts]`.
    pub alerts: AlertsConfig,
}

/// The reference in the file: its data, or the profile that stands for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReferenceConfig {
    /// Files, folders, globs, relative to the folder of the configuration file.
    pub paths: Vec<String>,
    /// A file that `gpudrift profile build` wrote, relative to the folder of the configuration file.
    pub profile: Option<PathBuf>,
}

/// The current side in the file, or the source of both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideConfig {
    /// Files, folders, globs, relative to the folder of the configuration file.
    pub paths: Vec<String>,
}

/// The tables of the file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tables {
    reference: Option<ReferenceConfig>,
    current: Option<SideConfig>,
    source: Option<SideConfig>,
    scan: ScanOptions,
    history: HistoryConfig,
    alerts: AlertsConfig,
    /// Read by [`ConceptOptions`](crate::concept::ConceptOptions).
    #[serde(rename = "concept")]
    _concept: IgnoredAny,
}

impl FileConfig {
    /// The file that applies: the one named with `--config`, or else [`DEFAULT_FILE`] in this folder when the command
    /// line does not name both sides. A scan whose sides are both typed does not depend on the folder it runs in.
    ///
    /// # Errors
    /// When the file cannot be read or is wrong; a missing default file is none.
    pub fn find(named: Option<&Path>, flags: &ScanOptions) -> Result<Option<Self>, ConfigError> {
        match named {
            Some(path) => Self::read(path).map(Some),
            None if flags.source.is_some() => Ok(None),
            None if (flags.reference.is_some() || flags.profile.is_some()) && flags.current.is_some() => Ok(None),
            None => match Self::read(Path::new(DEFAULT_FILE)) {
                Err(ConfigError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
                read => read.map(Some),
            },
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or has keys that nobody knows.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { file: path.to_owned(), source })?;
        Self::parse(&text, path)
    }

    /// Understands the text of a file that lies at `path`.
    ///
    /// # Errors
    /// When it is not TOML, or has keys that nobody knows; the message shows the line.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let Tables { reference, current, source, scan, mut history, mut alerts, .. } =
            toml::from_str(text).map_err(|error| explained(&error, text, path))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let paths = |paths: Vec<String>| paths.into_iter().map(|path| beside(folder, path)).collect::<Vec<_>>();
        let ReferenceConfig { paths: reference, profile } = reference.unwrap_or_default();
        if let Some(profile) = profile.as_ref().filter(|_| !reference.is_empty()) {
            return Err(ConfigError::Value {
                key: "profile",
                value: profile.display().to_string(),
                expected: "[reference] has paths, too: keep one of the two".to_owned(),
            });
        }
        let output = scan.output.as_ref().map(|output| match output.to_str() {
            Some("-") | None => output.clone(),
            Some(_) => folder.join(output),
        });
        let options = ScanOptions {
            reference: (!reference.is_empty()).then(|| paths(reference)),
            profile: profile.map(|profile| folder.join(profile)),
            current: current.map(|current| paths(current.paths)),
            source: source.map(|source| paths(source.paths)),
            output,
            ..scan
        };
        history.relative_to(folder);
        alerts.relative_to(folder);
        Ok(Self { path: path.to_owned(), options, history, alerts })
    }
}

/// `path` as seen from here, when it was written as seen from `folder`.
fn beside(folder: &Path, path: String) -> String {
    if path.contains("://") || Path::new(&path).is_absolute() || folder.as_os_str().is_empty() {
        return path;
    }
    folder.join(&path).to_str().map_or(path, str::to_owned)
}

/// The error with its line, and with the key that may have been meant.
fn explained(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let span = error.span().unwrap_or(0..0);
    let start = floor_boundary(text, span.start);
    let before = &text[..start];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap_or("").chars().count();
    let content = text.lines().nth(line).unwrap_or("");
    let marked = text[start..floor_boundary(text, span.end).max(start)].lines().next().unwrap_or("").chars().count();
    ConfigError::Parse {
        file: path.display().to_string(),
        line: line + 1,
        message: message(error.message()),
        text: content.to_owned(),
        marker: format!("{}{}", " ".repeat(column), "^".repeat(marked.max(1))),
    }
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
            match hint.is_empty() && known.len() <= 4 {
                true => format!("unknown key `{unknown}`; the keys are {}", known.join(", ")),
                false => format!("unknown key `{unknown}`{hint}; `gpudrift scan --help` lists every option"),
            }
        }
        _ => serde.trim_end().to_owned(),
    }
}
