//! Prediction logs of a model that becomes worse.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;
/// 2026-01-01.
pub(crate) const START: i64 = 20_454 * DAY;

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: Option<i64>,
    pub(crate) time: i64,
    pub(crate) version: &'static str,
    pub(crate) region: Option<&'static str>,
    pub(crate) score: Option<f64>,
    pub(crate) label: Option<i64>,
}

pub(crate) fn draw(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    f64::from(u32::try_from(*state >> 32).unwrap()) / f64::from(u32::MAX)
}

/// A good model for 20 days; from then on its scores say less about labels in the south.
pub(crate) fn log(rows: i64) -> Vec<Row> {
    let mut state = 3;
    let row = |row: i64| {
        let day = row * 30 / rows;
        let region = if draw(&mut state) < 0.4 { "south" } else { "north" };
        let p = draw(&mut state);
        let p = if p < 0.5 { p * 0.4 } else { 1.0 - (1.0 - p) * 0.4 };
        let told = if day >= 20 && region == "south" { draw(&mut state) } else { p };
        Row {
            id: Some(row),
            time: START + row * 30 * DAY / rows,
            version: if row % 10 == 0 { "canary" } else { "prod" },
            region: Some(region),
            score: Some((told * 1000.0).round() / 1000.0),
            label: Some(i64::from(draw(&mut state) < p)),
        }
    };
    (0..rows).map(row).collect()
}

pub(crate) fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(700)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

pub(crate) fn write_log(path: &Path, rows: &[Row], with_labels: bool) {
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(rows.iter().map(|row| row.id).collect::<Int64Array>())),
        ("at", Arc::new(rows.iter().map(|row| Some(row.time)).collect::<TimestampMicrosecondArray>())),
        ("version", Arc::new(rows.iter().map(|row| Some(row.version)).collect::<StringArray>())),
        ("region", Arc::new(rows.iter().map(|row| row.region).collect::<StringArray>())),
        ("score", Arc::new(rows.iter().map(|row| row.score).collect::<Float64Array>())),
    ];
    if with_labels {
        columns.push(("label", Arc::new(rows.iter().map(|row| row.label).collect::<Int64Array>())));
    }
    write(path, columns);
}

pub(crate) fn write_labels(path: &Path, labels: &[(Option<i64>, Option<i64>)]) {
    write(
        path,
        vec![
            ("id", Arc::new(labels.iter().map(|(id, _)| *id).collect::<Int64Array>())),
            ("label", Arc::new(labels.iter().map(|(_, label)| *label).collect::<Int64Array>())),
        ],
    );
}
