//! Made-up histories of models: versions that replace each other, labels that arrive late, a drop, latencies that rise,
//! a regression without labels, validations, and answers about training.

use chrono::{DateTime, Days, NaiveDate, Utc};
use gpudrift::history::{History, ModelDrift, ModelEntry, ModelKey, ModelSegment, ModelValue};
use gpudrift::model::validate::{Decision, PairRows, RuleReport, ValidationReport, ValidationRun};
use gpudrift::model::{ErrorReport, Estimate, MetricReport, NumberReport, Operations, RowCounts, Task};
use gpudrift::retrain::{Drift, Evidence, Ledger, Policy, RetrainConfig};
use gpudrift::verdict::Level;

/// The windows in which the model is bad: so many before the last, and for so many.
const BAD: [u64; 2] = [8, 4];

fn noise(a: u64, b: u64) -> f64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_add(0x632b_e59b_d9b4_e019);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    gpudrift::format::real((x ^ (x >> 31)) >> 11) / gpudrift::format::real(1 << 53) - 0.5
}

fn end(window: u64, windows: u64) -> (NaiveDate, DateTime<Utc>) {
    let last = NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let day = last - Days::new(windows - 1 - window);
    (day, (day + Days::new(1)).and_hms_opt(0, 0, 0).unwrap().and_utc())
}

fn numbers(p50: f64, level: Level) -> NumberReport {
    let [p95, p99, max, mean] = [3.0, 5.0, 9.0, 1.3].map(|factor| Some(p50 * factor));
    NumberReport { values: 9000, mean, p50: Some(p50), p95, p99, max, level, ..NumberReport::default() }
}

/// A window with `labelled` of its rows labelled.
fn value(seed: u64, rows: u64, labelled: u64, bad: bool, figures: &[(&str, f64)], stored: DateTime<Utc>) -> ModelValue {
    let level = if bad { Level::Critical } else { Level::Ok };
    let metric = |(name, good): &(&str, f64)| {
        let value = good - if bad { 0.12 } else { 0.0 } + 0.01 * noise(seed, 7);
        let (low, high) = (Some(value - 0.012), Some(value + 0.012));
        let level = if *name == "accuracy" { level } else { Level::Ok };
        let (baseline, worse_by) = (Some(*good), Some(good - value));
        ((*name).to_owned(), MetricReport { value: Some(value), low, high, baseline, worse_by, level })
    };
    let estimate = |(name, good): &(&str, f64)| {
        let value = good - if bad { 0.09 } else { 0.0 } + 0.008 * noise(seed, 8);
        let estimate = Estimate {
            value: Some(value),
            low: Some(value - 0.02),
            high: Some(value + 0.02),
            baseline: Some(*good),
            ..Estimate::default()
        };
        ((*name).to_owned(), estimate)
    };
    let share = 0.004 + if bad { 0.03 } else { 0.0 };
    let errors = ErrorReport {
        failed: 40,
        known: rows,
        rate: Some(share),
        low: Some(share * 0.8),
        high: Some(share * 1.2),
        level: Level::Ok,
    };
    let latency = numbers(40.0 + 10.0 * noise(seed, 9) + if bad { 60.0 } else { 0.0 }, level);
    let drift = |psi: f64| ModelDrift { level, psi: Some(psi), q_value: Some(0.01) };
    ModelValue {
        stored_at: stored,
        level: if labelled > 0 { level } else { Level::Ok },
        reasons: if bad { vec!["accuracy fell by 0.12 from 0.91".to_owned()] } else { Vec::new() },
        rows: RowCounts { rows, labelled, measured: labelled, ..RowCounts::default() },
        labels_due: None,
        metrics: figures.iter().filter(|_| labelled > 0).map(metric).collect(),
        estimated: figures.iter().map(estimate).collect(),
        drift: [("prediction", 0.01), ("score", if bad { 0.31 } else { 0.02 })]
            .map(|(name, psi)| (name.to_owned(), drift(psi)))
            .into_iter()
            .collect(),
        operations: Some(Operations {
            throughput_per_second: Some(12.0 + 3.0 * noise(seed, 11)),
            latency: Some(latency),
            errors: Some(errors),
            columns: [("cpu".to_owned(), numbers(0.2, Level::Ok))].into_iter().collect(),
        }),
        business: None,
    }
}

/// A version of `loan` in a window and its share of the traffic.
fn serving(window: u64, windows: u64) -> Vec<(&'static str, u64)> {
    match window * 6 / windows {
        0..3 => vec![("v1", 10_000)],
        3 | 4 => vec![("v2", 10_000)],
        _ => vec![("v2", 9000), ("v3-canary", 1000)],
    }
}

const CLASSIFIER: [(&str, f64); 6] =
    [("accuracy", 0.91), ("precision", 0.88), ("recall", 0.84), ("f1", 0.86), ("f1_macro", 0.85), ("roc_auc", 0.95)];

/// Stores `windows` days of the models `loan` (binary, three versions, two regions) and `price` (regression).
pub(crate) fn store(history: &mut History, job: &str, windows: u64) {
    let (mut first, mut later) = (Vec::new(), Vec::new());
    for window in 0..windows {
        let (day, at) = end(window, windows);
        let bad = window + BAD[0] >= windows && window + BAD[0] < windows + BAD[1];
        let entry = |model: &str, task, version: Option<&str>, region: Option<&str>, value| ModelEntry {
            key: ModelKey {
                job: job.to_owned(),
                model: model.to_owned(),
                definition: "d".to_owned(),
                segment: region
                    .map(|region| ModelSegment { column: "region".to_owned(), value: Some(region.to_owned()) }),
                version: version.map(str::to_owned),
                window: day.to_string(),
            },
            days: Some([day.to_string(), day.to_string()]),
            at,
            task,
            open: false,
            value,
        };
        for (version, rows) in serving(window, windows) {
            for (region, part) in [(None, 10), (Some("north"), 7), (Some("south"), 3)] {
                let rows = rows * part / 10;
                // Labels take three days; a third of them is there at once, with other figures.
                let late = window + 3 >= windows;
                let at_first = value(window + 999, rows, if late { 0 } else { rows / 3 }, bad, &CLASSIFIER, at);
                first.push(entry("loan", Task::Binary, Some(version), region, at_first));
                if !late {
                    let all = value(window, rows, rows, bad, &CLASSIFIER, at + Days::new(3));
                    later.push(entry("loan", Task::Binary, Some(version), region, all));
                }
            }
        }
        let price = [("mae", 0.4), ("rmse", 0.6)];
        first.push(entry("price", Task::Regression, None, None, value(window + 5, 5000, 0, false, &price, at)));
    }
    history.store_models(&first).unwrap();
    history.store_models(&later).unwrap();
    validations(history, job);
    training(history, job, windows);
}

fn validations(history: &History, job: &str) {
    for (day, decision) in [(1, Decision::Reject), (9, Decision::Hold), (17, Decision::Deploy)] {
        let rule = RuleReport {
            figure: "change.accuracy".to_owned(),
            min: Some(-0.005),
            max: None,
            value: Some(0.011),
            low: Some(0.004),
            high: Some(0.018),
            answer: decision,
            reason: "the whole interval lies above -0.005".to_owned(),
        };
        let report = ValidationReport {
            schema_version: 1,
            run: ValidationRun {
                version: "0",
                champion: vec!["champion.parquet".to_owned()],
                challenger: vec![format!("challenger-{day}.parquet")],
                policy: "p.toml".to_owned(),
                duration_seconds: 1.0,
            },
            decision,
            confidence: 0.95,
            samples: 1000,
            seed: 42,
            rows: PairRows::default(),
            rules: vec![rule],
            figures: indexmap::IndexMap::new(),
            groups: std::collections::BTreeMap::new(),
            training: Vec::new(),
        };
        let at = NaiveDate::from_ymd_opt(2026, 11, day).unwrap().and_hms_opt(6, 0, 0).unwrap().and_utc();
        history.store_validation(&report, Some(job), "loan", at).unwrap();
    }
}

fn training(history: &History, job: &str, windows: u64) {
    let ledger = Ledger::open(history).unwrap();
    let policy = Policy::from(&RetrainConfig::default());
    let mut asked = None;
    for window in windows.saturating_sub(5)..windows {
        let at = end(window, windows).1;
        let share = if window + 3 >= windows { 0.23 } else { 0.02 };
        let evidence = Evidence {
            run: "r".to_owned(),
            at,
            trained: None,
            since: end(0, windows).1,
            drift: Drift { share, ..Drift::default() },
            shares: vec![share],
            new_samples: 50_000,
            labelled: false,
            drifted_days: share,
            performance: None,
            unnamed_models: Vec::new(),
        };
        let decision = policy.decide(job, evidence, asked);
        asked = asked.or(decision.is_yes().then_some(at));
        ledger.keep(&decision).unwrap();
    }
}
