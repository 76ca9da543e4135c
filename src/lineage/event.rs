//! The events: `RunEvent` of OpenLineage's schema.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::dataset::{Dataset, inputs};
use super::quality;
use super::run::LineageRun;
use crate::history::instant;
use crate::report::Report;

const SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// Who makes the events.
const PRODUCER: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/tree/v", env!("CARGO_PKG_VERSION"));

/// A facet of the schema `name` in its version, with what every facet has.
pub(super) fn facet(version: &str, name: &str, mut body: Map<String, Value>) -> Value {
    body.insert("_producer".to_owned(), PRODUCER.into());
    let schema = format!("https://openlineage.io/spec/facets/{version}/{name}.json#/$defs/{name}");
    body.insert("_schemaURL".to_owned(), schema.into());
    Value::Object(body)
}

/// An object from its fields.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

pub(super) fn start(namespace: &str, run: &LineageRun, now: DateTime<Utc>) -> Value {
    event("START", namespace, run, now, Map::new(), bare(&run.inputs))
}

pub(super) fn fail(namespace: &str, run: &LineageRun, message: &str, now: DateTime<Utc>) -> Value {
    let error = object([("message", message.into()), ("programmingLanguage", "RUST".into())]);
    let facets = object([("errorMessage", facet("1-0-1", "ErrorMessageRunFacet", error))]);
    event("FAIL", namespace, run, now, facets, bare(&run.inputs))
}

/// The sides with their facets. Where both are one data set, its facets are those of current: it was judged.
pub(super) fn complete(namespace: &str, run: &LineageRun, report: &Report, now: DateTime<Utc>) -> Value {
    let sides = match run.inputs.as_slice() {
        [one] => vec![dataset(one, quality::current(report))],
        [reference, current] => {
            vec![dataset(reference, quality::reference(report)), dataset(current, quality::current(report))]
        }
        _ => bare(&inputs(&report.run.config)),
    };
    event("COMPLETE", namespace, run, now, Map::new(), sides)
}

fn event(
    kind: &str,
    namespace: &str,
    run: &LineageRun,
    now: DateTime<Utc>,
    mut facets: Map<String, Value>,
    inputs: Vec<Value>,
) -> Value {
    let engine = object([
        ("name", "gpudrift".into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("openlineageAdapterVersion", env!("CARGO_PKG_VERSION").into()),
    ]);
    facets.insert("processing_engine".to_owned(), facet("1-1-1", "ProcessingEngineRunFacet", engine));
    if let Some(at) = &run.nominal {
        let nominal = object([("nominalStartTime", instant::text(at).into())]);
        facets.insert("nominalTime".to_owned(), facet("1-0-1", "NominalTimeRunFacet", nominal));
    }
    let job_type =
        object([("processingType", "BATCH".into()), ("integration", "GPUDRIFT".into()), ("jobType", "SCAN".into())]);
    json!({
        "eventType": kind,
        "eventTime": now.to_rfc3339_opts(SecondsFormat::Millis, true),
        "producer": PRODUCER,
        "schemaURL": SCHEMA,
        "run": { "runId": run.id, "facets": facets },
        "job": {
            "namespace": namespace,
            "name": run.job,
            "facets": { "jobType": facet("2-0-4", "JobTypeJobFacet", job_type) },
        },
        "inputs": inputs,
        "outputs": [],
    })
}

/// Data sets without facets.
fn bare(datasets: &[Dataset]) -> Vec<Value> {
    datasets.iter().map(|dataset| json!({ "namespace": dataset.namespace, "name": dataset.name })).collect()
}

fn dataset(dataset: &Dataset, facets: quality::Facets) -> Value {
    json!({
        "namespace": dataset.namespace,
        "name": dataset.name,
        "facets": facets.dataset,
        "inputFacets": facets.input,
    })
}
