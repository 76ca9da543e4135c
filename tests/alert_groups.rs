//! Features that moved together are one incident: one message, who joins, who is muted, and when all of it is over.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its servers fails")]

#[path = "support/nights.rs"]
#[allow(dead_code, reason = "the other tests of alerts use the rest")]
mod nights;
#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the other tests of alerts use the rest")]
mod servers;

use std::collections::{BTreeMap, BTreeSet};

use gpudrift::alert::{Alerts, OpenIncident};
use gpudrift::history::{History, HistoryPlace};
use gpudrift::report::{Finding, Report};
use gpudrift::verdict::Level;
use serde_json::{Value, json};

use nights::{night, report};
use servers::Http;

/// The report in which this has happened to these features: `(feature, title)`.
fn moved(mut report: Report, changes: &[(&str, &str)]) -> Report {
    for (name, title) in changes {
        let kind = title.split(' ').next().unwrap_or_default();
        let change = json!({
            "kind": kind, "title": title, "confidence": 0.9, "cause": "pipeline", "evidence": "so it is",
        });
        let feature = report.features.iter_mut().find(|feature| feature.name == *name).unwrap();
        feature.change_kind = Some(serde_json::from_value(change).unwrap());
    }
    report.settle();
    report
}

struct Setup {
    history: History,
    alerts: Alerts,
    server: Http,
    _folder: tempfile::TempDir,
}

impl Setup {
    /// A history and a webhook, with `config` under `[alerts]`.
    fn new(config: &str) -> Self {
        let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
        let history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
        let config = format!("{config}\n[webhook]\nendpoint = \"{}\"\n", server.url("hook"));
        let alerts = Alerts::open(&history, &toml::from_str(&config).unwrap()).unwrap();
        Self { history, alerts, server, _folder: folder }
    }

    fn night(&mut self, report: &Report, day: u32) {
        let identity = night(report, day);
        self.history.store(&identity, report).unwrap();
        self.alerts.night(&self.history, &identity, report).unwrap();
        self.alerts.flush().unwrap();
    }

    /// The night of features with these levels, to all of which the same has happened.
    fn together(&mut self, features: &[(&str, &str)], day: u32) {
        let unwell = features.iter().filter(|(_, level)| !matches!(*level, "ok" | "skipped"));
        let changes: Vec<_> = unwell.map(|(name, _)| (*name, "unit_change × 1000")).collect();
        self.night(&moved(report(features), &changes), day);
    }

    fn messages(&self) -> Vec<Value> {
        self.server.seen().iter().map(servers::Request::json).collect()
    }

    /// `action subject level` of every message.
    fn told(&self) -> Vec<String> {
        let word = |message: &Value, key: &str| message[key].as_str().unwrap().to_owned();
        let words = |message: Value| ["action", "subject", "level"].map(|key| word(&message, key)).join(" ");
        self.messages().into_iter().map(words).collect()
    }

    fn open(&self) -> Vec<OpenIncident> {
        self.alerts.open_incidents(None).unwrap()
    }
}

fn names(message: &Value, key: &str) -> Vec<String> {
    let names = message[key].as_array().unwrap().iter();
    names.map(|one| one.as_str().or(one["name"].as_str()).unwrap().to_owned()).collect()
}

#[test]
fn what_moved_together_is_told_once_with_the_worst_first_and_ends_when_all_of_it_is_quiet() {
    let mut setup = Setup::new("top = 2");
    setup.together(&[("user:a", "warning"), ("user:b", "warning"), ("user:c", "critical"), ("user:d", "ok")], 1);
    assert_eq!(setup.told(), ["trigger user:a critical"]);
    let first = &setup.messages()[0];
    assert_eq!(first["title"], "3 features of user: unit_change × 1000");
    assert_eq!(names(first, "features"), ["user:c", "user:a"]);
    assert_eq!(
        (names(first, "members"), &first["more_features"]),
        (vec!["user:c".into(), "user:a".into(), "user:b".into()], &1.into())
    );
    setup.together(&[("user:a", "ok"), ("user:b", "warning"), ("user:c", "critical"), ("user:d", "ok")], 2);
    setup.together(&[("user:a", "ok"), ("user:b", "ok"), ("user:c", "warning"), ("user:d", "ok")], 3);
    setup.together(&[("user:a", "ok"), ("user:b", "warning"), ("user:c", "ok"), ("user:d", "ok")], 4);
    assert_eq!(setup.told().len(), 1, "it goes on, in whichever of them");
    setup.together(&[("user:a", "ok"), ("user:b", "ok"), ("user:c", "ok"), ("user:d", "ok")], 5);
    assert_eq!(setup.told()[1..], ["resolve user:a critical"]);
    let last = &setup.messages()[1];
    assert_eq!(last["summary"], "None of its 3 features is to be told of any more, after 4 runs.");
    assert_eq!(last["key"], first["key"]);
}

#[test]
fn who_joins_is_told_after_the_cool_down_all_at_once() {
    let mut setup = Setup::new("cooldown = \"3 days\"");
    setup.together(&[("user:b", "warning"), ("user:c", "warning")], 1);
    setup.together(&[("user:a", "warning"), ("user:b", "warning"), ("user:c", "warning")], 2);
    setup.together(&[("user:a", "warning"), ("user:b", "warning"), ("user:c", "warning"), ("user:d", "warning")], 3);
    assert_eq!(setup.told().len(), 1, "within the cool-down");
    setup.together(&[("user:a", "warning"), ("user:b", "ok"), ("user:d", "warning")], 4);
    assert_eq!(setup.told()[1..], ["trigger user:b warning"], "under the name that it had");
    let update = &setup.messages()[1];
    let said = update["summary"].as_str().unwrap();
    assert!(said.contains("for 4 runs now; 2 features joined: user:a, user:d"), "{said}");
    assert_eq!(update["key"], setup.messages()[0]["key"]);
    assert_ne!(update["event"], setup.messages()[0]["event"]);
    for day in 5..=9 {
        setup.together(&[("user:a", if day % 2 == 0 { "warning" } else { "ok" }), ("user:d", "warning")], day);
    }
    assert_eq!(setup.told().len(), 2, "who leaves and comes back has not joined");
    setup.together(&[("user:a", "critical"), ("user:d", "warning"), ("user:e", "warning")], 10);
    assert_eq!(setup.told()[2..], ["trigger user:b critical"], "a rise is told at once");
}

#[test]
fn incidents_that_become_alike_stay_apart_and_one_that_falls_apart_stays_one() {
    let mut setup = Setup::new("cooldown = \"1h\"");
    let levels = [("user:a", "warning"), ("user:b", "warning")];
    let apart = [("user:a", "unit_change × 1000"), ("user:b", "constant")];
    setup.night(&moved(report(&levels), &apart), 1);
    assert_eq!(setup.told(), ["trigger user:a warning", "trigger user:b warning"]);
    setup.together(&levels, 2);
    assert_eq!(setup.told().len(), 2, "nothing new");
    setup.together(&[("user:a", "ok"), ("user:b", "warning")], 3);
    assert_eq!(setup.told()[2..], ["resolve user:a warning"]);

    let mut setup = Setup::new("cooldown = \"1h\"");
    setup.together(&levels, 1);
    setup.night(&moved(report(&levels), &apart), 2);
    assert_eq!(setup.told(), ["trigger user:a warning"]);
    assert_eq!(setup.open()[0].title, "user:a: unit_change × 1000, and 1 more");
    setup.together(&[("user:a", "ok"), ("user:b", "ok")], 3);
    assert_eq!(setup.told()[1..], ["resolve user:a warning"]);
}

#[test]
fn a_member_that_could_not_be_read_keeps_the_incident_open_unless_it_was_well_before() {
    let mut setup = Setup::new("");
    setup.together(&[("user:a", "warning"), ("user:b", "warning")], 1);
    setup.together(&[("user:a", "skipped"), ("user:b", "ok")], 2);
    assert_eq!(setup.told().len(), 1, "nobody knows how user:a is");
    setup.together(&[("user:a", "ok"), ("user:b", "skipped")], 3);
    assert_eq!(setup.told()[1..], ["resolve user:a warning"], "user:b was well");
}

fn of_run(check: &str) -> Finding {
    let finding = serde_json::json!({ "check": check, "level": "warning", "message": "not as it should be" });
    serde_json::from_value(finding).unwrap()
}

#[test]
fn a_check_of_the_whole_run_that_could_tell_nothing_ends_nothing() {
    let mut setup = Setup::new("");
    setup.night(&report(&[("a", "ok")]).with_findings(vec![of_run("volume"), of_run("schema")]), 1);
    let mut blind = report(&[("a", "ok")]);
    blind.run.blind_checks = vec!["volume".to_owned()];
    setup.night(&blind, 2);
    assert_eq!(setup.told()[2..], ["resolve whole run: schema warning"]);
    setup.night(&report(&[("a", "ok")]), 3);
    assert_eq!(setup.told()[3..], ["resolve whole run: volume warning"]);
}

/// Mutes a feature of a report as the scan does.
fn mute(report: &mut Report, name: &str) {
    let feature = report.features.iter_mut().find(|feature| feature.name == name).unwrap();
    feature.relevel(Level::Info, "WARNING, muted until 2026-11-20: the move, PLAT-7".to_owned());
    feature.muted_until = Some("2026-11-20".to_owned());
    report.settle();
}

#[test]
fn what_is_muted_is_told_as_muted_and_not_as_over() {
    let mut setup = Setup::new("");
    let levels = [("user:a", "warning"), ("user:b", "warning")];
    let changes = [("user:a", "unit_change × 1000"), ("user:b", "unit_change × 1000")];
    let tonight = || moved(report(&levels), &changes);
    setup.night(&tonight(), 1);
    let mut one = tonight();
    mute(&mut one, "user:a");
    setup.night(&one, 2);
    assert_eq!(setup.told().len(), 1, "the rest of it goes on");
    let mut both = one.clone();
    mute(&mut both, "user:b");
    setup.night(&both, 3);
    assert_eq!(setup.told()[1..], ["mute user:a warning"]);
    let message = &setup.messages()[1];
    let said = message["summary"].as_str().unwrap();
    assert!(
        said.starts_with("Not over") && said.contains("user:b: WARNING, muted until 2026-11-20: the move, PLAT-7"),
        "{said}"
    );
    assert_eq!((&message["key"], setup.open().len()), (&setup.messages()[0]["key"], 0));
    setup.night(&both, 4);
    assert_eq!(setup.told().len(), 2, "once");
    setup.night(&tonight(), 5);
    assert_eq!(setup.told()[2..], ["trigger user:a warning"], "the mute is over, and it is not");
}

#[test]
fn a_muted_feature_is_not_told_to_channels_that_hear_of_everything() {
    let mut setup = Setup::new("");
    let server = Http::start([]);
    let config = format!("[webhook]\nlevel = \"info\"\nendpoint = \"{}\"\n", server.url("x"));
    setup.alerts = Alerts::open(&setup.history, &toml::from_str(&config).unwrap()).unwrap();
    let mut muted = report(&[("a", "warning"), ("b", "info")]);
    mute(&mut muted, "a");
    setup.night(&muted, 1);
    let subjects: Vec<_> = server.seen().iter().map(|one| one.json()["subject"].clone()).collect();
    assert_eq!(subjects, ["b"]);
}

#[test]
fn pagerduty_has_one_key_from_the_first_member_to_the_mute_of_the_last() {
    let mut setup = Setup::new("");
    let server = Http::start([]);
    let key = setup._folder.path().join("key");
    std::fs::write(&key, "R0UT1NG").unwrap();
    let config = format!(
        "cooldown = \"1h\"\n[pagerduty]\nendpoint = \"{}\"\nrouting_key_file = '{}'\n",
        server.url("v2"),
        key.display()
    );
    setup.alerts = Alerts::open(&setup.history, &toml::from_str(&config).unwrap()).unwrap();
    setup.together(&[("user:c", "warning"), ("user:d", "warning")], 1);
    setup.together(&[("user:a", "critical"), ("user:c", "ok"), ("user:d", "warning")], 2);
    let mut last = moved(report(&[("user:a", "warning"), ("user:d", "ok")]), &[("user:a", "unit_change × 1000")]);
    mute(&mut last, "user:a");
    setup.night(&last, 3);
    let events: Vec<Value> = server.seen().iter().map(servers::Request::json).collect();
    let told: Vec<_> =
        events.iter().map(|event| (event["event_action"].as_str(), event["dedup_key"].as_str())).collect();
    let key = Some("gpudrift:default:user:c");
    assert_eq!(told, [(Some("trigger"), key), (Some("trigger"), key), (Some("resolve"), key)]);
    assert_eq!(events[1]["payload"]["custom_details"]["members"], serde_json::json!(["user:a", "user:d"]));
}

/// A generator that gives the same numbers everywhere (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

#[test]
fn whatever_the_nights_bring_every_incident_begins_once_and_ends_once_under_one_key() {
    const FEATURES: [&str; 7] = ["t:a", "t:b", "t:c", "t:d", "t:e", "u:f", "u:g"];
    for seed in 0..6 {
        let mut random = Random(seed);
        let mut setup = Setup::new("cooldown = \"0s\"");
        for day in 1..=28 {
            let levels = ["ok", "ok", "info", "warning", "critical", "skipped"];
            let mut features = FEATURES.map(|name| (name, levels[usize::try_from(random.below(6)).unwrap()]));
            if day == 28 {
                features = FEATURES.map(|name| (name, "ok"));
            }
            let kinds = ["unit_change × 1000", "constant", "shift"];
            let scanned = features.iter().filter(|(_, level)| !matches!(*level, "ok" | "skipped"));
            let changes: Vec<_> =
                scanned.map(|(name, _)| (*name, kinds[usize::try_from(random.below(3)).unwrap()])).collect();
            setup.night(&moved(report(&features), &changes), day);
            let mut inside = BTreeSet::new();
            for incident in setup.open() {
                assert!(incident.members.iter().any(|member| member.level > Level::Ok), "{incident:?}");
                assert!(incident.members.iter().any(|member| member.feature == incident.subject), "{incident:?}");
                for member in incident.members {
                    assert!(inside.insert(member.feature.clone()), "{} is in two", member.feature);
                }
            }
            for (name, _) in features.iter().filter(|(_, level)| matches!(*level, "warning" | "critical")) {
                assert!(inside.contains(*name), "night {day}: nobody is told of {name}");
            }
        }
        assert_eq!(setup.open(), []);
        let mut open: BTreeMap<String, String> = BTreeMap::new();
        for message in setup.messages() {
            let word = |key: &str| message[key].as_str().unwrap().to_owned();
            let (key, opened) = (word("key"), word("opened_at"));
            match (message["action"].as_str().unwrap(), open.get(&key)) {
                ("trigger", None) => drop(open.insert(key, opened)),
                ("trigger", Some(known)) => assert_eq!(*known, opened, "{message}"),
                ("resolve", Some(known)) => {
                    assert_eq!(*known, opened);
                    open.remove(&key);
                }
                other => panic!("{other:?}: {message}"),
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}
