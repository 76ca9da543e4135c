//! One JSON object a line, for log pipelines and `jq`.
//!
//! ```text
//!     {"schema_version":1,"run":{…}}            first line
//!     {"name":"…","type":"…",…}                 one a feature, as in `features` of the JSON report
//!     {"skipped":{"name":"…","reason":"…",…}}   one a skipped feature
//!     {"incident":{"id":"…","title":"…",…}}     one an incident
//!     {"finding":{"check":"…","message":"…",…}} one a finding of data quality
//!     {"comparison":{"name":"…",…}}             one a further reference, as in `comparisons` of the JSON report
//!     {"model":{"model":"…","risk":…,…}}      one a model that uses features
//!     {"summary":{…}}                           last line: the report is complete
//! ```

use std::io::{self, Write};

use serde_json::json;

use super::json::value;
use super::{Report, Sink, SinkOptions};

/// One line a feature.
pub(super) struct NdJson;

impl Sink for NdJson {
    fn name(&self) -> &'static str {
        "ndjson"
    }

    fn about(&self) -> &'static str {
        "one object a line: run, features, skipped, summary"
    }

    fn joint(&self) -> Option<[&'static str; 3]> {
        Some(["", "", ""])
    }

    fn write(&self, report: &Report, _: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        let Report { schema_version, run, summary, features, skipped, incidents, findings, comparisons, models } =
            report;
        write!(out, "{{\"schema_version\":{schema_version},\"run\":")?;
        value(out, run)?;
        out.write_all(b"}\n")?;
        for feature in features {
            value(out, feature)?;
            out.write_all(b"\n")?;
        }
        for skipped in skipped {
            value(out, &json!({ "skipped": skipped }))?;
            out.write_all(b"\n")?;
        }
        for incident in incidents {
            value(out, &json!({ "incident": incident }))?;
            out.write_all(b"\n")?;
        }
        for finding in findings {
            value(out, &json!({ "finding": finding }))?;
            out.write_all(b"\n")?;
        }
        for comparison in comparisons {
            value(out, &json!({ "comparison": comparison }))?;
            out.write_all(b"\n")?;
        }
        for model in models {
            value(out, &json!({ "model": model }))?;
            out.write_all(b"\n")?;
        }
        value(out, &json!({ "summary": summary }))?;
        out.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{FeatureReport, samples};
    use serde_json::Value;

    #[test]
    fn every_line_is_an_object_of_its_own() {
        let report = samples::report();
        let mut out = Vec::new();
        NdJson.write(&report, &SinkOptions::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(
            lines.len(),
            2 + report.features.len() + report.skipped.len() + report.incidents.len() + report.findings.len()
        );
        assert_eq!((&lines[0]["schema_version"], lines[0]["run"].is_object()), (&json!(1), true));
        assert_eq!(lines[lines.len() - 1]["summary"]["features"], report.summary.features);
        let read: Vec<FeatureReport> =
            text.lines().skip(1).take(report.features.len()).map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(read, report.features);
    }
}
