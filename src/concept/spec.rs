//! From what was typed, `ddm:warm_start=50:drift_threshold=2.5`, to a detector with checked settings.

use std::fmt;
use std::str::FromStr;

use super::{Card, DETECTORS, Detector, Settings, detector};
use crate::config::did_you_mean;

/// A detector that was asked for, with a value for each of its parameters.
#[derive(Clone, Debug)]
pub struct Spec {
    card: &'static Card,
    settings: Settings,
}

/// A mistake in a detector that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// No detector has this name.
    #[error("there is no detector `{name}`{hint}; `gpudrift concept list` shows all of them")]
    UnknownDetector {
        /// What was typed.
        name: String,
        /// What may have been meant.
        hint: String,
    },
    /// The detector has no such parameter.
    #[error("{detector} has no parameter `{name}`{hint}; it takes {known}")]
    UnknownParameter {
        /// The detector.
        detector: &'static str,
        /// What was typed.
        name: String,
        /// What may have been meant.
        hint: String,
        /// The parameters that it has.
        known: String,
    },
    /// Something stands where `parameter=value` should.
    #[error("`{text}` is not parameter=value; type {detector}:{example}")]
    NoValue {
        /// The detector.
        detector: &'static str,
        /// What was typed.
        text: String,
        /// What could be typed.
        example: String,
    },
    /// A parameter was given twice.
    #[error("{detector} is given {name} twice")]
    Twice {
        /// The detector.
        detector: &'static str,
        /// The parameter.
        name: &'static str,
    },
    /// A value is not in its range.
    #[error("{detector}: {name} is {value}, but must be {range}")]
    Range {
        /// The detector.
        detector: &'static str,
        /// The parameter.
        name: &'static str,
        /// What was typed.
        value: String,
        /// What is allowed.
        range: String,
    },
    /// Values that do not go together.
    #[error("{detector}: {reason}")]
    Together {
        /// The detector.
        detector: &'static str,
        /// Why.
        reason: String,
    },
    /// The same detector with the same settings was asked for twice.
    #[error("{spec} is asked for twice")]
    Repeated {
        /// The detector with its settings.
        spec: String,
    },
}

impl Spec {
    /// The detector with its defaults.
    #[must_use]
    pub fn of(card: &'static Card) -> Self {
        let defaults = card.parameters.iter().map(|parameter| (parameter.name, parameter.default)).collect();
        Self { card, settings: Settings(defaults) }
    }

    /// What is known about the detector.
    #[must_use]
    pub fn card(&self) -> &'static Card {
        self.card
    }

    /// Its settings, all of them.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A detector without any memory.
    #[must_use]
    pub fn build(&self) -> Box<dyn Detector> {
        (self.card.build)(&self.settings)
    }

    /// The same with one parameter changed.
    ///
    /// # Errors
    /// When the detector has no such parameter, or `text` is not in its range.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), SpecError> {
        let detector = self.card.name;
        let names = || self.card.parameters.iter().map(|parameter| parameter.name);
        let Some(at) = names().position(|known| known == name) else {
            return Err(SpecError::UnknownParameter {
                detector,
                name: name.to_owned(),
                hint: did_you_mean(name, names()),
                known: names().collect::<Vec<_>>().join(", "),
            });
        };
        let parameter = &self.card.parameters[at];
        let Some(value) = parameter.range.parse(text) else {
            return Err(SpecError::Range {
                detector,
                name: parameter.name,
                value: text.to_owned(),
                range: parameter.range(),
            });
        };
        self.settings.0[at].1 = value;
        Ok(())
    }
}

/// As it is typed, with the parameters that differ from their default.
impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.card.name)?;
        for (parameter, (name, value)) in self.card.parameters.iter().zip(self.settings.iter()) {
            if parameter.default != value {
                write!(f, ":{name}={value}")?;
            }
        }
        Ok(())
    }
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut parts = text.split(':').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let card = detector(name).ok_or_else(|| SpecError::UnknownDetector {
            name: name.to_owned(),
            hint: did_you_mean(name, DETECTORS.iter().map(|card| card.name)),
        })?;
        let mut spec = Self::of(card);
        let mut given: Vec<&str> = Vec::new();
        for part in parts {
            let (name, value) = part.split_once('=').ok_or_else(|| SpecError::NoValue {
                detector: card.name,
                text: part.to_owned(),
                example: format!("{}={}", card.parameters[0].name, card.parameters[0].default),
            })?;
            let (name, value) = (name.trim(), value.trim());
            spec.set(name, value)?;
            if given.contains(&name) {
                let known = card.parameters.iter().find(|parameter| parameter.name == name);
                return Err(SpecError::Twice { detector: card.name, name: known.map_or("it", |known| known.name) });
            }
            given.push(name);
        }
        (card.check)(&spec.settings).map_err(|reason| SpecError::Together { detector: card.name, reason })?;
        Ok(spec)
    }
}

/// Several detectors as they are typed, `adwin,ddm:warm_start=50`, or `all` of them; none of them twice.
///
/// # Errors
/// When one of them is unknown or has settings that are wrong.
pub fn specs(typed: &[String]) -> Result<Vec<Spec>, SpecError> {
    let mut specs: Vec<Spec> = Vec::new();
    for one in typed.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|one| !one.is_empty()) {
        let asked = if one == "all" { DETECTORS.into_iter().map(Spec::of).collect() } else { vec![one.parse()?] };
        for spec in asked {
            if specs.iter().any(|other| other.to_string() == spec.to_string()) {
                return Err(SpecError::Repeated { spec: spec.to_string() });
            }
            specs.push(spec);
        }
    }
    Ok(specs)
}
