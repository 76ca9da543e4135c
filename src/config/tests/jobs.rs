//! Jobs, rules, sinks and secrets of a file.

use super::*;

const FILE: &str = "\
[reference]
paths = ['store/reference']
[current]
paths = ['store/current']
[scan]
psi_warning = 0.15
[[rule]]
match = 'user:*'
weight = 2
[feature.'user:age']
alpha = 0.01
[[sink]]
format = 'json'
output = 'out/{job}.json'

[job.churn]
scan.psi_critical = 0.4
reference.paths = ['/churn/reference']
[[job.churn.rule]]
match = 'user:*'
weight = 3
[job.churn.feature.'user:age']
weight = 4

[job.fraud]
[[job.fraud.sink]]
format = 'table'
";

fn jobs(text: &str, asked: &str) -> Vec<Resolved> {
    let jobs = parsed(text).select(Some(asked)).unwrap();
    jobs.into_iter().map(|job| resolve(ScanOptions::default(), Some(job)).unwrap()).collect()
}

fn applied(job: &Resolved, feature: &str) -> Settings {
    RuleSet::new(&job.scan.rules, &[feature.to_owned()]).of(feature).unwrap().settings
}

#[test]
fn a_job_is_what_it_says_over_what_all_share() {
    let [churn, fraud] = &jobs(FILE, "all")[..] else { panic!("two jobs") };
    assert_eq!((churn.job.as_deref(), fraud.job.as_deref()), (Some("churn"), Some("fraud")));
    assert_eq!(churn.scan.reference, ["/churn/reference"]);
    assert_eq!(
        (&churn.scan.current, &fraud.scan.reference),
        (&vec!["conf/store/current".to_owned()], &vec!["conf/store/reference".to_owned()])
    );
    assert_eq!(churn.scan.thresholds.psi, Limits { warning: 0.15, critical: 0.4 });
    assert_eq!(fraud.scan.thresholds.psi, Limits { warning: 0.15, critical: 0.2 });
    assert_eq!((applied(churn, "user:age").weight, applied(fraud, "user:age").weight), (Some(4.0), Some(2.0)));
    assert_eq!((applied(churn, "user:x").weight, applied(churn, "user:age").alpha), (Some(3.0), Some(0.01)));
    assert_eq!(churn.output.sinks[0].output.as_deref(), Some(Path::new("conf/out/{job}.json")));
    assert_eq!((fraud.output.sinks.len(), fraud.output.sinks[0].is_stdout()), (1, true));
    assert_eq!(churn.scan.rules.0[2].origin, "conf/gpudrift.toml:19");
}

#[test]
fn jobs_are_named_and_a_missing_one_is_suggested() {
    let said = |asked| parsed(FILE).select(asked).unwrap_err().to_string();
    assert_eq!(said(None), "conf/gpudrift.toml has jobs: name one with --job (churn, fraud), or take --job all");
    assert_eq!(said(Some("chrun")), "conf/gpudrift.toml has no job chrun; its jobs: churn, fraud; did you mean churn?");
    assert_eq!(
        jobs(FILE, "fraud, churn").iter().map(|job| job.job.clone().unwrap()).collect::<Vec<_>>(),
        ["fraud", "churn"]
    );
    let plain = parsed("[reference]\npaths = ['a']\n[current]\npaths = ['b']");
    assert_eq!(plain.select(Some("all")).unwrap().len(), 1);
    assert!(plain.select(Some("x")).unwrap_err().to_string().contains("has no job x; its jobs: none"));
    assert!(message("[job.all]").contains("line 1: a job cannot be called \"all\""));
    assert!(message("[job.a.job.b]").contains("a job has no jobs of its own"));
}

#[test]
fn every_wrong_value_of_a_file_is_found_with_its_line() {
    let text = "\
[[rule]]
match = 'a['
weight = -1
[[rule]]
match = 'b'
[feature.x]
psi_warning = 0.3
psi_critical = 0.2
alpha = 2
[[sink]]
format = 'xml'
[[sink]]
format = 'json'
";
    let said = message(text);
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("gpudrift.toml")).collect();
    assert_eq!(
        lines,
        [
            "gpudrift.toml, line 2: match has a[, but that is not a pattern: unclosed character class; missing ']'",
            "gpudrift.toml, line 3: weight is -1, but must be a number from 0",
            "gpudrift.toml, line 5: this rule says nothing about the features that it matches",
            "gpudrift.toml, line 9: alpha is 2, but must be from 0 to 1",
            "gpudrift.toml, line 8: psi_critical is 0.2, but must not be below psi_warning, 0.3",
            "gpudrift.toml, line 11: format is xml, but the formats are table, json, ndjson, parquet, markdown, html, junit, prometheus",
            "gpudrift.toml, line 13: a second sink without an output: one report can go to standard output; give the others an output",
        ]
    );
}

#[test]
fn a_wrong_option_of_the_file_shows_its_line_and_a_typed_one_does_not() {
    let file = || parsed("[reference]\npaths = ['a']\n[current]\npaths = ['b']\n[scan]\npsi_bins = 1");
    let said = resolved(ScanOptions::default(), Some(file())).unwrap_err().to_string();
    assert_eq!(
        said,
        "conf/gpudrift.toml, line 6: psi_bins is 1, but must be from 2 to 1000\n\n    psi_bins = 1\n    ^^^^^^^^"
    );
    let typed = ScanOptions { psi_bins: Some(0), ..ScanOptions::default() };
    assert_eq!(resolved(typed, Some(file())).unwrap_err().to_string(), "psi_bins is 0, but must be from 2 to 1000");
}

#[test]
fn unknown_settings_of_rules_show_their_line() {
    assert!(
        message("[[rule]]\nmatch = 'a'\nwieght = 2").contains("line 3: unknown key `wieght`; did you mean weight?")
    );
    assert!(message("[feature.a]\nmatch = 'b'").contains("line 2: unknown key `match`"));
    assert!(message("[[rule]]\nweight = 2").contains("line 1: missing field `match`"));
    assert!(message("[history]\nx = 1").contains("unknown key `x`"));
}

#[test]
fn what_is_typed_about_features_wins_over_rules() {
    let job = parsed(FILE).select(Some("fraud")).unwrap().remove(0);
    let names = |names: &str| Some(vec![names.parse().unwrap()]);
    let flags = ScanOptions { alpha: Some(0.001), exclude: names("user:a*"), ..ScanOptions::default() };
    let job = resolve(flags, Some(job)).unwrap();
    assert_eq!((applied(&job, "user:age").alpha, applied(&job, "user:age").exclude), (Some(0.001), Some(true)));
    assert_eq!(applied(&job, "user:x").exclude, None);
    let config = jobs(FILE, "fraud").remove(0).scan;
    let read: ScanConfig = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
    assert_eq!(read.rules.0.len(), config.rules.0.len(), "the report carries the rules");
}

#[test]
fn sinks_of_the_file_are_written_besides_what_is_typed() {
    let sinks = |flags: ScanOptions, text: &str| {
        let (_, output) = resolved(flags, Some(parsed(text))).unwrap();
        output.sinks.into_iter().map(|sink| (sink.format, sink.output)).collect::<Vec<_>>()
    };
    let text = "[reference]\npaths = ['a']\n[current]\npaths = ['b']\n[[sink]]\nformat = 'html'\noutput = 'x.html'\n[[sink]]\nformat = 'json'";
    let html = ("html".to_owned(), Some("conf/x.html".into()));
    assert_eq!(sinks(ScanOptions::default(), text), [html.clone(), ("json".to_owned(), None)]);
    let typed = ScanOptions { format: Some("table".to_owned()), ..ScanOptions::default() };
    assert_eq!(sinks(typed, text), [("table".to_owned(), None), html], "standard output has one report");
}

#[test]
fn a_job_keeps_its_runs_and_tells_people_as_all_jobs_do_unless_it_says_otherwise() {
    let text = "\
[reference]
profile = 'jan.gpd'
[history]
path = 'runs.db'
keep_days = 7
[alerts]
top = 3
[alerts.slack]
url_env = 'ALL'
[alerts.email]
user = 'u'
[job.churn.reference]
paths = ['jan']
[job.churn.history]
path = 'churn.db'
[job.churn.alerts.slack]
url_file = 'secret'
[job.fraud]
";
    let jobs = parsed(text).select(Some("all")).unwrap();
    let [churn, fraud] = [&jobs[0].sections, &jobs[1].sections];
    assert_eq!(
        (&churn.reference.profile, churn.reference.paths.as_deref()),
        (&None, Some(&["conf/jan".to_owned()][..]))
    );
    assert_eq!(fraud.reference.profile.as_deref(), Some(Path::new("conf/jan.gpd")));
    assert_eq!((churn.history.path.as_deref(), churn.history.keep_days), (Some(Path::new("conf/churn.db")), Some(7)));
    assert_eq!(fraud.history.path.as_deref(), Some(Path::new("conf/runs.db")));
    assert_eq!((churn.alerts.top, churn.alerts.channels.len(), fraud.alerts.channels.len()), (Some(3), 2, 2));
    let slack = |sections: &Sections| {
        let slack = &sections.alerts.channels["slack"];
        (slack.url_env.clone(), slack.url_file.clone())
    };
    assert_eq!(slack(churn), (None, Some("conf/secret".into())));
    assert_eq!(slack(fraud), (Some("ALL".to_owned()), None));
}

#[test]
fn the_table_of_concept_is_read_outside_of_jobs_only() {
    assert!(parsed("[concept]\ninput = ['log']\nvalue = 'loss'").sections.concept.is_some());
    assert!(message("[concept]\nvalu = 'loss'").contains("line 2: unknown key `valu`; did you mean value?"));
    assert!(message("[concept]\ndetector = ['adwn']").starts_with("gpudrift.toml, line 2: "));
    assert!(message("[job.a.concept]\nvalue = 'loss'").contains("reads [concept] outside of jobs"));
}
