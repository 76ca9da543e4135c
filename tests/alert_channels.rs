//! What each channel sends, as its receiver sees it.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up its servers fails")]

#[path = "support/nights.rs"]
#[allow(dead_code, reason = "the other test of alerts uses the rest")]
mod nights;
#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the other test of alerts uses the rest")]
mod servers;

use std::path::Path;
use std::time::Instant;

use chrono::{DateTime, Utc};
use gpudrift::alert::{Alerts, CHANNELS, Delivered};
use gpudrift::history::{History, HistoryPlace};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

use nights::{night, report};
use servers::{Http, Smtp, nobody};

/// Runs nights with these levels of the feature `risk:score`, from 1 November on, and gives what the last delivered.
fn nights(folder: &Path, config: &str, levels: &[&str]) -> Delivered {
    let mut history = History::open(&HistoryPlace::at(folder.join("drift.db"))).unwrap();
    let alerts = Alerts::open(&history, &toml::from_str(config).unwrap()).unwrap();
    let mut delivered = Delivered::default();
    for (level, day) in levels.iter().zip(1..) {
        let report = report(&[("risk:score", *level), ("calm", "ok")]);
        let identity = night(&report, day);
        history.store(&identity, &report).unwrap();
        alerts.night(&history, &identity, &report).unwrap();
        delivered = alerts.flush().unwrap();
    }
    delivered
}

fn secret(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

const LINKS: &str = "dashboard = \"https://drift.example/{{ job }}?run={{ run }}\"\n\
                     runbook = \"https://wiki.example/drift/{{ subject | urlencode }}\"\n";

#[test]
fn slack_gets_blocks_with_buttons_and_the_playbook() {
    let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
    let url = secret(folder.path(), "url", &server.url("services/T/B/x"));
    nights(folder.path(), &format!("{LINKS}[slack]\nurl_file = '{url}'\n"), &["critical", "ok"]);
    let seen = server.seen();
    assert_eq!((seen.len(), seen[0].path.as_str()), (2, "/services/T/B/x"));
    assert_eq!(seen[0].header("Content-Type"), Some("application/json"));
    let body = seen[0].json();
    let blocks = body["blocks"].as_array().unwrap();
    assert!(blocks[0]["text"]["text"].as_str().unwrap().contains("CRITICAL risk:score"), "{body}");
    let buttons = blocks.iter().find(|block| block["type"] == "actions").unwrap();
    assert!(buttons["elements"][0]["url"].as_str().unwrap().starts_with("https://drift.example/default?run="));
    assert_eq!(buttons["elements"][1]["url"], "https://wiki.example/drift/risk%3Ascore");
    let text = body.to_string();
    assert!(text.contains("Triage") && text.contains("Mitigate") && text.contains("PSI 0.5"), "{text}");
    assert!(seen[1].json()["text"].as_str().unwrap().starts_with("RESOLVED risk:score"));
}

#[test]
fn pagerduty_triggers_and_resolves_under_one_key() {
    let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
    let key = secret(folder.path(), "key", "R0UT1NG");
    let config =
        format!("{LINKS}[pagerduty]\nendpoint = \"{}\"\nrouting_key_file = '{key}'\n", server.url("v2/enqueue"));
    nights(folder.path(), &config, &["warning", "critical", "ok", "ok"]);
    let events: Vec<_> = server.seen().iter().map(servers::Request::json).collect();
    let actions: Vec<_> = events.iter().map(|event| event["event_action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["trigger", "trigger", "resolve"]);
    assert!(events.iter().all(|event| event["dedup_key"] == "gpudrift:default:risk:score"));
    assert!(events.iter().all(|event| event["routing_key"] == "R0UT1NG"));
    let payload = &events[1]["payload"];
    assert_eq!((&payload["severity"], &payload["component"]), (&"critical".into(), &"risk:score".into()));
    assert_eq!((&payload["source"], &payload["timestamp"]), (&"data/current".into(), &"2026-11-02T00:00:00Z".into()));
    assert_eq!(events[1]["links"][1]["text"], "Runbook");
    assert!(payload["custom_details"]["playbook"].as_str().unwrap().contains("### 2. Investigate"));
}

#[test]
fn alertmanager_is_renewed_every_night_and_ended() {
    let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
    let config = format!("[alertmanager]\nendpoint = \"{}\"\nlabels = {{ team = \"risk\" }}\n", server.url(""));
    nights(folder.path(), &config, &["warning", "warning", "critical", "ok"]);
    let seen = server.seen();
    assert!(seen.iter().all(|request| request.path == "/api/v2/alerts"));
    let posts: Vec<_> = seen.iter().map(servers::Request::json).collect();
    let severities: Vec<Vec<_>> = posts
        .iter()
        .map(|post| post.as_array().unwrap().iter().map(|one| one["labels"]["severity"].as_str().unwrap()).collect())
        .collect();
    assert_eq!(severities, [vec!["warning"], vec!["warning"], vec!["critical", "warning"], vec!["critical"]]);
    let now = Utc::now();
    assert!(instant(&posts[0][0]["endsAt"]) > now + chrono::Duration::hours(30), "until after the next night");
    assert!(instant(&posts[2][1]["endsAt"]) <= now, "the alert of the former severity ends");
    assert!(instant(&posts[3][0]["endsAt"]) <= now, "and so does this one");
    for alert in posts.iter().flat_map(|post| post.as_array().unwrap()) {
        let labels = &alert["labels"];
        assert_eq!((&labels["alertname"], &labels["subject"]), (&"GpudriftDrift".into(), &"risk:score".into()));
        assert_eq!((&labels["team"], &labels["job"]), (&"risk".into(), &"default".into()));
        assert!(instant(&alert["startsAt"]) <= instant(&alert["endsAt"]));
    }
}

#[test]
fn a_webhook_is_signed_with_the_time_in_what_is_signed() {
    let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
    let key = secret(folder.path(), "key", "hunter2");
    nights(
        folder.path(),
        &format!("[webhook]\nendpoint = \"{}\"\nsecret_file = '{key}'\n", server.url("x")),
        &["critical"],
    );
    let request = &server.seen()[0];
    let time = request.header("X-Gpudrift-Timestamp").unwrap();
    let age = Utc::now().timestamp() - time.parse::<i64>().unwrap();
    assert!((0..600).contains(&age), "{age}");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"hunter2").unwrap();
    mac.update(&[time.as_bytes(), b".", &request.body].concat());
    let signature = format!("v1={}", hex::encode(mac.finalize().into_bytes()));
    assert_eq!(request.header("X-Gpudrift-Signature"), Some(signature.as_str()));
    let message = request.json();
    assert_eq!(message["event"], request.header("Idempotency-Key").unwrap());
    assert_eq!(message["features"][0]["name"], "risk:score");
    assert!(message.get("samples").is_none(), "rows may be private");
}

#[test]
fn mail_goes_to_everybody_in_one_thread_and_is_tried_again() {
    let (server, folder) = (Smtp::start(["451 greylisted, come back"]), tempfile::tempdir().unwrap());
    let config = format!(
        "{LINKS}[email]\nendpoint = \"{}\"\ntls = \"none\"\nfrom = \"Drift <drift@ml.example>\"\n\
         to = [\"a@ml.example\", \"b@ml.example\"]\n",
        server.address
    );
    assert_eq!(nights(folder.path(), &config, &["critical", "ok"]).waiting, 0);
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].from.contains("<drift@ml.example>") && seen[0].to.len() == 2, "{:?}", seen[0]);
    let header = |data: &str, name: &str| {
        data.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}\n{data}")).to_owned()
    };
    assert!(header(&seen[0].data, "Subject: ").contains("[gpudrift] CRITICAL risk:score"), "{}", seen[0].data);
    assert!(header(&seen[1].data, "Subject: ").contains("RESOLVED risk:score"));
    assert_eq!(header(&seen[0].data, "References: "), header(&seen[1].data, "References: "));
    assert_ne!(header(&seen[0].data, "Message-ID: "), header(&seen[1].data, "Message-ID: "));
    assert_eq!(header(&seen[0].data, "Auto-Submitted: "), "auto-generated");
    assert!(seen[0].data.contains("risk:score") && seen[0].data.contains("Triage"), "{}", seen[0].data);
}

#[test]
fn mail_needs_the_encryption_that_was_asked_for() {
    let (server, folder) = (Smtp::start([]), tempfile::tempdir().unwrap());
    for tls in ["starttls", "implicit"] {
        let config = format!(
            "attempts = 1\ntimeout = \"2s\"\n[email]\nendpoint = \"{}\"\ntls = \"{tls}\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]\n",
            server.address
        );
        let folder = folder.path().join(tls);
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(nights(&folder, &config, &["critical"]).waiting, 1, "{tls}");
    }
    assert_eq!(server.seen().len(), 0, "nothing went out in the clear");
}

#[test]
fn a_command_reads_the_message_and_is_a_hook_for_what_is_critical() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let config = format!(
        "[rollback]\ntype = \"command\"\nlevel = \"critical\"\nresolve = false\n\
         command = [\"sh\", \"-c\", 'cat >> \"$0\"; echo >> \"$0\"; echo \"$GPUDRIFT_ACTION $GPUDRIFT_LEVEL\" >> \"$0\"', '{}']\n",
        out.display()
    );
    nights(folder.path(), &config, &["warning", "critical", "ok"]);
    let text = std::fs::read_to_string(&out).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines.len(), lines[1]), (2, "trigger critical"), "{text}");
    let message: Value = serde_json::from_str(lines[0]).unwrap();
    assert_eq!((&message["action"], &message["version"]), (&"trigger".into(), &1.into()));
}

#[test]
fn a_command_that_fails_or_hangs_is_told_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = "attempts = 1\ntimeout = \"500ms\"\n\
        [fails]\ntype = \"command\"\ncommand = [\"sh\", \"-c\", \"echo no route >&2; exit 7\"]\n\
        [hangs]\ntype = \"command\"\ncommand = [\"sleep\", \"600\"]\n\
        [missing]\ntype = \"command\"\ncommand = [\"/no/such/program\"]\n";
    let start = Instant::now();
    let delivered = nights(folder.path(), config, &["critical"]);
    assert!(start.elapsed().as_secs() < 60);
    assert_eq!((delivered.sent, delivered.waiting), (0, 3));
    let said = delivered.warnings.join("\n");
    for words in ["ended with exit status: 7: no route", "sleep was stopped after 500ms", "/no/such/program: "] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn the_playbook_is_filled_from_the_findings_and_can_be_ones_own() {
    let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
    let webhook = format!("[webhook]\nendpoint = \"{}\"\n", server.url("x"));
    nights(folder.path(), &format!("{LINKS}{webhook}"), &["critical"]);
    let own = secret(folder.path(), "own.md", "{{ level | upper }} {{ features[0].psi | short }} {{ links.runbook }}");
    let second = folder.path().join("second");
    std::fs::create_dir(&second).unwrap();
    nights(&second, &format!("{LINKS}playbook = '{own}'\n{webhook}"), &["critical"]);
    let playbooks: Vec<_> =
        server.seen().iter().map(|request| request.json()["playbook"].as_str().unwrap().to_owned()).collect();
    for words in [
        "### 1. Triage",
        "### 2. Investigate",
        "### 3. Mitigate",
        "### 4. Fix",
        "### 5. Document",
        "`risk:score` (float64): PSI 0.5 ≥ 0.1 with q 1e-9",
        "nulls went from 0% to 2%",
        "the mean went from 10 to 10.5",
        "gpudrift history 'risk:score'",
        "https://wiki.example/drift/risk%3Ascore",
    ] {
        assert!(playbooks[0].contains(words), "{words}\n{}", playbooks[0]);
    }
    assert!(!playbooks[0].contains("\n\n\n"), "{}", playbooks[0]);
    assert_eq!(playbooks[1], "CRITICAL 0.5 https://wiki.example/drift/risk%3Ascore");
}

#[test]
fn samples_come_on_request_and_of_the_features_of_the_incident_alone() {
    let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
    let config = format!("samples = 3\n[webhook]\nendpoint = \"{}\"\n", server.url("x"));
    let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    let alerts = Alerts::open(&history, &toml::from_str(&config).unwrap()).unwrap();
    let mut report = report(&[("customer_age", "critical"), ("country", "ok")]);
    report.run.current.paths = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("data/current").display().to_string()];
    let identity = night(&report, 1);
    history.store(&identity, &report).unwrap();
    alerts.night(&history, &identity, &report).unwrap();
    alerts.flush().unwrap();
    let samples = server.seen()[0].json()["samples"].clone();
    let rows = samples.as_array().unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.as_object().unwrap().keys().eq(["customer_age"])), "{samples}");
}

#[test]
fn a_test_message_goes_through_every_type_of_channel() {
    let folder = tempfile::tempdir().unwrap();
    let (server, smtp) = (Http::start([]), Smtp::start([]));
    let url = secret(folder.path(), "url", &server.url("hook"));
    let config = format!(
        "[slack]\nurl_file = '{url}'\n[pagerduty]\nrouting_key_file = '{url}'\nendpoint = \"{0}\"\n\
         [alertmanager]\nendpoint = \"{0}\"\n[webhook]\nendpoint = \"{0}\"\n\
         [email]\nendpoint = \"{1}\"\ntls = \"none\"\nfrom = \"a@b.example\"\nto = [\"a@b.example\"]\n\
         [command]\ncommand = [\"true\"]\n[down]\ntype = \"webhook\"\nendpoint = \"http://{2}/\"\n",
        server.url("x"),
        smtp.address,
        nobody()
    );
    let history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    let alerts = Alerts::open(&history, &toml::from_str(&config).unwrap()).unwrap();
    let results = alerts.test(None).unwrap();
    let arrived: Vec<_> = results.iter().filter(|(_, result)| result.is_ok()).map(|(name, _)| name.as_str()).collect();
    // In the order of the file.
    let types: Vec<_> = CHANNELS.iter().map(|channel| channel.name).collect();
    assert_eq!(arrived, types, "{results:?}");
    assert_eq!((server.seen().len(), smtp.seen().len()), (4, 1));
    assert_eq!(alerts.test(Some("webhook")).unwrap().len(), 1);
    assert!(alerts.test(Some("nobody")).unwrap_err().to_string().contains("the channels are slack, pagerduty"));
    assert_eq!(alerts.waiting().unwrap(), [], "past the outbox");
}

#[test]
fn a_scan_from_the_configuration_tells_keeps_and_flushes() {
    use std::process::Command;
    let (server, folder) = (Http::start([]), tempfile::tempdir().unwrap());
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let config = |endpoint: &str| {
        let text = format!(
            "[reference]\npaths = ['{0}/reference']\n[current]\npaths = ['{0}/current']\n[scan]\nbackend = \"cpu\"\n\
             [history]\npath = \"gpudrift.db\"\n[alerts]\nattempts = 1\nlimit = 1000\n[alerts.webhook]\nendpoint = \"{endpoint}\"\n",
            data.display()
        );
        std::fs::write(folder.path().join("gpudrift.toml"), text).unwrap();
    };
    let gpudrift = |args: &[&str]| {
        let program = assert_cmd::cargo::cargo_bin("gpudrift");
        let output = Command::new(program).current_dir(folder.path()).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let json = |text: &str| -> Value { serde_json::from_str::<Value>(text).unwrap()["features"].clone() };
    config(&format!("http://{}/", nobody()));
    let (alone, report, _) = gpudrift(&["scan", "--format", "json", "--no-history"]);
    assert_eq!((alone, folder.path().join("gpudrift.db").exists()), (Some(0), false));
    let (down, same, said) = gpudrift(&["scan", "--format", "json"]);
    assert_eq!(down, Some(4), "{said}");
    assert!(said.contains("kept and sent by the next run"), "{said}");
    assert_eq!(json(&same), json(&report), "delivery does not change the report");
    assert_eq!(gpudrift(&["scan", "--quiet", "--fail-on", "critical"]).0, Some(1), "the gate wins");
    let (_, listed, _) = gpudrift(&["alert", "list"]);
    assert!(listed.contains("16 incidents open") && listed.contains("16 messages waiting"), "{listed}");
    config(&server.url("hook"));
    assert_eq!(gpudrift(&["alert", "flush"]).1, "16 sent, 0 waiting\n");
    assert_eq!(server.seen().len(), 16);
    assert_eq!(gpudrift(&["scan", "--quiet"]).0, Some(0));
    assert_eq!(server.seen().len(), 16, "the same night again tells nobody");
    assert_eq!(gpudrift(&["alert", "test"]).1, "webhook: sent\n");
    assert_eq!(gpudrift(&["alert", "test", "nobody"]).0, Some(2));
}
