//! Who may ask: everybody with the token; without one, whoever is on this machine and means it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use tiny_http::Request;

use super::Reply;
use crate::config::Secret;

/// Checks requests.
pub(super) struct Guard {
    /// Of the token; comparing digests takes as long whatever is wrong with a guess.
    digest: Option<[u8; 32]>,
}

impl Guard {
    pub(super) fn new(token: Option<&Secret>) -> Self {
        Self { digest: token.map(|token| Sha256::digest(token.reveal()).into()) }
    }

    /// Nothing, or the answer to a request that is refused. Whether the server lives is told to everybody.
    pub(super) fn check(&self, request: &Request) -> Result<(), Reply> {
        let header = |name: &'static str| {
            let found = request.headers().iter().find(|header| header.field.equiv(name));
            found.map(|header| header.value.as_str())
        };
        match &self.digest {
            _ if request.url() == "/healthz" => Ok(()),
            None if header("Host").is_some_and(is_loopback) => Ok(()),
            None => {
                Err(Reply::error(403, "without a token this server answers to localhost, 127.0.0.1 and [::1] only"))
            }
            Some(digest) => {
                let token = header("Authorization").and_then(token_of);
                let known = token.is_some_and(|token| <[u8; 32]>::from(Sha256::digest(token)) == *digest);
                let message = "a token is needed: Authorization: Bearer TOKEN, or as the password in a browser";
                if known { Ok(()) } else { Err(Reply::error(401, message)) }
            }
        }
    }
}

/// The token of `Bearer TOKEN`, or of `Basic` with any name and the token as the password, which browsers ask for.
fn token_of(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(rest.trim()).ok())??;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(_, token)| token.to_owned())
}

/// Whether a host, with or without its port, is this machine's own name for itself.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for host in ["localhost", "LOCALHOST:8641", "127.0.0.1:1", "127.8.9.1", "[::1]:8641", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example:80", "10.0.0.1", "[::2]:80", "127.0.0.1.evil.example"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_token_comes_in_two_ways() {
        assert_eq!(token_of("Bearer abc"), Some("abc".to_owned()));
        assert_eq!(token_of("basic bWU6YTpi"), Some("a:b".to_owned()));
        for header in ["abc", "Digest abc", "Basic !!!", "Basic bWU="] {
            assert_eq!(token_of(header), None, "{header}");
        }
    }
}
