use std::path::PathBuf;

use super::*;
use crate::history::sqlite::migrate::MIGRATIONS;
use crate::history::{DEFAULT_JOB, History, HistoryFormat, HistoryPlace, RunFilter, RunLabel};
use crate::report::samples;
use crate::verdict::Level;

fn label(as_of: &str) -> RunLabel {
    RunLabel { as_of: Some(as_of.parse().unwrap()), ..RunLabel::default() }
}

fn night(day: u32) -> RunLabel {
    label(&format!("2026-11-{day:02}"))
}

/// A report whose feature `index` has `level`.
fn with_level(index: usize, level: Level) -> Report {
    let mut report = samples::report();
    report.features[index].level = level;
    Report::new(report.run, report.features, report.skipped)
}

fn each_format(test: impl Fn(HistoryPlace)) {
    for format in [HistoryFormat::Sqlite, HistoryFormat::Parquet] {
        let folder = tempfile::tempdir().unwrap();
        test(HistoryPlace { path: folder.path().join("history"), format, keep_days: None });
    }
}

fn store(history: &mut History, report: &Report, label: &RunLabel) -> Stored {
    history.store(&RunIdentity::of(report, label), report).unwrap()
}

#[test]
fn what_is_stored_reads_back_to_the_bit() {
    each_format(|config| {
        let mut odd = samples::odd();
        // A scan gives every feature a name of its own.
        for (index, feature) in odd.features.iter_mut().enumerate() {
            feature.name += &format!(" {index}");
        }
        for (day, report) in [samples::report(), odd, samples::empty()].iter().enumerate() {
            let mut history = History::open(&config).unwrap();
            assert_eq!(store(&mut history, report, &night(u32::try_from(day).unwrap() + 1)), Stored::New);
            drop(history);
            let history = History::open_existing(&config).unwrap();
            let runs = history.runs(&RunFilter::default()).unwrap();
            assert_eq!(runs.len(), day + 1);
            assert_eq!(runs[day].summary, report.summary);
            let read = history.report(&runs[day]).unwrap();
            let text = |report: &Report| serde_json::to_string(report).unwrap();
            assert_eq!(text(&read), text(report));
        }
    });
}

#[test]
fn the_same_night_twice_changes_nothing_and_other_data_replaces_it() {
    each_format(|config| {
        let mut history = History::open(&config).unwrap();
        let (first, second) = (samples::report(), with_level(0, Level::Info));
        assert_eq!(store(&mut history, &first, &night(1)), Stored::New);
        let before = history.runs(&RunFilter::default()).unwrap();
        let mut again = first.clone();
        again.run.started_at = "2027-01-01T00:00:00Z".to_owned();
        assert_eq!(store(&mut history, &again, &night(1)), Stored::Unchanged);
        assert_eq!(history.runs(&RunFilter::default()).unwrap(), before);
        assert_eq!(store(&mut history, &second, &night(1)), Stored::Replaced { revision: 2 });
        let after = history.runs(&RunFilter::default()).unwrap();
        assert_eq!((after.len(), after[0].revision, after[0].at), (1, 2, before[0].at));
        assert_eq!(history.report(&after[0]).unwrap(), second);
        let third = second.clone().with_findings(samples::report().findings);
        assert_ne!(third, second);
        assert_eq!(store(&mut history, &third, &night(1)), Stored::Replaced { revision: 3 }, "a finding is new");
        assert_eq!(history.report(&history.runs(&RunFilter::default()).unwrap()[0]).unwrap(), third);
    });
}

#[test]
fn a_series_is_in_the_order_of_time_however_it_was_stored() {
    each_format(|config| {
        let mut history = History::open(&config).unwrap();
        let name = samples::report().features[0].name.clone();
        for (day, level) in [(3, Level::Critical), (1, Level::Ok), (2, Level::Warning)] {
            store(&mut history, &with_level(0, level), &night(day));
        }
        let series = history.series(DEFAULT_JOB, &name).unwrap();
        let levels: Vec<_> = series.iter().map(|point| point.numbers.level).collect();
        assert_eq!(levels, [Level::Ok, Level::Warning, Level::Critical]);
        assert_eq!(series[0].numbers.psi, samples::report().features[0].number("psi"));
        assert_eq!(history.series(DEFAULT_JOB, "no such feature").unwrap(), []);
        let last = history.last_levels(DEFAULT_JOB, 2).unwrap();
        assert_eq!(last[&name], [Some(Level::Warning), Some(Level::Critical)]);
    });
}

#[test]
fn runs_go_by_name_by_window_and_from_the_latest_back() {
    each_format(|config| {
        let mut history = History::open(&config).unwrap();
        for day in 1..=3 {
            store(&mut history, &samples::report(), &night(day));
        }
        let runs = history.runs(&RunFilter::default()).unwrap();
        let find = |asked: &str| history.find(asked, &RunFilter::default());
        assert_eq!(find("latest").unwrap(), runs[2]);
        assert_eq!(find("latest~2").unwrap(), runs[0]);
        assert_eq!(find("2026-11-02").unwrap(), runs[1]);
        assert_eq!(find(&runs[1].name[..6]).unwrap(), runs[1]);
        for wrong in ["latest~3", "latest~x", "2026-11-04", "", "zz"] {
            assert!(find(wrong).unwrap_err().to_string().contains("names no run"), "{wrong}");
        }
    });
}

#[test]
fn what_is_older_than_the_days_to_keep_goes_and_the_rest_stays_whole() {
    each_format(|config| {
        let mut history = History::open(&HistoryPlace { keep_days: Some(2), ..config }).unwrap();
        for day in 1..=9 {
            store(&mut history, &with_level(0, Level::ALL[day as usize % 4]), &night(day));
        }
        let runs = history.runs(&RunFilter::default()).unwrap();
        let windows: Vec<_> = runs.iter().map(|run| run.window.as_str()).collect();
        assert_eq!(windows, ["2026-11-07", "2026-11-08", "2026-11-09"]);
        assert_eq!(history.report(&runs[0]).unwrap(), with_level(0, Level::ALL[7 % 4]));
    });
}

#[test]
fn pruning_gives_the_space_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut history = History::open(&HistoryPlace::at(path.clone())).unwrap();
    let mut report = samples::report();
    let feature = report.features[0].clone();
    let copy = |index: usize| crate::report::FeatureReport { name: format!("feature_{index}"), ..feature.clone() };
    report.features = (0..500).map(copy).collect();
    for day in 1..=20 {
        report.features[0].current.nulls = day.into();
        store(&mut history, &report, &night(day));
    }
    drop(history);
    let full = std::fs::metadata(&path).unwrap().len();
    let mut history = History::open(&HistoryPlace::at(path.clone())).unwrap();
    assert_eq!(history.keep(0).unwrap().runs, 19);
    drop(history);
    let kept = std::fs::metadata(&path).unwrap().len();
    assert!(kept * 4 < full, "{full} bytes became {kept}");
}

#[test]
fn a_full_disk_is_said_and_the_old_history_is_intact() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut database = Database::open(&path).unwrap();
    let report = samples::report();
    let put = |database: &mut Database, report: &Report, day| {
        database.put(&RunIdentity::of(report, &night(day)), report, &mut |_| {})
    };
    put(&mut database, &report, 1).unwrap();
    let before = database.runs().unwrap();
    let pages: u32 = database.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    database.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    let mut large = report.clone();
    large.features = (0..2000)
        .map(|index| crate::report::FeatureReport { name: format!("f{index}"), ..report.features[0].clone() })
        .collect();
    // A new night, and one that would replace the night that is there.
    for day in [2, 1] {
        let error = put(&mut database, &large, day).unwrap_err();
        assert!(matches!(error, HistoryError::Full { .. }), "{error:?}");
        assert!(error.to_string().contains("no space is left") && error.to_string().contains("history.db"), "{error}");
        assert_eq!(database.runs().unwrap(), before);
        assert_eq!(database.report(&before[0]).unwrap(), report);
    }
    let check: String = database.connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn two_runs_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let config = HistoryPlace::at(folder.path().join("history.db"));
    std::thread::scope(|scope| {
        for thread in 0..4_u32 {
            let config = &config;
            scope.spawn(move || {
                // All open, and migrate, a file that none of them has made yet.
                let mut history = History::open(config).unwrap();
                for day in 1..=5 {
                    store(&mut history, &samples::report(), &night(day));
                    store(&mut history, &samples::report(), &night(10 + thread));
                }
            });
        }
    });
    let history = History::open_existing(&config).unwrap();
    let runs = history.runs(&RunFilter::default()).unwrap();
    assert_eq!(runs.len(), 9);
    assert!(runs.iter().all(|run| run.revision == 1));
}

#[test]
fn somebody_elses_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "a".repeat(5000)).unwrap();
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (x); PRAGMA user_version = 1;").unwrap();
    for path in [&text, &other] {
        let before = std::fs::read(path).unwrap();
        let error = History::open(&HistoryPlace::at(path.clone())).unwrap_err();
        assert!(error.to_string().contains("not a history of gpudrift"), "{error}");
        assert_eq!(std::fs::read(path).unwrap(), before);
    }
}

#[test]
fn a_file_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    drop(Database::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Database::open(&path).err().unwrap().to_string();
    assert!(error.contains("newer gpudrift") && error.contains("layout 99"), "{error}");
}

fn version_1() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/history/version-1.db")
}

/// The file was written once, when the layout was version 1, by `writes_the_database_of_version_1`.
#[test]
fn a_database_of_version_1_is_brought_up_to_date_and_keeps_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    std::fs::copy(version_1(), &path).unwrap();
    let version = |path: &PathBuf| {
        let connection = Connection::open(path).unwrap();
        connection.pragma_query_value(None, "user_version", |row| row.get::<_, usize>(0)).unwrap()
    };
    assert_eq!(version(&path), 1);
    let mut history = History::open_existing(&HistoryPlace::at(path.clone())).unwrap();
    let runs = history.runs(&RunFilter::default()).unwrap();
    let windows: Vec<_> = runs.iter().map(|run| run.window.as_str()).collect();
    assert_eq!(windows, ["2026-11-01", "2026-11-02"]);
    let report = history.report(&runs[1]).unwrap();
    assert_eq!(report.features[0].level, Level::Info);
    assert_eq!(report.summary, runs[1].summary);
    store(&mut history, &samples::report(), &night(3));
    drop(history);
    assert_eq!(version(&path), MIGRATIONS.len());
    let expected = Connection::open_in_memory().unwrap();
    MIGRATIONS.iter().for_each(|step| expected.execute_batch(step).unwrap());
    let schema = |connection: &Connection| -> Vec<String> {
        let mut statement =
            connection.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(schema(&Connection::open(&path).unwrap()), schema(&expected));
}

#[test]
#[ignore = "writes tests/history/version-1.db, which is never to change: only when it is lost"]
fn writes_the_database_of_version_1() {
    let path = version_1();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut connection = Connection::open(&path).unwrap();
    prepare(&connection).unwrap();
    connection.execute_batch(MIGRATIONS[0]).unwrap();
    connection.pragma_update(None, "application_id", 0x6764_7269).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    for (day, level) in [(1, Level::Critical), (2, Level::Info)] {
        let report = with_level(0, level);
        write::put(&mut connection, &path, &RunIdentity::of(&report, &night(day)), &report, &mut |_| {}).unwrap();
    }
}

/// Not a limit that is asserted: `cargo test --release -- --ignored --nocapture size_and_time` prints both.
#[test]
#[ignore = "a measurement"]
fn size_and_time_of_nights_of_5000_features() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.db");
    let mut history = History::open(&HistoryPlace::at(path.clone())).unwrap();
    let sample = samples::report();
    let noise =
        |seed: u64| crate::format::real(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) / 9_007_199_254_740_992.0;
    let mut size = 0;
    for night in 0..10_u32 {
        let feature = |index: u64| {
            let mut feature = sample.features[usize::try_from(index).unwrap() % sample.features.len()].clone();
            feature.name = format!("view_{}:feature_{index}", index % 50);
            let mut seed = index * 1000 + u64::from(night) * 77_777_777;
            let mut next = || {
                seed += 1;
                noise(seed)
            };
            for value in feature.metrics.values_mut() {
                if let crate::report::MetricValue::Number(number) = value {
                    *number *= 1.0 + next();
                }
            }
            if let Some(facts) = &mut feature.current.facts {
                facts.mean = facts.mean.map(|mean| mean * (1.0 + next()));
                facts.std = facts.std.map(|std| std * (1.0 + next()));
                for value in facts.quantiles.iter_mut().flatten() {
                    *value.1 = value.1.map(|value| value * (1.0 + next()));
                }
            }
            if let Some(bins) = &mut feature.psi_bins {
                for count in &mut bins.current {
                    *count = 9_000 + (seed + *count).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 2000;
                    seed += 1;
                }
            }
            feature
        };
        let report = Report::new(sample.run.clone(), (0..5000).map(feature).collect(), Vec::new());
        let start = std::time::Instant::now();
        store(&mut history, &report, &label(&format!("2026-11-{:02}", night + 1)));
        let spent = start.elapsed();
        let bytes: u64 = std::fs::metadata(&path).unwrap().len()
            + std::fs::metadata(path.with_extension("db-wal")).map_or(0, |file| file.len());
        println!("night {night}: {spent:?}, {bytes} bytes, {} more", bytes.saturating_sub(size));
        size = bytes;
    }
    drop(history);
    println!("closed: {} bytes", std::fs::metadata(&path).unwrap().len());
    let history = History::open(&HistoryPlace::at(path)).unwrap();
    let start = std::time::Instant::now();
    let points = history.series(DEFAULT_JOB, "view_7:feature_7").unwrap().len();
    println!("series of {points}: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let runs = history.runs(&RunFilter::default()).unwrap();
    println!("report of {}: {:?}", history.report(&runs[9]).unwrap().features.len(), start.elapsed());
}

#[test]
fn incidents_of_before_have_the_feature_that_they_are_about_as_a_member() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drift.db");
    let old = Connection::open(&path).unwrap();
    MIGRATIONS[..4].iter().for_each(|step| old.execute_batch(step).unwrap());
    old.pragma_update(None, "user_version", 4).unwrap();
    old.pragma_update(None, "application_id", 0x6764_7269).unwrap();
    old.execute_batch(
        "INSERT INTO incidents (job, subject, key, level, title, opened_at, seen_at, nights, told_at, told_level, closed_at)
         VALUES ('j', 'a', 'k', 3, 't', 5, 6, 2, 5, 2, NULL), ('j', 'b', 'k', 2, 't', 5, 6, 2, NULL, NULL, 7),
                ('j', 'whole run: rows', 'k', 3, 't', 5, 6, 2, 5, 3, NULL)",
    )
    .unwrap();
    drop(old);
    let connection = crate::history::connect(&path).unwrap();
    let mut rows =
        connection.prepare("SELECT feature, level, told_level FROM incident_members ORDER BY feature").unwrap();
    let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let rows: Vec<(String, u8, Option<u8>)> = rows.map(Result::unwrap).collect();
    assert_eq!(rows, [("a".to_owned(), 3, Some(2)), ("b".to_owned(), 0, None)]);
}
