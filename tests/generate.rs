//! What `gpudrift::generate` promises: the same bytes always, the declared rows, and the drift that it says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type};
use gpudrift::generate::{
    CODECS, Clipping, Constant, DefaultValue, Distribution, Drift, DriftKind, Expected, Feature, Format, Frozen,
    GenerateError, GenerateSpec, Layout, NewCategory, NullSpike, Recoded, Rounding, Scale, Shift, Side, Spelling,
    Spread, Store, Swapped, TYPES, Truncation, UnitChange, Value, VanishedCategory, demo, type_named,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

/// Every file under `folder` with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("folder is readable") {
            let path = entry.expect("entry is readable").path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).expect("below the root").to_owned();
                found.insert(name, fs::read(&path).expect("file is readable"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

fn write(store: &Store) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    store.write(folder.path(), false).expect("the store can be written");
    folder
}

/// All rows of one side, files in the order of their paths.
fn read(folder: &Path, side: Side) -> RecordBatch {
    let root = folder.join(side.folder());
    let mut batches = Vec::new();
    let mut schema = None;
    for path in files(&root).into_keys() {
        let file = File::open(root.join(path)).expect("file opens");
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).expect("file is Parquet");
        schema = Some(builder.schema().clone());
        batches.extend(builder.build().expect("readable").map(|batch| batch.expect("readable")));
    }
    concat_batches(&schema.expect("at least one file"), &batches).expect("equal schemas")
}

fn every_type() -> GenerateSpec {
    GenerateSpec {
        rows: 700,
        current_rows: 500,
        features: 2 * TYPES.len(),
        types: TYPES.iter().map(|(_, make)| make()).collect(),
        drifted: 0.3,
        nulls: 0.05,
        nans: 0.05,
        ..GenerateSpec::default()
    }
}

#[test]
fn the_committed_demo_is_what_the_generator_writes() {
    let committed = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data"));
    let made = write(&demo::store());
    let made = files(made.path());
    assert_eq!(committed.keys().collect::<Vec<_>>(), made.keys().collect::<Vec<_>>());
    for (path, bytes) in &made {
        assert!(
            committed[path] == *bytes,
            "data/{} differs; run `gpudrift generate --demo --output data --force` and look at the change",
            path.display()
        );
    }
    let size: usize = made.values().map(Vec::len).sum();
    assert!(size < 3_000_000, "{size} bytes");
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    let store = every_type().store().expect("valid");
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let folder = pool.install(|| write(&store));
        files(folder.path())
    };
    let one = with_threads(1);
    assert_eq!(one.len(), 3);
    assert!(one == with_threads(3) && one == with_threads(8));
    let another = GenerateSpec { seed: 43, ..every_type() }.store().expect("valid");
    assert!(one != files(write(&another).path()));
}

#[test]
fn values_do_not_depend_on_files_row_groups_codec_or_dictionary() {
    let base = every_type();
    let store = base.store().expect("valid");
    let folder = write(&store);
    let expected = Side::BOTH.map(|side| read(folder.path(), side));
    for (name, codec) in CODECS {
        for (dictionary, row_group_rows, files) in [(true, 100, 3), (false, 1_000_000, 1), (false, 37, 2)] {
            let format = Format { codec: codec(), dictionary, row_group_rows, files, ..Format::default() };
            let folder = write(&Store { format, ..store.clone() });
            for (side, expected) in Side::BOTH.into_iter().zip(&expected) {
                assert!(read(folder.path(), side) == *expected, "{name}, {row_group_rows} rows in a row group");
            }
        }
    }
}

#[test]
fn row_groups_and_files_have_their_declared_sizes() {
    let format = Format { row_group_rows: 300, files: 2, ..Format::default() };
    let spec = GenerateSpec { rows: 1501, current_rows: 0, features: 3, format, ..GenerateSpec::default() };
    let folder = write(&spec.store().expect("valid"));
    let rows = |path: &str| {
        let file = File::open(folder.path().join(path)).expect("file opens");
        let metadata = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").metadata().clone();
        assert_eq!(metadata.file_metadata().created_by(), Some("gpudrift generate"));
        metadata.row_groups().iter().map(|group| group.num_rows()).collect::<Vec<_>>()
    };
    assert_eq!(rows("reference/part-000.parquet"), [300, 300, 150]);
    assert_eq!(rows("reference/part-001.parquet"), [300, 300, 151]);
    assert_eq!(rows("current/part-001.parquet"), [0_i64; 0]);
}

#[test]
fn hive_folders_hold_the_partition_column_and_the_files_do_not() {
    let format = Format { layout: Layout::Hive, files: 2, ..Format::default() };
    let flat = GenerateSpec { rows: 801, current_rows: 10, features: 4, ..GenerateSpec::default() };
    let hive = write(&GenerateSpec { format, ..flat.clone() }.store().expect("valid"));
    let paths: Vec<_> = files(hive.path()).into_keys().map(|path| path.display().to_string()).collect();
    assert_eq!(paths.len(), 17);
    assert!(paths.contains(&"current/region=north%20america/part-001.parquet".to_owned()), "{paths:?}");
    let flat = write(&flat.store().expect("valid"));
    assert_eq!(read(hive.path(), Side::Reference), read(flat.path(), Side::Reference));
    let truth = fs::read_to_string(hive.path().join("truth.json")).expect("readable");
    assert!(truth.contains("\"north america\""));
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone_without_force() {
    let spec = GenerateSpec { rows: 10, current_rows: 10, features: 2, ..GenerateSpec::default() };
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("mine.txt"), "keep").expect("writable");
    let store = spec.store().expect("valid");
    let error = store.write(folder.path(), false).unwrap_err();
    assert!(matches!(error, GenerateError::OutputNotEmpty { .. }) && error.is_usage());
    assert!(error.to_string().contains("--force"), "{error}");
    assert_eq!(files(folder.path()).len(), 1);

    let more_files = Format { files: 3, ..Format::default() };
    Store { format: more_files, ..store.clone() }.write(folder.path(), true).expect("forced");
    assert_eq!(files(folder.path()).len(), 1 + 6 + 1);
    store.write(folder.path(), true).expect("forced");
    let left = files(folder.path());
    assert_eq!(left.len(), 1 + 2 + 1, "files of the earlier store are gone: {:?}", left.keys());
    assert_eq!(left[Path::new("mine.txt")], b"keep");

    let error = store.write(&folder.path().join("mine.txt"), true).unwrap_err();
    assert!(matches!(error, GenerateError::Io { .. }) && !error.is_usage(), "{error}");
}

#[test]
fn impossible_stores_are_refused_before_a_folder_is_made() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = folder.path().join("store");
    let mut store = GenerateSpec { rows: 10, ..GenerateSpec::default() }.store().expect("valid");
    store.features[0].specials.nulls = 2.0;
    assert!(store.write(&output, false).unwrap_err().to_string().contains("is 2;"));
    store.features[0].specials.nulls = 0.0;
    store.format.files = 0;
    assert!(store.write(&output, false).unwrap_err().to_string().contains("files is 0"));
    assert!(!output.exists());
}

fn column(batch: &RecordBatch, name: &str) -> ArrayRef {
    batch.column_by_name(name).expect("the column is there").clone()
}

fn numbers(array: &ArrayRef) -> Vec<f64> {
    let array = cast(array, &DataType::Float64).expect("a number");
    array.as_primitive::<Float64Type>().iter().flatten().collect()
}

fn mean(values: &[f64]) -> f64 {
    let count = u32::try_from(values.len()).expect("few values");
    values.iter().sum::<f64>() / f64::from(count)
}

/// One store with one feature for each drift, all of them standard normal or four equal categories before it.
#[test]
fn every_drift_is_in_the_current_side_and_only_there() {
    let drifts: [Drift; 14] = [
        Shift { by: 2.0 }.into(),
        Scale { factor: 3.0 }.into(),
        Spread { factor: 0.5, centre: 0.0 }.into(),
        UnitChange { factor: 1.8, offset: 32.0 }.into(),
        NullSpike { share: 0.4 }.into(),
        Constant { value: Value::Number(5.0) }.into(),
        Clipping { low: -0.5, high: 0.5 }.into(),
        Truncation { low: Some(0.0), high: None }.into(),
        DefaultValue { value: Value::Number(999.0), share: 0.3 }.into(),
        Rounding { decimals: 0 }.into(),
        Frozen {}.into(),
        NewCategory { label: "new".into(), share: 0.1 }.into(),
        VanishedCategory { label: "c".into() }.into(),
        Recoded { spelling: Spelling::Case }.into(),
    ];
    let features = drifts.into_iter().map(|drift| {
        let named = matches!(drift.kind(), DriftKind::NewCategory | DriftKind::VanishedCategory | DriftKind::Recoded);
        let mut feature = if named {
            Feature::new(drift.kind().name(), DataType::Utf8, Distribution::zipf(["a", "b", "c", "d"], 0.0))
        } else {
            Feature::new(drift.kind().name(), DataType::Float64, Distribution::Normal { mean: 0.0, sd: 1.0 })
        };
        feature.drift = Some(drift);
        feature.expected = Expected::Critical;
        feature
    });
    let store = Store {
        seed: 5,
        features: features.collect(),
        reference_rows: 20_000,
        current_rows: 20_000,
        format: Format::default(),
        readme: None,
    };
    let folder = write(&store);
    let [reference, current] = Side::BOTH.map(|side| read(folder.path(), side));
    for name in ["shift", "scale", "unit-change", "null-spike", "constant", "clipping", "truncation", "rounding"] {
        let values = numbers(&column(&reference, name));
        assert!(values.len() == 20_000 && mean(&values).abs() < 0.05, "{name}: {}", mean(&values));
    }
    let now = |name: &str| numbers(&column(&current, name));
    let sd = |values: &[f64]| mean(&values.iter().map(|v| (v - mean(values)).powi(2)).collect::<Vec<_>>()).sqrt();
    assert!((mean(&now("shift")) - 2.0).abs() < 0.05);
    assert!((sd(&now("scale")) - 3.0).abs() < 0.1);
    assert!((mean(&now("unit-change")) - 32.0).abs() < 0.1 && (sd(&now("unit-change")) - 1.8).abs() < 0.1);
    assert!((11_500..12_500).contains(&now("null-spike").len()));
    assert!(now("constant").iter().all(|v| *v == 5.0));
    assert!(now("clipping").iter().all(|v| (-0.5..=0.5).contains(v)) && now("clipping").contains(&0.5));
    assert!((sd(&now("spread")) - 0.5).abs() < 0.05);
    assert!(now("truncation").iter().all(|v| *v >= 0.0) && (mean(&now("truncation")) - 0.798).abs() < 0.02);
    assert!((5700..6300).contains(&now("default-value").iter().filter(|v| **v == 999.0).count()));
    assert!(now("rounding").iter().all(|v| v.fract() == 0.0) && now("rounding").contains(&1.0));
    assert!(column(&current, "frozen") == column(&reference, "frozen"), "row by row");
    let labels = |batch: &RecordBatch, name: &str| {
        let array = column(batch, name);
        let mut counts = BTreeMap::new();
        for label in array.as_string::<i32>().iter().flatten() {
            *counts.entry(label.to_owned()).or_insert(0) += 1;
        }
        counts
    };
    assert_eq!(labels(&reference, "new-category").len(), 4);
    assert!((1800..2200).contains(&labels(&current, "new-category")["new"]));
    assert_eq!(labels(&reference, "vanished-category").len(), 4);
    assert_eq!(labels(&current, "vanished-category").into_keys().collect::<Vec<_>>(), ["a", "b", "d"]);
    assert_eq!(labels(&current, "recoded").into_keys().collect::<Vec<_>>(), ["A", "B", "C", "D"]);
}

#[test]
fn features_that_change_places_have_each_others_rows() {
    let feature = |name: &str, mean: f64, with: Option<&str>| {
        let mut feature = Feature::new(name, DataType::Float64, Distribution::Normal { mean, sd: 1.0 });
        feature.drift = with.map(|with| Swapped { with: with.into() }.into());
        feature
    };
    let store = |features: [Feature; 2]| Store {
        seed: 5,
        features: features.to_vec(),
        reference_rows: 1000,
        current_rows: 1000,
        format: Format::default(),
        readme: None,
    };
    let sides = |store: &Store| {
        let folder = write(store);
        Side::BOTH.map(|side| read(folder.path(), side))
    };
    let [before, after] = sides(&store([feature("a", 0.0, Some("b")), feature("b", 50.0, Some("a"))]));
    let [same, expected] = sides(&store([feature("a", 0.0, None), feature("b", 50.0, None)]));
    assert_eq!(before, same);
    assert!(column(&after, "a") == column(&expected, "b"));
    assert!(column(&after, "b") == column(&expected, "a"));
    let refused = |features| store(features).write(Path::new("/nonexistent"), false).unwrap_err().to_string();
    assert!(refused([feature("a", 0.0, Some("x")), feature("b", 50.0, None)]).contains("`x`, which is not there"));
    assert!(refused([feature("a", 0.0, Some("b")), feature("b", 50.0, None)]).contains("`b`, which has another drift"));
    let mut whole = feature("b", 50.0, Some("a"));
    whole.data_type = DataType::Int32;
    assert!(refused([feature("a", 0.0, Some("b")), whole]).contains("cannot change places with `b`, which is Int32"));
}

fn spec() -> impl Strategy<Value = GenerateSpec> {
    let types = proptest::sample::subsequence(TYPES.map(|(name, _)| name).to_vec(), 1..TYPES.len());
    let format = (0..CODECS.len(), any::<bool>(), 1..80_usize, 1..4_u64, any::<bool>()).prop_map(
        |(codec, dictionary, row_group_rows, files, hive)| Format {
            codec: CODECS[codec].1(),
            dictionary,
            row_group_rows,
            files,
            layout: if hive { Layout::Hive } else { Layout::Flat },
        },
    );
    (0..200_u64, 0..200_u64, 1..12_usize, types, 0.0..=1.0_f64, 0.0..=1.0_f64, any::<u64>(), format).prop_map(
        |(rows, current_rows, features, types, drifted, nulls, seed, format)| GenerateSpec {
            rows,
            current_rows,
            features,
            types: types.into_iter().map(|name| type_named(name).expect("known")).collect(),
            drifted,
            drift: vec![DriftKind::NullSpike, DriftKind::Constant, DriftKind::Shift],
            drift_size: 1.0,
            nulls,
            nans: (1.0 - nulls) / 2.0,
            seed,
            format,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn written_stores_open_and_have_the_declared_rows_and_features(spec in spec()) {
        let store = match spec.store() {
            Ok(store) => store,
            // Nested columns do not drift.
            Err(GenerateError::TooFewCanDrift { .. }) if spec.types.iter().any(DataType::is_nested) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        let folder = write(&store);
        for side in Side::BOTH {
            let batch = read(folder.path(), side);
            prop_assert_eq!(batch.num_rows() as u64, store.rows(side));
            prop_assert_eq!(batch.num_columns(), spec.features);
            for (feature, field) in store.features.iter().zip(batch.schema().fields()) {
                prop_assert_eq!(field.name(), &feature.name);
                prop_assert_eq!(field.data_type(), &feature.data_type);
            }
            if spec.nulls == 0.0 && side == Side::Reference {
                prop_assert!(batch.columns().iter().all(|column| column.null_count() == 0));
            }
        }
    }
}
