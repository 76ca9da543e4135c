//! From a [`GenerateSpec`] to a list of features: names, distributions and drifts.

use arrow::datatypes::{DataType, TimeUnit};

use super::distribution::{Distribution, Sampler};
use super::drift::{Drift, DriftKind, Value};
use super::error::GenerateError;
use super::feature::{Expected, Feature, Specials};
use super::random::{hash, mix};
use super::spec::GenerateSpec;
use super::types::{Class, class_of, dictionary, limits, ticks_per_day};

/// The features of a store made to measure.
pub(super) fn features(spec: &GenerateSpec) -> Result<Vec<Feature>, GenerateError> {
    let kinds = kinds_of_drift(spec)?;
    let mut turns = Turns::default();
    let mut features = Vec::with_capacity(spec.features);
    for (index, kind) in kinds.into_iter().enumerate() {
        let data_type = spec.types[index % spec.types.len()].clone();
        let class = class_of(&data_type).ok_or_else(|| GenerateError::Unknown {
            what: "type",
            name: data_type.to_string(),
            known: super::types::TYPES.map(|(name, _)| name).join(", "),
        })?;
        let (what, distribution, decimals) = turns.distribution(&data_type, class, kind.is_some());
        let mut feature = Feature::new(name_of(what, index), data_type, distribution);
        feature.decimals = decimals;
        if class == Class::Nested {
            feature.expected = Expected::Skipped;
        }
        feature.specials = Specials { nulls: spec.nulls, ..Specials::default() };
        if feature.data_type.is_floating() {
            feature.specials.nans = spec.nans;
        }
        if let Some(kind) = kind {
            feature.drift = Some(turns.drift(kind, &feature));
            feature.expected = if kind == DriftKind::NullSpike { Expected::Info } else { Expected::Critical };
        }
        features.push(feature);
    }
    Ok(features)
}

/// The kind of drift of every feature. Which ones drift is decided by the seed, how many by the share.
fn kinds_of_drift(spec: &GenerateSpec) -> Result<Vec<Option<DriftKind>>, GenerateError> {
    let possible_for = |index: usize| -> Vec<DriftKind> {
        let class = class_of(&spec.types[index % spec.types.len()]);
        spec.drift.iter().copied().filter(|kind| class.is_some_and(|class| kind.applies_to(class))).collect()
    };
    let wanted = rounded_share(spec.features, spec.drifted);
    let mut order: Vec<usize> = (0..spec.features).filter(|index| !possible_for(*index).is_empty()).collect();
    if wanted > order.len() {
        return Err(GenerateError::TooFewCanDrift {
            wanted,
            possible: order.len(),
            kinds: spec.drift.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "),
        });
    }
    order.sort_by_key(|index| mix(spec.seed ^ hash(&index.to_le_bytes())));
    let mut kinds = vec![None; spec.features];
    // The kind that was used least so far, so that rare types get theirs and every kind has its turn.
    let mut used: Vec<DriftKind> = Vec::with_capacity(wanted);
    for index in order.into_iter().take(wanted) {
        let times = |kind: &DriftKind| used.iter().filter(|other| *other == kind).count();
        let kind = possible_for(index).into_iter().min_by_key(times);
        used.extend(kind);
        kinds[index] = kind;
    }
    Ok(kinds)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a number of features, which stays far below 2^53"
)]
fn rounded_share(number: usize, share: f64) -> usize {
    (number as f64 * share).round() as usize
}

/// Takes the entries of each list in turns, so that a store of some size has seen all of them.
#[derive(Debug, Default)]
struct Turns {
    distributions: [usize; 4],
    drifts: usize,
}

impl Turns {
    /// What the feature is about, its distribution and its decimal places.
    fn distribution(
        &mut self,
        data_type: &DataType,
        class: Class,
        drifts: bool,
    ) -> (&'static str, Distribution, Option<u8>) {
        let list = match class {
            Class::Number | Class::Nested => 0,
            Class::Boolean => 1,
            Class::Time => 2,
            Class::Category => 3,
        };
        let turn = self.distributions[list];
        self.distributions[list] += 1;
        // Rounds through a list differ in scale, so that no two features are copies.
        let size = [1.0, 2.5, 7.0, 20.0][turn / NUMBERS % 4];
        match class {
            Class::Number | Class::Nested => number(turn, size, data_type),
            Class::Boolean => ("is_active", Distribution::Bernoulli { share: [0.5, 0.1, 0.35, 0.02][turn % 4] }, None),
            Class::Time => moment(turn, data_type),
            Class::Category => category(turn, drifts || *data_type == dictionary()),
        }
    }

    fn drift(&mut self, kind: DriftKind, feature: &Feature) -> Drift {
        const UNITS: [(f64, f64); 4] = [(1000.0, 0.0), (1.8, 32.0), (100.0, 0.0), (3600.0, 0.0)];
        self.drifts += 1;
        let sampler = Sampler::new(&feature.distribution);
        let whole = |v: f64| if feature.data_type.is_floating() { v } else { v.round().max(1.0) };
        match kind {
            DriftKind::Shift => Drift::Shift {
                by: match &feature.distribution {
                    Distribution::Bernoulli { share } if *share > 0.5 => -0.3,
                    Distribution::Bernoulli { .. } => 0.3,
                    Distribution::Category { .. } => 1.0,
                    _ => whole(sampler.spread()),
                },
            },
            DriftKind::Scale => Drift::Scale { factor: 3.0 },
            DriftKind::UnitChange => {
                let (factor, offset) = UNITS[self.drifts % UNITS.len()];
                Drift::UnitChange { factor, offset }
            }
            DriftKind::NullSpike => Drift::NullSpike { share: (feature.specials.nulls + 0.4).min(1.0) },
            DriftKind::NewCategory => Drift::NewCategory { label: "unseen".into(), share: 0.1 },
            DriftKind::VanishedCategory => Drift::VanishedCategory { label: label(feature, 0) },
            DriftKind::Constant => Drift::Constant {
                value: match feature.distribution {
                    Distribution::Category { .. } => Value::Label(label(feature, 0)),
                    _ => Value::Number(sampler.value(0.5)),
                },
            },
            DriftKind::Clipping => Drift::Clipping { low: sampler.value(0.25), high: sampler.value(0.75) },
        }
    }
}

/// A name that says what the feature is about and of whom, and is different for every feature.
fn name_of(what: &str, index: usize) -> String {
    const OF: [&str; 8] = ["customer", "account", "order", "session", "merchant", "device", "payment", "shipment"];
    format!("{}_{what}_{index:04}", OF[index % OF.len()])
}

fn label(feature: &Feature, rank: usize) -> String {
    match &feature.distribution {
        Distribution::Category { labels, .. } => labels[rank].clone(),
        _ => String::new(),
    }
}

/// Number of different numeric distributions.
const NUMBERS: usize = 10;

fn number(turn: usize, size: f64, data_type: &DataType) -> (&'static str, Distribution, Option<u8>) {
    use Distribution as D;
    // Types that hold few values get distributions that fit into them.
    let narrow = matches!(data_type, DataType::Int8 | DataType::UInt8) || limits(data_type).1 < 1e4;
    if narrow {
        return match turn % 3 {
            0 => ("visits_7d", D::Poisson { mean: 6.0 + size / 4.0 }, None),
            1 => ("days_inactive", D::Geometric { mean: 9.0 + size / 2.0 }, None),
            _ => ("percent", D::Uniform { low: 0.0, high: 100.0 }, None),
        };
    }
    match turn % NUMBERS {
        0 => ("balance", D::Normal { mean: 1500.0 * size, sd: 400.0 * size }, None),
        1 => ("distance", D::Uniform { low: 0.0, high: 300.0 * size }, None),
        2 => ("amount_30d", D::LogNormal { median: 60.0 * size, sigma: 0.9 }, None),
        3 => ("refunds_30d", D::ZeroInflated { zeros: 0.6, median: 25.0 * size, sigma: 0.7 }, None),
        4 => ("temperature", D::Normal { mean: 19.0, sd: 4.0 }, Some(1)),
        5 => ("response_time", D::Bimodal { first: 20.0, second: 9000.0 * size, sd: 3.0, share: 0.7 }, None),
        6 => ("visits_7d", D::Poisson { mean: 4.0 * size }, None),
        7 => ("delay_minutes", D::Exponential { mean: 12.0 * size }, Some(1)),
        8 => ("loss", D::Pareto { scale: 100.0 * size, alpha: 1.5 }, None),
        _ => ("days_inactive", D::Geometric { mean: 9.0 * size }, None),
    }
}

fn moment(turn: usize, data_type: &DataType) -> (&'static str, Distribution, Option<u8>) {
    use Distribution as D;
    let day = ticks_per_day(data_type);
    // 1 January 2026, in days since 1970.
    const START: f64 = 20_454.0;
    match data_type {
        DataType::Time32(_) | DataType::Time64(_) => {
            ("time_of_day", D::Normal { mean: 0.55 * day, sd: 0.1 * day }, None)
        }
        DataType::Duration(TimeUnit::Second) => ("duration", D::LogNormal { median: 300.0, sigma: 0.8 }, None),
        DataType::Duration(_) => ("duration", D::LogNormal { median: 0.004 * day, sigma: 0.8 }, None),
        _ if turn.is_multiple_of(2) => ("last_seen", D::Uniform { low: START * day, high: (START + 90.0) * day }, None),
        _ => ("created", D::Normal { mean: (START - 400.0) * day, sd: 120.0 * day }, None),
    }
}

fn category(turn: usize, only_categories: bool) -> (&'static str, Distribution, Option<u8>) {
    const COUNTRIES: [&str; 12] = ["DE", "FR", "GB", "IT", "ES", "PL", "NL", "SE", "AT", "BE", "PT", "CZ"];
    const DEVICES: [&str; 5] = ["phone", "desktop", "tablet", "tv", "watch"];
    const PLANS: [&str; 4] = ["free", "basic", "plus", "premium"];
    match turn % 5 {
        0 => ("country", Distribution::zipf(COUNTRIES, 1.0), None),
        1 => ("device", Distribution::zipf(DEVICES, 1.2), None),
        2 => ("plan", Distribution::zipf(PLANS, 0.8), None),
        3 if !only_categories => ("id", Distribution::Ids { prefix: "id-".into(), pool: 1 << 30 }, None),
        _ => ("merchant", Distribution::zipf((1..=200).map(|i| format!("merchant-{i:03}")), 1.1), None),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::generate::drift::DRIFT_KINDS;
    use crate::generate::types::TYPES;

    #[test]
    fn the_share_of_drifted_features_is_met_and_names_differ() {
        let spec = GenerateSpec { features: 200, drifted: 0.15, ..GenerateSpec::default() };
        let features = features(&spec).expect("valid");
        assert_eq!(features.iter().filter(|f| f.drift.is_some()).count(), 30);
        assert_eq!(features.iter().map(|f| &f.name).collect::<HashSet<_>>().len(), 200);
        let kinds: HashSet<_> = features.iter().flat_map(|f| &f.drift).map(|d| d.kind().name()).collect();
        assert_eq!(kinds.len(), DRIFT_KINDS.len(), "{kinds:?}");
    }

    #[test]
    fn every_type_takes_every_drift_that_it_can() {
        for (name, make) in TYPES {
            for (kind_name, kind) in DRIFT_KINDS {
                let spec = GenerateSpec {
                    features: 12,
                    types: vec![make()],
                    drift: vec![kind],
                    drifted: 1.0,
                    ..GenerateSpec::default()
                };
                let class = class_of(&make()).expect("known");
                match features(&spec) {
                    Ok(features) => {
                        assert!(kind.applies_to(class), "{name} {kind_name}");
                        for feature in features {
                            super::super::column::Column::new(&feature, super::super::Side::Current, 1).expect(name);
                        }
                    }
                    Err(error) => {
                        assert!(!kind.applies_to(class), "{name} {kind_name}: {error}");
                        assert!(error.to_string().contains("12 drifted features"), "{error}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_drift_means_no_kinds_needed() {
        let spec = GenerateSpec { drifted: 0.0, drift: vec![], ..GenerateSpec::default() };
        assert!(features(&spec).expect("valid").iter().all(|f| f.drift.is_none()));
    }
}
