//! The outbox goes out: in order, with retries, and with a note of what did not arrive.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::rc::Rc;
use std::time::Duration;

use backon::{BlockingRetryable, ExponentialBuilder};
use chrono::Utc;

use super::channel::Channel;
use super::message::Message;
use super::outbox::{self, OpenIncident, Waiting};
use super::{AlertError, Alerts, compose};
use crate::history::HistoryError;
use crate::post::{Retry, SendError};

/// How long one attempt may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: usize = 4;
/// A run does not wait longer than this for a receiver that asks for patience; the next run tries again.
const PATIENCE: Duration = Duration::from_secs(30);

/// What became of the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Messages that have arrived.
    pub sent: usize,
    /// Messages that wait for the next run.
    pub waiting: usize,
    /// One sentence a channel that has trouble. None shows a secret.
    pub warnings: Vec<String>,
}

/// The name of a channel, and whether a test message arrived or why not.
pub type Tested = (String, Result<(), String>);

/// How far a message has come; see [`Alerts::flush_observed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendStep {
    /// Its channel is about to send it.
    Sending,
    /// It has arrived, and nobody has noted it yet.
    Arrived,
}

impl Alerts {
    /// Sends what waits. A channel that does not answer is left alone until the next run; the others go on. A message
    /// that is refused holds up only later ones of the same incident.
    ///
    /// # Errors
    /// When the outbox cannot be read or written. What does not arrive is no error: it is in [`Delivered::warnings`].
    pub fn flush(&self) -> Result<Delivered, AlertError> {
        self.flush_observed(&mut |_| {})
    }

    /// [`Alerts::flush`], telling `observer` how far each message has come: tests end the process there.
    ///
    /// # Errors
    /// As [`Alerts::flush`].
    pub fn flush_observed(&self, observer: &mut dyn FnMut(SendStep)) -> Result<Delivered, AlertError> {
        let _one_at_a_time = self.lock()?;
        let waiting = self.waiting()?;
        let mut delivered = Delivered::default();
        let (mut down, mut held) = (HashSet::new(), HashSet::new());
        let mut unknown = BTreeSet::new();
        for Waiting { id, channel: name, message, not_before, .. } in waiting {
            let Some(named) = self.channels.iter().find(|channel| channel.name == name) else {
                delivered.waiting += 1;
                unknown.insert(name);
                continue;
            };
            let held_up = held.contains(&(name.clone(), message.key.clone()));
            if down.contains(&name) || held_up || not_before > Utc::now() {
                delivered.waiting += 1;
                held.insert((name, message.key));
                continue;
            }
            observer(SendStep::Sending);
            let tried = Cell::new(0);
            match send(named.channel.as_ref(), &message, self.settings.attempts.unwrap_or(ATTEMPTS), &tried) {
                Ok(()) => {
                    observer(SendStep::Arrived);
                    outbox::sent(&self.connection, id).map_err(|error| self.failed(error))?;
                    delivered.sent += 1;
                }
                Err(error) => {
                    let wait = if let Retry::After(wait) = error.retry { wait } else { Duration::ZERO };
                    let not_before = Utc::now() + chrono::Duration::from_std(wait).unwrap_or_default();
                    outbox::failed(&self.connection, id, tried.get(), &error.reason, not_before)
                        .map_err(|error| self.failed(error))?;
                    delivered.waiting += 1;
                    delivered.warnings.push(format!(
                        "alert channel {name}: {} ({}); it is kept and sent by the next run",
                        error.reason,
                        crate::format::counted(tried.get().into(), "attempt", "attempts")
                    ));
                    if error.retry != Retry::Never {
                        down.insert(name.clone());
                    }
                    held.insert((name, message.key));
                }
            }
        }
        for name in unknown {
            delivered
                .warnings
                .push(format!("alerts wait for the channel {name}, which [alerts] does not have any more"));
        }
        Ok(delivered)
    }

    /// Sends a test message to every channel, or to the one called `name`, past the outbox. One result a channel.
    ///
    /// # Errors
    /// When there is no channel of this name.
    pub fn test(&self, name: Option<&str>) -> Result<Vec<Tested>, AlertError> {
        let wanted: Vec<_> = self.channels.iter().filter(|one| name.is_none_or(|name| name == one.name)).collect();
        if let (Some(name), true) = (name, wanted.is_empty()) {
            let known: Vec<_> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
            return Err(AlertError::NoSuchChannel { name: name.to_owned(), known: known.join(", ") });
        }
        let mut results = Vec::new();
        for named in wanted {
            let mut message = compose::test_message(&named.name);
            self.templates.fill(&mut message)?;
            let result = named.channel.send(&message).map_err(|error| error.reason);
            results.push((named.name.clone(), result));
        }
        Ok(results)
    }

    /// What waits to be sent.
    ///
    /// # Errors
    /// When the outbox cannot be read.
    pub fn waiting(&self) -> Result<Vec<Waiting>, AlertError> {
        outbox::waiting(&self.connection).map_err(|error| self.failed(error))
    }

    /// The open incidents of a job, or of all, the oldest first.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn open_incidents(&self, job: Option<&str>) -> Result<Vec<OpenIncident>, AlertError> {
        outbox::open_incidents(&self.connection, job).map_err(|error| self.failed(error))
    }

    /// Two runs do not send the same message. The lock goes with the process, however that ends.
    fn lock(&self) -> Result<File, AlertError> {
        let mut path = self.path.clone().into_os_string();
        path.push("-outbox");
        let path = std::path::PathBuf::from(path);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let locked = file.and_then(|file| file.lock().map(|()| file));
        locked.map_err(|source| HistoryError::Io { doing: "lock", path, source }.into())
    }
}

/// Tries a few times, longer and longer apart, and as late as the receiver asks for.
fn send(channel: &dyn Channel, message: &Message, attempts: usize, tried: &Cell<u32>) -> Result<(), SendError> {
    let asked = Rc::new(Cell::new(Duration::ZERO));
    let longer = Rc::clone(&asked);
    let attempt = || {
        tried.set(tried.get() + 1);
        channel.send(message)
    };
    let backoff = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(8))
        .with_max_times(attempts.saturating_sub(1))
        .with_jitter();
    attempt
        .retry(backoff)
        .when(|error: &SendError| match error.retry {
            Retry::Never => false,
            Retry::Soon => true,
            Retry::After(wait) => wait <= PATIENCE,
        })
        .notify(|error: &SendError, _| {
            asked.set(if let Retry::After(wait) = error.retry { wait } else { Duration::ZERO });
        })
        .sleep(move |wait: Duration| std::thread::sleep(wait.max(longer.get())))
        .call()
}
