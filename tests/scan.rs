//! The whole pipeline: the same report however the work is cut, within the memory that it may take.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[cfg(target_os = "linux")]
#[path = "support/memory.rs"]
mod memory;

use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::{self, Asked, Backend};
use gpudrift::config::{BackendChoice, FactsChoice, ScanConfig};
use gpudrift::generate::{GenerateSpec, TYPES, type_named};
use gpudrift::progress::NoProgress;
use gpudrift::report::{Report, SkipCause};
use gpudrift::scan::{scan, scan_by_sorting, scan_with};
use std::path::Path;

const ALL_METRICS: [&str; 9] =
    ["psi", "ks", "js", "chi2", "wasserstein", "hellinger", "total_variation", "l_infinity", "kl"];

fn config(folder: &Path) -> ScanConfig {
    let side = |side: &str| vec![folder.join(side).display().to_string()];
    ScanConfig {
        reference: side("reference"),
        current: side("current"),
        metrics: ALL_METRICS.map(str::to_owned).to_vec(),
        backend: BackendChoice::Cpu,
        threads: 2,
        memory_limit: 1 << 30,
        ..ScanConfig::default()
    }
}

/// A store of every type; only how the rows are cut into files and row groups differs between two calls.
fn store(folder: &Path, rows: u64, row_group_rows: usize, files: u64) -> ScanConfig {
    let types = ["f32", "f64", "int32", "int64", "string", "bool"];
    let mut spec = GenerateSpec {
        rows,
        current_rows: rows * 3 / 4,
        features: 24,
        types: types.iter().map(|name| type_named(name).unwrap()).collect(),
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

fn same(left: &Report, right: &Report, what: &str) {
    assert_eq!(left.features.len(), right.features.len(), "{what}");
    assert!(!left.features.is_empty(), "nothing was compared");
    for (a, b) in left.features.iter().zip(&right.features) {
        assert_eq!(
            serde_json::to_string(a).unwrap(),
            serde_json::to_string(b).unwrap(),
            "{what}: feature {} differs",
            a.name
        );
    }
    assert_eq!((&left.summary, &left.skipped), (&right.summary, &right.skipped), "{what}");
}

#[test]
fn counting_cells_gives_what_sorting_both_sides_gives() {
    let folder = tempfile::tempdir().unwrap();
    let whole = store(folder.path(), 20_000, 7000, 2);
    let metrics = ["psi", "ks", "js", "chi2"].map(str::to_owned).to_vec();
    let cells = ScanConfig { metrics, facts: FactsChoice::Basic, ..whole };
    let sorted = scan_by_sorting(&cells).unwrap();
    let with_a_gap = sorted.features.iter().filter(|feature| feature.number("ks_statistic").is_some_and(|d| d > 0.0));
    assert!(with_a_gap.count() > 10, "the oracle found gaps");
    same(&scan(&cells, &NoProgress).unwrap(), &sorted, "sorted");
    // Memory for nothing: the cells are counted window by window, and what is sorted is sorted whole.
    let streamed = ScanConfig { memory_limit: 1 << 20, psi_bins: 7, ..cells };
    same(&scan(&streamed, &NoProgress).unwrap(), &scan_by_sorting(&streamed).unwrap(), "sorted, streamed");
}

/// Found by the fuzz target `scan`: a file without rows has no row group to say how wide its keys are.
#[test]
fn a_side_without_rows_leaves_the_facts_of_the_other() {
    for [rows, current_rows] in [[300, 0], [0, 300], [0, 0]] {
        let folder = tempfile::tempdir().unwrap();
        let types = TYPES.iter().filter(|(name, _)| *name != "list").map(|(_, make)| make()).collect::<Vec<_>>();
        let features = types.len();
        let spec = GenerateSpec { rows, current_rows, features, types, ..GenerateSpec::default() };
        spec.store().unwrap().write(folder.path(), false).unwrap();
        for memory_limit in [1 << 30, 1] {
            let config = ScanConfig { memory_limit, ..config(folder.path()) };
            let report = scan(&config, &NoProgress).unwrap();
            assert_eq!((report.features.len(), report.skipped.len()), (features, 0), "{:?}", report.skipped);
            for feature in &report.features {
                assert_eq!([feature.reference.rows, feature.current.rows], [rows, current_rows], "{}", feature.name);
                assert_eq!(feature.number("psi"), None, "{}", feature.name);
            }
        }
    }
}

#[test]
fn report_does_not_depend_on_how_the_work_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let whole = store(folder.path(), 30_000, 1 << 20, 1);
    let expected = scan(&whole, &NoProgress).unwrap();
    for threads in [1, 3] {
        same(&scan(&ScanConfig { threads, ..whole.clone() }, &NoProgress).unwrap(), &expected, "threads");
    }
    for memory_limit in [1 << 20, 4 << 20, 1 << 22] {
        let config = ScanConfig { memory_limit, ..whole.clone() };
        same(&scan(&config, &NoProgress).unwrap(), &expected, "memory limit");
    }
    for (row_group_rows, files) in [(777, 1), (5000, 4), (100_000, 7)] {
        let folder = tempfile::tempdir().unwrap();
        let cut = store(folder.path(), 30_000, row_group_rows, files);
        same(&scan(&cut, &NoProgress).unwrap(), &expected, "row groups and files");
    }
}

/// A CPU that says it is a device, so that features come to it in batches, decoded while it counts.
struct Device {
    batch_bytes: usize,
}

impl Backend for Device {
    fn name(&self) -> &'static str {
        "device"
    }

    fn device(&self) -> String {
        String::new()
    }

    fn batch_bytes(&self) -> usize {
        self.batch_bytes
    }

    fn load<'k>(
        &'k self,
        columns: Vec<backend::Column<'k>>,
    ) -> Result<Box<dyn backend::Loaded + 'k>, backend::DeviceError> {
        Cpu.load(columns)
    }
}

#[test]
fn batches_of_features_change_no_digit() {
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 5000, 2000, 2);
    let expected = scan(&config, &NoProgress).unwrap();
    for batch_bytes in [1, 100_000, 1 << 30] {
        let found = scan_with(&config, &Device { batch_bytes }, &NoProgress).unwrap();
        same(&found, &expected, "batches");
    }
}

/// A device that never has enough memory, or is gone: every feature fails, and says so.
struct Broken;

impl Backend for Broken {
    fn name(&self) -> &'static str {
        "broken"
    }

    fn device(&self) -> String {
        String::new()
    }

    fn batch_bytes(&self) -> usize {
        1 << 20
    }

    fn load<'k>(&'k self, _: Vec<backend::Column<'k>>) -> Result<Box<dyn backend::Loaded + 'k>, backend::DeviceError> {
        Err(backend::DeviceError::Lost("pulled out".to_owned()))
    }
}

#[test]
fn broken_device_loses_no_feature_from_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 100, 100, 1);
    let found = scan_with(&config, &Broken, &NoProgress).unwrap();
    assert_eq!((found.features.len(), found.skipped.len()), (0, 24));
    assert!(found.skipped.iter().all(|one| one.cause == SkipCause::Unreadable && one.reason.contains("pulled out")));
}

#[test]
fn gpu_report_equals_cpu_report() {
    if std::env::var("GPUDRIFT_TEST_GPU").as_deref() == Ok("off") {
        println!("gpu_report_equals_cpu_report was turned off by GPUDRIFT_TEST_GPU=off");
        return;
    }
    let asked = Asked::of(&ScanConfig { backend: BackendChoice::Gpu, ..ScanConfig::default() }).unwrap();
    let gpu = backend::open(&asked).expect("tests need a Vulkan adapter; ./tests/run.sh installs a software one");
    println!("adapter: {}", gpu.device());
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path(), 20_000, 6000, 2);
    let expected = scan(&config, &NoProgress).unwrap();
    let found = scan_with(&config, gpu.as_ref(), &NoProgress).unwrap();
    assert_eq!(found.run.backend, "gpu");
    same(&found, &expected, "GPU against CPU");
    let small = ScanConfig { memory_limit: 1 << 20, ..config };
    same(&scan_with(&small, gpu.as_ref(), &NoProgress).unwrap(), &expected, "GPU with little memory");
}

/// Peak anonymous memory of a scan.
#[cfg(target_os = "linux")]
fn peak_anonymous(config: &ScanConfig) -> u64 {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gpudrift"));
    command.args([
        "scan",
        "--backend",
        "cpu",
        "--format",
        "json",
        "--threads",
        "2",
        "--quiet",
        "--output",
        "/dev/null",
    ]);
    command.args(["--reference", &config.reference[0], "--current", &config.current[0]]);
    command.args(["--memory-limit", &config.memory_limit.to_string()]);
    let (status, peak) = memory::peak_anonymous(&mut command);
    assert!(status.success());
    peak
}

#[test]
fn dictionary_pages_plain_pages_and_both_give_one_report() {
    // Few values, as many as rows, and such as outgrow their dictionaries in the middle of a chunk.
    let types =
        ["f32", "f64", "int32", "int64", "decimal", "wide-decimal", "timestamp", "date32", "string", "dictionary"];
    let report = |dictionary: bool, rows: u64| {
        let folder = tempfile::tempdir().unwrap();
        let mut spec = GenerateSpec {
            rows,
            current_rows: rows * 3 / 4,
            features: 20,
            types: types.iter().map(|name| type_named(name).unwrap()).collect(),
            drifted: 0.5,
            nulls: 0.03,
            nans: 0.02,
            ..GenerateSpec::default()
        };
        spec.format.dictionary = dictionary;
        spec.store().unwrap().write(folder.path(), false).unwrap();
        let config = config(folder.path());
        let held = scan(&config, &NoProgress).unwrap();
        let streamed = scan(&ScanConfig { memory_limit: 1 << 20, ..config }, &NoProgress).unwrap();
        assert_eq!(held.features, streamed.features);
        held.features
    };
    for rows in [3000, 280_000] {
        let (by_code, by_value) = (report(true, rows), report(false, rows));
        assert_eq!(by_code.len(), 20);
        assert_eq!(by_code, by_value, "{rows} rows");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn memory_follows_the_limit_and_not_the_input() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = GenerateSpec {
        rows: 12_000_000,
        current_rows: 12_000_000,
        features: 2,
        types: vec![type_named("f64").unwrap(), type_named("string").unwrap()],
        drifted: 0.0,
        ..GenerateSpec::default()
    };
    spec.format.dictionary = false;
    let written = spec.store().unwrap().write(folder.path(), false).unwrap();
    let memory_limit = 40 << 20;
    assert!(written.bytes > 5 * memory_limit, "the input has only {} bytes", written.bytes);
    let peak = peak_anonymous(&ScanConfig { memory_limit, ..config(folder.path()) });
    println!("input {} bytes, limit {memory_limit}, peak {peak}", written.bytes);
    assert!(peak < memory_limit + (32 << 20), "peak {peak} for a limit of {memory_limit}");
}
