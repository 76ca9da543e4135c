//! Hand-made reports for the tests of the sinks.

use std::path::Path;

use indexmap::IndexMap;

use super::*;
use crate::format::real;

/// Compares `text` with the file of this name under `tests/snapshots`; `GPUDRIFT_BLESS=1` writes the file instead.
pub(crate) fn assert_snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name);
    if std::env::var_os("GPUDRIFT_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(text == expected, "{name} has changed; look at it and run with GPUDRIFT_BLESS=1\n{text}");
}

fn run() -> Run {
    let input = |path: &str, rows| Input {
        paths: vec![path.to_owned()],
        files: 2,
        rows,
        window: None,
        skipped_files: Vec::new(),
    };
    Run {
        job: None,
        backend: "cpu".to_owned(),
        device: "2 threads".to_owned(),
        version: "0.1.0".to_owned(),
        reference: input("data/reference", 100_000),
        current: input("data/current", 98_000),
        config: ScanConfig::default(),
        started_at: "2026-01-02T03:04:05.678Z".to_owned(),
        duration_seconds: 1.25,
        timings: [("read".to_owned(), 0.75), ("count".to_owned(), 0.25)].into_iter().collect(),
        warnings: Vec::new(),
        blind_checks: Vec::new(),
        selection: Vec::new(),
        segments: None,
        freshness: None,
    }
}

fn side(rows: u64, nulls: u64, mean: f64, std: f64) -> SideReport {
    let levels = ["0.01", "0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99"];
    let z = [-2.326, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326];
    let quantiles = levels.iter().zip(z).map(|(level, z)| ((*level).to_owned(), Some(mean + z * std))).collect();
    let facts = Facts {
        distinct: Some(9_876),
        distinct_estimated: false,
        min: Some(Number::Float(mean - 4.0 * std)),
        max: Some(Number::Float(mean + 4.0 * std)),
        mean: Some(mean),
        std: Some(std),
        zeros: Some(0),
        outliers: Some(700),
        extreme_outliers: Some(2),
        quantiles: Some(quantiles),
    };
    SideReport { rows, nulls, nans: 0, infinite: 0, facts: Some(facts) }
}

fn metrics(entries: &[(&str, MetricValue)]) -> IndexMap<String, MetricValue> {
    entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// A numeric feature with level and reason by PSI.
fn numeric(name: &str, data_type: &str, psi: f64, d: f64, q: f64, shares: [u64; 10]) -> FeatureReport {
    let reference = side(100_000, 0, 20.0, 5.0);
    let current = side(98_000, 0, 20.0 + 5.0 * psi, 5.0 + psi);
    let (level, limit) = match psi {
        psi if psi >= 0.2 => (Level::Critical, "0.2"),
        psi if psi >= 0.1 => (Level::Warning, "0.1"),
        _ => (Level::Ok, ""),
    };
    let reasons = match level {
        Level::Ok => Vec::new(),
        _ => {
            vec![format!("PSI {} ≥ {limit} with q {}", crate::format::significant(psi), crate::format::probability(q))]
        }
    };
    FeatureReport {
        name: name.to_owned(),
        segment: None,
        data_type: data_type.to_owned(),
        current_type: None,
        kind: if data_type.starts_with("timestamp") { Kind::Temporal } else { Kind::Numeric },
        level,
        weight: None,
        reasons,
        change: Change::between(&reference, &current),
        reference,
        current,
        metrics: metrics(&[
            ("psi", psi.into()),
            ("ks_statistic", d.into()),
            ("ks_p_value", (q * 0.5).into()),
            ("ks_q_value", q.into()),
            ("ks_method", "asymp".into()),
            ("js_divergence", (psi / 8.0).into()),
            ("js_distance", (psi / 8.0).sqrt().into()),
        ]),
        undefined: std::collections::BTreeMap::new(),
        threshold: None,
        psi_bins: Some(PsiBins {
            edges: (1..10).map(|edge| Edge(12.0 + 2.0 * real(edge))).collect(),
            reference: vec![10_000; 10],
            current: shares.map(|share| share * 980).to_vec(),
        }),
        categories: None,
        change_kind: None,
        raw_level: None,
        muted_until: None,
        notes: Vec::new(),
    }
}

fn categorical(name: &str, data_type: &str, psi: f64, q: f64, top: &[(&str, u64, u64)]) -> FeatureReport {
    let mut feature = numeric(name, data_type, psi, 0.0, q, [0; 10]);
    feature.kind = if data_type == "boolean" { Kind::Boolean } else { Kind::Categorical };
    feature.psi_bins = None;
    feature.metrics = metrics(&[
        ("psi", psi.into()),
        ("js_divergence", (psi / 8.0).into()),
        ("js_distance", (psi / 8.0).sqrt().into()),
        ("chi2_statistic", (psi * 1e5).into()),
        ("chi2_dof", (top.len() as u64 - 1).into()),
        ("chi2_p_value", (q * 0.5).into()),
        ("chi2_q_value", q.into()),
    ]);
    for side in [&mut feature.reference, &mut feature.current] {
        side.facts = Some(Facts { distinct: Some(top.len() as u64), ..Facts::default() });
    }
    feature.change = Change::between(&feature.reference, &feature.current);
    let top =
        top.iter().map(|&(value, reference, current)| TopCategory { value: value.to_owned(), reference, current });
    feature.categories = Some(Categories { top: top.collect(), ..Categories::default() });
    feature
}

/// Twenty features of every kind and level.
pub(crate) fn report() -> Report {
    let flat = [10; 10];
    let mut features = vec![
        numeric(
            "customer_stats:amount_mean_90d",
            "float64",
            0.512,
            0.231,
            1.2e-40,
            [2, 3, 5, 7, 9, 11, 13, 15, 17, 18],
        ),
        numeric("customer_stats:amount_std_90d", "float64", 0.003, 0.004, 0.71, flat),
        numeric("customer_stats:logins_7d", "int32", 0.147, 0.098, 3.3e-12, [16, 14, 12, 11, 10, 9, 8, 8, 7, 5]),
        numeric("customer_stats:age", "uint8", 0.0, 0.0, 1.0, flat),
        categorical(
            "orders:country",
            "string",
            0.124,
            2.2e-19,
            &[
                ("DE", 50_000, 48_000),
                ("FR", 30_000, 31_000),
                ("IT", 20_000, 18_800),
                ("GB", 0, 1200),
                ("AT", 0, 0),
                ("CH", 0, 0),
            ],
        ),
        categorical("orders:is_gift", "boolean", 0.001, 0.4, &[("false", 90_000, 88_000), ("true", 10_000, 10_000)]),
        numeric("orders:created_at", "timestamp(us, UTC)", 8.21, 1.0, 0.0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 100]),
        numeric("orders:items", "int64", 0.012, 0.011, 0.08, [11, 10, 10, 9, 10, 10, 11, 9, 10, 10]),
        numeric(
            "orders:discount_share_of_the_last_thirty_days_by_channel_web",
            "float32",
            0.104,
            0.051,
            0.000_4,
            [14, 8, 8, 9, 10, 10, 10, 10, 10, 11],
        ),
        numeric("device:battery_level", "float32", 0.021, 0.13, 4.1e-9, [12, 8, 10, 10, 11, 9, 10, 10, 9, 11]),
        categorical(
            "device:model",
            "dictionary<string>",
            0.034,
            0.02,
            &[("a1", 30_000, 29_000), ("a2", 25_000, 25_500), ("b7", 20_000, 18_000), ("x", 9000, 9200)],
        ),
        numeric("device:temperature", "decimal(9,2)", 0.002, 0.003, 0.88, flat),
        numeric("温度:平均", "float64", 0.25, 0.12, 1e-20, [20, 15, 10, 10, 10, 10, 10, 5, 5, 5]),
        numeric("orders:refund_amount", "float64", 0.0, 0.0, 1.0, flat),
    ];
    features.extend(
        (1..=6).map(|i| numeric(&format!("embedding:dim_{i}"), "float16", 0.001 * real(i), 0.002 * real(i), 0.9, flat)),
    );
    let by_name = |features: &mut Vec<FeatureReport>, name: &str| features.iter().position(|f| f.name == name).unwrap();

    let country = by_name(&mut features, "orders:country");
    let categories = features[country].categories.as_mut().unwrap();
    categories.new = vec![Category { value: "GB".to_owned(), count: 1200, share: 0.012 }];
    categories.new_count = 1;
    features[country].reasons.push("1 new category in 1.2% of the values".to_owned());

    let battery = by_name(&mut features, "device:battery_level");
    features[battery].level = Level::Info;
    features[battery].current.nulls = 9_800;
    features[battery].reasons =
        vec!["null share moved from 0% to 10%".to_owned(), "KS D 0.13 with q 4.1e-9, though PSI is 0.021".to_owned()];

    let kind = |kind: &str, title: &str, confidence, cause, evidence: &str| {
        let (kind, title, evidence) = (kind.to_owned(), title.to_owned(), evidence.to_owned());
        Some(ChangeKind { kind, title, confidence, cause, evidence })
    };
    let amount = by_name(&mut features, "customer_stats:amount_mean_90d");
    features[amount].change_kind = kind(
        "unit_change",
        "unit change × 1000",
        0.96,
        Cause::Pipeline,
        "every quantile is 996.3 to 1051.5 times its reference (kilo); undone, the two differ by 0.4 points at most",
    );
    let created = by_name(&mut features, "orders:created_at");
    let later = "every quantile lies 29.9 days later; undone, the two differ by 0.4 points at most";
    features[created].change_kind = kind("shift", "shifted 29.9 days later", 0.84, Cause::Data, later);
    let country = by_name(&mut features, "orders:country");
    let gb = "\"GB\" in 1.2% of the values; the others keep their proportions";
    features[country].change_kind = kind("new_category", "new category \"GB\"", 0.9, Cause::Data, gb);
    for (name, evidence) in [
        ("device:battery_level", "nulls rose from 0% to 10% of the rows"),
        ("device:temperature", "nulls rose from 0% to 9.9% of the rows"),
    ] {
        let at = by_name(&mut features, name);
        features[at].level = Level::Info;
        features[at].change_kind = kind("null_spike", "null spike", 0.97, Cause::Pipeline, evidence);
    }

    let refund = by_name(&mut features, "orders:refund_amount");
    let feature = &mut features[refund];
    feature.level = Level::Info;
    feature.reasons = vec!["the current side has no values".to_owned(), "null share moved from 0% to 100%".to_owned()];
    feature.current = SideReport {
        rows: 98_000,
        nulls: 98_000,
        facts: Some(Facts { distinct: Some(0), ..Facts::default() }),
        ..SideReport::default()
    };
    feature.change = Change::between(&feature.reference, &feature.current);
    for name in ["psi", "ks_statistic", "ks_p_value", "ks_q_value", "ks_method", "js_divergence", "js_distance"] {
        feature.metrics.insert(name.to_owned(), MetricValue::Null);
        feature.undefined.insert(name.to_owned(), "the current side has no values".to_owned());
    }
    feature.psi_bins.as_mut().unwrap().current = vec![0; 10];

    let skipped = |name: &str, reason: &str, cause, named| Skipped {
        name: name.to_owned(),
        reason: reason.to_owned(),
        cause,
        named,
    };
    let skipped = vec![
        skipped("orders:history", "is a list; nested columns are not compared", SkipCause::Unsupported, false),
        skipped("orders:legacy_code", "is in the reference only", SkipCause::OneSided, false),
        skipped("orders:contry", "no feature has this name; did you mean orders:country?", SkipCause::Unknown, true),
    ];
    let finding = |check: &str, feature: Option<&str>, message: &str| Finding {
        check: check.to_owned(),
        level: if feature.is_none() { Level::Warning } else { Level::Info },
        feature: feature.map(str::to_owned),
        message: message.to_owned(),
        numbers: [("share".to_owned(), 0.125)].into_iter().collect(),
    };
    let findings = vec![
        finding("schema", None, "1 column is gone: orders:legacy_code"),
        finding("outliers", Some("orders:items"), "far outliers rose from 0.2% to 12.5% of the values"),
    ];
    Report::new(run(), features, skipped).with_findings(findings)
}

/// No features at all.
pub(crate) fn empty() -> Report {
    Report::new(run(), Vec::new(), Vec::new())
}

/// Names and numbers that break careless writers.
pub(crate) fn odd() -> Report {
    let mut one = numeric(
        "<b>bold</b> \"quoted\" a\\b|c\n\u{1b}[31m{x=\"1\"},𝄞",
        "float64",
        f64::INFINITY,
        f64::NAN,
        f64::NAN,
        [10; 10],
    );
    one.metrics["psi"] = MetricValue::Number(f64::NAN);
    one.reasons = vec!["<script>alert(1)</script> ]]> & more".to_owned()];
    one.psi_bins = Some(PsiBins {
        edges: vec![Edge(f64::NEG_INFINITY), Edge(-0.0), Edge(f64::from_bits(1)), Edge(f64::INFINITY)],
        reference: vec![u64::MAX / 8; 5],
        current: vec![0, 0, 0, 0, 1],
    });
    let facts = Facts {
        min: Some(Number::Integer(i64::MIN.into())),
        max: Some(Number::Integer(u64::MAX.into())),
        mean: Some(f64::NAN),
        std: Some(f64::INFINITY),
        ..Facts::default()
    };
    one.reference.facts = Some(facts);
    let twin = one.clone();
    let mut bare = numeric("", "", f64::MAX, 0.0, 5e-324, [0; 10]);
    (bare.psi_bins, bare.metrics) = (None, IndexMap::new());
    let skipped = Skipped {
        name: "a\nb".to_owned(),
        reason: "</dd>\u{0}".to_owned(),
        cause: SkipCause::Unreadable,
        named: false,
    };
    let mut run = run();
    run.device = "GPU \"x\" \\ <y>\n".to_owned();
    run.warnings = vec!["<odd> & \"warning\"".to_owned()];
    Report::new(run, vec![one, twin, bare], vec![skipped])
}

/// Many features, some hundred of which drifted.
pub(crate) fn wide(features: u64) -> Report {
    let feature = |i: u64| {
        let psi = if i.is_multiple_of(50) { 0.05 + real(i % 7) / 10.0 } else { real(i % 13) / 1000.0 };
        numeric(
            &format!("view_{:02}:feature_{i:04}", i / 100),
            "float32",
            psi,
            psi / 3.0,
            1e-6,
            [9, 11, 10, 10, 8, 12, 10, 10, 10, 10],
        )
    };
    Report::new(run(), (0..features).map(feature).collect(), Vec::new())
}
