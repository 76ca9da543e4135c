//! Times in the names of folders: `dt=2026-11-22`, `year=2026/month=11/day=22`.

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::resolve::wall_ns;
use super::{Moment, Window, WindowError};

/// The keys of the folders that name times, outermost first: one key with a whole date, or year, month, day, hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderTime {
    keys: Vec<String>,
}

/// The time that folders stand for, on the wall clock: from its start to the start of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FolderSpan {
    start: DateTime,
    end: DateTime,
}

impl FolderSpan {
    /// Nanoseconds from 1970-01-01 00:00 on the wall to its start.
    pub(crate) fn start_ns(self) -> i128 {
        wall_ns(self.start)
    }

    /// Whether it shares time with `window`, widened by a day on either side: folders may be cut in another time zone.
    pub(crate) fn is_near(self, window: &Window) -> bool {
        const DAY: i128 = 86_400_000_000_000;
        let (start, end) = (window.start.wall_ns() - DAY, window.end.wall_ns() + DAY);
        wall_ns(self.end) > start && wall_ns(self.start) < end
    }
}

impl FolderTime {
    /// Times in the folders of these keys.
    #[must_use]
    pub fn new(keys: &[String]) -> Self {
        Self { keys: keys.to_vec() }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Whether `partition` has all keys.
    #[must_use]
    pub fn is_in(&self, partition: &[(String, Option<String>)]) -> bool {
        self.keys.iter().all(|key| partition.iter().any(|(known, _)| known == key))
    }

    /// The time of a file in the folders of `partition`; `None` where a value is null or a key is missing.
    ///
    /// # Errors
    /// When a value is no time.
    pub fn span(&self, partition: &[(String, Option<String>)]) -> Result<Option<FolderSpan>, WindowError> {
        let value = |key: &String| partition.iter().find(|(known, _)| known == key)?.1.as_deref();
        let Some(values) = self.keys.iter().map(value).collect::<Option<Vec<&str>>>() else { return Ok(None) };
        let wrong = |index: usize, allowed| WindowError::Folder {
            key: self.keys[index].clone(),
            value: values[index].to_owned(),
            allowed,
        };
        if let [whole] = values.as_slice() {
            let span = of_one(whole).ok_or_else(|| wrong(0, "a date is 2026-11-22 or 20261122, a month 2026-11"))?;
            return Ok(Some(span));
        }
        let mut numbers = [1_i16, 1, 1, 0];
        for (index, value) in values.iter().enumerate().take(4) {
            numbers[index] = value.parse().map_err(|_| wrong(index, "several keys are year, month, day and hour"))?;
        }
        let [year, month, day, hour] = numbers;
        let start = i8::try_from(month).ok().zip(i8::try_from(day).ok()).zip(i8::try_from(hour).ok());
        let start = start.and_then(|((month, day), hour)| DateTime::new(year, month, day, hour, 0, 0, 0).ok());
        let start = start.ok_or_else(|| wrong(values.len() - 1, "the calendar has no such day"))?;
        let length = match values.len() {
            1 => 1.year(),
            2 => 1.month(),
            3 => 1.day(),
            _ => 1.hour(),
        };
        Ok(Some(FolderSpan { start, end: start.saturating_add(length) }))
    }

    /// The folders that `window` should have, as `key=value/key=value`: one a day or month, by what the keys count, at
    /// most `limit` of them. Of a single key the form of `example` is taken. Empty where folders are hours or years.
    #[must_use]
    pub fn expected(&self, window: &Window, example: &str, limit: usize) -> Vec<(String, FolderSpan)> {
        let (from, to) = (window.start.wall, last_instant(window.end));
        let mut expected = Vec::new();
        let daily = self.keys.len() == 3 || (self.keys.len() == 1 && matches!(example.len(), 8 | 10));
        let monthly = self.keys.len() == 2 || (self.keys.len() == 1 && example.len() == 7);
        if !daily && !monthly {
            return expected;
        }
        let mut day = if daily { from.date() } else { from.date().first_of_month() };
        while day <= to.date() && expected.len() < limit {
            let next = day.saturating_add(if daily { 1.day() } else { 1.month() });
            let span = FolderSpan {
                start: day.to_datetime(jiff::civil::Time::midnight()),
                end: next.to_datetime(jiff::civil::Time::midnight()),
            };
            expected.push((self.name_of(day, example, daily), span));
            if next == day {
                break;
            }
            day = next;
        }
        expected
    }

    fn name_of(&self, day: Date, example: &str, daily: bool) -> String {
        let (year, month, dom) = (day.year(), day.month(), day.day());
        if let [key] = self.keys.as_slice() {
            return match (daily, example.len()) {
                (true, 8) => format!("{key}={year:04}{month:02}{dom:02}"),
                (true, _) => format!("{key}={year:04}-{month:02}-{dom:02}"),
                (false, _) => format!("{key}={year:04}-{month:02}"),
            };
        }
        let values = [year, month.into(), dom.into()];
        let parts: Vec<String> = self.keys.iter().zip(values).map(|(key, value)| format!("{key}={value:02}")).collect();
        parts.join("/")
    }
}

/// The last whole nanosecond before `end`.
fn last_instant(end: Moment) -> DateTime {
    end.wall.saturating_sub(1.nanosecond())
}

fn of_one(value: &str) -> Option<FolderSpan> {
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = |range: std::ops::Range<usize>| value.get(range)?.parse::<i16>().ok();
    let dashed = |at: &[usize]| at.iter().all(|&at| value.as_bytes().get(at) == Some(&b'-'));
    let (year, month, day, length) = match value.len() {
        10 if dashed(&[4, 7]) => (number(0..4)?, number(5..7)?, number(8..10)?, 1.day()),
        8 if digits => (number(0..4)?, number(4..6)?, number(6..8)?, 1.day()),
        7 if dashed(&[4]) => (number(0..4)?, number(5..7)?, 1, 1.month()),
        4 if digits => (number(0..4)?, 1, 1, 1.year()),
        _ => return None,
    };
    let start = DateTime::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?, 0, 0, 0, 0).ok()?;
    Some(FolderSpan { start, end: start.saturating_add(length) })
}

#[cfg(test)]
mod tests {
    use super::super::{AsOf, WindowSpec, resolve::zone};
    use super::*;

    fn parts(parts: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
        parts.iter().map(|(key, value)| ((*key).to_owned(), Some((*value).to_owned()))).collect()
    }

    fn keys(keys: &[&str]) -> FolderTime {
        FolderTime::new(&keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn folders_name_days_months_and_years() {
        let day = 86_400_000_000_000_i128;
        let start = |time: &FolderTime, of: &[(&str, &str)]| time.span(&parts(of)).unwrap().unwrap().start_ns();
        assert_eq!(start(&keys(&["dt"]), &[("dt", "1970-01-03")]), 2 * day);
        assert_eq!(start(&keys(&["dt"]), &[("dt", "19700103")]), 2 * day);
        assert_eq!(start(&keys(&["dt"]), &[("region", "eu"), ("dt", "1970-02")]), 31 * day);
        let ymd = keys(&["year", "month", "day"]);
        assert_eq!(start(&ymd, &[("year", "1970"), ("month", "02"), ("day", "2")]), 32 * day);
        assert_eq!(ymd.span(&parts(&[("year", "1970")])), Ok(None));
        assert!(keys(&["dt"]).span(&parts(&[("dt", "monday")])).unwrap_err().to_string().contains("dt=monday"));
        assert!(ymd.span(&parts(&[("year", "1970"), ("month", "2"), ("day", "30")])).is_err());
    }

    #[test]
    fn folders_that_a_window_should_have_are_named_as_the_others_are() {
        let as_of: AsOf = "2026-12-01".parse().unwrap();
        let spec: WindowSpec = "2026-11-29..2026-11-30".parse().unwrap();
        let window = Window::resolve(&spec, as_of, &zone("UTC").unwrap()).unwrap();
        let names = |time: FolderTime, example: &str| -> Vec<String> {
            time.expected(&window, example, 100).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(keys(&["dt"]), "2026-11-01"), ["dt=2026-11-29", "dt=2026-11-30"]);
        assert_eq!(names(keys(&["dt"]), "20261101"), ["dt=20261129", "dt=20261130"]);
        assert_eq!(names(keys(&["y", "m", "d"]), "2026"), ["y=2026/m=11/d=29", "y=2026/m=11/d=30"]);
        assert_eq!(names(keys(&["y", "m"]), "2026"), ["y=2026/m=11"]);
    }
}
