//! Windows of time: the report over the rows of a window is the one over files that hold just those rows.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, TimestampMillisecondArray,
};
use gpudrift::config::{BackendChoice, EpochUnit, ScanConfig};
use gpudrift::progress::NoProgress;
use gpudrift::report::{FeatureReport, Report, WindowReport};
use gpudrift::scan::{backfill, scan};
use gpudrift::window::Compare;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use proptest::prelude::*;

const DAY: i64 = 86_400;
/// 2026-11-01 in seconds since 1970.
const NOVEMBER: i64 = 1_793_491_200;

/// How the time of a row is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TimeType {
    Instant,
    Wall,
    Date,
    Seconds,
}

#[derive(Clone, Debug)]
struct Row {
    /// Seconds since 1970.
    time: Option<i64>,
    number: Option<f64>,
    count: Option<i32>,
    word: Option<u8>,
    flag: Option<bool>,
    country: Option<u8>,
    entity: i64,
    created: i64,
}

impl Row {
    fn country(&self) -> Option<&'static str> {
        self.country.map(|country| ["US", "DE", "BR"][usize::from(country)])
    }

    /// Day of November, from 1.
    fn day(&self) -> Option<i64> {
        self.time.map(|time| (time - NOVEMBER).div_euclid(DAY) + 1)
    }
}

/// How rows are cut into files.
#[derive(Clone, Copy, Debug)]
struct Layout {
    time: TimeType,
    files: usize,
    row_group: usize,
    statistics: bool,
}

const WHOLE: Layout = Layout { time: TimeType::Instant, files: 1, row_group: 1 << 20, statistics: true };

fn batch(rows: &[Row], time: TimeType) -> RecordBatch {
    let seconds = || rows.iter().map(|row| row.time);
    let time: ArrayRef = match time {
        TimeType::Instant => {
            let micros = seconds().map(|time| time.map(|time| time * 1_000_000));
            Arc::new(TimestampMicrosecondArray::from_iter(micros).with_timezone("UTC"))
        }
        TimeType::Wall => {
            Arc::new(TimestampMillisecondArray::from_iter(seconds().map(|time| time.map(|time| time * 1000))))
        }
        TimeType::Date => Arc::new(Date32Array::from_iter(
            seconds().map(|time| time.map(|time| i32::try_from(time.div_euclid(DAY)).unwrap())),
        )),
        TimeType::Seconds => Arc::new(Int64Array::from_iter(seconds())),
    };
    let words = rows.iter().map(|row| row.word.map(|word| format!("word {word}")));
    RecordBatch::try_from_iter_with_nullable([
        ("at", time, true),
        ("number", Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.number))) as ArrayRef, true),
        ("count", Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.count))) as ArrayRef, true),
        ("word", Arc::new(StringArray::from_iter(words)) as ArrayRef, true),
        ("flag", Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.flag))) as ArrayRef, true),
        ("country", Arc::new(StringArray::from_iter(rows.iter().map(Row::country))) as ArrayRef, true),
        ("user", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.entity))) as ArrayRef, false),
        (
            "written",
            Arc::new(TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.created))) as ArrayRef,
            false,
        ),
    ])
    .unwrap()
}

fn write(folder: &Path, rows: &[Row], layout: Layout) -> Vec<String> {
    std::fs::create_dir_all(folder).unwrap();
    let statistics = if layout.statistics { EnabledStatistics::Chunk } else { EnabledStatistics::None };
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(layout.row_group))
        .set_statistics_enabled(statistics)
        .build();
    for (index, rows) in rows.chunks(rows.len().div_ceil(layout.files).max(1)).enumerate() {
        write_file(&folder.join(format!("{index}.parquet")), rows, layout.time, &properties);
    }
    if rows.is_empty() {
        write_file(&folder.join("0.parquet"), rows, layout.time, &properties);
    }
    vec![folder.display().to_string()]
}

fn write_file(path: &Path, rows: &[Row], time: TimeType, properties: &WriterProperties) {
    let batch = batch(rows, time);
    let mut writer =
        ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties.clone())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn config(memory_limit: u64) -> ScanConfig {
    let metrics = ["psi", "ks", "js", "chi2", "wasserstein", "hellinger", "total_variation", "l_infinity", "kl"];
    ScanConfig {
        metrics: metrics.map(str::to_owned).to_vec(),
        exclude: vec!["user".to_owned(), "written".to_owned()],
        backend: BackendChoice::Cpu,
        threads: 2,
        memory_limit,
        ..ScanConfig::default()
    }
}

/// A scan of one source with windows of days of November, the last one included.
fn windowed(source: Vec<String>, time: TimeType, days: [[i64; 2]; 2], memory_limit: u64) -> ScanConfig {
    let mut config = config(memory_limit);
    (config.reference, config.current) = (source.clone(), source);
    let [reference, current] =
        days.map(|[from, to]| Some(format!("2026-11-{from:02}..2026-11-{to:02}").parse().unwrap()));
    config.windows.timestamp = vec!["at".to_owned()];
    config.windows.timestamp_unit = (time == TimeType::Seconds).then_some(EpochUnit::S);
    (config.windows.reference, config.windows.current) = (reference, current);
    config.windows.as_of = Some("2026-12-01".parse().unwrap());
    config
}

/// A scan of files that hold just the rows of `sides`.
fn physical(folder: &Path, sides: [Vec<Row>; 2], time: TimeType) -> ScanConfig {
    let [reference, current] = [("reference", &sides[0]), ("current", &sides[1])]
        .map(|(side, rows)| write(&folder.join(side), rows, Layout { time, ..WHOLE }));
    let mut config = config(1 << 30);
    config.exclude.push("at".to_owned());
    (config.reference, config.current) = (reference, current);
    config
}

fn in_days(rows: &[Row], [from, to]: [i64; 2]) -> Vec<Row> {
    rows.iter().filter(|row| row.day().is_some_and(|day| (from..=to).contains(&day))).cloned().collect()
}

/// All of a report but the circumstances of the run, and what is found of them: files without windows have none.
fn content(report: &Report) -> String {
    let mut report = report.clone();
    report.findings.retain(|finding| !["freshness", "partitions", "entities"].contains(&finding.check.as_str()));
    let mut value = serde_json::to_value(&report).unwrap();
    value.as_object_mut().unwrap().remove("run");
    serde_json::to_string_pretty(&value).unwrap()
}

fn rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let time = prop_oneof![1 => Just(None), 20 => (NOVEMBER..NOVEMBER + 12 * DAY).prop_map(Some)];
    // The midnights between windows, too.
    let time = prop_oneof![3 => time, 1 => (0..12_i64).prop_map(|day| Some(NOVEMBER + day * DAY))];
    let number = prop_oneof![
        8 => (-50..50_i32).prop_map(|n| Some(f64::from(n) / 8.0)),
        1 => Just(None),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, -0.0, 1e300]).prop_map(Some),
    ];
    let row = (
        time,
        number,
        prop::option::weighted(0.9, -9..9_i32),
        prop::option::weighted(0.9, 0..40_u8),
        prop::option::weighted(0.9, any::<bool>()),
        prop::option::weighted(0.8, 0..3_u8),
        0..4_i64,
        0..3_i64,
    )
        .prop_map(|(time, number, count, word, flag, country, entity, created)| Row {
            time,
            number,
            count,
            word,
            flag,
            country,
            entity,
            created,
        });
    (prop::collection::vec(row, 0..most), any::<bool>()).prop_map(|(mut rows, sorted)| {
        if sorted {
            rows.sort_by_key(|row| row.time);
        }
        rows
    })
}

fn layout() -> impl Strategy<Value = Layout> {
    let time = prop::sample::select(vec![TimeType::Instant, TimeType::Wall, TimeType::Date, TimeType::Seconds]);
    (time, 1..4_usize, 1..80_usize, any::<bool>()).prop_map(|(time, files, row_group, statistics)| Layout {
        time,
        files,
        row_group,
        statistics,
    })
}

/// First and last day of the reference and of current, apart from each other.
fn windows() -> impl Strategy<Value = [[i64; 2]; 2]> {
    (1..4_i64, 0..4_i64, 0..3_i64, 0..4_i64).prop_map(|(from, length, between, more)| {
        let to = from + length;
        [[from, to], [to + 1 + between, to + 1 + between + more]]
    })
}

/// As `rows`, one write of each event: the last one by time of writing, then by place.
fn last_writes(rows: &[Row]) -> Vec<Row> {
    let wins = |index: usize, row: &Row| {
        row.time.is_none()
            || !rows.iter().enumerate().any(|(other, with)| {
                (with.entity, with.time) == (row.entity, row.time) && (with.created, other) > (row.created, index)
            })
    };
    rows.iter().enumerate().filter(|(index, row)| wins(*index, row)).map(|(_, row)| row.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn a_window_is_compared_as_a_file_with_just_its_rows(
        rows in rows(400),
        layout in layout(),
        days in windows(),
        memory_limit in prop::sample::select(vec![1_u64 << 20, 1 << 30]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let source = write(&folder.path().join("store"), &rows, layout);
        let found = scan(&windowed(source, layout.time, days, memory_limit), &NoProgress).unwrap();
        let sides = days.map(|days| in_days(&rows, days));
        let sizes = sides.each_ref().map(|side| side.len() as u64);
        let expected = scan(&physical(folder.path(), sides, layout.time), &NoProgress).unwrap();
        prop_assert_eq!([found.run.reference.rows, found.run.current.rows], sizes);
        prop_assert_eq!(content(&found), content(&expected));
    }

    #[test]
    fn the_last_write_of_an_event_is_compared_as_if_there_were_no_others(
        mut rows in rows(200),
        layout in layout(),
        days in windows(),
    ) {
        rows.iter_mut().for_each(|row| row.time = row.time.map(|time| time - time % (DAY / 2)));
        let folder = tempfile::tempdir().unwrap();
        // A date forgets the hour, and so makes one event of two.
        let time = if layout.time == TimeType::Date { TimeType::Wall } else { layout.time };
        let layout = Layout { time, ..layout };
        let mut config = windowed(write(&folder.path().join("store"), &rows, layout), time, days, 1 << 30);
        config.windows.created = Some("written".to_owned());
        config.windows.entity = vec!["user".to_owned()];
        let found = scan(&config, &NoProgress).unwrap();
        let last = last_writes(&rows);
        let expected = physical(folder.path(), days.map(|days| in_days(&last, days)), time);
        prop_assert_eq!(content(&found), content(&scan(&expected, &NoProgress).unwrap()));
    }

    #[test]
    fn a_segment_is_compared_as_a_file_with_just_its_rows(rows in rows(300), layout in layout(), days in windows()) {
        let folder = tempfile::tempdir().unwrap();
        let mut config = windowed(write(&folder.path().join("store"), &rows, layout), layout.time, days, 1 << 30);
        config.windows.segment_by = vec!["country".to_owned()];
        let found = scan(&config, &NoProgress).unwrap();
        let sides = days.map(|days| in_days(&rows, days));
        let whole = scan(&physical(&folder.path().join("whole"), sides.clone(), layout.time), &NoProgress).unwrap();
        let of = |features: &[FeatureReport], country: Option<Option<&str>>| -> Vec<serde_json::Value> {
            let wanted = |one: &&FeatureReport| match (&one.segment, country) {
                (None, None) => true,
                (Some(segment), Some(country)) => segment["country"].as_deref() == country,
                _ => false,
            };
            features.iter().filter(wanted).map(counted).collect()
        };
        prop_assert_eq!(of(&found.features, None), of(&whole.features, None));
        for country in [Some("US"), Some("DE"), Some("BR"), None] {
            let sides = sides.clone().map(|rows| rows.into_iter().filter(|row| row.country() == country).collect());
            let sides: [Vec<Row>; 2] = sides;
            if sides.iter().all(Vec::is_empty) {
                continue;
            }
            let folder = folder.path().join(country.unwrap_or("null"));
            let mut config = physical(&folder, sides, layout.time);
            config.exclude.push("country".to_owned());
            let expected = scan(&config, &NoProgress).unwrap();
            prop_assert_eq!(of(&found.features, Some(country)), of(&expected.features, None));
        }
    }
}

/// A feature without its name, and without what depends on how many others there are.
fn counted(feature: &FeatureReport) -> serde_json::Value {
    let mut value = serde_json::to_value(feature).unwrap();
    let fields = value.as_object_mut().unwrap();
    // What rests on the q-value, which all features of a run decide together.
    for field in ["name", "segment", "level", "reasons", "change_kind"] {
        fields.remove(field);
    }
    let metrics = fields["metrics"].as_object_mut().unwrap();
    metrics.retain(|name, _| !name.ends_with("q_value"));
    value
}

/// Rows of twelve days, a drifting number.
fn november() -> Vec<Row> {
    (0..6000_i32)
        .map(|n| {
            let time = NOVEMBER + i64::from(n) * 12 * DAY / 6000;
            Row {
                time: Some(time),
                number: Some(f64::from(n % 97) + f64::from(n / 500)),
                count: Some(n % 7),
                word: u8::try_from(n % 5).ok(),
                flag: Some(n % 3 == 0),
                country: u8::try_from(n % 3).ok(),
                entity: n.into(),
                created: n.into(),
            }
        })
        .collect()
}

#[test]
fn several_references_in_one_read_are_the_reports_of_each() {
    let folder = tempfile::tempdir().unwrap();
    let source = write(&folder.path().join("store"), &november(), Layout { row_group: 333, files: 2, ..WHOLE });
    let mut config = windowed(source, TimeType::Instant, [[1, 8], [10, 11]], 1 << 30);
    let alone = |compare: Compare| {
        let mut config = config.clone();
        config.windows.compare = vec![compare];
        scan(&config, &NoProgress).unwrap()
    };
    let [reference, previous, weekday] = [Compare::Reference, Compare::Previous, Compare::SameWeekday].map(alone);
    config.windows.compare = vec![Compare::Reference, Compare::Previous, Compare::SameWeekday];
    let together = scan(&config, &NoProgress).unwrap();
    assert_eq!(together.features, reference.features);
    let found: Vec<_> = together.comparisons.iter().map(|one| (one.name, &one.features, &one.summary)).collect();
    let expected = [(Compare::Previous, &previous), (Compare::SameWeekday, &weekday)];
    assert_eq!(found, expected.map(|(name, report)| (name, &report.features, &report.summary)));
    assert_ne!(previous.features, weekday.features);
}

#[test]
fn nights_made_in_one_pass_have_the_reports_of_single_scans() {
    let folder = tempfile::tempdir().unwrap();
    let source = write(&folder.path().join("store"), &november(), Layout { row_group: 333, files: 2, ..WHOLE });
    let mut config = windowed(source, TimeType::Instant, [[1, 3], [4, 5]], 1 << 30);
    config.windows.current = Some("last-2-days".parse().unwrap());
    let nights: Vec<_> = (6..=12).map(|day| format!("2026-11-{day:02}").parse().unwrap()).collect();
    let mut made = Vec::new();
    backfill(&config, &nights, &NoProgress, &mut |report| {
        made.push(report);
        Ok(())
    })
    .unwrap();
    assert_eq!(made.len(), nights.len());
    for (report, night) in made.iter().zip(nights) {
        config.windows.as_of = Some(night);
        let alone = scan(&config, &NoProgress).unwrap();
        assert_eq!(content(report), content(&alone));
        assert_eq!((&report.run.current, &report.run.freshness), (&alone.run.current, &alone.run.freshness));
    }
}

#[test]
fn row_groups_outside_of_the_windows_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let source = write(&folder.path().join("store"), &november(), Layout { row_group: 250, files: 3, ..WHOLE });
    let report = scan(&windowed(source, TimeType::Instant, [[1, 1], [12, 12]], 1 << 30), &NoProgress).unwrap();
    let [selection] = report.run.selection.as_slice() else { panic!("one data set") };
    assert_eq!((selection.row_groups, selection.row_groups_read, selection.files_read), (24, 4, 2));
    assert_eq!((selection.rows, selection.rows_read), (6000, 1000));
}

fn gpudrift(source: &Path, arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_gpudrift"))
        .args(["scan", "--backend", "cpu", "--no-progress", "--source"])
        .arg(source)
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn the_command_line_compares_windows_of_one_source_and_says_which() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &november(), Layout { row_group: 333, files: 2, ..WHOLE });
    let windows = ["--timestamp", "at", "--reference-window", "2026-11-01..2026-11-04", "--current-window"];
    let scanned = |more: &[&str]| gpudrift(folder.path(), &[&windows, more].concat());
    let output = scanned(&["yesterday", "--as-of", "2026-11-11", "-f", "json", "--features", "number"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Report = serde_json::from_slice(&output.stdout).unwrap();
    let ends = |window: Option<WindowReport>| window.map(|window| [window.start, window.end]);
    let midnights = |from, to| Some([from, to].map(|day| format!("2026-11-{day}T00:00:00+00:00")));
    assert_eq!((report.run.reference.rows, ends(report.run.reference.window)), (2000, midnights("01", "05")));
    assert_eq!((report.run.current.rows, ends(report.run.current.window)), (500, midnights("10", "11")));
    assert_eq!(report.features.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["number"]);

    let late = scanned(&["yesterday", "--as-of", "2026-11-20"]);
    let warned = String::from_utf8_lossy(&late.stderr).into_owned();
    assert!(warned.contains("yesterday") && warned.contains("has no rows"), "{warned}");

    let refused = |more: &[&str], expected: &str| {
        let output = scanned(more);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(expected), "{text}");
    };
    refused(&["2026-11-04", "--as-of", "2026-12-01"], "the windows overlap");
    refused(&["2026-11-30", "--as-of", "2026-11-20"], "lies in the future");
    refused(&["last-0-days"], "RFC 3339");
    let unknown = ["--timestamp", "when", "--reference-window", "2026-10", "--current-window", "2026-11-02"];
    let output = gpudrift(folder.path(), &[&unknown[..], &["--as-of", "2026-12-01"]].concat());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("columns that hold times: at, written"), "{text}");
}

#[test]
fn a_backfill_stores_the_runs_that_scans_of_those_nights_store() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("store"), &november(), Layout { row_group: 333, files: 2, ..WHOLE });
    let config = "[source]\npaths = ['store']\n[history]\npath = 'drift.db'\n[scan]\nbackend = 'cpu'\n\
                  timestamp = 'at'\nreference_window = '2026-11-01..2026-11-03'\ncurrent_window = 'last-2-days'\n";
    std::fs::write(folder.path().join("gpudrift.toml"), config).unwrap();
    let gpudrift = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gpudrift"));
        let output = command.current_dir(folder.path()).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        (output.status.code(), text)
    };
    let nights = ["backfill", "--from", "2026-11-06", "--to", "2026-11-10"];
    let (code, first) = gpudrift(&nights);
    assert_eq!((code, first.matches("1,000 rows, stored").count()), (Some(0), 5), "{first}");
    let (code, again) = gpudrift(&nights);
    assert_eq!((code, again.matches("there already").count()), (Some(0), 5), "{again}");
    let (_, night) = gpudrift(&["scan", "--as-of", "2026-11-08"]);
    assert!(night.contains("is in drift.db already, and says the same"), "{night}");
    let (code, runs) = gpudrift(&["history", "runs"]);
    assert_eq!((code, runs.matches("2026-11-0").count() > 4), (Some(0), true), "{runs}");

    for (more, said) in [
        (&["--current-window", "2026-11-05"][..], "a window that moves with the night"),
        (&["--as-of", "2026-11-05"], "--as-of is for a scan"),
        (&["--every", "fortnight"], "every hour, day, week or month"),
        (&["--from", "2026-11-12"], "cannot be used multiple times"),
    ] {
        let (code, text) = gpudrift(&[&nights, more].concat());
        assert_eq!((code, text.contains(said)), (Some(2), true), "{more:?}\n{text}");
    }
    let (code, text) = gpudrift(&["backfill", "--from", "2026-11-10", "--to", "2026-11-09"]);
    assert_eq!((code, text.contains("2026-11-10..2026-11-09 is empty")), (Some(2), true), "{text}");
}
