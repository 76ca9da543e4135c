//! `gpudrift scan` with models in its configuration: which drift is likely to hurt which of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot start its program fails")]

use std::fs::{self, File};
use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};
use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use serde_json::Value;

/// `moved` lies elsewhere when `shift` is not 0, `still` never does, `gone` is there without a shift only.
fn write(path: &Path, shift: f64) {
    let values = |factor: f64, shift: f64| -> ArrayRef {
        Arc::new((0..5000).map(|row| (f64::from(row) * factor).fract() + shift).collect::<Float64Array>())
    };
    let mut columns = vec![("moved", values(0.618_033, shift)), ("still", values(0.414_213, 0.0))];
    if shift == 0.0 {
        columns.push(("gone", values(0.732_05, 0.0)));
    }
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

const SIDES: &str = "[reference]\npaths = ['a.parquet']\n[current]\npaths = ['b.parquet']\n";

fn scan(models: &str, format: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("a.parquet"), 0.0);
    write(&folder.path().join("b.parquet"), 0.5);
    fs::write(folder.path().join("importances.csv"), "feature,importance\nstill,3\nmoved,1\n").unwrap();
    let config = folder.path().join("gpudrift.toml");
    fs::write(&config, format!("{SIDES}{models}")).unwrap();
    // From elsewhere: paths are those of the file.
    let mut command = Command::cargo_bin("gpudrift").unwrap();
    command.args(["scan", "--no-progress", "--format", format, "--config"]).arg(config).output().unwrap()
}

const MODELS: &str = "
[model.calm]
features = ['still', 'moved']
importances = 'importances.csv'
[model.hurt]
features = ['moved', 'gone', 'still', 'elsewhere']
[model.unnamed]
input = ['log.parquet']
score = 'p'
";

#[test]
fn models_are_ranked_by_level_times_importance_in_every_format() {
    let output = scan(MODELS, "json");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let models = report["models"].as_array().unwrap();
    let told: Vec<_> = models.iter().map(|model| (&model["model"], &model["risk"], &model["weighed"])).collect();
    // A critical feature and one that is gone, of four; a critical one of a quarter of the importance.
    assert_eq!(serde_json::to_value(told).unwrap(), serde_json::json!([["hurt", 0.5, false], ["calm", 0.25, true]]));
    let impacts: Vec<_> =
        models[0]["impacts"].as_array().unwrap().iter().map(|impact| impact["feature"].as_str().unwrap()).collect();
    assert_eq!(impacts, ["gone", "moved"]);
    assert_eq!(models[0]["unknown"], serde_json::json!(["elsewhere"]));
    let table = String::from_utf8(scan(MODELS, "table").stdout).unwrap();
    assert!(table.contains("2 models, by level × importance of their features:"), "{table}");
    assert!(
        table.contains("  calm: 0.25 at risk, 1 of 2 features drifting\n    moved (critical, 25% of importance)\n"),
        "{table}"
    );
    assert!(table.contains("    gone (not comparable), moved (critical); not scanned: elsewhere\n"), "{table}");
    let html = String::from_utf8(scan(MODELS, "html").stdout).unwrap();
    let page = "<b>hurt</b> <span class=\"critical\">0.50 at risk, 2 of 4 features drifting</span>";
    assert!(html.contains(page) && html.contains("not scanned: elsewhere"), "{html}");
    let markdown = String::from_utf8(scan(MODELS, "markdown").stdout).unwrap();
    assert!(
        markdown.contains("| hurt | 0.50 | gone (not comparable), moved (critical); not scanned: elsewhere |"),
        "{markdown}"
    );
}

#[test]
fn without_models_that_name_features_nothing_is_said_of_them() {
    let output = scan("[model.unnamed]\ninput = ['log.parquet']\nscore = 'p'\n", "json");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report.get("models").is_none());
}

#[test]
fn importances_that_cannot_be_read_are_told_before_any_work() {
    for (models, said) in [
        ("[model.a]\nimportances = 'no.csv'\n", "cannot read the weights"),
        ("[model.a]\nfeatures = ['moved']\nimportances = { still = 1 }\n", "none of the model's `features`"),
        ("[model.a]\nimportances = { still = -1 }\n", "the importance of still must be a number from 0"),
    ] {
        let output = scan(models, "json");
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{message}");
        assert!(message.contains(said), "{message}");
    }
}
