//! Windows whose data has not come, or not all of it.

use super::{Check, Found, RunSides};
use crate::format::{counted, real};
use crate::verdict::Level;

/// Folders that a message names.
const LISTED: usize = 3;

/// The newest row of the current window is older than `late_after` allows.
pub(super) struct Freshness;

impl Check for Freshness {
    fn name(&self) -> &'static str {
        "freshness"
    }

    fn run(&self, sides: &RunSides<'_>) -> Vec<Found> {
        let found = sides.freshness.filter(|found| found.late && found.rows > 0);
        let found = found.and_then(|found| {
            let (newest, age) = (found.newest.as_ref()?, found.seconds_before_end?);
            let hours = counted(age.unsigned_abs() / 3600, "hour", "hours");
            let message =
                format!("current is late: its newest row is of {newest}, {hours} before the end of the window");
            Some(Found::new(message).at(Level::Warning).with("hours_before_end", real(age.unsigned_abs() / 3600)))
        });
        found.into_iter().collect()
    }

    /// Of no rows none is the newest.
    fn is_blind(&self, sides: &RunSides<'_>) -> bool {
        sides.freshness.is_some_and(|found| found.rows == 0)
    }
}

/// Folders that the current window should have are not there.
pub(super) struct Partitions;

impl Check for Partitions {
    fn name(&self) -> &'static str {
        "partitions"
    }

    fn run(&self, sides: &RunSides<'_>) -> Vec<Found> {
        let missing = sides.freshness.map_or(&[][..], |found| found.missing_folders.as_slice());
        let number = missing.len() as u64;
        let listed = missing.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = if missing.len() > LISTED { ", ..." } else { "" };
        let message = || {
            let verb = if number == 1 { "is" } else { "are" };
            format!("{} of the current window {verb} not there: {listed}{more}", counted(number, "folder", "folders"))
        };
        let found = (number > 0).then(|| Found::new(message()).at(Level::Warning).with("missing", real(number)));
        found.into_iter().collect()
    }
}
