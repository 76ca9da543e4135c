//! Levels that rest on more than one night.

use super::Level;

/// The level that has lasted for so many `nights` in a row: tonight's own level, and those of the nights before, the
/// latest first. A level above INFO that has not lasted counts as INFO, so that it is seen and wakes nobody.
///
/// A night at CRITICAL is one at WARNING, too: WARNING, then CRITICAL, has been WARNING for two nights.
#[must_use]
pub fn lasting(tonight: Level, before: &[Level], nights: usize) -> Level {
    let lasted = |level: Level| {
        let needed = nights.saturating_sub(1);
        before.len() >= needed && before[..needed].iter().all(|&night| night >= level)
    };
    let reached = [Level::Critical, Level::Warning].into_iter().filter(|&level| level <= tonight);
    reached.clone().find(|&level| lasted(level)).unwrap_or_else(|| tonight.min(Level::Info))
}

/// The level that a feature keeps by hysteresis: that of the night before, or the highest below it, whose limit `effect`
/// misses by at most `share` of it. `limits` are those of WARNING and CRITICAL. `None` when tonight's level is as high.
#[must_use]
pub fn kept(tonight: Level, before: Level, effect: f64, limits: [f64; 2], share: f64) -> Option<Level> {
    let [warning, critical] = limits;
    let near = |limit: f64| effect >= limit * (1.0 - share);
    [(Level::Critical, critical), (Level::Warning, warning)]
        .into_iter()
        .find(|&(level, limit)| level > tonight && level <= before && near(limit))
        .map(|(level, _)| level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Critical, Info, Ok, Warning};

    #[test]
    fn a_level_counts_when_it_has_lasted() {
        for (tonight, before, nights, expected) in [
            (Warning, &[][..], 1, Warning),
            (Warning, &[], 2, Info),
            (Warning, &[Ok], 2, Info),
            (Warning, &[Warning], 2, Warning),
            (Critical, &[Warning], 2, Warning),
            (Warning, &[Critical], 2, Warning),
            (Critical, &[Critical, Warning], 3, Warning),
            (Critical, &[Critical, Critical, Ok], 3, Critical),
            (Critical, &[Critical], 3, Info),
            (Info, &[Critical, Critical], 2, Info),
            (Ok, &[Critical, Critical], 2, Ok),
        ] {
            assert_eq!(lasting(tonight, before, nights), expected, "{tonight:?} after {before:?}, {nights} nights");
        }
    }

    #[test]
    fn a_level_is_kept_near_its_limit_and_never_made() {
        let limits = [0.1, 0.2];
        for (tonight, before, effect, expected) in [
            (Ok, Warning, 0.095, Some(Warning)),
            (Ok, Warning, 0.089, None),
            (Ok, Ok, 0.095, None),
            (Ok, Info, 0.095, None),
            (Warning, Critical, 0.19, Some(Critical)),
            (Warning, Critical, 0.17, None),
            (Warning, Warning, 0.19, None),
            (Ok, Critical, 0.095, Some(Warning)),
            (Critical, Critical, 0.3, None),
            (Ok, Warning, f64::NAN, None),
        ] {
            assert_eq!(kept(tonight, before, effect, limits, 0.1), expected, "{tonight:?} after {before:?}, {effect}");
        }
    }
}
