//! Which columns tell when, and about whom, a row is, and which windows the data has: guesses from names, types and
//! extremes.

use std::fmt::Write;

use jiff::ToSpan;
use jiff::civil::Date;

use super::propose::{Sides, array, text};
use crate::column::Kind;
use crate::report::{FeatureReport, Report};

/// Names that tell when an event was, the surer one first.
const EVENT_TIMES: [&str; 14] = [
    "event_timestamp",
    "event_time",
    "event_ts",
    "event_date",
    "timestamp",
    "ts",
    "time_hour",
    "datetime",
    "date",
    "day",
    "dt",
    "time",
    "occurred_at",
    "at",
];
/// Names that tell when a row was written.
const CREATED_TIMES: [&str; 10] = [
    "created",
    "created_at",
    "created_timestamp",
    "created_ts",
    "updated_at",
    "ingested_at",
    "loaded_at",
    "write_time",
    "written_at",
    "processed_at",
];
/// Days that it takes for windows of days, and of weeks; months that it takes for windows of months.
const DAYS: i32 = 3;
const WEEKS: i32 = 21;
const MONTHS: i32 = 4;
/// Months of the reference window at most.
const REFERENCE_MONTHS: i32 = 12;

/// What tells rows apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    /// The column with the time of an event.
    pub(super) timestamp: String,
    /// The column with the time of its last write.
    created: Option<String>,
    /// Columns that name what a row is about.
    entity: Vec<String>,
    /// Keys of folders that follow the time.
    folders: Vec<String>,
    /// Keys of folders that do not.
    segments: Vec<String>,
    /// The first and the last whole day.
    days: (Date, Date),
}

impl Times {
    /// What the features of `report`, and the keys of folders, tell; `None` where no column is evidently a time.
    pub(super) fn of(report: &Report, sides: &Sides) -> Option<Self> {
        let times: Vec<&FeatureReport> = report.features.iter().filter(|feature| is_time(feature)).collect();
        let named = |names: &[&str]| {
            names.iter().find_map(|name| times.iter().copied().find(|feature| own_name(feature) == *name))
        };
        let mut others = times.iter().copied().filter(|feature| !CREATED_TIMES.contains(&own_name(feature).as_str()));
        let only = others.next().filter(|_| others.next().is_none());
        let timestamp = named(&EVENT_TIMES).or(only).or_else(|| named(&CREATED_TIMES))?;
        let created = named(&CREATED_TIMES).filter(|created| created.name != timestamp.name);
        let folders = in_order(&sides.time_folders);
        let segments =
            sides.partitions.iter().filter(|key| !folders.contains(key) && !is_part_of_time(key)).cloned().collect();
        Some(Self {
            timestamp: timestamp.name.clone(),
            created: created.map(|created| created.name.clone()),
            entity: report.features.iter().filter(|one| is_entity(one)).map(|one| one.name.clone()).collect(),
            folders,
            segments,
            days: days(timestamp)?,
        })
    }

    /// Whether a column says which part of the calendar a row is of: another one in every window.
    pub(super) fn is_calendar(&self, name: &str) -> bool {
        let own = name.rsplit(':').next().unwrap_or(name).to_lowercase();
        own != self.timestamp.to_lowercase() && ["year", "quarter", "month", "week", "date"].contains(&own.as_str())
    }

    /// Columns that are no features because of it.
    pub(super) fn columns(&self) -> Vec<&String> {
        let entity = self.entity.iter().filter(|_| self.is_about_writes());
        std::iter::once(&self.timestamp).chain(&self.folders).chain(&self.created).chain(entity).collect()
    }

    /// Whether the last write of an event can be told: of one entity, evidently.
    fn is_about_writes(&self) -> bool {
        self.created.is_some() && self.entity.len() == 1
    }

    /// Writes the keys of `[scan]`. `None` where there are too few days for two windows.
    pub(super) fn write(&self, out: &mut String) -> Option<()> {
        let (first, last) = self.days;
        let [reference, current] = windows(first, last)?;
        let _ = write!(
            out,
            "# The time of a row, by its name and type: {first} to {last}. It is no feature.\ntimestamp = {}\n",
            text(&self.timestamp)
        );
        if !self.folders.is_empty() {
            let _ = writeln!(
                out,
                "# Folders that follow it: those outside of the windows are not opened.\ntime_folders = {}",
                array(&self.folders)
            );
        }
        let _ = write!(
            out,
            "# What is compared with ...\nreference_window = {}\n# ... and what is looked at. A nightly job takes a window \
             that moves with the night:\n# \"yesterday\", \"last-7-days\", \"last-month\".\ncurrent_window = {}\n\
             # compare = [\"reference\", \"previous\"]   # the window before it as well, in the same read\n",
            text(&reference),
            text(&current)
        );
        let entity = || array(&self.entity);
        match &self.created {
            Some(created) if self.is_about_writes() => {
                let _ = writeln!(
                    out,
                    "# When a row was written, and what it is about: of several writes of an event the last one counts.\n\
                     created = {}\nentity = {}",
                    text(created),
                    entity()
                );
            }
            Some(created) => {
                let entity = if self.entity.is_empty() { "[\"...\"]".to_owned() } else { entity() };
                let _ = writeln!(
                    out,
                    "# When a row was written: with the columns that name what it is about, the last write of an event counts.\n\
                     # created = {}\n# entity = {entity}",
                    text(created)
                );
            }
            None => {}
        }
        if !self.segments.is_empty() {
            let _ = writeln!(out, "# segment_by = {}   # each of its values apart, too", array(&self.segments));
        }
        Some(())
    }
}

fn own_name(feature: &FeatureReport) -> String {
    feature.name.rsplit(':').next().unwrap_or(&feature.name).to_lowercase()
}

fn is_time(feature: &FeatureReport) -> bool {
    feature.kind == Kind::Temporal && ticks_a_day(&feature.data_type).is_some()
}

/// Ticks a day of timestamps and dates; times of a day and durations are none.
fn ticks_a_day(data_type: &str) -> Option<f64> {
    let unit = data_type.strip_prefix("timestamp[").map(|rest| rest.trim_end_matches(']'));
    let unit = unit.map(|rest| rest.split(',').next().unwrap_or(rest));
    match (data_type, unit) {
        ("date32", _) => Some(1.0),
        (_, Some("s")) => Some(86_400.0),
        ("date64", _) | (_, Some("ms")) => Some(86_400e3),
        (_, Some("us")) => Some(86_400e6),
        (_, Some("ns")) => Some(86_400e9),
        _ => None,
    }
}

/// A number or a name that is given to many rows: not another one in each.
fn is_entity(feature: &FeatureReport) -> bool {
    let own = own_name(feature);
    let facts = feature.reference.facts.as_ref().and_then(|facts| facts.distinct);
    let repeats = facts.is_some_and(|distinct| distinct >= 2 && distinct.saturating_mul(2) <= feature.reference.rows);
    let whole = feature.data_type.contains("int") || feature.kind == Kind::Categorical;
    whole && repeats && (own.ends_with("_id") || own.ends_with("_key") || own == "id")
}

fn is_part_of_time(key: &str) -> bool {
    ["year", "month", "day", "hour", "dt", "date", "event_date", "ds"].contains(&key.to_lowercase().as_str())
}

/// A whole date, or year, month, day and hour as far as none is left out.
fn in_order(keys: &[String]) -> Vec<String> {
    let find = |name: &str| keys.iter().find(|key| key.eq_ignore_ascii_case(name)).cloned();
    if let Some(date) = ["dt", "date", "event_date", "ds"].into_iter().find_map(find) {
        return vec![date];
    }
    ["year", "month", "day", "hour"].into_iter().map_while(find).collect()
}

/// The days of the first and the last time; the last one only when it is over.
fn days(feature: &FeatureReport) -> Option<(Date, Date)> {
    /// Share of a day after which nothing more is expected of it.
    const OVER: f64 = 0.9;
    let ticks = ticks_a_day(&feature.data_type)?;
    let facts = feature.reference.facts.as_ref()?;
    let [first, last] = [facts.min?.as_f64() / ticks, facts.max?.as_f64() / ticks];
    let is_over = ticks == 1.0 || last - last.floor() >= OVER;
    #[expect(clippy::cast_possible_truncation, reason = "beyond the range it stays at its end, which is no date")]
    let day = |days: f64| jiff::civil::date(1970, 1, 1).checked_add((days.floor() as i32).days()).ok();
    Some((day(first)?, day(if is_over { last } else { last - 1.0 })?))
}

/// The reference and the current window of data from `first` to `last`: the last month beside those before it, or the
/// last week, or the last day.
fn windows(first: Date, last: Date) -> Option<[String; 2]> {
    let month = |date: Date| i32::from(date.year()) * 12 + i32::from(date.month()) - 1;
    let name = |month: i32| format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
    let begins = month(first) + i32::from(first.day() > 1);
    let ends = month(last) - i32::from(last != last.last_of_month());
    if ends - begins + 1 >= MONTHS {
        let from = begins.max(ends - REFERENCE_MONTHS);
        return Some([format!("{}..{}", name(from), name(ends - 1)), name(ends)]);
    }
    let length = first.until(last).ok()?.get_days() + 1;
    let days = |from: Date, to: Date| if from == to { from.to_string() } else { format!("{from}..{to}") };
    let current = match length {
        WEEKS.. => last.checked_sub(6.days()).ok()?,
        DAYS.. => last,
        _ => return None,
    };
    Some([days(first, current.yesterday().ok()?), days(current, last)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn windows_are_months_weeks_or_days_by_what_there_is() {
        let of = |first, last| windows(first, last).map(|[reference, current]| format!("{reference} | {current}"));
        let expect = |first, last, expected: &str| assert_eq!(of(first, last).as_deref(), Some(expected));
        expect(date(2013, 1, 1), date(2013, 12, 31), "2013-01..2013-11 | 2013-12");
        expect(date(2013, 1, 5), date(2013, 12, 30), "2013-02..2013-10 | 2013-11");
        expect(date(2013, 3, 1), date(2017, 2, 28), "2016-02..2017-01 | 2017-02");
        expect(date(2026, 1, 1), date(2026, 1, 31), "2026-01-01..2026-01-24 | 2026-01-25..2026-01-31");
        expect(date(2026, 1, 1), date(2026, 1, 4), "2026-01-01..2026-01-03 | 2026-01-04");
        assert_eq!(of(date(2026, 1, 1), date(2026, 1, 2)), None);
    }

    #[test]
    fn every_window_that_is_proposed_can_be_read() {
        for days in 3..800 {
            let first = date(2024, 1, 7);
            for window in windows(first, first.checked_add(days.days()).unwrap()).unwrap() {
                assert!(window.parse::<crate::window::WindowSpec>().is_ok(), "{window}");
            }
        }
    }

    #[test]
    fn ticks_tell_timestamps_and_dates_from_times_of_a_day() {
        let of = |data_type| ticks_a_day(data_type);
        assert_eq!(of("timestamp[us, tz=UTC]"), Some(86_400e6));
        assert_eq!((of("timestamp[s]"), of("date32")), (Some(86_400.0), Some(1.0)));
        assert_eq!((of("time64[us]"), of("duration[ns]"), of("int64")), (None, None, None));
    }
}
