//! Slack: an incoming webhook with Block Kit.
//!
//! Its limits: 50 blocks a message, 150 characters in a header, 3000 in a section. Slack drops messages of more than
//! some 13 000 characters altogether, which is not documented; we stay well below.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Channel, ChannelType, Problem};
use crate::alert::config::ChannelConfig;
use crate::alert::message::{Action, FeatureNote, Message};
use crate::format::{cut, percent, probability, significant};
use crate::post::{Endpoint, SendError};
use crate::verdict::Level;

const MAX_BLOCKS: usize = 50;
const MAX_HEADER: usize = 150;
const MAX_SECTION: usize = 3000;
/// Characters of all sections together.
const MAX_TEXT: usize = 11_000;

pub(super) const SLACK: ChannelType =
    ChannelType { name: "slack", about: "an incoming webhook of Slack", keys: &["url", "ca_file"], build };

struct Slack {
    endpoint: Endpoint,
}

fn build(config: &ChannelConfig, timeout: Duration) -> Result<Box<dyn Channel>, Problem> {
    Ok(Box::new(Slack { endpoint: Endpoint::secret(&config.url()?, timeout, &config.trust()?)? }))
}

impl Channel for Slack {
    fn send(&self, message: &Message) -> Result<(), SendError> {
        self.endpoint.post(body(message).to_string().as_bytes(), &[])
    }
}

fn body(message: &Message) -> Value {
    let icon = match (message.action, message.level) {
        (Action::Resolve, _) => ":white_check_mark:",
        (Action::Mute, _) => ":mute:",
        (Action::Test, _) => ":wave:",
        (Action::Retrain, _) => ":repeat:",
        (_, Level::Critical) => ":rotating_light:",
        (_, Level::Warning) => ":warning:",
        _ => ":information_source:",
    };
    let headline = message.headline();
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "emoji": true, "text": cut(&format!("{icon} {headline}"), MAX_HEADER) },
    })];
    let mut left = MAX_TEXT;
    // The last block is the context, the one before it the buttons.
    let room = |blocks: &[Value]| blocks.len() < MAX_BLOCKS - 2;
    let mut listed = 0;
    section(&mut blocks, &mut left, escaped(&message.summary));
    for feature in &message.features {
        if !room(&blocks) || !section(&mut blocks, &mut left, feature_text(feature)) {
            break;
        }
        listed += 1;
    }
    let more = message.features.len() - listed + message.more_features;
    if message.more_features > 0 && listed == message.features.len() && room(&blocks) {
        let others = format!("… and {} more{}", message.more_features, message.others());
        section(&mut blocks, &mut left, escaped(&others));
    }
    if let Some(playbook) = message.playbook.as_ref().filter(|_| room(&blocks)) {
        section(&mut blocks, &mut left, slack_markdown(playbook));
    }
    let buttons: Vec<_> = message
        .links
        .named()
        // Longer ones are refused with the whole message.
        .filter(|(_, url)| url.chars().count() <= 3000)
        .map(|(name, url)| json!({ "type": "button", "text": { "type": "plain_text", "text": name }, "url": url }))
        .collect();
    if !buttons.is_empty() {
        blocks.push(json!({ "type": "actions", "elements": buttons }));
    }
    let more = if more > 0 { format!(" · {more} more features") } else { String::new() };
    let context = format!("job {} · run {} ({}){more}", message.job, message.run.name, message.run.window);
    blocks.push(json!({
        "type": "context", "elements": [{ "type": "mrkdwn", "text": cut(&escaped(&context), MAX_SECTION) }],
    }));
    json!({ "text": cut(&escaped(&headline), MAX_SECTION), "blocks": blocks })
}

/// Adds a section, unless the message would become too long.
fn section(blocks: &mut Vec<Value>, left: &mut usize, text: String) -> bool {
    let text = cut(&text, MAX_SECTION);
    let length = text.chars().count();
    if text.is_empty() || length > *left {
        return false;
    }
    *left -= length;
    blocks.push(json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }));
    true
}

fn feature_text(feature: &FeatureNote) -> String {
    let mut text = format!("*{}* `{}` {}", escaped(&feature.name), feature.data_type, feature.level.name());
    let numbers = [
        ("PSI", feature.psi.map(significant)),
        ("KS D", feature.ks.map(significant)),
        ("q", feature.q.map(probability)),
        ("null", Some(percent(feature.null_share))),
    ];
    for (name, value) in numbers {
        text += &value.map_or_else(String::new, |value| format!(" · {name} {value}"));
    }
    for reason in &feature.reasons {
        text += &format!("\n• {}", escaped(reason));
    }
    text
}

/// Slack's three control characters (its reference, "Escaping text").
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Headings are bold in Slack's dialect, and list items bullets.
fn slack_markdown(markdown: &str) -> String {
    let line = |line: &str| {
        let line = escaped(line);
        match (line.trim_start_matches('#'), line.strip_prefix("- ")) {
            (title, _) if title.len() < line.len() => format!("*{}*", title.trim()),
            (_, Some(item)) => format!("• {item}"),
            _ => line,
        }
    };
    markdown.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::compose::test_message;

    #[test]
    fn the_limits_hold_however_much_there_is_to_say() {
        let mut message = test_message("slack");
        message.action = Action::Trigger;
        message.title = "σ".repeat(1000);
        message.summary = "<".repeat(5000);
        message.playbook = Some("# Playbook\n".repeat(2000));
        let feature = message.features[0].clone();
        message.features =
            (0..500).map(|_| FeatureNote { reasons: vec!["&".repeat(200)], ..feature.clone() }).collect();
        let body = body(&message);
        let blocks = body["blocks"].as_array().unwrap();
        assert!(blocks.len() <= MAX_BLOCKS, "{}", blocks.len());
        let mut total = 0;
        for block in blocks {
            let length = block["text"]["text"].as_str().map_or(0, |text| text.chars().count());
            assert!(length <= if block["type"] == "header" { MAX_HEADER } else { MAX_SECTION });
            total += length;
        }
        assert!(total < 13_000, "{total}");
        let context = blocks.last().unwrap()["elements"][0]["text"].as_str().unwrap();
        assert!(context.contains("more features"), "{context}");
    }

    #[test]
    fn markup_in_names_is_text() {
        let mut message = test_message("slack");
        message.features[0].name = "<!channel> & *co*".to_owned();
        let text = body(&message).to_string();
        assert!(text.contains("&lt;!channel&gt; &amp; *co*") && !text.contains("<!channel>"), "{text}");
    }
}
