//! Bare decoding: the columns of both sides through the parquet crate's own Arrow reader, and nothing done with them.

use std::fs::File;
use std::path::PathBuf;

use anyhow::Context as _;
use gpudrift::source::{Dataset, OpenOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;

/// Rows of a batch: large enough that a batch costs nothing, small enough for the cache.
const BATCH: usize = 8192;

/// Decodes every column chunk of the files of both sides on `threads` threads, a chunk at a time; returns their rows.
pub(super) fn decode(sides: [&[String]; 2], threads: usize) -> anyhow::Result<u64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("cannot start threads")?;
    pool.install(|| {
        let mut files = Vec::new();
        for paths in sides {
            let data = Dataset::open(paths, &OpenOptions::default())?;
            files.extend(data.files().iter().map(|file| file.path().to_owned()));
        }
        let opened: Vec<(PathBuf, ArrowReaderMetadata)> = files
            .into_par_iter()
            .map(|path| {
                let metadata = ArrowReaderMetadata::load(&File::open(&path)?, Default::default())?;
                Ok((path, metadata))
            })
            .collect::<anyhow::Result<_>>()?;
        let chunks: Vec<(usize, usize, usize)> = opened
            .iter()
            .enumerate()
            .flat_map(|(file, (_, metadata))| {
                let (groups, columns) =
                    (metadata.metadata().num_row_groups(), metadata.parquet_schema().root_schema().get_fields().len());
                (0..columns).flat_map(move |column| (0..groups).map(move |group| (file, group, column)))
            })
            .collect();
        chunks.into_par_iter().map(|(file, group, column)| chunk(&opened[file], group, column)).sum()
    })
}

fn chunk((path, metadata): &(PathBuf, ArrowReaderMetadata), group: usize, column: usize) -> anyhow::Result<u64> {
    let mask = ProjectionMask::roots(metadata.parquet_schema(), [column]);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(File::open(path)?, metadata.clone())
        .with_row_groups(vec![group])
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()?;
    let mut rows = 0;
    for batch in reader {
        rows += std::hint::black_box(batch?).num_rows() as u64;
    }
    Ok(rows)
}
