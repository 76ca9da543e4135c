//! Email by SMTP. The messages of an incident are one thread: each refers to the incident's own id.

use std::time::Duration;

use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::Tls as SmtpTls;
use lettre::{SmtpTransport, Transport};
use sha2::{Digest, Sha256};

use super::{Channel, ChannelType, Problem, required};
use crate::alert::config::{ChannelConfig, Tls};
use crate::alert::message::Message;
use crate::format::{cut, printable};
use crate::post::{SendError, advice};

/// Longest subject: one that mail programs show, and servers take.
const MAX_SUBJECT: usize = 200;

pub(super) const EMAIL: ChannelType = ChannelType {
    name: "email",
    about: "mail through an SMTP server",
    keys: &["endpoint", "tls", "user", "password", "from", "to", "ca_file"],
    build,
};

struct Email {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
    /// What no error may show.
    password: Option<String>,
}

fn build(config: &ChannelConfig, timeout: Duration) -> Result<Box<dyn Channel>, Problem> {
    let wrong = |error: &dyn std::fmt::Display| Problem::Keys(error.to_string());
    let address = |key: &str, text: &str| {
        text.parse::<Mailbox>().map_err(|error| Problem::Keys(format!("{key} {text:?} is no mail address: {error}")))
    };
    let endpoint = required("endpoint", config.endpoint.as_deref())?;
    let tls = config.tls.unwrap_or_default();
    let (host, port) = host_and_port(endpoint, tls)?;
    let trust = config.trust()?;
    let parameters = || trust.mail(&host).map_err(|error| wrong(&error));
    let security = match tls {
        Tls::StartTls => SmtpTls::Required(parameters()?),
        Tls::Implicit => SmtpTls::Wrapper(parameters()?),
        Tls::None => SmtpTls::None,
    };
    let mut builder = SmtpTransport::builder_dangerous(&host).port(port).tls(security).timeout(Some(timeout));
    let password = config.password()?.map(|password| password.reveal().to_owned());
    match (&config.user, &password) {
        (Some(user), Some(password)) => {
            if tls == Tls::None && !is_this_machine(&host) {
                return Err(Problem::Keys(
                    "a password must not travel in the clear: set tls to starttls or implicit".to_owned(),
                ));
            }
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        (None, None) => {}
        _ => return Err(Problem::Keys("user and password go together; one is missing".to_owned())),
    }
    if config.to.is_empty() {
        return Err(Problem::Keys("to is missing: the recipients".to_owned()));
    }
    Ok(Box::new(Email {
        transport: builder.build(),
        from: address("from", required("from", config.from.as_deref())?)?,
        to: config.to.iter().map(|to| address("to", to)).collect::<Result<_, _>>()?,
        password,
    }))
}

/// `mail.example`, `mail.example:587` or `[::1]:25`.
fn host_and_port(endpoint: &str, tls: Tls) -> Result<(String, u16), Problem> {
    let default = match tls {
        Tls::StartTls => 587,
        Tls::Implicit => 465,
        Tls::None => 25,
    };
    let (host, port) = match endpoint.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let port =
                port.parse().map_err(|_| Problem::Keys(format!("endpoint {endpoint:?}: {port:?} is no port")))?;
            (host, port)
        }
        _ => (endpoint, default),
    };
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Channel for Email {
    fn send(&self, message: &Message) -> Result<(), SendError> {
        let mail = self.mail(message).map_err(|error| SendError::never(error.to_string()))?;
        match self.transport.send(&mail) {
            Ok(_) => Ok(()),
            // A mailbox that does not exist stays away; a server that is busy or down comes back.
            Err(error) if error.is_permanent() => Err(SendError::never(self.told(&error))),
            Err(error) => Err(SendError::soon(self.told(&error))),
        }
    }
}

impl Email {
    fn mail(&self, message: &Message) -> Result<lettre::Message, lettre::error::Error> {
        let thread = format!("<{}@gpudrift.invalid>", hex::encode(&Sha256::digest(&message.key)[..12]));
        let subject = cut(&printable(&format!("[gpudrift] {}", message.headline())), MAX_SUBJECT);
        let builder: MessageBuilder = lettre::Message::builder()
            .from(self.from.clone())
            .subject(subject)
            .message_id(Some(format!("<{}@gpudrift.invalid>", message.event)))
            .references(thread.clone())
            .in_reply_to(thread)
            // Robots do not answer, and their mail is not answered by robots (RFC 3834).
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        self.to.iter().cloned().fold(builder, MessageBuilder::to).body(message.text())
    }

    /// The error with its causes, and without the password.
    fn told(&self, error: &dyn std::error::Error) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        let text = format!("{}{}", printable(&text), advice(&text));
        self.password.as_ref().map_or(text.clone(), |password| text.replace(password.as_str(), "***"))
    }
}

/// `Auto-Submitted: auto-generated`.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_follows_from_the_encryption_unless_it_is_given() {
        let parts = |text, tls| host_and_port(text, tls).unwrap();
        assert_eq!(parts("mail.example", Tls::StartTls), ("mail.example".to_owned(), 587));
        assert_eq!(parts("mail.example", Tls::Implicit), ("mail.example".to_owned(), 465));
        assert_eq!(parts("[::1]:2525", Tls::None), ("::1".to_owned(), 2525));
        assert_eq!(parts("[::1]", Tls::None), ("::1".to_owned(), 25));
        assert!(host_and_port("mail.example:smtp", Tls::None).is_err());
    }
}
