//! Which devices count: `gpudrift devices`, `--devices`, several that share the columns, and the measured rates behind `auto`.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod support;

use assert_cmd::Command;
use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::gpu::UploadWay;
use gpudrift::backend::rate::{measure_cpu, measure_gpu};
use gpudrift::backend::several::Several;
use gpudrift::config::ScanConfig;
use gpudrift::generate::GenerateSpec;
use gpudrift::progress::NoProgress;
use gpudrift::scan::{scan, scan_with};
use std::fs;
use std::path::Path;
use std::process::Output;
use support::backends::{gpu, options, turned_off};
use support::sides;

/// Runs `gpudrift` in `folder`, which is also where it keeps what it measures.
fn gpudrift(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command.current_dir(folder).env("XDG_CACHE_HOME", folder.join("cache")).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

/// A small store in `folder`, and the configuration of its scan on the CPU.
fn store(folder: &Path) -> ScanConfig {
    let spec =
        GenerateSpec { rows: 20_000, current_rows: 10_000, features: 12, nulls: 0.02, ..GenerateSpec::default() };
    spec.store().unwrap().write(folder, false).unwrap();
    sides(folder)
}

#[test]
fn devices_that_share_the_columns_change_nothing_in_the_report() {
    if turned_off("devices_that_share_the_columns_change_nothing_in_the_report") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let config = store(folder.path());
    let expected = scan(&config, &NoProgress).unwrap();
    let several = Several::new(vec![Box::new(gpu(options(false))), Box::new(gpu(options(true))), Box::new(Cpu)]);
    // So little memory that there are many batches.
    let small = ScanConfig { memory_limit: 1 << 20, ..config };
    for config in [&ScanConfig { memory_limit: 1 << 30, ..small.clone() }, &small] {
        let found = scan_with(config, &several, &NoProgress).unwrap();
        assert_eq!(found.features, expected.features);
        assert_eq!(found.run.device.matches(" + ").count(), 2, "{}", found.run.device);
    }
}

#[test]
fn a_gpu_is_measured_by_every_way_that_keys_can_take() {
    if turned_off("a_gpu_is_measured_by_every_way_that_keys_can_take") {
        return;
    }
    let gpu = gpu(options(false));
    let rate = measure_gpu(&gpu).unwrap();
    assert!(rate.keys_per_second > 0);
    assert_eq!(rate.upload, Some(gpu.upload_way()), "it is left with the faster way");
    assert!(gpu.upload_ways().contains(&gpu.upload_way()) && gpu.upload_ways().contains(&UploadWay::Copied));
    let cpu = measure_cpu(1).unwrap();
    assert!(cpu.keys_per_second > 0 && cpu.upload.is_none());
}

#[test]
fn rates_are_kept_and_measured_again_when_the_file_is_damaged() {
    if turned_off("rates_are_kept_and_measured_again_when_the_file_is_damaged") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("cache/gpudrift/rates.json");
    let listed = gpudrift(folder.path(), &["devices"]);
    assert!(listed.status.success() && said(&listed).contains("--backend auto takes"), "{}", said(&listed));
    for _ in 0..2 {
        let measured = gpudrift(folder.path(), &["devices", "--measure", "--threads", "1"]);
        let text = said(&measured);
        assert!(measured.status.success() && text.contains(" M/s") && text.contains("keys go there"), "{text}");
        let rates: serde_json::Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
        let of = |what: &str| rates.as_object().unwrap().iter().filter(|(key, _)| key.contains(what)).count();
        assert_eq!((of("gpudrift"), of("1 threads")), (rates.as_object().unwrap().len(), 1), "{rates}");
        assert!(rates.as_object().unwrap().len() >= 2);
        fs::write(&kept, "{\"half a").unwrap();
    }
}

#[test]
fn devices_are_named_by_number_or_address() {
    if turned_off("devices_are_named_by_number_or_address") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    store(folder.path());
    let scan = |more: &[&str]| {
        let args = ["scan", "--reference", "reference", "--current", "current", "-f", "json"];
        gpudrift(folder.path(), &[&args, more].concat())
    };
    for (backend, devices, first) in [("gpu", "0", "0"), ("gpu", "all", "all"), ("auto", "0,0", "0")] {
        let output = scan(&["--backend", backend, "--devices", devices]);
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
        assert_eq!(report["run"]["backend"], "gpu", "{devices}");
        assert_eq!(report["run"]["config"]["devices"][0], first);
    }
    for (named, words) in [
        ("77", "there is no device 77; 0 is "),
        ("ffff:fe:1f.7", "there is no device ffff:fe:1f.7; 0 is "),
        ("all,0", "`all` is neither `all` alone, nor a number"),
        ("first", "nor a PCI address like 0000:01:00.0"),
    ] {
        let output = scan(&["--devices", named]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    let output = scan(&["--backend", "cpu", "--devices", "0"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("the backend is cpu"), "{}", said(&output));
}
