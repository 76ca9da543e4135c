//! The end of a declared range: a number, or a time.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const DAY: i128 = 86_400_000_000_000;

/// The smallest or largest value that a feature may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a number, or a time in quotes: \"2026-01-31\", \"2026-01-31T12:00:00Z\"")]
pub enum Limit {
    /// Of numbers.
    Number(f64),
    /// Of dates and timestamps: a day, all of it, a time on the clock of the column, or an RFC 3339 instant.
    Time(String),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(text) => f.write_str(text),
        }
    }
}

impl From<f64> for Limit {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl Limit {
    /// The number, where it is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Time(_) => None,
        }
    }

    /// First and last nanosecond since 1970 of the time, where it is one; of columns without a zone, on their own clock.
    #[must_use]
    pub fn nanoseconds(&self) -> Option<[i128; 2]> {
        let Self::Time(text) = self else { return None };
        let on_the_wall = |wall: DateTime| TimeZone::UTC.to_timestamp(wall).ok().map(Timestamp::as_nanosecond);
        if let Some(day) = (text.len() == 10).then(|| text.parse::<Date>().ok()).flatten() {
            let first = on_the_wall(day.to_datetime(jiff::civil::Time::midnight()))?;
            return Some([first, first + DAY - 1]);
        }
        let instant = text.parse::<Timestamp>().ok().map(Timestamp::as_nanosecond);
        instant.or_else(|| text.parse::<DateTime>().ok().and_then(on_the_wall)).map(|at| [at, at])
    }

    /// Whether it is a finite number, or a time.
    #[must_use]
    pub fn is_meant(&self) -> bool {
        self.number().map_or_else(|| self.nanoseconds().is_some(), f64::is_finite)
    }

    /// Whether a range from this to `max` is none; `None` where a number stands against a time.
    #[must_use]
    pub fn is_above(&self, max: &Self) -> Option<bool> {
        match (self.number().zip(max.number()), self.nanoseconds().zip(max.nanoseconds())) {
            (Some((min, max)), _) => Some(max < min),
            (_, Some((min, max))) => Some(max[1] < min[0]),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Limit {
        Limit::Time(text.to_owned())
    }

    #[test]
    fn a_day_is_all_of_it_and_an_instant_is_one() {
        assert_eq!(time("1970-01-02").nanoseconds(), Some([DAY, 2 * DAY - 1]));
        assert_eq!(time("1970-01-02T00:00:01").nanoseconds(), Some([DAY + 1_000_000_000; 2]));
        assert_eq!(time("1970-01-02T01:00:00+01:00").nanoseconds(), Some([DAY; 2]));
        for wrong in ["2026-02-30", "yesterday", "", "2026"] {
            assert!(!time(wrong).is_meant(), "{wrong}");
        }
    }

    #[test]
    fn ranges_are_of_one_kind() {
        assert_eq!(time("2026-01-02").is_above(&time("2026-01-02T12:00:00")), Some(false));
        assert_eq!(time("2026-01-02").is_above(&time("2026-01-01T12:00:00")), Some(true));
        assert_eq!(Limit::Number(3.0).is_above(&Limit::Number(2.0)), Some(true));
        assert_eq!(Limit::Number(3.0).is_above(&time("2026-01-02")), None);
    }
}
