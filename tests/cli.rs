//! The program in a process of its own: what it says, where, and with which exit code.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its program fails")]

use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;

/// Runs `gpudrift` in `folder`.
fn gpudrift(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command.current_dir(folder).env_remove("NO_COLOR").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Runs in an empty folder and expects this code, nothing on stdout, and these words on stderr.
fn refused(args: &[&str], code: i32, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let output = gpudrift(folder.path(), args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert_eq!(text(&output.stdout), "", "{args:?}: results and messages are apart");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?}:\n{said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn without_paths_it_says_what_to_type() {
    refused(
        &["scan", "--features", "all"],
        2,
        &["error:", "gpudrift scan --reference PATH --current PATH --features all"],
    );
    refused(&["scan", "--reference", "a"], 2, &["no current data is named"]);
}

#[test]
fn wrong_usage_is_code_2() {
    refused(&[], 2, &["Usage"]);
    refused(&["scna"], 2, &["scan"]);
    refused(&["scan", "--refrence", "a"], 2, &["--reference"]);
    refused(&["scan", "--format", "xml"], 2, &["table", "prometheus"]);
    refused(&["scan", "--memory-limit", "lots"], 2, &["--memory-limit"]);
    let sides = ["scan", "--reference", "a", "--current", "b"];
    let with = |more: &[&'static str]| [&sides[..], more].concat();
    refused(&with(&["--metrics", "psi,wassersten"]), 2, &["did you mean wasserstein"]);
    refused(&with(&["--psi-warning", "0.3", "--psi-critical", "0.2"]), 2, &["psi_critical is 0.2"]);
    refused(&with(&["--psi-bins", "1"]), 2, &["psi_bins is 1, but must be from 2 to 1000"]);
    refused(
        &with(&["--output", "no/such/folder/x.json"]),
        2,
        &["cannot write --output no/such/folder/x.json", "caused by: there is no folder no/such/folder; make it"],
    );
    refused(&with(&["--config", "missing.toml"]), 2, &["cannot read missing.toml", "caused by"]);
}

#[test]
fn a_path_that_is_not_there_is_code_3() {
    refused(
        &["scan", "--reference", "nowhere.parquet", "--current", "nowhere.parquet"],
        3,
        &["error:", "nowhere.parquet"],
    );
}

#[test]
fn an_unknown_key_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("gpudrift.toml"), "[reference]\npaths = ['a']\n[scan]\nexclud = ['b']\n").unwrap();
    let output = gpudrift(folder.path(), &["scan"]);
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(said.starts_with("error: gpudrift.toml, line 4: unknown key `exclud`; did you mean exclude?"), "{said}");
}

#[test]
fn help_goes_to_stdout_and_fits_a_screen() {
    let folder = tempfile::tempdir().unwrap();
    let short = gpudrift(folder.path(), &["scan", "-h"]);
    let long = gpudrift(folder.path(), &["scan", "--help"]);
    assert_eq!((short.status.code(), long.status.code()), (Some(0), Some(0)));
    let (short, long) = (text(&short.stdout), text(&long.stdout));
    assert!(short.lines().count() <= 56, "{} lines\n{short}", short.lines().count());
    assert!(long.lines().count() > 2 * short.lines().count());
    for flag in [
        "--reference",
        "--current",
        "--features",
        "--exclude",
        "--backend",
        "--metrics",
        "--format",
        "--facts",
        "--output",
        "--fail-on",
    ] {
        assert!(short.contains(flag), "{flag}");
    }
    for flag in [
        "--skip-bad-files",
        "--categorical",
        "--max-categories",
        "--adjust",
        "--psi-bins",
        "--ks-method",
        "--timings",
        "Exit codes",
    ] {
        assert!(long.contains(flag), "{flag}");
    }
    let version = text(&gpudrift(folder.path(), &["--version"]).stdout);
    assert_eq!(version, format!("gpudrift {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_the_flags() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = gpudrift(folder.path(), &["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("memory-limit"), "{shell}");
    }
}

/// What a reader sees who closes the pipe at once: nothing, and no complaint on stderr.
#[cfg(unix)]
#[test]
fn a_closed_pipe_is_no_error() {
    use std::process::{Command, Stdio};
    let program = assert_cmd::cargo::cargo_bin("gpudrift");
    let mut child = Command::new(program)
        .args(["completions", "zsh"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(0), ""));
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Two sides of the demo store, and more arguments.
fn scan_demo<'a>(sides: &'a [String; 2], more: &[&'a str]) -> Vec<&'a str> {
    [&["scan", "--backend", "cpu", "--reference", &sides[0], "--current", &sides[1]], more].concat()
}

fn demo() -> [String; 2] {
    ["reference", "current"].map(|side| repository().join("data").join(side).display().to_string())
}

#[test]
fn demo_of_the_repository_is_scanned_without_paths() {
    let output = gpudrift(repository(), &["scan", "--features", "all", "--backend", "cpu"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("CRITICAL") && table.contains("WARNING"), "{table}");
}

#[test]
fn exit_codes_tell_drift_from_failure() {
    let (folder, sides) = (tempfile::tempdir().unwrap(), demo());
    let code = |more: &[&str]| gpudrift(folder.path(), &scan_demo(&sides, more)).status.code();
    assert_eq!(code(&["--fail-on", "critical"]), Some(1));
    assert_eq!(code(&["--fail-on", "critical", "--features", "customer_age"]), Some(0));
    assert_eq!(code(&["--features", "no_such_feature"]), Some(4));
    assert_eq!(code(&["--features", "no_such_feature,country", "--fail-on", "warning"]), Some(1), "1 wins over 4");
    assert_eq!(code(&["--features", "postal_code"]), Some(4), "named, and not comparable");
    assert_eq!(code(&["--features", "*", "--exclude", "country"]), Some(0));
}

#[test]
fn report_is_valid_json_with_features_in_schema_order() {
    let (folder, sides) = (tempfile::tempdir().unwrap(), demo());
    let output = gpudrift(folder.path(), &scan_demo(&sides, &["--format", "json", "--metrics", "all"]));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["schema_version"], 1);
    let names: Vec<_> =
        report["features"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names[..2], ["customer_id", "customer_age"]);
    let count = |key: &str| report["summary"][key].as_u64().unwrap();
    assert_eq!(count("features"), count("scanned") + count("skipped"));
    assert_eq!(count("scanned"), ["ok", "info", "warning", "critical"].map(count).iter().sum::<u64>());
    assert_eq!(names.len() as u64, count("scanned"));
}

#[test]
fn every_format_writes_a_file_and_nothing_else() {
    let (folder, sides) = (tempfile::tempdir().unwrap(), demo());
    for format in ["table", "json", "ndjson", "parquet", "markdown", "html", "prometheus"] {
        let path = folder.path().join(format);
        let path = path.to_str().unwrap();
        let output = gpudrift(folder.path(), &scan_demo(&sides, &["--format", format, "--output", path, "--quiet"]));
        assert_eq!(output.status.code(), Some(0), "{format}: {}", text(&output.stderr));
        assert_eq!(text(&output.stdout), "", "{format}");
        assert!(fs::metadata(path).unwrap().len() > 1000, "{format}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 7);
}

#[test]
fn damaged_file_is_named_and_costs_the_others_nothing() {
    let (folder, sides) = (tempfile::tempdir().unwrap(), demo());
    let current = folder.path().join("current");
    fs::create_dir(&current).unwrap();
    for file in fs::read_dir(&sides[1]).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), current.join(file.file_name())).unwrap();
    }
    fs::write(current.join("part-999.parquet"), b"PAR1 this is no Parquet file PAR1").unwrap();
    let sides = [sides[0].clone(), current.display().to_string()];
    let output = gpudrift(folder.path(), &scan_demo(&sides, &[]));
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("part-999.parquet") && said.contains("--skip-bad-files"), "{said}");
    let output = gpudrift(folder.path(), &scan_demo(&sides, &["--skip-bad-files", "--format", "json"]));
    assert_eq!(output.status.code(), Some(4));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["summary"]["scanned"].as_u64().unwrap() > 50);
    assert!(report["run"]["current"]["skipped_files"][0]["path"].as_str().unwrap().ends_with("part-999.parquet"));
}

#[test]
fn column_with_a_corrupt_page_is_skipped_and_the_rest_is_scanned() {
    let (folder, sides) = (tempfile::tempdir().unwrap(), demo());
    let current = folder.path().join("current.parquet");
    let mut bytes = fs::read(Path::new(&sides[1]).join("part-000.parquet")).unwrap();
    // Inside the first column chunk: what is written there is neither a page header nor snappy.
    bytes[40..240].fill(0xff);
    fs::write(&current, bytes).unwrap();
    let sides = [sides[0].clone(), current.display().to_string()];
    let output = gpudrift(folder.path(), &scan_demo(&sides, &["--format", "json"]));
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let skipped = report["skipped"].as_array().unwrap();
    let bad = skipped.iter().find(|one| one["cause"] == "unreadable").unwrap();
    let reason = bad["reason"].as_str().unwrap();
    assert!(
        reason.contains("customer_id") && reason.contains("row group 0") && reason.contains("current.parquet"),
        "{reason}"
    );
    assert!(report["summary"]["scanned"].as_u64().unwrap() > 50);
}

#[test]
fn a_bench_has_a_line_for_everybody_and_all_find_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let size = ["bench", "--rows", "3000", "--features", "5", "--type", "f32,int64", "--pages", "zstd,nulls"];
    let rest = ["--repeat", "1", "--backend", "cpu", "--threads", "2", "--json", "bench.json"];
    let output = gpudrift(folder.path(), &[&size[..], &rest].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("bench.json")).unwrap()).unwrap();
    let lines = found["lines"].as_array().unwrap();
    let who = ["arrow-rs decode", "decode", "cpu basic", "cpu full", "cpu basic, sorting"];
    let same = [None, None, None, None, Some(true)];
    assert_eq!(lines.len(), 4 * who.len());
    for case in lines.chunks(who.len()) {
        for ((line, who), same) in case.iter().zip(who).zip(same) {
            assert_eq!((&line["who"], line["same"].as_bool()), (&who.into(), same));
            assert_eq!(line["values"], 2 * 5 * 3000);
        }
    }
    assert!(text(&output.stdout).contains("cpu basic, sorting"));
}
