//! What can be typed for a window.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde::{Deserialize, Serialize};

use super::WindowError;

/// A window as it was typed; what it means depends on the night and the time zone ([`Window`](super::Window)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WindowSpec {
    text: String,
    pub(super) meaning: Meaning,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// So many whole units before the night's day, or so many hours before the night.
    Last(u32, Span),
    /// From the start of one point to the end of another.
    Between(Point, Point),
}

/// A unit of length of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Sixty minutes, whatever the clock on the wall does.
    Hours,
    /// Days of the calendar.
    Days,
    /// Months of the calendar.
    Months,
}

/// A period, or a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// A number of months from the first day of one.
    Months(Date, u32),
    Day(Date),
    Wall(DateTime),
    Instant(Timestamp),
}

impl WindowSpec {
    /// Whether the window moves with the night.
    #[must_use]
    pub fn is_relative(&self) -> bool {
        matches!(self.meaning, Meaning::Last(..))
    }
}

impl fmt::Display for WindowSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<WindowSpec> for String {
    fn from(spec: WindowSpec) -> Self {
        spec.text
    }
}

impl TryFrom<String> for WindowSpec {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl FromStr for WindowSpec {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let text = text.trim();
        let wrong = |reason: &str| WindowError::Syntax { text: text.to_owned(), reason: reason.to_owned() };
        let meaning = if let Some(meaning) = relative(text, &wrong)? {
            meaning
        } else if let Some((from, to)) = text.split_once("..") {
            let point =
                |part: &str| point(part.trim()).ok_or_else(|| wrong(&format!("{part:?} is no day and no time")));
            Meaning::Between(point(from)?, point(to)?)
        } else {
            match point(text) {
                Some(Point::Wall(_) | Point::Instant(_)) => {
                    return Err(wrong("a single time has no end; write a range, START..END"));
                }
                Some(period) => Meaning::Between(period, period),
                None => return Err(wrong("it is not understood")),
            }
        };
        Ok(Self { text: text.to_owned(), meaning })
    }
}

fn relative(text: &str, wrong: &impl Fn(&str) -> WindowError) -> Result<Option<Meaning>, WindowError> {
    let Some(rest) = text.strip_prefix("last-") else {
        return Ok((text == "yesterday").then_some(Meaning::Last(1, Span::Days)));
    };
    let (count, unit) = rest.split_once('-').unwrap_or(("1", rest));
    let count: u32 = count.parse().map_err(|_| wrong("between the dashes stands a whole number"))?;
    if count == 0 {
        return Err(wrong("nothing is in zero of them"));
    }
    let (times, span) = match unit.strip_suffix('s').unwrap_or(unit) {
        "hour" => (1, Span::Hours),
        "day" => (1, Span::Days),
        "week" => (7, Span::Days),
        "month" => (1, Span::Months),
        _ => return Err(wrong("the units are hours, days, weeks and months")),
    };
    // Longer than the calendar is not longer than a u32.
    Ok(Some(Meaning::Last(count.saturating_mul(times), span)))
}

fn point(text: &str) -> Option<Point> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year] if year.len() == 4 && digits(year) => Some(Point::Months(Date::new(year.parse().ok()?, 1, 1).ok()?, 12)),
        [year, month] if year.len() == 4 && month.len() == 2 && digits(year) && digits(month) => {
            Some(Point::Months(Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?, 1))
        }
        [year, month, day] if text.len() == 10 && digits(year) && digits(month) && digits(day) => {
            Some(Point::Day(Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?))
        }
        // The shortest time has a date, a T and an hour.
        _ if text.len() >= 13 => {
            text.parse::<Timestamp>().map(Point::Instant).or_else(|_| text.parse::<DateTime>().map(Point::Wall)).ok()
        }
        _ => None,
    }
}

/// How often a report is made in `gpudrift backfill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Every {
    pub(super) count: u32,
    pub(super) span: Span,
}

impl Default for Every {
    fn default() -> Self {
        Self { count: 1, span: Span::Days }
    }
}

impl FromStr for Every {
    type Err = WindowError;

    /// `day`, `week`, `month`, `hour`, or so many of them: `2-weeks`.
    fn from_str(text: &str) -> Result<Self, WindowError> {
        let wrong = |_: &str| WindowError::Syntax {
            text: text.to_owned(),
            reason: "reports come every hour, day, week or month, or every 2-weeks".to_owned(),
        };
        match relative(&format!("last-{}", text.trim()), &wrong)? {
            Some(Meaning::Last(count, span)) => Ok(Self { count, span }),
            _ => Err(wrong("")),
        }
    }
}
