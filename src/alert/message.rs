//! What is told: one message an incident and event. The same JSON goes to webhooks, to commands and into the outbox.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::format::cut;
use crate::history::instant;
use crate::report::{FeatureReport, Summary};
use crate::verdict::Level;

/// The version of the JSON. Additions keep it; a changed name or meaning raises it.
pub const MESSAGE_VERSION: u32 = 1;

/// Longest list of names that stand for features without a line of their own.
const OTHERS: usize = 500;

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// [`MESSAGE_VERSION`].
    pub version: u32,
    /// Names this event; the same when it is sent again, so that receivers can drop the second.
    pub event: String,
    /// What happened.
    pub action: Action,
    /// Names the incident, from its first night to its last and when it comes back: a deduplication key.
    pub key: String,
    /// Name of the job.
    pub job: String,
    /// What it is about, the same from its first night to its last: the first of its features by name, or a check.
    pub subject: String,
    /// The level now; of an incident that ended, the last one that was told.
    pub level: Level,
    /// The level that was told before, when it was another one.
    pub previous_level: Option<Level>,
    /// One line.
    pub title: String,
    /// One or two sentences.
    pub summary: String,
    /// The instant of the run that the incident began with.
    #[serde(with = "instant")]
    pub opened_at: DateTime<Utc>,
    /// The instant of this run.
    #[serde(with = "instant")]
    pub at: DateTime<Utc>,
    /// Runs that had the incident, this one included.
    pub nights: u32,
    /// The run.
    pub run: RunNote,
    /// The worst features, the most severe first.
    pub features: Vec<FeatureNote>,
    /// Features of the incident that are not listed.
    pub more_features: usize,
    /// Names of all its features, the most severe first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Where to look.
    pub links: Links,
    /// What to do, in Markdown; of incidents that go on.
    pub playbook: Option<String>,
    /// Rows of the current data, where the configuration asks for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// What happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It began, became worse, or goes on.
    Trigger,
    /// It is over.
    Resolve,
    /// It goes on, and somebody has muted what is left of it: nobody is told any more.
    Mute,
    /// Several that began at once, in short. It has no end of its own.
    Digest,
    /// A model is to be trained again. It has no end of its own.
    Retrain,
    /// Nothing: somebody tests whether messages arrive.
    Test,
}

impl Action {
    /// The name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Resolve => "resolve",
            Self::Mute => "mute",
            Self::Digest => "digest",
            Self::Retrain => "retrain",
            Self::Test => "test",
        }
    }

    /// Whether receivers need not think of the incident any more.
    #[must_use]
    pub fn ends(self) -> bool {
        matches!(self, Self::Resolve | Self::Mute)
    }
}

/// The run in a few words.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunNote {
    /// Its name in the history.
    pub name: String,
    /// Its window.
    pub window: String,
    /// Paths of the current side.
    pub current: Vec<String>,
    /// Paths of the reference.
    pub reference: Vec<String>,
    /// How many features had which level.
    pub summary: Summary,
}

/// A feature in a few words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureNote {
    /// Its name.
    pub name: String,
    /// Type of the column.
    #[serde(rename = "type")]
    pub data_type: String,
    /// Its level.
    pub level: Level,
    /// Population stability index.
    pub psi: Option<f64>,
    /// Kolmogorov–Smirnov D.
    pub ks: Option<f64>,
    /// q-value of its test.
    pub q: Option<f64>,
    /// Share of nulls in the reference.
    pub null_share_reference: f64,
    /// Share of nulls now.
    pub null_share: f64,
    /// Mean of the reference.
    pub mean_reference: Option<f64>,
    /// Mean now.
    pub mean: Option<f64>,
    /// Why it has its level.
    pub reasons: Vec<String>,
}

impl FeatureNote {
    pub(super) fn of(feature: &FeatureReport) -> Self {
        let mean = |side: &crate::report::SideReport| side.facts.as_ref().and_then(|facts| facts.mean);
        Self {
            name: feature.name.clone(),
            data_type: feature.data_type.clone(),
            level: feature.level,
            psi: feature.number("psi"),
            ks: feature.number("ks_statistic"),
            q: feature.test().1,
            null_share_reference: feature.reference.null_share(),
            null_share: feature.current.null_share(),
            mean_reference: mean(&feature.reference),
            mean: mean(&feature.current),
            reasons: feature.reasons.clone(),
        }
    }
}

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// The dashboard.
    pub dashboard: Option<String>,
    /// The runbook.
    pub runbook: Option<String>,
}

impl Links {
    /// Both links that are there, with what they are called.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let links = [("Dashboard", &self.dashboard), ("Runbook", &self.runbook)];
        links.into_iter().filter_map(|(name, url)| Some((name, url.as_deref()?)))
    }
}

impl Message {
    /// The headline: what happened, how bad it is, and the title.
    #[must_use]
    pub fn headline(&self) -> String {
        match self.action {
            Action::Resolve => format!("RESOLVED {}", self.title),
            Action::Mute => format!("MUTED {}", self.title),
            Action::Test | Action::Retrain => self.title.clone(),
            Action::Trigger | Action::Digest => format!("{} {}", self.level.name().to_uppercase(), self.title),
        }
    }

    /// The names that `features` does not list, as far as they fit a line, after a colon.
    #[must_use]
    pub(super) fn others(&self) -> String {
        let names = self.members.get(self.features.len()..).unwrap_or_default().join(", ");
        if names.is_empty() { names } else { format!(": {}", cut(&names, OTHERS)) }
    }

    /// Everything as plain text: for mails, and for whoever shows no markup.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n\n{}\n", self.headline(), self.summary);
        if !self.features.is_empty() {
            text.push('\n');
        }
        for feature in &self.features {
            text += &format!("* {} ({}): {}\n", feature.name, feature.data_type, feature.level.name().to_uppercase());
            for reason in &feature.reasons {
                text += &format!("    {reason}\n");
            }
        }
        if self.more_features > 0 {
            text += &format!("… and {} more{}\n", self.more_features, self.others());
        }
        for (name, url) in self.links.named() {
            text += &format!("\n{name}: {url}");
        }
        if let Some(playbook) = &self.playbook {
            text += &format!("\n\n{playbook}");
        }
        for row in &self.samples {
            text += &format!("\n{}", serde_json::Value::Object(row.clone()));
        }
        text.push('\n');
        text
    }
}
