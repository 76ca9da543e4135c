//! What fuzzing found stays found: every file under `tests/fuzzed/` once made the program panic, hang or take memory without
//! bounds. Each is scanned against a good file with the same features, either way round, held and streamed.

use gpudrift::config::{BackendChoice, ScanConfig};
use gpudrift::generate::{GenerateSpec, TYPES};
use gpudrift::metric::METRICS;
use gpudrift::progress::NoProgress;
use gpudrift::scan::{ScanError, scan};

#[test]
fn files_that_once_broke_the_program_are_scanned_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let types: Vec<_> = TYPES.iter().map(|(_, make)| make()).collect();
    // Without drift the names follow from the types alone: the files have them.
    let good = GenerateSpec {
        rows: 300,
        current_rows: 300,
        features: types.len(),
        types,
        drifted: 0.0,
        ..GenerateSpec::default()
    };
    good.store().unwrap().write(folder.path(), false).unwrap();
    let good = folder.path().join("reference").display().to_string();
    let found: Vec<_> = std::fs::read_dir("tests/fuzzed").unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(!found.is_empty(), "no file was scanned");
    for path in found {
        let path = path.display().to_string();
        for (reference, current) in [(&path, &good), (&good, &path), (&path, &path)] {
            for memory_limit in [1, 1 << 28] {
                let config = ScanConfig {
                    reference: vec![reference.clone()],
                    current: vec![current.clone()],
                    metrics: METRICS.iter().map(|metric| metric.card().name.to_owned()).collect(),
                    backend: BackendChoice::Cpu,
                    memory_limit,
                    threads: 2,
                    ..ScanConfig::default()
                };
                match scan(&config, &NoProgress) {
                    Ok(report) => assert!(report.summary.scanned > 0, "{path}: no feature was met"),
                    Err(error) => assert!(matches!(error, ScanError::Source { .. }), "{path}: {error}"),
                }
            }
        }
    }
}
