//! Files that are broken, odd or empty: one of them, or one column, never costs the others, and nothing panics.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, ListArray, NullArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int32Type as PhysicalInt32};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use gpudrift::column::{CategoryTable, Facts, FactsLevel, pair, read_codes, read_keys};
use gpudrift::counts::Keys;
use gpudrift::source::{Dataset, OpenOptions, ReadError, SourceError};

fn open(path: &Path) -> Result<Dataset, SourceError> {
    Dataset::open(&[path.to_str().unwrap().to_owned()], &OpenOptions::default())
}

/// Reads a column to its end: its facts, or why it cannot be read.
fn read(data: &Dataset, name: &str) -> Result<Facts, String> {
    let column = data.column(name).expect("the column is there");
    let source = &data.columns()[column];
    let encoding = pair(source, source, false).map_err(|error| error.to_string())?.encoding;
    let (mut facts, mut table) = (Facts::default(), CategoryTable::new(0, 1, 1 << 24));
    let mut out = Keys::empty(encoding.key_bits());
    let mut flush = |keys: &mut Keys| {
        keys.clear();
        Ok::<_, ReadError>(())
    };
    for unit in data.units() {
        let more = if encoding.is_categorical() {
            read_codes(data, unit, column, &encoding, &mut table, &mut out, 1 << 16, &mut flush)
        } else {
            read_keys(data, unit, column, &encoding, FactsLevel::Full, &mut out, 1 << 16, &mut flush)
        };
        facts.merge(&more.map_err(|error| error.to_string())?);
    }
    Ok(facts)
}

fn read_everything(path: &Path) {
    match open(path) {
        Err(error) => assert!(error.to_string().contains(path.to_str().unwrap()), "{error}"),
        Ok(data) => {
            for column in data.columns() {
                if let Err(words) = read(&data, &column.name) {
                    assert!(words.contains(&column.name), "{words}");
                }
            }
        }
    }
}

/// A file of a few rows of many types.
fn sample(version: WriterVersion, codec: Compression) -> Vec<u8> {
    let rows = 60;
    let some = |i: i32| (i % 7 != 3).then_some(i);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("int", Arc::new((0..rows).map(some).collect::<Int32Array>())),
        ("float", Arc::new((0..rows).map(|i| some(i).map(f64::from)).collect::<Float64Array>())),
        ("text", Arc::new((0..rows).map(|i| some(i).map(|i| format!("value {}", i % 9))).collect::<StringArray>())),
        ("bool", Arc::new((0..rows).map(|i| some(i).map(|i| i % 2 == 0)).collect::<BooleanArray>())),
        ("time", Arc::new((0..rows).map(|i| some(i).map(i64::from)).collect::<TimestampMicrosecondArray>())),
        ("decimal", Arc::new((0..rows).map(|i| some(i).map(i128::from)).collect::<Decimal128Array>())),
        ("null", Arc::new(NullArray::new(60))),
    ];
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let properties = WriterProperties::builder()
        .set_writer_version(version)
        .set_compression(codec)
        .set_max_row_group_row_count(Some(40))
        .build();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn file(folder: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// A file of required columns, each with three values, in a schema that Arrow would not write.
fn by_schema(folder: &tempfile::TempDir, schema: &str) -> PathBuf {
    let path = folder.path().join("a.parquet");
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let mut writer =
        SerializedFileWriter::new(std::fs::File::create(&path).unwrap(), schema, Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            parquet::column::writer::ColumnWriter::Int32ColumnWriter(_) => {
                column.typed::<PhysicalInt32>().write_batch(&[1, 2, 3], None, None).unwrap();
            }
            _ => {
                let values = [&b"good"[..], b"ba\xffd", b"good"].map(|bytes| ByteArray::from(bytes.to_vec()));
                column.typed::<ByteArrayType>().write_batch(&values, None, None).unwrap();
            }
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    path
}

#[test]
fn every_kind_of_column_of_the_sample_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let data = open(&file(&folder, "a.parquet", &sample(WriterVersion::PARQUET_2_0, Compression::SNAPPY))).unwrap();
    assert_eq!((data.rows(), data.units().len(), data.columns().len()), (60, 2, 7));
    for (name, nulls) in [("int", 9), ("float", 9), ("text", 9), ("bool", 9), ("time", 9), ("decimal", 9), ("null", 60)]
    {
        let facts = read(&data, name).unwrap();
        assert_eq!((facts.rows, facts.nulls), (60, nulls), "{name}");
    }
}

#[test]
fn a_file_cut_anywhere_is_an_error_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = sample(WriterVersion::PARQUET_1_0, Compression::UNCOMPRESSED);
    for length in (0..bytes.len()).step_by(7).chain(bytes.len() - 20..bytes.len()) {
        let path = file(&folder, "cut.parquet", &bytes[..length]);
        let words = open(&path).unwrap_err().to_string();
        assert!(words.contains("cut.parquet: ") && words.contains("--skip-bad-files"), "{words}");
    }
}

#[test]
fn what_is_no_parquet_file_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, words) in [
        (&b""[..], "the file is empty"),
        (b"PAR1", "not a Parquet file: it has only 4 bytes"),
        (b"a,b\n1,2\n3,4\n5,6\n", "not a Parquet file"),
        (b"PAR1 and something more", "truncated"),
        (b"PAR1\xff\xff\xff\x7fPAR1", "declares 2147483647 bytes"),
        (b"PARE\x00\x00\x00\x00PARE", "encrypted"),
    ] {
        let error = open(&file(&folder, "x.parquet", bytes)).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_bad_file_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    file(&folder, "a.parquet", &sample(WriterVersion::PARQUET_1_0, Compression::SNAPPY));
    let bad = file(&folder, "b.parquet", b"PAR1");
    let paths = [folder.path().to_str().unwrap().to_owned()];
    assert!(
        matches!(Dataset::open(&paths, &OpenOptions::default()), Err(SourceError::BadFile { path, .. }) if path == bad)
    );
    let options = OpenOptions { skip_bad_files: true, ..OpenOptions::default() };
    let data = Dataset::open(&paths, &options).unwrap();
    assert_eq!((data.rows(), data.bad_files().len()), (60, 1));
    std::fs::remove_file(folder.path().join("a.parquet")).unwrap();
    assert!(matches!(Dataset::open(&paths, &options), Err(SourceError::AllBad { files: 1, .. })));
}

#[test]
fn a_text_that_is_not_utf8_costs_its_column_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = by_schema(&folder, "message m { required binary t (UTF8); required binary b; required int32 i; }");
    let data = open(&path).unwrap();
    let words = read(&data, "t").unwrap_err();
    assert!(words.contains("column `t`") && words.contains("a.parquet") && words.contains("row group 0"), "{words}");
    assert!(words.contains("not UTF-8") && words.contains("--exclude t"), "{words}");
    assert_eq!(read(&data, "b").unwrap().rows, 3);
    assert_eq!(read(&data, "i").unwrap().moments.mean(), Some(2.0));
}

#[test]
fn a_name_that_occurs_twice_costs_these_columns_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = by_schema(&folder, "message m { required int32 x; required int32 y; required int32 x; }");
    let data = open(&path).unwrap();
    assert_eq!(data.columns().len(), 2);
    assert!(read(&data, "x").unwrap_err().contains("more than one column of this name"));
    assert_eq!(read(&data, "y").unwrap().rows, 3);
}

#[test]
fn nested_columns_have_their_reason() {
    let folder = tempfile::tempdir().unwrap();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some([Some(1), None]), None]);
    let leaf: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let group = StructArray::try_from(vec![("leaf", leaf.clone())]).unwrap();
    let batch =
        RecordBatch::try_from_iter([("list", Arc::new(list) as ArrayRef), ("group", Arc::new(group)), ("flat", leaf)]);
    let batch = batch.unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let data = open(&file(&folder, "a.parquet", &bytes)).unwrap();
    assert!(read(&data, "list").unwrap_err().contains("nested type (list)"));
    assert!(read(&data, "group").unwrap_err().contains("nested type (struct)"));
    assert_eq!(read(&data, "flat").unwrap().moments.mean(), Some(1.5));
}

#[test]
fn no_rows_and_no_columns_are_fine() {
    let folder = tempfile::tempdir().unwrap();
    let schema = RecordBatch::try_from_iter([("x", Arc::new(Int32Array::from(vec![0])) as ArrayRef)]).unwrap().schema();
    let mut bytes = Vec::new();
    ArrowWriter::try_new(&mut bytes, schema, None).unwrap().close().unwrap();
    let data = open(&file(&folder, "rows.parquet", &bytes)).unwrap();
    assert_eq!((data.rows(), data.units().len(), data.columns().len()), (0, 0, 1));
    assert_eq!(read(&data, "x").unwrap(), Facts::default());

    let path = folder.path().join("columns.parquet");
    let schema = Arc::new(parse_message_type("message m { }").unwrap());
    SerializedFileWriter::new(std::fs::File::create(&path).unwrap(), schema, Default::default())
        .unwrap()
        .close()
        .unwrap();
    let data = open(&path).unwrap();
    assert_eq!((data.rows(), data.columns().len()), (0, 0));
}

#[test]
fn names_with_points_and_empty_names_are_columns() {
    let folder = tempfile::tempdir().unwrap();
    let column = || Arc::new(Int32Array::from(vec![4])) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("PM2.5", column()), ("", column())]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let data = open(&file(&folder, "a.parquet", &bytes)).unwrap();
    assert_eq!(read(&data, "PM2.5").unwrap().rows, 1);
    assert_eq!(read(&data, "").unwrap().rows, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn flipped_bytes_never_panic(
        second in any::<bool>(),
        packed in any::<bool>(),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 1..6),
    ) {
        let version = if second { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 };
        let mut bytes = sample(version, if packed { Compression::SNAPPY } else { Compression::UNCOMPRESSED });
        for (place, flip) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= flip;
        }
        let folder = tempfile::tempdir().unwrap();
        read_everything(&file(&folder, "flipped.parquet", &bytes));
    }
}
