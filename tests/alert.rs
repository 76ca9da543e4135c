//! Alerts against real servers inside this process: what is told when, and that nothing is lost on the way.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its servers fails")]

#[path = "support/nights.rs"]
mod nights;
#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the other test of alerts uses the rest")]
mod servers;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gpudrift::alert::{Alerts, AlertsConfig, Delivered, SendStep};
use gpudrift::history::{History, HistoryPlace};
use gpudrift::report::Report;

use nights::{die, night, report};
use servers::{Answer, Http, nobody};

/// A history and alerts in a folder of their own.
struct Setup {
    history: History,
    alerts: Alerts,
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl Setup {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let setup = Self::at(folder.path(), config);
        Self { _temporary: Some(folder), ..setup }
    }

    fn at(folder: &Path, config: &str) -> Self {
        let history = History::open(&HistoryPlace::at(folder.join("drift.db"))).unwrap();
        let config: AlertsConfig = toml::from_str(config).unwrap();
        let alerts = Alerts::open(&history, &config).unwrap();
        Self { history, alerts, folder: folder.to_owned(), _temporary: None }
    }

    /// Stores a night and takes note of it.
    fn note(&mut self, report: &Report, day: u32) {
        let identity = night(report, day);
        self.history.store(&identity, report).unwrap();
        self.alerts.night(&self.history, &identity, report).unwrap();
    }

    /// A whole night.
    fn night(&mut self, features: &[(&str, &str)], day: u32) -> Delivered {
        self.note(&report(features), day);
        self.alerts.flush().unwrap()
    }
}

fn webhook(server: &Http) -> String {
    format!("[webhook]\nendpoint = \"{}\"\n", server.url("hook"))
}

/// `action subject level` of every message that has arrived.
fn told(server: &Http) -> Vec<String> {
    let told = server.seen().into_iter().map(|request| {
        let message = request.json();
        let word = |key: &str| message[key].as_str().unwrap().to_owned();
        format!("{} {} {}", word("action"), word("subject"), word("level"))
    });
    told.collect()
}

#[test]
fn an_incident_is_told_when_it_begins_rises_and_ends_and_not_every_night() {
    let server = Http::start([]);
    let mut setup = Setup::new(&webhook(&server));
    setup.night(&[("a", "ok"), ("b", "ok")], 1);
    assert_eq!(told(&server), [""; 0]);
    setup.night(&[("a", "warning"), ("b", "info")], 2);
    assert_eq!(told(&server), ["trigger a warning"]);
    setup.night(&[("a", "warning"), ("b", "ok")], 3);
    assert_eq!(told(&server).len(), 1, "it goes on");
    setup.night(&[("a", "critical"), ("b", "ok")], 4);
    assert_eq!(told(&server)[1..], ["trigger a critical"]);
    setup.night(&[("a", "warning"), ("b", "ok")], 5);
    assert_eq!(told(&server).len(), 2, "milder, and not over");
    setup.night(&[("a", "ok"), ("b", "ok")], 6);
    assert_eq!(told(&server)[2..], ["resolve a critical"]);
    setup.night(&[("a", "ok"), ("b", "ok")], 7);
    assert_eq!(told(&server).len(), 3);
    let messages: Vec<_> = server.seen().iter().map(servers::Request::json).collect();
    assert!(messages.iter().all(|message| message["key"] == "gpudrift:default:a"), "one key from first to last");
    assert_eq!((&messages[2]["nights"], &messages[2]["opened_at"]), (&4.into(), &"2026-11-02T00:00:00Z".into()));
    assert_eq!(messages[1]["previous_level"], "warning");
}

#[test]
fn the_most_severe_is_told_first() {
    let server = Http::start([]);
    let mut setup = Setup::new(&webhook(&server));
    setup.night(&[("a", "warning"), ("b", "critical"), ("c", "warning")], 1);
    assert_eq!(told(&server)[0], "trigger b critical");
    assert_eq!(told(&server).len(), 3);
}

#[test]
fn a_night_twice_tells_nothing_twice() {
    let server = Http::start([]);
    let mut setup = Setup::new(&webhook(&server));
    let features = [("a", "critical")];
    for _ in 0..3 {
        setup.night(&features, 1);
    }
    assert_eq!(told(&server), ["trigger a critical"]);
    // Corrected data for the same night ends what it began.
    setup.night(&[("a", "ok")], 1);
    assert_eq!(told(&server)[1..], ["resolve a critical"]);
}

#[test]
fn what_comes_and_goes_within_the_cool_down_is_told_once() {
    let server = Http::start([]);
    let mut setup = Setup::new(&format!("cooldown = \"3 days\"\n{}", webhook(&server)));
    for day in 1..=3 {
        setup.night(&[("a", if day % 2 == 1 { "warning" } else { "ok" })], day);
    }
    assert_eq!(told(&server), ["trigger a warning", "resolve a warning"]);
    setup.night(&[("a", "ok")], 4);
    assert_eq!(told(&server).len(), 2, "what was not told does not end aloud");
    setup.night(&[("a", "warning")], 5);
    assert_eq!(told(&server).len(), 3, "four days later it is news");
    setup.night(&[("a", "ok")], 6);
    setup.night(&[("a", "critical")], 7);
    assert_eq!(told(&server)[3..], ["resolve a warning", "trigger a critical"], "so is a higher level, at once");
}

#[test]
fn a_reminder_comes_when_somebody_asked_for_it() {
    let server = Http::start([]);
    let mut setup = Setup::new(&format!("remind_after = \"3 days\"\n{}", webhook(&server)));
    for day in 1..=7 {
        setup.night(&[("a", "warning")], day);
    }
    let nights: Vec<_> = server.seen().iter().map(|request| request.json()["nights"].clone()).collect();
    assert_eq!(nights, [1, 4, 7]);
}

#[test]
fn a_feature_that_could_not_be_read_is_not_well_again() {
    let server = Http::start([]);
    let mut setup = Setup::new(&webhook(&server));
    setup.night(&[("a", "warning")], 1);
    setup.night(&[("a", "skipped")], 2);
    assert_eq!(told(&server).len(), 1);
    setup.night(&[("b", "ok")], 3);
    assert_eq!(told(&server)[1..], ["resolve a warning"], "it is not in the job any more");
    assert!(server.seen()[1].json()["summary"].as_str().unwrap().contains("no longer part of the job"));
}

#[test]
fn a_flood_is_one_message_for_what_is_too_much() {
    let server = Http::start([]);
    let mut setup = Setup::new(&format!("limit = 3\ntop = 5\n{}", webhook(&server)));
    let names: Vec<_> = (0..40).map(|index| format!("feature_{index}")).collect();
    let features: Vec<_> = names.iter().map(|name| (name.as_str(), "critical")).collect();
    setup.night(&features, 1);
    let messages: Vec<_> = server.seen().iter().map(servers::Request::json).collect();
    assert_eq!(messages.len(), 4);
    let digest = &messages[3];
    assert_eq!((&digest["action"], digest["features"].as_array().unwrap().len()), (&"digest".into(), 5));
    assert_eq!((&digest["more_features"], &digest["level"]), (&32.into(), &"critical".into()));
    setup.night(&features, 2);
    assert_eq!(server.seen().len(), 4, "and it is not repeated");
    let well: Vec<_> = names.iter().map(|name| (name.as_str(), "ok")).collect();
    setup.night(&well, 3);
    assert_eq!(told(&server)[4..].len(), 3, "what was told one by one ends one by one");
}

#[test]
fn windows_of_the_past_wake_nobody_and_a_night_that_was_missed_is_made_up_for() {
    let server = Http::start([]);
    let mut setup = Setup::new(&webhook(&server));
    setup.night(&[("a", "ok"), ("b", "ok")], 10);
    setup.night(&[("a", "critical"), ("b", "ok")], 5);
    assert_eq!(told(&server), [""; 0], "a backfill");
    // Stored by a process that ended before it looked.
    let missed = report(&[("a", "ok"), ("b", "critical")]);
    setup.history.store(&night(&missed, 11), &missed).unwrap();
    setup.night(&[("a", "ok"), ("b", "ok")], 12);
    assert_eq!(told(&server), ["trigger b critical", "resolve b critical"]);
}

#[test]
fn a_server_that_is_down_for_two_nights_gets_everything_on_the_third_in_order() {
    let address = nobody();
    let folder = tempfile::tempdir().unwrap();
    let config = format!("attempts = 2\ntimeout = \"2s\"\n[webhook]\nendpoint = \"http://{address}/hook\"\n");
    let mut setup = Setup::at(folder.path(), &config);
    let first = setup.night(&[("a", "critical"), ("b", "ok")], 1);
    assert_eq!((first.sent, first.waiting, first.warnings.len()), (0, 1, 1), "{first:?}");
    assert!(first.warnings[0].contains("webhook") && first.warnings[0].contains("2 attempts"), "{first:?}");
    let second = setup.night(&[("a", "critical"), ("b", "warning")], 2);
    assert_eq!((second.sent, second.waiting, second.warnings.len()), (0, 2, 1), "one try a channel, not one a message");
    assert_eq!(setup.alerts.waiting().unwrap()[0].attempts, 4);
    drop(setup);
    let server = Http::on(&address, []);
    let mut setup = Setup::at(folder.path(), &config);
    let third = setup.night(&[("a", "ok"), ("b", "warning")], 3);
    assert_eq!((third.sent, third.waiting), (3, 0));
    assert_eq!(told(&server), ["trigger a critical", "trigger b warning", "resolve a critical"]);
    assert_eq!(setup.alerts.waiting().unwrap(), []);
}

#[test]
fn an_error_of_the_server_is_tried_again() {
    let server = Http::start([Answer::Status(500), Answer::Status(503)]);
    let mut setup = Setup::new(&webhook(&server));
    let delivered = setup.night(&[("a", "critical")], 1);
    assert_eq!(delivered, Delivered { sent: 1, ..Delivered::default() });
    let events: Vec<_> = server.seen().iter().map(|one| one.header("Idempotency-Key").unwrap().to_owned()).collect();
    assert_eq!(events.len(), 3);
    assert!(events.iter().all(|event| *event == events[0]), "one name for one event");
}

#[test]
fn retry_after_is_waited_for_when_short_and_left_to_the_next_run_when_long() {
    let server = Http::start([Answer::Full(429, ("Retry-After", "2"), ""), Answer::Status(200)]);
    let mut setup = Setup::new(&webhook(&server));
    let start = Instant::now();
    assert_eq!(setup.night(&[("a", "critical")], 1).sent, 1);
    assert!(start.elapsed() >= Duration::from_secs(2), "it came back after {:?}", start.elapsed());

    let server = Http::start([Answer::Full(429, ("Retry-After", "3600"), "slow down")]);
    let mut setup = Setup::new(&webhook(&server));
    let delivered = setup.night(&[("a", "critical"), ("b", "critical")], 1);
    assert_eq!((delivered.sent, delivered.waiting), (0, 2));
    assert!(delivered.warnings[0].contains("429") && delivered.warnings[0].contains("slow down"), "{delivered:?}");
    let first = &setup.alerts.waiting().unwrap()[0];
    assert!(first.not_before > first.created_at + chrono::Duration::minutes(50));
    setup.alerts.flush().unwrap();
    assert_eq!(
        server.seen().iter().filter(|one| one.json()["subject"] == "a").count(),
        1,
        "not before the hour is over"
    );
}

#[test]
fn a_server_that_never_answers_costs_the_time_limit_and_no_more() {
    let silent = Http::start([Answer::Silence, Answer::Silence, Answer::Silence, Answer::Silence]);
    let server = Http::start([]);
    let config = format!(
        "attempts = 2\ntimeout = \"300ms\"\n[silent]\ntype = \"webhook\"\nendpoint = \"{}\"\n{}",
        silent.url("hook"),
        webhook(&server)
    );
    let mut setup = Setup::new(&config);
    let delivered = setup.night(&[("a", "critical"), ("b", "critical")], 1);
    assert_eq!((delivered.sent, delivered.waiting), (2, 2), "the other channel is told");
    assert_eq!(silent.seen().len(), 2, "one message, two attempts");
    assert!(delivered.warnings[0].contains("timeout"), "{delivered:?}");
}

#[test]
fn a_refused_message_holds_up_its_own_incident_alone() {
    let server = Http::start([Answer::Full(400, ("X-Test", "1"), "invalid_payload")]);
    let mut setup = Setup::new(&webhook(&server));
    let delivered = setup.night(&[("a", "critical"), ("b", "critical")], 1);
    assert_eq!((delivered.sent, delivered.waiting), (1, 1));
    assert!(delivered.warnings[0].contains("HTTP 400 Bad Request: invalid_payload (1 attempt)"), "{delivered:?}");
    assert_eq!(setup.alerts.flush().unwrap().sent, 1, "whoever corrects the cause gets it");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Http::start([]);
    let target: &'static str = Box::leak(elsewhere.url("x").into_boxed_str());
    let server = Http::start([Answer::Full(302, ("Location", target), "")]);
    let mut setup = Setup::new(&webhook(&server));
    assert_eq!(setup.night(&[("a", "critical")], 1).waiting, 1);
    assert_eq!(elsewhere.seen().len(), 0);
}

#[test]
fn no_secret_is_in_a_warning_a_message_or_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.display().to_string()
    };
    // A server that repeats what it was sent, and addresses that do not work.
    let server = Http::start([
        Answer::Full(403, ("X-Test", "1"), "no such hook: services/T000/hunter2, Bearer hunter3"),
        Answer::Status(200),
    ]);
    let config = format!(
        "attempts = 1\ntimeout = \"2s\"\n\
         [a]\ntype = \"webhook\"\nurl_file = '{}'\ntoken_file = '{}'\nsecret_file = '{}'\n\
         [b]\ntype = \"slack\"\nurl_file = '{}'\n\
         [c]\ntype = \"pagerduty\"\nendpoint = \"http://{}/v2\"\nrouting_key_file = '{}'\n",
        secret("url", &server.url("services/T000/hunter2")),
        secret("token", "hunter3"),
        secret("key", "hunter4"),
        secret("slack", &format!("http://{}/services/hunter5", nobody())),
        nobody(),
        secret("routing", "hunter6"),
    );
    let mut setup = Setup::new(&config);
    let delivered = setup.night(&[("x", "critical")], 1);
    assert_eq!((delivered.sent, delivered.warnings.len()), (0, 3), "{delivered:?}");
    assert!(delivered.warnings[0].contains("no such hook: ***, Bearer ***"), "{delivered:?}");
    let tests = setup.alerts.test(None).unwrap();
    let mut said = format!("{delivered:?} {tests:?} {:?} {:?}", setup.alerts, setup.alerts.waiting().unwrap());
    let files = setup.folder.clone();
    setup.history.runs(&gpudrift::history::RunFilter::default()).unwrap();
    for file in std::fs::read_dir(&files).unwrap() {
        said += &String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap());
    }
    assert!(!said.contains("hunter"), "{said}");
    assert!(server.seen()[0].header("Authorization").unwrap().ends_with("hunter3"), "the receiver alone gets it");
}

#[test]
#[ignore = "the process that is killed by the test below; it does nothing by itself"]
fn child_that_dies_after_it_sent() {
    let Ok(folder) = std::env::var("GPUDRIFT_TEST_FOLDER") else { return };
    let config = std::env::var("GPUDRIFT_TEST_CONFIG").unwrap();
    let step = std::env::var("GPUDRIFT_TEST_STEP").unwrap();
    let mut setup = Setup::at(Path::new(&folder), &config);
    setup.note(&report(&[("a", "critical")]), 1);
    let _ = setup.alerts.flush_observed(&mut |reached| {
        if format!("{reached:?}") == step {
            die();
        }
    });
    panic!("it lived");
}

#[test]
fn kill_9_between_sending_and_noting_repeats_one_event_under_one_name() {
    for (step, arrived) in [(SendStep::Sending, 0), (SendStep::Arrived, 1)] {
        let server = Http::start([]);
        let folder = tempfile::tempdir().unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_dies_after_it_sent", "--ignored"])
            .env("GPUDRIFT_TEST_FOLDER", folder.path())
            .env("GPUDRIFT_TEST_CONFIG", webhook(&server))
            .env("GPUDRIFT_TEST_STEP", format!("{step:?}"))
            .output()
            .unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(9), "{output:?}");
        assert_eq!(server.seen().len(), arrived);
        let mut setup = Setup::at(folder.path(), &webhook(&server));
        setup.night(&[("a", "critical")], 2);
        let events: Vec<_> =
            server.seen().iter().map(|one| one.header("Idempotency-Key").unwrap().to_owned()).collect();
        assert_eq!(events.len(), arrived + 1);
        assert!(events.iter().all(|event| *event == events[0]), "{events:?}");
    }
}

#[test]
fn a_wrong_configuration_is_found_before_a_night_depends_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    let cases = [
        (
            "[mail]\n",
            "there is no type \"mail\"; write type = one of slack, pagerduty, alertmanager, webhook, email, command",
        ),
        ("[slack]\nurl_env = \"GPUDRIFT_TEST_NO_SUCH_VARIABLE\"\n", "GPUDRIFT_TEST_NO_SUCH_VARIABLE, which is not set"),
        ("[slack]\n", "url_env"),
        ("[slack]\nurl_env = \"PATH\"\nto = [\"a@b.example\"]\n", "slack does not take to; it takes url"),
        ("[webhook]\nendpoint = \"hooks.example\"\n", "begins with http:// or https://"),
        ("[alertmanager]\n", "endpoint is missing"),
        ("[command]\n", "command is missing"),
        (
            "[email]\nendpoint = \"mail.example\"\nfrom = \"x\"\nto = [\"a@b.example\"]\n",
            "from \"x\" is no mail address",
        ),
        (
            "[email]\nendpoint = \"mail.example\"\ntls = \"none\"\nuser = \"x\"\npassword_env = \"PATH\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]\n",
            "must not travel in the clear",
        ),
        ("runbook = \"https://wiki.example/{{ nonsense }}\"\n", "runbook is a template that does not work"),
        ("dashboard = \"https://wiki.example/{{ job \"\n", "dashboard is a template that does not work"),
    ];
    for (config, expected) in cases {
        let error = Alerts::open(&history, &toml::from_str(config).unwrap()).unwrap_err();
        assert!(error.is_usage(), "{config}");
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            said += &format!(": {error}");
            cause = error.source();
        }
        assert!(said.contains(expected), "{config}: {said}");
    }
    for (config, expected) in [
        ("[slack]\nurl = \"https://hooks.example/hunter2\"\n", "does not stand in the configuration"),
        ("cooldown = \"soon\"\n", "no length of time"),
        ("[slack]\nurll_env = \"X\"\n", "unknown field `urll_env`"),
    ] {
        let error = toml::from_str::<AlertsConfig>(config).unwrap_err();
        assert!(error.message().contains(expected), "{config}: {error}");
        assert!(error.span().is_some_and(|span| span.start > 0 || config.starts_with("cooldown")), "{config}");
    }
}
