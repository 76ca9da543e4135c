//! How many rows came, against the nights before.

use super::Finding;
use crate::format::{counted, real};
use crate::verdict::Level;

/// Name of the check.
pub const VOLUME: &str = "volume";
/// Nights before that are looked at, and that it takes.
pub const NIGHTS: usize = 14;
const FEWEST: usize = 5;
/// How far beyond all of them is worth a word.
const FACTOR: f64 = 2.0;

/// What the check says.
#[derive(Clone, Debug, PartialEq)]
pub enum Volume {
    /// As many rows as ever.
    Usual,
    /// Too few, or too many.
    Unusual(Finding),
    /// There are too few runs before to tell.
    Unknown,
}

/// What is wrong with the number of rows of the current window, beside those of the runs before it: it is less than
/// half of the smallest of them, or more than twice the largest. Weekends and holidays are among them, so that a week
/// as ever is none.
#[must_use]
pub fn volume(rows: u64, before: &[u64]) -> Volume {
    let (Some(&least), Some(&most), true) = (before.iter().min(), before.iter().max(), before.len() >= FEWEST) else {
        return Volume::Unknown;
    };
    let few = real(rows) * FACTOR < real(least);
    let many = real(rows) > real(most) * FACTOR;
    let message = || {
        let runs = counted(before.len() as u64, "run", "runs");
        let [least, most] = [least, most].map(crate::format::count);
        format!("current has {}, and the {runs} before had {least} to {most}", counted(rows, "row", "rows"))
    };
    if !few && !many {
        return Volume::Usual;
    }
    Volume::Unusual(Finding {
        check: VOLUME.to_owned(),
        level: Level::Warning,
        feature: None,
        message: message(),
        numbers: [("rows", rows), ("rows_least", least), ("rows_most", most)]
            .into_iter()
            .map(|(name, rows)| (name.to_owned(), real(rows)))
            .collect(),
    })
}
