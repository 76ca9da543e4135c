//! What a row of a prediction log costs, beside bare decoding of the same columns.
//!
//! ```text
//!     cargo bench --bench model                     a log of 4 million rows
//!     cargo bench --bench model -- 20000000 DISTINCT    more rows, with so many distinct scores (default: as many as rows)
//! ```
//!
//! One thread and all of them; decoding is the parquet crate's own Arrow reader over the columns that the scan reads, a file a
//! task, with nothing done with them. The fastest of three rounds each.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use gpudrift::model::scan::scan;
use gpudrift::model::{ModelConfig, ModelOptions, Window};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use rayon::prelude::*;

const ROUNDS: usize = 3;
const FILE_ROWS: u64 = 500_000;
const DAY: i64 = 86_400_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let number = |at: usize| args.get(at).map(|text| text.parse::<u64>()).transpose();
    let rows = number(0)?.unwrap_or(4_000_000);
    let distinct = number(1)?.unwrap_or(u64::from(u32::MAX));
    let folder = tempfile::tempdir()?;
    let files = write(folder.path(), rows, distinct)?;
    let text = |text: &str| Some(text.to_owned());
    let plain = ModelOptions {
        input: Some(vec![folder.path().display().to_string()]),
        score: text("score"),
        label: text("label"),
        ..ModelOptions::default()
    };
    let grouped = ModelOptions {
        timestamp: text("at"),
        window: Some(Window::Week),
        version: text("version"),
        segments: Some(vec!["region".to_owned()]),
        ..plain.clone()
    };
    let joined = ModelOptions { id: text("id"), ..grouped.clone() };
    let cases = [
        ("score and label", plain, vec!["score", "label"]),
        ("and weeks, versions, regions", grouped, vec!["score", "label", "at", "version", "region"]),
        ("and ids that occur once", joined, vec!["score", "label", "at", "version", "region", "id"]),
    ];
    let cores = std::thread::available_parallelism()?.get();
    println!(
        "{rows} rows; nanoseconds a row\n{:>30} {:>8} {:>10} {:>10} {:>7}",
        "", "threads", "decoding", "scan", "times"
    );
    for (name, options, columns) in cases {
        let config = options.resolve("model")?;
        for threads in [1, cores] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
            let decoding = pool.install(|| fastest(rows, || decode(&files, &columns)))?;
            let whole = pool.install(|| fastest(rows, || measured(&config)))?;
            println!("{name:>30} {threads:>8} {decoding:>10.1} {whole:>10.1} {:>7.1}", whole / decoding);
        }
    }
    Ok(())
}

/// Nanoseconds a row of the fastest round.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn fastest(rows: u64, round: impl Fn() -> Result<u64, String>) -> Result<f64, String> {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        if black_box(round()?) != rows {
            return Err("not every row was seen".to_owned());
        }
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    Ok(fastest * 1e9 / rows as f64)
}

fn decode(files: &[PathBuf], columns: &[&str]) -> Result<u64, String> {
    let of_file = |path: &PathBuf| -> Result<u64, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
        let mask = ProjectionMask::columns(reader.parquet_schema(), columns.iter().copied());
        let reader = reader.with_projection(mask).build().map_err(|error| error.to_string())?;
        reader
            .map(|batch| batch.map(|batch| black_box(batch).num_rows() as u64).map_err(|error| error.to_string()))
            .sum()
    };
    files.par_iter().map(of_file).sum::<Result<u64, String>>()
}

fn measured(config: &ModelConfig) -> Result<u64, String> {
    let report = scan(std::slice::from_ref(config), 512 << 20).map_err(|error| error.to_string())?;
    Ok(report.summary.rows)
}

/// Writes the log, a file for every half million rows.
fn write(folder: &Path, rows: u64, distinct: u64) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(u32::try_from(state >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    };
    #[expect(clippy::cast_precision_loss, reason = "some number of scores")]
    let steps = distinct as f64;
    let mut files = Vec::new();
    for first in (0..rows).step_by(usize::try_from(FILE_ROWS)?) {
        let ids: Vec<i64> = (first..rows.min(first + FILE_ROWS)).map(i64::try_from).collect::<Result<_, _>>()?;
        let scores: Vec<f64> = ids.iter().map(|_| (draw() * steps).round() / steps).collect();
        let labels: Vec<i64> = scores.iter().map(|score| i64::from(draw() < *score)).collect();
        let named = |names: [&'static str; 2], share: f64, draw: &mut dyn FnMut() -> f64| {
            StringArray::from_iter_values(ids.iter().map(|_| names[usize::from(draw() < share)]))
        };
        let version = named(["prod", "canary"], 0.1, &mut draw);
        let region = named(["north", "south"], 0.5, &mut draw);
        let end = i64::try_from(rows)?;
        let times = ids.iter().map(|id| 20_454 * DAY + id * (28 * DAY / end.max(1)));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("at", Arc::new(TimestampMicrosecondArray::from_iter_values(times))),
            ("score", Arc::new(Float64Array::from(scores))),
            ("label", Arc::new(Int64Array::from(labels))),
            ("version", Arc::new(version)),
            ("region", Arc::new(region)),
            ("id", Arc::new(Int64Array::from(ids))),
        ];
        let batch = RecordBatch::try_from_iter(columns)?;
        let path = folder.join(format!("{first:012}.parquet"));
        let mut writer = ArrowWriter::try_new(File::create(&path)?, batch.schema(), None)?;
        writer.write(&batch)?;
        writer.close()?;
        files.push(path);
    }
    Ok(files)
}
