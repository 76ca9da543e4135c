//! Any URL: the message as JSON, signed when there is a key.
//!
//! ```text
//!     X-Gpudrift-Timestamp: 1764028800
//!     X-Gpudrift-Signature: v1=HEX(HMAC-SHA256(key, "1764028800." + body))
//!     Idempotency-Key: EVENT
//! ```
//!
//! The time is part of what is signed, so that a recorded request cannot be sent again later. Receivers compare in
//! constant time, refuse old times, and drop events that they have seen.

use std::time::Duration;

use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Channel, ChannelType, Problem};
use crate::alert::config::ChannelConfig;
use crate::alert::message::Message;
use crate::config::Secret;
use crate::post::{Endpoint, SendError};

pub(super) const WEBHOOK: ChannelType = ChannelType {
    name: "webhook",
    about: "any URL: the message as JSON, signed with HMAC-SHA256",
    keys: &["url", "endpoint", "secret", "token", "ca_file"],
    build,
};

struct Webhook {
    endpoint: Endpoint,
    key: Option<Secret>,
}

fn build(config: &ChannelConfig, timeout: Duration) -> Result<Box<dyn Channel>, Problem> {
    let mut endpoint = match &config.endpoint {
        Some(url) => Endpoint::open(url, timeout, &config.trust()?)?,
        None => Endpoint::secret(&config.url()?, timeout, &config.trust()?)?,
    };
    let key = config.secret()?;
    if let Some(key) = &key {
        endpoint.hide(key.reveal());
    }
    if let Some(token) = config.token()? {
        endpoint.bearer(&token);
    }
    Ok(Box::new(Webhook { endpoint, key }))
}

impl Channel for Webhook {
    fn send(&self, message: &Message) -> Result<(), SendError> {
        let body = serde_json::to_vec(message).map_err(|error| SendError::never(error.to_string()))?;
        let time = Utc::now().timestamp().to_string();
        let signature = self.key.as_ref().map(|key| signature(key.reveal(), &time, &body));
        let mut headers = vec![("Idempotency-Key", message.event.as_str()), ("X-Gpudrift-Timestamp", &time)];
        if let Some(signature) = &signature {
            headers.push(("X-Gpudrift-Signature", signature));
        }
        self.endpoint.post(&body, &headers)
    }
}

fn signature(key: &str, time: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("v1={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_openssl() {
        // printf '1764028800.{"a":1}' | openssl dgst -sha256 -hmac key
        let expected = "v1=4790881ff9d68f1ccce463bb0a7899018503eed75dca0eb0b5aa8bb516d37cc6";
        assert_eq!(signature("key", "1764028800", br#"{"a":1}"#), expected);
    }
}
