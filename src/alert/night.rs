//! What a run changes: incidents that begin, go on, get worse, are over. All of it, with the messages that it takes, in
//! one transaction.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::compose::{Since, key};
use super::incident::{Incident, Seen, Sight, check_of, incidents, is_about_model, is_blind};
use super::members::{self, last_told, matched};
use super::message::{Message, RunNote};
use super::outbox::{OpenIncident, enqueue, open_incidents};
use super::{AlertError, Alerts};
use crate::report::Report;
use crate::verdict::Level;

/// Somewhat less than a day: a nightly run that is an hour early still reminds, and a flapping feature does not.
const COOLDOWN: Duration = Duration::from_secs(20 * 3600);
const LIMIT: usize = 20;

/// The run that is looked at.
pub(super) struct Night<'n> {
    pub(super) job: &'n str,
    pub(super) at: DateTime<Utc>,
    pub(super) run: RunNote,
    pub(super) report: &'n Report,
    /// The least level that any channel wants to hear of.
    pub(super) least: Level,
    pub(super) sight: Sight<'n>,
}

/// The instant of the last run of `job` that was looked at.
pub(super) fn last_looked_at(connection: &Connection, job: &str) -> Result<Option<DateTime<Utc>>, rusqlite::Error> {
    let sql = "SELECT at FROM alert_jobs WHERE job = ?1";
    let at = connection.query_row(sql, [job], |row| row.get::<_, i64>(0)).optional()?;
    Ok(at.and_then(DateTime::from_timestamp_millis))
}

/// Notes that a run of `job` was looked at.
pub(super) fn looked_at(transaction: &Transaction<'_>, job: &str, at: DateTime<Utc>) -> Result<(), rusqlite::Error> {
    let sql = "INSERT INTO alert_jobs (job, at) VALUES (?1, ?2)
               ON CONFLICT (job) DO UPDATE SET at = max(at, excluded.at)";
    transaction.execute(sql, params![job, at.timestamp_millis()]).map(|_| ())
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
        let least = self.channels.iter().map(|channel| channel.level).min().unwrap_or(Level::Warning);
        let night = Night { job, at, run, report, least, sight: Sight::of(report, least) };
        let failed = |error| self.failed(error);
        // The lock is held while messages are made: nobody else decides about the same incidents meanwhile.
        let transaction =
            Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate).map_err(failed)?;
        self.change(&transaction, &night)?;
        looked_at(&transaction, job, at).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    fn change(&self, transaction: &Transaction<'_>, night: &Night<'_>) -> Result<(), AlertError> {
        let failed = |error| self.failed(error);
        let mut open = open_incidents(transaction, Some(night.job)).map_err(failed)?;
        // Of models another scan tells.
        open.retain(|known| !is_about_model(&known.subject));
        let (tonight, silent) = matched(incidents(night.report, night.least), open);
        let limit = self.settings.limit.unwrap_or(LIMIT);
        let (mut begun, mut untold) = (0, Vec::new());
        for (incident, known) in tonight {
            if let Some(known) = known {
                begun += usize::from(self.goes_on(transaction, night, &incident, &known, begun < limit)?);
                continue;
            }
            let quiet = self.is_stale(transaction, night, &incident).map_err(failed)?;
            let told = !quiet && begun < limit;
            begun += usize::from(!quiet);
            self.begins(transaction, night, &incident, told)?;
            if !told && !quiet {
                untold.push(incident);
            }
        }
        if !untold.is_empty() {
            self.tell(transaction, None, &self.digest(night, &untold)?, |_| true)?;
        }
        silent.iter().try_for_each(|known| self.is_silent(transaction, night, known))
    }

    fn cools_down(&self, told: DateTime<Utc>, now: DateTime<Utc>) -> bool {
        let cooldown = self.settings.cooldown.map_or(COOLDOWN, |cooldown| cooldown.0);
        now.signed_duration_since(told).to_std().is_ok_and(|since| since < cooldown)
    }

    /// Whether people know already of everything in an incident that begins: they were told a moment ago, of no lower level.
    pub(super) fn is_stale(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        incident: &Incident<'_>,
    ) -> Result<bool, rusqlite::Error> {
        let known = |told: Option<(DateTime<Utc>, Level)>, level| {
            told.is_some_and(|(at, told)| self.cools_down(at, night.at) && told >= level)
        };
        if incident.features.is_empty() {
            return Ok(known(last_told_of_run(transaction, night.job, &incident.subject)?, incident.level));
        }
        for feature in &incident.features {
            if !known(last_told(transaction, night.job, &feature.name)?, feature.level) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives the number of the incident.
    pub(super) fn begins(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        incident: &Incident<'_>,
        told: bool,
    ) -> Result<i64, AlertError> {
        let failed = |error| self.failed(error);
        let (at, level) = (night.at.timestamp_millis(), incident.level as u8);
        let key = key(night.job, &incident.subject);
        let (told_at, told_level) = if told { (Some(at), Some(level)) } else { (None, None) };
        transaction
            .execute(
                "INSERT INTO incidents (job, subject, key, level, title, opened_at, seen_at, nights, told_at, told_level)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 1, ?7, ?8)",
                params![night.job, incident.subject, key, level, incident.title, at, told_at, told_level],
            )
            .map_err(failed)?;
        let id = transaction.last_insert_rowid();
        members::note(transaction, id, levels(incident), night.at).map_err(failed)?;
        if told {
            members::told(transaction, id).map_err(failed)?;
            let since = Since {
                subject: &incident.subject,
                key: &key,
                opened_at: night.at,
                nights: 1,
                previous_level: None,
                joined: Vec::new(),
            };
            let message = self.trigger(night, incident, &since)?;
            self.tell(transaction, Some(id), &message, |_| true)?;
        }
        Ok(id)
    }

    /// Says whether people are told of an incident that they were never told of before; only with `room` they are.
    pub(super) fn goes_on(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        incident: &Incident<'_>,
        known: &OpenIncident,
        room: bool,
    ) -> Result<bool, AlertError> {
        let failed = |error| self.failed(error);
        let nights = known.nights + u32::from(night.at > known.seen_at);
        let names = incident.features.iter().map(|feature| feature.name.as_str());
        let member = |name: &str| known.members.iter().find(|member| member.feature == name);
        let untold: Vec<&str> =
            names.clone().filter(|name| member(name).is_none_or(|member| member.told_level.is_none())).collect();
        let joins = names.clone().any(|name| member(name).is_none());
        let rises = known.told_level.is_some_and(|told| incident.level > told);
        let due = match known.told_at {
            Some(told) => {
                let remind = self.settings.remind_after.is_some_and(|after| {
                    night.at.signed_duration_since(told).to_std().is_ok_and(|since| since >= after.0)
                });
                remind || (!untold.is_empty() && !self.cools_down(told, night.at))
            }
            // Told in a digest, or quiet because it came back too soon: a rise is news, and who joins; the rest is not.
            None => incident.level > known.level || (joins && room),
        };
        let told = rises || due;
        transaction
            .execute(
                "UPDATE incidents SET level = ?2, title = ?3, seen_at = max(seen_at, ?4), nights = ?5,
                 told_at = iif(?6, ?4, told_at), told_level = iif(?6, ?2, told_level) WHERE id = ?1",
                params![known.id, incident.level as u8, incident.title, night.at.timestamp_millis(), nights, told],
            )
            .map_err(failed)?;
        members::note(transaction, known.id, quieted(night, known), night.at).map_err(failed)?;
        members::note(transaction, known.id, levels(incident), night.at).map_err(failed)?;
        if told {
            members::told(transaction, known.id).map_err(failed)?;
        }
        // Some receivers forget what is not renewed.
        let renews = known.told_at.is_some() && night.at > known.seen_at;
        if told || renews {
            let since = Since {
                subject: &known.subject,
                key: &known.key,
                opened_at: known.opened_at,
                nights,
                previous_level: known.told_level.filter(|&told| told != incident.level),
                joined: if told && known.told_at.is_some() { untold } else { Vec::new() },
            };
            let message = self.trigger(night, incident, &since)?;
            self.tell(transaction, Some(known.id), &message, |channel| told || channel.channel.renews())?;
        }
        Ok(told && known.told_at.is_none())
    }

    /// Ends an open incident, none of whose features is loud tonight, unless one that was could not be looked at.
    pub(super) fn is_silent(
        &self,
        transaction: &Transaction<'_>,
        night: &Night<'_>,
        known: &OpenIncident,
    ) -> Result<(), AlertError> {
        let failed = |error| self.failed(error);
        let waits =
            |member: &members::Member| member.level > Level::Ok && night.sight.seen(&member.feature) == Seen::Unseen;
        members::note(transaction, known.id, quieted(night, known), night.at).map_err(failed)?;
        if known.members.iter().any(waits)
            || check_of(&known.subject).is_some_and(|check| is_blind(night.report, check))
        {
            return Ok(());
        }
        transaction
            .execute(
                "UPDATE incidents SET closed_at = ?2 WHERE id = ?1",
                params![known.id, night.at.timestamp_millis()],
            )
            .map_err(failed)?;
        let Some(told_level) = known.told_level else { return Ok(()) };
        let told = channels_of(transaction, known.id).map_err(failed)?;
        let message = self.over(night, known, told_level)?;
        self.tell(transaction, Some(known.id), &message, |channel| channel.resolve && told.contains(&channel.name))
    }

    fn tell(
        &self,
        transaction: &Transaction<'_>,
        incident: Option<i64>,
        message: &Message,
        wanted: impl Fn(&super::Named) -> bool,
    ) -> Result<(), AlertError> {
        let ends = message.action.ends();
        for channel in
            self.channels.iter().filter(|one| one.drift && (ends || message.level >= one.level) && wanted(one))
        {
            enqueue(transaction, &channel.name, incident, message).map_err(|error| self.failed(error))?;
        }
        Ok(())
    }
}

/// The features of an incident with their levels.
fn levels<'i>(incident: &'i Incident<'_>) -> impl Iterator<Item = (&'i str, Level)> {
    incident.features.iter().map(|feature| (feature.name.as_str(), feature.level))
}

/// The members that tonight shows to be quiet, or that the job does not have any more.
fn quieted<'k>(night: &Night<'_>, known: &'k OpenIncident) -> Vec<(&'k str, Level)> {
    let quiet = known
        .members
        .iter()
        .filter(|member| matches!(night.sight.seen(&member.feature), Seen::Quiet | Seen::Muted | Seen::Gone));
    quiet.map(|member| (member.feature.as_str(), Level::Ok)).collect()
}

/// When people were last told of what was found about the whole run, and of which level.
fn last_told_of_run(
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
