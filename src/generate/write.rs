//! Writes a store: files of Parquet, row group by row group, in memory that follows the row group and the threads, not
//! the rows or the features.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::Schema;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use rayon::prelude::*;

use super::column::Column;
use super::drift::Drift;
use super::error::GenerateError;
use super::feature::{Feature, Side};
use super::truth;

/// A codec's name on the command line, and what makes it.
pub type NamedCodec = (&'static str, fn() -> Compression);

/// Every codec that `--codec` knows.
pub const CODECS: [NamedCodec; 6] = [
    ("uncompressed", || Compression::UNCOMPRESSED),
    ("snappy", || Compression::SNAPPY),
    ("zstd", || Compression::ZSTD(ZstdLevel::default())),
    ("gzip", || Compression::GZIP(GzipLevel::default())),
    ("lz4", || Compression::LZ4_RAW),
    ("brotli", || Compression::BROTLI(BrotliLevel::default())),
];

/// The codec of the given name.
///
/// # Errors
/// When no codec has that name; the message lists all of them.
pub fn codec_named(name: &str) -> Result<Compression, GenerateError> {
    CODECS.iter().find(|(known, _)| *known == name).map(|(_, make)| make()).ok_or_else(|| GenerateError::Unknown {
        what: "codec",
        name: name.into(),
        known: CODECS.map(|(known, _)| known).join(", "),
    })
}

/// How the files of a side are arranged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// `reference/part-000.parquet`, ...
    #[default]
    Flat,
    /// `reference/region=emea/part-000.parquet`, ...: one more column, whose values stand in the folders' names only.
    Hive,
}

/// The partition column of [`Layout::Hive`].
pub(super) const PARTITION_COLUMN: &str = "region";
/// Its values, which share the rows equally, and their folders' names: what a path cannot hold is percent-encoded.
pub(super) const PARTITIONS: [(&str, &str); 4] =
    [("apac", "apac"), ("emea", "emea"), ("latam", "latam"), ("north america", "north%20america")];

/// How the files are written. The values in them do not depend on it.
#[derive(Clone, Debug)]
pub struct Format {
    /// Compression of every page.
    pub codec: Compression,
    /// Dictionary pages for every type but booleans, floats included, until a dictionary outgrows 1 MiB: what pyarrow
    /// does unless told otherwise.
    pub dictionary: bool,
    /// Rows in a row group.
    pub row_group_rows: usize,
    /// Files a side, or a partition.
    pub files: u64,
    /// Where the files lie.
    pub layout: Layout,
}

impl Default for Format {
    fn default() -> Self {
        Self { codec: Compression::SNAPPY, dictionary: true, row_group_rows: 1 << 17, files: 1, layout: Layout::Flat }
    }
}

/// Everything that is to be written.
#[derive(Clone, Debug)]
pub struct Store {
    /// Where all randomness comes from.
    pub seed: u64,
    /// The features, in the order of the columns.
    pub features: Vec<Feature>,
    /// Rows of the reference.
    pub reference_rows: u64,
    /// Rows of current.
    pub current_rows: u64,
    /// How the files are written.
    pub format: Format,
    /// Text of a `README.md` beside the sides.
    pub readme: Option<String>,
}

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Parquet files.
    pub files: usize,
    /// Bytes in them.
    pub bytes: u64,
}

impl Store {
    /// Rows of `side`.
    #[must_use]
    pub fn rows(&self, side: Side) -> u64 {
        match side {
            Side::Reference => self.reference_rows,
            Side::Current => self.current_rows,
        }
    }

    /// Writes the store into the folder `output`, which is made if need be. All of it is written into a folder inside
    /// first, so that what stands under the final names is complete.
    ///
    /// With `force`, `reference/`, `current/`, `truth.json` and, if there is one, `README.md` are replaced; nothing else
    /// in `output` is touched.
    ///
    /// # Errors
    /// A feature that cannot be, `output` not empty without `force`, and whatever the file system refuses.
    pub fn write(&self, output: &Path, force: bool) -> Result<Written, GenerateError> {
        for (what, number) in [("files", self.format.files), ("rows in a row group", self.format.row_group_rows as u64)]
        {
            if number == 0 {
                return Err(GenerateError::Zero { what });
            }
        }
        let reference = self.columns(Side::Reference)?;
        let current = self.columns(Side::Current)?;

        fs::create_dir_all(output).map_err(io("create", output))?;
        let mut entries = fs::read_dir(output).map_err(io("read", output))?;
        if entries.next().is_some() && !force {
            return Err(GenerateError::OutputNotEmpty { path: output.into() });
        }
        let unfinished = tempfile::Builder::new()
            .prefix(".gpudrift-unfinished-")
            .tempdir_in(output)
            .map_err(io("create a folder in", output))?;
        let new = unfinished.path().join("new");
        let old = unfinished.path().join("old");
        for folder in [&new, &old] {
            fs::create_dir(folder).map_err(io("create", folder))?;
        }

        let mut written = self.write_side(Side::Reference, &reference, &new)?;
        let more = self.write_side(Side::Current, &current, &new)?;
        written.files += more.files;
        written.bytes += more.bytes;
        write_text(&new.join("truth.json"), &truth::json(self))?;
        if let Some(readme) = &self.readme {
            write_text(&new.join("README.md"), readme)?;
        }
        for name in ["reference", "current", "truth.json", "README.md"] {
            let (from, to) = (new.join(name), output.join(name));
            if !from.exists() {
                continue;
            }
            if to.exists() {
                fs::rename(&to, old.join(name)).map_err(io("replace", &to))?;
            }
            fs::rename(&from, &to).map_err(io("create", &to))?;
        }
        unfinished.close().map_err(io("clean up in", output))?;
        Ok(written)
    }

    fn columns(&self, side: Side) -> Result<Vec<Column>, GenerateError> {
        let present: Vec<&Feature> = self.features.iter().filter(|feature| feature.presence.has(side)).collect();
        present.into_par_iter().map(|feature| self.column(feature, side)).collect()
    }

    /// The column of a feature: its own, or that of the one it changed places with.
    fn column(&self, feature: &Feature, side: Side) -> Result<Column, GenerateError> {
        let drift = feature.drift.as_ref().filter(|_| side == Side::Current);
        let Some(partner) = drift.and_then(Drift::partner) else { return Column::new(feature, side, self.seed) };
        let wrong = |problem: String| GenerateError::Feature { feature: feature.name.clone(), problem };
        let other = self.features.iter().find(|other| other.name == partner && other.presence.has(side));
        let other = other.ok_or_else(|| wrong(format!("changes places with `{partner}`, which is not there")))?;
        if other.drift.as_ref().and_then(Drift::partner) != Some(&feature.name) {
            return Err(wrong(format!("changes places with `{partner}`, which has another drift")));
        }
        let (own, strange) = (feature.type_on(side), other.type_on(side));
        if own != strange {
            return Err(wrong(format!("is {own} and cannot change places with `{partner}`, which is {strange}")));
        }
        let undrifted = Feature { drift: None, ..other.clone() };
        Ok(Column::new(&undrifted, side, self.seed)?.named(&feature.name))
    }

    fn write_side(&self, side: Side, columns: &[Column], output: &Path) -> Result<Written, GenerateError> {
        let folder = output.join(side.folder());
        let folders: Vec<PathBuf> = match self.format.layout {
            Layout::Flat => vec![folder],
            Layout::Hive => {
                PARTITIONS.iter().map(|(_, name)| folder.join(format!("{PARTITION_COLUMN}={name}"))).collect()
            }
        };
        let rows = self.rows(side);
        let files = folders.len() as u64 * self.format.files;
        let boundary =
            |file: u64| u64::try_from(u128::from(rows) * u128::from(file) / u128::from(files)).unwrap_or(rows);
        let mut written = Written::default();
        for (folder, first) in
            folders.iter().zip((0..).step_by(usize::try_from(self.format.files).unwrap_or(usize::MAX)))
        {
            fs::create_dir_all(folder).map_err(io("create", folder))?;
            for part in 0..self.format.files {
                let path = folder.join(format!("part-{part:03}.parquet"));
                let rows = boundary(first + part)..boundary(first + part + 1);
                written.bytes += write_file(&path, columns, rows, &self.format)?;
                written.files += 1;
            }
        }
        Ok(written)
    }
}

/// Writes one file and answers with its size.
fn write_file(
    path: &Path,
    columns: &[Column],
    rows: std::ops::Range<u64>,
    format: &Format,
) -> Result<u64, GenerateError> {
    let failed = |source| GenerateError::Parquet { path: path.into(), source };
    let file = File::create_new(path).map_err(io("create", path))?;
    let properties = WriterProperties::builder()
        .set_compression(format.codec)
        .set_dictionary_enabled(format.dictionary)
        .set_max_row_group_row_count(Some(format.row_group_rows))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        // Not the version of the writer: a committed store must not change with it.
        .set_created_by("gpudrift generate".into())
        .build();
    let schema = Arc::new(Schema::new(columns.iter().map(|column| column.field.clone()).collect::<Vec<_>>()));
    let writer = ArrowWriter::try_new(BufWriter::new(file), schema, Some(properties)).map_err(failed)?;
    let (mut writer, factory) = writer.into_serialized_writer().map_err(failed)?;

    // Some columns for every thread: enough to keep them busy, few enough to hold their encoded pages.
    let window = 2 * rayon::current_num_threads();
    let mut first_row = rows.start;
    while first_row < rows.end {
        let count = usize::try_from(rows.end - first_row).unwrap_or(usize::MAX).min(format.row_group_rows);
        let mut encoders =
            factory.create_column_writers(writer.flushed_row_groups().len()).map_err(failed)?.into_iter();
        let mut row_group = writer.next_row_group().map_err(failed)?;
        for columns in columns.chunks(window) {
            let work: Vec<_> = columns.iter().zip(encoders.by_ref().take(columns.len())).collect();
            let chunks: Vec<Result<ArrowColumnChunk, ParquetError>> =
                work.into_par_iter().map(|(column, encoder)| encode(column, encoder, first_row, count)).collect();
            for chunk in chunks {
                chunk.and_then(|chunk| chunk.append_to_row_group(&mut row_group)).map_err(failed)?;
            }
        }
        row_group.close().map_err(failed)?;
        first_row += count as u64;
    }
    let file = writer.into_inner().map_err(failed)?;
    let file = file.into_inner().map_err(|error| io("write", path)(error.into_error()))?;
    Ok(file.metadata().map_err(io("read back", path))?.len())
}

/// Makes and encodes the rows of one column in one row group. Every type that is written has one leaf.
fn encode(
    column: &Column,
    mut encoder: ArrowColumnWriter,
    first_row: u64,
    count: usize,
) -> Result<ArrowColumnChunk, ParquetError> {
    let array = column.rows(first_row, count);
    for leaf in compute_leaves(&column.field, &array)? {
        encoder.write(&leaf)?;
    }
    drop(array);
    encoder.close()
}

fn write_text(path: &Path, text: &str) -> Result<(), GenerateError> {
    File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes())).map_err(io("write", path))
}

fn io(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> GenerateError + use<> {
    let path = path.to_owned();
    move |source| GenerateError::Io { verb, path, source }
}
