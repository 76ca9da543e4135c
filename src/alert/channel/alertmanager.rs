//! Alertmanager: its v2 API. An alert is known by its labels, and forgotten after `endsAt`: every night sends an
//! incident that goes on anew, with an end after the next night is due, and ends it when it is over.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{Channel, ChannelType, Problem, required};
use crate::alert::config::ChannelConfig;
use crate::alert::message::{Action, Message};
use crate::history::instant;
use crate::post::{Endpoint, SendError};
use crate::verdict::Level;

/// A night, and half of one for the run to be late.
const KEEP: Duration = Duration::from_secs(36 * 3600);

pub(super) const ALERTMANAGER: ChannelType = ChannelType {
    name: "alertmanager",
    about: "Prometheus' Alertmanager, API v2",
    keys: &["endpoint", "labels", "token", "keep", "ca_file"],
    build,
};

struct Alertmanager {
    endpoint: Endpoint,
    labels: Vec<(String, String)>,
    keep: Duration,
}

fn build(config: &ChannelConfig, timeout: Duration) -> Result<Box<dyn Channel>, Problem> {
    let base = required("endpoint", config.endpoint.as_deref())?.trim_end_matches('/');
    let mut endpoint = Endpoint::open(&format!("{base}/api/v2/alerts"), timeout, &config.trust()?)?;
    if let Some(token) = config.token()? {
        endpoint.bearer(&token);
    }
    let labels = config.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    Ok(Box::new(Alertmanager { endpoint, labels, keep: config.keep.map_or(KEEP, |keep| keep.0) }))
}

impl Channel for Alertmanager {
    fn send(&self, message: &Message) -> Result<(), SendError> {
        self.endpoint.post(Value::from(self.alerts(message, Utc::now())).to_string().as_bytes(), &[])
    }

    fn renews(&self) -> bool {
        true
    }
}

impl Alertmanager {
    fn alerts(&self, message: &Message, now: DateTime<Utc>) -> Vec<Value> {
        let keep = chrono::Duration::from_std(self.keep).unwrap_or(chrono::Duration::MAX);
        let ends = match message.action {
            Action::Resolve | Action::Mute => now,
            // A test, and a list of what else there is, have no end of their own.
            Action::Test | Action::Retrain | Action::Digest | Action::Trigger => {
                now.checked_add_signed(keep).unwrap_or(now)
            }
        };
        let mut alerts = vec![self.alert(message, message.level, ends)];
        // The severity is a label, so another severity is another alert: the former ends.
        if let Some(previous) = message.previous_level.filter(|&previous| previous != message.level) {
            alerts.push(self.alert(message, previous, now));
        }
        alerts
    }

    fn alert(&self, message: &Message, level: Level, ends: DateTime<Utc>) -> Value {
        let name = match message.action {
            Action::Test => "GpudriftTest",
            Action::Retrain => "GpudriftRetrain",
            Action::Trigger | Action::Resolve | Action::Mute | Action::Digest => "GpudriftDrift",
        };
        let mut labels: Map<String, Value> =
            self.labels.iter().map(|(name, value)| (name.clone(), value.clone().into())).collect();
        let own =
            [("alertname", name), ("job", &message.job), ("subject", &message.subject), ("severity", level.name())];
        labels.extend(own.map(|(name, value)| (name.to_owned(), value.into())));
        let mut annotations = Map::new();
        annotations.insert("summary".to_owned(), message.title.clone().into());
        annotations.insert("description".to_owned(), message.summary.clone().into());
        for (name, url) in [("runbook_url", &message.links.runbook), ("dashboard_url", &message.links.dashboard)] {
            annotations.extend(url.as_ref().map(|url| (name.to_owned(), url.clone().into())));
        }
        // An alert cannot end before it begins, and the data may be about a time to come.
        let starts = message.opened_at.min(ends);
        json!({
            "labels": labels,
            "annotations": annotations,
            "startsAt": instant::text(&starts),
            "endsAt": instant::text(&ends),
            "generatorURL": message.links.dashboard.as_deref().unwrap_or_default(),
        })
    }
}
