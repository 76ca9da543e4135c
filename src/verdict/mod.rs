//! What the numbers of one feature amount to: its level, and the sentences that say why.
//!
//! An alarm needs two things at once: an effect that is large enough to matter (PSI by default) and a q-value that
//! says that it is not chance. So a million rows do not make every feature an alarm, and a hundred rows do not turn
//! the noise of PSI into one. An effect of the bins (PSI, JS) has to be beyond chance by a q-value of its own, too: that of
//! KS or chi-squared alone lets chance raise an alarm in one night of twenty where windows are so small that PSI reaches its
//! limit by chance. From some thousand rows on, a PSI of 0.1 is always beyond chance, and this changes nothing. All thresholds are inclusive. Nothing here reads rows, files or counts of cells.

mod calibration;
mod minor;
mod nights;

pub use calibration::{Basis, Calibration, learned};
pub use nights::{kept, lasting};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::format::{probability, significant};

/// How much attention a feature asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing to see.
    #[default]
    Ok,
    /// A minor fact worth knowing: a new category, a null share that moved, a type that changed.
    Info,
    /// Drift: the effect reached the lower threshold and is significant.
    Warning,
    /// Strong drift: the effect reached the upper threshold and is significant.
    Critical,
}

impl Level {
    /// Every level, mildest first.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Info, Self::Warning, Self::Critical];

    /// The level in lower case, as in the JSON report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// The effect size that a level rests on. A feature that has no value for the one chosen is judged by PSI.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Population stability index.
    #[default]
    Psi,
    /// Kolmogorov–Smirnov D (numeric features and booleans).
    Ks,
    /// Jensen–Shannon distance, the square root of the divergence.
    Js,
}

impl Effect {
    /// Every effect size.
    pub const ALL: [Self; 3] = [Self::Psi, Self::Ks, Self::Js];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Psi => "psi",
            Self::Ks => "ks",
            Self::Js => "js",
        }
    }

    /// Its name among the metrics of a report.
    #[must_use]
    pub fn metric(self) -> &'static str {
        match self {
            Self::Psi => "psi",
            Self::Ks => "ks_statistic",
            Self::Js => "js_distance",
        }
    }

    /// How a sentence calls it.
    fn label(self) -> &'static str {
        match self {
            Self::Psi => "PSI",
            Self::Ks => "KS D",
            Self::Js => "JS distance",
        }
    }
}

/// Where the two drift levels of one effect size begin, both inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// WARNING from here.
    pub warning: f64,
    /// CRITICAL from here.
    pub critical: f64,
}

/// When a feature gets which level. All inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thresholds {
    /// Which effect size decides.
    pub effect: Effect,
    /// Limits of PSI; 0.1 and 0.2 are the customary ones (Siddiqi 2006, chapter 8, rounds the second to 0.25).
    pub psi: Limits,
    /// Limits of KS D.
    pub ks: Limits,
    /// Limits of the Jensen–Shannon distance; 0.1 is where NannyML and Evidently begin to warn.
    pub js: Limits,
    /// Highest q-value that counts as significant.
    pub q: f64,
    /// INFO from this absolute change of the null, NaN or infinite share, when chance does not explain it.
    pub null_share: f64,
    /// WARNING from this absolute change of the null share; off unless given.
    pub null_share_warning: Option<f64>,
    /// CRITICAL from this absolute change of the null share; off unless given.
    pub null_share_critical: Option<f64>,
    /// INFO from this KS D for a significant change that PSI does not see (PSI is blind within a bin).
    pub ks_info: f64,
    /// Whether the limits of PSI are learned from the reference, and for how many false alarms.
    #[serde(default, skip_serializing_if = "Calibration::is_default")]
    pub calibration: Calibration,
}

impl Default for Thresholds {
    fn default() -> Self {
        let limits = Limits { warning: 0.1, critical: 0.2 };
        Self {
            effect: Effect::Psi,
            psi: limits,
            ks: limits,
            js: limits,
            q: 0.05,
            null_share: 0.01,
            null_share_warning: None,
            null_share_critical: None,
            ks_info: 0.1,
            calibration: Calibration::default(),
        }
    }
}

impl Thresholds {
    /// The limits of `effect`.
    #[must_use]
    pub fn limits(&self, effect: Effect) -> Limits {
        match effect {
            Effect::Psi => self.psi,
            Effect::Ks => self.ks,
            Effect::Js => self.js,
        }
    }
}

/// Exact counts of one side of a feature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SideEvidence {
    /// All rows.
    pub rows: u64,
    /// Rows that are null.
    pub nulls: u64,
    /// Rows that are NaN.
    pub nans: u64,
    /// Rows that are +∞ or −∞.
    pub infinite: u64,
    /// Distinct values; `None` when they were not counted.
    pub distinct: Option<u64>,
}

impl SideEvidence {
    /// Rows that take part in the statistics: neither null nor NaN.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.rows.saturating_sub(self.nulls).saturating_sub(self.nans)
    }
}

/// What is known about the categories that stand on one side only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CategoryEvidence {
    /// Categories of the current side that the reference does not have.
    pub new_categories: u64,
    /// Rows of the current side in these.
    pub new_rows: u64,
    /// Categories that exactly one row of the reference has; 0 makes every new category a fact worth knowing.
    pub reference_once: u64,
    /// Categories of the reference that the current side does not have.
    pub missing_categories: u64,
    /// Rows of the reference in the most frequent of these.
    pub largest_missing: u64,
}

/// All that [`judge`] looks at. What was not computed, or has no value, is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evidence {
    /// Population stability index.
    pub psi: Option<f64>,
    /// Kolmogorov–Smirnov D.
    pub ks_statistic: Option<f64>,
    /// Jensen–Shannon distance.
    pub js_distance: Option<f64>,
    /// The feature's q-value: of KS for numeric and temporal features, of chi-squared for the others.
    pub q_value: Option<f64>,
    /// The q-value of PSI, over the features of the run; `None` where PSI has none, and asks for none.
    pub psi_q_value: Option<f64>,
    /// Counts of the reference.
    pub reference: SideEvidence,
    /// Counts of the current side.
    pub current: SideEvidence,
    /// One-sided categories; `None` for features without categories.
    pub categories: Option<CategoryEvidence>,
    /// Type in the reference and type in the current side, where they differ.
    pub type_change: Option<(String, String)>,
}

impl Evidence {
    /// The value of `effect`, if there is one.
    #[must_use]
    pub fn effect(&self, effect: Effect) -> Option<f64> {
        match effect {
            Effect::Psi => self.psi,
            Effect::Ks => self.ks_statistic,
            Effect::Js => self.js_distance,
        }
    }

    /// Whether the q-value exists and is at most the threshold.
    fn significant(&self, thresholds: &Thresholds) -> bool {
        self.q_value.is_some_and(|q| q <= thresholds.q)
    }
}

/// The level of a feature, and one sentence for each thing that speaks for it, the drift first.
///
/// A feature whose effect has no value has no drift level, whatever its q-value; it can still be INFO. No sentence
/// means [`Level::Ok`].
#[must_use]
pub fn judge(evidence: &Evidence, thresholds: &Thresholds) -> (Level, Vec<String>) {
    let mut level = Level::Ok;
    let mut reasons = Vec::new();
    let drift = drift(evidence, thresholds);
    let drifted = drift.is_some();
    for (found, reason) in drift.into_iter().chain(minor::facts(evidence, thresholds, drifted)) {
        level = level.max(found);
        reasons.push(reason);
    }
    (level, reasons)
}

/// The drift level and its sentence, for an effect that reached a limit and is significant, twice where it is one of bins.
fn drift(evidence: &Evidence, thresholds: &Thresholds) -> Option<(Level, String)> {
    let effect = if evidence.effect(thresholds.effect).is_some() { thresholds.effect } else { Effect::Psi };
    let (value, q) = (evidence.effect(effect)?, evidence.q_value?);
    let limits = thresholds.limits(effect);
    let (level, limit) = match value {
        v if v >= limits.critical => (Level::Critical, limits.critical),
        v if v >= limits.warning => (Level::Warning, limits.warning),
        _ => return None,
    };
    let by_chance = effect != Effect::Ks && evidence.psi_q_value.is_some_and(|q| q > thresholds.q);
    (q <= thresholds.q && !by_chance).then(|| {
        let learned = if thresholds.calibration.calibrated && effect == Effect::Psi { ", learned," } else { "" };
        let (value, limit) = (significant(value), significant(limit));
        let reason = format!("{} {value} ≥ {limit}{learned} with q {}", effect.label(), probability(q));
        (level, reason)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(psi: Option<f64>, q: Option<f64>) -> Level {
        let side = SideEvidence { rows: 1000, ..SideEvidence::default() };
        let evidence = Evidence { psi, q_value: q, reference: side, current: side, ..Evidence::default() };
        judge(&evidence, &Thresholds::default()).0
    }

    #[test]
    fn every_threshold_is_inclusive() {
        let below = |x: f64| x.next_down();
        let above = |x: f64| x.next_up();
        let cases = [
            (below(0.1), 0.0, Level::Ok),
            (0.1, 0.05, Level::Warning),
            (0.1, above(0.05), Level::Ok),
            (below(0.2), 0.05, Level::Warning),
            (0.2, 0.05, Level::Critical),
            (0.2, above(0.05), Level::Ok),
            (f64::MAX, 1.0, Level::Ok),
            (0.0, 0.0, Level::Ok),
        ];
        for (psi, q, expected) in cases {
            assert_eq!(level(Some(psi), Some(q)), expected, "PSI {psi:e}, q {q:e}");
        }
    }

    #[test]
    fn without_psi_or_q_there_is_no_drift_level() {
        assert_eq!(level(None, Some(0.0)), Level::Ok);
        assert_eq!(level(Some(9.0), None), Level::Ok);
        assert_eq!(level(Some(f64::NAN), Some(0.0)), Level::Ok);
    }

    #[test]
    fn an_effect_of_bins_is_beyond_chance_itself() {
        let of = |effect, psi_q_value| {
            let evidence = Evidence {
                psi: Some(0.3),
                ks_statistic: Some(0.3),
                js_distance: Some(0.3),
                q_value: Some(0.01),
                psi_q_value,
                ..Evidence::default()
            };
            judge(&evidence, &Thresholds { effect, ..Thresholds::default() }).0
        };
        for effect in Effect::ALL {
            // A significant D that PSI does not confirm is worth a word.
            let beyond = if effect == Effect::Ks { Level::Critical } else { Level::Info };
            assert_eq!(of(effect, Some(0.05)), Level::Critical, "{effect:?}");
            assert_eq!(of(effect, Some(0.051)), beyond, "{effect:?}");
            assert_eq!(of(effect, None), Level::Critical, "{effect:?}");
        }
    }

    #[test]
    fn the_reason_carries_the_numbers() {
        let evidence = Evidence { psi: Some(0.3412), q_value: Some(1.23e-40), ..Evidence::default() };
        let (level, reasons) = judge(&evidence, &Thresholds::default());
        assert_eq!(level, Level::Critical);
        assert_eq!(reasons, ["PSI 0.341 ≥ 0.2 with q 1.2e-40"]);
    }

    #[test]
    fn another_effect_decides_where_it_has_a_value_and_psi_elsewhere() {
        let thresholds =
            Thresholds { effect: Effect::Ks, ks: Limits { warning: 0.3, critical: 0.5 }, ..Thresholds::default() };
        let evidence = Evidence { psi: Some(0.9), ks_statistic: Some(0.3), q_value: Some(0.0), ..Evidence::default() };
        assert_eq!(judge(&evidence, &thresholds).0, Level::Warning);
        let categorical = Evidence { ks_statistic: None, ..evidence };
        assert_eq!(judge(&categorical, &thresholds).0, Level::Critical);
    }

    #[test]
    fn levels_are_ordered_and_lower_case() {
        assert!(Level::ALL.is_sorted());
        for level in Level::ALL {
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
        }
    }
}
