//! Drift: what becomes of a feature in current.

use serde::Serialize;

use super::distribution::Distribution;
use super::feature::Specials;
use super::types::Class;

/// A change that current shows against the reference.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Drift {
    /// Numbers move up by `by`. The share of true booleans rises by it; categories pass their shares on to the category
    /// that many ranks later.
    Shift {
        /// How far.
        by: f64,
    },
    /// Numbers are multiplied by `factor`.
    Scale {
        /// By how much.
        factor: f64,
    },
    /// Somebody changed the unit: numbers become `factor * x + offset` (grams for kilograms, Fahrenheit for Celsius).
    UnitChange {
        /// New units in an old one.
        factor: f64,
        /// Where the old zero lies.
        offset: f64,
    },
    /// Values go missing.
    NullSpike {
        /// Share of nulls in current.
        share: f64,
    },
    /// A category that the reference never saw.
    NewCategory {
        /// Its name.
        label: String,
        /// Its share in current.
        share: f64,
    },
    /// A category of the reference that current no longer has.
    VanishedCategory {
        /// Its name.
        label: String,
    },
    /// A stuck sensor: every row has the same value.
    Constant {
        /// That value.
        value: Value,
    },
    /// Saturation: what lies outside is moved to the nearer limit.
    Clipping {
        /// Lower limit.
        low: f64,
        /// Upper limit.
        high: f64,
    },
}

/// A number or a category.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A number; temporal values in their own unit.
    Number(f64),
    /// Name of a category.
    Label(String),
}

/// The kinds of [`Drift`], as they are named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "one a variant of Drift, where they are described")]
pub enum DriftKind {
    Shift,
    Scale,
    UnitChange,
    NullSpike,
    NewCategory,
    VanishedCategory,
    Constant,
    Clipping,
}

/// Every kind of drift with its name.
pub const DRIFT_KINDS: [(&str, DriftKind); 8] = [
    ("shift", DriftKind::Shift),
    ("scale", DriftKind::Scale),
    ("unit-change", DriftKind::UnitChange),
    ("null-spike", DriftKind::NullSpike),
    ("new-category", DriftKind::NewCategory),
    ("vanished-category", DriftKind::VanishedCategory),
    ("constant", DriftKind::Constant),
    ("clipping", DriftKind::Clipping),
];

impl DriftKind {
    /// The kind with the given name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        DRIFT_KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        DRIFT_KINDS.iter().find(|(_, kind)| *kind == self).expect("the list holds every kind").0
    }

    /// Whether a column of this class can drift so.
    pub(super) fn applies_to(self, class: Class) -> bool {
        match self {
            Self::NullSpike | Self::Constant => class != Class::Nested,
            Self::Shift => class != Class::Nested,
            Self::Scale | Self::UnitChange => class == Class::Number,
            Self::Clipping => matches!(class, Class::Number | Class::Time),
            Self::NewCategory | Self::VanishedCategory => class == Class::Category,
        }
    }
}

impl Drift {
    /// Which kind it is.
    #[must_use]
    pub fn kind(&self) -> DriftKind {
        match self {
            Self::Shift { .. } => DriftKind::Shift,
            Self::Scale { .. } => DriftKind::Scale,
            Self::UnitChange { .. } => DriftKind::UnitChange,
            Self::NullSpike { .. } => DriftKind::NullSpike,
            Self::NewCategory { .. } => DriftKind::NewCategory,
            Self::VanishedCategory { .. } => DriftKind::VanishedCategory,
            Self::Constant { .. } => DriftKind::Constant,
            Self::Clipping { .. } => DriftKind::Clipping,
        }
    }

    /// What becomes of one number. Whatever acts on the whole distribution leaves it alone.
    #[must_use]
    #[inline]
    pub fn number(&self, value: f64) -> f64 {
        match self {
            Self::Shift { by } => value + by,
            Self::Scale { factor } => value * factor,
            Self::UnitChange { factor, offset } => value * factor + offset,
            Self::Clipping { low, high } => value.max(*low).min(*high),
            Self::Constant { value: Value::Number(constant) } => *constant,
            _ => value,
        }
    }

    /// What becomes of the distribution. Says what is wrong when it cannot drift so.
    pub(super) fn distribution(&self, before: &Distribution) -> Result<Distribution, String> {
        match (before, self) {
            (_, Self::NullSpike { .. }) => Ok(before.clone()),
            (Distribution::Bernoulli { share }, Self::Shift { by }) => {
                Ok(Distribution::Bernoulli { share: (share + by).clamp(0.0, 1.0) })
            }
            (Distribution::Category { labels, shares }, _) => self.categories(labels.clone(), shares.clone()),
            (_, Self::Constant { value: Value::Number(_) }) if !before.is_category() => Ok(before.clone()),
            (Distribution::Ids { .. }, _) => Err("identifiers can only go missing (null spike)".into()),
            (
                _,
                Self::NewCategory { .. } | Self::VanishedCategory { .. } | Self::Constant { value: Value::Label(_) },
            ) => Err("only categories have labels".into()),
            _ => Ok(before.clone()),
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of ranks; saturates")]
    fn categories(&self, mut labels: Vec<String>, mut shares: Vec<f64>) -> Result<Distribution, String> {
        let position = |label: &String| {
            labels.iter().position(|known| known == label).ok_or_else(|| format!("has no category `{label}`"))
        };
        match self {
            Self::Shift { by } => {
                let ranks = *by as usize % shares.len().max(1);
                shares.rotate_right(ranks);
            }
            Self::NewCategory { label, share } => {
                if position(label).is_ok() {
                    return Err(format!("already has the new category `{label}`"));
                }
                shares.iter_mut().for_each(|s| *s *= 1.0 - share);
                labels.push(label.clone());
                shares.push(*share);
            }
            Self::VanishedCategory { label } => {
                let at = position(label)?;
                if labels.len() == 1 {
                    return Err(format!("`{label}` is its only category and cannot vanish"));
                }
                labels.remove(at);
                let left = 1.0 - shares.remove(at);
                shares.iter_mut().for_each(|s| *s /= left);
            }
            Self::Constant { value: Value::Label(label) } => {
                let at = position(label)?;
                shares.iter_mut().enumerate().for_each(|(i, s)| *s = if i == at { 1.0 } else { 0.0 });
            }
            _ => return Err(format!("categories have no {}", self.kind().name())),
        }
        Ok(Distribution::Category { labels, shares })
    }

    /// The special values of current. Of the rows that a null spike leaves, as many are NaN or infinite as before.
    #[must_use]
    pub fn specials(&self, before: Specials) -> Specials {
        let Self::NullSpike { share } = self else { return before };
        let left = if before.nulls < 1.0 { (1.0 - share) / (1.0 - before.nulls) } else { 0.0 };
        Specials {
            nulls: *share,
            nans: before.nans * left,
            infinities: before.infinities * left,
            negative_infinities: before.negative_infinities * left,
            negative_zeros: before.negative_zeros * left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares_after(drift: &Drift) -> Result<Vec<(String, f64)>, String> {
        match drift.distribution(&Distribution::zipf(["a", "b", "c"], 1.0))? {
            Distribution::Category { labels, shares } => Ok(labels.into_iter().zip(shares).collect()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn categories_keep_adding_up_to_one() {
        for drift in [
            Drift::Shift { by: 1.0 },
            Drift::NewCategory { label: "d".into(), share: 0.1 },
            Drift::VanishedCategory { label: "b".into() },
            Drift::Constant { value: Value::Label("c".into()) },
        ] {
            let after = shares_after(&drift).expect("it applies");
            assert!((after.iter().map(|(_, s)| s).sum::<f64>() - 1.0).abs() < 1e-12, "{drift:?}");
        }
    }

    #[test]
    fn categories_move_as_said() {
        let before: Vec<f64> = [6.0, 3.0, 2.0].iter().map(|s| s / 11.0).collect();
        let after = shares_after(&Drift::Shift { by: 1.0 }).expect("it applies");
        assert!((after[1].1 - before[0]).abs() < 1e-12 && (after[0].1 - before[2]).abs() < 1e-12);
        let after = shares_after(&Drift::NewCategory { label: "d".into(), share: 0.1 }).expect("it applies");
        assert_eq!(after[3], ("d".into(), 0.1));
        let after = shares_after(&Drift::VanishedCategory { label: "b".into() }).expect("it applies");
        assert_eq!(after.len(), 2);
    }

    #[test]
    fn impossible_drifts_say_why() {
        assert!(shares_after(&Drift::VanishedCategory { label: "x".into() }).unwrap_err().contains("`x`"));
        assert!(shares_after(&Drift::NewCategory { label: "a".into(), share: 0.1 }).is_err());
        assert!(shares_after(&Drift::Scale { factor: 2.0 }).is_err());
        let numbers = Distribution::Normal { mean: 0.0, sd: 1.0 };
        assert!(Drift::NewCategory { label: "a".into(), share: 0.1 }.distribution(&numbers).is_err());
    }

    #[test]
    fn numbers_move_as_said() {
        assert_eq!(Drift::UnitChange { factor: 1.8, offset: 32.0 }.number(100.0), 212.0);
        assert_eq!(Drift::Clipping { low: 0.0, high: 1.0 }.number(7.0), 1.0);
        assert_eq!(Drift::Constant { value: Value::Number(3.0) }.number(7.0), 3.0);
        assert_eq!(Drift::Shift { by: 2.0 }.number(7.0), 9.0);
    }

    #[test]
    fn a_null_spike_leaves_room_for_the_other_special_values() {
        let before = Specials { nulls: 0.5, nans: 0.4, infinities: 0.1, ..Specials::default() };
        let after = Drift::NullSpike { share: 0.9 }.specials(before);
        assert!((after.shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((after.nans - 0.08).abs() < 1e-12);
        let all = Specials { nulls: 1.0, ..Specials::default() };
        assert_eq!(Drift::NullSpike { share: 1.0 }.specials(all), all);
    }

    #[test]
    fn every_kind_has_one_name() {
        for (name, kind) in DRIFT_KINDS {
            assert_eq!((kind.name(), DriftKind::named(name)), (name, Some(kind)));
        }
        assert_eq!(DriftKind::named("nope"), None);
    }
}
