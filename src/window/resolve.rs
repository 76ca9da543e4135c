//! What a window means on a night, in a time zone.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use serde::{Deserialize, Serialize};

use super::spec::{Every, Meaning, Point, Span, WindowSpec};
use super::{Compare, WindowError};

/// The night of a run: what is "today" to relative windows.
///
/// A date is the first instant of that day in the time zone of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum AsOf {
    /// A day.
    Day(Date),
    /// An instant.
    Instant(Timestamp),
}

impl AsOf {
    /// This very moment.
    #[must_use]
    pub fn now() -> Self {
        Self::Instant(Timestamp::now())
    }

    /// The day, by the clock of Greenwich where it is an instant.
    #[must_use]
    pub fn day(self) -> Date {
        match self {
            Self::Day(day) => day,
            Self::Instant(instant) => instant.to_zoned_datetime(TimeZone::UTC).date(),
        }
    }

    fn in_zone(self, zone: &TimeZone) -> Result<ZonedDateTime, WindowError> {
        match self {
            Self::Day(day) => first_instant(day.to_datetime(jiff::civil::Time::midnight()), zone),
            Self::Instant(instant) => Ok(instant.to_zoned_datetime(zone.clone())),
        }
    }

    /// The nights from this one to `last`, both included, one every `every`, by the clock of `timezone`.
    ///
    /// # Errors
    /// When there is no such time zone, or the last night lies before the first, or outside of the calendar.
    pub fn until(self, last: Self, every: Every, timezone: &str) -> Result<Vec<Self>, WindowError> {
        let zone = zone(timezone)?;
        let (first, end) = (self.in_zone(&zone)?, last.in_zone(&zone)?);
        if end < first {
            let (start, end) = (self.to_string(), last.to_string());
            return Err(WindowError::Empty { window: format!("{start}..{end}"), start, end });
        }
        let mut nights = Vec::new();
        for step in 0_u32.. {
            let steps = i64::from(step) * i64::from(every.count);
            let night = moved(&first, steps, every.span)?;
            if night > end {
                break;
            }
            nights.push(match (self, every.span) {
                (Self::Day(_), Span::Days | Span::Months) => Self::Day(night.date()),
                _ => Self::Instant(night.timestamp()),
            });
        }
        Ok(nights)
    }
}

impl fmt::Display for AsOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(f, "{day}"),
            Self::Instant(instant) => write!(f, "{instant}"),
        }
    }
}

impl From<AsOf> for String {
    fn from(as_of: AsOf) -> Self {
        as_of.to_string()
    }
}

impl TryFrom<String> for AsOf {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl FromStr for AsOf {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let day = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten().map(Self::Day);
        day.or_else(|| text.parse::<Timestamp>().ok().map(Self::Instant))
            .ok_or_else(|| WindowError::AsOf { text: text.to_owned() })
    }
}

/// A time, as an instant and as the clock on the wall shows it.
///
/// Timestamps that are adjusted to UTC are compared with the instant; dates, and timestamps without a zone, with the wall
/// clock of the time zone of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub instant: Timestamp,
    /// The wall clock.
    pub wall: DateTime,
}

impl Moment {
    fn of(zoned: &ZonedDateTime) -> Self {
        Self { instant: zoned.timestamp(), wall: zoned.datetime() }
    }

    /// Nanoseconds since 1970 of the instant.
    pub(crate) fn instant_ns(self) -> i128 {
        self.instant.as_nanosecond()
    }

    /// Nanoseconds since 1970-01-01 00:00 on the wall.
    pub(crate) fn wall_ns(self) -> i128 {
        wall_ns(self.wall)
    }

    /// RFC 3339, with the offset of the zone.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        let apart = self.wall_ns() - self.instant_ns();
        let seconds = i32::try_from(apart / 1_000_000_000).unwrap_or(0);
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        self.instant.display_with_offset(offset).to_string()
    }
}

/// Nanoseconds since 1970-01-01 00:00 on the same wall.
pub(super) fn wall_ns(wall: DateTime) -> i128 {
    TimeZone::UTC.to_timestamp(wall).map_or(i128::from(i64::MAX), Timestamp::as_nanosecond)
}

/// A half-open interval of time, `start` included, `end` not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What was typed, or `previous`, `same-weekday`.
    pub name: String,
    /// Its first instant.
    pub start: Moment,
    /// The first instant behind it.
    pub end: Moment,
    /// Its length, by the calendar where it is one of the calendar.
    length: Length,
    zone: TimeZone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Calendar(u32, Span),
    Elapsed(SignedDuration),
}

impl Window {
    /// What `spec` means on the night `as_of` in `zone`.
    ///
    /// # Errors
    /// When the window is empty or begins at or after the night.
    pub fn resolve(spec: &WindowSpec, as_of: AsOf, zone: &TimeZone) -> Result<Self, WindowError> {
        let night = as_of.in_zone(zone)?;
        let (start, end, length) = match spec.meaning {
            Meaning::Last(count, span) => {
                let end = match span {
                    Span::Hours => night.clone(),
                    Span::Days => first_instant(midnight(night.date()), zone)?,
                    Span::Months => first_instant(midnight(night.date().first_of_month()), zone)?,
                };
                (moved(&end, -i64::from(count), span)?, end, Length::Calendar(count, span))
            }
            Meaning::Between(from, to) => {
                let (start, end) = (start_of(from, zone)?, end_of(to, zone)?);
                let length = length_between(from, to, &start, &end);
                (start, end, length)
            }
        };
        if start >= end {
            let (start, end) = (Moment::of(&start).to_rfc3339(), Moment::of(&end).to_rfc3339());
            return Err(WindowError::Empty { window: spec.to_string(), start, end });
        }
        if start >= night {
            let (start, as_of) = (Moment::of(&start).to_rfc3339(), Moment::of(&night).to_rfc3339());
            return Err(WindowError::Future { window: spec.to_string(), start, as_of });
        }
        Ok(Self {
            name: spec.to_string(),
            start: Moment::of(&start),
            end: Moment::of(&end),
            length,
            zone: zone.clone(),
        })
    }

    /// The window that this one is compared with; `reference` where that is asked for.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn compared_with(&self, compare: Compare) -> Result<Option<Self>, WindowError> {
        match compare {
            Compare::Reference => Ok(None),
            Compare::Previous => {
                let end = self.start.instant.to_zoned_datetime(self.zone.clone());
                let start = match self.length {
                    Length::Calendar(count, span) => moved(&end, -i64::from(count), span)?,
                    Length::Elapsed(length) => {
                        end.checked_sub(length).map_err(|_| WindowError::OutOfRange(compare.name().to_owned()))?
                    }
                };
                Ok(Some(self.beside(compare, &start, &end)))
            }
            Compare::SameWeekday => {
                let earlier =
                    |moment: Moment| moved(&moment.instant.to_zoned_datetime(self.zone.clone()), -7, Span::Days);
                let (start, end) = (earlier(self.start)?, earlier(self.end)?);
                if end.timestamp() > self.start.instant {
                    return Err(WindowError::LongerThanAWeek(self.name.clone()));
                }
                Ok(Some(self.beside(compare, &start, &end)))
            }
            Compare::LastYear => {
                let earlier =
                    |moment: Moment| moved(&moment.instant.to_zoned_datetime(self.zone.clone()), -12, Span::Months);
                let (start, end) = (earlier(self.start)?, earlier(self.end)?);
                if end.timestamp() > self.start.instant {
                    return Err(WindowError::LongerThanAYear(self.name.clone()));
                }
                Ok(Some(self.beside(compare, &start, &end)))
            }
        }
    }

    fn beside(&self, compare: Compare, start: &ZonedDateTime, end: &ZonedDateTime) -> Self {
        let name = compare.name().to_owned();
        Self { name, start: Moment::of(start), end: Moment::of(end), ..self.clone() }
    }

    /// Whether the two share any time; if so, it is an error to compare them.
    ///
    /// # Errors
    /// When they do.
    pub fn apart_from(&self, current: &Self) -> Result<(), WindowError> {
        let from = if self.start.instant > current.start.instant { self.start } else { current.start };
        let to = if self.end.instant < current.end.instant { self.end } else { current.end };
        if from.instant >= to.instant {
            return Ok(());
        }
        Err(WindowError::Overlap {
            reference: self.name.clone(),
            current: current.name.clone(),
            from: from.to_rfc3339(),
            to: to.to_rfc3339(),
        })
    }

    /// Whether the window is not over at `as_of`.
    #[must_use]
    pub fn is_open_at(&self, as_of: AsOf) -> bool {
        as_of.in_zone(&self.zone).is_ok_and(|night| self.end.instant > night.timestamp())
    }

    /// Seconds from its start to its end.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.end.instant.as_second() - self.start.instant.as_second()
    }
}

/// The time zone called `name`.
///
/// # Errors
/// When there is none.
pub(crate) fn zone(name: &str) -> Result<TimeZone, WindowError> {
    TimeZone::get(name).map_err(|_| WindowError::TimeZone(name.to_owned()))
}

fn midnight(day: Date) -> DateTime {
    day.to_datetime(jiff::civil::Time::midnight())
}

/// The instant at which the wall clock shows `wall`: the first of two, or as long after a gap as `wall` lies in it.
fn first_instant(wall: DateTime, zone: &TimeZone) -> Result<ZonedDateTime, WindowError> {
    wall.to_zoned_datetime(zone.clone()).map_err(|_| WindowError::OutOfRange(wall.to_string()))
}

fn moved(from: &ZonedDateTime, count: i64, span: Span) -> Result<ZonedDateTime, WindowError> {
    let out = |_| WindowError::OutOfRange(format!("{count} {span:?} from {from}"));
    let by = match span {
        Span::Hours => jiff::Span::new().try_hours(count),
        Span::Days => jiff::Span::new().try_days(count),
        Span::Months => jiff::Span::new().try_months(count),
    };
    by.and_then(|by| from.checked_add(by)).map_err(out)
}

fn start_of(point: Point, zone: &TimeZone) -> Result<ZonedDateTime, WindowError> {
    match point {
        Point::Months(first, _) => first_instant(midnight(first), zone),
        Point::Day(day) => first_instant(midnight(day), zone),
        Point::Wall(wall) => first_instant(wall, zone),
        Point::Instant(instant) => Ok(instant.to_zoned_datetime(zone.clone())),
    }
}

/// Days and months end where the next begins.
fn end_of(point: Point, zone: &TimeZone) -> Result<ZonedDateTime, WindowError> {
    let later = |day: Date, by: jiff::Span| {
        let end = day.checked_add(by).map_err(|_| WindowError::OutOfRange(day.to_string()))?;
        first_instant(midnight(end), zone)
    };
    match point {
        Point::Months(first, count) => later(first, i64::from(count).months()),
        Point::Day(day) => later(day, 1.day()),
        Point::Wall(_) | Point::Instant(_) => start_of(point, zone),
    }
}

fn length_between(from: Point, to: Point, start: &ZonedDateTime, end: &ZonedDateTime) -> Length {
    let whole = |span| match span {
        Span::Months => {
            let months = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
            months(end.date()) - months(start.date())
        }
        _ => start.date().until(end.date()).map_or(1, |days| days.get_days()),
    };
    let span = match (from, to) {
        (Point::Months(..), Point::Months(..)) => Span::Months,
        (Point::Months(..) | Point::Day(_), Point::Months(..) | Point::Day(_)) => Span::Days,
        _ => return Length::Elapsed(end.timestamp().duration_since(start.timestamp())),
    };
    Length::Calendar(u32::try_from(whole(span)).unwrap_or(1), span)
}

mod pieces;
#[cfg(test)]
mod tests;
