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

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::document::UNSEEN;

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
#[schemars(extend("not" = {}))]
pub struct Refused;

impl<'de> Deserialize<'de> for Refused {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom(format!(
            "{UNSEEN}a secret does not stand in the configuration: write the key with _env (the name of an environment \
             variable that holds it) or with _file (a file that holds it)"
        )))
    }
}

/// Reads an address that anybody may see: one that holds a password or a token is an error, which does not show it.
///
/// # Errors
/// When it is no text, or holds a secret.
pub(crate) fn public_address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let address = Option::<String>::deserialize(deserializer)?;
    match address.as_deref().and_then(secret_in) {
        Some(what) => Err(serde::de::Error::custom(format!(
            "{UNSEEN}a secret does not stand in the configuration: this address holds {what}; leave it out, and name it \
             with a key that ends in _env (an environment variable) or _file (a file)"
        ))),
        None => Ok(address),
    }
}

/// The secret that an address holds: before its host, or in its query.
fn secret_in(address: &str) -> Option<&'static str> {
    const KEYS: [&str; 10] =
        ["token", "access_token", "key", "api_key", "apikey", "routing_key", "secret", "password", "signature", "sig"];
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.split('/').next().is_some_and(|host| host.contains('@'));
    let mut keys = query.split('&').filter_map(|pair| Some(pair.split_once('=')?.0.to_lowercase()));
    match (user, keys.any(|key| KEYS.contains(&key.as_str()))) {
        (true, _) => Some("a user and a password"),
        (false, true) => Some("a token in its query"),
        (false, false) => None,
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
    fn a_secret_in_the_file_is_an_error_that_does_not_show_it() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Slack {
            #[serde(default, rename = "url")]
            _url: Refused,
            url_env: Option<String>,
        }
        let said = |text: &str| {
            let document = super::super::Document::parse(text, Path::new("gpudrift.toml")).unwrap();
            toml::from_str::<Slack>(text).map_err(|error| document.explain(&error).to_string())
        };
        let refused = said("\nurl = 'https://hooks.example/hunter2'").unwrap_err();
        assert!(
            refused.starts_with("gpudrift.toml, line 2: a secret does not stand in the configuration"),
            "{refused}"
        );
        assert!(!refused.contains("hunter2"), "{refused}");
        let unknown = said("token = 'hunter2'").unwrap_err();
        assert!(unknown.contains("unknown key `token`") && !unknown.contains("hunter2"), "{unknown}");
        assert_eq!(said("url_env = 'SLACK_URL'").unwrap().url_env.as_deref(), Some("SLACK_URL"));
    }

    #[test]
    fn an_address_that_holds_a_secret_is_an_error_that_does_not_show_it() {
        #[derive(Debug, Deserialize)]
        struct Hook {
            #[serde(default, deserialize_with = "public_address")]
            endpoint: Option<String>,
        }
        let said = |address: &str| {
            let text = format!("\nendpoint = '{address}'");
            let document = super::super::Document::parse(&text, Path::new("gpudrift.toml")).unwrap();
            toml::from_str::<Hook>(&text).map_err(|error| document.explain(&error).to_string())
        };
        for address in [
            "https://bot:hunter2@hooks.example/x",
            "bot:hunter2@mail.example:587",
            "https://hooks.example/x?v=1&Token=hunter2",
        ] {
            let refused = said(address).unwrap_err();
            assert!(refused.starts_with("gpudrift.toml, line 2: a secret does not stand"), "{refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        for address in ["https://hooks.example:8443/a@b?v=1", "mail.example:587", "http://[::1]:9093"] {
            assert_eq!(said(address).unwrap().endpoint.as_deref(), Some(address));
        }
    }

    #[test]
    fn exactly_one_place_is_named() {
        let said = |env, file| Secret::read("token", env, file).unwrap_err().to_string();
        assert!(said(None, None).starts_with("no token is given: write token_env"));
        assert!(said(Some("A"), Some(Path::new("b"))).ends_with("leave one out"));
    }
}
