//! A whole scan with a mutated Parquet file on one side, and a good one with the same features on the other.

#![no_main]

use std::sync::LazyLock;

use gpudrift::backend::cpu::Cpu;
use gpudrift::config::{FactsChoice, ScanConfig};
use gpudrift::generate::{GenerateSpec, TYPES};
use gpudrift::metric::METRICS;
use gpudrift::progress::NoProgress;
use gpudrift::scan::scan_with;
use gpudrift_fuzz::{MAX_ROWS, file, mutate, open};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

/// A feature of every type; the seeds have the same names.
static GOOD: LazyLock<String> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("gpudrift-fuzz-good-{}", std::process::id()));
    let spec = GenerateSpec {
        rows: 300,
        current_rows: 300,
        features: TYPES.len(),
        types: TYPES.iter().map(|(_, make)| make()).collect(),
        // Names follow from the types alone then.
        drifted: 0.0,
        ..GenerateSpec::default()
    };
    spec.store().expect("a store").write(&folder, true).expect("room for the good side");
    let bytes = std::fs::read(folder.join("reference/part-000.parquet")).expect("the good side");
    std::fs::remove_dir_all(folder).expect("the good side is in memory");
    file("good.parquet", &bytes)
});

fuzz_target!(|bytes: &[u8]| {
    let path = file("mutated.parquet", bytes);
    match open(&path) {
        Some(data) if data.rows() <= MAX_ROWS => {}
        _ => return,
    }
    // The length decides what else varies, so that an input stays a plain file.
    let turn = |bit: u32| bytes.len() >> bit & 1 == 1;
    let (reference, current) = if turn(0) { (path, GOOD.clone()) } else { (GOOD.clone(), path) };
    let config = ScanConfig {
        reference: vec![reference],
        current: vec![current],
        metrics: METRICS.iter().map(|metric| metric.card().name.to_owned()).collect(),
        facts: if turn(1) { FactsChoice::Full } else { FactsChoice::Basic },
        // Without memory every feature is streamed.
        memory_limit: if turn(2) { 1 } else { 64 << 20 },
        threads: 1,
        ..ScanConfig::default()
    };
    let report = scan_with(&config, &Cpu, &NoProgress).expect("both sides open");
    assert_eq!(report.summary.scanned, report.features.len() as u64);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, fuzzer_mutate)
});
