//! What is shipped for Grafana and Prometheus asks for metrics that we emit, with labels and values that they have.

#![expect(clippy::unwrap_used, reason = "a file that is not as it should be fails the test")]

#[path = "support/years.rs"]
#[expect(dead_code, reason = "one report is enough here")]
mod years;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use gpudrift::report::{SinkOptions, prometheus_of_jobs};
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{self, Expr, VectorSelector};
use promql_parser::util::{ExprVisitor, walk_expr};
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

/// The selectors of a query.
struct Selectors(Vec<VectorSelector>);

impl ExprVisitor for Selectors {
    type Error = Infallible;

    fn pre_visit(&mut self, expr: &Expr) -> Result<bool, Infallible> {
        match expr {
            Expr::VectorSelector(selector) => self.0.push(selector.clone()),
            Expr::MatrixSelector(matrix) => self.0.push(matrix.vs.clone()),
            _ => {}
        }
        Ok(true)
    }
}

/// Checks a query, and gives the metrics that it asks for.
fn checked(query: &str) -> BTreeSet<String> {
    let expr = parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
    let mut selectors = Selectors(Vec::new());
    walk_expr(&mut selectors, &expr).unwrap();
    let metrics = emitted();
    assert!(!selectors.0.is_empty(), "{query} asks for nothing");
    let asked = selectors.0.into_iter().map(|selector| {
        let name = selector.name.unwrap();
        let labels = metrics.get(&name).unwrap_or_else(|| panic!("{query}: we have no {name}"));
        for Matcher { op, name: label, value } in selector.matchers.matchers {
            let known = labels.get(&label).unwrap_or_else(|| panic!("{query}: {name} has no label {label}"));
            let wanted: Vec<&str> = match op {
                MatchOp::Equal => vec![&value],
                _ => value.split('|').filter(|value| !value.contains(['$', '*'])).collect(),
            };
            for value in wanted {
                assert!(known.contains(value), "{query}: {label} of {name} is never {value}, but {known:?}");
            }
        }
        name
    });
    asked.collect()
}

fn file(name: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_alerting_rule_asks_for_what_there_is_and_says_what_to_do() {
    let rules: Value = serde_saphyr::from_str(&file("prometheus-rules.yml")).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert!(rules.len() > 5);
    let (mut names, metrics) = (BTreeSet::new(), emitted());
    for rule in rules {
        assert!(names.insert(rule["alert"].as_str().unwrap()), "{rule}");
        let asked = checked(rule["expr"].as_str().unwrap());
        assert!(matches!(rule["labels"]["severity"].as_str(), Some("warning" | "critical")), "{rule}");
        for text in ["summary", "description"] {
            let text = rule["annotations"][text].as_str().unwrap();
            for label in text.split("$labels.").skip(1) {
                let label = label.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap();
                assert!(asked.iter().any(|metric| metrics[metric].contains_key(label)), "{label} in {text}");
            }
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
    for query in ["gpudrift_featurs", "gpudrift_features{lvl=\"ok\"}", "gpudrift_features{level=\"fatal\"}", "sum("] {
        assert!(std::panic::catch_unwind(|| checked(query)).is_err(), "{query}");
    }
}
