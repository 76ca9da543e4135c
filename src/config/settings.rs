//! What can be said about one feature: the keys of `[[rule]]` and of `[feature."name"]`.
//!
//! A new setting is one field here, its check in [`Settings::check`], and whoever obeys it.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks::Checks;
use super::choices::ThresholdChoice;
use super::options::Names;
use crate::quality::{Allowed, Declared, Limit, whole_text};
use crate::verdict::{Calibration, Effect, Level, Limits, Thresholds};

/// The other name of `nights` in the schema, which knows no aliases.
fn with_for(schema: &mut schemars::Schema) {
    if let Some(properties) = schema.get_mut("properties").and_then(serde_json::Value::as_object_mut)
        && let Some(nights) = properties.get("nights").cloned()
    {
        properties.insert("for".to_owned(), nights);
    }
}

/// The settings of a feature, and of a rule the same with the pattern that it is about.
macro_rules! settings {
    ($($(#[$meta:meta])* pub $field:ident: Option<$type:ty>,)*) => {
        super::optional::optional! {
            /// What is said about a feature; `None` is what is not said.
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
            #[serde(deny_unknown_fields, default)]
            #[schemars(transform = with_for)]
            pub struct Settings {
                $($(#[$meta])* #[serde(skip_serializing_if = "Option::is_none")] pub $field: Option<$type>,)*
            }
        }

        impl Settings {
            /// Every key, in the order of the documentation.
            pub const KEYS: &[&'static str] = &[$(stringify!($field)),*];
        }

        /// A rule as it is written: one flat table.
        #[derive(Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        #[schemars(rename = "Rule", transform = with_for)]
        struct Written {
            /// The features that the rule is about: a name, a glob, or an array of them.
            #[serde(rename = "match")]
            matches: Names,
            $($(#[$meta])* #[serde(default)] $field: Option<$type>,)*
        }

        impl From<Written> for Rule {
            fn from(written: Written) -> Self {
                Self { matches: written.matches, settings: Settings { $($field: written.$field),* } }
            }
        }
    };
}

/// `[[rule]]`: settings for all features that match a pattern.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(from = "Written")]
pub struct Rule {
    /// Names and globs.
    pub matches: Names,
    /// What holds for them.
    pub settings: Settings,
}

settings! {
    /// Leave the feature out. `false` takes back what a less specific rule, or `[scan] exclude`, says.
    pub exclude: Option<bool>,
    /// Compare an integer feature as categories. `false` takes back what a less specific rule says.
    pub categorical: Option<bool>,
    /// Importance of the feature, from 0: within a level, the report ranks by weight × effect. Default 1.
    pub weight: Option<f64>,

    /// Nights in a row, this one among them, that the feature has to be at a level before it counts as that level; 1 by
    /// default. Also called `for`. Needs a history.
    #[serde(alias = "for")]
    pub nights: Option<u32>,
    /// A level that was reached stays until the effect is below its limit by this share of it, from 0 to 1; 0 by default.
    /// Needs a history.
    pub hysteresis: Option<f64>,
    /// Until this day, included, the feature is INFO at most: no alert, no gate, no retraining. `2026-12-31`.
    pub muted_until: Option<String>,
    /// Why it is muted, for whoever reads the report.
    pub mute_reason: Option<String>,

    /// Smallest value that a number may have, or a date or timestamp: a time in quotes, `"2026-01-31"`,
    /// `"2026-01-31T12:00:00Z"`. One value below it is a finding of `quality_level`.
    pub min: Option<Limit>,
    /// Largest value that a number, a date or a timestamp may have; a day is all of it.
    pub max: Option<Limit>,
    /// The only values that the feature may have: categories, booleans or numbers.
    pub allowed: Option<Vec<Allowed>>,
    /// A regular expression that the whole of a text must match.
    pub pattern: Option<String>,
    /// Whether no row may be null.
    pub not_null: Option<bool>,
    /// Largest share of the rows that may be null, from 0 to 1.
    pub max_null_share: Option<f64>,
    /// Whether no value may occur twice. Counted exactly, which looks at every value of the feature.
    pub unique: Option<bool>,
    /// The level of a feature that breaks one of these rules: `info`, `warning` (default), `critical`.
    pub quality_level: Option<Level>,

    /// The effect size that levels rest on: `psi`, `ks`, `js`.
    pub effect: Option<Effect>,
    /// Highest q-value of a drift.
    pub alpha: Option<f64>,
    /// `fixed` limits (default), or those of PSI `calibrated`: learned from the reference, whatever `effect`, `psi_warning` and
    /// `psi_critical` say.
    pub threshold: Option<ThresholdChoice>,
    /// False alarms a year that calibrated limits allow the feature at WARNING (a tenth of it at CRITICAL); 0.1 by default.
    pub false_alarms_per_year: Option<f64>,
    /// WARNING from this PSI.
    pub psi_warning: Option<f64>,
    /// CRITICAL from this PSI.
    pub psi_critical: Option<f64>,
    /// WARNING from this D, with `effect = "ks"`.
    pub ks_warning: Option<f64>,
    /// CRITICAL from this D, with `effect = "ks"`.
    pub ks_critical: Option<f64>,
    /// WARNING from this JS distance, with `effect = "js"`.
    pub js_warning: Option<f64>,
    /// CRITICAL from this JS distance, with `effect = "js"`.
    pub js_critical: Option<f64>,
    /// INFO from this significant D that PSI does not see.
    pub ks_info: Option<f64>,
    /// INFO from this change of the null or NaN share.
    pub null_info: Option<f64>,
    /// WARNING from this change of the null share.
    pub null_warning: Option<f64>,
    /// CRITICAL from this change of the null share.
    pub null_critical: Option<f64>,
}

impl Settings {
    /// Says what cannot be meant, in whatever order of layers.
    pub(super) fn check(&self, checks: &mut Checks) {
        number(checks, "weight", self.weight);
        let shares = [
            ("alpha", self.alpha),
            ("ks_info", self.ks_info),
            ("null_info", self.null_info),
            ("null_warning", self.null_warning),
            ("null_critical", self.null_critical),
            ("max_null_share", self.max_null_share),
            ("hysteresis", self.hysteresis),
        ];
        for (key, value) in shares {
            let ok = value.is_none_or(|share| (0.0..=1.0).contains(&share));
            checks.value(key, value.unwrap_or(0.0), ok, "must be from 0 to 1");
        }
        let limits = [
            ("psi_warning", self.psi_warning, "psi_critical", self.psi_critical),
            ("ks_warning", self.ks_warning, "ks_critical", self.ks_critical),
            ("js_warning", self.js_warning, "js_critical", self.js_critical),
            ("null_warning", self.null_warning, "null_critical", self.null_critical),
        ];
        self.check_declared(checks);
        if let Some(rate) = self.false_alarms_per_year {
            checks.value("false_alarms_per_year", rate, is_rate(rate), RATE);
        }
        if let Some(nights) = self.nights.filter(|nights| !(1..=365).contains(nights)) {
            checks.wrong("nights", format!("nights is {nights}, but must be from 1 to 365"));
        }
        if let Some(text) = self.muted_until.as_ref().filter(|_| self.muted_until().is_none()) {
            checks.wrong("muted_until", format!("muted_until is {text}, but must be a day like 2026-12-31"));
        }
        for (lower, warning, upper, critical) in limits {
            number(checks, lower, warning);
            number(checks, upper, critical);
            if let (Some(warning), Some(critical)) = (warning, critical)
                && critical < warning
            {
                checks.wrong(upper, format!("{upper} is {critical}, but must not be below {lower}, {warning}"));
            }
        }
    }

    /// The same of what is declared of values.
    fn check_declared(&self, checks: &mut Checks) {
        for (key, limit) in [("min", &self.min), ("max", &self.max)] {
            let Some(limit) = limit else { continue };
            let expected = "must be a finite number, or a time like 2026-01-31 or 2026-01-31T12:00:00Z";
            checks.value(key, limit, limit.is_meant(), expected);
        }
        if let (Some(min), Some(max)) = (&self.min, &self.max)
            && min.is_meant()
            && max.is_meant()
        {
            match min.is_above(max) {
                Some(false) => {}
                Some(true) => checks.wrong("max", format!("max is {max}, but must not be below min, {min}")),
                None => {
                    checks.wrong("max", format!("max is {max}, and min is {min}: one is a number, the other a time"))
                }
            }
        }
        if self.allowed.as_ref().is_some_and(Vec::is_empty) {
            checks.wrong("allowed", "allowed is empty, but must name a value");
        }
        if let Some(Err(error)) = self.pattern.as_deref().map(whole_text) {
            checks.wrong("pattern", format!("pattern is no regular expression: {error}"));
        }
        if self.quality_level == Some(Level::Ok) {
            checks.wrong("quality_level", "quality_level is ok, but must be info, warning or critical");
        }
    }

    /// What is declared of the values of a feature with these settings; `None` where nothing is.
    #[must_use]
    pub fn declared(&self) -> Option<Declared> {
        let declared = Declared {
            level: self.quality_level.unwrap_or(Level::Warning),
            min: self.min.clone(),
            max: self.max.clone(),
            allowed: self.allowed.clone(),
            // A wrong one was an error before the work started.
            pattern: self.pattern.as_deref().and_then(|pattern| whole_text(pattern).ok()),
            max_null_share: if self.not_null == Some(true) { Some(0.0) } else { self.max_null_share },
            unique: self.unique == Some(true),
        };
        let Declared { min, max, max_null_share, unique, .. } = &declared;
        let said = min.is_some() || max.is_some() || max_null_share.is_some() || *unique || declared.is_about_names();
        said.then_some(declared)
    }

    /// The last day on which the feature is muted.
    #[must_use]
    pub fn muted_until(&self) -> Option<Date> {
        self.muted_until.as_deref().and_then(|day| day.parse().ok())
    }

    /// Whether levels rest on the nights before.
    #[must_use]
    pub fn looks_back(&self) -> bool {
        self.nights.is_some_and(|nights| nights > 1) || self.hysteresis.is_some_and(|share| share > 0.0)
    }

    /// The thresholds of a feature with these settings, where `base` are those of the run.
    #[must_use]
    pub fn thresholds(&self, base: &Thresholds) -> Thresholds {
        let calibrated = match self.threshold {
            Some(choice) => choice == ThresholdChoice::Calibrated,
            None => base.calibration.calibrated,
        };
        Thresholds {
            effect: if calibrated { Effect::Psi } else { self.effect.unwrap_or(base.effect) },
            calibration: Calibration {
                calibrated,
                false_alarms_per_year: self.false_alarms_per_year.unwrap_or(base.calibration.false_alarms_per_year),
                ..base.calibration
            },
            psi: pair(self.psi_warning, self.psi_critical, base.psi),
            ks: pair(self.ks_warning, self.ks_critical, base.ks),
            js: pair(self.js_warning, self.js_critical, base.js),
            q: self.alpha.unwrap_or(base.q),
            null_share: self.null_info.unwrap_or(base.null_share),
            null_share_warning: self.null_warning.or(base.null_share_warning),
            null_share_critical: self.null_critical.or(base.null_share_critical),
            ks_info: self.ks_info.unwrap_or(base.ks_info),
        }
    }

    /// Values of several layers that contradict each other, though each layer alone is right.
    pub(super) fn conflict(&self) -> Option<(&'static str, &'static str)> {
        let mut checks = Checks::default();
        self.check(&mut checks);
        let pairs = [
            ("psi_warning", "psi_critical"),
            ("ks_warning", "ks_critical"),
            ("js_warning", "js_critical"),
            ("null_warning", "null_critical"),
            ("min", "max"),
        ];
        let wrong = checks.found();
        let key = wrong.first()?.key.first()?;
        pairs.into_iter().find(|(_, upper)| upper == key)
    }
}

/// What a rate of false alarms may be.
pub(super) const RATE: &str = "must be a number above 0 and at most 365";

pub(super) fn is_rate(rate: f64) -> bool {
    rate > 0.0 && rate <= 365.0
}

fn number(checks: &mut Checks, key: &str, value: Option<f64>) {
    let ok = value.is_none_or(|value| (0.0..=f64::MAX).contains(&value));
    checks.value(key, value.unwrap_or(0.0), ok, "must be a number from 0");
}

/// Two limits; moving only one of them beyond the other's default takes that along.
pub(super) fn pair(warning: Option<f64>, critical: Option<f64>, default: Limits) -> Limits {
    let warning = warning.unwrap_or(critical.map_or(default.warning, |critical| critical.min(default.warning)));
    Limits { warning, critical: critical.unwrap_or(default.critical.max(warning)) }
}
