//! `gpudrift serve` as a process that listens: pages, metrics and JSON of the history as it is, for those who may ask.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its server fails")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/served.rs"]
mod served;
#[path = "support/years.rs"]
mod years;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use gpudrift::dashboard::{job_id, write_site};
use gpudrift::history::{History, HistoryPlace, RunFilter};
use gpudrift::report::{SinkOptions, prometheus_of_jobs};
use gpudrift::retrain::{Ledger, Training};
use serde_json::{Value, json};

/// A server in a process of its own, ended with the test.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(folder: &Path, args: &[&str]) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("gpudrift"));
        command.current_dir(folder).args(["serve", "--history", "drift.db", "--listen", "127.0.0.1:0"]).args(args);
        let mut child = command.env("DRIFT_TOKEN", "s3cret").stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().trim_end_matches('/').to_owned();
        Self { child, address }
    }

    /// Status, head and body of an answer to a request with these lines.
    fn ask(&self, method: &str, path: &str, headers: &[&str]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let host = format!("Host: {}", self.address);
        let host = if headers.iter().any(|header| header.starts_with("Host:")) { "X: y" } else { &host };
        let headers = headers.join("\r\n");
        let end = if headers.is_empty() { "" } else { "\r\n" };
        write!(stream, "{method} {path} HTTP/1.1\r\n{host}\r\nConnection: close\r\n{headers}{end}\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let at = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(answer[..at].to_vec()).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head, answer[at + 4..].to_vec())
    }

    fn text(&self, path: &str) -> String {
        let mut answer = ureq::get(format!("http://{}{path}", self.address)).call().unwrap();
        answer.body_mut().with_config().limit(1 << 26).read_to_string().unwrap()
    }

    fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path)).unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a history of two jobs.
fn store() -> (tempfile::TempDir, History) {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    years::store(&mut history, "churn/eu", 40, 35);
    years::store(&mut history, "fraud", 20, 3);
    (folder, history)
}

#[test]
fn the_pages_are_those_of_a_static_dashboard() {
    let (folder, history) = store();
    let site = folder.path().join("site");
    write_site(&history, None, None, &site).unwrap();
    let serving = Serving::start(folder.path(), &[]);
    for name in ["dashboard.js", "dashboard.css", "uPlot.js", "uPlot-LICENSE.txt"] {
        assert_eq!(serving.text(&format!("/{name}")), std::fs::read_to_string(site.join(name)).unwrap());
    }
    assert!(serving.text("/").contains("name=\"gpudrift-data\" content=\"data\""));
    let mut folders = std::fs::read_dir(&site).unwrap().map(|entry| entry.unwrap().path());
    let data = folders.find(|path| path.is_dir()).unwrap();
    let id = job_id("churn/eu");
    for name in ["jobs.js".to_owned(), format!("{id}/features.js")] {
        assert_eq!(serving.text(&format!("/data/{name}")), std::fs::read_to_string(data.join(&name)).unwrap());
    }
    // One feature a script here, some in each file there.
    let value = |text: &str| -> Value {
        serde_json::from_str(text.split_once(", ").unwrap().1.strip_suffix(");\n").unwrap()).unwrap()
    };
    let all = value(&std::fs::read_to_string(data.join(format!("{id}/0.js"))).unwrap());
    for n in [0, 1, 39] {
        assert_eq!(value(&serving.text(&format!("/data/{id}/{n}.js")))[0], all[n], "feature {n}");
    }
}

#[test]
fn a_run_that_is_stored_is_seen_at_once() {
    let (folder, mut history) = store();
    let serving = Serving::start(folder.path(), &[]);
    assert_eq!(serving.json("/api/runs?job=fraud").as_array().unwrap().len(), 3);
    assert_eq!(serving.json("/api/features?job=fraud")[0]["levels"].as_str().unwrap().len(), 3);
    years::store(&mut history, "fraud", 20, 6);
    assert_eq!(serving.json("/api/runs?job=fraud").as_array().unwrap().len(), 6);
    assert_eq!(serving.json("/api/features?job=fraud")[0]["levels"].as_str().unwrap().len(), 6);
}

#[test]
fn programs_get_runs_features_and_incidents() {
    let (folder, history) = store();
    let serving = Serving::start(folder.path(), &[]);
    let runs = history.runs(&RunFilter::job("churn/eu")).unwrap();
    let latest = history.report(runs.last().unwrap()).unwrap();
    assert_eq!(serving.json(&format!("/api/runs/{}", runs[34].name)), serde_json::to_value(&latest).unwrap());
    assert_eq!(serving.json("/api/runs?job=churn%2Feu&last=2"), serde_json::to_value(&runs[33..]).unwrap());
    let worst = latest.by_severity()[0];
    let one = serving.json(&format!("/api/features/{}?job=churn%2Feu", worst.name.replace(':', "%3A")));
    assert_eq!(one["report"], serde_json::to_value(worst).unwrap());
    assert_eq!(one["series"]["psi"].as_array().unwrap().len(), 35);
    let incidents = serving.json("/api/incidents?job=churn%2Feu");
    assert_eq!(incidents["incidents"], serde_json::to_value(&latest.incidents).unwrap());
    assert_eq!(serving.json("/api/jobs")[1]["name"], "fraud");
    for (path, status, word) in [
        ("/api/features/none?job=fraud", 404, "has no feature"),
        ("/api/features", 400, "churn/eu, fraud"),
        ("/api/features?job=x", 404, "no job"),
        ("/api/runs?last=many", 400, "no number"),
        ("/api/runs?jbo=x", 400, "jbo is not known"),
        ("/api/runs/ffffffff", 404, "names no run"),
        ("/api/nothing", 404, "nothing here"),
        ("/data/../drift.db", 404, "nothing here"),
        ("/%2e%2e/drift.db", 404, "nothing here"),
    ] {
        let (found, _, body) = serving.ask("GET", path, &[]);
        let error: Value = serde_json::from_slice(&body).unwrap();
        assert!(found == status && error["error"].as_str().unwrap().contains(word), "{path}: {found} {error}");
    }
}

#[test]
fn models_are_served_to_people_programs_and_prometheus_and_a_new_window_is_seen_at_once() {
    let (folder, mut history) = store();
    served::store(&mut history, "churn/eu", 9);
    let site = folder.path().join("site");
    write_site(&history, None, None, &site).unwrap();
    let serving = Serving::start(folder.path(), &[]);
    let mut folders = std::fs::read_dir(&site).unwrap().map(|entry| entry.unwrap().path());
    let data = folders.find(|path| path.is_dir()).unwrap();
    let id = job_id("churn/eu");
    for name in ["jobs".to_owned(), format!("{id}/models"), format!("{id}/models/0"), format!("{id}/models/0-1")] {
        let file = std::fs::read_to_string(data.join(format!("{name}.js"))).unwrap();
        assert_eq!(serving.text(&format!("/data/{name}.js")), file);
    }
    for name in ["models/9", "models/0-9", "models/x", "models/0-1-2", "modelsx"] {
        assert_eq!(serving.ask("GET", &format!("/data/{id}/{name}.js"), &[]).0, 404, "{name}");
    }
    let rows = serving.json("/api/models?job=churn%2Feu");
    assert_eq!((&rows["models"][0]["name"], &rows["models"][0]["decision"]), (&"loan".into(), &"deploy".into()));
    assert_eq!(serving.json("/api/models"), rows, "the only job with models");
    let trends = serving.json("/api/models/price");
    assert_eq!((trends.as_array().unwrap().len(), trends[0]["windows"].as_array().unwrap().len()), (1, 9));
    assert_eq!(serving.json("/api/models/price?last=2")[0]["windows"].as_array().unwrap().len(), 2);
    assert_eq!(serving.json("/api/validations").as_array().unwrap().len(), 3);
    assert_eq!(serving.json("/api/retrain?job=churn%2Feu")[4]["answer"], "asked");
    assert_eq!(serving.ask("GET", "/api/models/none", &[]).0, 404);
    assert_eq!(serving.ask("GET", "/api/models?job=fraud", &[]).0, 404);
    let metrics = serving.text("/metrics");
    let labels = "drift_job=\"churn/eu\",model=\"loan\",version=\"v3-canary\"";
    for line in [
        format!("gpudrift_model_traffic_share{{{labels}}} 0.1\n"),
        format!("gpudrift_model_rows{{{labels}}} 1000.0\n"),
        format!("gpudrift_model_latency_seconds{{{labels},quantile=\"0.95\"}} 0.1"),
        format!("gpudrift_model_output_psi{{{labels},output=\"score\"}} "),
        format!("gpudrift_model_estimate{{{labels},metric=\"roc_auc\"}} "),
        format!("gpudrift_model_metric{{{},metric=\"roc_auc\"}} ", labels.replace("v3-canary", "v2")),
        "gpudrift_retrain_due{drift_job=\"churn/eu\"} 1.0\n".to_owned(),
    ] {
        assert!(metrics.contains(&line), "no {line} in\n{metrics}");
    }
    assert!(!metrics.contains("version=\"v1\""), "it serves no more");
    let training = Training { model_version: "v4".to_owned(), at: chrono::Utc::now() };
    Ledger::open(&history).unwrap().done("churn/eu", &training).unwrap();
    let due = "gpudrift_retrain_due{drift_job=\"churn/eu\"} 0.0\n";
    assert!(serving.text("/metrics").contains(due), "what is done is due no more");
    served::store(&mut history, "churn/eu", 10);
    assert_eq!(serving.json("/api/models/price")[0]["windows"].as_array().unwrap().len(), 10);
    let jobs = serving.json("/api/jobs");
    assert_eq!((&jobs[0]["models"], &jobs[1]["models"]), (&2.into(), &0.into()));
}

#[test]
fn prometheus_gets_every_job() {
    let (folder, history) = store();
    let serving = Serving::start(folder.path(), &[]);
    let report = |job: &str| history.report(history.runs(&RunFilter::job(job)).unwrap().last().unwrap()).unwrap();
    let (churn, fraud) = (report("churn/eu"), report("fraud"));
    let mut expected = Vec::new();
    prometheus_of_jobs(&[("churn/eu", &churn), ("fraud", &fraud)], &SinkOptions::default(), &mut expected).unwrap();
    assert_eq!(serving.text("/metrics").into_bytes(), expected);
    let (_, head, _) = serving.ask("GET", "/metrics", &[]);
    assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
}

#[test]
fn nothing_can_be_written_and_no_other_site_can_read() {
    let (folder, _history) = store();
    let serving = Serving::start(folder.path(), &[]);
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(serving.ask(method, "/api/runs", &[]).0, 405, "{method}");
    }
    assert_eq!(serving.ask("GET", "/", &["Host: evil.example"]).0, 403);
    assert_eq!(serving.ask("GET", "/", &["Host: localhost:1"]).0, 200);
    let (status, head, body) = serving.ask("HEAD", "/", &[]);
    assert!(status == 200 && body.is_empty() && head.contains("default-src 'none'") && head.contains("nosniff"));
    let path = format!("/data/{}/features.js", job_id("churn/eu"));
    let (plain, packed) = (serving.ask("GET", &path, &[]), serving.ask("GET", &path, &["Accept-Encoding: br, gzip"]));
    assert!(packed.1.contains("Content-Encoding: gzip") && packed.2.len() * 3 < plain.2.len());
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.2[..]).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain.2);
}

#[test]
fn a_token_is_asked_for_where_others_could_listen() {
    let (folder, _history) = store();
    let program = assert_cmd::cargo::cargo_bin("gpudrift");
    let run = |args: &[&str]| Command::new(&program).current_dir(folder.path()).args(args).output().unwrap();
    let output = run(&["serve", "--history", "drift.db", "--listen", "0.0.0.0:0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--token-env"));
    assert_eq!(run(&["serve", "--history", "drift.db", "--token-env", "NOT_SET_AT_ALL"]).status.code(), Some(2));
    assert_eq!(run(&["serve", "--history", "missing.db"]).status.code(), Some(2));
    let file = folder.path().join("token");
    std::fs::write(&file, "s3cret\n").unwrap();
    for args in [["--token-env", "DRIFT_TOKEN"], ["--token-file", file.to_str().unwrap()]] {
        let serving = Serving::start(folder.path(), &args);
        let status = |header: &str| serving.ask("GET", "/api/jobs", &[header]).0;
        assert_eq!(status("Accept: */*"), 401);
        assert_eq!(status("Authorization: Bearer wrong"), 401);
        assert_eq!(status("Authorization: Bearer s3cret"), 200);
        // "me:s3cret", and "s3cret:me": the token is the password.
        assert_eq!(status("Authorization: Basic bWU6czNjcmV0"), 200);
        assert_eq!(status("Authorization: Basic czNjcmV0Om1l"), 401);
        assert_eq!(serving.ask("GET", "/healthz", &[]).0, 200);
        assert!(serving.ask("GET", "/", &[]).1.contains("WWW-Authenticate: Basic"));
    }
}

#[test]
fn a_browser_shows_the_live_pages() {
    let Some(browser) = browser::browser("a_browser_shows_the_live_pages") else { return };
    let (folder, history) = store();
    let serving = Serving::start(folder.path(), &[]);
    let latest = history.report(history.runs(&RunFilter::job("churn/eu")).unwrap().last().unwrap()).unwrap();
    let worst = latest.by_severity()[0];
    let address = format!("http://{}/#/churn%2Feu/features/{}", serving.address, worst.name.replace(':', "%3A"));
    let page = browser::dump(&browser, &address, browser::Look::default());
    assert!(page.contains(&format!("<bdi>{}</bdi></h1>", worst.name)), "{page}");
    assert!(page.contains("<canvas") && page.contains("PSI and D over time"), "{page}");
    assert_eq!(json!(page.contains("This cannot be shown")), json!(false));
}
