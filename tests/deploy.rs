//! What is shipped for Grafana and Prometheus asks for metrics that we emit, with labels and values that they have.

#![expect(clippy::unwrap_used, reason = "a file that is not as it should be fails the test")]

#[path = "support/years.rs"]
#[expect(dead_code, reason = "one report is enough here")]
mod years;

use std::collections::{BTreeMap, BTreeSet};

use gpudrift::report::{SinkOptions, prometheus_of_jobs};
use serde_json::Value;

/// Every metric that we emit: its labels, and the values that each had.
fn emitted() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let report = years::report(60, 0, 1);
    let mut text = Vec::new();
    let all = SinkOptions { all: true, ..SinkOptions::default() };
    prometheus_of_jobs(&[("churn", &report)], &all, &mut text).unwrap();
    let mut metrics: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for line in std::str::from_utf8(&text).unwrap().lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap();
        let metric = metrics.entry(name.to_owned()).or_default();
        for pair in labels.trim_end_matches('}').split("\",") {
            let (label, value) = pair.split_once("=\"").unwrap();
            metric.entry(label.to_owned()).or_default().insert(value.trim_end_matches('"').to_owned());
        }
    }
    metrics
}

/// Checks what a query selects, and gives the metrics that it asks for. Whether it is well formed is promtool's to say
/// (`deploy/prometheus-rules.test.yml`).
fn checked(query: &str) -> BTreeSet<String> {
    let metrics = emitted();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut asked = BTreeSet::new();
    for (at, _) in query.match_indices("gpudrift_") {
        let name = query[at..].split(|c| !word(c)).next().unwrap();
        let labels = metrics.get(name).unwrap_or_else(|| panic!("{query}: we have no {name}"));
        asked.insert(name.to_owned());
        let Some(matchers) = query[at + name.len()..].strip_prefix('{') else { continue };
        for matcher in matchers.split_once('}').unwrap().0.split(',') {
            let label = matcher.trim().split(|c| !word(c)).next().unwrap();
            let known = labels.get(label).unwrap_or_else(|| panic!("{query}: {name} has no label {label}"));
            let values = matcher.split('"').nth(1).unwrap().split('|').filter(|value| !value.starts_with('$'));
            for value in values {
                assert!(known.contains(value), "{query}: {label} of {name} is never {value}, but {known:?}");
            }
        }
    }
    for open in ["()", "{}"] {
        let [open, close] = [0, 1].map(|index| query.matches(&open[index..=index]).count());
        assert_eq!(open, close, "{query}");
    }
    assert!(!asked.is_empty(), "{query} asks for nothing");
    asked
}

fn file(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_alerting_rule_asks_for_what_there_is_and_says_what_to_do() {
    let text = file("prometheus-rules.yml");
    let rules: Vec<&str> = text.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 5);
    let (mut names, metrics) = (BTreeSet::new(), emitted());
    for rule in rules {
        assert!(names.insert(rule.lines().next().unwrap()), "{rule}");
        let (query, rest) = rule.split_once("expr:").unwrap().1.split_once("labels:").unwrap();
        let asked = checked(query.trim().trim_start_matches('|'));
        assert!(rest.contains("severity: warning") || rest.contains("severity: critical"), "{rule}");
        let (summary, description) = rest.split_once("summary: ").unwrap().1.split_once("description: ").unwrap();
        assert!(summary.trim().len() > 10 && description.trim().len() > 10, "{rule}");
        for label in rest.split("$labels.").skip(1) {
            let label = label.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap();
            assert!(asked.iter().any(|metric| metrics[metric].contains_key(label)), "{label} in {rule}");
        }
    }
}

#[test]
fn every_panel_asks_for_what_there_is() {
    let board: Value = serde_json::from_str(&file("grafana-dashboard.json")).unwrap();
    let panels = board["panels"].as_array().unwrap();
    assert!(panels.len() > 8);
    let (mut ids, mut asked, mut taken) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{}", panel["title"]);
        assert!(!panel["description"].as_str().unwrap().is_empty() && panel["datasource"]["uid"] == "${datasource}");
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for (x, y) in (0..place("w")).flat_map(|x| (0..place("h")).map(move |y| (x, y))) {
            let (x, y) = (place("x") + x, place("y") + y);
            assert!(x < 24 && taken.insert((x, y)), "{} lies on another panel", panel["title"]);
        }
        for target in panel["targets"].as_array().unwrap() {
            asked.extend(checked(target["expr"].as_str().unwrap()));
        }
    }
    for name in ["gpudrift_features", "gpudrift_incidents", "gpudrift_feature_psi", "gpudrift_rows"] {
        assert!(asked.contains(name), "no panel shows {name}");
    }
    let variable = &board["templating"]["list"][1];
    assert_eq!(variable["query"]["query"], "label_values(gpudrift_run_info, drift_job)");
    assert!(emitted()["gpudrift_run_info"].contains_key("drift_job"));
}

#[test]
fn a_query_for_something_else_is_noticed() {
    for query in
        ["gpudrift_featurs", "gpudrift_features{lvl=\"ok\"}", "gpudrift_features{level=\"fatal\"}", "sum(gpudrift_rows"]
    {
        assert!(std::panic::catch_unwind(|| checked(query)).is_err(), "{query}");
    }
}

/// The command lines in a text, by words: after `gpudrift` on a line, or in a list of strings.
fn commands(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#') && !line.starts_with("//"));
    let mut found = Vec::new();
    for line in lines.clone() {
        for (at, _) in line.match_indices("gpudrift ") {
            let before = line[..at].chars().next_back();
            let starts = before.is_none_or(|c| matches!(c, ' ' | '"' | '/'));
            let rest = &line[at + "gpudrift ".len()..];
            let words: Vec<String> =
                rest.split(['"', '&', ';']).next().unwrap().split_whitespace().map(str::to_owned).collect();
            if starts && words.first().is_some_and(|word| SUBCOMMANDS.contains(&word.as_str())) {
                found.push(words);
            }
        }
    }
    // ["gpudrift", "scan", …] of Python, [scan, …] of YAML, over as many lines as it takes.
    let whole: String = lines.collect::<Vec<_>>().join(" ");
    for list in whole.split('[').skip(1) {
        let items = list.split(']').next().unwrap().split(',').map(|item| item.trim().trim_matches('"').to_owned());
        let words: Vec<String> = items.filter(|item| !item.is_empty() && item != "gpudrift").collect();
        if words.first().is_some_and(|word| SUBCOMMANDS.contains(&word.as_str())) {
            found.push(words);
        }
    }
    found
}

const SUBCOMMANDS: [&str; 4] = ["scan", "retrain", "dashboard", "serve"];

#[test]
fn every_command_line_of_the_examples_is_one_that_the_program_takes() {
    let files = [
        ("crontab", 2),
        ("systemd/gpudrift.service", 1),
        ("airflow/gpudrift_dag.py", 3),
        ("dagster/gpudrift_job.py", 1),
        ("argo/cron-workflow.yaml", 1),
        ("github/drift.yml", 2),
    ];
    for (name, expected) in files {
        let commands = commands(&file(name));
        assert_eq!(commands.len(), expected, "{name}: {commands:?}");
        for command in commands {
            // What an orchestrator fills in is a day.
            let day = "{{ data_interval_end | ds }}";
            let line = command.join(" ").replace(day, "2026-11-22").replace("context.partition_key", "2026-11-22");
            let folder = tempfile::tempdir().unwrap();
            let mut program = assert_cmd::Command::cargo_bin("gpudrift").unwrap();
            let output = program.current_dir(folder.path()).args(line.split_whitespace()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            // Here is no configuration, which is said after the command line was understood.
            assert_eq!(output.status.code(), Some(2), "{name}: {line}\n{said}");
            assert!(!said.contains("Usage:") && !said.contains("unexpected argument"), "{name}: {line}\n{said}");
        }
    }
}

#[test]
fn the_image_has_what_the_build_reads() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("Dockerfile")).unwrap();
    let copied: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("COPY ")).collect();
    let from_here = copied.iter().filter(|line| !line.starts_with("--from")).flat_map(|line| line.split(' '));
    let from_here: BTreeSet<&str> = from_here.filter(|name| *name != "./").collect();
    for name in &from_here {
        assert!(root.join(name).exists(), "{name}");
    }
    // Every folder that the sources include files of.
    for needed in ["src", "shaders", "templates", "assets", "Cargo.lock"] {
        assert!(from_here.contains(needed), "{needed} is not copied");
    }
    let version = text.lines().find_map(|line| line.strip_prefix("FROM rust:")).unwrap().split('-').next().unwrap();
    assert_eq!(version, env!("CARGO_PKG_RUST_VERSION"));
}
