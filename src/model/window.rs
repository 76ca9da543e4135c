//! Windows: the rows of a day, a week or a month, by the clock of UTC.

use chrono::{Datelike, Days, Months, NaiveDate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rows that are measured together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Window {
    /// All of them
    #[default]
    Whole,
    /// A day (UTC)
    Day,
    /// From Monday to Sunday
    Week,
    /// A month
    Month,
}

/// Microseconds of a day.
pub(super) const DAY: i64 = 86_400_000_000;

impl Window {
    /// The first day of the window that a time (in microseconds since 1970) falls in, in days since 1970. 0 for the whole.
    pub(super) fn start(self, time: i64) -> i64 {
        let day = time.div_euclid(DAY);
        match self {
            Self::Whole => 0,
            Self::Day => day,
            // 1970-01-01 was a Thursday.
            Self::Week => day - (day + 3).rem_euclid(7),
            Self::Month => date(day).and_then(|date| date.with_day(1)).map_or(day, days),
        }
    }

    /// First and last day of the window that begins at day `start`.
    pub(super) fn dates(self, start: i64) -> Option<[NaiveDate; 2]> {
        let first = date(start)?;
        let next = match self {
            Self::Whole => return None,
            Self::Day => first.checked_add_days(Days::new(1)),
            Self::Week => first.checked_add_days(Days::new(7)),
            Self::Month => first.checked_add_months(Months::new(1)),
        };
        Some([first, next?.pred_opt()?])
    }
}

/// The date of a day since 1970.
pub(super) fn date(day: i64) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(i32::try_from(day).ok()?)
}

/// Days since 1970 of a date.
pub(super) fn days(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_where_calendars_say() {
        let at = |text: &str| days(text.parse().unwrap()) * DAY + DAY - 1;
        let start = |window: Window, text: &str| date(window.start(at(text))).unwrap().to_string();
        assert_eq!(start(Window::Day, "1969-12-31"), "1969-12-31");
        assert_eq!(start(Window::Week, "2026-11-25"), "2026-11-23");
        assert_eq!(start(Window::Week, "2026-11-23"), "2026-11-23");
        assert_eq!(start(Window::Week, "1970-01-01"), "1969-12-29");
        assert_eq!(start(Window::Month, "2024-02-29"), "2024-02-01");
        let ends = Window::Month.dates(Window::Month.start(at("2024-02-10"))).unwrap();
        assert_eq!(ends.map(|end| end.to_string()), ["2024-02-01", "2024-02-29"]);
    }
}
