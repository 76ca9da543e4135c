//! What the nights before have to say about the level of tonight.
//!
//! A single night is one sample. [`settle`] waits for a level to be measured several nights in a row before it counts
//! (`for`), keeps it until it is clearly gone (hysteresis), and holds back what was muted. Pure functions over a sequence
//! of past levels; who keeps that sequence is somebody else's business.

use super::Level;
use serde::{Deserialize, Serialize};

/// One run as it was, for one feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Past {
    /// The level that the numbers of that night gave.
    pub measured: Level,
    /// The level that was reported in the end.
    pub settled: Level,
    /// Effect over the limit of WARNING; 1 at the limit, 0 where there was no significant effect.
    pub strength: f64,
}

/// How patient levels are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// A drift level counts once it was measured in so many nights in a row, tonight among them; at least 1.
    #[serde(rename = "for")]
    pub nights: u32,
    /// A drift level that counted stays until the effect falls below the limit by this share of it: with 0.2 and a limit of
    /// 0.1, until it is below 0.08. From 0 to 1.
    pub hysteresis: f64,
    /// A level that counted is taken back after so many nights in a row without it; at least 1.
    pub clear_after: u32,
    /// Somebody knows already: nothing above INFO.
    pub muted: bool,
}

impl Default for Policy {
    /// Every night counts by itself, and nothing lingers.
    fn default() -> Self {
        Self { nights: 1, hysteresis: 0.0, clear_after: 1, muted: false }
    }
}

/// The level to report for tonight. `history` is in the order of the nights, the latest last; it may be shorter than the
/// policy looks back, and then a level needs the nights that are missing to come.
///
/// ```
/// use gpudrift::verdict::{Level, Past, Policy, settle};
///
/// let policy = Policy { nights: 2, ..Policy::default() };
/// let tonight = Past { measured: Level::Critical, strength: 3.0, ..Past::default() };
/// assert_eq!(settle(&[], tonight, &policy), Level::Info, "once is a remark");
/// assert_eq!(settle(&[tonight], tonight, &policy), Level::Critical, "twice is an alarm");
/// ```
#[must_use]
pub fn settle(history: &[Past], tonight: Past, policy: &Policy) -> Level {
    let level = raised(history, tonight, policy).max(kept(history, tonight, policy));
    if policy.muted { level.min(Level::Info) } else { level }
}

/// What has been measured often enough in a row: the mildest of the last nights. A drift that has not is worth an INFO.
fn raised(history: &[Past], tonight: Past, policy: &Policy) -> Level {
    if tonight.measured < Level::Warning {
        return tonight.measured;
    }
    let before = (policy.nights.max(1) - 1) as usize;
    let last = history.len().checked_sub(before).map(|from| &history[from..]);
    let mildest = last.and_then(|nights| nights.iter().map(|night| night.measured).chain([tonight.measured]).min());
    mildest.filter(|level| *level >= Level::Warning).unwrap_or(Level::Info)
}

/// What counted last night and is not clearly gone.
fn kept(history: &[Past], tonight: Past, policy: &Policy) -> Level {
    let Some(last) = history.last().filter(|last| last.settled >= Level::Warning) else { return Level::Ok };
    // An alarm that goes on at another level follows what is measured.
    if tonight.measured >= Level::Warning {
        return tonight.measured.min(last.settled);
    }
    let lingers = policy.hysteresis > 0.0 && tonight.strength >= 1.0 - policy.hysteresis;
    let quiet = history.iter().rev().take_while(|night| night.measured < Level::Warning).count() + 1;
    let waits = quiet < policy.clear_after.max(1) as usize;
    if lingers || waits { Level::Warning } else { Level::Ok }
}

/// Features that somebody knows about, until a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute<Day> {
    /// Names and globs of the features.
    pub features: Vec<String>,
    /// The last day of it.
    pub until: Day,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

impl<Day: PartialOrd> Mute<Day> {
    /// Whether `feature` is muted on the day of the run; `matches` says whether a pattern is about it.
    pub fn holds(&self, feature: &str, today: &Day, matches: impl Fn(&str, &str) -> bool) -> bool {
        *today <= self.until && self.features.iter().any(|pattern| matches(pattern, feature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Critical, Info, Ok, Warning};
    use proptest::prelude::*;

    fn night(measured: Level, strength: f64) -> Past {
        Past { measured, settled: measured, strength }
    }

    /// The levels reported for a sequence of measured nights.
    fn report(nights: &[(Level, f64)], policy: &Policy) -> Vec<Level> {
        let mut history: Vec<Past> = Vec::new();
        for &(measured, strength) in nights {
            let tonight = Past { measured, settled: Ok, strength };
            history.push(Past { settled: settle(&history, tonight, policy), ..tonight });
        }
        history.into_iter().map(|night| night.settled).collect()
    }

    #[test]
    fn by_default_tonight_decides() {
        for level in Level::ALL {
            assert_eq!(settle(&[night(Critical, 9.0)], night(level, 0.0), &Policy::default()), level);
        }
    }

    #[test]
    fn an_alarm_needs_its_nights_in_a_row() {
        let policy = Policy { nights: 3, ..Policy::default() };
        let measured = [Warning, Critical, Ok, Warning, Critical, Critical, Critical].map(|level| (level, 1.0));
        assert_eq!(report(&measured, &policy), [Info, Info, Ok, Info, Info, Warning, Critical]);
    }

    #[test]
    fn an_alarm_lingers_within_the_hysteresis_and_does_not_begin_there() {
        let policy = Policy { hysteresis: 0.2, ..Policy::default() };
        let measured = [(Ok, 0.9), (Warning, 1.1), (Ok, 0.9), (Ok, 0.81), (Ok, 0.79), (Ok, 0.9)];
        assert_eq!(report(&measured, &policy), [Ok, Warning, Warning, Warning, Ok, Ok]);
    }

    #[test]
    fn an_alarm_is_taken_back_after_enough_quiet_nights() {
        let policy = Policy { clear_after: 3, ..Policy::default() };
        let measured = [Critical, Ok, Info, Ok, Ok].map(|level| (level, 0.0));
        assert_eq!(report(&measured, &policy), [Critical, Warning, Warning, Ok, Ok]);
    }

    #[test]
    fn a_mute_ends_on_its_day() {
        let muted = Policy { muted: true, ..Policy::default() };
        assert_eq!(settle(&[], night(Critical, 5.0), &muted), Info);
        assert_eq!(settle(&[], night(Ok, 0.0), &muted), Ok);
        let mute = Mute { features: vec!["a".to_owned()], until: "2026-12-31", reason: String::new() };
        let holds = |feature, day| mute.holds(feature, &day, |pattern, name| pattern == name);
        assert!(holds("a", "2026-12-31") && !holds("a", "2027-01-01") && !holds("b", "2026-12-31"));
    }

    proptest! {
        #[test]
        fn patience_never_raises_a_level_that_no_night_had(
            nights in prop::collection::vec((0_usize..4, 0.0..2.0_f64), 1..30),
            wait in 1_u32..5, hysteresis in 0.0..1.0_f64, clear_after in 1_u32..4,
        ) {
            let nights: Vec<_> = nights.into_iter().map(|(level, strength)| (Level::ALL[level], strength)).collect();
            let policy = Policy { nights: wait, hysteresis, clear_after, muted: false };
            let highest = nights.iter().map(|night| night.0).max().unwrap();
            let reported = report(&nights, &policy);
            prop_assert!(reported.iter().all(|level| *level <= highest));
            let alarms = |levels: &mut dyn Iterator<Item = Level>| levels.filter(|level| *level >= Warning).count();
            let impatient = alarms(&mut nights.iter().map(|night| night.0));
            let strict = Policy { hysteresis: 0.0, clear_after: 1, ..policy };
            prop_assert!(alarms(&mut report(&nights, &strict).into_iter()) <= impatient);
        }
    }
}
