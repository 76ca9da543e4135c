//! A few rows of the current data, where somebody asked for them: they may be private, so nobody gets them unasked.

use std::fs::File;

use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use crate::format::cut;
use crate::source::find;

/// Longest value that is shown.
const LONGEST: usize = 200;

/// The first `rows` rows of the current data, these columns of them, as text. Nothing where they cannot be read: an
/// alert without samples is an alert.
pub(super) fn rows<'n>(paths: &[String], names: impl Iterator<Item = &'n str>, rows: usize) -> Vec<Map<String, Value>> {
    if rows == 0 {
        return Vec::new();
    }
    let names: Vec<_> = names.collect();
    read(paths, &names, rows).unwrap_or_default()
}

fn read(paths: &[String], names: &[&str], rows: usize) -> Result<Vec<Map<String, Value>>, Box<dyn std::error::Error>> {
    let Some(first) = find(paths)?.into_iter().next() else { return Ok(Vec::new()) };
    let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(&first.path)?)?;
    let schema = builder.parquet_schema();
    let roots = schema.root_schema().get_fields().iter().enumerate();
    let wanted = roots.filter(|(_, field)| names.contains(&field.name())).map(|(index, _)| index);
    let mask = ProjectionMask::roots(schema, wanted);
    let mut found = Vec::new();
    let options = FormatOptions::default().with_null("null");
    for batch in builder.with_projection(mask).with_limit(rows).build()? {
        let batch = batch?;
        let fields = batch.schema();
        let columns = fields.fields().iter().zip(batch.columns());
        let columns = columns
            .map(|(field, column)| Ok((field.name().as_str(), ArrayFormatter::try_new(column.as_ref(), &options)?)))
            .collect::<Result<Vec<_>, arrow::error::ArrowError>>()?;
        for row in 0..batch.num_rows() {
            let value = |(name, values): &(&str, ArrayFormatter<'_>)| {
                ((*name).to_owned(), Value::from(cut(&values.value(row).to_string(), LONGEST)))
            };
            found.push(columns.iter().map(value).collect());
        }
    }
    Ok(found)
}
