//! Rows in: from paths to a data set of row groups.
//!
//! A [`Dataset`] is one side of the comparison: its files sorted by path, the columns that any of them has, and the
//! [units](Unit) of work, one a row group. Footers are read once, in parallel; values are read by
//! [`column`](crate::column).

mod buffer;
mod decompress;
mod error;
pub mod feast;
mod file;
mod guard;
mod header;
mod pages;
pub(crate) mod partition;
mod paths;
mod row_map;
pub(crate) mod rows;
mod statistics;
mod weights;

use std::collections::HashMap;
use std::path::PathBuf;

use arrow::datatypes::DataType;
use rayon::prelude::*;

pub(crate) use error::Fault;
pub use error::{Place, ReadError, SourceError};
pub use file::DataFile;
use file::FileColumn;
pub(crate) use guard::guard;
pub(crate) use pages::{Pages, read_at};
pub(crate) use paths::find;
pub(crate) use row_map::RowMap;
pub use weights::{WeightsError, read_weights};

/// More files than this are opened for every chunk instead of kept open: a process may hold 1024 by default.
const MAX_OPEN_FILES: usize = 128;

/// How a data set is opened.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Leave out files that cannot be opened, and list them, instead of failing.
    pub skip_bad_files: bool,
    /// Other names for columns, by the names that they have in the files.
    pub names: HashMap<String, String>,
    /// The column whose statistics are read from the footers.
    pub statistics_of: Option<String>,
}

/// Whether a file is opened at all, by the keys and values of its folders.
pub(crate) type Keep<'k> = &'k dyn Fn(&[(String, Option<String>)]) -> bool;

/// One side of the comparison: reference or current.
#[derive(Debug)]
pub struct Dataset {
    files: Vec<DataFile>,
    bad_files: Vec<(PathBuf, String)>,
    unopened: u64,
    columns: Vec<SourceColumn>,
    index: HashMap<String, usize>,
    units: Vec<Unit>,
    layouts: Vec<Layout>,
    names: HashMap<String, String>,
    rows: u64,
}

/// A row group of a file: the piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Index of the file in [`Dataset::files`].
    pub file: usize,
    /// Index of the row group in its file.
    pub row_group: usize,
    /// Number of rows, at least 1.
    pub rows: u64,
}

/// A column that at least one file, or the folders, have.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceColumn {
    /// Its name; empty names occur.
    pub name: String,
    /// The distinct types it has over the files, in their order. Empty for a column that has a problem everywhere.
    pub types: Vec<DataType>,
    /// Why it cannot be compared: nested, unsupported, or a name that a file has twice.
    pub problem: Option<String>,
    /// Whether its values stand in the names of folders (`key=value`).
    pub partition: bool,
}

/// Where the columns of a data set are in the files of one schema.
#[derive(Debug)]
struct Layout {
    columns: Vec<FileColumn>,
    /// For every column of the data set its index in `columns`.
    places: Vec<Option<u32>>,
}

/// Where a column is in a unit.
#[derive(Debug)]
pub(crate) enum Values<'d> {
    /// Nowhere: all its values are null.
    Absent,
    /// In the name of a folder: one value for all rows.
    Constant(Option<&'d str>),
    /// In a column chunk.
    Leaf {
        /// The file that has it.
        file: &'d DataFile,
        /// Index of the leaf in the file's schema.
        leaf: usize,
        /// Its Arrow type in this file.
        data_type: &'d DataType,
    },
}

impl Dataset {
    /// Opens the files that `paths` name: files, folders with everything named `*.parquet` below them, and globs. Names
    /// that begin with `_` or `.` are left out. Folders named `key=value`, below a folder that was named, give columns
    /// (Hive partitions), unless the file has a column of that name.
    ///
    /// # Errors
    /// When a path is missing, a folder or glob has no Parquet file, or a file cannot be opened (unless
    /// [`OpenOptions::skip_bad_files`]).
    pub fn open(paths: &[String], options: &OpenOptions) -> Result<Self, SourceError> {
        Self::open_some(paths, options, &|_| true)
    }

    /// [`Dataset::open`] for the files that `keep` keeps. The last one is opened anyway: its schema is wanted when no row
    /// is.
    pub(crate) fn open_some(paths: &[String], options: &OpenOptions, keep: Keep<'_>) -> Result<Self, SourceError> {
        let mut found = find(paths)?;
        let all = found.len();
        let last = found.pop();
        found.retain(|found| keep(&found.partition));
        found.extend(last);
        let unopened = (all - found.len()) as u64;
        let keep_open = found.len() <= MAX_OPEN_FILES;
        let statistics_of = options.statistics_of.as_deref();
        let opened: Vec<_> = found
            .into_par_iter()
            .map(|found| (found.path.clone(), DataFile::open(&found.path, found.partition, keep_open, statistics_of)))
            .collect();
        let (mut files, mut schemas, mut bad_files) = (Vec::new(), Vec::new(), Vec::new());
        for (path, outcome) in opened {
            match outcome {
                Ok((file, columns)) => {
                    files.push(file);
                    schemas.push(columns);
                }
                Err(fault) => {
                    let reason = reason_of(fault);
                    if !options.skip_bad_files {
                        return Err(SourceError::BadFile { path, reason });
                    }
                    bad_files.push((path, reason));
                }
            }
        }
        if files.is_empty()
            && let Some((path, reason)) = bad_files.first().cloned()
        {
            return Err(SourceError::AllBad { files: bad_files.len(), path, reason });
        }
        let mut data = Self { unopened, names: options.names.clone(), ..Self::assemble(files, schemas, bad_files) };
        let columns = std::mem::take(&mut data.columns);
        data.columns = data.renamed(columns);
        // Windows go by the names in the files.
        let added = data.columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at));
        data.index.extend(added.collect::<Vec<_>>());
        Ok(data)
    }

    /// A data set without files and rows: the columns of a reference that lies somewhere else.
    pub(crate) fn of_columns(columns: Vec<SourceColumn>) -> Self {
        let index = columns.iter().enumerate().map(|(at, column)| (column.name.clone(), at)).collect();
        Self { columns, index, ..Self::assemble(Vec::new(), Vec::new(), Vec::new()) }
    }

    fn assemble(mut files: Vec<DataFile>, schemas: Vec<Vec<FileColumn>>, bad_files: Vec<(PathBuf, String)>) -> Self {
        let mut layouts: Vec<Layout> = Vec::new();
        for (file, columns) in files.iter_mut().zip(schemas) {
            file.layout = layouts.iter().position(|layout| layout.columns == columns).unwrap_or_else(|| {
                layouts.push(Layout { columns, places: Vec::new() });
                layouts.len() - 1
            });
        }
        let (columns, index) = union(&files, &mut layouts);
        let units: Vec<Unit> = files
            .iter()
            .enumerate()
            .flat_map(|(file, data)| {
                data.row_groups().enumerate().map(move |(row_group, rows)| Unit { file, row_group, rows })
            })
            .filter(|unit| unit.rows > 0)
            .collect();
        let rows = files.iter().map(DataFile::rows).sum();
        Self { files, bad_files, unopened: 0, columns, index, units, layouts, names: HashMap::new(), rows }
    }

    /// The columns under their other names. Keys of folders keep theirs.
    fn renamed(&self, mut columns: Vec<SourceColumn>) -> Vec<SourceColumn> {
        for column in columns.iter_mut().filter(|column| !column.partition) {
            if let Some(name) = self.names.get(&column.name) {
                column.name.clone_from(name);
            }
        }
        columns
    }

    /// The files, sorted by path, each once.
    #[must_use]
    pub fn files(&self) -> &[DataFile] {
        &self.files
    }

    /// With [`OpenOptions::skip_bad_files`]: the files that were left out, with the reason.
    #[must_use]
    pub fn bad_files(&self) -> &[(PathBuf, String)] {
        &self.bad_files
    }

    /// Number of files that were left alone because of their folders.
    pub(crate) fn unopened(&self) -> u64 {
        self.unopened
    }

    /// The columns that some of the files have, as if there were no others: `chosen` has one flag a file.
    pub(crate) fn columns_in(&self, chosen: &[bool]) -> Vec<SourceColumn> {
        let mut columns: Vec<SourceColumn> = Vec::new();
        let mut index = HashMap::new();
        let files = || self.files.iter().zip(chosen).filter(|(_, chosen)| **chosen).map(|(file, _)| file);
        let mut seen = vec![false; self.layouts.len()];
        for file in files() {
            if !std::mem::replace(&mut seen[file.layout], true) {
                add_columns(&self.layouts[file.layout].columns, &mut columns, &mut index);
            }
        }
        add_partitions(files(), &mut columns, &mut index);
        self.renamed(columns)
    }

    /// The columns: those of the first file in its order, then those that only later files have, then partitions.
    #[must_use]
    pub fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The row groups that have rows, in the order of the files.
    #[must_use]
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Index of the column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Bytes of a column in a unit as they lie in the file; 0 where the file has no such column.
    #[must_use]
    pub fn stored_bytes(&self, unit: &Unit, column: usize) -> u64 {
        match self.values(unit, column) {
            Values::Leaf { file, leaf, .. } => file.chunk_bytes(unit.row_group, leaf),
            Values::Absent | Values::Constant(_) => 0,
        }
    }

    /// Where a column is in a unit. A column with a problem counts as absent where it has one.
    pub(crate) fn values(&self, unit: &Unit, column: usize) -> Values<'_> {
        let file = &self.files[unit.file];
        let layout = &self.layouts[file.layout];
        if let Some(place) = layout.places[column] {
            return match &layout.columns[place as usize].leaf {
                Ok((leaf, data_type)) => Values::Leaf { file, leaf: *leaf, data_type },
                Err(_) => Values::Absent,
            };
        }
        let column = &self.columns[column];
        if column.partition
            && let Some((_, value)) = file.partition.iter().find(|(key, _)| *key == column.name)
        {
            return Values::Constant(value.as_deref());
        }
        Values::Absent
    }

    /// The place of a column in a unit, for errors.
    pub(crate) fn place(&self, unit: &Unit, column: usize) -> Place {
        Place {
            file: self.files[unit.file].path().to_owned(),
            column: self.columns[column].name.clone(),
            row_group: unit.row_group,
        }
    }
}

fn reason_of(fault: Fault) -> String {
    match fault {
        Fault::Io(error) => format!("cannot read it: {error}"),
        Fault::Corrupt(reason) | Fault::Unsupported(reason) | Fault::Value(reason) => reason,
        Fault::TooManyCategories(limit) => format!("more than {limit} bytes"),
    }
}

/// The columns of all files, and in every layout the places of them.
fn union(files: &[DataFile], layouts: &mut [Layout]) -> (Vec<SourceColumn>, HashMap<String, usize>) {
    let mut columns: Vec<SourceColumn> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    // Layouts are in the order of the first file that has them.
    for layout in &mut *layouts {
        layout.places = add_columns(&layout.columns, &mut columns, &mut index);
    }
    add_partitions(files.iter(), &mut columns, &mut index);
    for layout in layouts {
        layout.places.resize(columns.len(), None);
    }
    (columns, index)
}

/// Adds the columns of one schema to `columns`; the place in the schema of each of these.
fn add_columns(
    schema: &[FileColumn],
    columns: &mut Vec<SourceColumn>,
    index: &mut HashMap<String, usize>,
) -> Vec<Option<u32>> {
    let mut places: Vec<Option<u32>> = vec![None; columns.len()];
    for (here, column) in schema.iter().enumerate() {
        let at = *index.entry(column.name.clone()).or_insert_with(|| {
            columns.push(SourceColumn {
                name: column.name.clone(),
                types: Vec::new(),
                problem: None,
                partition: false,
            });
            columns.len() - 1
        });
        places.resize(columns.len(), None);
        let merged = &mut columns[at];
        if places[at].is_some() {
            merged.problem.get_or_insert_with(|| "a file has more than one column of this name; rename one".into());
            continue;
        }
        places[at] = u32::try_from(here).ok();
        match &column.leaf {
            Ok((_, data_type)) if merged.types.contains(data_type) => {}
            Ok((_, data_type)) => merged.types.push(data_type.clone()),
            Err(problem) => {
                merged.problem.get_or_insert_with(|| problem.clone());
            }
        }
    }
    places
}

fn add_partitions<'f>(
    files: impl Iterator<Item = &'f DataFile>,
    columns: &mut Vec<SourceColumn>,
    index: &mut HashMap<String, usize>,
) {
    let mut keys: Vec<&str> = Vec::new();
    let mut values: HashMap<&str, Vec<&str>> = HashMap::new();
    for (key, value) in files.flat_map(|file| &file.partition) {
        // A column of the files wins over folders of the same name.
        if !index.contains_key(key) {
            let of_key = values.entry(key).or_insert_with(|| {
                keys.push(key);
                Vec::new()
            });
            of_key.extend(value.as_deref());
        }
    }
    for key in keys {
        let of_key = &values[key];
        let data_type = if of_key.is_empty() { DataType::Null } else { partition::type_of(of_key.iter().copied()) };
        index.insert(key.to_owned(), columns.len());
        columns.push(SourceColumn { name: key.to_owned(), types: vec![data_type], problem: None, partition: true });
    }
}
