//! The messages of a run: an incident that begins, goes on or is over, and a digest of those that are too many.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::incident::{Incident, Seen, check_of, is_about_model};
use super::message::{Action, FeatureNote, Links, MESSAGE_VERSION, Message, RunNote};
use super::night::Night;
use super::outbox::OpenIncident;
use super::{AlertError, Alerts, samples};
use crate::format::{counted, cut};
use crate::report::FeatureReport;
use crate::verdict::Level;

const TOP: usize = 10;
/// Longest deduplication key that PagerDuty takes.
const MAX_KEY: usize = 255;
/// Longest list of names in a sentence.
const NAMES: usize = 200;

/// How an incident comes to be told.
pub(super) struct Since<'s> {
    /// What it is called, from its first night on.
    pub(super) subject: &'s str,
    pub(super) key: &'s str,
    pub(super) opened_at: DateTime<Utc>,
    /// Runs that had it, this one included.
    pub(super) nights: u32,
    /// The level that was told before, when it was another one.
    pub(super) previous_level: Option<Level>,
    /// Features that people are told of for the first time, after others.
    pub(super) joined: Vec<&'s str>,
}

impl Alerts {
    /// One message for all that is too much to tell one by one.
    pub(super) fn digest(&self, night: &Night<'_>, untold: &[Incident<'_>]) -> Result<Message, AlertError> {
        let subject = format!("digest of {}", night.run.name);
        let features: Vec<_> = untold.iter().flat_map(|incident| incident.features.iter().copied()).collect();
        let top = self.settings.top.unwrap_or(TOP);
        let message = Message {
            action: Action::Digest,
            level: untold.iter().map(|incident| incident.level).max().unwrap_or_default(),
            title: format!("{} more incidents in the same run", untold.len()),
            summary: "More incidents began in this run than are told one by one; look at the report.".to_owned(),
            features: features.iter().take(top).map(|feature| FeatureNote::of(feature)).collect(),
            more_features: features.len().saturating_sub(top),
            members: names(&features),
            ..self.message(night, &subject, &key(night.job, &subject))
        };
        self.finished(message, &[])
    }

    /// An incident that begins, becomes worse, or goes on.
    pub(super) fn trigger(
        &self,
        night: &Night<'_>,
        incident: &Incident<'_>,
        since: &Since<'_>,
    ) -> Result<Message, AlertError> {
        let top = self.settings.top.unwrap_or(TOP);
        let features: Vec<_> = incident.features.iter().take(top).map(|feature| FeatureNote::of(feature)).collect();
        let nights = since.nights;
        let mut how_long = if nights == 1 { "new in this run".to_owned() } else { format!("for {nights} runs now") };
        if !since.joined.is_empty() {
            let joined = counted(since.joined.len() as u64, "feature", "features");
            how_long += &format!("; {joined} joined: {}", cut(&since.joined.join(", "), NAMES));
        }
        let rows = self.settings.samples.unwrap_or(0);
        let message = Message {
            action: Action::Trigger,
            level: incident.level,
            previous_level: since.previous_level,
            title: incident.title.clone(),
            summary: format!(
                "{} in job {} ({how_long}), window {}.",
                match incident.features.len() as u64 {
                    0 if is_about_model(&incident.subject) => {
                        let figures = counted(incident.others.len() as u64, "figure is", "figures are");
                        format!("The model is {}, {figures} not as they should be", incident.level.name())
                    }
                    0 => "The data are not as they should be".to_owned(),
                    features => counted(features, "feature drifted", "features drifted"),
                },
                night.job,
                night.run.window
            ),
            opened_at: since.opened_at,
            nights,
            more_features: incident.features.len() - features.len(),
            members: names(&incident.features).into_iter().chain(incident.others.iter().cloned()).collect(),
            samples: samples::rows(&night.run.current, features.iter().map(|feature| feature.name.as_str()), rows),
            features,
            ..self.message(night, since.subject, since.key)
        };
        self.finished(message, &since.joined)
    }

    /// An incident none of whose features is loud any more: it is over, or somebody has muted what is left of it.
    pub(super) fn over(
        &self,
        night: &Night<'_>,
        known: &OpenIncident,
        told_level: Level,
    ) -> Result<Message, AlertError> {
        let find = |name: &str| night.sight.feature(name);
        let mut features: Vec<&FeatureReport> =
            known.members.iter().filter_map(|member| find(&member.feature)).collect();
        features.sort_by_key(|feature| std::cmp::Reverse(feature.level));
        // Only of what was loud until now is it news that it is muted.
        let muted = known.members.iter().filter(|member| member.level > Level::Ok);
        let muted = muted.filter(|member| night.sight.seen(&member.feature) == Seen::Muted);
        let muted: Vec<&str> = muted.map(|member| member.feature.as_str()).collect();
        let runs = if known.nights == 1 { "one run".to_owned() } else { format!("{} runs", known.nights) };
        let summary = match (muted.as_slice(), known.members.as_slice()) {
            ([first, ..], _) => {
                let reason = find(first).and_then(|feature| feature.reasons.first()).map_or("muted", String::as_str);
                let more = if muted.len() > 1 { format!(", and {} more", muted.len() - 1) } else { String::new() };
                format!("Not over, but nobody is to be told: {first}{more}: {reason}. It has lasted {runs}.")
            }
            _ if check_of(&known.subject).is_some() || is_about_model(&known.subject) => {
                format!("No longer so, after {runs}.")
            }
            (_, [member]) => match features.first() {
                Some(feature) => format!("{} is {} after {runs}.", member.feature, feature.level.name()),
                None => format!("{} is no longer part of the job after {runs}.", member.feature),
            },
            (_, members) => format!("None of its {} features is to be told of any more, after {runs}.", members.len()),
        };
        let top = self.settings.top.unwrap_or(TOP);
        let message = Message {
            action: if muted.is_empty() { Action::Resolve } else { Action::Mute },
            level: told_level,
            title: known.title.clone(),
            summary,
            opened_at: known.opened_at,
            nights: known.nights,
            features: features.iter().take(top).map(|feature| FeatureNote::of(feature)).collect(),
            more_features: features.len().saturating_sub(top),
            members: known.members.iter().map(|member| member.feature.clone()).collect(),
            ..self.message(night, &known.subject, &known.key)
        };
        self.finished(message, &[])
    }

    /// What every message of a run has.
    fn message(&self, night: &Night<'_>, subject: &str, key: &str) -> Message {
        Message {
            job: night.job.to_owned(),
            subject: subject.to_owned(),
            key: key.to_owned(),
            opened_at: night.at,
            at: night.at,
            run: night.run.clone(),
            ..empty()
        }
    }

    /// The message with its links, its playbook and its name, which those who joined are part of.
    fn finished(&self, mut message: Message, joined: &[&str]) -> Result<Message, AlertError> {
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
        for name in joined {
            hash.update(name);
            hash.update([0]);
        }
        message.event = hex::encode(&hash.finalize()[..16]);
        Ok(message)
    }
}

fn names(features: &[&FeatureReport]) -> Vec<String> {
    features.iter().map(|feature| feature.name.clone()).collect()
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
        members: Vec::new(),
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
