//! Made-up histories of many nights, with distributions that belong together: features drift and recover, a table's
//! load fails and turns up in another unit, nulls come and go.

use gpudrift::change::{Cause, ChangeKind};
use gpudrift::column::Kind;
use gpudrift::format::{probability, ratio, real, significant};
use gpudrift::history::{History, RunIdentity, RunLabel};
use gpudrift::metric::psi_term;
use gpudrift::quality::Finding;
use gpudrift::report::{
    Categories, Change, Edge, Facts, FeatureReport, MetricValue, Number, PsiBins, Report, Run, SideReport, SkipCause,
    Skipped, TopCategory,
};
use gpudrift::verdict::Level;

const ROWS: u64 = 100_000;
/// Standard normal quantiles at the levels of the report.
const Z: [(&str, f64); 9] = [
    ("0.01", -2.326),
    ("0.05", -1.645),
    ("0.1", -1.282),
    ("0.25", -0.674),
    ("0.5", 0.0),
    ("0.75", 0.674),
    ("0.9", 1.282),
    ("0.95", 1.645),
    ("0.99", 2.326),
];
/// Standard normal deciles: where the bins of the reference are cut.
const DECILES: [f64; 9] = [-1.2816, -0.8416, -0.5244, -0.2533, 0.0, 0.2533, 0.5244, 0.8416, 1.2816];

/// A number from 0 to 1 that follows from two.
fn chance(a: u64, b: u64) -> f64 {
    let mut x = a.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ b.wrapping_add(0x632b_e59b_d9b4_e019);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    real((x ^ (x >> 31)) >> 11) / real(1 << 53)
}

/// How far feature `i` has moved in run `r` of `runs`, in standard deviations: mostly noise, for some an episode.
fn moved(i: u64, r: u64, runs: u64) -> f64 {
    let noise = (chance(i, r) - 0.5) * 0.04;
    let begins = chance(i, 1 << 40) * real(runs) * 1.4;
    let lasts = 2.0 + chance(i, 2 << 40) * real(runs) * 0.2;
    let drifts = i.is_multiple_of(9) && real(r) >= begins && real(r) < begins + lasts;
    if drifts { 0.3 + chance(i, 3 << 40) * 0.7 + noise } else { noise }
}

/// Whether the load of feature `i`'s table came in another unit in run `r`: the second table, in the last three runs.
fn in_thousands(i: u64, r: u64, runs: u64) -> bool {
    i / 20 == 1 && r + 3 >= runs && i % 20 < 7
}

fn side(nulls: u64, mean: f64, std: f64) -> SideReport {
    let facts = Facts {
        distinct: Some(9_876),
        distinct_estimated: false,
        min: Some(Number::Float(mean - 4.2 * std)),
        max: Some(Number::Float(mean + 4.2 * std)),
        mean: Some(mean),
        std: Some(std),
        zeros: Some(0),
        outliers: Some(700),
        extreme_outliers: Some(2),
        quantiles: Some(Z.iter().map(|(level, z)| ((*level).to_owned(), Some(mean + z * std))).collect()),
    };
    SideReport { rows: ROWS, nulls, nans: 0, infinite: 0, facts: Some(facts) }
}

/// Counts of a normal distribution in the cells between `cuts`, of `n` values.
fn normal(cuts: &[f64], mean: f64, std: f64, n: u64) -> Vec<u64> {
    let below = |x: f64| 0.5 * libm::erfc((mean - x) / std / std::f64::consts::SQRT_2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of n")]
    let count = |x: f64| (below(x) * real(n)).round() as u64;
    let ends: Vec<u64> = cuts.iter().map(|&cut| count(cut)).chain([n]).collect();
    ends.iter().scan(0, |before, &end| Some(end - std::mem::replace(before, end))).collect()
}

/// Feature `i` in run `r`.
pub(crate) fn feature(i: u64, r: u64, runs: u64) -> FeatureReport {
    let shift = moved(i, r, runs);
    let (mean, std) = (10.0 + real(i % 37), 1.0 + real(i % 5));
    let factor = if in_thousands(i, r, runs) { 1000.0 } else { 1.0 };
    let after = (factor * (mean + shift * std), factor * std);
    let nulls = if i % 31 == 4 && shift > 0.2 { ROWS / 5 } else { 100 };
    let (reference, current) = (side(100, mean, std), side(nulls, after.0, after.1));
    let mut feature = FeatureReport {
        segment: None,
        name: format!("view_{:02}:feature_{i:04}", i / 20),
        data_type: "float64".to_owned(),
        current_type: None,
        kind: Kind::Numeric,
        level: Level::Ok,
        weight: None,
        reasons: Vec::new(),
        change: Change::default(),
        reference,
        current,
        metrics: indexmap::IndexMap::new(),
        undefined: std::collections::BTreeMap::new(),
        threshold: None,
        psi_bins: None,
        categories: None,
        change_kind: None,
        raw_level: None,
        muted_until: None,
        notes: Vec::new(),
    };
    let n = [ROWS - 100, ROWS - nulls];
    let tables = match i % 7 {
        3 => categorical(&mut feature, shift, n),
        _ => numeric(&mut feature, (mean, std), after, n),
    };
    if i % 13 == 5 && i % 7 != 3 {
        temporal(&mut feature);
    }
    judge(&mut feature, &tables, n);
    feature.change = Change::between(&feature.reference, &feature.current);
    explain(&mut feature, shift, factor, nulls);
    feature
}

fn numeric(feature: &mut FeatureReport, (mean, std): (f64, f64), after: (f64, f64), n: [u64; 2]) -> [Vec<u64>; 2] {
    let edges = DECILES.map(|z| mean + z * std);
    let (reference, current) = (normal(&edges, mean, std, n[0]), normal(&edges, after.0, after.1, n[1]));
    feature.psi_bins =
        Some(PsiBins { edges: edges.map(Edge).to_vec(), reference: reference.clone(), current: current.clone() });
    [reference, current]
}

fn categorical(feature: &mut FeatureReport, shift: f64, n: [u64; 2]) -> [Vec<u64>; 2] {
    (feature.kind, feature.data_type) = (Kind::Categorical, "string".to_owned());
    let [reference, current] =
        [(0.0, n[0]), (shift, n[1])].map(|(mean, n)| normal(&[-0.7, 0.0, 0.6, 1.3], mean, 1.0, n));
    let names = ["DE", "FR", "IT", "GB", "AT"];
    let top = names.iter().zip(reference.iter().zip(&current));
    let top = top.map(|(name, (&reference, &current))| TopCategory { value: (*name).to_owned(), reference, current });
    feature.categories = Some(Categories { top: top.collect(), ..Categories::default() });
    for side in [&mut feature.reference, &mut feature.current] {
        side.facts = Some(Facts { distinct: Some(5), ..Facts::default() });
    }
    [reference, current]
}

/// The same numbers as milliseconds around the turn of a year.
fn temporal(feature: &mut FeatureReport) {
    (feature.kind, feature.data_type) = (Kind::Temporal, "timestamp[ms]".to_owned());
    let at = |value: f64| (1_767_225_600_000.0 + value * 86_400_000.0).round();
    for edge in &mut feature.psi_bins.as_mut().unwrap().edges {
        edge.0 = at(edge.0);
    }
    for side in [&mut feature.reference, &mut feature.current] {
        let facts = side.facts.as_mut().unwrap();
        (facts.mean, facts.std) = (facts.mean.map(at), facts.std.map(|std| std * 86_400_000.0));
        (facts.min, facts.max) = (
            facts.min.map(|min| Number::Float(at(min.as_f64()))),
            facts.max.map(|max| Number::Float(at(max.as_f64()))),
        );
        for value in facts.quantiles.as_mut().unwrap().values_mut() {
            *value = value.map(at);
        }
    }
}

/// Metrics and level that follow from the counts.
fn judge(feature: &mut FeatureReport, [reference, current]: &[Vec<u64>; 2], n: [u64; 2]) {
    let pairs = || reference.iter().zip(current).map(|(&r, &c)| (ratio(r, n[0]), ratio(c, n[1])));
    let psi: f64 = pairs().map(|(r, c)| psi_term(r, c, 0.001)).sum();
    let d = pairs().scan(0.0, |gap, (r, c)| {
        *gap += r - c;
        Some(f64::abs(*gap))
    });
    let d = d.fold(0.0, f64::max);
    let p = (-2.0 * d * d * real(ROWS) / 2.0).exp().min(1.0);
    let test = if feature.kind == Kind::Categorical { "chi2" } else { "ks" };
    let metric = |name: String, value: MetricValue| (name, value);
    feature.metrics = [
        metric("psi".to_owned(), psi.into()),
        metric(format!("{test}_statistic"), d.into()),
        metric(format!("{test}_p_value"), p.into()),
        metric(format!("{test}_q_value"), (p * 2.0).min(1.0).into()),
        metric("js_distance".to_owned(), (psi / 8.0).sqrt().into()),
    ]
    .into_iter()
    .collect();
    let (level, limit) = match psi {
        psi if psi >= 0.2 => (Level::Critical, "0.2"),
        psi if psi >= 0.1 => (Level::Warning, "0.1"),
        _ => return,
    };
    feature.level = level;
    feature.reasons = vec![format!("PSI {} ≥ {limit} with q {}", significant(psi), probability(p))];
}

fn explain(feature: &mut FeatureReport, shift: f64, factor: f64, nulls: u64) {
    let change = |kind: &str, title: String, confidence, cause, evidence: String| {
        Some(ChangeKind { kind: kind.to_owned(), title, confidence, cause, evidence })
    };
    if nulls > 100 {
        feature.level = feature.level.max(Level::Info);
        let evidence = "nulls rose from 0.1% to 20% of the rows".to_owned();
        feature.change_kind = change("null_spike", "null spike".to_owned(), 0.97, Cause::Pipeline, evidence);
        feature.reasons.push("null share moved from 0.1% to 20%".to_owned());
    } else if factor > 1.0 && feature.level > Level::Ok && feature.kind == Kind::Numeric {
        let evidence = "every quantile is 998.1 to 1001.5 times its reference; undone, the two differ by 0.4 points";
        let title = "unit change × 1000".to_owned();
        feature.change_kind = change("unit_change", title, 0.96, Cause::Pipeline, evidence.to_owned());
    } else if feature.level > Level::Ok {
        let title = format!("shifted +{}", significant(shift));
        let evidence = "every quantile lies higher; undone, the two differ by 0.8 points at most".to_owned();
        feature.change_kind = change("shift", title, 0.84, Cause::Data, evidence);
    }
}

/// The report of run `r` of `runs`.
pub(crate) fn report(features: u64, r: u64, runs: u64) -> Report {
    let mut run = Run::start(gpudrift::config::ScanConfig::default());
    (run.backend, run.device, run.duration_seconds) = ("cpu".to_owned(), "2 threads".to_owned(), 12.5);
    run.started_at = "2026-01-02T03:04:05.678Z".to_owned();
    for (input, path) in [(&mut run.reference, "data/reference"), (&mut run.current, "data/current")] {
        (input.paths, input.files, input.rows) = (vec![path.to_owned()], 4, ROWS);
    }
    let skipped = Skipped {
        name: "view_00:history".to_owned(),
        reason: "is a list; nested columns are not compared".to_owned(),
        cause: SkipCause::Unsupported,
        named: false,
    };
    let finding = Finding {
        level: Level::Info,
        check: "schema".to_owned(),
        feature: None,
        message: "1 column is gone: view_00:legacy".to_owned(),
        numbers: [("gone".to_owned(), 1.0)].into_iter().collect(),
    };
    let features = (0..features).map(|i| feature(i, r, runs)).collect();
    Report::new(run, features, vec![skipped]).with_findings(vec![finding])
}

/// Who the report of run `r` of `runs` is: the last night is 2026-11-22.
pub(crate) fn identity(report: &Report, job: &str, r: u64, runs: u64) -> RunIdentity {
    let last = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).unwrap();
    let day = last - chrono::Days::new(runs - 1 - r);
    let label = RunLabel { job: Some(job.to_owned()), as_of: Some(day.to_string().parse().unwrap()), run_id: None };
    RunIdentity::of(report, &label)
}

/// Stores `runs` nights of `features` features.
pub(crate) fn store(history: &mut History, job: &str, features: u64, runs: u64) {
    for r in 0..runs {
        let report = report(features, r, runs);
        history.store(&identity(&report, job, r, runs), &report).unwrap();
    }
}
