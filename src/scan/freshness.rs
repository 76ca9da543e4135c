//! Whether the current window has its data: rows at all, rows near its end, a folder for every day.

use super::parts::{Cut, Survey};
use super::pipeline::span;
use crate::config::WindowConfig;
use crate::report::FreshnessReport;
use crate::window::Window;
use crate::window::partition::FolderTime;

/// Folders that are named at most.
const NAMED: usize = 100;

/// What is known of the freshness of `window`, of which `rows` were found, and what is worth a warning.
pub(super) fn look(
    cut: &Cut<'_>,
    survey: &Survey,
    window: &Window,
    rows: u64,
    config: &WindowConfig,
) -> (FreshnessReport, Vec<String>) {
    let mut warnings = Vec::new();
    let newest = survey.newest(cut.slices_of(Some(window)), window);
    let stored = survey.stored(window);
    let seconds = |age: i128| i64::try_from(age.div_euclid(1_000_000_000)).unwrap_or(i64::MAX);
    let missing = missing_folders(cut, window, config);
    let mut report = FreshnessReport {
        rows,
        newest: newest.as_ref().map(|(_, time)| time.clone()),
        newest_stored: stored.as_ref().map(|(_, time)| time.clone()),
        seconds_before_end: newest.as_ref().map(|(age, _)| seconds(*age)),
        late: rows == 0,
        missing_folders: missing,
    };
    // The name of a folder, and a date, say the day and not how much of it is there.
    let (name, span) = (&window.name, span(window));
    match &newest {
        _ if rows == 0 => {
            let stored =
                report.newest_stored.as_ref().map_or_else(String::new, |time| format!("; the newest row is of {time}"));
            warnings.push(format!("the current window {name} ({span}) has no rows{stored}"));
        }
        Some((age, time)) if seconds(*age) > config.late_after_seconds => {
            report.late = true;
            let hours = seconds(*age) / 3600;
            warnings.push(format!(
                "the current window {name} ({span}) is late: its newest row is of {time}, {hours} hours before its end"
            ));
        }
        _ => {}
    }
    if let [first, rest @ ..] = report.missing_folders.as_slice() {
        let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
        warnings.push(format!("the current window {name} has no folder {first}{more}"));
    }
    (report, warnings)
}

/// The folders that the window should have and that no file lies in.
fn missing_folders(cut: &Cut<'_>, window: &Window, config: &WindowConfig) -> Vec<String> {
    let keys = if config.time_folders.is_empty() { &config.timestamp } else { &config.time_folders };
    let folders = FolderTime::new(keys);
    let partitions = || cut.data.files().iter().map(|file| file.partition()).filter(|parts| folders.is_in(parts));
    let example =
        partitions().flatten().find(|(key, _)| Some(key) == keys.first()).and_then(|(_, value)| value.clone());
    let Some(example) = example else { return Vec::new() };
    let there: Vec<_> = partitions().filter_map(|parts| folders.span(parts).ok().flatten()).collect();
    let expected = folders.expected(window, &example, NAMED);
    expected.into_iter().filter(|(_, span)| !there.contains(span)).map(|(name, _)| name).collect()
}
