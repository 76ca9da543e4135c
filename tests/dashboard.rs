//! The pages, as files and in a real browser: every number of the history arrives, nothing is loaded from elsewhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot start fails")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/site.rs"]
mod site;
#[path = "support/years.rs"]
mod years;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use gpudrift::alert::{Alerts, AlertsConfig, ChannelConfig};
use gpudrift::dashboard::{DashboardError, job_id, write_site};
use gpudrift::history::{History, HistoryPlace, RunFilter};
use gpudrift::verdict::Level;
use serde_json::{Value, json};

use browser::{Look, are_for_everybody, browser, evaluate};
use site::data;

const FEATURES: u64 = 60;
const RUNS: u64 = 40;

/// A history with two jobs, its pages, and the folder that both lie in.
struct Site {
    folder: tempfile::TempDir,
    history: History,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
        years::store(&mut history, "churn/eu", FEATURES, RUNS);
        years::store(&mut history, "fraud", 20, 3);
        let site = Self { folder, history };
        write_site(&site.history, None, None, &site.pages()).unwrap();
        site
    }

    fn pages(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    /// The data called `key`, as the page receives it.
    fn data(&self, key: &str) -> Value {
        data(&self.pages(), key)
    }

    fn latest(&self, job: &str) -> gpudrift::report::Report {
        let runs = self.history.runs(&RunFilter::job(job)).unwrap();
        self.history.report(runs.last().unwrap()).unwrap()
    }
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn the_data_holds_every_job_run_and_feature() {
    let site = Site::new();
    let jobs = site.data("jobs");
    assert_eq!(jobs.as_array().unwrap().iter().map(|job| &job["name"]).collect::<Vec<_>>(), ["churn/eu", "fraud"]);
    let id = job_id("churn/eu");
    let (job, rows) = (site.data(&format!("{id}/job")), site.data(&format!("{id}/features")));
    let (job_runs, rows) = (job["runs"].as_array().unwrap(), rows.as_array().unwrap());
    assert_eq!((job_runs.len() as u64, rows.len() as u64), (RUNS, FEATURES));
    let report = site.latest("churn/eu");
    let chunk = job["chunk"].as_u64().unwrap();
    for row in rows {
        let (name, n) = (row["name"].as_str().unwrap(), row["n"].as_u64().unwrap());
        let pages = site.data(&format!("{id}/{}", n / chunk));
        let page = pages.as_array().unwrap().iter().find(|page| page["n"] == n).unwrap();
        let feature = report.features.iter().find(|feature| feature.name == name).unwrap();
        assert_eq!(page["report"], serde_json::to_value(feature).unwrap(), "to the bit, as in the report");
        assert_eq!(row["psi"], json!(feature.number("psi")));
        let series = site.history.series("churn/eu", name).unwrap();
        let levels: String = series.iter().map(|point| char::from(b'0' + point.numbers.level as u8)).collect();
        assert_eq!(page["series"]["level"], levels);
        for (index, point) in series.iter().enumerate() {
            let (drawn, exact) = (page["series"]["q50"][index].as_f64(), point.numbers.quantiles[4]);
            assert!(drawn.zip(exact).is_none_or(|(a, b)| (a - b).abs() <= b.abs() * 1e-5), "{drawn:?} {exact:?}");
            assert_eq!(drawn.is_some(), exact.is_some());
        }
    }
    let summary = report.summary;
    assert!(summary.critical > 3 && summary.ok > 20, "{summary:?}");
    assert_eq!(job["summary"], serde_json::to_value(summary).unwrap());
}

#[test]
fn incidents_findings_and_what_was_skipped_are_in_the_data() {
    let site = Site::new();
    let job = site.data(&format!("{}/job", job_id("churn/eu")));
    let unit = job["incidents"].as_array().unwrap().iter().find(|incident| incident["kind"] == "unit_change").unwrap();
    assert_eq!((unit["nights"].as_u64(), unit["cause"].as_str()), (Some(3), Some("pipeline")));
    assert!(unit["features"].as_array().unwrap().len() > 2);
    let causes = job["incident_causes"].as_object().unwrap().values().map(|number| number.as_u64().unwrap());
    assert_eq!(causes.sum::<u64>(), job["incidents"].as_array().unwrap().len() as u64);
    assert_eq!(job["findings"][0]["message"], "1 column is gone: view_00:legacy");
    assert_eq!(job["skipped"][0]["name"], "view_00:history");
}

#[test]
fn what_people_were_told_is_in_the_data() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    let channel =
        ChannelConfig { kind: Some("command".to_owned()), command: vec!["true".to_owned()], ..Default::default() };
    let channels = [("pager".to_owned(), channel)].into_iter().collect();
    let alerts = Alerts::open(&history, &AlertsConfig { channels, ..AlertsConfig::default() }).unwrap();
    for r in 0..12 {
        let report = years::report(60, r, 12);
        let identity = years::identity(&report, "churn", r, 12);
        history.store(&identity, &report).unwrap();
        alerts.night(&history, &identity, &report).unwrap();
    }
    let site = folder.path().join("site");
    write_site(&history, None, None, &site).unwrap();
    let id = job_id("churn");
    let job = data(&site, &format!("{id}/job"));
    let told = job["alerts"].as_array().unwrap();
    assert!(told.iter().any(|one| one["closed_at"].is_null()) && told.iter().any(|one| one["closed_at"].is_string()));
    assert!(told.iter().all(|one| one["told_at"].is_string()));
    let open = told.iter().find(|one| one["closed_at"].is_null()).unwrap();
    let features = data(&site, &format!("{id}/0"));
    let about = features.as_array().unwrap().iter().filter(|page| page["alerts"].as_array().unwrap().contains(open));
    assert!(about.count() > 0, "{open}");
}

#[test]
fn no_page_loads_anything_from_elsewhere() {
    let site = Site::new();
    for (path, bytes) in files(&site.pages()) {
        let text = String::from_utf8(bytes).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        // A licence, a comment with the library's home, and the name of SVG are addresses that nothing is loaded from.
        let known = ["http://www.w3.org/2000/svg", "https://github.com/leeoniya/uPlot"];
        let rest = known.iter().fold(text.clone(), |text, known| text.replace(known, ""));
        assert!(!rest.contains("://"), "{name} names an address: {}", &rest[rest.find("://").unwrap()..][..60]);
        assert!(!text.contains("fetch(") && !text.contains("XMLHttpRequest") && !text.contains("@import"), "{name}");
        assert!(!name.ends_with(".css") || !text.contains("url("), "{name}");
        assert!(!name.starts_with("dashboard") || !(text.contains("innerHTML") || text.contains("eval(")), "{name}");
    }
}

#[test]
fn writing_again_changes_nothing_and_old_data_stays_one_turn() {
    let mut site = Site::new();
    let pages = site.pages();
    let first = files(&pages);
    write_site(&site.history, None, None, &pages).unwrap();
    assert!(files(&pages) == first, "the same history gives the same bytes");
    let folders = || {
        let names = fs::read_dir(&pages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.starts_with("data-")).collect();
        names.sort();
        names
    };
    let before = folders();
    for runs in [4, 5] {
        years::store(&mut site.history, "fraud", 20, runs);
        write_site(&site.history, None, None, &pages).unwrap();
    }
    assert_eq!(folders().len(), 2, "{:?}", folders());
    assert!(!folders().contains(&before[0]));
}

#[test]
fn somebody_elses_page_is_not_overwritten() {
    let site = Site::new();
    let other = site.folder.path().join("www");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("index.html"), "<p>mine</p>").unwrap();
    let error = write_site(&site.history, None, None, &other).unwrap_err();
    assert!(matches!(error, DashboardError::Foreign { .. }), "{error}");
    assert_eq!(files(&other).len(), 1);
    let error = write_site(&site.history, Some("chrun"), None, &site.pages()).unwrap_err();
    assert!(error.to_string().contains("no runs of job \"chrun\""), "{error}");
}

#[test]
fn the_command_says_where_the_page_is() {
    let site = Site::new();
    let run = |args: &[&str]| {
        let program = assert_cmd::cargo::cargo_bin("gpudrift");
        Command::new(program).current_dir(site.folder.path()).args(args).output().unwrap()
    };
    let output = run(&["dashboard", "--history", "drift.db", "--output", "new", "--last", "10", "--job", "churn/eu"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(text.contains("new/index.html: 60 features of 1 job"), "{text}");
    let job = data(&site.folder.path().join("new"), &format!("{}/job", job_id("churn/eu")));
    assert_eq!(job["runs"].as_array().unwrap().len(), 10);
    assert_eq!(run(&["dashboard", "--history", "missing.db", "--output", "new"]).status.code(), Some(2));
    assert_eq!(run(&["dashboard", "--history", "drift.db", "--output", "new", "--job", "x"]).status.code(), Some(2));
}

/// Texts of the cells of a table, row by row.
const CELLS: &str =
    "[...document.querySelectorAll('#results tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))";

#[test]
fn a_browser_shows_the_levels_of_the_latest_run_and_its_incidents() {
    let Some(browser) = browser("a_browser_shows_the_levels") else { return };
    let site = Site::new();
    let summary = site.latest("churn/eu").summary;
    let ask = "({ tiles: [...document.querySelectorAll('.tile')].map((tile) => [tile.querySelector('span').textContent, tile.querySelector('b').textContent]),
        text: document.body.innerText, drawn: document.querySelectorAll('.plot canvas').length, title: document.title })";
    let page = evaluate(&browser, &site.pages(), "#/churn%2Feu", Look::default(), ask);
    let tile = |name: &str| page["tiles"].as_array().unwrap().iter().find(|tile| tile[0] == name).unwrap()[1].clone();
    for level in Level::ALL {
        assert_eq!(tile(level.name()), summary.of_level(level).to_string(), "{}", level.name());
    }
    let text = page["text"].as_str().unwrap();
    for words in ["unit change × 1000", "pipeline bug", "3 runs", "1 column is gone: view_00:legacy", "2026-11-22"] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    assert!(page["drawn"].as_u64().unwrap() >= 1 && page["title"].as_str().unwrap().contains("churn/eu"));
    let jobs = evaluate(&browser, &site.pages(), "", Look::default(), "document.body.innerText");
    assert!(jobs.as_str().unwrap().contains("churn/eu") && jobs.as_str().unwrap().contains("fraud"));
}

#[test]
fn a_browser_searches_sorts_and_filters_the_features() {
    let Some(browser) = browser("a_browser_searches") else { return };
    let site = Site::new();
    let report = site.latest("churn/eu");
    let rows = |query: &str| {
        let page = evaluate(&browser, &site.pages(), &format!("#/churn%2Feu/features{query}"), Look::default(), CELLS);
        let names = page.as_array().unwrap().iter().map(|row| row[1].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    let severe: Vec<_> = report.by_severity().into_iter().map(|feature| feature.name.clone()).collect();
    assert_eq!(rows(""), severe[..50], "the most severe first, fifty a page");
    assert_eq!(rows("?page=2"), severe[50..]);
    let critical = |one: &&gpudrift::report::FeatureReport| one.level == Level::Critical;
    assert_eq!(rows("?level=critical").len(), report.features.iter().filter(critical).count());
    assert_eq!(rows("?q=view_01:feature_0037"), ["view_01:feature_0037"]);
    let mut by_name: Vec<_> = report.features.iter().map(|feature| feature.name.clone()).collect();
    by_name.sort();
    assert_eq!(rows("?sort=name&down=0"), by_name[..50]);
    // Typed and clicked, as people do.
    let typed = "(() => { const box = document.getElementById('search'); box.value = 'feature_002'; box.dispatchEvent(new Event('input'));
        document.getElementById('sort-psi').click(); document.getElementById('sort-psi').click();
        return [document.getElementById('shown').textContent, location.hash, document.querySelector('[aria-sort]').getAttribute('aria-sort'), document.activeElement.id, document.getElementById('status').textContent]; })()";
    let answer = evaluate(&browser, &site.pages(), "#/churn%2Feu/features", Look::default(), typed);
    assert_eq!(
        answer,
        json!([
            "1 to 10 of 10 features (60 in all)",
            "#/churn%2Feu/features?q=feature_002&sort=psi&down=0",
            "ascending",
            "sort-psi",
            "1 to 10 of 10 features (60 in all)"
        ])
    );
}

#[test]
fn a_browser_draws_every_feature_with_its_numbers() {
    let Some(browser) = browser("a_browser_draws") else { return };
    let site = Site::new();
    let report = site.latest("churn/eu");
    let ask = "(async () => { for (const one of document.querySelectorAll('details')) one.open = true;
        document.querySelectorAll('.plot').forEach((plot) => plot.scrollIntoView());
        await new Promise((done) => setTimeout(done, 400));
        return { heading: document.querySelector('h1').textContent, level: document.querySelector('.lead .level').textContent,
          charts: [...document.querySelectorAll('figure')].map((figure) => figure.querySelector('h2').textContent), text: document.body.textContent }; })()";
    let worst = report.by_severity()[0];
    let category = report.features.iter().find(|one| one.categories.is_some()).unwrap();
    let time = report.features.iter().find(|one| one.data_type.starts_with("timestamp")).unwrap();
    for feature in [worst, category, time] {
        let address = format!("#/churn%2Feu/features/{}", feature.name.replace(':', "%3A"));
        let page = evaluate(&browser, &site.pages(), &address, Look::default(), ask);
        assert_eq!(
            (page["heading"].as_str(), page["level"].as_str()),
            (Some(&*feature.name), Some(feature.level.name()))
        );
        let charts: Vec<_> = page["charts"].as_array().unwrap().iter().map(|title| title.as_str().unwrap()).collect();
        let numeric = [
            "Distributions",
            "ECDFs",
            "PSI by bin",
            "PSI and D over time",
            "Quantiles over time",
            "Null share over time",
        ];
        let others = ["Distributions", "PSI by category", "PSI and D over time", "Null share over time"];
        assert_eq!(charts, if feature.psi_bins.is_some() { &numeric[..] } else { &others[..] });
        let text = page["text"].as_str().unwrap();
        for reason in &feature.reasons {
            assert!(text.contains(reason.as_str()), "{}: no {reason:?}", feature.name);
        }
        assert!(text.contains(&gpudrift::format::significant(feature.number("psi").unwrap())));
    }
}

#[test]
fn every_page_is_for_everybody_by_day_by_night_and_on_a_phone() {
    let Some(browser) = browser("every_page_is_for_everybody") else { return };
    let site = Site::new();
    let report = site.latest("churn/eu");
    let feature = format!("#/churn%2Feu/features/{}", report.by_severity()[0].name.replace(':', "%3A"));
    are_for_everybody(&browser, &site.pages(), &["#/", "#/churn%2Feu", "#/churn%2Feu/features", &feature]);
}

#[test]
fn names_are_text_and_never_markup() {
    let Some(browser) = browser("names_are_text") else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut history = History::open(&HistoryPlace::at(folder.path().join("drift.db"))).unwrap();
    let hostile = "<img src=x onerror=\"window.broken='markup'\">/../?a=b#c%41</script>";
    let mut report = years::report(5, 0, 1);
    report.features[0].name = hostile.to_owned();
    report.features[0].level = Level::Critical;
    report.features[0].reasons = vec![format!("because {hostile}")];
    let report = gpudrift::report::Report::new(report.run, report.features, report.skipped);
    let label = gpudrift::history::RunLabel { job: Some(hostile.to_owned()), ..Default::default() };
    history.store(&gpudrift::history::RunIdentity::of(&report, &label), &report).unwrap();
    let site = folder.path().join("site");
    write_site(&history, None, None, &site).unwrap();
    let encoded = percent_encoding::utf8_percent_encode(hostile, percent_encoding::NON_ALPHANUMERIC).to_string();
    for address in [String::new(), format!("#/{encoded}/features"), format!("#/{encoded}/features/{encoded}")] {
        let ask = "({ images: document.images.length, text: document.getElementById('main').textContent, links: [...document.querySelectorAll('main a')].map((a) => a.getAttribute('href')) })";
        let page = evaluate(&browser, &site, &address, Look::default(), ask);
        assert_eq!(page["images"], 0);
        assert!(page["text"].as_str().unwrap().contains(hostile), "{address}: {}", page["text"]);
    }
}

/// Not a test: writes a history and its pages to the folder that `GPUDRIFT_SITE` names, `GPUDRIFT_FEATURES` (60)
/// features over `GPUDRIFT_RUNS` (60) runs, and says how long it took and how large they are.
#[test]
#[ignore = "a measurement: GPUDRIFT_SITE=/tmp/site GPUDRIFT_FEATURES=5000 GPUDRIFT_RUNS=365 cargo test --test dashboard -- --ignored --nocapture"]
fn measure() {
    let say = |text: String| writeln!(std::io::stderr(), "{text}").unwrap();
    let folder = PathBuf::from(std::env::var_os("GPUDRIFT_SITE").unwrap());
    let number = |name: &str| std::env::var(name).map_or(60, |value| value.parse().unwrap());
    let (features, runs) = (number("GPUDRIFT_FEATURES"), number("GPUDRIFT_RUNS"));
    fs::create_dir_all(&folder).unwrap();
    let mut history = History::open(&HistoryPlace::at(folder.join("drift.db"))).unwrap();
    let begin = std::time::Instant::now();
    years::store(&mut history, "churn", features, runs);
    say(format!("history of {features} features x {runs} runs: {:.1?}", begin.elapsed()));
    let begin = std::time::Instant::now();
    let written = write_site(&history, None, None, &folder.join("site")).unwrap();
    say(format!("pages: {:.1?}, {} MB", begin.elapsed(), written.bytes / 1_000_000));
    let mut sizes: Vec<_> = files(&folder.join("site")).into_iter().map(|(path, bytes)| (bytes.len(), path)).collect();
    sizes.sort();
    for (bytes, path) in sizes.iter().rev().take(5) {
        say(format!("{:>8} KB {}", bytes / 1000, path.display()));
    }
}
