//! A POST, and what its answer means: shared by everything that sends JSON to somebody else's server.

mod trust;

use std::time::{Duration, SystemTime};

use ureq::Agent;
use ureq::tls::TlsConfig;

use crate::config::Secret;
use crate::format::{cut, printable};

pub use trust::TrustError;
pub(crate) use trust::{Trust, advice};

/// Longest part of an answer that an error repeats.
const QUOTED: usize = 200;

/// Why something was not delivered. The text shows no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct SendError {
    /// What happened.
    pub(crate) reason: String,
    /// Whether trying again can help, and when.
    pub(crate) retry: Retry,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Not without somebody changing something.
    Never,
    /// Perhaps soon.
    Soon,
    /// Not before so long.
    After(Duration),
}

impl SendError {
    pub(crate) fn never(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: Retry::Never }
    }

    pub(crate) fn soon(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry: Retry::Soon }
    }
}

/// What is no URL that can be posted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the URL is none: it begins with http:// or https:// and names a host")]
pub struct NoUrl;

/// Posts bodies to one URL.
pub(crate) struct Endpoint {
    agent: Agent,
    url: String,
    /// What no error may show; the URL too, when it is a secret.
    secrets: Vec<String>,
    headers: Vec<(&'static str, String)>,
}

impl Endpoint {
    /// An endpoint whose URL anybody may see; one attempt may take `timeout`.
    ///
    /// # Errors
    /// When `url` is none.
    pub(crate) fn open(url: &str, timeout: Duration, trust: &Trust) -> Result<Self, NoUrl> {
        let uri = url.parse::<ureq::http::Uri>();
        if !uri.is_ok_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()) {
            return Err(NoUrl);
        }
        // A redirect would turn a POST into a GET, and carry secrets elsewhere: it is an error.
        let config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("gpudrift/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(trust.roots()).build())
            .build();
        Ok(Self { agent: config.new_agent(), url: url.to_owned(), secrets: Vec::new(), headers: Vec::new() })
    }

    /// An endpoint whose URL is a secret.
    ///
    /// # Errors
    /// When `url` is none.
    pub(crate) fn secret(url: &Secret, timeout: Duration, trust: &Trust) -> Result<Self, NoUrl> {
        let mut endpoint = Self::open(url.reveal(), timeout, trust)?;
        endpoint.hide(url.reveal());
        Ok(endpoint)
    }

    /// Keeps `secret` out of errors.
    pub(crate) fn hide(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
        // The path of a webhook's URL is the secret part, and some servers repeat it.
        if let Some(path) = secret.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map(|(_, path)| path)
            && path.len() > 3
        {
            self.secrets.push(path.to_owned());
        }
    }

    /// Sends a bearer token with every request.
    pub(crate) fn bearer(&mut self, token: &Secret) {
        self.hide(token.reveal());
        self.headers.push(("Authorization", format!("Bearer {}", token.reveal())));
    }

    /// Posts JSON. Any answer from 200 to 299 means that it has arrived.
    ///
    /// # Errors
    /// When it is not known to have arrived, with what is known, and no secret in it.
    pub(crate) fn post(&self, body: &[u8], headers: &[(&str, &str)]) -> Result<(), SendError> {
        let mut request = self.agent.post(&self.url).header("Content-Type", "application/json");
        let own = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.chain(headers.iter().copied()) {
            request = request.header(name, value);
        }
        let failed = |error: ureq::Error| {
            let said = error.to_string();
            SendError::soon(self.scrubbed(&format!("{said}{}", advice(&said))))
        };
        let mut answer = request.send(body).map_err(failed)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let said = answer.body_mut().with_config().limit(64 * 1024).read_to_string().unwrap_or_default();
        let said = cut(&printable(said.trim()), QUOTED);
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        let retry = match status.as_u16() {
            408 | 425 | 429 | 500..=599 => {
                let header = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
                header.and_then(retry_after).map_or(Retry::Soon, Retry::After)
            }
            _ => Retry::Never,
        };
        Err(SendError { reason: self.scrubbed(&format!("HTTP {status}{said}")), retry })
    }

    fn scrubbed(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// `Retry-After`: seconds, or a date (RFC 9110, 10.2.3).
fn retry_after(header: &str) -> Option<Duration> {
    if let Ok(seconds) = header.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(header.trim()).ok()?;
    let at = SystemTime::from(at);
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(retry_after("120"), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO), "a date in the past is now");
        assert!(retry_after("Tue, 31 Dec 2999 23:59:59 GMT").unwrap() > Duration::from_secs(1_000_000));
        assert_eq!(retry_after("soon"), None);
    }

    #[test]
    fn what_is_no_url_is_found_early() {
        for url in ["", "hooks.example/x", "ftp://hooks.example/x", "http://"] {
            assert!(Endpoint::open(url, Duration::from_secs(1), &Trust::Machine).is_err(), "{url}");
        }
    }
}
