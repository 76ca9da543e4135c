//! What is shipped for Grafana and Prometheus asks for metrics that we emit, with labels and values that they have.

#![expect(clippy::unwrap_used, reason = "a file that is not as it should be fails the test")]

#[path = "support/served.rs"]
mod served;
#[path = "support/years.rs"]
#[expect(dead_code, reason = "one report is enough here")]
mod years;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use gpudrift::dashboard::ModelBoard;
use gpudrift::history::{History, HistoryPlace, ModelEntry, ModelFilter, ModelWindow};
use gpudrift::model::MetricReport;
use gpudrift::report::{SinkOptions, prometheus_of_jobs};
use gpudrift::serve::prometheus_of_models;
use gpudrift::verdict::Level;
use serde_json::Value;

/// Every metric that we emit: its labels, and the values that each had.
fn emitted() -> &'static BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    static EMITTED: std::sync::LazyLock<BTreeMap<String, BTreeMap<String, BTreeSet<String>>>> =
        std::sync::LazyLock::new(found);
    &EMITTED
}

fn found() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let report = years::report(60, 0, 1);
    let mut text = Vec::new();
    let all = SinkOptions { all: true, ..SinkOptions::default() };
    prometheus_of_jobs(&[("churn", &report)], &all, &mut text).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    served::store(&mut history, "churn", 12);
    labels_of_prices(&mut history);
    let models = ModelBoard::all(&history, None, None).unwrap();
    prometheus_of_models(models.values(), &mut text).unwrap();
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

/// Labels of the first window of the regression, which has none.
fn labels_of_prices(history: &mut History) {
    let filter = ModelFilter { model: Some("price".to_owned()), ..ModelFilter::default() };
    let ModelWindow { key, days, at, task, first: mut value, .. } = history.models(&filter).unwrap().remove(0);
    (value.rows.labelled, value.rows.measured) = (value.rows.rows, value.rows.rows);
    let (value_of, baseline) = (Some(0.7), Some(0.6));
    let rmse = MetricReport { value: value_of, low: None, high: None, baseline, worse_by: None, level: Level::Ok };
    value.metrics.insert("rmse".to_owned(), rmse);
    history.store_models(&[ModelEntry { key, days, at, task, open: false, value }]).unwrap();
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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
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
    for name in [
        "gpudrift_features",
        "gpudrift_incidents",
        "gpudrift_feature_psi",
        "gpudrift_rows",
        "gpudrift_model_metric",
        "gpudrift_model_latency_seconds",
        "gpudrift_model_traffic_share",
    ] {
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
    let mut found: Vec<Vec<String>> = lines.clone().flat_map(of_line).collect();
    // ["gpudrift", "scan", …] of Python, [scan, …] of YAML, over as many lines as it takes.
    let whole: String = lines.collect::<Vec<_>>().join(" ");
    for list in whole.split('[').skip(1) {
        let items = list.split(']').next().unwrap().split(',').map(|item| item.trim().trim_matches('"').to_owned());
        let words: Vec<String> = items.filter(|item| !item.is_empty() && item != "gpudrift").collect();
        if is_command(&words) {
            found.push(words);
        }
    }
    found
}

/// The command lines on one line.
fn of_line(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("gpudrift ").filter(|(at, _)| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(|c| matches!(c, ' ' | '"' | '/' | '`'))
    });
    let words = starts.map(|(at, name)| {
        let rest = line[at + name.len()..].split(['"', '&', ';', '`']).next().unwrap();
        rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    });
    words.filter(|words| is_command(words)).collect()
}

fn is_command(words: &[String]) -> bool {
    words.first().is_some_and(|word| SUBCOMMANDS.contains(&word.as_str()))
}

/// The command lines in the prose of Markdown: `gpudrift …`, wherever the line breaks.
fn commands_of_markdown(text: &str) -> Vec<Vec<String>> {
    let prose = text.split("```").step_by(2).collect::<String>().replace('\n', " ");
    prose.split('`').skip(1).step_by(2).flat_map(of_line).collect()
}

/// The command lines that the comments of a Dockerfile tell people to type; a `\` goes on with the next line.
fn commands_of_comments(text: &str) -> Vec<Vec<String>> {
    let comments = text.lines().filter_map(|line| line.strip_prefix('#')).map(str::trim);
    of_line(&comments.collect::<Vec<_>>().join("\n").replace("\\\n", " "))
}

const SUBCOMMANDS: [&str; 4] = ["scan", "retrain", "dashboard", "serve"];

/// What the program says in a folder without anything, once it has understood what it was asked.
const MISSING: [&str; 3] = ["there is no gpudrift.toml in this folder", "there is no history at", "cannot read"];

/// Whether the program understands a command line: in a folder without a configuration it then says so, and ends with 2.
fn understood(line: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let mut program = assert_cmd::Command::cargo_bin("gpudrift").unwrap();
    let program = program.current_dir(folder.path()).timeout(std::time::Duration::from_secs(60));
    let output = program.args(line.split_whitespace()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let refused = ["Usage:", "unexpected argument", "invalid value", "try '--help'"];
    let says = |words: &[&str]| words.iter().any(|words| said.contains(words));
    match output.status.code() {
        Some(2) if says(&MISSING) && !says(&refused) => Ok(()),
        code => Err(format!("{line} ended with {code:?}\n{said}")),
    }
}

#[test]
fn every_command_line_of_the_examples_is_one_that_the_program_takes() {
    let root = |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap();
    let files = [
        ("crontab", 2, commands(&file("crontab"))),
        ("systemd/gpudrift.service", 1, commands(&file("systemd/gpudrift.service"))),
        ("airflow/gpudrift_dag.py", 3, commands(&file("airflow/gpudrift_dag.py"))),
        ("dagster/gpudrift_job.py", 1, commands(&file("dagster/gpudrift_job.py"))),
        ("argo/cron-workflow.yaml", 1, commands(&file("argo/cron-workflow.yaml"))),
        ("github/drift.yml", 2, commands(&file("github/drift.yml"))),
        ("README.md", 2, commands_of_markdown(&file("README.md"))),
        ("Dockerfile", 1, commands_of_comments(&root("Dockerfile"))),
    ];
    for (name, expected, commands) in files {
        assert_eq!(commands.len(), expected, "{name}: {commands:?}");
        for command in commands {
            // What an orchestrator fills in is a day.
            let day = "{{ data_interval_end | ds }}";
            let line = command.join(" ").replace(day, "2026-11-22").replace("context.partition_key", "2026-11-22");
            understood(&line).unwrap_or_else(|said| panic!("{name}: {said}"));
        }
    }
}

#[test]
fn a_command_line_that_the_program_does_not_take_is_noticed() {
    for line in [
        "scan --format xml",
        "scan --fail-on terrible",
        "scan --as-of 2026-13-01",
        "scan --current-window yesterdays",
        "scan --currant-window yesterday",
        "scan --current-window",
        "dashboard",
        "retrain chek",
    ] {
        assert!(understood(line).is_err(), "{line}");
    }
}

/// A YAML file, whose documents are read by a parser that takes no key twice.
fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn every_yaml_file_is_one_and_says_what_its_reader_looks_for() {
    let rules = yaml("prometheus-rules.yml");
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), file("prometheus-rules.yml").matches("- alert: ").count());
    assert!(rules.iter().all(|rule| rule["expr"].is_string() && rule["annotations"]["summary"].is_string()));
    let tests = yaml("prometheus-rules.test.yml");
    assert_eq!(tests["rule_files"][0], "prometheus-rules.yml");
    let names: BTreeSet<&str> = rules.iter().map(|rule| rule["alert"].as_str().unwrap()).collect();
    for test in tests["tests"].as_array().unwrap().iter().flat_map(|test| test["alert_rule_test"].as_array().unwrap()) {
        assert!(names.contains(test["alertname"].as_str().unwrap()), "{test}");
    }
    let argo = yaml("argo/cron-workflow.yaml");
    let (spec, templates) = (&argo["spec"]["workflowSpec"], &argo["spec"]["workflowSpec"]["templates"]);
    assert_eq!((&argo["kind"], &spec["entrypoint"]), (&"CronWorkflow".into(), &templates[0]["name"]));
    let volumes: BTreeSet<&str> =
        spec["volumes"].as_array().unwrap().iter().map(|volume| volume["name"].as_str().unwrap()).collect();
    for mount in templates[0]["container"]["volumeMounts"].as_array().unwrap() {
        assert!(volumes.contains(mount["name"].as_str().unwrap()), "{mount}");
    }
    let github = yaml("github/drift.yml");
    let steps = github["jobs"]["scan"]["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["run"].is_string() != step["uses"].is_string()), "{github}");
    // The fragment in the README, too.
    let readme = file("README.md");
    let fragment = readme.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    let fragment: Value = serde_saphyr::from_str(fragment).unwrap();
    assert!(fragment["scrape_configs"][0]["static_configs"][0]["targets"].is_array(), "{fragment}");
}

#[test]
fn no_yaml_file_is_forgotten() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("yml" | "yaml") => drop(found.insert(path.file_name().unwrap().to_str().unwrap().to_owned())),
                _ if path.is_dir() => folders.push(path),
                _ => {}
            }
        }
    }
    let read = ["cron-workflow.yaml", "drift.yml", "prometheus-rules.test.yml", "prometheus-rules.yml"];
    assert_eq!(found, read.map(str::to_owned).into());
}

#[test]
fn the_image_has_what_the_build_reads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
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
