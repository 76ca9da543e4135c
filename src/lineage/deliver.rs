//! Events out: a line of a file, or a POST.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::{LineageConfig, LineageError};
use crate::post::{Endpoint, Retry, Trust};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) enum Target {
    File(PathBuf),
    Url(Box<Endpoint>),
}

/// The targets that a configuration names.
pub(super) fn targets(config: &LineageConfig) -> Result<Vec<Target>, LineageError> {
    let mut targets: Vec<Target> = config.path.iter().cloned().map(Target::File).collect();
    if let Some(url) = &config.endpoint {
        let trust = Trust::of(config.ca_file.as_deref()).map_err(LineageError::Trust)?;
        let timeout = config.timeout.map_or(TIMEOUT, |timeout| timeout.0);
        let mut endpoint = Endpoint::open(url, timeout, &trust).map_err(LineageError::Endpoint)?;
        if let Some(token) = config.token().map_err(LineageError::Secret)? {
            endpoint.bearer(&token);
        }
        targets.push(Target::Url(Box::new(endpoint)));
    }
    Ok(targets)
}

impl Target {
    /// Delivers an event, or says why not.
    pub(super) fn deliver(&self, event: &Value) -> Result<(), String> {
        let text = event.to_string();
        match self {
            Self::File(path) => {
                append(path, &text).map_err(|error| format!("cannot write {}: {error}", path.display()))
            }
            Self::Url(endpoint) => {
                let sent = endpoint.post(text.as_bytes(), &[]);
                let sent = match sent {
                    Err(error) if error.retry != Retry::Never => {
                        std::thread::sleep(PAUSE);
                        endpoint.post(text.as_bytes(), &[])
                    }
                    sent => sent,
                };
                sent.map_err(|error| format!("cannot be sent: {error}"))
            }
        }
    }
}

/// Adds a line in one write, so that runs at the same time do not mix theirs.
fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::options().create(true).append(true).open(path)?;
    file.write_all(format!("{text}\n").as_bytes())
}
