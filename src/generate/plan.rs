//! From a [`GenerateSpec`] to a list of features: names, distributions and drifts.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, TimeUnit};

use super::distribution::Distribution;
use super::drift::{DriftKind, Swapped};
use super::error::GenerateError;
use super::feature::{Expected, Feature, Specials};
use super::random::{hash, mix};
use super::spec::GenerateSpec;
use super::types::{Class, class_of, dictionary, limits, ticks_per_day};

/// The features of a store made to measure.
pub(super) fn features(spec: &GenerateSpec) -> Result<Vec<Feature>, GenerateError> {
    let planned = kinds_of_drift(spec)?;
    let mut turns = Turns::default();
    let mut features: Vec<Feature> = Vec::with_capacity(spec.features);
    for (index, drift) in planned.iter().enumerate() {
        let data_type = spec.types[index % spec.types.len()].clone();
        let class = class_of(&data_type).ok_or_else(|| GenerateError::Unknown {
            what: "type",
            name: data_type.to_string(),
            known: super::types::TYPES.map(|(name, _)| name).join(", "),
        })?;
        // Two that change places must differ in what they are about.
        let other = drift.as_ref().and_then(|drift| drift.partner).and_then(|partner| features.get(partner));
        let unlike = other.map(|other| other.distribution.clone());
        let (what, distribution, decimals) = turns.distribution(&data_type, class, drift.as_ref(), unlike.as_ref());
        let mut feature = Feature::new(name_of(what, index), data_type, distribution);
        feature.decimals = decimals;
        if class == Class::Nested {
            feature.expected = Expected::Skipped;
        }
        feature.specials = Specials { nulls: spec.nulls, ..Specials::default() };
        if feature.data_type.is_floating() {
            feature.specials.nans = spec.nans;
        }
        features.push(feature);
    }
    let names: Vec<String> = features.iter().map(|feature| feature.name.clone()).collect();
    for (feature, planned) in features.iter_mut().zip(planned) {
        let Some(Planned { kind, turn, partner }) = planned else { continue };
        let drift = match partner {
            Some(partner) => Swapped { with: names[partner].clone() }.into(),
            None => kind.planned(feature, turn, spec.drift_size),
        };
        feature.expected = drift.expected(feature);
        feature.drift = Some(drift);
    }
    Ok(features)
}

/// The drift that a feature is to have.
#[derive(Clone, Copy, Debug)]
struct Planned {
    kind: DriftKind,
    /// How many have the kind already.
    turn: usize,
    /// The feature that it changes places with.
    partner: Option<usize>,
}

/// The drift of every feature. Which ones drift is decided by the seed, how many by the share.
fn kinds_of_drift(spec: &GenerateSpec) -> Result<Vec<Option<Planned>>, GenerateError> {
    let type_of = |index: usize| &spec.types[index % spec.types.len()];
    let possible_for = |index: usize| -> Vec<DriftKind> {
        spec.drift.iter().copied().filter(|kind| kind.takes(type_of(index))).collect()
    };
    let wanted = rounded_share(spec.features, spec.drifted);
    let mut order: Vec<usize> = (0..spec.features).filter(|index| !possible_for(*index).is_empty()).collect();
    let too_few = |possible: usize| GenerateError::TooFewCanDrift {
        wanted,
        possible,
        kinds: spec.drift.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", "),
    };
    if wanted > order.len() {
        return Err(too_few(order.len()));
    }
    order.sort_by_key(|index| mix(spec.seed ^ hash(&index.to_le_bytes())));
    let mut planned: Vec<Option<Planned>> = vec![None; spec.features];
    // The kind that was used least so far, so that rare types get theirs and every kind has its turn.
    let mut used: BTreeMap<DriftKind, usize> = BTreeMap::new();
    let mut left = wanted;
    for (at, &index) in order.iter().enumerate() {
        if left == 0 {
            break;
        }
        if planned[index].is_some() {
            continue;
        }
        let is_free = |other: &usize| planned[*other].is_none() && type_of(*other) == type_of(index);
        let partner = order[at + 1..].iter().copied().find(is_free).filter(|_| left >= 2);
        let times = |kind: &DriftKind| used.get(kind).copied().unwrap_or(0);
        let mut possible = possible_for(index);
        possible.retain(|kind| *kind != DriftKind::Swapped || partner.is_some());
        let Some(kind) = possible.into_iter().min_by_key(times) else { continue };
        let turn = times(&kind);
        let partner = partner.filter(|_| kind == DriftKind::Swapped);
        planned[index] = Some(Planned { kind, turn, partner });
        if let Some(partner) = partner {
            planned[partner] = Some(Planned { kind, turn, partner: Some(index) });
        }
        let made = 1 + usize::from(partner.is_some());
        *used.entry(kind).or_default() += made;
        left -= made;
    }
    if left > 0 {
        return Err(too_few(wanted - left));
    }
    Ok(planned)
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

/// What a feature is about, its distribution and its decimal places.
type About = (&'static str, Distribution, Option<u8>);

/// Takes the entries of each list in turns, so that a store of some size has seen all of them.
#[derive(Debug, Default)]
struct Turns {
    distributions: [usize; 4],
}

impl Turns {
    /// The next distribution on which the drift shows as what it is; the next one at all where none does.
    fn distribution(
        &mut self,
        data_type: &DataType,
        class: Class,
        drift: Option<&Planned>,
        unlike: Option<&Distribution>,
    ) -> About {
        let shown = drift.and_then(|drift| drift.kind.shown_by(data_type, drift.turn));
        if let Some((what, distribution)) = shown {
            return (what, distribution, None);
        }
        let next = self.next(data_type, class, drift.is_some());
        let mut tried = next.clone();
        for _ in 0..NUMBERS {
            let (_, distribution, decimals) = &tried;
            let mut feature = Feature::new("", data_type.clone(), distribution.clone());
            feature.decimals = *decimals;
            let suits = drift.is_none_or(|drift| drift.kind.suits(&feature));
            if suits && unlike != Some(distribution) {
                return tried;
            }
            tried = self.next(data_type, class, drift.is_some());
        }
        next
    }

    fn next(&mut self, data_type: &DataType, class: Class, drifts: bool) -> About {
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
}

/// A name that says what the feature is about and of whom, and is different for every feature.
fn name_of(what: &str, index: usize) -> String {
    const OF: [&str; 8] = ["customer", "account", "order", "session", "merchant", "device", "payment", "shipment"];
    format!("{}_{what}_{index:04}", OF[index % OF.len()])
}

/// Number of different numeric distributions.
const NUMBERS: usize = 10;

fn number(turn: usize, size: f64, data_type: &DataType) -> About {
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

fn moment(turn: usize, data_type: &DataType) -> About {
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

fn category(turn: usize, only_categories: bool) -> About {
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
        let mut spec = GenerateSpec { features: 200, drifted: 0.3, ..GenerateSpec::default() };
        spec.types.push(DataType::Timestamp(TimeUnit::Millisecond, None));
        let features = features(&spec).expect("valid");
        assert_eq!(features.iter().filter(|f| f.drift.is_some()).count(), 60);
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
                match features(&spec) {
                    Ok(features) => {
                        assert!(kind.takes(&make()), "{name} {kind_name}");
                        for feature in features {
                            super::super::column::Column::new(&feature, super::super::Side::Current, 1).expect(name);
                        }
                    }
                    Err(error) => {
                        assert!(!kind.takes(&make()), "{name} {kind_name}: {error}");
                        assert!(error.to_string().contains("12 drifted features"), "{error}");
                    }
                }
            }
        }
    }

    #[test]
    fn features_change_places_in_pairs_of_one_type_that_differ() {
        let spec =
            GenerateSpec { features: 60, drifted: 0.5, drift: vec![DriftKind::Swapped], ..GenerateSpec::default() };
        let features = features(&spec).expect("valid");
        let named = |name: &str| features.iter().find(|feature| feature.name == name).expect("it is there");
        let drifted: Vec<&Feature> = features.iter().filter(|feature| feature.drift.is_some()).collect();
        assert_eq!(drifted.len(), 30);
        for feature in drifted {
            let other = named(feature.drift.as_ref().and_then(|drift| drift.partner()).expect("a partner"));
            assert_eq!(other.drift.as_ref().and_then(|drift| drift.partner()), Some(feature.name.as_str()));
            assert_eq!(other.data_type, feature.data_type);
            assert_ne!(other.distribution, feature.distribution);
        }
        let alone =
            GenerateSpec { features: 1, drifted: 1.0, drift: vec![DriftKind::Swapped], ..GenerateSpec::default() };
        assert!(super::features(&alone).unwrap_err().to_string().contains("only 0"));
    }

    #[test]
    fn no_drift_means_no_kinds_needed() {
        let spec = GenerateSpec { drifted: 0.0, drift: vec![], ..GenerateSpec::default() };
        assert!(features(&spec).expect("valid").iter().all(|f| f.drift.is_none()));
    }
}
