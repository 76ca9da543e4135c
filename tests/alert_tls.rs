//! Encrypted channels against real TLS servers inside this process: certificates of an authority of one's own arrive with
//! `ca_file`, and without the right one nothing leaves the outbox.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its servers fails")]

#[path = "support/nights.rs"]
#[allow(dead_code, reason = "the other tests of alerts use the rest")]
mod nights;
#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the other tests of alerts use the rest")]
mod servers;
#[path = "support/tls.rs"]
mod tls;

use std::path::Path;
use std::process::Command;

use base64::Engine;
use gpudrift::alert::{Alerts, Delivered};
use gpudrift::history::{History, HistoryPlace};

use nights::{night, report};
use tls::{Authority, Https, SecureSmtp};

const HOST: &str = "127.0.0.1";

/// The night of a day, with one critical feature, told by these channels.
fn tell(folder: &Path, day: u32, channels: &str) -> Delivered {
    let mut history = History::open(&HistoryPlace::at(folder.join("drift.db"))).unwrap();
    let config = format!("attempts = 1\ntimeout = \"5s\"\n{channels}");
    let alerts = Alerts::open(&history, &toml::from_str(&config).unwrap()).unwrap();
    let report = report(&[("risk:score", "critical")]);
    let identity = night(&report, day);
    history.store(&identity, &report).unwrap();
    alerts.night(&history, &identity, &report).unwrap();
    alerts.flush().unwrap()
}

fn secret(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn mail(address: &str, tls: &str, rest: &str) -> String {
    format!(
        "[email]\nendpoint = \"{address}\"\ntls = \"{tls}\"\nfrom = \"drift@ml.example\"\nto = [\"a@ml.example\"]\n{rest}"
    )
}

#[test]
fn every_channel_over_https_arrives_at_a_server_that_the_company_has_signed() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new("Authority of the company");
    let server = Https::start(ours.identity(HOST));
    let ca_file = ours.file(folder.path(), "ca.pem").display().to_string();
    let url = secret(folder.path(), "slack", &server.url("services/T/B/x"));
    let key = secret(folder.path(), "key", "R0UT1NG");
    let channels = format!(
        "[slack]\nurl_file = '{url}'\nca_file = '{ca_file}'\n\
         [pagerduty]\nendpoint = '{pagerduty}'\nrouting_key_file = '{key}'\nca_file = '{ca_file}'\n\
         [alertmanager]\nendpoint = '{alertmanager}'\nca_file = '{ca_file}'\n\
         [webhook]\nendpoint = '{webhook}'\nca_file = '{ca_file}'\n",
        pagerduty = server.url("v2/enqueue"),
        alertmanager = server.url(""),
        webhook = server.url("hook"),
    );
    let delivered = tell(folder.path(), 1, &channels);
    assert_eq!(delivered, Delivered { sent: 4, ..Delivered::default() });
    let seen = server.seen();
    let paths: Vec<&str> = seen.iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, ["/services/T/B/x", "/v2/enqueue", "/api/v2/alerts", "/hook"]);
    assert_eq!(seen[1].json()["routing_key"], "R0UT1NG");
    assert_eq!(seen[3].json()["subject"], "risk:score");
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_told_and_the_alert_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let ca_file = ours.file(folder.path(), "ca.pem").display().to_string();
    let server = Https::start(ours.identity(HOST));
    let hook = |url: &str, rest: &str| format!("[webhook]\nendpoint = '{url}'\n{rest}");
    let trusted = format!("ca_file = '{ca_file}'\n");
    let wrong = theirs.file(folder.path(), "theirs.pem").display().to_string();
    let named = Https::start(ours.identity("hooks.example"));
    let old = Https::start(ours.expired(HOST));
    let cases = [
        ("unknown to this machine", hook(&server.url("x"), ""), "UnknownIssuer; nobody whom this machine trusts"),
        ("another authority", hook(&server.url("x"), &format!("ca_file = '{wrong}'\n")), "write ca_file = \"PATH\""),
        ("another name", hook(&named.url("x"), &trusted), "not valid for name \"127.0.0.1\""),
        ("too old", hook(&old.url("x"), &trusted), "certificate expired"),
    ];
    for ((case, channels, expected), day) in cases.into_iter().zip(1..) {
        let delivered = tell(folder.path(), day, &channels);
        assert_eq!((delivered.sent, delivered.waiting), (0, 1), "{case}: {delivered:?}");
        assert!(delivered.warnings[0].contains(expected), "{case}: {delivered:?}");
        assert!(delivered.warnings[0].contains("it is kept and sent by the next run"), "{delivered:?}");
    }
    assert_eq!(server.seen().len() + named.seen().len() + old.seen().len(), 0, "nothing was sent to a stranger");
    assert_eq!(tell(folder.path(), 5, &hook(&server.url("x"), &trusted)).sent, 1, "whoever corrects it gets it");
    assert_eq!(server.seen()[0].json()["at"], "2026-11-01T00:00:00Z");
}

#[test]
fn mail_goes_out_encrypted_and_the_password_only_then() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    for tls in ["starttls", "implicit"] {
        let folder = tempfile::tempdir().unwrap();
        let ca_file = ours.file(folder.path(), "ca.pem").display().to_string();
        let wrong = theirs.file(folder.path(), "theirs.pem").display().to_string();
        let server = match tls {
            "starttls" => SecureSmtp::starttls(ours.identity(HOST)),
            _ => SecureSmtp::implicit(ours.identity(HOST)),
        };
        let login = format!("user = \"drift\"\npassword_file = '{}'\n", secret(folder.path(), "password", "hunter2"));
        for (rest, day) in [(login.clone(), 1), (format!("{login}ca_file = '{wrong}'\n"), 2)] {
            let delivered = tell(folder.path(), day, &mail(&server.address, tls, &rest));
            assert_eq!((delivered.sent, delivered.waiting), (0, 1), "{tls}: {delivered:?}");
            let said = &delivered.warnings[0];
            assert!(said.contains("UnknownIssuer") && said.contains("ca_file"), "{tls}: {delivered:?}");
            assert!(!said.contains("hunter2"), "{delivered:?}");
        }
        assert!(server.seen().is_empty(), "{tls}: a stranger gets no mail and no password");
        let delivered = tell(folder.path(), 3, &mail(&server.address, tls, &format!("{login}ca_file = '{ca_file}'\n")));
        assert_eq!((delivered.sent, delivered.waiting), (1, 0), "{tls}: {delivered:?}");
        let mail = &server.seen()[0];
        assert!(mail.data.contains("CRITICAL risk:score"), "{}", mail.data);
        let credentials = base64::engine::general_purpose::STANDARD.encode("\0drift\0hunter2");
        assert_eq!(mail.login, Some(format!("AUTH PLAIN {credentials}")), "{tls}");
    }
}

#[test]
fn a_file_of_authorities_that_is_none_is_found_before_a_night_depends_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| secret(folder.path(), name, text);
    let history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    let broken = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n";
    let cases = [
        (folder.path().join("missing.pem").display().to_string(), "ca_file: cannot read"),
        (file("empty.pem", ""), "has no certificate in it; it takes certificates in PEM"),
        (file("words.pem", "trust me\n"), "has no certificate in it"),
        (file("broken.pem", broken), "has a certificate that is none"),
        (file("key.pem", key), "holds a private key"),
    ];
    for (ca_file, expected) in cases {
        let config = format!("[webhook]\nendpoint = \"https://hooks.example/\"\nca_file = '{ca_file}'\n");
        let error = Alerts::open(&history, &toml::from_str(&config).unwrap()).unwrap_err();
        assert!(error.is_usage());
        let said = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(said.starts_with("[alerts.webhook]") && said.contains(expected), "{said}");
    }
    let config = "[command]\ncommand = [\"true\"]\nca_file = \"x\"\n";
    let error = Alerts::open(&history, &toml::from_str(config).unwrap()).unwrap_err();
    let said = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(said, "command does not take ca_file; it takes command");
}

#[test]
fn the_program_finds_the_file_beside_the_configuration_and_believes_what_the_machine_believes() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new("ours");
    let server = Https::start(ours.identity(HOST));
    let ca_file = ours.file(folder.path(), "ca.pem");
    let elsewhere = tempfile::tempdir().unwrap();
    let test = |rest: &str, machine: Option<&Path>| {
        let config = format!(
            "[history]\npath = \"drift.db\"\n[alerts]\ntimeout = \"5s\"\n[alerts.webhook]\nendpoint = \"{}\"\n{rest}",
            server.url("hook")
        );
        let path = folder.path().join("gpudrift.toml");
        std::fs::write(&path, config).unwrap();
        let mut program = Command::new(env!("CARGO_BIN_EXE_gpudrift"));
        program.current_dir(elsewhere.path()).args(["alert", "test", "--config"]).arg(path);
        program.envs(machine.map(|file| ("SSL_CERT_FILE", file)));
        let output = program.output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told, said) = test("ca_file = \"ca.pem\"\n", None);
    assert_eq!((code, told.as_str()), (Some(0), "webhook: sent\n"), "{said}");
    let (code, told, said) = test("", Some(&ca_file));
    assert_eq!((code, told.as_str()), (Some(0), "webhook: sent\n"), "{said}");
    let (code, told, said) = test("", None);
    assert!(code != Some(0) && format!("{told}{said}").contains("write ca_file"), "{code:?} {told} {said}");
    assert_eq!(server.seen().len(), 2);
}
