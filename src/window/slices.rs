//! Disjoint pieces of time that several windows are made of.

use std::ops::Range;

use super::{Moment, Window};

/// Which of the two times of a [`Moment`] the integers of a column count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// Since 1970 in UTC: epochs, timestamps adjusted to UTC.
    Instant,
    /// Since 1970 on the wall clock of the run's time zone: dates, timestamps without a zone.
    Wall,
}

/// What the integers of a timestamp column count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticks {
    pub(crate) clock: Clock,
    /// Nanoseconds of one.
    pub(crate) nanoseconds: i64,
}

/// Time, cut wherever one of some windows begins or ends.
///
/// Slice i lies between cut i (included) and cut i + 1 (not included). Without windows there is one slice with
/// everything in it, rows without a timestamp included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Slices {
    cuts: Vec<Moment>,
    /// Whether a window holds the slice.
    wanted: Vec<bool>,
}

impl Slices {
    /// The slices of `windows`.
    pub(crate) fn of<'w>(windows: impl Iterator<Item = &'w Window> + Clone) -> Self {
        let mut cuts: Vec<Moment> = windows.clone().flat_map(|window| [window.start, window.end]).collect();
        cuts.sort_by_key(|cut| cut.instant);
        cuts.dedup_by_key(|cut| cut.instant);
        let mut slices = Self { wanted: vec![false; cuts.len().saturating_sub(1)], cuts };
        for window in windows {
            let range = slices.range(window);
            slices.wanted[range].fill(true);
        }
        slices
    }

    /// Number of slices.
    pub(crate) fn len(&self) -> usize {
        self.wanted.len().max(1)
    }

    /// Whether there is no window, and so one slice with everything.
    pub(crate) fn is_everything(&self) -> bool {
        self.cuts.is_empty()
    }

    /// The slices of one of the windows.
    pub(crate) fn range(&self, window: &Window) -> Range<usize> {
        let at = |moment: Moment| self.cuts.partition_point(|cut| cut.instant < moment.instant);
        at(window.start)..at(window.end)
    }

    /// The cuts as integers of a column: a time t lies behind cut i when `t >= cuts[i]`.
    pub(crate) fn cuts_in(&self, ticks: Ticks) -> SlicesIn<'_> {
        let mut cuts: Vec<i128> = self
            .cuts
            .iter()
            .map(|cut| match ticks.clock {
                Clock::Instant => cut.instant_ns(),
                Clock::Wall => cut.wall_ns(),
            })
            .map(|ns| ns.div_euclid(ticks.nanoseconds.into()) + i128::from(ns.rem_euclid(ticks.nanoseconds.into()) > 0))
            .collect();
        // Where the clock on the wall is set back, a later cut may show an earlier time.
        for index in 1..cuts.len() {
            cuts[index] = cuts[index].max(cuts[index - 1]);
        }
        SlicesIn { cuts, wanted: &self.wanted }
    }
}

/// [`Slices`] in the integers of a column.
pub(crate) struct SlicesIn<'s> {
    cuts: Vec<i128>,
    wanted: &'s [bool],
}

impl SlicesIn<'_> {
    /// The slice that a time lies in; `None` where it is in no window.
    #[inline]
    pub(crate) fn slice_of(&self, time: i128) -> Option<usize> {
        let behind = self.cuts.partition_point(|&cut| cut <= time);
        behind.checked_sub(1).filter(|&slice| self.wanted.get(slice) == Some(&true))
    }

    /// What is known of times from `low` to `high`.
    pub(crate) fn span(&self, low: i128, high: i128) -> Extent {
        let position = |time| self.cuts.partition_point(|&cut| cut <= time);
        let (first, last) = (position(low), position(high));
        if first == last {
            return self.slice_of(low).map_or(Extent::Nowhere, Extent::Within);
        }
        let reaches = |behind: usize| behind > 0 && self.wanted.get(behind - 1) == Some(&true);
        if (first..=last).any(reaches) { Extent::Across } else { Extent::Nowhere }
    }
}

/// How an interval of time lies to the slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Outside of every window.
    Nowhere,
    /// In this slice.
    Within(usize),
    /// It may have times in some slice and in none.
    Across,
}

#[cfg(test)]
mod tests {
    use super::super::{AsOf, WindowSpec, resolve::zone};
    use super::*;

    fn windows(specs: &[&str], zone_name: &str) -> Vec<Window> {
        let (as_of, zone) = ("2026-12-01".parse::<AsOf>().unwrap(), zone(zone_name).unwrap());
        specs.iter().map(|s| Window::resolve(&s.parse::<WindowSpec>().unwrap(), as_of, &zone).unwrap()).collect()
    }

    const DAYS: Ticks = Ticks { clock: Clock::Wall, nanoseconds: 86_400_000_000_000 };
    const SECONDS: Ticks = Ticks { clock: Clock::Instant, nanoseconds: 1_000_000_000 };

    #[test]
    fn overlapping_windows_share_slices() {
        let windows = windows(&["2026-11-01..2026-11-10", "2026-11-08..2026-11-12", "2026-11-20"], "UTC");
        let slices = Slices::of(windows.iter());
        assert_eq!(slices.len(), 5);
        assert_eq!(
            windows.iter().map(|window| slices.range(window)).collect::<Vec<_>>(),
            [0..2, 1..3, 4..5],
            "slice 3 lies between two windows"
        );
        let days = slices.cuts_in(DAYS);
        let of = |day: &str| days.slice_of(crate::source::partition::day(day).unwrap().into());
        assert_eq!(
            ["2026-10-31", "2026-11-01", "2026-11-08", "2026-11-11", "2026-11-13", "2026-11-20", "2026-11-21"].map(of),
            [None, Some(0), Some(1), Some(2), None, Some(4), None]
        );
    }

    #[test]
    fn an_interval_is_within_a_slice_across_several_or_nowhere() {
        let windows = windows(&["1970-01-02", "1970-01-05"], "UTC");
        let slices = Slices::of(windows.iter());
        let days = slices.cuts_in(DAYS);
        assert_eq!(days.span(1, 1), Extent::Within(0));
        assert_eq!(days.span(2, 3), Extent::Nowhere);
        assert_eq!(days.span(-5, 0), Extent::Nowhere);
        assert_eq!(days.span(5, 9), Extent::Nowhere);
        assert_eq!(days.span(-5, 1), Extent::Across);
        assert_eq!(days.span(-5, 9), Extent::Across, "neither end lies in a window");
        assert_eq!(days.span(3, 4), Extent::Across);
    }

    #[test]
    fn instants_and_the_wall_have_cuts_of_their_own() {
        let windows = windows(&["2026-11-22"], "America/New_York");
        let slices = Slices::of(windows.iter());
        let midnight = 1_795_323_600; // 2026-11-22T05:00:00Z
        let seconds = slices.cuts_in(SECONDS);
        assert_eq!([-1, 0, 86_399, 86_400].map(|s| seconds.slice_of(midnight + s)), [None, Some(0), Some(0), None]);
        let wall = slices.cuts_in(Ticks { clock: Clock::Wall, ..SECONDS });
        assert_eq!([-1, 0].map(|s| wall.slice_of(midnight - 5 * 3600 + s)), [None, Some(0)]);
    }

    #[test]
    fn without_windows_there_is_one_slice() {
        let slices = Slices::of(std::iter::empty());
        assert!(slices.is_everything());
        assert_eq!(slices.len(), 1);
    }
}
