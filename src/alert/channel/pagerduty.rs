//! PagerDuty: Events API v2, `trigger` and `resolve` under the incident's key.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Channel, ChannelType, Problem};
use crate::alert::config::ChannelConfig;
use crate::alert::message::Message;
use crate::config::Secret;
use crate::format::cut;
use crate::history::instant;
use crate::post::{Endpoint, SendError};
use crate::verdict::Level;

const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";
/// Longest summary that the API takes.
const MAX_SUMMARY: usize = 1024;
/// Names of features in an event.
const MAX_MEMBERS: usize = 1000;

pub(super) const PAGERDUTY: ChannelType = ChannelType {
    name: "pagerduty",
    about: "PagerDuty's Events API v2",
    keys: &["routing_key", "endpoint", "ca_file"],
    build,
};

struct PagerDuty {
    endpoint: Endpoint,
    routing_key: Secret,
}

fn build(config: &ChannelConfig, timeout: Duration) -> Result<Box<dyn Channel>, Problem> {
    let routing_key = config.routing_key()?;
    let mut endpoint = Endpoint::open(config.endpoint.as_deref().unwrap_or(EVENTS), timeout, &config.trust()?)?;
    endpoint.hide(routing_key.reveal());
    Ok(Box::new(PagerDuty { endpoint, routing_key }))
}

impl Channel for PagerDuty {
    fn send(&self, message: &Message) -> Result<(), SendError> {
        self.endpoint.post(event(message, self.routing_key.reveal()).to_string().as_bytes(), &[])
    }
}

fn event(message: &Message, routing_key: &str) -> Value {
    if message.action.ends() {
        return json!({ "routing_key": routing_key, "event_action": "resolve", "dedup_key": message.key });
    }
    let severity = match message.level {
        Level::Critical => "critical",
        Level::Warning => "warning",
        Level::Info | Level::Ok => "info",
    };
    // The whole event may take 512 kB.
    let members = &message.members[..message.members.len().min(MAX_MEMBERS)];
    let links: Vec<_> = message.links.named().map(|(text, href)| json!({ "href": href, "text": text })).collect();
    json!({
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": message.key,
        "client": "gpudrift",
        "client_url": message.links.dashboard,
        "links": links,
        "payload": {
            "summary": cut(&message.headline(), MAX_SUMMARY),
            "source": message.run.current.first().map_or(message.job.as_str(), String::as_str),
            "severity": severity,
            "timestamp": instant::text(&message.at),
            "component": message.subject,
            "group": message.job,
            "class": "drift",
            "custom_details": {
                "summary": message.summary,
                "features": message.features,
                "more_features": message.more_features,
                "members": members,
                "run": message.run,
                "nights": message.nights,
                "playbook": message.playbook,
            },
        },
    })
}
