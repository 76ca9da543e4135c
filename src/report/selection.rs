//! What a report says about the rows that were chosen: windows, segments, freshness, further references.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FeatureReport, Skipped, Summary};
use crate::window::Compare;

/// A window of time: `start` included, `end` not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowReport {
    /// As it was asked for.
    pub name: String,
    /// RFC 3339, in the time zone of the run.
    pub start: String,
    /// RFC 3339, in the time zone of the run.
    pub end: String,
}

/// The current window against one more reference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparisonReport {
    /// `reference`, `previous`, `same-weekday` or `last-year`.
    pub name: Compare,
    /// The reference window; null for all rows.
    pub reference: Option<WindowReport>,
    /// The current window; null for all rows.
    pub current: Option<WindowReport>,
    /// How many features have which level.
    pub summary: Summary,
    /// One entry a compared feature.
    pub features: Vec<FeatureReport>,
    /// What could not be compared.
    pub skipped: Vec<Skipped>,
}

impl ComparisonReport {
    /// The summary is counted from the features.
    #[must_use]
    pub fn new(
        name: Compare,
        reference: Option<WindowReport>,
        current: Option<WindowReport>,
        features: Vec<FeatureReport>,
        skipped: Vec<Skipped>,
    ) -> Self {
        let summary = Summary::of(&features, &skipped);
        Self { name, reference, current, summary, features, skipped }
    }
}

/// What was read of a data set, and what was left alone. In a backfill: for all reports of a pass together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelectionReport {
    /// All files.
    pub files: u64,
    /// Files that were not opened because of their folders.
    pub files_unopened: u64,
    /// Files that rows were read from.
    pub files_read: u64,
    /// Row groups of the files that were opened.
    pub row_groups: u64,
    /// Row groups that rows were read from.
    pub row_groups_read: u64,
    /// Those of them whose rows all belong to one window and segment.
    pub row_groups_whole: u64,
    /// Rows of the files that were opened.
    pub rows: u64,
    /// Rows that were read.
    pub rows_read: u64,
    /// Rows without a time, which are in no window, in the row groups that could have rows in one.
    pub rows_without_time: u64,
    /// Rows in the windows that a later write replaces.
    pub rows_replaced: u64,
}

/// The segments of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentsReport {
    /// The columns.
    pub by: Vec<String>,
    /// The segments that were scanned, those with the most rows first.
    pub scanned: Vec<SegmentRows>,
    /// Number of segments beyond the limit.
    pub left_out: u64,
    /// Rows of these; they are part of the features as a whole.
    pub left_out_rows: u64,
}

/// A segment and its rows on both sides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentRows {
    /// Values by column; null is null.
    pub segment: BTreeMap<String, Option<String>>,
    /// Rows of reference and current together.
    pub rows: u64,
}

/// Whether the current window has its data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreshnessReport {
    /// Rows in the window.
    pub rows: u64,
    /// The newest time in the window.
    pub newest: Option<String>,
    /// The newest time in the data, as far as footers and folders tell.
    pub newest_stored: Option<String>,
    /// From the newest time in the window to its end.
    pub seconds_before_end: Option<i64>,
    /// Whether the window is empty, or its newest row older than allowed.
    pub late: bool,
    /// Folders of time that the window should have and that are not there, at most 100.
    pub missing_folders: Vec<String>,
}
