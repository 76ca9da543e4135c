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
        &["cannot write --output no/such/folder/x.json", "caused by"],
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
