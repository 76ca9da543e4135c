//! `gpudrift model scan --backend gpu`: the report of the CPU, byte for byte, and never that of a device that is wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

#[path = "support/backends.rs"]
#[allow(dead_code, reason = "the tests of the backends use the rest")]
mod backends;
#[path = "support/logs.rs"]
#[allow(dead_code, reason = "the tests of the scan use the rest")]
mod logs;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};
use assert_cmd::Command;
use gpudrift::backend::{Backend, Column, DeviceError, Loaded, SelectJob};
use gpudrift::counts::{CellCounts, Keys};
use gpudrift::model::scan::{scan, scan_on};
use gpudrift::model::{ModelOptions, ModelReport, Task};
use indexmap::IndexMap;

use backends::{shared, turned_off};
use logs::{Row, draw, log, write};

/// Rows of 30 days with versions and regions; some scores are NaN or null, at the ends, or the same, some labels are missing.
fn rows() -> Vec<Row> {
    let mut rows = log(4000);
    for (at, row) in rows.iter_mut().enumerate() {
        match at % 97 {
            0 => row.score = Some(f64::NAN),
            1 => row.score = None,
            2 => row.score = Some(0.0),
            3 => row.score = Some(-0.0),
            4 => row.score = Some(1.0),
            5..=9 => row.score = Some(0.25),
            11 => row.label = None,
            _ => {}
        }
    }
    rows
}

fn write_rows(path: &Path) {
    let rows = rows();
    let mut state = 5;
    let weights: Float64Array = rows.iter().map(|_| Some(0.5 + draw(&mut state))).collect();
    let score = |of: fn(f64) -> f64| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row.score.map(of)).collect::<Float64Array>())
    };
    let named = |row: &Row| row.label.map(|label| ["cat", "dog"][usize::try_from(label).unwrap()]);
    write(
        path,
        vec![
            ("at", Arc::new(rows.iter().map(|row| Some(row.time)).collect::<TimestampMicrosecondArray>())),
            ("version", Arc::new(rows.iter().map(|row| Some(row.version)).collect::<StringArray>())),
            ("region", Arc::new(rows.iter().map(|row| row.region).collect::<StringArray>())),
            ("score", score(|p| p)),
            ("odds", score(|p| 10.0 * p - 3.0)),
            ("dog", score(|p| p * 0.8)),
            ("cat", score(|p| (1.0 - p) * 0.8)),
            ("bird", score(|_| 0.2)),
            ("label", Arc::new(rows.iter().map(|row| row.label).collect::<Int64Array>())),
            ("animal", Arc::new(rows.iter().map(named).collect::<StringArray>())),
            ("weight", Arc::new(weights)),
        ],
    );
}

/// A model of each task that has scores, one with weights.
fn models(folder: &Path) -> Vec<gpudrift::model::ModelConfig> {
    let path = folder.join("log.parquet");
    write_rows(&path);
    let text = |text: &str| Some(text.to_owned());
    let common = || ModelOptions {
        input: Some(vec![path.display().to_string()]),
        reference: Some(vec![path.display().to_string()]),
        timestamp: text("at"),
        window: Some(gpudrift::model::Window::Week),
        version: text("version"),
        segments: Some(vec!["region".to_owned()]),
        ..ModelOptions::default()
    };
    let several = ["dog", "cat", "bird"].map(|class| (class.to_owned(), class.to_owned()));
    let all = [
        ("binary", ModelOptions { score: text("score"), label: text("label"), ..common() }),
        ("weighted", ModelOptions { score: text("score"), label: text("label"), weight: text("weight"), ..common() }),
        ("ranking", ModelOptions { task: Some(Task::Ranking), score: text("odds"), label: text("label"), ..common() }),
        (
            "multiclass",
            ModelOptions {
                task: Some(Task::Multiclass),
                prediction: text("animal"),
                scores: Some(IndexMap::from(several)),
                label: text("animal"),
                ..common()
            },
        ),
    ];
    all.into_iter().map(|(name, options)| options.resolve(name).unwrap()).collect()
}

/// A report without what ran.
fn told(report: &ModelReport) -> String {
    let mut value = serde_json::to_value(report).unwrap();
    value["run"].take();
    serde_json::to_string_pretty(&value).unwrap()
}

/// Memory that the counts fit, and memory that they do not.
const MEMORY: [u64; 2] = [1 << 24, 20_000];

#[test]
fn a_gpu_gives_the_report_of_the_cpu() {
    if turned_off("a_gpu_gives_the_report_of_the_cpu") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let models = models(folder.path());
    let cpu = told(&scan(&models, MEMORY[0]).unwrap());
    assert!(cpu.contains("\"average_precision\"") && cpu.contains("\"ndcg\""));
    for memory in MEMORY {
        let report = scan_on(&models, memory, Some(shared(true))).unwrap();
        assert_eq!((report.run.backend, report.run.device.is_some()), ("gpu", true));
        assert!(told(&report) == cpu, "the reports differ");
        let stayed = report.warnings();
        assert!(
            stayed.contains(&"model weighted: its rows have weights, and were sorted on the CPU".to_owned()),
            "{stayed:?}"
        );
    }
}

#[test]
fn the_flag_takes_a_gpu_and_the_report_says_so() {
    if turned_off("the_flag_takes_a_gpu_and_the_report_says_so") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    write_rows(&folder.path().join("log.parquet"));
    let reports = ["cpu", "gpu"].map(|backend| {
        let mut program = Command::cargo_bin("gpudrift").unwrap();
        program.current_dir(folder.path()).args(["model", "scan", "--input", "log.parquet", "--format", "json"]);
        let output = program.args(["--score", "score", "--label", "label", "--backend", backend]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let mut report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["run"].take()["backend"], backend);
        report
    });
    assert_eq!(reports[0], reports[1]);
}

/// A backend that forgets a key, or does not answer.
struct Wrong {
    fails: bool,
}

struct WrongKeys<'k> {
    columns: Vec<Column<'k>>,
    fails: bool,
}

impl Backend for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn device(&self) -> String {
        "none".to_owned()
    }
    fn batch_bytes(&self) -> usize {
        1 << 20
    }
    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        Ok(Box::new(WrongKeys { columns, fails: self.fails }))
    }
}

impl Loaded for WrongKeys<'_> {
    fn count_cells(&mut self, _: &[gpudrift::backend::CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        Err(DeviceError::Unsupported("counting".to_owned()))
    }
    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        if self.fails {
            return Err(DeviceError::Lost("it was unplugged".to_owned()));
        }
        let sorted = |job: &SelectJob<'_>| {
            let mut keys: Vec<u64> = self.columns[job.column]
                .iter()
                .flat_map(|keys| (0..keys.len()).map(|at| u64::try_from(keys.get(at)).unwrap()))
                .collect();
            keys.sort_unstable();
            keys.pop();
            Keys::U64(keys)
        };
        Ok(jobs.iter().map(sorted).collect())
    }
}

#[test]
fn a_device_that_forgets_a_key_changes_the_report_and_one_that_is_lost_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let models = models(folder.path());
    let right = told(&scan(&models, MEMORY[0]).unwrap());
    assert_ne!(told(&scan_on(&models, MEMORY[0], Some(&Wrong { fails: false })).unwrap()), right);
    let error = scan_on(&models, MEMORY[0], Some(&Wrong { fails: true })).unwrap_err();
    assert!(error.to_string().contains("leave out --backend: device lost: it was unplugged"), "{error}");
    let same = scan_on(&models, MEMORY[0], Some(&gpudrift::backend::cpu::Cpu)).unwrap();
    assert_eq!(told(&same), right);
}
