//! Made-up nights: reports with the levels that a test wants.

use gpudrift::history::{RunIdentity, RunLabel};
use gpudrift::report::{Report, Run, SkipCause, Skipped};
use serde_json::json;

/// A report with these features and levels; `skipped` marks one that could not be read.
pub(crate) fn report(features: &[(&str, &str)]) -> Report {
    let feature = |(name, level): (&str, &str)| {
        let psi = match level {
            "critical" => 0.5,
            "warning" => 0.15,
            _ => 0.01,
        };
        let side = |mean: f64, nulls: u64| {
            let quantiles: serde_json::Map<_, _> =
                ["0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99"]
                    .map(|level| (level.to_owned(), json!(mean)))
                    .into_iter()
                    .collect();
            json!({
                "rows": 1000, "nulls": nulls, "nans": 0, "infinite": 0, "distinct": 900, "distinct_estimated": false,
                "min": 0.5, "max": 99.5, "mean": mean, "std": 2.5, "zeros": 1, "outliers": 2, "extreme_outliers": 0,
                "quantiles": quantiles,
            })
        };
        let reasons = if level == "ok" { json!([]) } else { json!([format!("PSI {psi} ≥ 0.1 with q 1e-9")]) };
        let mut feature = json!({
            "name": name, "type": "float64", "kind": "numeric", "level": level, "reasons": reasons,
            "metrics": { "psi": psi, "ks_statistic": psi / 2.0, "ks_p_value": 1e-10, "ks_q_value": 1e-9, "ks_method": "asymp" },
            "reference": side(10.0, 0), "current": side(10.0 + psi, 20),
            "psi_bins": { "edges": [5.0], "reference": [500, 500], "current": [400, 580] },
            "change": {
                "null_share_change": 0.0, "nan_share_change": 0.0, "infinite_share_change": 0.0, "mean_shift": 0.0,
                "std_ratio": 1.0, "zero_share_change": 0.0, "outlier_share_change": 0.0,
                "extreme_outlier_share_change": 0.0,
            },
        });
        // What follows from the two sides is as the program computes it.
        let typed: gpudrift::report::FeatureReport = serde_json::from_value(feature.clone()).unwrap();
        feature["change"] =
            serde_json::to_value(gpudrift::report::Change::between(&typed.reference, &typed.current)).unwrap();
        serde_json::from_value(feature).unwrap()
    };
    let (skipped, scanned): (Vec<_>, Vec<_>) = features.iter().copied().partition(|(_, level)| *level == "skipped");
    let skipped = skipped.into_iter().map(|(name, _)| Skipped {
        name: name.to_owned(),
        reason: "its page is corrupt".to_owned(),
        cause: SkipCause::Unreadable,
        named: false,
    });
    let mut run = Run::start(gpudrift::config::ScanConfig::default());
    run.current.paths = vec!["data/current".to_owned()];
    run.reference.paths = vec!["data/reference".to_owned()];
    Report::new(run, scanned.into_iter().map(feature).collect(), skipped.collect())
}

/// The run of a night of November 2026.
pub(crate) fn night(report: &Report, day: u32) -> RunIdentity {
    let as_of = Some(format!("2026-11-{day:02}").parse().unwrap());
    RunIdentity::of(report, &RunLabel { as_of, ..RunLabel::default() })
}

/// Ends this process the hard way, as a power cut or the kernel would.
pub(crate) fn die() -> ! {
    let _ = std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
}
