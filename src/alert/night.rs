//! What a run changes: incidents that begin, go on, get worse, are over. All of it, with the messages that it takes, in
//! one transaction.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::incident::{Incident, check_of, incidents, is_unseen};
use super::message::{Action, FeatureNote, Links, MESSAGE_VERSION, Message, RunNote};
use super::outbox::{OpenIncident, enqueue, open_incidents};
use super::{AlertError, Alerts, samples};
use crate::report::Report;
use crate::verdict::Level;

/// Somewhat less than a day: a nightly run that is an hour early still reminds, and a flapping feature does not.
const COOLDOWN: Duration = Duration::from_secs(20 * 3600);
const TOP: usize = 10;
const LIMIT: usize = 20;
/// Longest deduplication key that PagerDuty takes.
const MAX_KEY: usize = 255;

/// The run that is looked at.
struct Night<'n> {
    job: &'n str,
    at: DateTime<Utc>,
    run: RunNote,
    report: &'n Report,
}

/// The instant of the last run of `job` that was looked at.
pub(super) fn last_looked_at(connection: &Connection, job: &str) -> Result<Option<DateTime<Utc>>, rusqlite::Error> {
    let sql = "SELECT at FROM alert_jobs WHERE job = ?1";
    let at = connection.query_row(sql, [job], |row| row.get::<_, i64>(0)).optional()?;
    Ok(at.and_then(DateTime::from_timestamp_millis))
}

impl Alerts {
    pub(super) fn look_at(
        &self,
        job: &str,
        name: &str,
        window: &str,
        at: DateTime<Utc>,
        report: &Report,
    ) -> Result<(), AlertError> {
        let run = RunNote {
            name: name.to_owned(),
            window: window.to_owned(),
            current: report.run.current.paths.clone(),
            reference: report.run.reference.paths.clone(),
            summary: report.summary,
        };
        let night = Night { job, at, run, report };
        let failed = |error| self.failed(error);
        // The lock is held while messages are made: nobody else decides about the same incidents meanwhile.
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(failed)?;
        self.change(&transaction, &night)?;
        transaction
            .execute(
                "INSERT INTO alert_jobs (job, at) VALUES (?1, ?2)
                 ON CONFLICT (job) DO UPDATE SET at = max(at, excluded.at)",
                params![job, at.timestamp_millis()],
            )
            .map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    fn change(&self, transaction: &Transaction<'_>, night: &Night<'_>) -> Result<(), AlertError> {
        let failed = |error| self.failed(error);
        let open = open_incidents(transaction, Some(night.job)).map_err(failed)?;
        let mut open: BTreeMap<String, OpenIncident> =
            open.into_iter().map(|incident| (incident.subject.clone(), incident)).collect();
        let least = self.channels.iter().map(|channel| channel.level).min().unwrap_or(Level::Warning);
        let (mut begun, mut untold) = (0, Vec::new());
        for incident in incidents(night.report, least) {
            match open.remove(&incident.subject) {
                Some(known) => self.goes_on(transaction, night, &incident, &known)?,
                None => {
                    let last = last_told(transaction, night.job, &incident.subject).map_err(failed)?;
                    let quiet =
                        last.is_some_and(|(at, level)| self.cools_down(at, night.at) && level >= incident.level);
                    let told = !quiet && begun < self.settings.limit.unwrap_or(LIMIT);
                    begun += usize::from(!quiet);
                    self.begins(transaction, night, &incident, told)?;
                    if !told && !quiet {
                        untold.push(incident);
                    }
                }
            }
        }
        if !untold.is_empty() {
            self.digest(transaction, night, &untold)?;
        }
        for incident in open.into_values().filter(|incident| !is_unseen(night.report, &incident.subject)) {
            self.is_over(transaction, night, &incident)?;
        }
        Ok(())
    }

    fn cools_down(&self, told: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let cooldown = self.settings.cooldown.map_or(COOLDOWN, |cooldown| cooldown.0);
        now.signed_duration_since(told).to_std().is_ok_and(|since| since < cooldown)
    }

    fn begins(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        incident: &Incident<'_>,
        told: bool,
    ) -> Result<(), AlertError> {
        let (at, level) = (night.at.timestamp_millis(), incident.level as u8);
        let key = key(night.job, &incident.subject);
        let (told_at, told_level) = if told { (Some(at), Some(level)) } else { (None, None) };
        transaction
            .execute(
                "INSERT INTO incidents (job, subject, key, level, title, opened_at, seen_at, nights, told_at, told_level)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1, ?7, ?8)",
                params![night.job, incident.subject, key, level, incident.title, at, told_at, told_level],
            )
            .map_err(|error| self.failed(error))?;
        if told {
            let id = transaction.last_insert_rowid();
            let message = self.trigger(night, incident, night.at, 1, None)?;
            self.tell(transaction, Some(id), &message, |_| true)?;
        }
        Ok(())
    }

    fn goes_on(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        incident: &Incident<'_>,
        known: &OpenIncident,
    ) -> Result<(), AlertError> {
        let nights = known.nights + u32::from(night.at > known.seen_at);
        let rises = known.told_level.is_some_and(|told| incident.level > told);
        let due = match (known.told_at, self.settings.remind_after) {
            (Some(told), Some(after)) => {
                night.at.signed_duration_since(told).to_std().is_ok_and(|since| since >= after.0)
            }
            // Told in a digest, or quiet because it came back too soon: a rise is news, the rest is not.
            (None, _) => incident.level > known.level,
            (Some(_), None) => false,
        };
        let told = rises || due;
        let previous = known.told_level.filter(|&told| told != incident.level);
        transaction
            .execute(
                "UPDATE incidents SET level = ?2, title = ?3, seen_at = max(seen_at, ?4), nights = ?5,
                 told_at = iif(?6, ?4, told_at), told_level = iif(?6, ?2, told_level) WHERE id = ?1",
                params![known.id, incident.level as u8, incident.title, night.at.timestamp_millis(), nights, told],
            )
            .map_err(|error| self.failed(error))?;
        // Some receivers forget what is not renewed.
        let renews = known.told_at.is_some() && night.at > known.seen_at;
        if told || renews {
            let message = self.trigger(night, incident, known.opened_at, nights, previous)?;
            self.tell(transaction, Some(known.id), &message, |channel| told || channel.channel.renews())?;
        }
        Ok(())
    }

    fn is_over(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        known: &OpenIncident,
    ) -> Result<(), AlertError> {
        let failed = |error| self.failed(error);
        transaction
            .execute(
                "UPDATE incidents SET closed_at = ?2 WHERE id = ?1",
                params![known.id, night.at.timestamp_millis()],
            )
            .map_err(failed)?;
        let Some(told_level) = known.told_level else { return Ok(()) };
        let now = night.report.features.iter().find(|feature| feature.name == known.subject);
        let nights = if known.nights == 1 { "one run".to_owned() } else { format!("{} runs", known.nights) };
        let summary = match now {
            _ if check_of(&known.subject).is_some() => format!("No longer so, after {nights}."),
            Some(feature) => format!("{} is {} after {nights}.", known.subject, feature.level.name()),
            None => format!("{} is no longer part of the job after {nights}.", known.subject),
        };
        let message = Message {
            action: Action::Resolve,
            level: told_level,
            title: known.title.clone(),
            summary,
            opened_at: known.opened_at,
            nights: known.nights,
            features: now.map(FeatureNote::of).into_iter().collect(),
            ..self.message(night, &known.subject)
        };
        let told = channels_of(transaction, known.id).map_err(failed)?;
        let message = self.finished(message)?;
        self.tell(transaction, Some(known.id), &message, |channel| channel.resolve && told.contains(&channel.name))
    }

    /// One message for all that is too much to tell one by one.
    fn digest(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        untold: &[Incident<'_>],
    ) -> Result<(), AlertError> {
        let features: Vec<_> = untold.iter().flat_map(|incident| incident.features.iter().copied()).collect();
        let top = self.settings.top.unwrap_or(TOP);
        let message = Message {
            action: Action::Digest,
            level: untold.iter().map(|incident| incident.level).max().unwrap_or_default(),
            title: format!("{} more incidents in the same run", untold.len()),
            summary: "More incidents began in this run than are told one by one; look at the report.".to_owned(),
            features: features.iter().take(top).map(|feature| FeatureNote::of(feature)).collect(),
            more_features: features.len().saturating_sub(top),
            ..self.message(night, &format!("digest of {}", night.run.name))
        };
        let message = self.finished(message)?;
        self.tell(transaction, None, &message, |_| true)
    }

    fn trigger(
        &self,
        night: &Night<'_>,
        incident: &Incident<'_>,
        opened_at: DateTime<Utc>,
        nights: u32,
        previous_level: Option<Level>,
    ) -> Result<Message, AlertError> {
        let top = self.settings.top.unwrap_or(TOP);
        let features: Vec<_> = incident.features.iter().take(top).map(|feature| FeatureNote::of(feature)).collect();
        let since = if nights == 1 { "new in this run".to_owned() } else { format!("for {nights} runs now") };
        let rows = self.settings.samples.unwrap_or(0);
        let message = Message {
            action: Action::Trigger,
            level: incident.level,
            previous_level,
            title: incident.title.clone(),
            summary: format!(
                "{} in job {} ({since}), window {}.",
                match incident.features.len() as u64 {
                    0 => "The data are not as they should be".to_owned(),
                    features => crate::format::counted(features, "feature drifted", "features drifted"),
                },
                night.job,
                night.run.window
            ),
            opened_at,
            nights,
            more_features: incident.features.len() - features.len(),
            samples: samples::rows(&night.run.current, features.iter().map(|feature| feature.name.as_str()), rows),
            features,
            ..self.message(night, &incident.subject)
        };
        self.finished(message)
    }

    /// What every message of a run has.
    fn message(&self, night: &Night<'_>, subject: &str) -> Message {
        Message {
            job: night.job.to_owned(),
            subject: subject.to_owned(),
            key: key(night.job, subject),
            opened_at: night.at,
            at: night.at,
            run: night.run.clone(),
            ..empty()
        }
    }

    /// The message with its links, its playbook and its name.
    fn finished(&self, mut message: Message) -> Result<Message, AlertError> {
        self.templates.fill(&mut message)?;
        let mut hash = Sha256::new();
        for part in [
            &message.key,
            message.action.name(),
            message.level.name(),
            &message.run.name,
            &message.opened_at.timestamp_millis().to_string(),
        ] {
            hash.update(part);
            hash.update([0]);
        }
        message.event = hex::encode(&hash.finalize()[..16]);
        Ok(message)
    }

    fn tell(
        &self,
        transaction: &Transaction<'_>,
        incident: Option<i64>,
        message: &Message,
        wanted: impl Fn(&super::Named) -> bool,
    ) -> Result<(), AlertError> {
        let ends = message.action == Action::Resolve;
        for channel in
            self.channels.iter().filter(|one| one.drift && (ends || message.level >= one.level) && wanted(one))
        {
            enqueue(transaction, &channel.name, incident, message).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

/// When people were last told about a subject whose incident is over, and of which level.
fn last_told(
    transaction: &Transaction<'_>,
    job: &str,
    subject: &str,
) -> Result<Option<(DateTime<Utc>, Level)>, rusqlite::Error> {
    let sql = "SELECT told_at, told_level FROM incidents
               WHERE job = ?1 AND subject = ?2 AND told_at IS NOT NULL ORDER BY told_at DESC LIMIT 1";
    let row = |row: &rusqlite::Row<'_>| {
        let at = crate::history::instant::of_milliseconds(row.get(0)?);
        Ok((at, super::outbox::level(row.get(1)?)))
    };
    transaction.query_row(sql, [job, subject], row).optional()
}

/// The channels that were told that an incident began.
fn channels_of(transaction: &Transaction<'_>, incident: i64) -> Result<Vec<String>, rusqlite::Error> {
    let mut statement = transaction.prepare_cached("SELECT DISTINCT channel FROM outbox WHERE incident = ?1")?;
    statement.query_map([incident], |row| row.get(0))?.collect()
}

/// The deduplication key of a subject: readable, or hashed when that is too long.
pub(super) fn key(job: &str, subject: &str) -> String {
    let key = format!("gpudrift:{job}:{subject}");
    if key.len() <= MAX_KEY { key } else { format!("gpudrift:{}", hex::encode(Sha256::digest(key))) }
}

/// A message that says nothing yet.
pub(super) fn empty() -> Message {
    Message {
        version: MESSAGE_VERSION,
        event: String::new(),
        action: Action::Test,
        key: String::new(),
        job: String::new(),
        subject: String::new(),
        level: Level::Ok,
        previous_level: None,
        title: String::new(),
        summary: String::new(),
        opened_at: DateTime::UNIX_EPOCH,
        at: DateTime::UNIX_EPOCH,
        nights: 1,
        run: RunNote::default(),
        features: Vec::new(),
        more_features: 0,
        links: Links::default(),
        playbook: None,
        samples: Vec::new(),
    }
}

/// What `gpudrift alert test` sends to the channel called `name`.
pub(super) fn test_message(name: &str) -> Message {
    let now = Utc::now();
    let feature = FeatureNote {
        name: "example_feature".to_owned(),
        data_type: "float64".to_owned(),
        level: Level::Info,
        psi: Some(0.05),
        ks: Some(0.02),
        q: Some(0.5),
        null_share_reference: 0.0,
        null_share: 0.0,
        mean_reference: Some(1.0),
        mean: Some(1.0),
        reasons: vec!["this is how a reason looks".to_owned()],
    };
    Message {
        event: format!("test-{name}-{}", now.timestamp_micros()),
        key: format!("gpudrift:test:{name}"),
        job: "test".to_owned(),
        subject: "test".to_owned(),
        level: Level::Info,
        title: "Test message of gpudrift: nothing has happened".to_owned(),
        summary: "Somebody ran `gpudrift alert test`, and it has arrived.".to_owned(),
        opened_at: now,
        at: now,
        run: RunNote { name: "000000000000".to_owned(), window: "test".to_owned(), ..RunNote::default() },
        features: vec![feature],
        ..empty()
    }
}
