//! A fortnight of 60 and of 5000 features, with alerts: the pages show all of it by day and by night, and stay small.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/served.rs"]
mod served;
#[path = "support/site.rs"]
mod site;
#[path = "support/years.rs"]
#[allow(dead_code, reason = "its nights are told of one by one here")]
mod years;

use std::path::Path;

use gpudrift::alert::{Alerts, AlertsConfig, ChannelConfig, past_incidents};
use gpudrift::dashboard::{job_id, write_site};
use gpudrift::history::{History, HistoryPlace, RunFilter};
use gpudrift::verdict::Level;
use serde_json::Value;

use browser::{Look, browser, evaluate};

const NIGHTS: u64 = 14;
/// The most that a reader loads for a page.
const MOST: u64 = 5_000_000;

fn fortnight(folder: &Path, features: u64) -> History {
    let mut history = History::open(&HistoryPlace::at(folder.join("drift.db"))).unwrap();
    let channel =
        ChannelConfig { kind: Some("command".to_owned()), command: vec!["true".to_owned()], ..Default::default() };
    let channels = [("pager".to_owned(), channel)].into_iter().collect();
    let alerts = Alerts::open(&history, &AlertsConfig { channels, ..AlertsConfig::default() }).unwrap();
    for r in 0..NIGHTS {
        let report = years::report(features, r, NIGHTS);
        let identity = years::identity(&report, "churn", r, NIGHTS);
        history.store(&identity, &report).unwrap();
        alerts.night(&history, &identity, &report).unwrap();
    }
    served::store(&mut history, "churn", NIGHTS);
    history
}

fn size(folder: &Path, names: &[String]) -> u64 {
    names.iter().map(|name| folder.join(name).metadata().unwrap().len()).sum()
}

#[test]
fn a_fortnight_of_60_and_of_5000_features_is_shown_by_day_and_by_night() {
    let Some(browser) = browser("a_fortnight_of_60_and_of_5000_features") else { return };
    for features in [60, 5000] {
        let folder = tempfile::tempdir().unwrap();
        let history = fortnight(folder.path(), features);
        let pages = folder.path().join("site");
        write_site(&history, None, None, &pages).unwrap();
        let runs = history.runs(&RunFilter::job("churn")).unwrap();
        let summary = runs.last().unwrap().summary;
        assert!(summary.critical > 0, "{summary:?}");
        let told = past_incidents(&history, "churn", 50).unwrap();
        assert!(told.len() > 3);
        // What the overview, the table of features, one feature, and one model make a reader load.
        let data = site::data_folder(&pages);
        let id = job_id("churn");
        let shell = ["index.html", "dashboard.css", "dashboard.js", "uPlot.js"].map(str::to_owned);
        let all =
            ["jobs", &format!("{id}/job"), &format!("{id}/models"), &format!("{id}/features"), &format!("{id}/0")]
                .map(|name| format!("{name}.js"));
        let bytes = size(&pages, &shell) + size(&data, &all) + size(&data, &[format!("{id}/models/0.js")]);
        assert!(bytes < MOST, "{features} features: {bytes} bytes");
        for dark in [false, true] {
            let look = Look { dark, ..Look::default() };
            let ask = "({ tiles: [...document.querySelectorAll('.tile')].map((tile) => [tile.querySelector('span').textContent, tile.querySelector('b').textContent]),
                alerts: [...document.querySelectorAll('#alerts ~ * tbody tr')].map((row) => row.cells[1].textContent),
                text: document.body.textContent, back: getComputedStyle(document.body).backgroundColor })";
            let page = evaluate(&browser, &pages, "#/", look, ask);
            assert_eq!(page["back"] == "rgb(255, 255, 255)", !dark);
            let tile =
                |name: &str| page["tiles"].as_array().unwrap().iter().find(|tile| tile[0] == name).unwrap()[1].clone();
            for level in Level::ALL {
                assert_eq!(tile(level.name()), gpudrift::format::count(summary.of_level(level)), "{}", level.name());
            }
            let shown: Vec<&str> =
                page["alerts"].as_array().unwrap().iter().map(|title| title.as_str().unwrap()).collect();
            let expected: Vec<&str> = told.iter().map(|one| one.title.as_str()).collect();
            assert_eq!(shown, expected);
            let text = page["text"].as_str().unwrap();
            assert!(text.contains("Latest answer: asked for already") && text.contains("loan"), "{text}");
            let count =
                evaluate(&browser, &pages, "#/churn/features", look, "document.getElementById('shown').textContent");
            let all = format!("of {} features", gpudrift::format::count(features));
            assert!(count.as_str().unwrap().contains(&all), "{count}");
        }
    }
}

/// What a page took from its address to its first paint, in milliseconds.
const PAINT: &str = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null";

/// Not a test: says when the overview of the pages in `GPUDRIFT_SITE` is first painted.
#[test]
#[ignore = "a measurement: write pages with the one of tests/dashboard.rs, then GPUDRIFT_SITE=/tmp/site/site cargo test --test dashboard_large -- --ignored --nocapture"]
fn first_paint() {
    use std::io::Write;
    let folder = std::path::PathBuf::from(std::env::var_os("GPUDRIFT_SITE").unwrap());
    let browser = browser("first_paint").unwrap();
    for address in ["#/", "#/churn/features"] {
        let times: Vec<Value> = (0..5).map(|_| evaluate(&browser, &folder, address, Look::default(), PAINT)).collect();
        writeln!(std::io::stderr(), "{address}: {times:?} ms").unwrap();
    }
}
