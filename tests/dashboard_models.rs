//! Models in the pages: every number of the history arrives, and a real browser shows it to everybody.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/served.rs"]
mod served;
#[path = "support/site.rs"]
mod site;
#[path = "support/years.rs"]
mod years;

use std::io::Write;
use std::path::PathBuf;

use gpudrift::dashboard::{job_id, write_site};
use gpudrift::history::{History, HistoryPlace, ModelFilter, ModelTrend};
use gpudrift::report::{FeatureImpact, ModelImpact};
use gpudrift::verdict::Level;
use serde_json::{Value, json};

use browser::{Look, are_for_everybody, browser, evaluate};
use site::data;

const WINDOWS: u64 = 40;

/// A history whose job `churn/eu` has features and models, and whose job `serving` has models alone; and its pages.
struct Site {
    folder: tempfile::TempDir,
    history: History,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
        for r in 0..3 {
            let mut report = years::report(60, r, 3);
            let impact = |feature: &str, level, importance, impact| FeatureImpact {
                feature: feature.to_owned(),
                level,
                importance,
                impact,
                reason: None,
            };
            report.models = vec![ModelImpact {
                model: "loan".to_owned(),
                risk: 0.62,
                weighed: true,
                features: 9,
                impacts: vec![impact("view_01:feature_0020", Level::Critical, 0.62, 0.62)],
                unknown: vec!["elsewhere".to_owned()],
            }];
            history.store(&years::identity(&report, "churn/eu", r, 3), &report).unwrap();
        }
        served::store(&mut history, "churn/eu", WINDOWS);
        served::store(&mut history, "serving", 5);
        let site = Self { folder, history };
        write_site(&site.history, None, None, &site.pages()).unwrap();
        site
    }

    fn pages(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    fn trend(&self, version: &str, segment: Option<&str>) -> ModelTrend {
        let filter = ModelFilter { job: Some("churn/eu".to_owned()), ..ModelFilter::default() };
        let trends = self.history.model_trends(&filter).unwrap();
        let named = |trend: &ModelTrend| trend.segment.as_ref().map(ToString::to_string);
        let found = trends
            .into_iter()
            .find(|trend| trend.version.as_deref() == Some(version) && named(trend).as_deref() == segment);
        found.unwrap()
    }
}

#[test]
fn the_data_holds_every_window_of_every_version_and_segment() {
    let site = Site::new();
    let id = job_id("churn/eu");
    let models = data(&site.pages(), &format!("{id}/models"));
    let rows = models["models"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["loan", "price"]);
    let page = data(&site.pages(), &format!("{id}/models/0"));
    assert_eq!(page["segments"], json!(["region=north", "region=south"]));
    let south = data(&site.pages(), &format!("{id}/models/0-1"));
    let near = |drawn: &Value, exact: Option<f64>| {
        let close = drawn.as_f64().zip(exact).is_none_or(|(a, b)| (a - b).abs() <= b.abs() * 1e-5);
        assert!(close && drawn.is_null() == exact.is_none(), "{drawn} {exact:?}");
    };
    for (segment, page) in [(None, &page), (Some("region=south"), &south)] {
        let versions = page["versions"].as_array().unwrap();
        assert_eq!(versions.iter().map(|one| &one["version"]).collect::<Vec<_>>(), ["v1", "v2", "v3-canary"]);
        for version in versions {
            let trend = site.trend(version["version"].as_str().unwrap(), segment);
            assert_eq!(version["windows"].as_array().unwrap().len(), trend.windows.len());
            for (index, window) in trend.windows.iter().enumerate() {
                let value = window.latest();
                for (name, metric) in version["metrics"].as_object().unwrap() {
                    let known = value.metrics.get(name);
                    near(&metric["value"][index], value.metric(name));
                    near(&metric["low"][index], known.and_then(|one| one.low));
                    near(&metric["baseline"][index], Some(value.baseline(name).unwrap()));
                    near(&metric["estimate"][index], value.estimate(name));
                    let first = window.first.metric(name).filter(|one| Some(*one) != value.metric(name));
                    near(&metric["first"][index], first);
                }
                let operations = value.operations.as_ref().unwrap();
                near(&version["latency"]["p99"][index], operations.latency.unwrap().p99);
                near(&version["columns"]["cpu"]["p95"][index], operations.columns["cpu"].p95);
                near(&version["errors"][0][index], operations.errors.unwrap().rate);
                near(&version["requests"][index], operations.throughput_per_second);
                near(&version["traffic"][index], window.traffic);
                near(&version["drift"]["score"]["psi"][index], value.drift["score"].psi);
            }
        }
    }
    let row = &rows[0];
    assert_eq!((&row["version"], &row["versions"], &row["decision"]), (&"v2".into(), &2.into(), &"deploy".into()));
    assert_eq!(rows[1]["estimated"], true);
    let validations = page["validations"].as_array().unwrap();
    let decisions: Vec<_> = validations.iter().map(|one| &one["decision"]).collect();
    assert_eq!(decisions, ["deploy", "hold", "reject"], "the latest first");
    let answers: Vec<_> = models["decisions"].as_array().unwrap().iter().map(|one| &one["answer"]).collect();
    assert_eq!(answers, ["asked", "asked", "yes", "no", "no"]);
}

#[test]
fn a_history_of_models_alone_has_pages() {
    let folder = tempfile::tempdir().unwrap();
    for place in ["drift.db", "history/"] {
        let mut history = History::open(&HistoryPlace::at(folder.path().join(place))).unwrap();
        let pages = folder.path().join(format!("site of {}", place.trim_end_matches('/')));
        assert!(write_site(&history, None, None, &pages).unwrap_err().to_string().contains("no runs"));
        served::store(&mut history, "churn", 6);
        let written = write_site(&history, None, None, &pages).unwrap();
        assert_eq!((written.jobs, written.features, written.models), (1, 0, 2));
        let before = std::fs::read_to_string(&written.index).unwrap();
        write_site(&history, None, None, &pages).unwrap();
        assert_eq!(std::fs::read_to_string(&written.index).unwrap(), before, "the same history, the same page");
        served::store(&mut history, "churn", 7);
        write_site(&history, None, None, &pages).unwrap();
        assert_ne!(std::fs::read_to_string(&written.index).unwrap(), before, "a new window is new data");
        let Some(browser) = browser("a_history_of_models_alone_has_pages") else { return };
        let text = evaluate(&browser, &pages, "", Look::default(), "document.body.innerText");
        assert!(text.as_str().unwrap().contains("Models of churn"), "{text}");
    }
}

/// Opens every fold, and looks at every chart for a while. A page at rest may have no more frames, and virtual time is short:
/// not every chart is drawn in time.
const SHOWN: &str = "(async () => {
    const frame = () => Promise.race([new Promise(requestAnimationFrame), new Promise((done) => setTimeout(done, 100))]);
    for (const one of document.querySelectorAll('details')) one.open = true;
    await frame(); await frame();
    for (const plot of document.querySelectorAll('.plot')) {
      plot.scrollIntoView({ behavior: 'instant' });
      for (let turn = 0; turn < 6 && !plot.querySelector('canvas'); turn += 1) await frame();
    }
    return { heading: document.querySelector('h1').textContent, text: document.body.textContent,
      here: [...document.querySelectorAll('.pick [aria-current]')].map((one) => one.textContent),
      charts: [...document.querySelectorAll('figure')].map((figure) => figure.querySelector('h2').textContent),
      drawn: document.querySelectorAll('.plot canvas').length }; })()";

#[test]
fn a_browser_shows_versions_performance_serving_and_decisions() {
    let Some(browser) = browser("a_browser_shows_versions") else { return };
    let site = Site::new();
    let page = evaluate(&browser, &site.pages(), "#/churn%2Feu/models/loan", Look::default(), SHOWN);
    assert_eq!((&page["heading"], &page["here"]), (&"loan".into(), &json!(["v2", "all rows"])));
    let charts = [
        "accuracy by version",
        "accuracy",
        "precision",
        "recall",
        "F1",
        "ROC AUC",
        "F1 macro",
        "Traffic by version",
        "Rows and labels",
        "Requests a second",
        "Error rate",
        "Latency",
        "cpu",
        "Drift of the prediction",
        "Drift of the score",
    ];
    let shown: Vec<&str> = page["charts"].as_array().unwrap().iter().map(|title| title.as_str().unwrap()).collect();
    let missing: Vec<_> = charts.iter().filter(|title| !shown.contains(title)).collect();
    assert!(missing.is_empty() && shown.len() == charts.len(), "{shown:?} lacks {missing:?}");
    assert!(page["drawn"].as_u64().unwrap() >= 6, "{}", page["drawn"]);
    let text = page["text"].as_str().unwrap();
    let expected = [
        "v2 90%, v3-canary 10%",
        "Expected without labels",
        "what was known at first",
        "Baseline 0.91",
        "accuracy fell by 0.12",
        "challenger-17.parquet",
        "deploy",
        "hold",
        "reject",
        "change.accuracy",
    ];
    expected.iter().for_each(|words| assert!(text.contains(words), "no {words:?} in\n{text}"));
    let accuracy = site.trend("v2", None).windows.iter().rev().find_map(|window| window.latest().metric("accuracy"));
    assert!(text.contains(&gpudrift::format::significant(accuracy.unwrap())));

    let address = "#/churn%2Feu/models/loan?version=v1&segment=region%3Dsouth";
    let page = evaluate(&browser, &site.pages(), address, Look::default(), SHOWN);
    assert_eq!(page["here"], json!(["v1", "region=south"]));
    let linked = "#/churn%2Feu/features/model%3A%20loan%2C%20version%20v1";
    let page = evaluate(&browser, &site.pages(), linked, Look::default(), SHOWN);
    assert_eq!((&page["heading"], &page["here"]), (&"loan".into(), &json!(["v1", "all rows"])), "as alerts link to it");
    let page = evaluate(&browser, &site.pages(), "#/churn%2Feu/models/price", Look::default(), SHOWN);
    assert!(page["text"].as_str().unwrap().contains("There are no labels yet."), "{page}");

    let overview = evaluate(&browser, &site.pages(), "#/churn%2Feu", Look::default(), SHOWN);
    let text = overview["text"].as_str().unwrap();
    for words in ["2 models", "Drift that is likely to hurt", "62% of importance", "Latest answer: asked for already"] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let models = evaluate(&browser, &site.pages(), "#/churn%2Feu/models", Look::default(), SHOWN);
    let text = models["text"].as_str().unwrap();
    assert!(text.contains("loan") && text.contains("RMSE ~0.") && text.contains("and 1 more"), "{text}");
    let alone = evaluate(&browser, &site.pages(), "#/serving", Look::default(), SHOWN);
    assert_eq!(alone["heading"], "Models of serving");
    let jobs = evaluate(&browser, &site.pages(), "#/", Look::default(), SHOWN);
    assert!(jobs["text"].as_str().unwrap().contains("serving"));
}

#[test]
fn every_page_of_models_is_for_everybody_by_day_by_night_and_on_a_phone() {
    let Some(browser) = browser("every_page_of_models") else { return };
    let site = Site::new();
    are_for_everybody(
        &browser,
        &site.pages(),
        &["#/", "#/churn%2Feu", "#/churn%2Feu/models", "#/churn%2Feu/models/loan", "#/serving/models/price"],
    );
}

#[test]
fn names_of_models_versions_and_segments_are_text_and_never_markup() {
    let Some(browser) = browser("names_of_models") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    served::store(&mut history, "churn", 3);
    let hostile = "<img src=x onerror=\"window.broken='markup'\">/../?a=b#c%41</script>";
    let window = history.models(&ModelFilter::default()).unwrap().remove(0);
    let mut key = window.key.clone();
    (key.model, key.version) = (hostile.to_owned(), Some(hostile.to_owned()));
    let mut value = window.first.clone();
    (value.level, value.reasons) = (Level::Warning, vec![format!("because {hostile}")]);
    let entry = gpudrift::history::ModelEntry {
        key,
        days: window.days.clone(),
        at: window.at,
        task: window.task,
        open: false,
        value,
    };
    history.store_models(&[entry]).unwrap();
    let pages = folder.path().join("site");
    write_site(&history, None, None, &pages).unwrap();
    let encoded = percent_encoding::utf8_percent_encode(hostile, percent_encoding::NON_ALPHANUMERIC).to_string();
    for address in ["#/churn/models".to_owned(), format!("#/churn/models/{encoded}")] {
        let ask = "({ images: document.images.length, text: document.getElementById('main').textContent })";
        let page = evaluate(&browser, &pages, &address, Look::default(), ask);
        assert_eq!(page["images"], 0);
        assert!(page["text"].as_str().unwrap().contains(hostile), "{address}: {}", page["text"]);
    }
}

/// Not a test: writes pages with models to the folder that `GPUDRIFT_SITE` names, over `GPUDRIFT_RUNS` (40) windows.
#[test]
#[ignore = "pages to look at: GPUDRIFT_SITE=/tmp/site cargo test --test dashboard_models -- --ignored"]
fn pages_to_look_at() {
    let folder = PathBuf::from(std::env::var_os("GPUDRIFT_SITE").unwrap());
    let windows = std::env::var("GPUDRIFT_RUNS").map_or(WINDOWS, |text| text.parse().unwrap());
    std::fs::create_dir_all(&folder).unwrap();
    let mut history = History::open(&HistoryPlace::at(folder.join("drift.db"))).unwrap();
    years::store(&mut history, "churn", 60, windows);
    served::store(&mut history, "churn", windows);
    let written = write_site(&history, None, None, &folder.join("site")).unwrap();
    writeln!(std::io::stderr(), "{} bytes", written.bytes).unwrap();
}
