//! The demo store: a scan finds what is true about it, and nothing else.

use gpudrift::config::{BackendChoice, ScanConfig};
use gpudrift::progress::NoProgress;
use gpudrift::scan::scan;
use std::path::Path;

#[test]
fn scan_says_of_every_demo_feature_what_is_true() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let side = |side: &str| vec![data.join(side).display().to_string()];
    let config = ScanConfig {
        reference: side("reference"),
        current: side("current"),
        backend: BackendChoice::Cpu,
        ..ScanConfig::default()
    };
    let report = scan(&config, &NoProgress).unwrap();
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(data.join("truth.json")).unwrap()).unwrap();
    let features = truth["features"].as_array().unwrap();
    assert!(features.len() > 50);
    for feature in features {
        let name = feature["name"].as_str().unwrap();
        let found = report.features.iter().find(|found| found.name == name);
        let level = found.map_or("skipped", |found| found.level.name());
        assert_eq!(
            level,
            feature["expected_level"].as_str().unwrap(),
            "{name}: {:?}",
            found.map(|found| &found.reasons)
        );
    }
    assert_eq!(report.summary.features, features.len() as u64);
}
