//! Our decoding against arrow-rs' arrays, over types, encodings, codecs and page versions.

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::*;
use half::f16;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding as PageEncoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};

use super::*;
use crate::column::{CategoryTable, pair, read_codes, read_weighted_codes};
use crate::counts::Scale;
use crate::source::OpenOptions;

pub(in crate::column) struct Store {
    folder: tempfile::TempDir,
}

impl Store {
    pub(in crate::column) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(in crate::column) fn write(&self, name: &str, columns: Vec<(&str, ArrayRef)>, properties: WriterProperties) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true))).unwrap();
        let file = std::fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }

    pub(in crate::column) fn open(&self) -> Dataset {
        Dataset::open(&[self.folder.path().to_str().unwrap().to_owned()], &OpenOptions::default()).unwrap()
    }
}

fn plain_properties() -> WriterProperties {
    WriterProperties::builder().build()
}

fn read_all(data: &Dataset, column: usize, encoding: Encoding, window: usize) -> Result<(Keys, Facts), ReadError> {
    let mut all = Keys::empty(encoding.key_bits());
    let mut facts = Facts::default();
    for unit in data.units() {
        let mut out = Keys::empty(encoding.key_bits());
        let mut flush = |keys: &mut Keys| {
            assert!(keys.len() >= window);
            append(&mut all, keys);
            Ok::<_, ReadError>(())
        };
        facts.merge(&read_keys(data, unit, column, &encoding, FactsLevel::Full, &mut out, window, &mut flush)?);
        append(&mut all, &mut out);
    }
    Ok((all, facts))
}

fn append(all: &mut Keys, more: &mut Keys) {
    match (all, more) {
        (Keys::U32(all), Keys::U32(more)) => all.append(more),
        (Keys::U64(all), Keys::U64(more)) => all.append(more),
        (Keys::U128(all), Keys::U128(more)) => all.append(more),
        _ => panic!("widths differ"),
    }
}

/// What arrow-rs makes of the only column of a file: the numbers, the nulls, and the values in words.
fn by_arrow(path: &std::path::Path) -> (Vec<Number>, u64, Vec<Vec<u8>>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).unwrap()).unwrap().build().unwrap();
    let (mut numbers, mut nulls, mut bytes) = (Vec::new(), 0, Vec::new());
    for batch in reader {
        let array = batch.unwrap().column(0).clone();
        nulls += array.null_count() as u64;
        macro_rules! each {
            ($t:ty, $f:expr) => {
                numbers.extend(array.as_primitive::<$t>().iter().flatten().map($f))
            };
        }
        match array.data_type() {
            DataType::Int8 => each!(Int8Type, |n| Number::Int(n.into())),
            DataType::Int16 => each!(Int16Type, |n| Number::Int(n.into())),
            DataType::Int32 => each!(Int32Type, |n| Number::Int(n.into())),
            DataType::Int64 => each!(Int64Type, |n| Number::Int(n.into())),
            DataType::UInt8 => each!(UInt8Type, |n| Number::Int(n.into())),
            DataType::UInt16 => each!(UInt16Type, |n| Number::Int(n.into())),
            DataType::UInt32 => each!(UInt32Type, |n| Number::Int(n.into())),
            DataType::UInt64 => each!(UInt64Type, |n| Number::Int(n.into())),
            DataType::Float16 => each!(Float16Type, |x| Number::Float(x.into())),
            DataType::Float32 => each!(Float32Type, |x| Number::Float(x.into())),
            DataType::Float64 => each!(Float64Type, Number::Float),
            DataType::Date32 => each!(Date32Type, |n| Number::Int(n.into())),
            DataType::Date64 => each!(Date64Type, |n| Number::Int(n.into())),
            DataType::Time32(TimeUnit::Millisecond) => each!(Time32MillisecondType, |n| Number::Int(n.into())),
            DataType::Time64(TimeUnit::Nanosecond) => each!(Time64NanosecondType, |n| Number::Int(n.into())),
            DataType::Timestamp(TimeUnit::Second, _) => each!(TimestampSecondType, |n| Number::Int(n.into())),
            DataType::Timestamp(TimeUnit::Microsecond, _) => each!(TimestampMicrosecondType, |n| Number::Int(n.into())),
            DataType::Duration(TimeUnit::Nanosecond) => each!(DurationNanosecondType, |n| Number::Int(n.into())),
            DataType::Decimal32(_, s) => each!(Decimal32Type, |n| Number::Scaled(n.into(), (*s).into())),
            DataType::Decimal64(_, s) => each!(Decimal64Type, |n| Number::Scaled(n.into(), (*s).into())),
            DataType::Decimal128(_, s) => each!(Decimal128Type, |n| Number::Scaled(n, (*s).into())),
            DataType::Decimal256(_, s) => each!(Decimal256Type, |n| Number::Scaled(n.to_i128().unwrap(), (*s).into())),
            DataType::Boolean => numbers.extend(array.as_boolean().iter().flatten().map(|b| Number::Int(b.into()))),
            _ => {
                let array = arrow::compute::cast(&array, &DataType::Binary).or_else(|_| {
                    let text = arrow::compute::cast(&array, &DataType::Utf8)?;
                    arrow::compute::cast(&text, &DataType::Binary)
                });
                bytes.extend(array.unwrap().as_binary::<i32>().iter().flatten().map(<[u8]>::to_vec));
            }
        }
    }
    (numbers, nulls, bytes)
}

const ROWS: u64 = 3000;

/// A mixed sequence: ties, extremes, nulls in stretches and one by one.
fn mixed<T>(make: impl Fn(u64) -> T) -> Vec<Option<T>> {
    (0..ROWS)
        .map(|i| {
            let spread = i.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let null = i % 13 == 5 || (700..900).contains(&i);
            (!null).then(|| make(if i % 3 == 0 { spread } else { spread >> 61 }))
        })
        .collect()
}

fn arrays() -> Vec<ArrayRef> {
    macro_rules! array {
        ($array:ty, $f:expr) => {
            Arc::new(<$array>::from(mixed($f))) as ArrayRef
        };
    }
    let fixed =
        FixedSizeBinaryArray::try_from_sparse_iter_with_size(mixed(|i| i.to_be_bytes()[2..].to_vec()).into_iter(), 6);
    let text = |i: u64| format!("{} {}", ["one", "two", "three", "äöü", ""][(i % 5) as usize], i >> 50);
    let strings = array!(StringArray, text);
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    vec![
        array!(Int8Array, |i| i as i8),
        array!(Int16Array, |i| i as i16),
        array!(Int32Array, |i| i as i32),
        array!(Int64Array, |i| i as i64),
        array!(UInt8Array, |i| i as u8),
        array!(UInt16Array, |i| i as u16),
        array!(UInt32Array, |i| i as u32),
        array!(UInt64Array, |i| i),
        array!(Float16Array, |i| f16::from_bits(i as u16)),
        array!(Float32Array, |i| f32::from_bits(i as u32)),
        array!(Float64Array, |i| if i == 3 { f64::NAN } else { f64::from_bits(i) }),
        array!(Date32Array, |i| (i as i32) >> 10),
        array!(Date64Array, |i| (i as i32 as i64) * 86_400_000),
        array!(Time32MillisecondArray, |i| (i % 86_400_000) as i32),
        array!(Time64NanosecondArray, |i| (i % 86_400_000_000_000) as i64),
        array!(TimestampSecondArray, |i| (i as i64) >> 30),
        array!(TimestampMicrosecondArray, |i| i as i64),
        array!(DurationNanosecondArray, |i| i as i64),
        Arc::new(
            array!(Decimal32Array, |i| (i % 1_000_000) as i32)
                .as_primitive::<Decimal32Type>()
                .clone()
                .with_precision_and_scale(6, 2)
                .unwrap(),
        ),
        Arc::new(Decimal128Array::from(mixed(|i| i128::from(i as i64) / 100)).with_precision_and_scale(18, 4).unwrap()),
        Arc::new(
            Decimal128Array::from(mixed(|i| -i128::from(i) * 1_000_000_007)).with_precision_and_scale(38, 10).unwrap(),
        ),
        Arc::new(
            Decimal256Array::from(mixed(|i| i256::from_i128(i128::from(i) << 60)))
                .with_precision_and_scale(50, 0)
                .unwrap(),
        ),
        array!(BooleanArray, |i| i % 2 == 1),
        strings.clone(),
        array!(LargeStringArray, text),
        Arc::new(StringViewArray::from(mixed(text))),
        arrow::compute::cast(&strings, &dictionary).unwrap(),
        Arc::new(mixed(|i| i.to_le_bytes()[..(i % 9) as usize].to_vec()).into_iter().collect::<BinaryArray>()),
        Arc::new(fixed.unwrap()),
    ]
}

fn page_encodings(data_type: &DataType) -> Vec<PageEncoding> {
    let mut encodings = vec![PageEncoding::PLAIN];
    match data_type {
        DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::Utf8View => {
            encodings.extend([PageEncoding::DELTA_LENGTH_BYTE_ARRAY, PageEncoding::DELTA_BYTE_ARRAY]);
        }
        DataType::Float16 | DataType::FixedSizeBinary(_) | DataType::Decimal256(..) => {
            encodings.extend([PageEncoding::BYTE_STREAM_SPLIT, PageEncoding::DELTA_BYTE_ARRAY]);
        }
        DataType::Float32 | DataType::Float64 => encodings.push(PageEncoding::BYTE_STREAM_SPLIT),
        DataType::Boolean => encodings.push(PageEncoding::RLE),
        DataType::Int32 | DataType::Int64 => {
            encodings.extend([PageEncoding::BYTE_STREAM_SPLIT, PageEncoding::DELTA_BINARY_PACKED]);
        }
        _ => {}
    }
    encodings
}

fn compare_with_arrow(array: &ArrayRef, properties: WriterProperties, window: usize) {
    let store = Store::new();
    store.write("a.parquet", vec![("x", array.clone())], properties.clone());
    let data = store.open();
    let source = &data.columns()[0];
    let pairing = pair(source, source, false).unwrap();
    let (numbers, nulls, bytes) = by_arrow(data.files()[0].path());
    let what = format!("{} with {properties:?}", pairing.type_name);
    if pairing.encoding.is_categorical() {
        let (mut table, mut out) = (CategoryTable::new(0, 1, 1 << 24), Keys::empty(32));
        let mut facts = Facts::default();
        for unit in data.units() {
            let mut flush = |_: &mut Keys| Ok::<_, ReadError>(());
            let more = read_codes(&data, unit, 0, &pairing.encoding, &mut table, &mut out, usize::MAX, &mut flush);
            facts.merge(&more.unwrap_or_else(|error| panic!("{what}: {error}")));
        }
        let got: Vec<&[u8]> = (0..out.len()).map(|i| table.value(out.get(i) as u32)).collect();
        assert_eq!(got, bytes, "{what}");
        assert_eq!((facts.rows, facts.nulls), (ROWS, nulls));
        assert_codes_count_as_categories(&data, &pairing.encoding, &table, &out, &facts);
        return;
    }
    let (keys, facts) = read_all(&data, 0, pairing.encoding, window).unwrap_or_else(|error| panic!("{what}: {error}"));
    let is_nan = |n: &Number| matches!(n, Number::Float(x) if x.is_nan());
    let wanted: Vec<u128> =
        numbers.iter().filter(|n| !is_nan(n)).map(|&n| pairing.encoding.key_of(n).unwrap()).collect();
    let got: Vec<u128> = (0..keys.len()).map(|i| keys.get(i)).collect();
    assert_eq!(got, wanted, "{what}");
    let nans = numbers.iter().filter(|n| is_nan(n)).count() as u64;
    assert_eq!((facts.rows, facts.nulls, facts.nans), (ROWS, nulls, nans), "{what}");
    assert_eq!((facts.min_key, facts.max_key), (wanted.iter().min().copied(), wanted.iter().max().copied()));
    let mut distinct = wanted.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(facts.distinct.count(), (distinct.len() as u64, false), "{what}");
    let values: Vec<f64> = wanted.iter().map(|&key| pairing.encoding.value_of(key)).collect();
    assert_eq!(facts.zeros, values.iter().filter(|&&x| x == 0.0).count() as u64, "{what}");
    assert_eq!(facts.infinite, values.iter().filter(|x| x.is_infinite()).count() as u64, "{what}");
    assert_eq!(facts.moments.count(), wanted.len() as u64);
    assert_codes_count_as_values(&data, 0, &pairing.encoding, FactsLevel::Full);
}

/// That counting codes gives what counting values gives; returns the number of rows that were counted by code.
pub(in crate::column) fn assert_codes_count_as_values(
    data: &Dataset,
    column: usize,
    encoding: &Encoding,
    level: FactsLevel,
) -> u64 {
    let mut by_code = 0;
    for unit in data.units() {
        let (mut values, mut few) = (Keys::empty(encoding.key_bits()), Keys::empty(encoding.key_bits()));
        let mut many = Weighted::empty(encoding.key_bits());
        let mut flush = |_: &mut Keys| Ok::<_, ReadError>(());
        let wanted = read_keys(data, unit, column, encoding, level, &mut values, usize::MAX, &mut flush).unwrap();
        let found = read_weighted_keys::<ReadError>(data, unit, column, encoding, level, &mut few, &mut many).unwrap();
        let normalized = |facts: Facts| Facts { moments: facts.moments.normalized(), ..facts };
        assert_eq!(normalized(found), normalized(wanted));
        assert_eq!(all_of(&few, &many), all_of(&values, &Weighted::empty(encoding.key_bits())));
        by_code += many.total();
    }
    by_code
}

fn assert_codes_count_as_categories(
    data: &Dataset,
    encoding: &Encoding,
    table: &CategoryTable,
    values: &Keys,
    wanted: &Facts,
) {
    let mut own = CategoryTable::new(0, 1, 1 << 24);
    let (mut few, mut many, mut facts) = (Keys::empty(32), Weighted::empty(32), Facts::default());
    for unit in data.units() {
        let read = read_weighted_codes::<ReadError>(data, unit, 0, encoding, &mut own, &mut few, &mut many);
        facts.merge(&read.unwrap());
    }
    assert_eq!(&facts, wanted);
    let words = |codes: Vec<u128>, table: &CategoryTable| {
        let mut words: Vec<Vec<u8>> = codes.into_iter().map(|code| table.value(code as u32).to_vec()).collect();
        words.sort_unstable();
        words
    };
    assert_eq!(words(all_of(&few, &many), &own), words(all_of(values, &Weighted::empty(32)), table));
}

/// All keys, ascending, each as often as it occurs.
fn all_of(keys: &Keys, weighted: &Weighted) -> Vec<u128> {
    let mut all: Vec<u128> = (0..keys.len()).map(|i| keys.get(i)).collect();
    for (i, &rows) in weighted.rows().iter().enumerate() {
        all.extend((0..rows).map(|_| weighted.keys().get(i)));
    }
    all.sort_unstable();
    all
}

#[test]
fn every_type_and_encoding_reads_as_arrow_reads_it() {
    for array in arrays() {
        for encoding in page_encodings(array.data_type()) {
            for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
                for dictionary in [false, true] {
                    let properties = WriterProperties::builder()
                        .set_writer_version(version)
                        .set_dictionary_enabled(dictionary)
                        .set_encoding(encoding)
                        .set_data_page_row_count_limit(700)
                        .set_write_batch_size(100)
                        .set_max_row_group_row_count(Some(2100))
                        .set_statistics_enabled(EnabledStatistics::Page)
                        .build();
                    compare_with_arrow(&array, properties, if dictionary { 500 } else { usize::MAX });
                }
            }
        }
    }
}

#[test]
fn every_codec_reads_as_arrow_reads_it() {
    let codecs = [
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::BROTLI(Default::default()),
    ];
    let arrays = arrays();
    for codec in codecs {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            for array in [&arrays[2], &arrays[10], &arrays[20], &arrays[23]] {
                let properties = WriterProperties::builder().set_writer_version(version).set_compression(codec);
                compare_with_arrow(array, properties.build(), usize::MAX);
            }
        }
    }
}

#[test]
fn dictionaries_that_give_up_midway_are_read() {
    for array in arrays() {
        let properties = WriterProperties::builder()
            .set_dictionary_page_size_limit(64)
            .set_write_batch_size(50)
            .set_data_page_size_limit(400);
        compare_with_arrow(&array, properties.build(), 1000);
    }
}

#[test]
fn columns_of_other_types_and_absent_ones_merge() {
    let store = Store::new();
    store.write("a.parquet", vec![("x", Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])))], plain_properties());
    store.write("b.parquet", vec![("x", Arc::new(Float64Array::from(vec![1.5, f64::NAN])))], plain_properties());
    store.write("c.parquet", vec![("y", Arc::new(Int32Array::from(vec![7])))], plain_properties());
    let data = store.open();
    let x = data.column("x").unwrap();
    let pairing = pair(&data.columns()[x], &data.columns()[x], false).unwrap();
    assert_eq!(pairing.encoding, Encoding::Float64);
    assert_eq!(pairing.type_name, "int32 | float64");
    let (keys, facts) = read_all(&data, x, pairing.encoding, usize::MAX).unwrap();
    let values: Vec<f64> = (0..keys.len()).map(|i| pairing.encoding.value_of(keys.get(i))).collect();
    assert_eq!(values, [1.0, 3.0, 1.5]);
    assert_eq!((facts.rows, facts.nulls, facts.nans), (6, 2, 1));
    assert_eq!(facts.moments.mean(), Some(5.5 / 3.0));
    assert_eq!(data.rows(), 6);
}

#[test]
fn joint_encodings_read_what_they_promise() {
    let big = (1_i64 << 53) + 1;
    let store = Store::new();
    store.write("a.parquet", vec![("x", Arc::new(Int64Array::from(vec![big, 1])))], plain_properties());
    store.write(
        "b.parquet",
        vec![("x", Arc::new(Float64Array::from(vec![big as f64, 0.5, -0.0])))],
        plain_properties(),
    );
    let data = store.open();
    let encoding = pair(&data.columns()[0], &data.columns()[0], false).unwrap().encoding;
    let (keys, facts) = read_all(&data, 0, encoding, usize::MAX).unwrap();
    assert_eq!(encoding, Encoding::IntFloat);
    assert!(keys.get(0) > keys.get(2), "2^53 + 1 is above 2^53");
    assert_eq!((facts.distinct.count(), facts.zeros), ((5, false), 1));
    assert_eq!(facts.moments.mean(), Some((2.0 * 2_f64.powi(53) + 2.5) / 5.0));
}

#[test]
fn partitions_are_columns_of_constants() {
    let store = Store::new();
    let rows = |n: i32| vec![("x", Arc::new(Int32Array::from_iter_values(0..n)) as ArrayRef)];
    store.write("month=01/day=2013-01-02/a.parquet", rows(3), plain_properties());
    store.write("month=02/day=__HIVE_DEFAULT_PARTITION__/a.parquet", rows(2), plain_properties());
    let data = store.open();
    assert_eq!(data.columns().iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["x", "month", "day"]);
    assert_eq!(
        (&data.columns()[1].types[..], &data.columns()[2].types[..]),
        (&[DataType::Int64][..], &[DataType::Date32][..])
    );
    let month = pair(&data.columns()[1], &data.columns()[1], false).unwrap().encoding;
    let (keys, facts) = read_all(&data, 1, month, 2).unwrap();
    let values: Vec<f64> = (0..keys.len()).map(|i| month.value_of(keys.get(i))).collect();
    assert_eq!((values, facts.moments.mean()), (vec![1.0, 1.0, 1.0, 2.0, 2.0], Some(1.4)));
    assert_eq!(facts.distinct.count(), (2, false));
    let day = pair(&data.columns()[2], &data.columns()[2], false).unwrap().encoding;
    let (keys, facts) = read_all(&data, 2, day, usize::MAX).unwrap();
    assert_eq!((day.value_of(keys.get(0)), facts.nulls), (15_707.0, 2));

    // Against text the value of the folder is text, as it is written.
    let text = Encoding::Category { binary: false };
    let (mut table, mut out) = (CategoryTable::new(0, 1, 1 << 20), Keys::empty(32));
    for unit in data.units() {
        let mut flush = |_: &mut Keys| Ok::<_, ReadError>(());
        read_codes(&data, unit, 1, &text, &mut table, &mut out, usize::MAX, &mut flush).unwrap();
    }
    assert_eq!((out, table.display(0)), (Keys::U32(vec![0, 0, 0, 1, 1]), "01".to_owned()));
}

#[test]
fn integers_and_booleans_become_categories_by_their_words() {
    let store = Store::new();
    store.write(
        "a.parquet",
        vec![
            ("i", Arc::new(Int64Array::from(vec![Some(-7), None, Some(i64::MAX), Some(-7)])) as ArrayRef),
            ("b", Arc::new(BooleanArray::from(vec![true, false, true, true]))),
            ("d", Arc::new(Date32Array::from(vec![0, 1, 0, 0]))),
        ],
        plain_properties(),
    );
    let data = store.open();
    for (column, words) in
        [(0, ["-7", "9223372036854775807"]), (1, ["true", "false"]), (2, ["1970-01-01", "1970-01-02"])]
    {
        let encoding = pair(&data.columns()[column], &data.columns()[column], true).unwrap().encoding;
        let (mut table, mut out) = (CategoryTable::new(0, 1, 1 << 20), Keys::empty(32));
        let mut flush = |_: &mut Keys| Ok::<_, ReadError>(());
        read_codes(&data, &data.units()[0], column, &encoding, &mut table, &mut out, usize::MAX, &mut flush).unwrap();
        assert_eq!([table.display(0), table.display(1)], words);
    }
}

#[test]
fn units_that_overflow_are_errors_that_name_the_place() {
    let store = Store::new();
    store.write("a.parquet", vec![("t", Arc::new(TimestampSecondArray::from(vec![1 << 40])))], plain_properties());
    let data = store.open();
    let encoding = Encoding::Temporal { unit: Unit::Nanosecond, wide: true };
    let words = read_all(&data, 0, encoding, usize::MAX).unwrap_err().to_string();
    assert!(
        words.contains("column `t` of ") && words.contains("row group 0") && words.contains("does not fit 64 bits"),
        "{words}"
    );
}

#[test]
fn what_the_taker_fails_with_comes_back() {
    let store = Store::new();
    store.write("a.parquet", vec![("x", Arc::new(Int32Array::from(vec![1, 2])))], plain_properties());
    let data = store.open();
    let mut out = Keys::empty(32);
    #[derive(Debug)]
    enum Either {
        Read(ReadError),
        Mine,
    }
    impl From<ReadError> for Either {
        fn from(error: ReadError) -> Self {
            Self::Read(error)
        }
    }
    let mut flush = |_: &mut Keys| Err(Either::Mine);
    let outcome = read_keys(&data, &data.units()[0], 0, &Encoding::Int32, FactsLevel::Basic, &mut out, 1, &mut flush);
    assert!(matches!(outcome, Err(Either::Mine)));
    std::fs::write(data.files()[0].path(), b"").unwrap();
    let outcome = read_keys(&data, &data.units()[0], 0, &Encoding::Int32, FactsLevel::Basic, &mut out, 9, &mut flush);
    assert!(matches!(outcome, Err(Either::Read(ReadError::Io { .. }))), "{outcome:?}");
}
