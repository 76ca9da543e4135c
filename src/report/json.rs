//! The JSON contract. One line a feature, so that two reports can be compared line by line.

use std::io::{self, Write};

use serde::Serialize;

use super::{Report, Sink, SinkOptions};

/// The whole report as one JSON object.
pub(super) struct Json;

impl Sink for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn about(&self) -> &'static str {
        "one object, for programs: everything that is known"
    }

    fn joint(&self) -> Option<[&'static str; 3]> {
        Some(["[", ",\n", "]\n"])
    }

    fn write(&self, report: &Report, _: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        let Report { schema_version, run, summary, features, skipped, incidents, findings, comparisons, models } =
            report;
        write!(out, "{{\"schema_version\":{schema_version},\n\"run\":")?;
        value(out, run)?;
        out.write_all(b",\n\"summary\":")?;
        value(out, summary)?;
        out.write_all(b",\n\"features\":")?;
        lines(out, features)?;
        out.write_all(b",\n\"skipped\":")?;
        lines(out, skipped)?;
        out.write_all(b",\n\"incidents\":")?;
        lines(out, incidents)?;
        out.write_all(b",\n\"findings\":")?;
        lines(out, findings)?;
        if !comparisons.is_empty() {
            out.write_all(b",\n\"comparisons\":")?;
            lines(out, comparisons)?;
        }
        if !models.is_empty() {
            out.write_all(b",\n\"models\":")?;
            lines(out, models)?;
        }
        out.write_all(b"}\n")
    }
}

/// An array with one element a line.
fn lines<T: Serialize>(out: &mut dyn Write, elements: &[T]) -> io::Result<()> {
    for (index, element) in elements.iter().enumerate() {
        out.write_all(if index == 0 { b"[\n" } else { b",\n" })?;
        value(out, element)?;
    }
    out.write_all(if elements.is_empty() { b"[]" } else { b"\n]" })
}

/// One value without spaces. Errors of the writer keep their kind.
pub(super) fn value<T: Serialize>(out: &mut dyn Write, value: &T) -> io::Result<()> {
    serde_json::to_writer(out, value).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{MetricValue, samples};
    use serde_json::{Value, json};

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        Json.write(report, &SinkOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn parsed(report: &Report) -> Value {
        serde_json::from_str(&written(report)).unwrap()
    }

    fn keys(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }

    fn feature<'v>(report: &'v Value, name: &str) -> &'v Value {
        report["features"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap()
    }

    #[test]
    fn the_text_is_the_report() {
        for report in [samples::report(), samples::empty()] {
            assert_eq!(serde_json::from_str::<Report>(&written(&report)).unwrap(), report);
        }
    }

    #[test]
    fn the_top_level_is_as_agreed() {
        let report = parsed(&samples::report());
        assert_eq!(keys(&report), ["features", "findings", "incidents", "run", "schema_version", "skipped", "summary"]);
        assert_eq!(report["schema_version"], 1);
        assert_eq!(keys(&report["summary"]), ["critical", "features", "info", "ok", "scanned", "skipped", "warning"]);
        for key in [
            "backend",
            "device",
            "version",
            "reference",
            "current",
            "config",
            "started_at",
            "duration_seconds",
            "timings",
            "warnings",
        ] {
            assert!(report["run"].get(key).is_some(), "run.{key}");
        }
        assert_eq!(report["run"]["reference"]["rows"], 100_000);
        assert_eq!(report["run"]["config"]["psi_floor"], 0.001);
        let skipped = &report["skipped"][0];
        assert!(skipped["name"].is_string() && skipped["reason"].is_string());
    }

    #[test]
    fn a_numeric_feature_is_as_agreed() {
        let report = parsed(&samples::report());
        let feature = feature(&report, "customer_stats:amount_mean_90d");
        assert_eq!(
            (&feature["type"], &feature["kind"], &feature["level"]),
            (&json!("float64"), &json!("numeric"), &json!("critical"))
        );
        assert_eq!(feature["reasons"], json!(["PSI 0.512 ≥ 0.2 with q 1.2e-40"]));
        for side in ["reference", "current"] {
            for key in
                ["rows", "nulls", "nans", "infinite", "distinct", "min", "max", "mean", "std", "zeros", "quantiles"]
            {
                assert!(feature[side].get(key).is_some(), "{side}.{key}");
            }
        }
        let quantiles = feature["reference"]["quantiles"].as_object().unwrap();
        assert_eq!(quantiles.len(), 9);
        assert!(quantiles.contains_key("0.01") && quantiles.contains_key("0.99"));
        assert_eq!(feature["metrics"]["psi"], 0.512);
        assert_eq!(feature["metrics"]["ks_method"], "asymp");
        assert_eq!(feature["psi_bins"]["edges"].as_array().unwrap().len(), 9);
        assert_eq!(feature["psi_bins"]["reference"].as_array().unwrap().len(), 10);
        assert!(feature.get("categories").is_none() && feature.get("undefined").is_none());
    }

    #[test]
    fn a_categorical_feature_is_as_agreed() {
        let report = parsed(&samples::report());
        let feature = feature(&report, "orders:country");
        assert_eq!(feature["kind"], "categorical");
        assert_eq!(feature["categories"]["new"], json!([{ "value": "GB", "count": 1200, "share": 0.012 }]));
        assert_eq!(
            (&feature["categories"]["new_count"], &feature["categories"]["missing_count"]),
            (&json!(1), &json!(0))
        );
        assert_eq!(feature["metrics"]["chi2_dof"], 5);
        assert!(feature["metrics"].get("ks_statistic").is_none());
    }

    #[test]
    fn an_undefined_metric_is_null_and_says_why() {
        let report = parsed(&samples::report());
        let feature = feature(&report, "orders:refund_amount");
        assert_eq!(feature["metrics"]["psi"], Value::Null);
        assert_eq!(feature["undefined"]["psi"], "the current side has no values");
        assert_eq!(feature["current"]["mean"], Value::Null);
    }

    #[test]
    fn metrics_keep_their_order() {
        let text = written(&samples::report());
        let line = text.lines().find(|line| line.contains("amount_mean_90d")).unwrap();
        let places: Vec<_> = ["\"psi\"", "\"ks_statistic\"", "\"ks_p_value\"", "\"js_divergence\""]
            .map(|k| line.find(k).unwrap())
            .into();
        assert!(places.is_sorted());
    }

    #[test]
    fn odd_values_stay_valid_json() {
        let text = written(&samples::odd());
        let report: Value = serde_json::from_str(&text).unwrap();
        assert!(!text.contains("NaN") && !text.contains(":Infinity") && !text.contains(":-Infinity"));
        let feature = &report["features"][0];
        assert_eq!(feature["metrics"]["psi"], Value::Null);
        assert_eq!(feature["psi_bins"]["edges"], json!(["-Infinity", -0.0, 5e-324, "Infinity"]));
        assert_eq!(feature["reference"]["min"], json!(i64::MIN));
        assert_eq!(feature["reference"]["max"], json!(u64::MAX));
        assert!(text.contains("-0.0") && text.contains("5e-324"));
    }

    #[test]
    fn basic_facts_leave_four_counts() {
        let mut report = samples::report();
        report.features[0].reference.facts = None;
        let report = parsed(&report);
        assert_eq!(keys(&report["features"][0]["reference"]), ["infinite", "nans", "nulls", "rows"]);
    }

    #[test]
    fn a_report_without_features_is_a_report() {
        let report = parsed(&samples::empty());
        assert_eq!((&report["features"], &report["skipped"]), (&json!([]), &json!([])));
    }

    #[test]
    fn one_feature_is_one_line() {
        let report = samples::report();
        let text = written(&report);
        assert_eq!(
            text.lines().filter(|line| line.starts_with("{\"name\"") && line.contains("\"metrics\"")).count(),
            report.features.len()
        );
        assert!(!matches!(report.features[0].metrics["psi"], MetricValue::Null));
    }
}
