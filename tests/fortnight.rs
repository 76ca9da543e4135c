//! A fortnight of a team: a feature store that grows by a day, faults on known nights, `gpudrift scan` every night from the
//! configuration alone. Each fault is found on its night and called by its name, nothing else reaches WARNING, people are
//! told once, and nothing is lost when the receiver of alerts is down and a run is killed.

#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/servers.rs"]
#[allow(dead_code, reason = "the tests of alerts use the rest")]
mod servers;
#[path = "support/store.rs"]
mod store;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use browser::{Look, browser, evaluate};
use servers::{Http, nobody};
use store::{Day, write_day};

/// What goes wrong with the rows of some days.
struct Fault {
    /// First and last day of November.
    days: [u32; 2],
    /// The features that it moves.
    features: &'static [&'static str],
    /// What the report calls it.
    kind: &'static str,
    does: fn(&mut Day),
}

const FAULTS: &[Fault] = &[
    Fault {
        days: [1, 1],
        features: &["order:amount3"],
        kind: "rounding",
        does: |day| day.numbers("order:amount3", |x| (x / 10.0).round() * 10.0),
    },
    Fault {
        days: [2, 2],
        features: &["user:n8"],
        kind: "spread",
        does: |day| day.numbers("user:n8", |x| 900.0 + 2.5 * (x - 900.0)),
    },
    Fault {
        days: [2, 2],
        features: &["user:n3"],
        kind: "unit_change",
        does: |day| day.numbers("user:n3", |x| x * 1000.0),
    },
    Fault { days: [3, 3], features: &["user:n0"], kind: "sign_flip", does: |day| day.numbers("user:n0", |x| -x) },
    Fault {
        days: [4, 4],
        features: &["device:used_at"],
        kind: "time_zone",
        does: |day| day.clocks("device:used_at", 2),
    },
    Fault {
        days: [4, 4],
        features: &["order:amount2"],
        kind: "null_spike",
        does: |day| day.nulls("order:amount2", 0.5),
    },
    Fault { days: [5, 14], features: &["user:n5"], kind: "shift", does: |day| day.numbers("user:n5", |x| x + 12.0) },
    Fault {
        days: [6, 6],
        features: &["user:n1", "user:n2"],
        kind: "swapped",
        does: |day| day.swap("user:n1", "user:n2"),
    },
    Fault {
        days: [7, 7],
        features: &["user:city1"],
        kind: "recoded",
        does: |day| day.words("user:city1", str::to_uppercase),
    },
    Fault {
        days: [7, 7],
        features: &["order:amount5"],
        kind: "scale",
        does: |day| day.numbers("order:amount5", |x| 2.9 * x),
    },
    Fault { days: [8, 8], features: &["user:flag1"], kind: "shares", does: |day| day.raise("user:flag1", 0.5) },
    Fault {
        days: [8, 8],
        features: &["order:amount1"],
        kind: "clipping",
        does: |day| day.numbers("order:amount1", |x| x.min(12.0)),
    },
    Fault {
        days: [10, 10],
        features: &["user:n6", "user:n7", "user:n8"],
        kind: "unit_change",
        does: |day| ["user:n6", "user:n7", "user:n8"].iter().for_each(|name| day.numbers(name, |x| x / 1000.0)),
    },
    Fault {
        days: [12, 12],
        features: &["user:city2"],
        kind: "new_category",
        does: |day| day.some_words("user:city2", 0.15, "Atlantis"),
    },
    Fault {
        days: [13, 13],
        features: &["order:amount0"],
        kind: "constant",
        does: |day| day.numbers("order:amount0", |_| 9.5),
    },
    Fault {
        days: [14, 14],
        features: &["user:visits2"],
        kind: "default_value",
        does: |day| day.some_counts("user:visits2", 0.5, -1),
    },
];

/// The day whose column is gone, the day that has no folder, and the day on which a feature has the rows of the day before.
const COLUMN_GONE: u32 = 9;
const NO_ROWS: u32 = 11;
const FROZEN: u32 = 13;

/// The features that are not well on a day, with what happened to them.
fn expected(day: u32) -> BTreeMap<&'static str, &'static str> {
    let today = FAULTS.iter().filter(|fault| (fault.days[0]..=fault.days[1]).contains(&day) && day != NO_ROWS);
    today.flat_map(|fault| fault.features.iter().map(|&feature| (feature, fault.kind))).collect()
}

fn write(folder: &Path, month: u32, day: u32) {
    let mut rows = Day::new(month, day);
    if month == 11 {
        let today = FAULTS.iter().filter(|fault| (fault.days[0]..=fault.days[1]).contains(&day));
        today.for_each(|fault| (fault.does)(&mut rows));
        if day == COLUMN_GONE {
            rows.columns.shift_remove("device:battery");
        }
        if day == FROZEN {
            rows.freeze("user:visits0", &Day::new(month, day - 1));
        }
    }
    write_day(&folder.join("store"), &rows);
}

fn gpudrift(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gpudrift"));
    command.current_dir(folder);
    command
}

/// The night after a day of November.
fn night(folder: &Path, day: u32) -> Command {
    let mut command = gpudrift(folder);
    command.args(["scan", "--features", "all", "--as-of", &format!("2026-11-{:02}", day + 1)]);
    command
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// What the report says of the features that are not well.
fn found(report: &Value) -> BTreeMap<String, String> {
    let features = report["features"].as_array().unwrap().iter();
    let unwell = features.filter(|feature| matches!(feature["level"].as_str(), Some("warning" | "critical")));
    unwell
        .map(|feature| {
            let kind = feature["change_kind"]["kind"].as_str().unwrap_or("unknown");
            (feature["name"].as_str().unwrap().to_owned(), kind.to_owned())
        })
        .collect()
}

fn findings(report: &Value) -> BTreeSet<(String, String)> {
    let all = report["findings"].as_array().into_iter().flatten();
    all.map(|finding| {
        let word = |key: &str| finding[key].as_str().unwrap_or("").to_owned();
        (word("check"), word("feature"))
    })
    .collect()
}

/// The features that stand still.
fn still(report: &Value) -> Vec<&str> {
    let all = report["findings"].as_array().into_iter().flatten();
    all.filter(|one| one["check"] == "frozen").filter_map(|one| one["feature"].as_str()).collect()
}

/// The checks that found something about the whole run that is worth a message.
fn of_run(report: &Value) -> BTreeSet<String> {
    let all = report["findings"].as_array().into_iter().flatten();
    let loud =
        all.filter(|one| one["feature"].is_null() && matches!(one["level"].as_str(), Some("warning" | "critical")));
    loud.map(|one| format!("whole run: {}", one["check"].as_str().unwrap())).collect()
}

/// The features that the message with these words lists.
fn members(server: &Http, words: &str) -> Vec<String> {
    let messages = server.seen().into_iter().map(|event| event.json());
    let words_of =
        |message: &Value| format!("{} {}", message["action"].as_str().unwrap(), message["subject"].as_str().unwrap());
    let message = messages.into_iter().find(|message| words_of(message) == words).unwrap();
    let listed = message["features"].as_array().unwrap();
    assert_eq!(message["members"].as_array().unwrap().len(), listed.len(), "{message}");
    let mut names: Vec<String> = listed.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// `action subject` of every message, each once, in the order in which they came.
fn told(server: &Http) -> Vec<String> {
    let mut known = BTreeSet::new();
    let new = |event: &servers::Request| known.insert(event.header("Idempotency-Key").unwrap().to_owned());
    let words = |event: servers::Request| {
        let message = event.json();
        format!("{} {}", message["action"].as_str().unwrap(), message["subject"].as_str().unwrap())
    };
    let seen = server.seen();
    seen.into_iter().filter(new).map(words).collect()
}

#[test]
fn a_fortnight_of_faults_is_found_night_by_night_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let address = nobody();
    let config = format!(
        "[source]\npaths = ['store']\n\
         [scan]\ntimestamp = 'at'\ntime_folders = 'day'\n\
         reference_window = '2026-10-04..2026-10-31'\ncurrent_window = 'yesterday'\n\
         format = 'json'\nbackend = 'cpu'\nnull_warning = 0.1\n\
         [history]\npath = 'gpudrift.db'\n\
         [alerts]\nattempts = 1\ntimeout = '5s'\n\
         [alerts.hook]\ntype = 'webhook'\nendpoint = 'http://{address}/hook'\n\
         [alerts.trainer]\ntype = 'command'\ndrift = false\ncommand = ['tee', '-a', '{asked}']\n\
         [retrain]\ndrift = 0.03\nnights = 2\nhooks = ['trainer']\n",
        asked = folder.join("asked.json").display(),
    );
    std::fs::write(folder.join("gpudrift.toml"), config).unwrap();
    (4..=31).for_each(|day| write(folder, 10, day));

    let mut server = Some(Http::on(&address, []));
    let mut told_before = Vec::new();
    let mut retrained = Vec::new();
    let mut of_runs = Vec::new();
    for day in 1..=14 {
        if day != NO_ROWS {
            write(folder, 11, day);
        }
        match day {
            // The receiver is down for two nights.
            6 => told_before = told(&server.take().unwrap()),
            8 => server = Some(Http::on(&address, [])),
            _ => {}
        }
        if day == 7 {
            for pause in [5, 20, 40, 60, 80, 120] {
                let mut killed = night(folder, day).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                std::thread::sleep(Duration::from_millis(pause));
                killed.kill().unwrap();
                killed.wait().unwrap();
            }
        }
        let output = night(folder, day).output().unwrap();
        let report = report(&output);
        let expected: BTreeMap<String, String> =
            expected(day).into_iter().map(|(feature, kind)| (feature.to_owned(), kind.to_owned())).collect();
        assert_eq!(found(&report), expected, "the night after 2026-11-{day:02}");
        of_runs.push(of_run(&report));
        let quiet = of_runs.last().is_some_and(BTreeSet::is_empty);
        assert_eq!(quiet, day != NO_ROWS && day != COLUMN_GONE, "{:?}", report["findings"]);
        let undelivered = server.is_none();
        assert_eq!(output.status.code(), Some(if undelivered { 4 } else { 0 }), "{output:?}");
        let warnings = report["run"]["warnings"].to_string();
        assert_eq!(warnings.contains("has no rows"), day == NO_ROWS, "{warnings}");
        assert_eq!(warnings.contains("has no folder day=2026-11-11"), day == NO_ROWS, "{warnings}");
        let gone = findings(&report).contains(&("schema".to_owned(), String::new()));
        assert_eq!(gone, day == COLUMN_GONE, "{:?}", report["findings"]);
        assert_eq!(still(&report), if day == FROZEN { vec!["user:visits0"] } else { Vec::new() }, "the night of {day}");
        let incidents = report["incidents"].as_array().map_or(0, Vec::len);
        let together = expected.len() > 1 && day == 10;
        assert!(!together || incidents == 2, "three unit changes are one incident: {}", report["incidents"]);

        let retrain = gpudrift(folder).args(["retrain", "check", "-f", "json"]).output().unwrap();
        retrained.push((day, retrain.status.code(), self::report(&retrain)["answer"].as_str().unwrap().to_owned()));

        if day == 5 {
            let again = night(folder, day).output().unwrap();
            let said = String::from_utf8_lossy(&again.stderr).into_owned();
            assert!(said.contains("is in gpudrift.db already, and says the same"), "{said}");
            assert_eq!(self::report(&again)["features"], report["features"]);
        }
    }
    let last = server.as_ref().unwrap();
    assert_eq!(members(last, "trigger user:n6"), ["user:n6", "user:n7", "user:n8"]);
    assert_eq!(members(last, "trigger user:n1"), ["user:n1", "user:n2"], "told late, and in one piece");
    let told = [told_before, told(&server.unwrap())].concat();
    let mut news = Vec::new();
    let mut before = BTreeSet::new();
    for now in of_runs {
        news.extend(now.difference(&before).map(|check| format!("trigger {check}")));
        news.extend(before.difference(&now).map(|check| format!("resolve {check}")));
        before = now;
    }
    let mut open = BTreeSet::new();
    for day in 1..=14 {
        if day == NO_ROWS {
            continue;
        }
        // What moved together is one incident, called as the first of its features.
        let today = FAULTS.iter().filter(|fault| (fault.days[0]..=fault.days[1]).contains(&day));
        let now: BTreeSet<&str> = today.map(|fault| fault.features[0]).collect();
        news.extend(now.difference(&open).map(|feature| format!("trigger {feature}")));
        news.extend(open.difference(&now).map(|feature| format!("resolve {feature}")));
        open = now;
    }
    assert_eq!(sorted(&told), sorted(&news), "everybody is told once, and nobody of anything else");

    // user:n5 drifts from the 5th on. Two nights must have it, and no night with broken rows is one to train on: the 6th to
    // the 8th have swapped, recoded and clipped features.
    let answers = retrained.into_iter().filter(|(.., answer)| answer != "no").collect::<Vec<_>>();
    let asked = (10..=14).map(|day| (day, Some(0), "asked".to_owned()));
    assert_eq!(answers, std::iter::once((9, Some(1), "yes".to_owned())).chain(asked).collect::<Vec<_>>());
    let request = std::fs::read_to_string(folder.join("asked.json")).unwrap();
    let request: Value = serde_json::from_str(&request).expect("one request");
    assert_eq!(request["action"], "retrain", "{request}");
    let begun = told.iter().filter(|words| words.starts_with("trigger")).count();
    the_pages_show_it(folder, begun, begun - told.iter().filter(|words| words.starts_with("resolve")).count());
    let done = gpudrift(folder).args(["retrain", "done", "--model-version", "v2"]).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let after = gpudrift(folder).args(["retrain", "check", "-f", "json"]).output().unwrap();
    assert_eq!((after.status.code(), report(&after)["answer"].as_str()), (Some(0), Some("no")));

    let runs = gpudrift(folder).args(["history", "runs", "-f", "json"]).output().unwrap();
    let runs = report(&runs);
    assert_eq!(runs.as_array().unwrap().len(), 14, "{runs}");
    let shown = gpudrift(folder).args(["history", "--all"]).output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("user:n5"), "{shown}");
}

/// The dashboard of the fortnight in a real browser, by day and by night: every incident with its end, the one request to
/// train, and each feature that was not well with its time.
fn the_pages_show_it(folder: &Path, begun: usize, open: usize) {
    let Some(browser) = browser("the_pages_show_it") else { return };
    let output = gpudrift(folder).args(["dashboard", "--output", "site"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let ask = "({ alerts: [...document.querySelectorAll('#alerts ~ * tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent)),
        answers: [...document.querySelectorAll('#training ~ * tbody tr')].map((row) => row.cells[1].textContent),
        runs: document.querySelectorAll('#runs ~ * tbody tr').length, drawn: document.querySelectorAll('.plot canvas').length,
        title: document.querySelector('h1').textContent, past: [...document.querySelectorAll('#history ~ .scroll')].length,
        told: document.body.textContent.includes('What people were told'), back: getComputedStyle(document.body).backgroundColor })";
    for dark in [false, true] {
        let look = Look { dark, ..Look::default() };
        let site = folder.join("site");
        let page = evaluate(&browser, &site, "#/", look, ask);
        assert_eq!(page["back"] == "rgb(255, 255, 255)", !dark);
        let alerts = page["alerts"].as_array().unwrap();
        assert_eq!(alerts.len(), begun, "{alerts:?}");
        assert_eq!(alerts.iter().filter(|alert| alert[3] == "open").count(), open, "{alerts:?}");
        assert!(alerts.iter().all(|alert| alert[4] != "nobody"), "{alerts:?}");
        let answers = page["answers"].as_array().unwrap();
        assert_eq!((answers.len(), answers.iter().filter(|answer| *answer == "yes").count()), (14, 1), "{answers:?}");
        assert_eq!(answers[0], "asked");
        assert!(page["drawn"].as_u64().unwrap() >= 1 && page["runs"] == 10, "{page}");
        for feature in FAULTS.iter().flat_map(|fault| fault.features) {
            let address = format!("#/default/features/{}", feature.replace(':', "%3A"));
            let page = evaluate(&browser, &site, &address, look, ask);
            assert_eq!((&page["title"], &page["told"]), (&Value::from(*feature), &true.into()), "{page}");
            assert!(page["past"].as_u64().unwrap() >= 1 && page["drawn"].as_u64().unwrap() >= 1, "{feature}: {page}");
        }
    }
}

fn sorted(words: &[String]) -> Vec<&String> {
    let mut words: Vec<_> = words.iter().collect();
    words.sort();
    words
}
