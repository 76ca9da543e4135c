//! Secrets: never in the configuration, never in a report, a log or a message.
//!
//! A section that needs one has three keys for it, here for `url`:
//!
//! ```toml
//! url_env = "SLACK_URL"                # the environment variable that holds it, or
//! url_file = "/run/secrets/slack"      # the file that holds it; a newline at its end is left out
//! ```
//!
//! The third, `url` itself, is of the type [`Refused`]: an error that says how it is done.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands for a secret wherever it could be seen.
const HIDDEN: &str = "***";

/// A secret that was read. It prints and serialises as `***`; only [`Secret::reveal`] gives the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Why a secret could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Neither an environment variable nor a file is named.
    #[error("no {key} is given: write {key}_env = \"NAME\" (an environment variable) or {key}_file = \"PATH\"")]
    Nothing {
        /// The key without its ending.
        key: &'static str,
    },
    /// Both are named.
    #[error("{key}_env and {key}_file are both given; leave one out")]
    Both {
        /// The key without its ending.
        key: &'static str,
    },
    /// The environment variable is not set, empty, or not text.
    #[error("{key}_env names the environment variable {name}, which is {problem}")]
    Environment {
        /// The key without its ending.
        key: &'static str,
        /// The variable.
        name: String,
        /// `not set`, `empty` or `not UTF-8`.
        problem: &'static str,
    },
    /// The file could not be read.
    #[error("{key}_file: cannot read {}", file.display())]
    File {
        /// The key without its ending.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file has nothing in it.
    #[error("{key}_file: {} is empty", file.display())]
    EmptyFile {
        /// The key without its ending.
        key: &'static str,
        /// The file.
        file: PathBuf,
    },
}

impl Secret {
    /// A secret that was had in another way.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret of `key` from the environment variable or the file that the section names.
    ///
    /// # Errors
    /// When not exactly one of the two is named, or it holds nothing.
    pub fn read(key: &'static str, env: Option<&str>, file: Option<&Path>) -> Result<Self, SecretError> {
        match (env, file) {
            (None, None) => Err(SecretError::Nothing { key }),
            (Some(_), Some(_)) => Err(SecretError::Both { key }),
            (Some(name), None) => {
                let problem = |problem| SecretError::Environment { key, name: name.to_owned(), problem };
                match std::env::var(name) {
                    Ok(text) if text.is_empty() => Err(problem("empty")),
                    Ok(text) => Ok(Self(text)),
                    Err(std::env::VarError::NotPresent) => Err(problem("not set")),
                    Err(std::env::VarError::NotUnicode(_)) => Err(problem("not UTF-8")),
                }
            }
            (None, Some(file)) => {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|source| SecretError::File { key, file: file.to_owned(), source })?;
                match text.trim_end_matches(['\r', '\n']) {
                    "" => Err(SecretError::EmptyFile { key, file: file.to_owned() }),
                    text => Ok(Self(text.to_owned())),
                }
            }
        }
    }

    /// The text, for whoever sends it where it belongs.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// The key of a secret that stands in the configuration itself: always an error, which does not show it.
///
/// A section has it as `#[serde(default)] pub url: Refused`, beside `url_env` and `url_file`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused;

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(
            "a secret does not stand in the configuration: write the key with _env (the name of an environment \
             variable that holds it) or with _file (a file that holds it)",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "*** *** Some(***)");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"***\"");
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn it_comes_from_a_file_or_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "hunter2\r\n").unwrap();
        assert_eq!(Secret::read("url", None, Some(&file)).unwrap().reveal(), "hunter2");
        std::fs::write(&file, "\n").unwrap();
        assert!(Secret::read("url", None, Some(&file)).unwrap_err().to_string().ends_with("token is empty"));
        // The one variable that every test process has.
        assert_eq!(Secret::read("url", Some("PATH"), None).unwrap().reveal(), std::env::var("PATH").unwrap());
        assert_eq!(
            Secret::read("url", Some("GPUDRIFT_NO_SUCH_VARIABLE"), None).unwrap_err().to_string(),
            "url_env names the environment variable GPUDRIFT_NO_SUCH_VARIABLE, which is not set"
        );
    }

    #[test]
    fn exactly_one_place_is_named() {
        let said = |env, file| Secret::read("token", env, file).unwrap_err().to_string();
        assert!(said(None, None).starts_with("no token is given: write token_env"));
        assert!(said(Some("A"), Some(Path::new("b"))).ends_with("leave one out"));
    }
}
