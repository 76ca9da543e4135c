//! What a profile holds, and where.

use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::convert::{IpcSchemaEncoder, try_fb_to_schema};
use arrow::ipc::root_as_schema;
use serde::{Deserialize, Serialize};

use super::ProfileError;
use super::build::meaning;
use super::container::Slice;
use crate::source::SourceColumn;

/// The directory, as it is written.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Directory {
    /// Version of the program that wrote it.
    pub(super) program: String,
    /// The definitions behind what was counted, in words.
    pub(super) definitions: Vec<String>,
    pub(super) rows: u64,
    /// The distinct types, as an Arrow schema.
    types: Vec<u8>,
    #[serde(skip)]
    known: Vec<DataType>,
    pub(super) entries: Vec<Entry>,
}

/// One column of the reference.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) types: Vec<u32>,
    pub(super) problem: Option<String>,
    pub(super) partition: bool,
    /// Why it could not be read.
    pub(super) failure: Option<String>,
    /// Keys, categories, summary.
    pub(super) slices: Option<[Slice; 3]>,
}

impl Directory {
    pub(super) fn new(rows: u64) -> Self {
        let definitions = [
            "nulls and NaN are counted apart; -0 is 0",
            "quantiles and PSI edges: linear interpolation (NumPy)",
            "distinct: exact up to 10000, then HyperLogLog with 2^13 registers",
        ];
        Self {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            definitions: definitions.map(str::to_owned).to_vec(),
            rows,
            types: Vec::new(),
            known: Vec::new(),
            entries: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, column: &SourceColumn, entry: Entry) {
        let mut types = Vec::new();
        for data_type in column.types.iter().map(meaning) {
            let known = &mut self.known;
            let at = known.iter().position(|one| *one == data_type).unwrap_or_else(|| {
                known.push(data_type);
                known.len() - 1
            });
            let at = u32::try_from(at).expect("fewer types than columns");
            if !types.contains(&at) {
                types.push(at);
            }
        }
        let (name, problem) = (column.name.clone(), column.problem.clone());
        self.entries.push(Entry { name, types, problem, partition: column.partition, ..entry });
    }

    pub(super) fn encoded(mut self) -> Result<Vec<u8>, ProfileError> {
        let fields: Vec<Field> = self.known.iter().map(|one| Field::new("", one.clone(), true)).collect();
        self.types = IpcSchemaEncoder::new().schema_to_fb(&Schema::new(fields)).finished_data().to_vec();
        postcard::to_stdvec(&self).map_err(|error| ProfileError::Write(error.into()))
    }

    pub(super) fn decoded(bytes: &[u8]) -> Option<(Self, Vec<SourceColumn>)> {
        let directory: Self = postcard::from_bytes(bytes).ok()?;
        let types = root_as_schema(&directory.types).ok()?;
        let schema = try_fb_to_schema(types).ok()?;
        let columns = directory.entries.iter().map(|entry| {
            let of = |&at: &u32| schema.fields().get(at as usize).map(|field| field.data_type().clone());
            Some(SourceColumn {
                name: entry.name.clone(),
                types: entry.types.iter().map(of).collect::<Option<_>>()?,
                problem: entry.problem.clone(),
                partition: entry.partition,
            })
        });
        let columns = columns.collect::<Option<Vec<_>>>()?;
        Some((directory, columns))
    }
}
