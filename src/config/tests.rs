//! Precedence and messages of the configuration.

use std::path::Path;

use super::*;
use crate::metric::METRICS;
use crate::verdict::Limits;

fn sides() -> ScanOptions {
    let side = |name: &str| Some(vec![name.to_owned()]);
    ScanOptions { reference: side("r"), current: side("c"), ..ScanOptions::default() }
}

fn parsed(text: &str) -> FileConfig {
    FileConfig::parse(text, Path::new("conf/gpudrift.toml")).unwrap()
}

/// The configuration of flags and a file without jobs.
fn resolved(flags: ScanOptions, file: Option<FileConfig>) -> Result<(ScanConfig, OutputConfig), ConfigError> {
    let job = file.map(|file| file.select(None).unwrap().remove(0));
    resolve(flags, job).map(|resolved| (resolved.scan, resolved.output))
}

fn message(text: &str) -> String {
    FileConfig::parse(text, Path::new("gpudrift.toml")).unwrap_err().to_string()
}

#[test]
fn flags_win_over_the_file_and_the_file_over_defaults() {
    let file = "[reference]\npaths = ['a']\n[current]\npaths = ['b']\n[scan]\npsi_bins = 20\npsi_floor = 0.01\nmemory_limit = '1GiB'";
    let flags = ScanOptions { psi_bins: Some(5), ..ScanOptions::default() };
    let (config, output) = resolved(flags, Some(parsed(file))).unwrap();
    assert_eq!((config.psi_bins, config.psi_floor, config.memory_limit), (5, 0.01, 1 << 30));
    assert_eq!((config.ks_method, output.sinks[0].format.as_str()), (KsMethod::Auto, "table"));
}

#[test]
fn paths_in_the_file_are_relative_to_its_folder() {
    let file = parsed(
        "[reference]\npaths = ['a/*.parquet', '/abs', 's3://bucket/x']\n[current]\npaths = ['../b']\n[scan]\noutput = 'out.json'\nsave_profile = 'tonight.gpd'",
    );
    assert_eq!(file.sections.reference.paths.unwrap(), ["conf/a/*.parquet", "/abs", "s3://bucket/x"]);
    assert_eq!(file.sections.current.paths.unwrap(), ["conf/../b"]);
    assert_eq!(file.sections.scan.output.unwrap(), Path::new("conf/out.json"));
    assert_eq!(file.sections.scan.save_profile.unwrap(), Path::new("conf/tonight.gpd"));
    let here = FileConfig::parse("[reference]\npaths = ['a']", Path::new("gpudrift.toml")).unwrap();
    assert_eq!(here.sections.reference.paths.unwrap(), ["a"]);
}

#[test]
fn a_side_of_the_command_line_replaces_that_of_the_file() {
    let file = parsed("[reference]\npaths = ['a']\n[current]\npaths = ['b']");
    let flags = ScanOptions { current: Some(vec!["new".to_owned()]), ..ScanOptions::default() };
    let (config, _) = resolved(flags, Some(file)).unwrap();
    assert_eq!((config.reference, config.current), (vec!["conf/a".to_owned()], vec!["new".to_owned()]));
}

#[test]
fn an_unknown_key_is_an_error_with_its_line_and_a_suggestion() {
    let text = "[reference]\npaths = ['a']\n\n[scan]\npsi_bin = 3\n";
    assert_eq!(
        message(text),
        "gpudrift.toml, line 5: unknown key `psi_bin`; did you mean psi_bins?\n\n    psi_bin = 3\n    ^^^^^^^"
    );
    assert!(message("[refrence]\npaths = []").contains("line 1: unknown key `refrence`; did you mean reference?"));
    assert!(message("[reference]\npath = []").contains("unknown key `path`; did you mean paths?"));
}

#[test]
fn the_table_of_another_command_is_known() {
    assert_eq!(parsed("[scan]\npsi_bins = 5\n[concept]\nvalue = 'loss'").sections.scan.psi_bins, Some(5));
}

#[test]
fn wrong_types_and_broken_toml_show_their_line() {
    assert!(message("[scan]\n\nthreads = 'many'").starts_with("gpudrift.toml, line 3: invalid type: string \"many\""));
    assert!(message("[scan]\nbackend = 'tpu'").contains("line 2: unknown value `tpu`; the values are auto, gpu, cpu"));
    assert!(message("[scan]\nfeatures = 3").contains("line 2: expected a string or an array of strings"));
    assert!(message("[scan\n").starts_with("gpudrift.toml, line 1:"));
    assert!(message("é = [\n").starts_with("gpudrift.toml, line"));
}

#[test]
fn names_are_split_at_commas_outside_braces() {
    let split = |text: &str| text.parse::<Names>().unwrap().0;
    assert_eq!(split("a, b,,{c,d}_*"), ["a", "b", "{c,d}_*"]);
    assert_eq!(split(r"a\,b,\*x"), ["a,b", r"\*x"]);
    assert_eq!(split(""), [""; 0]);
    let file = parsed("[scan]\nfeatures = 'a,b'\nexclude = ['c,d']");
    assert_eq!(Names::joined(file.sections.scan.features).unwrap(), ["a", "b"]);
    assert_eq!(Names::joined(file.sections.scan.exclude).unwrap(), ["c,d"], "an element is a name");
}

#[test]
fn metrics_are_checked_and_put_in_order() {
    let asked = |names: &str| {
        let options = ScanOptions { metrics: Some(vec![names.parse().unwrap()]), ..sides() };
        resolved(options, None).map(|(config, _)| config)
    };
    assert_eq!(asked("js,psi").unwrap().metrics, ["psi", "js"]);
    assert_eq!(asked("all").unwrap().metrics.len(), METRICS.len());
    assert_eq!(asked("default,kl").unwrap().metrics, ["psi", "ks", "js", "chi2", "kl"]);
    assert!(asked("wassersten").unwrap_err().to_string().ends_with("; did you mean wasserstein?"));
    assert_eq!(asked("psi").unwrap().warnings().len(), 1);
    assert!(ScanConfig::default().warnings().is_empty());
}

#[test]
fn values_out_of_range_are_found_before_work_starts() {
    type Change = fn(&mut ScanOptions);
    let cases: [(&str, Change); 13] = [
        ("psi_bins is 1", |o| o.psi_bins = Some(1)),
        ("psi_floor is 0", |o| o.psi_floor = Some(0.0)),
        ("psi_floor is NaN", |o| o.psi_floor = Some(f64::NAN)),
        ("threads is 0", |o| o.threads = Some(0)),
        ("memory_limit is 10", |o| o.memory_limit = Some(bytesize::ByteSize(10))),
        ("max_categories is 0", |o| o.max_categories = Some(0)),
        ("alpha is 1.5", |o| o.alpha = Some(1.5)),
        ("psi_warning is inf", |o| o.psi_warning = Some(f64::INFINITY)),
        ("psi_critical is 0.3", |o| (o.psi_warning, o.psi_critical) = (Some(0.4), Some(0.3))),
        ("null_warning is -1", |o| o.null_warning = Some(-1.0)),
        ("features is a[", |o| o.features = Some(vec![Names(vec!["a[".to_owned()])])),
        ("features is empty", |o| o.features = Some(vec![Names(vec![])])),
        ("format is xml", |o| o.format = Some("xml".to_owned())),
    ];
    for (expected, change) in cases {
        let mut options = sides();
        change(&mut options);
        let text = resolved(options, None).unwrap_err().to_string();
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn one_limit_takes_the_other_along() {
    let limits = |warning, critical| super::settings::pair(warning, critical, Limits { warning: 0.1, critical: 0.2 });
    assert_eq!(limits(None, None), Limits { warning: 0.1, critical: 0.2 });
    assert_eq!(limits(Some(0.3), None), Limits { warning: 0.3, critical: 0.3 });
    assert_eq!(limits(None, Some(0.05)), Limits { warning: 0.05, critical: 0.05 });
}

#[test]
fn without_paths_the_message_says_what_to_type() {
    let text = resolved(ScanOptions::default(), None).unwrap_err().to_string();
    assert!(text.contains("gpudrift scan --reference PATH --current PATH --features all"), "{text}");
    let text = resolved(ScanOptions::default(), Some(parsed("[reference]\npaths = ['a']"))).unwrap_err().to_string();
    assert!(text.contains("conf/gpudrift.toml names no current data"), "{text}");
}

#[test]
fn a_profile_stands_for_the_reference_until_the_command_line_names_data() {
    let file = || parsed("[reference]\nprofile = 'jan.gpd'\n[current]\npaths = ['feb']");
    let (config, _) = resolved(ScanOptions::default(), Some(file())).unwrap();
    assert_eq!((config.profile, config.reference), (Some("conf/jan.gpd".into()), Vec::<String>::new()));
    let flags = ScanOptions { reference: Some(vec!["mar".to_owned()]), ..ScanOptions::default() };
    let (config, _) = resolved(flags, Some(file())).unwrap();
    assert_eq!((config.profile, config.reference), (None, vec!["mar".to_owned()]));
    let flags = ScanOptions { profile: Some("apr.gpd".into()), ..ScanOptions::default() };
    let data = parsed("[reference]\npaths = ['jan']\n[current]\npaths = ['feb']");
    let (config, _) = resolved(flags, Some(data)).unwrap();
    assert_eq!((config.profile, config.reference), (Some("apr.gpd".into()), Vec::<String>::new()));
    let both = message("[reference]\nprofile = 'jan.gpd'\npaths = ['jan']");
    assert!(both.contains("keep one of the two"), "{both}");
}

#[test]
fn one_source_takes_the_place_of_both_sides_and_needs_a_window() {
    let windows = "[scan]\ntimestamp = 'at'\ncurrent_window = 'yesterday'\n";
    let file = || parsed(&format!("[source]\npaths = ['store']\n{windows}"));
    let (config, _) = resolved(ScanOptions::default(), Some(file())).unwrap();
    assert_eq!((&config.reference, &config.current), (&vec!["conf/store".to_owned()], &vec!["conf/store".to_owned()]));
    assert_eq!(config.windows.compare, [crate::window::Compare::Previous], "there is no reference window");
    let said = |file: &str| resolved(ScanOptions::default(), Some(parsed(file))).unwrap_err().to_string();
    let both = message(&format!("[source]\npaths = ['store']\n[current]\npaths = ['feb']\n{windows}"));
    assert!(both.contains("[source] is both sides"), "{both}");
    assert!(said("[source]\npaths = ['store']").contains("--current-window yesterday"));
    let untimed = said("[source]\npaths = ['store']\n[scan]\ncurrent_window = 'yesterday'");
    assert!(untimed.contains("--timestamp COLUMN"), "{untimed}");
    let profile = "[reference]\nprofile = 'jan.gpd'\n[current]\npaths = ['feb']\n";
    let rows = said(&format!("{profile}{windows}reference_window = '2026-01'"));
    assert!(rows.contains("jan.gpd is a profile"), "{rows}");
    let flags = ScanOptions { current: Some(vec!["mar".to_owned()]), ..ScanOptions::default() };
    let flags = ScanOptions { reference: Some(vec!["jan".to_owned()]), ..flags };
    let (config, _) = resolved(flags, Some(file())).unwrap();
    assert_eq!((config.reference, config.current), (vec!["jan".to_owned()], vec!["mar".to_owned()]));
    let jobs = "[reference]\npaths = ['jan']\n[current]\npaths = ['feb']\n[scan]\ntimestamp = 'at'\ncurrent_window = 'yesterday'\n\
                [job.two.scan]\npsi_bins = 5\n[job.one.source]\npaths = ['store']\n";
    let job = |name| resolve(ScanOptions::default(), parsed(jobs).select(Some(name)).unwrap().pop()).unwrap().scan;
    assert_eq!(job("one").reference, ["conf/store"], "the source of a job takes the place of the shared sides");
    assert_eq!((job("two").reference, job("two").current), (vec!["conf/jan".to_owned()], vec!["conf/feb".to_owned()]));
}

#[test]
fn the_file_and_the_flags_know_the_same_options() {
    // Every flag but those of the two sides is a key of the file, by the same name.
    let command = <ScanOptions as clap::Args>::augment_args(clap::Command::new("scan"));
    let unknown = message("[scan]\nno_such_key = 1");
    assert!(unknown.contains("no_such_key"));
    let mut tried = 0;
    for arg in command.get_arguments() {
        let key = arg.get_id().as_str();
        if ["reference", "profile", "current", "source", "feast", "help"].contains(&key) {
            continue;
        }
        tried += 1;
        let result = FileConfig::parse(&format!("[scan]\n{key} = {{}}"), Path::new("x.toml"));
        let text = result.unwrap_err().to_string();
        assert!(!text.contains("unknown key"), "{key}: {text}");
        assert_eq!(arg.get_long().unwrap(), key.replace('_', "-"));
    }
    assert!(tried > 30);
}

mod jobs;
