//! `[alerts]` and `[alerts.NAME]`: who is told, of what, and how often.
//!
//! ```toml
//! [alerts]
//! cooldown = "20h"                       # the same incident is not told again sooner
//! dashboard = "https://drift.example/{{ job }}?run={{ run }}"
//! runbook = "https://wiki.example/drift/{{ subject | urlencode }}"
//!
//! [alerts.slack]                         # the name is the type, where `type` does not say another one
//! url_env = "SLACK_URL"
//!
//! [alerts.on-call]
//! type = "pagerduty"
//! level = "critical"
//! routing_key_file = "/run/secrets/pagerduty"
//! ```

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::config::{Refused, Secret, SecretError, public_address};
use crate::post::{Trust, TrustError};
use crate::verdict::Level;

/// A length of time as people write it: `20h`, `7 days`, `90s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(pub Duration);

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        humantime::parse_duration(&text).map(Self).map_err(|error| {
            serde::de::Error::custom(format!("{text:?} is no length of time like \"20h\" or \"7 days\": {error}"))
        })
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A length of time, like \"20h\" or \"7 days\".", "type": "string" })
    }
}

/// All of `[alerts]`.
#[derive(Clone, Debug, Default, PartialEq, JsonSchema)]
pub struct AlertsConfig {
    /// A told incident is not told again sooner, even when it ended and came back; default 20 hours. A rise of its
    /// level is told at once.
    pub cooldown: Option<Period>,
    /// People are reminded of an open incident after so long; never when `None`.
    pub remind_after: Option<Period>,
    /// URL of the dashboard: a template with `job`, `subject`, `run`, `window`, `level`.
    pub dashboard: Option<String>,
    /// URL of the runbook: a template like `dashboard`.
    pub runbook: Option<String>,
    /// A playbook of one's own, in place of the one that is shipped: a file with a template.
    pub playbook: Option<PathBuf>,
    /// At most so many features of an incident are listed, the most severe first; default 10.
    pub top: Option<usize>,
    /// When more incidents than this begin in one run, the rest is told in one message; default 20.
    pub limit: Option<usize>,
    /// So many rows of the current data are sent along. None by default: they may be private.
    pub samples: Option<usize>,
    /// How long one attempt to deliver may take; default 10 seconds.
    pub timeout: Option<Period>,
    /// Attempts to deliver in one run; default 4.
    pub attempts: Option<usize>,
    /// Who is told, by name.
    #[schemars(flatten)]
    pub channels: IndexMap<String, ChannelConfig>,
}

/// `[alerts.NAME]`: one place that messages go to. Which keys apply depends on the type.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChannelConfig {
    /// One of the types in [`super::CHANNELS`]; the name of the table when `None`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The least level that is told here; default `warning`.
    pub level: Option<Level>,
    /// Whether the end of an incident is told; default yes.
    pub resolve: Option<bool>,
    /// Whether drift is told here; default yes. A channel that is only a hook of `[retrain]` says no.
    pub drift: Option<bool>,
    /// An address that is no secret: PagerDuty's or Alertmanager's URL, `mail.example:587`.
    #[serde(deserialize_with = "public_address")]
    pub endpoint: Option<String>,
    /// Refused: see `url_env`.
    pub url: Refused,
    /// The environment variable that holds the URL.
    pub url_env: Option<String>,
    /// The file that holds the URL.
    pub url_file: Option<PathBuf>,
    /// Refused: see `routing_key_env`.
    pub routing_key: Refused,
    /// The environment variable that holds PagerDuty's routing key.
    pub routing_key_env: Option<String>,
    /// The file that holds PagerDuty's routing key.
    pub routing_key_file: Option<PathBuf>,
    /// Refused: see `secret_env`.
    pub secret: Refused,
    /// The environment variable that holds the key that webhooks are signed with.
    pub secret_env: Option<String>,
    /// The file that holds the key that webhooks are signed with.
    pub secret_file: Option<PathBuf>,
    /// Refused: see `token_env`.
    pub token: Refused,
    /// The environment variable that holds a bearer token.
    pub token_env: Option<String>,
    /// The file that holds a bearer token.
    pub token_file: Option<PathBuf>,
    /// Refused: see `password_env`.
    pub password: Refused,
    /// The environment variable that holds the password of `user`.
    pub password_env: Option<String>,
    /// The file that holds the password of `user`.
    pub password_file: Option<PathBuf>,
    /// The authorities whose certificates are believed, in place of those that this machine trusts: a PEM file. For
    /// servers whose certificate the company has signed itself.
    pub ca_file: Option<PathBuf>,
    /// Who logs in at the mail server.
    pub user: Option<String>,
    /// Sender of mails.
    pub from: Option<String>,
    /// Recipients of mails.
    pub to: Vec<String>,
    /// How the connection to the mail server is encrypted; default `starttls`.
    pub tls: Option<Tls>,
    /// Further labels of Alertmanager's alerts.
    pub labels: IndexMap<String, String>,
    /// How long Alertmanager keeps an alert that no run renews; default 36 hours.
    pub keep: Option<Period>,
    /// The program to run, and its arguments.
    pub command: Vec<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// It begins in the clear and must be raised to TLS (port 587).
    #[default]
    StartTls,
    /// TLS from the first byte (port 465).
    Implicit,
    /// Not at all (port 25): for a server on this machine.
    None,
}

impl ChannelConfig {
    /// The keys that have a value, but for those that every type takes.
    pub(super) fn given(&self) -> Vec<&'static str> {
        let secret = |env: &Option<String>, file: &Option<PathBuf>| env.is_some() || file.is_some();
        let keys = [
            ("endpoint", self.endpoint.is_some()),
            ("url", secret(&self.url_env, &self.url_file)),
            ("routing_key", secret(&self.routing_key_env, &self.routing_key_file)),
            ("secret", secret(&self.secret_env, &self.secret_file)),
            ("token", secret(&self.token_env, &self.token_file)),
            ("password", secret(&self.password_env, &self.password_file)),
            ("ca_file", self.ca_file.is_some()),
            ("user", self.user.is_some()),
            ("from", self.from.is_some()),
            ("to", !self.to.is_empty()),
            ("tls", self.tls.is_some()),
            ("labels", !self.labels.is_empty()),
            ("keep", self.keep.is_some()),
            ("command", !self.command.is_empty()),
        ];
        keys.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }

    pub(super) fn url(&self) -> Result<Secret, SecretError> {
        Secret::read("url", self.url_env.as_deref(), self.url_file.as_deref())
    }

    pub(super) fn routing_key(&self) -> Result<Secret, SecretError> {
        Secret::read("routing_key", self.routing_key_env.as_deref(), self.routing_key_file.as_deref())
    }

    /// Whose certificates are believed.
    pub(super) fn trust(&self) -> Result<Trust, TrustError> {
        Trust::of(self.ca_file.as_deref())
    }

    /// The key of signatures, where there is one.
    pub(super) fn secret(&self) -> Result<Option<Secret>, SecretError> {
        optional("secret", &self.secret_env, &self.secret_file)
    }

    /// The bearer token, where there is one.
    pub(super) fn token(&self) -> Result<Option<Secret>, SecretError> {
        optional("token", &self.token_env, &self.token_file)
    }

    /// The password, where there is one.
    pub(super) fn password(&self) -> Result<Option<Secret>, SecretError> {
        optional("password", &self.password_env, &self.password_file)
    }
}

impl AlertsConfig {
    /// Puts the folder of the configuration file in front of relative paths.
    pub(crate) fn beside(&mut self, folder: &Path) {
        let beside = |path: &mut Option<PathBuf>| *path = path.take().map(|path| folder.join(path));
        beside(&mut self.playbook);
        for channel in self.channels.values_mut() {
            beside(&mut channel.url_file);
            beside(&mut channel.routing_key_file);
            beside(&mut channel.secret_file);
            beside(&mut channel.token_file);
            beside(&mut channel.password_file);
            beside(&mut channel.ca_file);
        }
    }
}

fn optional(key: &'static str, env: &Option<String>, file: &Option<PathBuf>) -> Result<Option<Secret>, SecretError> {
    match (env, file) {
        (None, None) => Ok(None),
        (env, file) => Secret::read(key, env.as_deref(), file.as_deref()).map(Some),
    }
}

/// By hand, because a flattened map loses the places of its errors in the file.
impl<'de> Deserialize<'de> for AlertsConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = AlertsConfig;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the table [alerts]")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AlertsConfig, A::Error> {
                let mut config = AlertsConfig::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "cooldown" => config.cooldown = Some(map.next_value()?),
                        "remind_after" => config.remind_after = Some(map.next_value()?),
                        "dashboard" => config.dashboard = Some(map.next_value()?),
                        "runbook" => config.runbook = Some(map.next_value()?),
                        "playbook" => config.playbook = Some(map.next_value()?),
                        "top" => config.top = Some(map.next_value()?),
                        "limit" => config.limit = Some(map.next_value()?),
                        "samples" => config.samples = Some(map.next_value()?),
                        "timeout" => config.timeout = Some(map.next_value()?),
                        "attempts" => config.attempts = Some(map.next_value()?),
                        _ => {
                            config.channels.insert(key, map.next_value()?);
                        }
                    }
                }
                Ok(config)
            }
        }
        deserializer.deserialize_map(Table)
    }
}
