//! Profiles that grow day by day: merged ones are those of the data in one piece.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use gpudrift::config::{BackendChoice, ScanConfig};
use gpudrift::generate::{GenerateSpec, TYPES, type_named};
use gpudrift::profile::{BuildOptions, Profile, build, merge};
use gpudrift::progress::NoProgress;
use gpudrift::scan::scan;
use gpudrift::source::{Dataset, OpenOptions};
use std::path::{Path, PathBuf};

/// A store of every type; its reference in `files` files.
fn store(folder: &Path, rows: u64, files: u64) {
    let mut spec = GenerateSpec {
        rows,
        current_rows: rows,
        features: TYPES.len(),
        types: TYPES.map(|(name, _)| type_named(name).unwrap()).to_vec(),
        drifted: 0.5,
        nulls: 0.05,
        nans: 0.02,
        ..GenerateSpec::default()
    };
    spec.format.files = files;
    spec.store().unwrap().write(folder, false).unwrap();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    files
}

fn built(path: &Path, size: Option<u64>) -> Vec<u8> {
    let data = Dataset::open(&[path.display().to_string()], &OpenOptions::default()).unwrap();
    let mut bytes = Vec::new();
    build(&data, &BuildOptions { size, memory_limit: 1 << 30, threads: 2 }, &NoProgress, &mut bytes).unwrap();
    bytes
}

fn opened(folder: &Path, name: &str, bytes: &[u8]) -> Profile {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    Profile::open(&path).unwrap()
}

fn merged(profiles: &[Profile], size: Option<u64>) -> Vec<u8> {
    let mut bytes = Vec::new();
    assert_eq!(merge(profiles, size, &mut bytes).unwrap(), []);
    bytes
}

#[test]
fn the_merge_of_the_parts_is_the_profile_of_the_whole_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), 21_000, 3);
    let parts = files(&folder.path().join("reference"));
    assert_eq!(parts.len(), 3);
    let part = |i: usize| opened(folder.path(), &format!("{i}.gpd"), &built(&parts[i], None));
    let whole = built(&folder.path().join("reference"), None);
    assert!(merged(&[part(0), part(1), part(2)], None) == whole, "all at once");
    let first = opened(folder.path(), "first.gpd", &merged(&[part(0), part(1)], None));
    assert!(merged(&[first, part(2)], None) == whole, "day by day");
    assert!(merged(&[opened(folder.path(), "whole.gpd", &whole)], None) == whole, "one alone");
}

#[test]
fn a_column_that_one_part_lacks_is_null_there() {
    let folder = tempfile::tempdir().unwrap();
    let small =
        |seed, features| GenerateSpec { rows: 500, current_rows: 500, features, seed, ..GenerateSpec::default() };
    let days = folder.path().join("days");
    for (day, features) in [("a", 3), ("b", 5)] {
        let store = folder.path().join(day);
        small(1, features).store().unwrap().write(&store, false).unwrap();
        std::fs::create_dir_all(&days).unwrap();
        std::fs::copy(&files(&store.join("reference"))[0], days.join(format!("{day}.parquet"))).unwrap();
    }
    let part = |day: &str| {
        let path = days.join(format!("{day}.parquet"));
        opened(folder.path(), &format!("{day}.gpd"), &built(&path, None))
    };
    assert!(merged(&[part("a"), part("b")], None) == built(&days, None));
}

#[test]
fn bounds_of_merged_profiles_add_up_and_hold() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), 30_000, 2);
    let side = |side: &str| vec![folder.path().join(side).display().to_string()];
    let exact = ScanConfig {
        reference: side("reference"),
        current: side("current"),
        backend: BackendChoice::Cpu,
        threads: 2,
        ..ScanConfig::default()
    };
    let expected = scan(&exact, &NoProgress).unwrap();
    let parts = files(&folder.path().join("reference"));
    for (own, size) in [(Some(400), None), (Some(400), Some(300)), (None, Some(300))] {
        let bounded = [0, 1].map(|i| opened(folder.path(), &format!("{i}.gpd"), &built(&parts[i], own)));
        let path = folder.path().join("both.gpd");
        std::fs::write(&path, merged(&bounded, size)).unwrap();
        let config = ScanConfig { reference: Vec::new(), profile: Some(path), ..exact.clone() };
        let found = scan(&config, &NoProgress).unwrap();
        assert_eq!(found.features.len(), expected.features.len());
        let mut stated = 0;
        for (found, expected) in found.features.iter().zip(&expected.features) {
            let (Some(a), Some(b)) = (found.number("ks_statistic"), expected.number("ks_statistic")) else { continue };
            let error = found.number("ks_statistic_error").unwrap_or(0.0);
            stated += u32::from(error > 0.0);
            assert!((a - b).abs() <= error + 1e-15, "{}: {a} against {b}, at most {error}", found.name);
            assert_eq!(found.reference.rows, expected.reference.rows);
        }
        assert!(stated > 3, "hardly a feature was bounded");
    }
}

#[test]
fn the_program_builds_merges_shows_verifies_and_scans() {
    let folder = tempfile::tempdir().unwrap();
    store(folder.path(), 3000, 2);
    let run = |args: &[&str]| {
        let mut command = assert_cmd::Command::cargo_bin("gpudrift").unwrap();
        let output = command.current_dir(folder.path()).args(args).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    };
    for (i, part) in files(&folder.path().join("reference")).iter().enumerate() {
        let (code, _, said) =
            run(&["profile", "build", "--reference", &part.display().to_string(), "-o", &format!("{i}.gpd")]);
        assert_eq!((code, said.contains("wrote")), (0, true), "{said}");
    }
    assert_eq!(run(&["profile", "merge", "0.gpd", "1.gpd", "--output", "all.gpd"]).0, 0);
    let (code, shown, _) = run(&["profile", "show", "all.gpd"]);
    assert_eq!((code, shown.contains("3,000 rows")), (0, true), "{shown}");
    let (code, json, _) = run(&["profile", "show", "all.gpd", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["features"].as_array().unwrap().len()), (0, TYPES.len()));
    assert_eq!(run(&["profile", "verify", "all.gpd"]).0, 0);
    let body = |args: &[&str]| {
        let (code, report, said) = run(&[&["scan", "--current", "current", "--format", "json"], args].concat());
        assert_eq!(code, 0, "{said}");
        let mut report: serde_json::Value = serde_json::from_str(&report).unwrap();
        report.as_object_mut().unwrap().remove("run").unwrap();
        report
    };
    assert_eq!(body(&["--profile", "all.gpd"]), body(&["--reference", "reference"]));

    let (code, _, said) = run(&["profile", "merge", "0.gpd", "gone.gpd", "--output", "x.gpd"]);
    assert_eq!((code, said.contains("gone.gpd")), (3, true), "{said}");
    let (code, _, said) = run(&["scan", "--profile", "reference", "--current", "current"]);
    assert_eq!((code, said.contains("reference")), (3, true), "{said}");
    assert!(!folder.path().join("x.gpd").exists(), "nothing half-written is left");
}
