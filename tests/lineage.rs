//! Events of OpenLineage as the program emits them, against the schemas of the specification.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the tests of alerts use the rest")]
mod servers;
#[path = "support/store.rs"]
#[allow(dead_code, reason = "the fortnight uses the rest")]
mod store;
#[path = "support/tls.rs"]
#[allow(dead_code, reason = "the tests of alerts use the rest")]
mod tls;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use servers::{Answer, Http, nobody};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Holds an event, and each facet in it, against the schema that it names.
struct Schemas(Registry<'static>);

impl Schemas {
    fn read() -> Self {
        let mut registry = Registry::new();
        let mut read = 0;
        for file in std::fs::read_dir(root().join("tests/openlineage")).unwrap().map(|file| file.unwrap().path()) {
            if file.extension().is_some_and(|ending| ending == "json") {
                let schema: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
                let id = schema["$id"].as_str().unwrap().to_owned();
                registry = registry.add(id, schema).unwrap();
                read += 1;
            }
        }
        assert_eq!(read, 8);
        Self(registry.prepare().unwrap())
    }

    fn validator(&self, url: &str) -> Validator {
        let options = jsonschema::options().with_registry(&self.0).should_validate_formats(true);
        options.build(&json!({ "$ref": url })).unwrap_or_else(|error| panic!("{url}: {error}"))
    }

    /// What is wrong with an event; the number of facets that were looked at.
    fn check(&self, event: &Value) -> Result<usize, String> {
        let whole = event["schemaURL"].as_str().ok_or("there is no schemaURL")?;
        self.hold(whole, event)?;
        let mut facets = 0;
        let mut left = vec![event];
        while let Some(value) = left.pop() {
            if let Some(url) = value.get("_schemaURL") {
                self.hold(url.as_str().ok_or("no URL")?, value)?;
                facets += 1;
            }
            left.extend(value.as_object().into_iter().flat_map(|object| object.values()));
            left.extend(value.as_array().into_iter().flatten());
        }
        Ok(facets)
    }

    fn hold(&self, url: &str, value: &Value) -> Result<(), String> {
        let errors: Vec<String> = self
            .validator(url)
            .iter_errors(value)
            .map(|error| format!("{url} at {}: {error}", error.instance_path()))
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("\n")) }
    }
}

fn gpudrift(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gpudrift")).current_dir(folder).args(args).output().unwrap()
}

/// A scan of the demo store with further flags.
fn scan(folder: &Path, flags: &[&str]) -> Output {
    let data = |side: &str| root().join("data").join(side).display().to_string();
    let (reference, current) = (data("reference"), data("current"));
    let args = [
        "scan",
        "--reference",
        &reference,
        "--current",
        &current,
        "--features",
        "all",
        "--backend",
        "cpu",
        "-f",
        "json",
    ];
    gpudrift(folder, &[&args, flags].concat())
}

fn events(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["eventType"].as_str().unwrap()).collect()
}

#[test]
fn a_scan_tells_what_it_read_and_how_good_that_was() {
    let folder = tempfile::tempdir().unwrap();
    let output = scan(folder.path(), &["--lineage", "lineage.jsonl", "--as-of", "2026-11-22"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let events = events(&folder.path().join("lineage.jsonl"));
    assert_eq!(kinds(&events), ["START", "COMPLETE"]);
    let schemas = Schemas::read();
    let facets: Vec<usize> = events.iter().map(|event| schemas.check(event).unwrap()).collect();
    assert_eq!(facets, [3, 8]);
    assert_eq!(events[0]["run"]["runId"], events[1]["run"]["runId"]);
    assert_eq!(events[0]["run"]["facets"]["nominalTime"]["nominalStartTime"], "2026-11-22T00:00:00Z");
    assert_eq!(events[0]["job"]["namespace"], "gpudrift");
    let inputs = events[1]["inputs"].as_array().unwrap();
    let names: Vec<&str> = inputs.iter().map(|input| input["name"].as_str().unwrap()).collect();
    assert_eq!(names, [root().join("data/reference").to_str().unwrap(), root().join("data/current").to_str().unwrap()]);
    assert!(inputs[0]["inputFacets"].get("dataQualityAssertions").is_none(), "the reference is not judged");

    // Against the report, feature by feature.
    let features = report["features"].as_array().unwrap();
    assert!(features.len() > 50);
    let current = &inputs[1];
    let metrics = &current["inputFacets"]["dataQualityMetrics"];
    assert_eq!(metrics["rowCount"], report["run"]["current"]["rows"]);
    let fields = current["facets"]["schema"]["fields"].as_array().unwrap();
    let assertions = current["inputFacets"]["dataQualityAssertions"]["assertions"].as_array().unwrap();
    assert_eq!((fields.len(), features.len() < assertions.len()), (features.len(), true));
    for ((feature, field), assertion) in features.iter().zip(fields).zip(assertions) {
        let name = feature["name"].as_str().unwrap();
        assert_eq!((&field["name"], &assertion["column"]), (&feature["name"], &feature["name"]));
        let facts = &metrics["columnMetrics"][name];
        assert_eq!(facts["nullCount"], feature["current"]["nulls"], "{name}");
        assert_eq!(facts.get("min"), feature["current"].get("min").filter(|min| !min.is_null()), "{name}");
        let quiet = matches!(feature["level"].as_str(), Some("ok" | "info"));
        assert_eq!(assertion["success"], quiet, "{name}");
    }
    let of_run = assertions.iter().find(|assertion| assertion["assertion"] == "schema").unwrap();
    assert_eq!((&of_run["success"], of_run.get("column")), (&false.into(), None));
}

#[test]
fn what_is_no_event_is_noticed() {
    let schemas = Schemas::read();
    let folder = tempfile::tempdir().unwrap();
    scan(folder.path(), &["--lineage", "lineage.jsonl"]);
    let event = events(&folder.path().join("lineage.jsonl")).pop().unwrap();
    schemas.check(&event).unwrap();
    for (pointer, value) in [
        ("/eventType", json!("FINISHED")),
        ("/eventTime", json!("yesterday")),
        ("/run/runId", json!("42")),
        ("/job/name", Value::Null),
        ("/job/facets/jobType/_producer", Value::Null),
        ("/inputs/1/inputFacets/dataQualityMetrics/rowCount", json!("many")),
        ("/inputs/1/inputFacets/dataQualityAssertions/assertions/0/success", json!("no")),
        ("/inputs/1/facets/schema/fields/0/name", json!(7)),
    ] {
        let mut wrong = event.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        assert!(schemas.check(&wrong).is_err(), "{pointer}");
    }
}

#[test]
fn a_run_that_fails_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["scan", "--reference", "no/such", "--current", "folder", "--features", "all", "--lineage", "out.jsonl"];
    let output = gpudrift(folder.path(), &args);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let events = events(&folder.path().join("out.jsonl"));
    assert_eq!(kinds(&events), ["START", "FAIL"]);
    let schemas = Schemas::read();
    events.iter().for_each(|event| assert!(schemas.check(event).unwrap() > 1));
    let message = events[1]["run"]["facets"]["errorMessage"]["message"].as_str().unwrap();
    assert!(message.contains("no/such"), "{message}");
    let unwritten = scan(folder.path(), &["--lineage", "unwritten.jsonl", "--output", "no/such/folder/report.json"]);
    // Found before anything begins.
    assert_eq!((unwritten.status.code(), folder.path().join("unwritten.jsonl").exists()), (Some(2), false));
}

#[test]
fn the_same_night_is_the_same_run_and_any_other_run_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lineage.jsonl");
    for flags in
        [&["--as-of", "2026-11-22"][..], &["--as-of", "2026-11-22", "--threads", "1"], &["--run-id", "af-7"], &[], &[]]
    {
        scan(folder.path(), &[&["--lineage", "lineage.jsonl"], flags].concat());
    }
    let ids: Vec<String> =
        events(&file).iter().map(|event| event["run"]["runId"].as_str().unwrap().to_owned()).collect();
    let ids: Vec<&String> = ids.iter().step_by(2).collect();
    assert_eq!(ids[0], ids[1]);
    let different: std::collections::BTreeSet<_> = ids[1..].iter().collect();
    assert_eq!(different.len(), 4, "{ids:?}");
}

#[test]
fn nights_of_a_backfill_are_the_runs_that_scans_of_them_are_and_one_store_is_one_input() {
    let folder = tempfile::tempdir().unwrap();
    for (month, days) in [(10, 4..=10), (11, 1..=3)] {
        days.for_each(|day| store::write_day(&folder.path().join("store"), &store::Day::new(month, day)));
    }
    let config = "[source]\npaths = ['store']\n[scan]\ntimestamp = 'at'\ntime_folders = 'day'\nbackend = 'cpu'\nformat = 'json'\n\
                  reference_window = '2026-10-04..2026-10-10'\ncurrent_window = 'yesterday'\nsegment_by = ['user:city1']\n\
                  features = ['all']\n[history]\npath = 'gpudrift.db'\n[lineage]\npath = 'lineage.jsonl'\nnamespace = 'night'\n";
    std::fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    let output = gpudrift(folder.path(), &["backfill", "--from", "2026-11-02", "--to", "2026-11-04"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let file = folder.path().join("lineage.jsonl");
    let nights = events(&file);
    assert_eq!(kinds(&nights), ["START", "START", "START", "COMPLETE", "COMPLETE", "COMPLETE"]);
    let schemas = Schemas::read();
    nights.iter().for_each(|event| assert!(schemas.check(event).unwrap() > 1));
    let id = |event: &Value| event["run"]["runId"].clone();
    assert!((0..3).all(|night| id(&nights[night]) == id(&nights[night + 3])));
    std::fs::remove_file(&file).unwrap();
    let output = gpudrift(folder.path(), &["scan", "--as-of", "2026-11-03"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let scanned = events(&file);
    assert_eq!(id(&scanned[0]), id(&nights[1]));
    let inputs = scanned[1]["inputs"].as_array().unwrap();
    assert_eq!((inputs.len(), &inputs[0]["name"]), (1, &folder.path().join("store").to_str().unwrap().into()));
    let facets = &inputs[0]["inputFacets"];
    let columns = facets["dataQualityMetrics"]["columnMetrics"].as_object().unwrap();
    assert!(columns.contains_key("order:amount1") && columns.keys().all(|name| !name.contains('{')), "{columns:?}");
    let assertions = facets["dataQualityAssertions"]["assertions"].as_array().unwrap();
    let segment = assertions.iter().find(|one| one["params"].get("segment").is_some()).unwrap();
    assert!(columns.contains_key(segment["column"].as_str().unwrap()), "{segment}");
    assert_eq!(scanned[1]["job"]["namespace"], "night");
    let quiet = gpudrift(folder.path(), &["scan", "--as-of", "2026-11-03", "--no-lineage"]);
    assert_eq!((quiet.status.code(), events(&file).len()), (Some(0), 2));
}

#[test]
fn a_server_gets_every_event_and_one_that_is_down_costs_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let alone = scan(folder.path(), &[]);
    let features = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap()["features"].clone();
    let server = Http::start([Answer::Status(503)]);
    let output = scan(folder.path(), &["--lineage", &server.url("api/v1/lineage")]);
    assert_eq!(output.status.code(), Some(0));
    let seen = server.seen();
    let types: Vec<_> = seen.iter().map(|one| one.json()["eventType"].clone()).collect();
    assert_eq!(
        (types, seen[0].path.as_str()),
        (vec!["START".into(), "START".into(), Value::from("COMPLETE")], "/api/v1/lineage")
    );
    let down = scan(folder.path(), &["--lineage", &format!("http://{}/", nobody())]);
    assert_eq!((down.status.code(), features(&down)), (Some(0), features(&alone)));
    let said = String::from_utf8_lossy(&down.stderr).into_owned();
    assert!(said.contains("lineage: cannot be sent") && said.contains("the run goes on"), "{said}");
    let unwritable = scan(folder.path(), &["--lineage", "no/such/folder/lineage.jsonl"]);
    assert_eq!((unwritable.status.code(), features(&unwritable)), (Some(0), features(&alone)));
    assert!(String::from_utf8_lossy(&unwritable.stderr).contains("cannot write no/such/folder/lineage.jsonl"));
}

#[test]
fn a_server_of_the_company_is_believed_with_its_authority_and_gets_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let ours = tls::Authority::new("ours");
    ours.file(folder.path(), "ca.pem");
    std::fs::write(folder.path().join("token"), "hunter2\n").unwrap();
    let server = tls::Https::start(ours.identity("127.0.0.1"));
    let configure = |lineage: &str| {
        let sides = format!(
            "[reference]\npaths = ['{0}/reference']\n[current]\npaths = ['{0}/current']\n",
            root().join("data").display()
        );
        let text = format!("{sides}[scan]\nbackend = 'cpu'\nfeatures = ['all']\nformat = 'json'\n[lineage]\n{lineage}");
        std::fs::write(folder.path().join("gpudrift.toml"), text).unwrap();
        gpudrift(folder.path(), &["scan"])
    };
    let endpoint = format!("endpoint = '{}'\n", server.url("lineage"));
    let output = configure(&format!("{endpoint}token_file = 'token'\nca_file = 'ca.pem'\n"));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(server.seen().len(), 2, "{output:?}");
    assert_eq!(server.seen()[1].header("Authorization"), Some("Bearer hunter2"));
    let stranger = configure(&endpoint);
    let said = String::from_utf8_lossy(&stranger.stderr).into_owned();
    assert!(stranger.status.code() == Some(0) && said.contains("write ca_file"), "{said}");
    for (lineage, expected) in [
        ("endpoint = 'marquez.example'\n", "begins with http:// or https://"),
        ("endpoint = 'https://marquez.example'\ntoken_env = 'GPUDRIFT_TEST_NO_SUCH'\n", "GPUDRIFT_TEST_NO_SUCH"),
        ("endpoint = 'https://marquez.example'\nca_file = 'missing.pem'\n", "missing.pem"),
        ("token = 'hunter2'\n", "does not stand in the configuration"),
        ("file = 'x'\n", "unknown key `file`"),
    ] {
        let output = configure(lineage);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{lineage}: {said}");
        assert!(said.contains(expected), "{lineage}: {said}");
    }
}
