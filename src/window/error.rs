//! What can be wrong with a window, and what is allowed.

/// What a window may be, for messages.
pub(super) const ALLOWED: &str = "a window is yesterday, last-7-days, last-24-hours, last-4-weeks, last-month, a day \
    (2026-11-22), a month (2026-11), a year (2026), or a range of these or of RFC 3339 times \
    (2026-01-01..2026-03-31, 2026-11-22T06:00:00Z..2026-11-22T18:00:00Z)";

/// Why a window cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// It is no window at all.
    #[error("{text:?} is no window: {reason}; {ALLOWED}")]
    Syntax {
        /// What was typed.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The day of the run is neither a date nor a time.
    #[error("{text:?} is neither a date (2026-11-23) nor an RFC 3339 time (2026-11-23T02:00:00Z)")]
    AsOf {
        /// What was typed.
        text: String,
    },
    /// No such time zone.
    #[error("{0:?} is not a time zone; name one of the IANA list (UTC, Europe/Berlin, America/New_York)")]
    TimeZone(String),
    /// The window ends where it begins, or before.
    #[error("the window {window} is empty: it begins at {start} and ends at {end}")]
    Empty {
        /// The window.
        window: String,
        /// Its start.
        start: String,
        /// Its end.
        end: String,
    },
    /// The window begins when the run is over.
    #[error("the window {window} lies in the future: it begins at {start}, and this run is as of {as_of}")]
    Future {
        /// The window.
        window: String,
        /// Its start.
        start: String,
        /// The time of the run.
        as_of: String,
    },
    /// Both sides hold the same rows.
    #[error(
        "the windows overlap: the reference ({reference}) and the current window ({current}) share the time from \
         {from} to {to}, and rows compared with themselves hide drift; let the reference end before"
    )]
    Overlap {
        /// The reference window.
        reference: String,
        /// The current window.
        current: String,
        /// Where the shared time begins.
        from: String,
        /// Where it ends.
        to: String,
    },
    /// The same dates of a longer window are among its own.
    #[error("last-year needs a window of at most a year, and {0} is longer; compare it with previous")]
    LongerThanAYear(String),
    /// The same weekday of a longer window is itself.
    #[error("same-weekday needs a window of at most 7 days, and {0} is longer; compare it with previous")]
    LongerThanAWeek(String),
    /// A time that the calendar does not reach.
    #[error("{0} lies outside of the years -9999 to 9999")]
    OutOfRange(String),
    /// A folder whose name is no time.
    #[error("the folder {key}={value} names no time; {allowed}")]
    Folder {
        /// Key of the partition.
        key: String,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
}
