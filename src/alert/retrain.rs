//! Hooks of retraining: the channels that are told, once, that a training is due.

use rusqlite::{Transaction, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::compose::{empty, key};
use super::message::{Action, Message, RunNote};
use super::outbox::enqueue;
use super::{AlertError, Alerts};
use crate::history::instant;
use crate::retrain::Decision;
use crate::verdict::Level;

impl Alerts {
    /// Makes sure that there are channels of these names.
    ///
    /// # Errors
    /// When there is none of one of them.
    pub fn check_names(&self, names: &[String]) -> Result<(), AlertError> {
        let known: Vec<&str> = self.channels.iter().map(|channel| channel.name.as_str()).collect();
        match names.iter().find(|name| !known.contains(&name.as_str())) {
            Some(name) => Err(AlertError::NoSuchChannel { name: name.clone(), known: known.join(", ") }),
            None => Ok(()),
        }
    }

    /// Puts the request for a training into the outbox, for the channels called `hooks`. There is one request between two
    /// trainings, however often it is made.
    ///
    /// # Errors
    /// When the outbox cannot be written.
    pub fn ask_for_training(&self, decision: &Decision, hooks: &[String]) -> Result<(), AlertError> {
        let evidence = &decision.evidence;
        let key = key(&decision.job, "retrain");
        let after = evidence.trained.as_ref().map_or_else(String::new, |training| instant::text(&training.at));
        let mut message = Message {
            event: hex::encode(&Sha256::digest(format!("{key}\0{after}"))[..16]),
            action: Action::Retrain,
            key,
            job: decision.job.clone(),
            subject: "retrain".to_owned(),
            level: Level::Info,
            title: format!("{} is to be trained again", decision.job),
            summary: decision.summary.clone(),
            opened_at: evidence.at,
            at: evidence.at,
            run: RunNote { name: evidence.run.clone(), window: instant::text(&evidence.at), ..RunNote::default() },
            ..empty()
        };
        self.templates.fill(&mut message)?;
        let write = || {
            let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            for hook in hooks {
                enqueue(&transaction, hook, None, &message)?;
            }
            transaction.commit()
        };
        write().map_err(|error| self.failed(error))
    }
}
