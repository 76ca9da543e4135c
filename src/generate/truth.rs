//! `truth.json`: what is true about each feature, for tests and for people who want to check a scan.

use serde::Serialize;

use super::distribution::Distribution;
use super::drift::Drift;
use super::feature::{Expected, Feature, Presence, Specials};
use super::write::{Layout, PARTITION_COLUMN, PARTITIONS, Store};

#[derive(Serialize)]
struct Truth<'a> {
    seed: u64,
    reference_rows: u64,
    current_rows: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<Partition>,
    features: Vec<FeatureTruth<'a>>,
}

#[derive(Serialize)]
struct FeatureTruth<'a> {
    name: &'a str,
    #[serde(rename = "type")]
    data_type: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_type: Option<String>,
    presence: Presence,
    distribution: &'a Distribution,
    #[serde(skip_serializing_if = "Option::is_none")]
    decimals: Option<u8>,
    #[serde(skip_serializing_if = "Specials::is_empty")]
    specials: Specials,
    drift: Option<&'a Drift>,
    expected_level: Expected,
}

/// The column that stands in the folders' names only; it does not drift.
#[derive(Serialize)]
struct Partition {
    name: &'static str,
    values: [&'static str; PARTITIONS.len()],
}

/// The text of `truth.json`.
pub(super) fn json(store: &Store) -> String {
    let truth = Truth {
        seed: store.seed,
        reference_rows: store.reference_rows,
        current_rows: store.current_rows,
        partition: (store.format.layout == Layout::Hive)
            .then(|| Partition { name: PARTITION_COLUMN, values: PARTITIONS.map(|(value, _)| value) }),
        features: store.features.iter().map(feature).collect(),
    };
    let mut text = serde_json::to_string_pretty(&truth).expect("strings and numbers can be printed");
    text.push('\n');
    text
}

fn feature(feature: &Feature) -> FeatureTruth<'_> {
    FeatureTruth {
        name: &feature.name,
        data_type: feature.data_type.to_string(),
        current_type: feature.current_type.as_ref().map(ToString::to_string),
        presence: feature.presence,
        distribution: &feature.distribution,
        decimals: feature.decimals,
        specials: feature.specials,
        drift: feature.drift.as_ref(),
        expected_level: feature.expected,
    }
}
