//! Direct loss estimation against NannyML 0.13.1, against what is known of generated errors, and against what came true.
//!
//! tests/golden/estimate_loss.json and the Parquet files beside it are made by tests/golden/estimate_loss.py. The two learners
//! differ (forust here, LightGBM there), so their estimates are not equal: they lie within a sampling error of each other and of
//! what is known, and within three of what came true, which is the band that NannyML draws around its own. NannyML takes no weights:
//! beside rows with weights stands LightGBM with weights.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its data fails")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Float64Array, Int8Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use arrow::datatypes::{Float64Type, Int8Type};
use assert_cmd::Command;
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

/// The report of a case, as it is and without its labels.
fn of_case(case: &Value, reference: &RecordBatch, log: &RecordBatch) -> ModelReport {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("reference.parquet"), reference, 1 << 20);
    write(&folder.path().join("log.parquet"), log, 1 << 20);
    let weight = case["weight"].as_str().map(str::to_owned);
    let options = ModelOptions { weight, ..options(folder.path(), &features(case)) };
    scan(&[options.resolve("golden").unwrap()], 1 << 24).unwrap()
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
        let report = of_case(case, &reference, &without(&log, "label"));
        let truth = of_case(case, &reference, &log);
        let estimation = report.models[0].estimation.as_ref().unwrap();
        assert_eq!((estimation.method, estimation.reason.as_ref()), (Method::Dle, None));
        assert_eq!(estimation.rows, reference.num_rows() as u64);
        for (at, (group, chunk)) in report.groups.iter().zip(case["chunks"].as_array().unwrap()).enumerate() {
            for (metric, theirs) in chunk.as_object().unwrap() {
                let Estimate { value, sampling_error, usual, .. } = group.estimated[metric.as_str()];
                let (value, error) = (value.unwrap(), sampling_error.unwrap());
                let number = |key: &str| theirs[key].as_f64();
                let named = format!("{name} {at} {metric}");
                let realized = truth.groups[at].metrics[metric.as_str()].value.unwrap();
                assert!((realized / number("realized").unwrap() - 1.0).abs() < 1e-9, "{named}: {realized} came true");
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
    assert_eq!(compared, 3 * 2 * 6);
}

#[test]
fn a_row_counts_by_its_weight_and_not_at_all_without_one() {
    let golden = golden();
    let case = &golden["weighted"];
    let [reference, log] = rows("weighted");
    let maes = |case: &Value, reference: &RecordBatch, log: &RecordBatch| {
        let report = of_case(case, reference, log);
        report.groups.iter().map(|group| group.estimated["mae"].value.unwrap()).collect::<Vec<f64>>()
    };
    let weighted = maes(case, &reference, &log);
    // Where all rows count alike, errors are a quarter larger: those that weigh less are worse.
    let mut alike = case.clone();
    alike.as_object_mut().unwrap().remove("weight");
    let alike = maes(&alike, &reference, &log);
    assert!(weighted.iter().zip(&alike).all(|(weighted, alike)| 1.15 * weighted < *alike), "{weighted:?} {alike:?}");
    // Twice the weights are the same weights, and rows without a weight, or of none, are no rows.
    let reweighed = |batch: &RecordBatch, weight: &dyn Fn(Option<f64>) -> Option<f64>| {
        let at = batch.schema().index_of("weight").unwrap();
        let weights: Float64Array = batch.column(at).as_primitive::<Float64Type>().iter().map(weight).collect();
        let mut columns = batch.columns().to_vec();
        columns[at] = Arc::new(weights);
        RecordBatch::try_new(batch.schema(), columns).unwrap()
    };
    let twice = |batch: &RecordBatch| reweighed(batch, &|weight| weight.map(|weight| 2.0 * weight));
    for (twice, once) in maes(case, &twice(&reference), &twice(&log)).iter().zip(&weighted) {
        assert!((twice / once - 1.0).abs() < 1e-2, "{twice} {once}");
    }
    let none = |batch: &RecordBatch, weight: Option<f64>| reweighed(batch, &|_| weight);
    for (at, weight) in [None, Some(0.0), Some(-1.0), Some(f64::NAN)].into_iter().enumerate() {
        let more = |batch: &RecordBatch| concat_batches(&batch.schema(), [batch, &none(batch, weight)]).unwrap();
        assert_eq!(maes(case, &more(&reference), &more(&log)), weighted, "{at}");
    }
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
fn estimates_stand_beside_what_came_true_and_what_lay_within_is_counted() {
    let golden = golden();
    let features = features(&golden["cars"]);
    let [reference, log] = rows("cars");
    let report = report(&features, &reference, &log, 1 << 20, 2);
    let kept = &report.models[0].estimation.as_ref().unwrap().kept;
    for (metric, of) in kept {
        let mut within = 0;
        let mut distance = 0.0;
        for group in &report.groups {
            let (estimate, truth) = (group.estimated[metric], group.metrics[metric].value.unwrap());
            assert_eq!(estimate.error.unwrap().to_bits(), (estimate.value.unwrap() - truth).to_bits());
            // With all labels there the uncertainty is the interval.
            let inside = (estimate.low.unwrap()..=estimate.high.unwrap()).contains(&truth);
            assert_eq!(estimate.within, Some(inside), "{metric}");
            within += u64::from(inside);
            distance += estimate.error.unwrap().abs() / 2.0;
        }
        assert_eq!((of.groups, of.within), (2, within), "{metric}");
        assert!((of.mean_distance - distance).abs() <= 1e-12 * distance, "{metric}");
    }
    assert_eq!(kept.len(), 6);
    let mut table = Vec::new();
    report.write_table(&mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    for told in [
        "expected without labels: from 7 features and the prediction, by the losses of 12,000 rows of the reference (DLE)",
        " group   figure   expected",
        "(outside)",
        "rmse: ",
        " of 2 groups within its uncertainty; off by ",
    ] {
        assert!(table.contains(told), "no {told:?} in\n{table}");
    }
}

#[test]
fn the_history_says_how_a_regression_was_foreseen() {
    let [reference, log] = rows("known");
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("reference.parquet"), &reference, 1 << 20);
    write(&folder.path().join("log.parquet"), &without(&log, "label"), 1 << 20);
    let run = |args: &[&str]| {
        let output = Command::cargo_bin("gpudrift").unwrap().current_dir(folder.path()).args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let scan = ["model", "scan", "--input", "log.parquet", "--reference", "reference.parquet", "--task", "regression"];
    let columns = ["--prediction", "prediction", "--label", "label", "--features", "x,place,idle"];
    run(&[&scan[..], &columns, &["--as-of", "2026-01-01", "--history", "h.db"]].concat());
    let told = run(&["model", "history", "model", "--history", "h.db"]);
    assert!(told.contains("as expected (DLE)") && told.contains('~'), "{told}");
}

#[test]
fn labels_that_are_joined_teach_the_same_as_labels_in_the_reference() {
    let golden = golden();
    let case = features(&golden["known"]);
    let [reference, log] = rows("known");
    let numbered = |batch: &RecordBatch, first: u32| {
        let ids: UInt32Array = (first..first + u32::try_from(batch.num_rows()).unwrap()).collect();
        let names = batch.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let columns = names.into_iter().zip(batch.columns().iter().cloned());
        RecordBatch::try_from_iter(columns.chain([("id".to_owned(), Arc::new(ids) as ArrayRef)])).unwrap()
    };
    let (reference, log) = (numbered(&reference, 0), numbered(&log, 100_000));
    let folder = tempfile::tempdir().unwrap();
    let label_columns: Vec<usize> = ["id", "label"].map(|name| reference.schema().index_of(name).unwrap()).to_vec();
    write(&folder.path().join("labels.parquet"), &reference.project(&label_columns).unwrap(), 1000);
    write(&folder.path().join("log.parquet"), &without(&log, "label"), 1000);
    let estimates = |reference: &RecordBatch, memory| {
        write(&folder.path().join("reference.parquet"), reference, 1000);
        let labels = Some(vec![folder.path().join("labels.parquet").display().to_string()]);
        let options = ModelOptions { id: Some("id".to_owned()), labels, ..options(folder.path(), &case) };
        let report = scan(&[options.resolve("golden").unwrap()], memory).unwrap();
        report.groups.iter().map(|group| group.estimated["mae"].value.unwrap().to_bits()).collect::<Vec<u64>>()
    };
    let inline = estimates(&reference, 1 << 24);
    assert_eq!(inline.len(), 2);
    assert_eq!(inline, estimates(&without(&reference, "label"), 1 << 24));
    // So little memory takes several passes over the ids.
    assert_eq!(inline, estimates(&without(&reference, "label"), 1 << 16));
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
        assert!(
            report.warnings().iter().any(|warning| warning.contains("performance is not estimated without labels: "))
        );
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
