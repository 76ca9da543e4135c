//! Limits that are learned from the reference: at most the asked false alarms on stable data, higher ones where days differ,
//! the same ones however rows lie in files.

#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a test fails loudly; its counts are small")]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use gpudrift::config::{BackendChoice, EpochUnit, ScanConfig};
use gpudrift::metric::{Chance, Table, psi_term};
use gpudrift::progress::NoProgress;
use gpudrift::report::Report;
use gpudrift::scan::scan;
use gpudrift::verdict::{Calibration, learned};
use parquet::arrow::ArrowWriter;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rand_distr::{Binomial, Distribution, StandardNormal};
use rayon::prelude::*;

const BINS: usize = 10;
const FLOOR: f64 = 0.001;
const NIGHTS: u64 = 365;

/// Rows by bin of a day: `shift` moves rows from the first bins to the last ones.
fn day(random: &mut ChaCha8Rng, rows: u64, shift: f64) -> Vec<u64> {
    let weight = |bin: usize| (shift * (bin as f64 / (BINS - 1) as f64 - 0.5) * 3.0).exp();
    let mut left = rows;
    let take = |bin: usize| {
        let share = (weight(bin) / (bin..BINS).map(weight).sum::<f64>()).min(1.0);
        let taken = Binomial::new(left, share).unwrap().sample(random);
        left -= taken;
        taken
    };
    (0..BINS).map(take).collect()
}

fn psi(reference: &[u64], current: &[u64]) -> f64 {
    Table::of_bins(reference, current).sum_of_shares(|r, c| psi_term(r, c, FLOOR))
}

/// False alarms of a year over all features, where a reference has `days` days of `rows` rows and days differ by `spread`.
fn false_alarms(features: u64, days: usize, rows: u64, spread: f64, calibration: &Calibration) -> u64 {
    let of_feature = |feature: u64| {
        let mut random = ChaCha8Rng::seed_from_u64(feature);
        let mut draw = || {
            let normal: f64 = StandardNormal.sample(&mut random);
            day(&mut random, rows, spread * normal)
        };
        let reference: Vec<Vec<u64>> = (0..days.max(30)).map(|_| draw()).collect();
        let total: Vec<u64> = (0..BINS).map(|bin| reference.iter().map(|day| day[bin]).sum()).collect();
        let n: u64 = total.iter().sum();
        let beside = |day: &Vec<u64>| psi(&total.iter().zip(day).map(|(all, own)| all - own).collect::<Vec<_>>(), day);
        let windows: Vec<f64> = reference.iter().take(days).map(beside).collect();
        let shares = total.iter().map(|&rows| (rows as f64 / n as f64, 1));
        let chance = Chance::of([n, rows], shares, FLOOR).law().unwrap();
        let limit = learned(calibration, chance, &windows).0.warning;
        (0..NIGHTS).filter(|_| psi(&total, &draw()) >= limit).count() as u64
    };
    (0..features).into_par_iter().map(of_feature).sum()
}

#[test]
fn stable_features_have_at_most_the_asked_false_alarms() {
    let features = 400;
    // By chance, then by 30 and 90 days that differ by chance alone, and by days that differ by more.
    for (days, rows, spread) in
        [(0, 200, 0.0), (0, 2000, 0.0), (30, 500, 0.0), (90, 500, 0.0), (30, 500, 0.1), (90, 500, 0.3)]
    {
        for rate in [2.0, 0.5] {
            let calibration = Calibration { calibrated: true, false_alarms_per_year: rate, ..Calibration::default() };
            let alarms = false_alarms(features, days, rows, spread, &calibration) as f64;
            let asked = rate * features as f64;
            println!("{days} days of {rows} rows, spread {spread}: {alarms} false alarms of {asked} allowed");
            assert!(
                alarms <= asked + 3.0 * asked.sqrt(),
                "{days} days of {rows} rows, spread {spread}: {alarms} of {asked}"
            );
            if days == 0 {
                assert!(alarms >= asked / 2.0, "limits by chance are not needlessly high: {alarms} of {asked}");
            }
        }
    }
}

const DAY: i64 = 86_400;
/// 2026-01-01 in seconds since 1970.
const JANUARY: i64 = 1_767_225_600;
const DAYS: i64 = 41;
const ROWS: usize = 120;

/// Rows of days from 2026-01-01 on, in the order of time: every feature wanders from day to day, and `steady` does not.
fn rows(seed: u64) -> Vec<(i64, f64, f64, String, bool)> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut rows, mut level) = (Vec::new(), 0.0_f64);
    for day in 0..DAYS {
        let step: f64 = StandardNormal.sample(&mut random);
        level = 0.8 * level + 0.4 * step;
        for _ in 0..ROWS {
            let [own, other]: [f64; 2] = [StandardNormal.sample(&mut random), StandardNormal.sample(&mut random)];
            let time = JANUARY + day * DAY + i64::from(random.next_u32() % 86_400);
            let wanders = own + level;
            rows.push((
                time,
                other,
                wanders,
                format!("word {}", (wanders * 2.0).floor().clamp(-4.0, 4.0)),
                wanders > 0.0,
            ));
        }
    }
    rows
}

fn write(path: &Path, rows: &[(i64, f64, f64, String, bool)]) {
    let batch = RecordBatch::try_from_iter([
        ("at", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef),
        ("steady", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.1))) as ArrayRef),
        ("wanders", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2))) as ArrayRef),
        ("word", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.3))) as ArrayRef),
        ("flag", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.4)))) as ArrayRef),
    ])
    .unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The scan of the last day against the 40 days before it.
fn calibrated(folder: &Path, change: impl Fn(&mut ScanConfig)) -> Report {
    let paths = vec![folder.to_str().unwrap().to_owned()];
    let mut config = ScanConfig {
        reference: paths.clone(),
        current: paths,
        backend: BackendChoice::Cpu,
        threads: 2,
        ..ScanConfig::default()
    };
    config.thresholds.calibration.calibrated = true;
    config.windows.timestamp = vec!["at".to_owned()];
    config.windows.timestamp_unit = Some(EpochUnit::S);
    config.windows.reference = Some("2026-01-01..2026-02-09".parse().unwrap());
    config.windows.current = Some("yesterday".parse().unwrap());
    config.windows.as_of = Some("2026-02-11".parse().unwrap());
    change(&mut config);
    scan(&config, &NoProgress).unwrap()
}

#[test]
fn days_that_wander_take_higher_limits_by_time_than_by_chance() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("all.parquet"), &rows(1));
    let by_time = calibrated(folder.path(), |_| {});
    // The same rows without their times.
    let sides = tempfile::tempdir().unwrap();
    let all = rows(1);
    let split = all.len() - ROWS;
    write(&sides.path().join("reference.parquet"), &all[..split]);
    write(&sides.path().join("current.parquet"), &all[split..]);
    let side = |name: &str| vec![sides.path().join(name).to_str().unwrap().to_owned()];
    let by_chance = calibrated(folder.path(), |config| {
        (config.reference, config.current) = (side("reference.parquet"), side("current.parquet"));
        config.windows = gpudrift::config::WindowConfig::default();
    });
    let mut compared = 0;
    for feature in &by_time.features {
        let same = by_chance.features.iter().find(|other| other.name == feature.name).unwrap();
        let (time, chance) = (feature.threshold.as_ref().unwrap(), same.threshold.as_ref().unwrap());
        assert_eq!(feature.metrics["psi"], same.metrics["psi"], "{}: the data is the same", feature.name);
        assert_eq!((time.basis.split.as_str(), time.basis.windows), ("time", 40), "{}", feature.name);
        assert_eq!((chance.basis.split.as_str(), chance.basis.windows), ("chance", 0), "{}", feature.name);
        assert!(chance.basis.note.as_ref().unwrap().contains("timestamp"), "{chance:?}");
        assert!(time.critical > time.warning && chance.critical > chance.warning);
        let factor = time.warning / chance.warning;
        println!("{}: {} by time, {} by chance", feature.name, time.warning, chance.warning);
        if feature.name == "steady" {
            assert!((1.0..2.5).contains(&factor), "{}: {factor}", feature.name);
        } else {
            assert!(factor > 3.0, "{}: {factor}", feature.name);
        }
        compared += 1;
    }
    assert_eq!(compared, 4, "numbers, categories and booleans");
}

#[test]
fn limits_do_not_depend_on_how_rows_lie_in_files_or_in_memory() {
    let mut all = rows(2);
    let whole = tempfile::tempdir().unwrap();
    write(&whole.path().join("all.parquet"), &all);
    let expected = calibrated(whole.path(), |_| {});
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for place in (1..all.len()).rev() {
        all.swap(place, usize::try_from(random.next_u64() % (place as u64 + 1)).unwrap());
    }
    let parts = tempfile::tempdir().unwrap();
    for (part, rows) in all.chunks(1700).enumerate() {
        write(&parts.path().join(format!("{part}.parquet")), rows);
    }
    let cut = calibrated(parts.path(), |_| {});
    assert_eq!(cut.features, expected.features);
    let streamed = calibrated(parts.path(), |config| (config.memory_limit, config.threads) = (1 << 20, 1));
    assert_eq!(streamed.features, expected.features);
}
