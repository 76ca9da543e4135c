//! Profiles of a column that is far larger than the memory that may be used.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/memory.rs"]
mod memory;

use std::path::Path;
use std::process::Command;

use gpudrift::generate::{GenerateSpec, type_named};
use gpudrift::profile::{BuildOptions, build};
use gpudrift::progress::NoProgress;
use gpudrift::source::{Dataset, OpenOptions};
use memory::peak_anonymous;

const LIMIT: u64 = 24 << 20;

/// Peak anonymous memory of a run, sampled.
fn peak(arguments: &[&str]) -> u64 {
    let (status, peak) = peak_anonymous(Command::new(env!("CARGO_BIN_EXE_gpudrift")).args(arguments));
    assert!(status.code().is_some_and(|code| code < 2), "{arguments:?}");
    peak
}

fn same(found: &Path, expected: &[u8], what: &str) {
    assert!(std::fs::read(found).unwrap() == expected, "{what} writes other bytes than memory holds");
}

#[test]
fn a_profile_follows_the_limit_and_not_the_column() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = GenerateSpec {
        rows: 16_000_000,
        current_rows: 1000,
        features: 1,
        types: vec![type_named("f64").unwrap()],
        drifted: 0.0,
        ..GenerateSpec::default()
    };
    spec.format.dictionary = false;
    spec.format.files = 2;
    spec.store().unwrap().write(folder.path(), false).unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (large, small, limit) = (path("reference"), path("current"), LIMIT.to_string());
    let parts: Vec<String> = [0, 1].map(|part| format!("{large}/part-{part:03}.parquet")).to_vec();
    let data = Dataset::open(std::slice::from_ref(&large), &OpenOptions::default()).unwrap();
    assert!(data.rows() * 8 > 5 * LIMIT, "the column is too small for the test");
    let mut expected = Vec::new();
    build(&data, &BuildOptions { size: None, memory_limit: 1 << 40, threads: 2 }, &NoProgress, &mut expected).unwrap();
    let most = LIMIT + (32 << 20);

    let built = path("built.gpd");
    let limited = ["--memory-limit", &limit, "--threads", "2", "--quiet"];
    let found = peak(&[&["profile", "build", "--reference", &large, "--output", &built], &limited[..]].concat());
    same(Path::new(&built), &expected, "profile build");
    assert!(found < most, "profile build: peak {found} for a limit of {LIMIT}");

    let merged = path("merged.gpd");
    let profiles = [path("a.gpd"), path("b.gpd")];
    for (part, profile) in parts.iter().zip(&profiles) {
        peak(&[&["profile", "build", "--reference", part, "--output", profile], &limited[..]].concat());
    }
    let found = peak(&["profile", "merge", &profiles[0], &profiles[1], "--output", &merged, "--quiet"]);
    same(Path::new(&merged), &expected, "profile merge");
    assert!(found < most, "profile merge: peak {found}");

    let saved = path("saved.gpd");
    let scan = ["scan", "--backend", "cpu", "--output", "/dev/null", "--format", "json"];
    let sides = ["--reference", &small, "--current", &large, "--save-profile", &saved];
    let found = peak(&[&scan[..], &sides, &limited].concat());
    same(Path::new(&saved), &expected, "scan --save-profile");
    assert!(found < most, "scan --save-profile: peak {found} for a limit of {LIMIT}");
}
