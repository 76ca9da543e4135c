//! Models that become worse are incidents: told once, not ended by scans of features, kept through an outage, resolved.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/logs.rs"]
#[allow(dead_code, reason = "the tests of the scan use the rest")]
mod logs;
#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the tests of alerts use the rest")]
mod servers;
#[path = "support/years.rs"]
#[allow(dead_code, reason = "one report is enough here")]
mod years;

use std::path::Path;
use std::process::Command;

use gpudrift::alert::{Alerts, AlertsConfig, past_incidents};
use gpudrift::history::{History, HistoryPlace};
use logs::{DAY, Row, log, write_labels, write_log};
use serde_json::Value;
use servers::{Http, nobody};

/// A folder with the model `loan`, whose rows mean less in the south from the 20th day on.
fn setup(address: &str) -> (tempfile::TempDir, Vec<Row>) {
    let folder = tempfile::tempdir().unwrap();
    let rows = log(9000);
    write_log(&folder.path().join("reference.parquet"), &rows[..5000], true);
    let config = format!(
        "[history]\npath = 'models.db'\n[alerts]\nattempts = 1\ntimeout = '5s'\n\
         [alerts.hook]\ntype = 'webhook'\nendpoint = 'http://{address}/hook'\n\
         [model.loan]\ninput = ['log.parquet']\nscore = 'score'\nlabel = 'label'\nid = 'id'\nlabels = ['labels.parquet']\n\
         reference = ['reference.parquet']\ntimestamp = 'at'\nwindow = 'week'\nversion = 'version'\nsegments = ['region']\n"
    );
    std::fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    (folder, rows)
}

/// A scan of a log of these rows, the first `labelled` of them with a label; its exit code.
fn scan(folder: &Path, rows: &[Row], labelled: usize) -> Option<i32> {
    write_log(&folder.join("log.parquet"), rows, false);
    let labels: Vec<_> = rows[..labelled].iter().map(|row| (row.id, row.label)).collect();
    write_labels(&folder.join("labels.parquet"), &labels);
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudrift"));
    command.current_dir(folder).args(["model", "scan", "-f", "json"]).output().unwrap().status.code()
}

/// The rows, and good weeks after them, the last of which is over: a small one may be bad by chance.
fn recovered(rows: &[Row]) -> Vec<Row> {
    let later = rows.iter().take_while(|row| row.time < logs::START + 18 * DAY);
    let later = later.map(|row| Row { id: row.id.map(|id| id + 100_000), time: row.time + 35 * DAY, ..row.clone() });
    rows.iter().cloned().chain(later).collect()
}

fn told(server: &Http) -> Vec<Value> {
    server.seen().iter().map(servers::Request::json).collect()
}

fn words(message: &Value) -> String {
    format!("{} {}", message["action"].as_str().unwrap(), message["subject"].as_str().unwrap())
}

#[test]
fn a_model_that_becomes_worse_is_told_once_a_version_and_resolved_when_it_is_well() {
    let server = Http::start([]);
    let (folder, rows) = setup(&server.address());
    let folder = folder.path();
    let good = rows.iter().position(|row| row.time >= logs::START + 18 * DAY).unwrap();
    assert_eq!(scan(folder, &rows[..good], good), Some(0));
    assert_eq!(told(&server), Vec::<Value>::new(), "the model is well");
    assert_eq!(scan(folder, &rows, rows.len()), Some(0));
    let begun = told(&server);
    let subjects: Vec<String> = begun.iter().map(words).collect();
    assert!(subjects.contains(&"trigger model: loan, version prod".to_owned()), "{subjects:?}");
    assert!(subjects.len() <= 2, "one a version: {subjects:?}");
    let prod = begun.iter().find(|message| message["subject"] == "model: loan, version prod").unwrap();
    let members: Vec<&str> = prod["members"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(members.contains(&"region=south: accuracy"), "{members:?}");
    assert!(!members.iter().any(|name| name.starts_with("region=north")), "{members:?}");
    assert!(prod["title"].as_str().unwrap().contains("accuracy"), "{prod}");
    let playbook = prod["playbook"].as_str().unwrap();
    assert!(playbook.contains("- region=south: accuracy\n") && playbook.contains("`loan, version prod`"), "{playbook}");
    assert!(!playbook.contains("{{") && playbook.contains("### 5. Document"), "{playbook}");
    assert!(prod["summary"].as_str().unwrap().starts_with("The model is "), "{prod}");

    assert_eq!(scan(folder, &rows, rows.len()), Some(0));
    assert_eq!(told(&server).len(), begun.len(), "the same again is no news");
    // A scan of features, under the same job, neither sees nor ends it.
    let mut history = History::open(&HistoryPlace::at(folder.join("models.db"))).unwrap();
    let alerts = Alerts::open(&history, &AlertsConfig::default()).unwrap();
    let report = years::report(5, 0, 1);
    let identity = years::identity(&report, "default", 0, 1);
    history.store(&identity, &report).unwrap();
    alerts.night(&history, &identity, &report).unwrap();
    let open = |alerts: &Alerts| {
        let open = alerts.open_incidents(Some("default")).unwrap();
        open.into_iter().filter(|one| one.subject.starts_with("model: ")).count()
    };
    assert_eq!(open(&alerts), begun.len());

    let well = recovered(&rows);
    assert_eq!(scan(folder, &well, well.len()), Some(0));
    let ended: Vec<String> = told(&server)[begun.len()..].iter().map(words).collect();
    let expected: Vec<String> = subjects.iter().map(|subject| subject.replace("trigger", "resolve")).collect();
    let said = Command::new(env!("CARGO_BIN_EXE_gpudrift"))
        .current_dir(folder)
        .args(["model", "history", "loan", "--segments", "--last", "2"])
        .output()
        .unwrap();
    assert_eq!(ended, expected, "{}", String::from_utf8_lossy(&said.stdout));
    assert_eq!(open(&alerts), 0);
    let past = past_incidents(&history, "default", 10).unwrap();
    let prod = past.iter().find(|one| one.subject == "model: loan, version prod").unwrap();
    assert!(prod.closed_at.is_some() && prod.members.iter().any(|one| one.feature == "region=south: accuracy"));
    // A log of the past, scanned later, wakes nobody.
    let before = told(&server).len();
    assert_eq!(scan(folder, &rows[..6500], 6500), Some(0));
    assert_eq!(told(&server).len(), before);
}

#[test]
fn an_outage_keeps_what_is_to_be_told_of_a_model() {
    let address = nobody();
    let (folder, rows) = setup(&address);
    let folder = folder.path();
    assert_eq!(scan(folder, &rows, rows.len()), Some(4), "it waits for the next run");
    let server = Http::on(&address, []);
    assert_eq!(scan(folder, &rows, rows.len()), Some(0));
    let subjects: Vec<String> = told(&server).iter().map(words).collect();
    assert!(subjects.contains(&"trigger model: loan, version prod".to_owned()), "{subjects:?}");
}
