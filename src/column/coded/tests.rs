//! Counting codes equals counting values.

use std::sync::Arc;

use arrow::array::{ArrayRef, Decimal128Array, PrimitiveArray};
use arrow::datatypes::*;
use parquet::basic::Compression;
use parquet::file::properties::{WriterProperties, WriterVersion};
use proptest::prelude::*;

use super::*;
use crate::column::pair;
use crate::column::read::tests::{Store, assert_codes_count_as_values};

/// Values by their places in a pool, null where there is none.
fn array<T: ArrowPrimitiveType>(places: &[Option<usize>], pool: &[T::Native]) -> ArrayRef {
    Arc::new(places.iter().map(|place| place.map(|place| pool[place % pool.len()])).collect::<PrimitiveArray<T>>())
}

/// A column of each type that keys are made of as it is stored.
fn arrays(places: &[Option<usize>], spread: &[u64]) -> Vec<ArrayRef> {
    let floats = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 5e-324, -1e-310, 1.5, f64::MAX, 1e-40];
    let doubles: Vec<f64> = floats.iter().copied().chain(spread.iter().map(|&bits| f64::from_bits(bits))).collect();
    let singles: Vec<f32> = doubles.iter().map(|&value| value as f32).collect();
    let longs: Vec<i64> = [0, -1, i64::MIN, i64::MAX].into_iter().chain(spread.iter().map(|&n| n as i64)).collect();
    let decimals = places.iter().map(|place| place.map(|place| i128::from(longs[place % longs.len()])));
    let wide = decimals.clone().map(|n| n.map(|n| n << 40));
    vec![
        array::<Float64Type>(places, &doubles),
        array::<Float32Type>(places, &singles),
        array::<Int64Type>(places, &longs),
        array::<UInt64Type>(places, &longs.iter().map(|&n| n as u64).collect::<Vec<_>>()),
        array::<Int32Type>(places, &longs.iter().map(|&n| n as i32).collect::<Vec<_>>()),
        array::<UInt32Type>(places, &longs.iter().map(|&n| n as u32).collect::<Vec<_>>()),
        array::<TimestampMicrosecondType>(places, &longs),
        array::<Date32Type>(places, &longs.iter().map(|&n| n as i32).collect::<Vec<_>>()),
        Arc::new(
            decimals.map(|n| n.map(|n| n >> 10)).collect::<Decimal128Array>().with_precision_and_scale(18, 3).unwrap(),
        ),
        Arc::new(wide.collect::<Decimal128Array>().with_precision_and_scale(38, 0).unwrap()),
    ]
}

fn properties() -> impl Strategy<Value = WriterProperties> {
    let codec = prop::sample::select(vec![Compression::UNCOMPRESSED, Compression::SNAPPY, Compression::LZ4_RAW]);
    let version = prop::sample::select(vec![WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]);
    // From dictionaries that give up at once to such that hold everything.
    let dictionary = prop::sample::select(vec![16_usize, 64, 200, 1 << 20]);
    (codec, version, dictionary, 1_usize..200, 50_usize..1500).prop_map(|(codec, version, dictionary, page, group)| {
        WriterProperties::builder()
            .set_compression(codec)
            .set_writer_version(version)
            .set_dictionary_page_size_limit(dictionary)
            .set_data_page_row_count_limit(page)
            .set_write_batch_size(16)
            .set_max_row_group_row_count(Some(group))
            .build()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn counting_codes_equals_counting_values(
        places in prop::collection::vec(prop::option::weighted(0.9, 0_usize..60), 0..1000),
        pool in 1_usize..60,
        spread in prop::collection::vec(any::<u64>(), 40),
        properties in properties(),
        basic: bool,
    ) {
        let level = if basic { FactsLevel::Basic } else { FactsLevel::Full };
        let places: Vec<Option<usize>> = places.into_iter().map(|place| place.map(|place| place % pool)).collect();
        for array in arrays(&places, &spread) {
            let store = Store::new();
            store.write("a.parquet", vec![("x", array)], properties.clone());
            let data = store.open();
            let encoding = pair(&data.columns()[0], &data.columns()[0], false).unwrap().encoding;
            assert_codes_count_as_values(&data, 0, &encoding, level);
        }
    }

    #[test]
    fn facts_by_binary_digits_are_those_of_all_rows(
        pairs in prop::collection::vec((-40_i64..40, 1_u32..3000), 0..60),
    ) {
        let facts = |values: &[i64], keys: &[u64]| {
            let mut facts = Facts { nulls: values.len() as u64, ..Facts::default() };
            count(&mut facts, &mut None, keys, &crate::column::Encoding::Int64, FactsLevel::Full);
            facts.moments.add_ints(values);
            facts
        };
        let all: Vec<i64> = pairs.iter().flat_map(|&(value, rows)| (0..rows).map(move |_| value)).collect();
        let keys: Vec<u64> = all.iter().map(|value| value.key()).collect();
        let wanted = facts(&all, &keys);
        let mut many = Many { values: Vec::new(), keys: Vec::new(), rows: Vec::new() };
        for (value, rows) in pairs {
            many.values.push(value);
            many.keys.push(value.key());
            many.rows.push(rows);
        }
        let found = many.facts(facts);
        prop_assert_eq!(found.moments.normalized(), wanted.moments.normalized());
        prop_assert_eq!(Facts { moments: Moments::default(), ..found }, Facts { moments: Moments::default(), ..wanted });
    }

    #[test]
    fn few_rows_are_put_down_one_by_one(pairs in prop::collection::vec((any::<u16>(), 0_u32..5), 0..50)) {
        let (values, rows): (Vec<u16>, Vec<u32>) = pairs.iter().copied().unzip();
        let mut few = vec![7; 3];
        few.clear();
        repeat_few(&values, &rows, &mut few);
        let wanted: Vec<u16> =
            pairs.iter().filter(|(_, rows)| *rows <= FEW).flat_map(|&(v, rows)| (0..rows).map(move |_| v)).collect();
        prop_assert_eq!(few, wanted);
    }
}

#[test]
fn dictionaries_are_counted_by_code_and_mixed_chunks_in_part() {
    // Three values over and over, and at the end of the second file as many as rows: its dictionary gives up.
    let often = |i: usize| [1.5, 2.5, f64::NAN][i % 3];
    let some = |i: usize| if i < 600 { often(i) } else { i as f64 };
    for (value, limit, wanted) in [(&often as &dyn Fn(usize) -> f64, 1 << 20, 600), (&some, 100, 400)] {
        let store = Store::new();
        let column: PrimitiveArray<Float64Type> = (0..900).map(|i| Some(value(i))).collect();
        let properties = WriterProperties::builder().set_dictionary_page_size_limit(limit).set_write_batch_size(10);
        store.write("a.parquet", vec![("x", Arc::new(column))], properties.build());
        let data = store.open();
        let by_code = assert_codes_count_as_values(&data, 0, &crate::column::Encoding::Float64, FactsLevel::Full);
        assert_eq!(by_code, wanted);
    }
}
