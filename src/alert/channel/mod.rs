//! Where messages go: one file a type, and the list [`CHANNELS`].

mod alertmanager;
mod command;
mod email;
mod pagerduty;
mod slack;
mod webhook;

use std::fmt;
use std::time::Duration;

use super::AlertError;
use super::config::ChannelConfig;
use super::message::Message;
use crate::post::{NoUrl, SendError, TrustError};

/// A type of channel.
pub struct ChannelType {
    /// The name, as in `type = "slack"`.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// The keys that it takes, without `_env` and `_file`, besides those that every type takes.
    pub keys: &'static [&'static str],
    build: Build,
}

/// Makes a channel from its table; an attempt may take so long.
type Build = fn(&ChannelConfig, Duration) -> Result<Box<dyn Channel>, Problem>;

impl fmt::Debug for ChannelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Every type of channel.
pub static CHANNELS: &[ChannelType] =
    &[slack::SLACK, pagerduty::PAGERDUTY, alertmanager::ALERTMANAGER, webhook::WEBHOOK, email::EMAIL, command::COMMAND];

/// Delivers messages, one at a time.
pub(super) trait Channel: Send {
    /// Delivers `message`, or says why not. Called again with the same message when it is not known to have arrived.
    fn send(&self, message: &Message) -> Result<(), SendError>;

    /// Whether an incident that goes on must be sent every night, because the receiver forgets it.
    fn renews(&self) -> bool {
        false
    }
}

/// What is wrong with the keys of a channel.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A secret could not be had.
    #[error(transparent)]
    Secret(#[from] crate::config::SecretError),
    /// The certificates to believe could not be had.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// An address is none.
    #[error(transparent)]
    Url(#[from] NoUrl),
    /// Anything else, as a sentence.
    #[error("{0}")]
    Keys(String),
}

/// The channel that a table `[alerts.NAME]` describes.
pub(super) fn build(name: &str, config: &ChannelConfig, timeout: Duration) -> Result<Box<dyn Channel>, AlertError> {
    let wrong = |problem| AlertError::Channel { name: name.to_owned(), problem };
    let kind = config.kind.as_deref().unwrap_or(name);
    let Some(kind) = CHANNELS.iter().find(|one| one.name == kind) else {
        let names: Vec<_> = CHANNELS.iter().map(|one| one.name).collect();
        return Err(wrong(Problem::Keys(format!(
            "there is no type {kind:?}; write type = one of {}",
            names.join(", ")
        ))));
    };
    if let Some(key) = config.given().into_iter().find(|key| !kind.keys.contains(key)) {
        let keys = kind.keys.join(", ");
        return Err(wrong(Problem::Keys(format!("{} does not take {key}; it takes {keys}", kind.name))));
    }
    (kind.build)(config, timeout).map_err(wrong)
}

fn required<'c>(key: &str, value: Option<&'c str>) -> Result<&'c str, Problem> {
    value.filter(|value| !value.is_empty()).ok_or_else(|| Problem::Keys(format!("{key} is missing")))
}
