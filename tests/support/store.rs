//! A made-up feature store that grows by a day: thirty-one features, none of which drifts by itself.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use indexmap::IndexMap;
use parquet::arrow::ArrowWriter;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Distribution, LogNormal, Normal, Poisson};

/// Rows of a day.
const ROWS: usize = 2000;
const CITIES: [&str; 8] = ["Berlin", "Lagos", "Lima", "Oslo", "Quito", "Seoul", "Tunis", "Warsaw"];

/// The values of a feature.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    Numbers(Vec<Option<f64>>),
    Counts(Vec<Option<i64>>),
    Words(Vec<Option<String>>),
    Flags(Vec<Option<bool>>),
    /// Times of day, in microseconds.
    Times(Vec<Option<i64>>),
}

/// The rows of a day.
pub(crate) struct Day {
    pub(crate) name: String,
    /// Microseconds since 1970.
    start: i64,
    random: ChaCha8Rng,
    pub(crate) columns: IndexMap<String, Column>,
}

impl Day {
    /// The rows of a day of 2026, the same on every machine.
    pub(crate) fn new(month: u32, day: u32) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(u64::from(month * 100 + day));
        let mut columns = IndexMap::new();
        let mut add = |name: String, column: Column| columns.insert(name, column);
        for (index, mean) in [170.0, 40.0, 98.0, 3.5, -12.0, 60.0, 1500.0, 2700.0, 900.0, 1.0].into_iter().enumerate() {
            let normal = Normal::new(mean, 15.0).unwrap();
            add(format!("user:n{index}"), Column::Numbers(rows(|| Some(normal.sample(&mut random)))));
        }
        for index in 0..6 {
            let amount = LogNormal::new(2.0 + f64::from(index) * 0.2, 0.8).unwrap();
            let numbers = rows(|| (unit(&mut random) > 0.03).then(|| amount.sample(&mut random)));
            add(format!("order:amount{index}"), Column::Numbers(numbers));
        }
        for index in 0..5 {
            let visits = Poisson::new(4.0 + 3.0 * f64::from(index)).unwrap();
            // Rounding towards zero of a whole number.
            #[expect(clippy::cast_possible_truncation, reason = "a small whole number")]
            let counts = rows(|| Some(visits.sample(&mut random) as i64));
            add(format!("user:visits{index}"), Column::Counts(counts));
        }
        for index in 0..5 {
            let words = rows(|| {
                let place = CITIES.iter().position(|_| unit(&mut random) < 0.3).unwrap_or(index);
                Some(CITIES[place].to_owned())
            });
            add(format!("user:city{index}"), Column::Words(words));
        }
        for index in 0..3 {
            let share = 0.2 + 0.3 * f64::from(index);
            add(format!("user:flag{index}"), Column::Flags(rows(|| Some(unit(&mut random) < share))));
        }
        add("device:battery".to_owned(), Column::Numbers(rows(|| Some(unit(&mut random) * 100.0))));
        let hours = Normal::new(13.0_f64, 2.5).unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "fewer than 24 hours")]
        let times = rows(|| Some((hours.sample(&mut random).clamp(0.0, 23.9) * 3.6e9) as i64));
        add("device:used_at".to_owned(), Column::Times(times));
        let name = format!("2026-{month:02}-{day:02}");
        let start: jiff::Timestamp = format!("{name}T00:00:00Z").parse().unwrap();
        Self { name, start: start.as_microsecond(), random, columns }
    }

    /// Changes every number of a feature.
    pub(crate) fn numbers(&mut self, feature: &str, change: impl Fn(f64) -> f64) {
        match &mut self.columns[feature] {
            Column::Numbers(numbers) => numbers.iter_mut().flatten().for_each(|number| *number = change(*number)),
            other => panic!("{other:?}"),
        }
    }

    /// Puts one count into a share of the rows.
    pub(crate) fn some_counts(&mut self, feature: &str, share: f64, value: i64) {
        match &mut self.columns[feature] {
            Column::Counts(counts) => {
                let chosen = counts.iter_mut().flatten().filter(|_| unit(&mut self.random) < share);
                chosen.for_each(|count| *count = value);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Loses a share of the values.
    pub(crate) fn nulls(&mut self, feature: &str, share: f64) {
        match &mut self.columns[feature] {
            Column::Numbers(numbers) => {
                let lost = numbers.iter_mut().filter(|_| unit(&mut self.random) < share);
                lost.for_each(|number| *number = None);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Sets every clock so many hours ahead.
    pub(crate) fn clocks(&mut self, feature: &str, hours: i64) {
        match &mut self.columns[feature] {
            Column::Times(times) => times.iter_mut().flatten().for_each(|time| *time += hours * 3_600_000_000),
            other => panic!("{other:?}"),
        }
    }

    /// Turns a share of the flags that are down up.
    pub(crate) fn raise(&mut self, feature: &str, share: f64) {
        match &mut self.columns[feature] {
            Column::Flags(flags) => {
                let chosen = flags.iter_mut().flatten().filter(|_| unit(&mut self.random) < share);
                chosen.for_each(|flag| *flag = true);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Gives a feature the rows that it had on another day.
    pub(crate) fn freeze(&mut self, feature: &str, other: &Self) {
        self.columns[feature] = other.columns[feature].clone();
    }

    /// Changes every word of a feature.
    pub(crate) fn words(&mut self, feature: &str, change: impl Fn(&str) -> String) {
        match &mut self.columns[feature] {
            Column::Words(words) => words.iter_mut().flatten().for_each(|word| *word = change(word)),
            other => panic!("{other:?}"),
        }
    }

    /// Puts one word into a share of the rows.
    pub(crate) fn some_words(&mut self, feature: &str, share: f64, value: &str) {
        match &mut self.columns[feature] {
            Column::Words(words) => {
                let chosen = words.iter_mut().flatten().filter(|_| unit(&mut self.random) < share);
                chosen.for_each(|word| value.clone_into(word));
            }
            other => panic!("{other:?}"),
        }
    }

    /// Exchanges the values of two features.
    pub(crate) fn swap(&mut self, one: &str, other: &str) {
        let values = [self.columns[one].clone(), self.columns[other].clone()];
        let [first, second] = values;
        (self.columns[one], self.columns[other]) = (second, first);
    }
}

fn rows<T>(value: impl FnMut() -> T) -> Vec<T> {
    std::iter::repeat_with(value).take(ROWS).collect()
}

/// From 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits")]
fn unit(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Writes `day=…/part-0.parquet` under `store`.
pub(crate) fn write_day(store: &Path, day: &Day) {
    let step = 86_400_000_000 / i64::try_from(ROWS).unwrap();
    let at = TimestampMicrosecondArray::from_iter_values((0_i64..).take(ROWS).map(|row| day.start + row * step));
    let array = |column: &Column| -> ArrayRef {
        match column {
            Column::Numbers(values) => Arc::new(Float64Array::from(values.clone())),
            Column::Counts(values) => Arc::new(Int64Array::from(values.clone())),
            Column::Words(values) => Arc::new(StringArray::from(values.clone())),
            Column::Flags(values) => Arc::new(BooleanArray::from(values.clone())),
            Column::Times(values) => Arc::new(Time64MicrosecondArray::from(values.clone())),
        }
    };
    let at: ArrayRef = Arc::new(at.with_timezone("UTC"));
    let columns =
        std::iter::once(("at", at)).chain(day.columns.iter().map(|(name, column)| (name.as_str(), array(column))));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let folder = store.join(format!("day={}", day.name));
    std::fs::create_dir_all(&folder).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(folder.join("part-0.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}
