//! Events out: a line of a file, or a POST.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{LineageConfig, LineageError};
use crate::post::{Endpoint, Retry, Trust};

const TIMEOUT: Duration = Duration::from_secs(5);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(500);
/// A target that did not answer is left alone for so long: a backfill of a year has hundreds of events.
const REST: Duration = Duration::from_secs(60);

/// A place that events go to.
pub(super) struct Target {
    place: Place,
    /// When it last did not answer.
    down: Mutex<Option<Instant>>,
}

enum Place {
    File(PathBuf),
    Url(Box<Endpoint>),
}

/// How often it is tried to send an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Once: somebody waits for the program to end.
    Once,
    /// Once more, where that may help.
    Twice,
}

/// The targets that a configuration names.
pub(super) fn targets(config: &LineageConfig) -> Result<Vec<Target>, LineageError> {
    let mut places: Vec<Place> = config.path.iter().cloned().map(Place::File).collect();
    if let Some(url) = &config.endpoint {
        let trust = Trust::of(config.ca_file.as_deref()).map_err(LineageError::Trust)?;
        let timeout = config.timeout.map_or(TIMEOUT, |timeout| timeout.0);
        let mut endpoint = Endpoint::open(url, timeout, &trust).map_err(LineageError::Endpoint)?;
        if let Some(token) = config.token().map_err(LineageError::Secret)? {
            endpoint.bearer(&token);
        }
        places.push(Place::Url(Box::new(endpoint)));
    }
    Ok(places.into_iter().map(|place| Target { place, down: Mutex::default() }).collect())
}

impl Target {
    /// Delivers an event, or says why not.
    pub(super) fn deliver(&self, event: &Value, patience: Patience) -> Result<(), String> {
        // Not held while it is sent: who ends the program does not wait for somebody else's event.
        let down = || self.down.lock().unwrap_or_else(PoisonError::into_inner);
        if down().is_some_and(|since| since.elapsed() < REST) {
            return Err("cannot be sent: there was no answer a moment ago".to_owned());
        }
        let sent = self.place.take(&event.to_string(), patience);
        *down() = sent.is_err().then(Instant::now);
        sent
    }
}

impl Place {
    fn take(&self, text: &str, patience: Patience) -> Result<(), String> {
        match self {
            Self::File(path) => append(path, text).map_err(|error| format!("cannot write {}: {error}", path.display())),
            Self::Url(endpoint) => {
                let sent = match endpoint.post(text.as_bytes(), &[]) {
                    Err(error) if patience == Patience::Twice && error.retry != Retry::Never => {
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
