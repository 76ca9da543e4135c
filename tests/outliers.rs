//! Outliers where the fences lie far beyond every value.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use gpudrift::config::{BackendChoice, ScanConfig};
use gpudrift::progress::NoProgress;
use gpudrift::scan::scan;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// How often each value from the first one on occurs.
type Run<'r> = (i64, &'r [usize]);

/// The rows in one of many orders.
fn rows(runs: &[Run<'_>], order: u64) -> Vec<i64> {
    let counts = runs.iter().flat_map(|&(first, counts)| (first..).zip(counts));
    let mut random = ChaCha8Rng::seed_from_u64(order);
    let rows = counts.flat_map(|(value, &rows)| vec![value; rows]);
    let mut keyed: Vec<(u64, i64)> = rows.map(|value| (random.next_u64(), value)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, value)| value).collect()
}

fn write(file: &Path, values: Vec<i64>, dictionary: bool) {
    let column: ArrayRef = Arc::new(Int64Array::from(values));
    let batch = RecordBatch::try_from_iter([("response_time", column)]).unwrap();
    let properties = WriterProperties::builder().set_dictionary_enabled(dictionary).build();
    let mut writer = ArrowWriter::try_new(File::create(file).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Response times of two services, one in another unit: the quartiles lie in different modes, and nothing is an outlier.
/// In some orders of the rows the largest value has the last cell for itself, and that reaches to the fences.
#[test]
fn a_fence_beyond_the_largest_value_has_all_rows_below() {
    let slow: [Run<'_>; 2] = [
        (22491, &[2, 1, 2, 11, 16, 36, 46, 65, 66, 80, 78, 59, 57, 34, 15, 14, 2, 3]),
        (22491, &[2, 2, 7, 12, 16, 39, 48, 59, 65, 83, 70, 45, 50, 31, 27, 12, 11, 2]),
    ];
    let fast: [Run<'_>; 2] = [
        (10, &[2, 4, 8, 17, 24, 43, 80, 113, 152, 187, 208, 188, 130, 96, 77, 38, 28, 10, 4, 4]),
        (9, &[1, 0, 0, 6, 12, 22, 48, 74, 117, 152, 188, 213, 169, 142, 115, 71, 49, 18, 14, 4, 4]),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (dictionary, order) in (0..30).flat_map(|order| [(true, order), (false, order)]) {
        let sides = [0, 1].map(|side| {
            let file = folder.path().join(format!("{side}.parquet"));
            write(&file, rows(&[fast[side], slow[side]], order), dictionary);
            vec![file.display().to_string()]
        });
        let [reference, current] = sides;
        let config = ScanConfig { reference, current, backend: BackendChoice::Cpu, ..ScanConfig::default() };
        let report = scan(&config, &NoProgress).unwrap();
        let outliers = [&report.features[0].reference, &report.features[0].current].map(|side| {
            let facts = side.facts.as_ref().unwrap();
            [facts.outliers, facts.extreme_outliers]
        });
        assert_eq!(outliers, [[Some(0); 2]; 2], "dictionary pages: {dictionary}, order {order}");
    }
}
