//! What Feast writes, and what can be wrong with it.

use super::message::*;
use super::*;

/// The store file and the registry of the demo repository as Feast 0.67 wrote them: `tests/feast/`.
fn demo() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/feast/driver_ranking")
}

fn source(kind: i32, uri: &str) -> DataSource {
    DataSource {
        kind,
        timestamp_field: "event_timestamp".to_owned(),
        file_options: (!uri.is_empty()).then(|| FileOptions { uri: uri.to_owned(), file_format: None }),
        ..DataSource::default()
    }
}

fn spec(name: &str, source: DataSource) -> FeatureViewSpec {
    let feature = |name: &str, value_type| FeatureSpec { name: name.to_owned(), value_type };
    FeatureViewSpec {
        name: name.to_owned(),
        project: "demo".to_owned(),
        features: vec![feature("rate", 6), feature("tags", 20)],
        batch_source: Some(source),
        entity_columns: vec![feature("driver_id", 4)],
        ..FeatureViewSpec::default()
    }
}

/// A repository whose registry has these views.
fn repository(specs: Vec<FeatureViewSpec>, yaml: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let feature_views = specs.into_iter().map(|spec| message::FeatureView { spec: Some(spec) }).collect();
    let registry = Registry { feature_views, ..Registry::default() };
    std::fs::write(folder.path().join("feature_store.yaml"), yaml).unwrap();
    std::fs::write(folder.path().join("registry.db"), registry.encode_to_vec()).unwrap();
    folder
}

const YAML: &str = "project: demo\nregistry: registry.db\nprovider: local\n";

#[test]
fn views_sources_and_columns_come_from_the_registry() {
    let mut mapped = spec("b", source(1, "/abs/b.parquet"));
    let source_of = mapped.batch_source.as_mut().unwrap();
    source_of.field_mapping.insert("rate_raw".to_owned(), "rate".to_owned());
    source_of.created_timestamp_column = "created".to_owned();
    let push = DataSource { kind: 9, batch_source: Some(Box::new(source(1, "data/c"))), ..DataSource::default() };
    let folder = repository(vec![mapped, spec("a", push)], YAML);
    let views = feature_views(folder.path()).unwrap();
    assert_eq!(views.iter().map(|view| view.name.as_str()).collect::<Vec<_>>(), ["a", "b"], "sorted by name");
    let [a, b] = &views[..] else { panic!("two views") };
    assert_eq!(a.paths, [folder.path().join("data/c").to_string_lossy()], "relative to the repository");
    assert_eq!(
        (b.paths[0].as_str(), b.created.as_deref(), b.timestamp.as_str()),
        ("/abs/b.parquet", Some("created"), "event_timestamp")
    );
    assert_eq!((b.features[0].name.as_str(), b.features[0].column.as_str()), ("b:rate", "rate_raw"));
    assert_eq!((b.features[1].value_type.as_str(), &b.entity[..]), ("MAP", &["driver_id".to_owned()][..]));
}

#[test]
fn what_is_not_in_files_has_a_reason() {
    let delta = FileOptions { uri: "t".to_owned(), file_format: Some(FileFormat { delta_format: Some(Empty {}) }) };
    let spark = SparkOptions { path: "p".to_owned(), file_format: "avro".to_owned(), ..SparkOptions::default() };
    let cases = [
        (source(2, ""), "its data is in BigQuery"),
        (source(99, ""), "its data is in a source of type 99"),
        (DataSource { file_options: Some(delta), ..source(1, "") }, "its data is a Delta table"),
        (DataSource { spark_options: Some(spark), ..source(11, "") }, "its data is a table of Spark"),
        (source(1, ""), "its source names no file"),
        (DataSource::default(), "the view has no source with a history"),
    ];
    for (source, expected) in cases {
        let folder = repository(vec![spec("v", source)], YAML);
        let view = feature_views(folder.path()).unwrap().remove(0);
        assert!(view.problem.as_deref().unwrap().starts_with(expected), "{:?}", view.problem);
        assert!(view.paths.is_empty() && view.features.len() == 2);
    }
}

#[test]
fn disabled_views_and_other_projects_are_left_out() {
    let disabled = FeatureViewSpec { disabled: true, ..spec("off", source(1, "x")) };
    let other = FeatureViewSpec { project: "other".to_owned(), ..spec("v", source(1, "x")) };
    let folder = repository(vec![disabled, other.clone(), spec("v", source(1, "y"))], YAML);
    let views = feature_views(folder.path()).unwrap();
    assert_eq!(views.len(), 1);
    assert!(views[0].paths[0].ends_with('y'));
    let folder = repository(vec![other, spec("v", source(1, "y"))], "project: unknown\nregistry: registry.db\n");
    let said = feature_views(folder.path()).unwrap_err().to_string();
    assert!(said.starts_with("the registry has several feature views called v"), "{said}");
}

#[test]
fn the_registry_is_found_in_every_way_that_feast_writes_it() {
    for registry in [
        "registry: ${GPUDRIFT_UNSET_VARIABLE}",
        "registry: {registry_type: file, path: registry.db}",
        "registry:\n  path: registry.db\n  cache_ttl_seconds: 60",
    ] {
        let folder = repository(vec![spec("v", source(1, "y"))], &format!("project: demo\n{registry}\n"));
        let result = feature_views(folder.path());
        match registry.contains("UNSET") {
            true => assert!(result.unwrap_err().to_string().contains("${GPUDRIFT_UNSET_VARIABLE}")),
            false => assert_eq!(result.unwrap().len(), 1, "{registry}"),
        }
    }
    let folder = repository(vec![], "project: demo\nregistry: {registry_type: sql, path: 'postgresql://x'}\n");
    let said = feature_views(folder.path()).unwrap_err().to_string();
    assert!(said.contains("of type sql") && said.contains("feast registry-dump > registry.json"), "{said}");
    let folder = repository(vec![], "project: demo\nregistry: s3://bucket/registry.db\n");
    assert!(feature_views(folder.path()).unwrap_err().to_string().contains("lies at s3://bucket/registry.db"));
}

#[test]
fn mistakes_name_the_file() {
    let empty = tempfile::tempdir().unwrap();
    let said = |path: &Path| feature_views(path).unwrap_err().to_string();
    assert!(said(empty.path()).contains("feature_store.yaml; --feast takes the folder of a feature repository"));
    let folder = repository(vec![], "project: [");
    assert!(said(folder.path()).contains("feature_store.yaml: "));
    let folder = repository(vec![], YAML);
    std::fs::write(folder.path().join("registry.db"), b"\xff\xff\xff").unwrap();
    assert!(said(folder.path()).contains("registry.db is not a registry of Feast"));
    std::fs::write(folder.path().join("dump.json"), b"{\"featureViews\": 3}").unwrap();
    assert!(said(&folder.path().join("dump.json")).contains("dump.json is not a registry of Feast"));
    std::fs::remove_file(folder.path().join("registry.db")).unwrap();
    assert!(said(folder.path()).contains("`feast apply` writes it"));
}

#[test]
fn the_registry_file_and_its_dump_say_the_same() {
    let views = feature_views(&demo()).unwrap();
    assert_eq!(views, feature_views(&demo().join("registry.json")).unwrap());
    assert_eq!(views.len(), 1);
    let view = &views[0];
    assert_eq!(
        (view.name.as_str(), view.timestamp.as_str(), view.created.as_deref()),
        ("driver_hourly_stats", "event_timestamp", Some("created"))
    );
    let features: Vec<_> = view.features.iter().map(|f| (f.name.as_str(), f.value_type.as_str())).collect();
    assert_eq!(
        features,
        [
            ("driver_hourly_stats:conv_rate", "FLOAT"),
            ("driver_hourly_stats:acc_rate", "FLOAT"),
            ("driver_hourly_stats:avg_daily_trips", "INT64")
        ]
    );
    assert_eq!(
        (&view.entity[..], view.paths[0].ends_with("driver_ranking/data/driver_stats.parquet")),
        (&["driver_id".to_owned()][..], true)
    );
}
