//! Importance of features, from a file that names each with its weight.
//!
//! CSV with a header and Parquet need two columns, `feature` (or `name`) and `weight` (or `importance`); JSON is an
//! object from names to numbers, or an array of objects with these two keys.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

/// Names of the column with the feature.
const FEATURE: [&str; 2] = ["feature", "name"];
/// Names of the column with its weight.
const WEIGHT: [&str; 2] = ["weight", "importance"];

/// Why a file of weights could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file could not be opened.
    #[error("cannot read the weights {}", file.display())]
    Open {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what its ending says, or lacks a column.
    #[error("the weights {}: {reason}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The weight of every feature that the file at `path` names; its ending (`.csv`, `.json`, `.parquet`) tells the
/// format. `column` is the one with the weights, where it is not called `weight` or `importance`.
///
/// # Errors
/// When the file cannot be read, names a feature twice, or has a weight that is negative or no number.
pub fn read_weights(path: &Path, column: Option<&str>) -> Result<HashMap<String, f64>, WeightsError> {
    let content = |reason: String| WeightsError::Content { file: path.to_owned(), reason };
    let open = || File::open(path).map_err(|source| WeightsError::Open { file: path.to_owned(), source });
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or("").to_lowercase();
    let pairs = match ending.as_str() {
        "csv" => of_csv(open()?, column),
        "json" => of_json(open()?, column),
        "parquet" => of_parquet(open()?, column),
        _ => Err("the name must end in .csv, .json or .parquet".to_owned()),
    };
    let mut weights = HashMap::new();
    for (feature, weight) in pairs.map_err(content)? {
        if !(0.0..=f64::MAX).contains(&weight) {
            return Err(content(format!("the weight of {feature} is {weight}, but must be a number from 0")));
        }
        if weights.insert(feature.clone(), weight).is_some() {
            return Err(content(format!("{feature} stands in it twice")));
        }
    }
    Ok(weights)
}

type Pairs = Result<Vec<(String, f64)>, String>;

fn of_csv(file: File, column: Option<&str>) -> Pairs {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let names: Vec<&str> = header.iter().collect();
    let (feature, weight) = (place(&names, FEATURE)?, weight_place(&names, column)?);
    let mut pairs = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = record.get(weight).unwrap_or("");
        let number = text.parse().map_err(|_| format!("line {line}: {text:?} is no number"))?;
        pairs.push((record.get(feature).unwrap_or("").to_owned(), number));
    }
    Ok(pairs)
}

fn of_json(file: File, column: Option<&str>) -> Pairs {
    #[derive(Deserialize)]
    struct Entry {
        #[serde(alias = "name")]
        feature: String,
        #[serde(flatten)]
        values: indexmap::IndexMap<String, serde_json::Value>,
    }
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected an object from features to weights, or an array of {feature, weight}")]
    enum Written {
        Map(indexmap::IndexMap<String, f64>),
        List(Vec<Entry>),
    }
    let written = serde_json::from_reader(std::io::BufReader::new(file)).map_err(|error| error.to_string())?;
    let weight = |entry: Entry| {
        let names: Vec<&str> = entry.values.keys().map(String::as_str).collect();
        let value = &entry.values[weight_place(&names, column)?];
        let number =
            value.as_f64().ok_or_else(|| format!("the weight of {} is {value}, which is no number", entry.feature))?;
        Ok((entry.feature, number))
    };
    match written {
        Written::Map(_) if column.is_some() => Err("it has no columns, but a number for each feature".to_owned()),
        Written::Map(map) => Ok(map.into_iter().collect()),
        Written::List(list) => list.into_iter().map(weight).collect(),
    }
}

fn of_parquet(file: File, column: Option<&str>) -> Pairs {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| error.to_string())?;
    let names: Vec<&str> = builder.schema().fields().iter().map(|field| field.name().as_str()).collect();
    let wanted = [place(&names, FEATURE)?, weight_place(&names, column)?];
    let named = wanted.map(|at| names[at].to_owned());
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
    let reader = builder.with_projection(mask).build().map_err(|error| error.to_string())?;
    let mut pairs = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| error.to_string())?;
        let column = |name: &str, data_type: &DataType| {
            let column = batch.column_by_name(name).ok_or_else(|| format!("column {name} is gone"))?;
            cast(column, data_type).map_err(|error| format!("column {name}: {error}"))
        };
        let features = column(&named[0], &DataType::Utf8)?;
        let weights = column(&named[1], &DataType::Float64)?;
        let (features, weights) = (features.as_string::<i32>(), weights.as_primitive::<Float64Type>());
        if features.null_count() + weights.null_count() > 0 {
            return Err("a feature or a weight is null".to_owned());
        }
        pairs.extend(features.iter().flatten().map(str::to_owned).zip(weights.values().iter().copied()));
    }
    Ok(pairs)
}

fn weight_place(names: &[&str], column: Option<&str>) -> Result<usize, String> {
    let Some(column) = column else { return place(names, WEIGHT) };
    let at = names.iter().position(|name| *name == column);
    at.ok_or_else(|| format!("there is no column {column}; it has {}", names.join(", ")))
}

fn place(names: &[&str], wanted: [&str; 2]) -> Result<usize, String> {
    let at = wanted.iter().find_map(|wanted| names.iter().position(|name| name.eq_ignore_ascii_case(wanted)));
    at.ok_or_else(|| format!("there is no column {} (or {}); it has {}", wanted[0], wanted[1], names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, bytes: &[u8]) -> Result<Vec<(String, f64)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let weights = read_weights(&path, None).map_err(|error| error.to_string())?;
        let mut weights: Vec<_> = weights.into_iter().collect();
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(weights)
    }

    #[test]
    fn three_formats_say_the_same() {
        let expected = Ok(vec![("user:age".to_owned(), 2.5), ("x,y".to_owned(), 0.0)]);
        assert_eq!(read("w.csv", b"rank,Feature,importance\n1,user:age,2.5\n2,\"x,y\",0\n"), expected);
        assert_eq!(read("w.json", br#"{"user:age": 2.5, "x,y": 0}"#), expected);
        let list = br#"[{"name": "user:age", "weight": 2.5}, {"feature": "x,y", "importance": 0, "gain": 1}]"#;
        assert_eq!(read("w.JSON", list), expected);
        assert_eq!(read("w.parquet", &parquet()), expected);
    }

    fn parquet() -> Vec<u8> {
        use arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray};
        use std::sync::Arc;
        let columns: [(&str, ArrayRef); 2] = [
            ("feature", Arc::new(StringArray::from(vec!["user:age", "x,y"]))),
            ("weight", Arc::new(Float32Array::from(vec![2.5, 0.0]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut out = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut out, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        out
    }

    #[test]
    fn mistakes_are_named() {
        let said = |name: &str, bytes: &[u8]| read(name, bytes).unwrap_err();
        assert!(said("w.csv", b"a,weight\nx,1\n").ends_with("there is no column feature (or name); it has a, weight"));
        assert!(said("w.csv", b"feature,weight\nx,much\n").ends_with("line 2: \"much\" is no number"));
        assert!(
            said("w.csv", b"feature,weight\nx,-1\n").ends_with("the weight of x is -1, but must be a number from 0")
        );
        assert!(
            said("w.json", br#"[{"feature": "x", "weight": 1}, {"feature": "x", "weight": 1}]"#)
                .ends_with("x stands in it twice")
        );
        assert!(said("w.json", b"3").contains("expected an object from features to weights"));
        assert!(said("w.txt", b"").ends_with("must end in .csv, .json or .parquet"));
        assert!(said("w.parquet", b"no").contains("w.parquet: "));
        let missing = read_weights(Path::new("no/such.csv"), None).unwrap_err();
        assert_eq!(missing.to_string(), "cannot read the weights no/such.csv");
    }

    #[test]
    fn the_column_of_weights_may_have_any_name() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("w.csv", "feature,split,gain\na,1,2.5\nb,7,0\n"),
            ("w.json", r#"[{"feature": "a", "split": 1, "gain": 2.5}, {"name": "b", "gain": 0}]"#),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let weights = read_weights(&path, Some("gain")).unwrap();
            assert_eq!((weights["a"], weights["b"], weights.len()), (2.5, 0.0, 2), "{name}");
            let missing = read_weights(&path, Some("cover")).unwrap_err().to_string();
            assert!(missing.contains("there is no column cover"), "{missing}");
        }
    }
}
