//! Facets of a side: its schema, its facts, and what was held against it.
//!
//! Columns are called as the features. What a segment says is an assertion about the column with the segment among its
//! `params`; facts are of the column as a whole.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::event::{facet, object};
use crate::quality::Finding;
use crate::report::{FeatureReport, Input, Report, SideReport};
use crate::verdict::Level;

/// Facets of a data set, and of it as an input.
pub(super) struct Facets {
    pub(super) dataset: Map<String, Value>,
    pub(super) input: Map<String, Value>,
}

/// The reference: schema and facts.
pub(super) fn reference(report: &Report) -> Facets {
    let schema = schema(report, |feature| &feature.data_type);
    let metrics = metrics(report, &report.run.reference, |feature| &feature.reference);
    Facets { dataset: object([("schema", schema)]), input: object([("dataQualityMetrics", metrics)]) }
}

/// Current: schema, facts, and an assertion for each feature and each finding.
pub(super) fn current(report: &Report) -> Facets {
    let schema = schema(report, |feature| feature.current_type.as_ref().unwrap_or(&feature.data_type));
    let metrics = metrics(report, &report.run.current, |feature| &feature.current);
    let input = object([("dataQualityMetrics", metrics), ("dataQualityAssertions", assertions(report))]);
    Facets { dataset: object([("schema", schema)]), input }
}

/// The features as a whole, and not within segments.
fn whole(report: &Report) -> impl Iterator<Item = &FeatureReport> {
    report.features.iter().filter(|feature| feature.segment.is_none())
}

fn schema(report: &Report, data_type: fn(&FeatureReport) -> &String) -> Value {
    let field = |(position, feature)| {
        json!({
            "name": column(feature), "type": data_type(feature), "ordinal_position": position
        })
    };
    let fields: Vec<Value> = (1_u64..).zip(whole(report)).map(field).collect();
    facet("1-2-0", "SchemaDatasetFacet", object([("fields", fields.into())]))
}

fn metrics(report: &Report, input: &Input, side: fn(&FeatureReport) -> &SideReport) -> Value {
    let columns: Map<String, Value> =
        whole(report).map(|feature| (column(feature).to_owned(), facts(side(feature)).into())).collect();
    let body =
        object([("rowCount", input.rows.into()), ("fileCount", input.files.into()), ("columnMetrics", columns.into())]);
    facet("1-0-3", "DataQualityMetricsInputDatasetFacet", body)
}

/// The facts of a column that OpenLineage has words for; without full facts these are the counts.
fn facts(side: &SideReport) -> Map<String, Value> {
    let mut found = object([("nullCount", side.nulls.into()), ("count", side.rows.saturating_sub(side.nulls).into())]);
    let Some(facts) = &side.facts else { return found };
    let mut add = |name: &str, value: Option<Value>| {
        found.extend(value.filter(|value| !value.is_null()).map(|value| (name.to_owned(), value)));
    };
    add("distinctCount", facts.distinct.map(Value::from));
    let number = |number: Option<crate::report::Number>| number.and_then(|number| serde_json::to_value(number).ok());
    add("min", number(facts.min));
    add("max", number(facts.max));
    let quantiles = facts.quantiles.as_ref().map(|quantiles| {
        let known = quantiles.iter().filter_map(|(level, value)| Some((level.clone(), Value::from((*value)?))));
        known.filter(|(_, value)| !value.is_null()).collect::<Map<String, Value>>()
    });
    add("quantiles", quantiles.filter(|quantiles| !quantiles.is_empty()).map(Value::from));
    found
}

fn assertions(report: &Report) -> Value {
    let drift = report.features.iter().map(of_feature);
    // A remark is no test that was failed.
    let found = report.findings.iter().filter(|finding| finding.level > Level::Info);
    let columns: HashMap<&str, &str> =
        report.features.iter().map(|feature| (feature.name.as_str(), column(feature))).collect();
    let found = found.map(|finding| of_finding(finding, &columns));
    let all: Vec<Value> = drift.chain(found).map(Value::from).collect();
    facet("1-1-0", "DataQualityAssertionsDatasetFacet", object([("assertions", all.into())]))
}

/// Whether a feature drifted: its level is WARNING or above.
fn of_feature(feature: &FeatureReport) -> Map<String, Value> {
    let mut assertion = object([
        ("assertion", "drift".into()),
        ("name", format!("gpudrift.drift.{}", feature.name).into()),
        ("success", (feature.level < Level::Warning).into()),
        ("column", column(feature).into()),
        ("severity", severity(feature.level).into()),
        ("params", json!({ "level": feature.level.name(), "psi": feature.number("psi"), "q": feature.test().1 })),
    ]);
    let why = feature.why();
    if !why.is_empty() {
        assertion.insert("description".to_owned(), why.join("; ").into());
    }
    if let Some(psi) = feature.number("psi") {
        assertion.insert("actual".to_owned(), format!("PSI {psi}").into());
    }
    if let (Some(segment), Some(params)) = (&feature.segment, assertion.get_mut("params")) {
        params["segment"] = json!(segment);
    }
    assertion
}

/// A finding; `columns` are those of the features.
fn of_finding(finding: &Finding, columns: &HashMap<&str, &str>) -> Map<String, Value> {
    let mut assertion = object([
        ("assertion", finding.check.as_str().into()),
        ("name", format!("gpudrift.{}", finding.check).into()),
        ("success", false.into()),
        ("severity", severity(finding.level).into()),
        ("description", finding.message.as_str().into()),
        ("params", json!(finding.numbers)),
    ]);
    let column = |feature: &str| columns.get(feature).copied().unwrap_or(feature).to_owned();
    assertion.extend(finding.feature.as_ref().map(|feature| ("column".to_owned(), column(feature).into())));
    assertion
}

/// The severity of an assertion of this level, in OpenLineage's words.
fn severity(level: Level) -> &'static str {
    if level == Level::Critical { "error" } else { "warn" }
}

/// The column of a feature, without the segment in its name.
fn column(feature: &FeatureReport) -> &str {
    let cut = feature.name.rfind('{').filter(|_| feature.segment.is_some());
    cut.map_or(&feature.name, |at| &feature.name[..at])
}
