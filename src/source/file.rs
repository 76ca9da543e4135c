//! One Parquet file: its footer, its columns, and where their chunks lie.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::datatypes::DataType;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::{Repetition, Type as Physical};
use parquet::file::metadata::{
    ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader, ParquetStatisticsPolicy,
};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor, Type};

use super::error::Fault;
use super::guard::guard;
use super::pages::{Chunk, Pages, read_at};
use super::statistics::{Extent, extents};

/// Magic, length of the footer, magic.
const SMALLEST_FILE: u64 = 12;
/// No file holds more rows than this for each of its bytes, even if every page of it is one run.
const MAX_ROWS_PER_BYTE: u64 = 1 << 26;

/// One file of a data set.
#[derive(Debug)]
pub struct DataFile {
    pub(super) path: PathBuf,
    pub(super) partition: Vec<(String, Option<String>)>,
    pub(super) layout: usize,
    size: u64,
    rows: u64,
    metadata: ParquetMetaData,
    /// Of the column that was asked for, a row group each; empty where the file has no such column.
    extents: Vec<Extent>,
    /// Kept open where there are few files; opened for every chunk otherwise.
    handle: Option<Arc<File>>,
}

/// A column at the top level of a file's schema.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FileColumn {
    pub(super) name: String,
    /// Index of its leaf, and its Arrow type; or why it cannot be read.
    pub(super) leaf: Result<(usize, DataType), String>,
}

impl DataFile {
    /// Opens a file and reads its footer, and the statistics of the column called `statistics_of`.
    pub(super) fn open(
        path: &Path,
        partition: Vec<(String, Option<String>)>,
        keep_open: bool,
        statistics_of: Option<&str>,
    ) -> Result<(Self, Vec<FileColumn>), Fault> {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        let footer = footer_bytes(&file, size)?;
        let options = ParquetMetaDataOptions::new()
            .with_column_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_size_stats_policy(ParquetStatisticsPolicy::SkipAll)
            .with_encoding_stats_policy(ParquetStatisticsPolicy::SkipAll);
        let metadata = guard(|| ParquetMetaDataReader::decode_metadata_with_options(&footer, Some(&options)))
            .map_err(|fault| about("its footer is corrupt", fault))?;
        let rows = rows_of(&metadata, size)?;
        let columns = columns_of(&metadata)?;
        let leaf = statistics_of.and_then(|name| {
            let column = columns.iter().find(|column| column.name == name)?;
            column.leaf.as_ref().ok().map(|(leaf, _)| *leaf)
        });
        let extents = match leaf {
            // A second look at the footer costs less than the statistics of all columns.
            Some(leaf) => {
                let options = options.with_column_stats_policy(ParquetStatisticsPolicy::skip_except(&[leaf]));
                guard(|| ParquetMetaDataReader::decode_metadata_with_options(&footer, Some(&options)))
                    .map(|metadata| extents(&metadata, leaf))
                    .unwrap_or_default()
            }
            None => Vec::new(),
        };
        let handle = keep_open.then(|| Arc::new(file));
        Ok((Self { path: path.to_owned(), partition, layout: 0, size, rows, metadata, extents, handle }, columns))
    }

    /// Path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.size
    }

    /// Rows of every row group.
    pub(super) fn row_groups(&self) -> impl Iterator<Item = u64> {
        self.metadata.row_groups().iter().map(|group| group.num_rows().unsigned_abs())
    }

    /// What the footer says about the column whose statistics were asked for, in a row group.
    pub(crate) fn extent(&self, row_group: usize) -> Extent {
        self.extents.get(row_group).copied().unwrap_or(Extent { ends: None, nulls: None })
    }

    /// Keys and values of the folders that it lies in.
    pub(crate) fn partition(&self) -> &[(String, Option<String>)] {
        &self.partition
    }

    /// The schema's description of a leaf.
    pub(crate) fn descriptor(&self, leaf: usize) -> ColumnDescPtr {
        self.metadata.file_metadata().schema_descr().column(leaf)
    }

    /// Bytes that a column chunk takes in the file, as declared.
    pub(super) fn chunk_bytes(&self, row_group: usize, leaf: usize) -> u64 {
        self.metadata.row_group(row_group).column(leaf).compressed_size().unsigned_abs()
    }

    /// The pages of one leaf in one row group.
    pub(crate) fn pages(&self, row_group: usize, leaf: usize) -> Result<Pages, Fault> {
        let chunk = self.chunk(row_group, leaf)?;
        match &self.handle {
            Some(file) => Pages::new(file, chunk),
            None => {
                let file = File::open(&self.path)?;
                if file.metadata()?.len() != self.size {
                    return Err(Fault::corrupt("the file changed while it was read"));
                }
                Pages::new(&Arc::new(file), chunk)
            }
        }
    }

    /// parquet-cpp, and Arrow C++ before 3.0, compressed pages of version 2 but wrote that they had not (ARROW-17100).
    fn denies_compression(&self) -> bool {
        const SUCH: [&str; 4] = ["-arrow version 0.", "-arrow version 1.", "-arrow version 2.", " version 1."];
        let writer = self.metadata.file_metadata().created_by().unwrap_or_default();
        writer.strip_prefix("parquet-cpp").is_some_and(|rest| SUCH.iter().any(|such| rest.starts_with(such)))
    }

    /// Where a column chunk lies, checked against the file.
    fn chunk(&self, row_group: usize, leaf: usize) -> Result<Chunk, Fault> {
        let group = self.metadata.row_group(row_group);
        let column = group.column(leaf);
        if let Some(other) = column.file_path().filter(|path| !path.is_empty()) {
            return Err(Fault::Unsupported(format!("its data lies in another file ({other}); name that file")));
        }
        if column.num_values() != group.num_rows() {
            return Err(Fault::corrupt(format!(
                "the column chunk declares {} values in a row group of {} rows",
                column.num_values(),
                group.num_rows()
            )));
        }
        // Some writers leave 0, or an offset behind the data, where there is no dictionary.
        let data = column.data_page_offset();
        let start = column.dictionary_page_offset().filter(|&offset| offset > 0 && offset < data).unwrap_or(data);
        let bounds = u64::try_from(start).ok().zip(u64::try_from(column.compressed_size()).ok());
        let (start, length) = bounds
            .filter(|&(start, length)| start.checked_add(length).is_some_and(|end| end <= self.size))
            .ok_or_else(|| {
                Fault::Corrupt(format!(
                    "the column chunk of {} bytes at byte {start} lies outside the file of {} bytes",
                    column.compressed_size(),
                    self.size
                ))
            })?;
        let descriptor = self.descriptor(leaf);
        let fixed = descriptor.physical_type() == Physical::FIXED_LEN_BYTE_ARRAY;
        let type_length = if fixed { usize::try_from(descriptor.type_length()).unwrap_or(0) } else { 0 };
        Ok(Chunk {
            start,
            length,
            codec: column.compression(),
            always_compressed: self.denies_compression(),
            physical: descriptor.physical_type(),
            type_length,
            rows: group.num_rows().unsigned_abs(),
        })
    }
}

fn about(what: &str, fault: Fault) -> Fault {
    match fault {
        Fault::Corrupt(reason) | Fault::Unsupported(reason) => Fault::Corrupt(format!("{what}: {reason}")),
        other => other,
    }
}

/// The Thrift bytes of the footer, once the file looks like Parquet.
fn footer_bytes(file: &File, size: u64) -> Result<Vec<u8>, Fault> {
    if size == 0 {
        return Err(Fault::corrupt("the file is empty"));
    }
    if size < SMALLEST_FILE {
        return Err(Fault::corrupt(format!("not a Parquet file: it has only {size} bytes")));
    }
    let mut tail = [0; 8];
    read_at(file, &mut tail, size - 8)?;
    match &tail[4..] {
        b"PAR1" => {}
        b"PARE" => return Err(Fault::corrupt("its footer is encrypted, which is not supported")),
        _ => {
            let mut head = [0; 4];
            read_at(file, &mut head, 0)?;
            return Err(Fault::corrupt(if &head == b"PAR1" {
                "truncated: it begins like a Parquet file but has no footer"
            } else {
                "not a Parquet file: it does not end in PAR1"
            }));
        }
    }
    let length = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if length > size - SMALLEST_FILE {
        return Err(Fault::corrupt(format!(
            "its footer is corrupt: it declares {length} bytes of metadata in a file of {size} bytes"
        )));
    }
    let mut footer = vec![0; usize::try_from(length).map_err(|_| Fault::corrupt("its footer is too long"))?];
    read_at(file, &mut footer, size - 8 - length)?;
    Ok(footer)
}

fn rows_of(metadata: &ParquetMetaData, size: u64) -> Result<u64, Fault> {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let mut rows = 0_u64;
    for (index, group) in metadata.row_groups().iter().enumerate() {
        if group.num_columns() != columns {
            return Err(Fault::Corrupt(format!(
                "its footer is corrupt: row group {index} has {} columns, the schema {columns}",
                group.num_columns()
            )));
        }
        let sum = u64::try_from(group.num_rows()).ok().and_then(|more| rows.checked_add(more));
        rows = sum.filter(|&sum| sum / MAX_ROWS_PER_BYTE <= size).ok_or_else(|| {
            Fault::Corrupt(format!(
                "its footer is corrupt: row group {index} declares {} rows in a file of {size} bytes",
                group.num_rows()
            ))
        })?;
    }
    Ok(rows)
}

/// The columns at the top level. One that Arrow has no type for does not cost the others.
fn columns_of(metadata: &ParquetMetaData) -> Result<Vec<FileColumn>, Fault> {
    let schema = metadata.file_metadata().schema_descr();
    let hints = metadata.file_metadata().key_value_metadata();
    let whole = guard(|| parquet_to_arrow_schema(schema, hints)).ok();
    let fields = schema.root_schema().get_fields();
    let whole = whole.filter(|whole| whole.fields().len() == fields.len());
    let mut first_leaf = vec![usize::MAX; fields.len()];
    for leaf in (0..schema.num_columns()).rev() {
        first_leaf[schema.get_column_root_idx(leaf)] = leaf;
    }
    let columns = fields.iter().enumerate().map(|(index, field)| {
        let leaf = match nested(field) {
            Some(reason) => Err(reason),
            None => match &whole {
                Some(whole) => Ok(whole.field(index).data_type().clone()),
                None => type_alone(field),
            }
            .map(|data_type| (first_leaf[index], stored_type(field, data_type))),
        };
        FileColumn { name: field.name().to_owned(), leaf }
    });
    Ok(columns.collect())
}

/// Why a field cannot be a feature by its shape.
fn nested(field: &Type) -> Option<String> {
    if field.is_group() {
        let words = match field.get_basic_info().converted_type() {
            parquet::basic::ConvertedType::LIST => "list",
            parquet::basic::ConvertedType::MAP | parquet::basic::ConvertedType::MAP_KEY_VALUE => "map",
            _ => "struct",
        };
        return Some(format!("nested type ({words}); flatten it into columns of its own"));
    }
    let repeated =
        field.get_basic_info().has_repetition() && field.get_basic_info().repetition() == Repetition::REPEATED;
    repeated.then(|| "nested type (repeated values); flatten it into columns of its own".to_owned())
}

fn type_alone(field: &Arc<Type>) -> Result<DataType, String> {
    let alone = Type::group_type_builder("schema").with_fields(vec![Arc::clone(field)]).build();
    let schema = alone
        .map_err(Fault::from)
        .and_then(|alone| guard(|| parquet_to_arrow_schema(&SchemaDescriptor::new(Arc::new(alone)), None)));
    match schema {
        Ok(schema) => Ok(schema.field(0).data_type().clone()),
        Err(Fault::Corrupt(reason) | Fault::Unsupported(reason)) => Err(format!("unsupported type: {reason}")),
        Err(_) => Err("unsupported type".to_owned()),
    }
}

/// INT96 holds nanoseconds whatever unit an embedded Arrow schema asks for.
fn stored_type(field: &Type, data_type: DataType) -> DataType {
    if field.get_physical_type() == Physical::INT96 {
        return DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, None);
    }
    data_type
}
