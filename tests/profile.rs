//! A saved reference: the same report as with the data that it was built from, and nothing that is misread.

#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test fails loudly; its sizes are small")]

mod support;

use gpudrift::backend::Backend;
use gpudrift::config::{FactsChoice, ScanConfig};
use gpudrift::generate::{GenerateSpec, TYPES, type_named};
use gpudrift::profile::{BuildOptions, Profile, ProfileError, build};
use gpudrift::progress::NoProgress;
use gpudrift::report::Report;
use gpudrift::scan::{ScanError, scan, scan_with};
use gpudrift::source::{Dataset, OpenOptions};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use support::backends::{shared, turned_off};
use support::sides;

fn all_metrics() -> Vec<String> {
    gpudrift::metric::METRICS.iter().map(|metric| metric.card().name.to_owned()).collect()
}

fn config(folder: &Path) -> ScanConfig {
    ScanConfig { metrics: all_metrics(), threads: 2, memory_limit: 1 << 30, ..sides(folder) }
}

/// A store of every type with every kind of drift.
fn store(folder: &Path, rows: u64, row_group_rows: usize, files: u64) -> ScanConfig {
    let mut spec = GenerateSpec {
        rows,
        current_rows: rows * 3 / 4,
        features: 2 * TYPES.len(),
        types: TYPES.map(|(name, _)| type_named(name).unwrap()).to_vec(),
        drifted: 0.5,
        nulls: 0.05,
        nans: 0.02,
        ..GenerateSpec::default()
    };
    spec.format.row_group_rows = row_group_rows;
    spec.format.files = files;
    spec.store().unwrap().write(folder, false).unwrap();
    config(folder)
}

fn bytes_of(paths: &[String], size: Option<u64>, threads: usize) -> Vec<u8> {
    let data = Dataset::open(paths, &OpenOptions::default()).unwrap();
    let mut bytes = Vec::new();
    let options = BuildOptions { size, memory_limit: 1 << 30, threads };
    let failures = build(&data, &options, &NoProgress, &mut bytes).unwrap();
    assert_eq!(failures, []);
    bytes
}

fn profile(config: &ScanConfig, folder: &Path, size: Option<u64>) -> PathBuf {
    let path = folder.join("reference.gpd");
    std::fs::write(&path, bytes_of(&config.reference, size, 2)).unwrap();
    path
}

fn with_profile(config: &ScanConfig, path: &Path) -> ScanConfig {
    ScanConfig { reference: Vec::new(), profile: Some(path.to_owned()), ..config.clone() }
}

/// Everything but `run`, as it is written.
fn body(report: &Report) -> Vec<String> {
    let mut lines: Vec<String> = report.features.iter().map(|one| serde_json::to_string(one).unwrap()).collect();
    lines.push(serde_json::to_string(&(&report.summary, &report.skipped)).unwrap());
    lines
}

fn same(config: &ScanConfig, path: &Path, what: &str) {
    let expected = scan(config, &NoProgress).unwrap();
    let found = scan(&with_profile(config, path), &NoProgress).unwrap();
    assert!(!expected.features.is_empty(), "nothing was compared");
    for (found, expected) in body(&found).iter().zip(body(&expected)) {
        assert_eq!(*found, expected, "{what}");
    }
    assert_eq!(body(&found).len(), body(&expected).len());
    assert_eq!(found.run.reference.rows, expected.run.reference.rows);
}

#[test]
fn the_report_is_the_same_to_the_byte_whatever_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 20_000, 7000, 2);
    let path = profile(&config, folder.path(), None);
    same(&config, &path, "every metric");
    for threads in [1, 3] {
        same(&ScanConfig { threads, ..config.clone() }, &path, "threads");
    }
    same(&ScanConfig { facts: FactsChoice::Basic, ..config.clone() }, &path, "basic facts");
    same(&ScanConfig { metrics: ScanConfig::default().metrics, ..config.clone() }, &path, "default metrics");
    same(&ScanConfig { psi_bins: 37, psi_floor: 0.01, ..config.clone() }, &path, "other bins");
    same(&ScanConfig { max_categories: Some(3), ..config.clone() }, &path, "few categories");
    same(&ScanConfig { memory_limit: 1 << 20, ..config.clone() }, &path, "little memory");
    same(&ScanConfig { categorical: vec!["*".to_owned()], ..config.clone() }, &path, "integers as categories");
    let turned = ScanConfig { reference: config.current.clone(), current: config.reference.clone(), ..config };
    same(&turned, &profile(&turned, folder.path(), None), "sides exchanged");
}

#[test]
fn the_demo_store_gives_the_same_report() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(Path::new("data"));
    same(&config, &profile(&config, folder.path(), None), "data/");
}

#[test]
fn the_gpu_counts_with_the_map_of_the_profile() {
    if turned_off("the_gpu_counts_with_the_map_of_the_profile") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 20_000, 20_000, 1);
    let path = profile(&config, folder.path(), None);
    let expected = scan(&config, &NoProgress).unwrap();
    let gpu: &dyn Backend = shared(false);
    let found = scan_with(&with_profile(&config, &path), gpu, &NoProgress).unwrap();
    assert_eq!(body(&found), body(&expected));
}

/// Two stores whose features have other types on the two sides.
#[test]
fn changed_types_and_one_sided_features_give_the_same_report() {
    let names = TYPES.map(|(name, _)| name);
    for shift in 1..names.len() {
        let folder = tempfile::tempdir().unwrap();
        let side = |at: usize, count: usize| {
            let root = folder.path().join(at.to_string());
            let types = (0..names.len()).map(|i| type_named(names[(i + at * shift) % names.len()]).unwrap());
            let spec = GenerateSpec {
                rows: 3000,
                current_rows: 10,
                features: count,
                types: types.collect(),
                seed: 3 + at as u64,
                nulls: 0.1,
                ..GenerateSpec::default()
            };
            let store = spec.store().unwrap();
            // One name a place, whatever the type.
            store.write(&root, false).unwrap();
            root
        };
        let (one, other) = (side(0, names.len() + 1), side(1, names.len()));
        let paths = |root: &Path| vec![root.join("reference").display().to_string()];
        let config = ScanConfig { reference: paths(&one), current: paths(&other), ..config(folder.path()) };
        let path = profile(&config, folder.path(), None);
        let expected = scan(&config, &NoProgress).unwrap();
        let found = scan(&with_profile(&config, &path), &NoProgress).unwrap();
        differences(&body(&found), &body(&expected));
    }
}

/// Fails at the first place where two reports differ, with the text around it.
fn differences(found: &[String], expected: &[String]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        let at = found.bytes().zip(expected.bytes()).take_while(|(a, b)| a == b).count();
        let around = |text: &str| text.chars().skip(at.saturating_sub(200)).take(400).collect::<String>();
        assert!(found == expected, "found    {}\nexpected {}", around(found), around(expected));
    }
}

#[test]
fn a_profile_does_not_depend_on_threads_row_groups_or_files() {
    let whole = tempfile::tempdir().unwrap();
    let expected = bytes_of(&store(whole.path(), 10_000, 1 << 20, 1).reference, None, 1);
    let cut = tempfile::tempdir().unwrap();
    let cut = store(cut.path(), 10_000, 777, 3).reference;
    for threads in [1, 3] {
        assert!(bytes_of(&cut, None, threads) == expected, "{threads} threads");
    }
}

#[test]
fn sizes_stay_below_what_was_promised() {
    for (types, rows, share) in [("f64", 100_000, 0.75), ("f64", 1_000_000, 0.65), ("bool", 100_000, 0.25)] {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = GenerateSpec {
            rows,
            current_rows: 1,
            features: 1,
            types: vec![type_named(types).unwrap()],
            drifted: 0.0,
            ..GenerateSpec::default()
        };
        spec.format.dictionary = false;
        spec.store().unwrap().write(folder.path(), false).unwrap();
        let paths = config(folder.path()).reference;
        let data = Dataset::open(&paths, &OpenOptions::default()).unwrap();
        let parquet: u64 = data.files().iter().map(gpudrift::source::DataFile::bytes).sum();
        let found = bytes_of(&paths, None, 2).len() as f64 / parquet as f64;
        assert!(found <= share, "{types}, {rows} rows: {found}");
    }
}

#[test]
fn a_bounded_profile_states_a_bound_that_holds() {
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 30_000, 1 << 20, 1);
    let exact = scan(&config, &NoProgress).unwrap();
    let mut bounded = 0;
    for size in [100, 300, 1000, 8000] {
        let path = profile(&config, folder.path(), Some(size));
        let found = scan(&with_profile(&config, &path), &NoProgress).unwrap();
        for (found, exact) in found.features.iter().zip(&exact.features) {
            let Some(error) = found.number("ks_statistic_error") else {
                // q-values rest on the p-values of all features, bounded ones too.
                assert_eq!(found.number("ks_statistic"), exact.number("ks_statistic"), "{}", found.name);
                assert_eq!((&found.reference, &found.psi_bins), (&exact.reference, &exact.psi_bins));
                continue;
            };
            bounded += 1;
            let [a, b] = [found, exact].map(|one| one.number("ks_statistic").unwrap());
            assert!((a - b).abs() <= error + 1e-15, "{}: {a} {b} {error}", found.name);
            assert!(error < 2.0 / (size as f64 - 72.0), "{}: {error} with {size} points", found.name);
            assert!(found.notes.iter().any(|note| note.contains("at most")));
            assert_eq!(
                (found.number("psi"), &found.psi_bins),
                (exact.number("psi"), &exact.psi_bins),
                "{}",
                found.name
            );
        }
    }
    assert!(bounded > 10, "{bounded}");
}

#[test]
fn what_a_bounded_profile_cannot_answer_is_an_error_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 30_000, 1 << 20, 1);
    let path = profile(&config, folder.path(), Some(100));
    let asked = ScanConfig { categorical: vec!["*".to_owned()], ..with_profile(&config, &path) };
    let error = scan(&asked, &NoProgress).unwrap_err();
    let ScanError::Profile(error) = error else { panic!("{error}") };
    assert!(error.to_string().contains("build it anew without"), "{error}");
}

#[test]
fn other_files_and_other_versions_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 100, 100, 1);
    let open = |bytes: &[u8]| {
        let path = folder.path().join("x.gpd");
        std::fs::write(&path, bytes).unwrap();
        Profile::open(&path)
    };
    for foreign in [&b""[..], b"PAR1", &[0; 1000]] {
        assert!(matches!(open(foreign), Err(ProfileError::Foreign { .. })));
    }
    let bytes = bytes_of(&config.reference, None, 1);
    let at = bytes.windows(10).rposition(|window| window == b"\"format\":1").unwrap();
    let mut other = bytes.clone();
    other[at + 9] = b'9';
    let error = open(&other).unwrap_err().to_string();
    assert!(error.contains("format 9") && error.contains("build it anew"), "{error}");
    assert!(open(&bytes).unwrap().verify().is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn an_altered_profile_is_refused_or_gives_the_same_answer(place: prop::sample::Index, flip in 1_u8.., cut: bool) {
        static SAMPLE: std::sync::LazyLock<(tempfile::TempDir, ScanConfig, Vec<u8>, Vec<String>)> =
            std::sync::LazyLock::new(|| {
                let folder = tempfile::tempdir().unwrap();
                let config = ScanConfig { threads: 1, ..store(folder.path(), 600, 600, 1) };
                let bytes = bytes_of(&config.reference, None, 1);
                let expected = body(&scan(&config, &NoProgress).unwrap());
                (folder, config, bytes, expected)
            });
        let (folder, config, bytes, expected) = &*SAMPLE;
        let mut bytes = bytes.clone();
        let at = place.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] ^= flip }
        let path = folder.path().join("altered.gpd");
        std::fs::write(&path, &bytes).unwrap();
        if let Ok(report) = scan(&with_profile(config, &path), &NoProgress) {
            prop_assert!(!cut, "a file that is cut off is refused");
            // A feature whose part is damaged is left out, with its reason; what is reported is right.
            let found = body(&report);
            for feature in &found[..found.len() - 1] {
                let name = feature.split(',').next().unwrap();
                let expected = expected.iter().find(|one| one.starts_with(name)).unwrap();
                let without_q = |text: &str| text.split("_q_value").next().unwrap().to_owned();
                prop_assert_eq!(without_q(&metrics(feature)), without_q(&metrics(expected)));
            }
            let lost = expected.len() - found.len();
            prop_assert_eq!(report.skipped.iter().filter(|one| one.is_failure()).count(), lost);
            prop_assert!(lost <= 1);
        }
    }
}

fn metrics(feature: &str) -> String {
    let at = feature.find("\"metrics\"").unwrap();
    feature[at..].to_owned()
}
