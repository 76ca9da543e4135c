//! One self-contained HTML page: light and dark, sortable and searchable where scripts run, readable where they do
//! not. Only the notable features and some that are ok are drawn, so that the page of 5000 features stays small.

use std::fmt::Write as _;
use std::io::{self, Write};

use askama::Template;

use super::bars::Bars;
use super::happened::{self, Happened};
use super::impact;
use super::{FeatureReport, Number, Report, Sink, SinkOptions};
use crate::format::{count, counted, percent, printable, probability, significant};
use crate::verdict::Level;

/// Features with level ok that are drawn unless asked for otherwise.
const OK_SHOWN: usize = 200;
/// Features of an incident that are named.
const MEMBERS: usize = 50;
/// Skipped features, and findings, that are listed unless asked for otherwise.
const SKIPPED_SHOWN: usize = 200;
/// Height of a bar of the highest share, in pixels.
const BAR_HEIGHT: f64 = 26.0;

/// One self-contained page.
pub(super) struct Html;

impl Sink for Html {
    fn name(&self) -> &'static str {
        "html"
    }

    fn about(&self) -> &'static str {
        "one self-contained page, for people"
    }

    fn write(&self, report: &Report, options: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        let page = Page::of(report, options).render().map_err(io::Error::other)?;
        out.write_all(page.as_bytes())
    }
}

/// What the template shows; every text is escaped there.
#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    sides: String,
    tiles: Vec<Tile>,
    levels: [&'static str; 4],
    warnings: Vec<String>,
    incidents: Vec<IncidentRow>,
    incidents_headline: String,
    models: Vec<ModelRow>,
    columns: [Column; 8],
    rows: Vec<Row>,
    hidden: String,
    findings: Vec<Entry>,
    findings_hidden: String,
    skipped: Vec<Entry>,
    skipped_hidden: String,
    run: Vec<(&'static str, String)>,
    config: String,
}

struct Tile {
    name: &'static str,
    number: String,
}

struct Column {
    name: &'static str,
    numeric: bool,
}

struct Entry {
    name: String,
    reason: String,
}

/// Features that moved together.
struct IncidentRow {
    level: &'static str,
    title: String,
    cause: &'static str,
    members: String,
}

/// A model, and the drift that is likely to hurt it.
struct ModelRow {
    name: String,
    level: &'static str,
    risk: String,
    drift: String,
}

/// What happened to a feature.
struct Change {
    title: String,
    cause: String,
    evidence: String,
}

struct Row {
    level: &'static str,
    rank: u8,
    name: String,
    data_type: String,
    numbers: [Shown; 5],
    bars: Option<Drawn>,
    change: Option<Change>,
    why: String,
    details: Vec<Fact>,
    metrics: String,
}

/// A number as text, and as what the column is sorted by; no value sorts last.
struct Shown {
    text: String,
    sort: String,
}

/// The bars as SVG paths.
struct Drawn {
    width: usize,
    reference: String,
    current: String,
}

struct Fact {
    name: String,
    reference: String,
    current: String,
}

impl Page {
    fn of(report: &Report, options: &SinkOptions) -> Self {
        let summary = &report.summary;
        let mut tiles: Vec<Tile> = Level::ALL
            .into_iter()
            .rev()
            .map(|level| Tile { name: level.name(), number: count(summary.of_level(level)) })
            .collect();
        let title = tiles.iter().map(|tile| format!("{} {}", tile.number, tile.name)).collect::<Vec<_>>().join(", ");
        tiles.push(Tile { name: "skipped", number: count(summary.skipped) });
        let (features, hidden) = options.shown(report, OK_SHOWN);
        let listed = if options.all { usize::MAX } else { SKIPPED_SHOWN };
        let skipped = report.skipped.iter().take(listed);
        let happened = Happened::of(report);
        let run = &report.run;
        let side = |input: &super::Input| {
            format!("{} in {}", counted(input.rows, "row", "rows"), counted(input.files, "file", "files"))
        };
        let columns = ["level", "feature", "type", "PSI", "KS D", "p", "q", "null"];
        Self {
            title,
            sides: format!("reference: {}; current: {}", side(&run.reference), side(&run.current)),
            tiles,
            levels: ["critical", "warning", "info", "ok"],
            warnings: run.warnings.iter().map(|warning| printable(warning)).collect(),
            incidents_headline: happened.headline().unwrap_or_default(),
            incidents: happened.incidents.iter().map(|incident| IncidentRow::of(incident)).collect(),
            models: report.models.iter().map(ModelRow::of).collect(),
            columns: columns.map(|name| Column { name, numeric: matches!(name, "PSI" | "KS D" | "p" | "q" | "null") }),
            rows: features.into_iter().map(Row::of).collect(),
            hidden: count(hidden as u64),
            findings: happened.findings.iter().take(listed).copied().map(Entry::of).collect(),
            findings_hidden: count(happened.findings.len().saturating_sub(listed) as u64),
            skipped: skipped.map(|one| Entry { name: printable(&one.name), reason: printable(&one.reason) }).collect(),
            skipped_hidden: count(report.skipped.len().saturating_sub(listed) as u64),
            run: vec![
                ("started", run.started_at.clone()),
                ("took", format!("{} s", significant(run.duration_seconds))),
                ("counted by", printable(&format!("{} {}", run.backend, run.device))),
                ("reference", printable(&run.reference.paths.join(", "))),
                ("current", printable(&run.current.paths.join(", "))),
                ("gpudrift", run.version.clone()),
            ],
            config: serde_json::to_string_pretty(&run.config).map(|text| printable_lines(&text)).unwrap_or_default(),
        }
    }
}

/// Printable text that keeps its lines.
fn printable_lines(text: &str) -> String {
    text.lines().map(printable).collect::<Vec<_>>().join("\n")
}

impl Entry {
    fn of(finding: &super::Finding) -> Self {
        let name = finding.feature.as_ref().unwrap_or(&finding.check);
        let level =
            if finding.level > Level::Info { finding.level.name().to_uppercase() + ": " } else { String::new() };
        Self { name: printable(name), reason: printable(&format!("{level}{}", finding.message)) }
    }
}

impl IncidentRow {
    fn of(incident: &super::Incident) -> Self {
        Self {
            level: incident.level.name(),
            title: printable(&incident.title),
            cause: incident.cause.words(),
            members: if incident.features.len() > 1 { happened::members(incident, MEMBERS) } else { String::new() },
        }
    }
}

impl ModelRow {
    fn of(model: &super::ModelImpact) -> Self {
        let worst = model.impacts.iter().map(|impact| impact.level).max().unwrap_or_default();
        Self {
            name: printable(&model.model),
            level: worst.name(),
            risk: impact::risk(model),
            drift: impact::words(model),
        }
    }
}

impl Change {
    fn of(feature: &FeatureReport) -> Option<Self> {
        let [title, cause] = happened::title(feature)?;
        let evidence = feature.change_kind.as_ref().map(|change| printable(&change.evidence)).unwrap_or_default();
        Some(Self { title, cause, evidence })
    }
}

impl Row {
    fn of(feature: &FeatureReport) -> Self {
        let (p, q) = feature.test();
        let three = |value: f64| format!("{value:.3}");
        let (before, after) = (feature.reference.null_share(), feature.current.null_share());
        let nulls =
            if before == after { percent(before) } else { format!("{} → {}", percent(before), percent(after)) };
        let notable = feature.level > Level::Ok;
        Self {
            level: feature.level.name(),
            rank: feature.level as u8,
            name: printable(&feature.name),
            data_type: printable(&feature.data_type),
            numbers: [
                Shown::of(feature.number("psi"), three),
                Shown::of(feature.number("ks_statistic"), three),
                Shown::of(p, probability),
                Shown::of(q, probability),
                Shown { text: nulls, sort: (after - before).abs().to_string() },
            ],
            bars: Bars::of(feature).map(|bars| Drawn::of(&bars)),
            change: Change::of(feature),
            why: if notable { printable(&feature.reasons.join("; ")) } else { String::new() },
            details: if notable { facts(feature) } else { Vec::new() },
            metrics: if notable { metrics(feature) } else { String::new() },
        }
    }
}

impl Shown {
    fn of(value: Option<f64>, text: impl Fn(f64) -> String) -> Self {
        match value {
            Some(value) => Self { text: text(value), sort: format!("{value:?}") },
            None => Self { text: "–".to_owned(), sort: String::new() },
        }
    }
}

impl Drawn {
    fn of(bars: &Bars) -> Self {
        let highest = bars.highest();
        let path = |shares: &[f64]| {
            let mut path = String::new();
            for (bin, share) in shares.iter().enumerate().filter(|(_, share)| **share > 0.0) {
                // A single row stays visible.
                let height = (share / highest * BAR_HEIGHT).max(1.0);
                let _ = write!(path, "M{} 28v-{height:.1}h7v{height:.1}z", bin * 8);
            }
            path
        };
        Self { width: bars.reference.len() * 8, reference: path(&bars.reference), current: path(&bars.current) }
    }
}

/// The facts of both sides, line by line.
fn facts(feature: &FeatureReport) -> Vec<Fact> {
    let (reference, current) = (&feature.reference, &feature.current);
    let fact = |name: &str, reference: String, current: String| Fact { name: name.to_owned(), reference, current };
    let mut facts = vec![
        fact("rows", count(reference.rows), count(current.rows)),
        fact("nulls", count(reference.nulls), count(current.nulls)),
        fact("NaN", count(reference.nans), count(current.nans)),
        fact("infinite", count(reference.infinite), count(current.infinite)),
    ];
    if let (Some(before), Some(after)) = (&reference.facts, &current.facts) {
        let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), significant);
        let exact = |value: Option<Number>| value.map_or_else(|| "–".to_owned(), |value| value.to_string());
        let whole = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), count);
        let distinct = |side: &super::Facts| {
            format!("{}{}", if side.distinct_estimated { "≈ " } else { "" }, whole(side.distinct))
        };
        facts.push(fact("distinct", distinct(before), distinct(after)));
        facts.push(fact("min", exact(before.min), exact(after.min)));
        facts.push(fact("max", exact(before.max), exact(after.max)));
        facts.push(fact("mean", number(before.mean), number(after.mean)));
        facts.push(fact("std", number(before.std), number(after.std)));
        facts.push(fact("zeros", whole(before.zeros), whole(after.zeros)));
        facts.push(fact("outliers", whole(before.outliers), whole(after.outliers)));
        if let (Some(before), Some(after)) = (&before.quantiles, &after.quantiles) {
            for (level, &value) in before {
                let name = format!("quantile {level}");
                facts.push(fact(&name, number(value), number(after.get(level).copied().flatten())));
            }
        }
        facts.retain(|fact| (fact.reference.as_str(), fact.current.as_str()) != ("–", "–"));
    }
    if let Some(bars) = Bars::of(feature) {
        for ((label, before), after) in bars.labels.iter().zip(&bars.reference).zip(&bars.current) {
            facts.push(fact(&printable(label), percent(*before), percent(*after)));
        }
    }
    facts
}

/// Every metric in one line.
fn metrics(feature: &FeatureReport) -> String {
    let text = |value: &super::MetricValue| match value {
        super::MetricValue::Text(text) => text.clone(),
        value => value.number().map_or_else(|| "–".to_owned(), significant),
    };
    let metrics: Vec<_> = feature.metrics.iter().map(|(name, value)| format!("{name} {}", text(value))).collect();
    printable(&metrics.join(" · "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report, options: SinkOptions) -> String {
        let mut out = Vec::new();
        Html.write(report, &options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_page_is_well_formed_and_self_contained() {
        for report in [samples::report(), samples::empty(), samples::odd(), samples::wide(300)] {
            let text = written(&report, SinkOptions::default());
            let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
            let page = roxmltree::Document::parse_with_options(&text, options).unwrap();
            for node in page.descendants() {
                assert!(!node.has_attribute("src") && !node.has_attribute("href"), "{node:?} loads something");
            }
            let rows = page
                .descendants()
                .filter(|node| {
                    node.has_tag_name("td") && node.attribute("class").is_some_and(|c| c.starts_with("level"))
                })
                .count();
            assert_eq!(rows, report.features.len().min(rows.max(1)), "one row a feature");
        }
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let text = written(&samples::odd(), SinkOptions::default());
        assert!(!text.contains("<b>bold</b>") && text.contains("&#60;b&#62;bold"), "{text}");
    }

    #[test]
    fn five_thousand_features_make_a_small_page() {
        let report = samples::wide(5000);
        assert!(written(&report, SinkOptions::default()).len() < 1_000_000);
        assert!(written(&report, SinkOptions { all: true, ..SinkOptions::default() }).len() < 6_000_000);
    }
}
