//! Direct loss estimation against NannyML 0.13.1, against what is known of generated errors, and against what came true.
//!
//! tests/golden/estimate_loss.json and the Parquet files beside it are made by tests/golden/estimate_loss.py. The two learners
//! differ (forust here, LightGBM there), so their estimates are not equal: they lie within a sampling error of each other and of
//! what is known, and within three of what came true, which is the band that NannyML draws around its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Int8Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use arrow::datatypes::Int8Type;
use gpudrift::model::scan::scan;
use gpudrift::model::{Estimate, Method, ModelOptions, ModelReport, Task};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::properties::WriterProperties;
use serde_json::Value;

fn golden_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn golden() -> Value {
    serde_json::from_str(&fs::read_to_string(golden_file("estimate_loss.json")).unwrap()).unwrap()
}

/// The rows of a case: its reference, and its chunks.
fn rows(name: &str) -> [RecordBatch; 2] {
    let file = File::open(golden_file(&format!("estimate_loss_{name}.parquet"))).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = reader.schema().clone();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let all = concat_batches(&schema, &batches).unwrap();
    let part = all.column_by_name("part").unwrap().as_primitive::<Int8Type>();
    let is_reference: BooleanArray = part.iter().map(|part| Some(part == Some(-1))).collect();
    let is_log: BooleanArray = part.iter().map(|part| Some(part != Some(-1))).collect();
    [is_reference, is_log].map(|wanted| filter_record_batch(&all, &wanted).unwrap())
}

fn write(path: &Path, batch: &RecordBatch, group: usize) {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn without(batch: &RecordBatch, column: &str) -> RecordBatch {
    let kept = (0..batch.num_columns()).filter(|&at| batch.schema().field(at).name() != column);
    batch.project(&kept.collect::<Vec<_>>()).unwrap()
}

fn options(folder: &Path, features: &[&str]) -> ModelOptions {
    let path = |name: &str| Some(vec![folder.join(name).display().to_string()]);
    ModelOptions {
        input: path("log.parquet"),
        reference: path("reference.parquet"),
        task: Some(Task::Regression),
        prediction: Some("prediction".to_owned()),
        label: Some("label".to_owned()),
        version: Some("part".to_owned()),
        features: Some(features.iter().map(|&name| name.to_owned()).collect()),
        ..ModelOptions::default()
    }
}

fn report(features: &[&str], reference: &RecordBatch, log: &RecordBatch, group: usize, threads: usize) -> ModelReport {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("reference.parquet"), reference, group);
    write(&folder.path().join("log.parquet"), log, group);
    let config = options(folder.path(), features).resolve("golden").unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    pool.install(|| scan(&[config], 1 << 24)).unwrap()
}

fn features(case: &Value) -> Vec<&str> {
    case["features"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// Where the cars drifted to cheap ones that the reference has not, no learner foresees the error of small prices.
const LOST: [(&str, usize, &str); 2] = [("cars", 1, "msle"), ("cars", 1, "rmsle")];

#[test]
fn losses_are_near_those_of_nannyml_and_near_what_came_true() {
    let mut compared = 0;
    for (name, case) in golden().as_object().unwrap() {
        let [reference, log] = rows(name);
        let report = report(&features(case), &reference, &without(&log, "label"), 1 << 20, 2);
        let estimation = report.models[0].estimation.as_ref().unwrap();
        assert_eq!((estimation.method, estimation.reason.as_ref()), (Method::Dle, None));
        assert_eq!(estimation.rows, reference.num_rows() as u64);
        for (at, (group, chunk)) in report.groups.iter().zip(case["chunks"].as_array().unwrap()).enumerate() {
            for (metric, theirs) in chunk.as_object().unwrap() {
                let Estimate { value, sampling_error, usual, .. } = group.estimated[metric.as_str()];
                let (value, error) = (value.unwrap(), sampling_error.unwrap());
                let number = |key: &str| theirs[key].as_f64();
                let named = format!("{name} {at} {metric}");
                assert!((error / number("sampling_error").unwrap() - 1.0).abs() < 1e-9, "{named}: error {error}");
                for (end, ours) in usual.unwrap().into_iter().enumerate() {
                    let theirs = case["thresholds"][metric][end].as_f64().unwrap();
                    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs(), "{named}: threshold {ours} is not {theirs}");
                }
                let apart = |other: f64| (value - other).abs() / error;
                let theirs_apart = (number("value").unwrap() - number("realized").unwrap()).abs() / error;
                assert!(apart(number("value").unwrap()) < 1.0, "{named}: {value} is not near NannyML's");
                assert!(
                    number("known").is_none_or(|known| apart(known) < 1.0),
                    "{named}: {value} is not near what is known"
                );
                if LOST.contains(&(name.as_str(), at, metric.as_str())) {
                    assert!(theirs_apart > 3.0, "{named} is no exception any more");
                } else {
                    assert!(apart(number("realized").unwrap()) < 3.0, "{named}: {value} is not near what came true");
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 2 * 2 * 6);
}

#[test]
fn the_cut_of_the_rows_threads_and_the_order_of_the_reference_change_no_loss() {
    let golden = golden();
    let case = features(&golden["known"]);
    let [reference, log] = rows("known");
    let estimates = |reference: &RecordBatch, log: &RecordBatch, group, threads| {
        let report = report(&case, reference, log, group, threads);
        let values = report.groups.iter().flat_map(|group| group.estimated.values().map(|one| one.value.unwrap()));
        values.map(f64::to_bits).collect::<Vec<u64>>()
    };
    let whole = estimates(&reference, &log, 1 << 20, 4);
    assert_eq!(whole.len(), 2 * 6);
    assert_eq!(whole, estimates(&reference, &log, 97, 1));
    let turned = |batch: &RecordBatch| {
        let order: UInt32Array = (0..u32::try_from(batch.num_rows()).unwrap()).rev().collect();
        take_record_batch(batch, &order).unwrap()
    };
    assert_eq!(whole, estimates(&turned(&reference), &turned(&log), 1000, 3));
}

#[test]
fn a_regression_that_grew_worse_is_told_before_any_label() {
    let golden = golden();
    let [reference, log] = rows("known");
    let report = report(&features(&golden["known"]), &reference, &without(&log, "label"), 1 << 20, 2);
    let levels: Vec<_> = report.groups.iter().map(|group| group.level.name()).collect();
    assert_eq!(levels, ["ok", "warning"], "{:?}", report.groups[0].reasons);
    let reasons = &report.groups[1].reasons;
    assert!(
        reasons.iter().any(|reason| reason.starts_with("expected rmse 3.1") && reason.contains("usual")),
        "{reasons:?}"
    );
}

#[test]
fn losses_that_cannot_be_learned_say_why_and_the_rest_is_reported() {
    let [reference, log] = rows("known");
    let reasons: Vec<String> = [
        (["x", "nowhere"], reference.clone(), log.clone()),
        (["x", "place"], without(&reference, "place"), log.clone()),
        (["x", "place"], reference.slice(0, 50), log.clone()),
        (["x", "place"], reference.clone(), {
            let codes: ArrayRef = Arc::new(Int8Array::from(vec![1; log.num_rows()]));
            let others = without(&log, "place");
            let names = others.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
            let columns = names.into_iter().zip(others.columns().iter().cloned());
            RecordBatch::try_from_iter(columns.chain([("place".to_owned(), codes)])).unwrap()
        }),
    ]
    .into_iter()
    .map(|(features, reference, log)| {
        let report = report(&features, &reference, &log, 1 << 20, 2);
        assert!(report.groups.iter().all(|group| group.estimated.is_empty() && group.metrics["mae"].value.is_some()));
        assert!(report.warnings().iter().any(|warning| warning.contains("losses are not estimated")));
        report.models[0].estimation.clone().unwrap().reason.unwrap()
    })
    .collect();
    assert_eq!(
        reasons,
        [
            "the log has no column `nowhere`",
            "the reference has no column `place`",
            "the reference has 50 rows with prediction and label",
            "feature `place` is text in one of log and reference, and a number in the other",
        ]
    );
}
