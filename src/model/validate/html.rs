//! The answer as one self-contained page, for people.

use std::io::{self, Write};

use askama::Template;

use super::report::{Decision, RuleReport, ValidationReport};
use super::{Figure, Rate};
use crate::format::{count, percent, printable, probability, significant};

/// Width of a drawn interval, in its own units.
const WIDTH: f64 = 200.0;

/// What the template shows; every text is escaped there.
#[derive(Template)]
#[template(path = "validation.html")]
struct Page {
    decision: &'static str,
    class: &'static str,
    rows: String,
    rules: Vec<RuleRow>,
    figures: Vec<FigureRow>,
    groups: Vec<GroupTable>,
    run: Vec<(&'static str, String)>,
}

struct RuleRow {
    name: String,
    answer: &'static str,
    class: &'static str,
    why: String,
    drawn: Option<Drawn>,
}

struct FigureRow {
    name: String,
    champion: String,
    challenger: String,
    change: String,
    interval: String,
    drawn: Option<Drawn>,
    p: String,
    method: &'static str,
}

struct GroupTable {
    column: String,
    rows: Vec<GroupRow>,
}

struct GroupRow {
    group: String,
    small: bool,
    rows: String,
    rates: [String; 3],
}

/// An interval beside bounds, on a scale of its own.
struct Drawn {
    label: String,
    low: String,
    high: String,
    value: String,
    bounds: Vec<String>,
}

impl Drawn {
    /// `None` where there is nothing to draw.
    fn of(value: Option<f64>, ends: Option<[f64; 2]>, bounds: &[f64]) -> Option<Self> {
        let value = value.filter(|value| value.is_finite())?;
        let [low, high] = ends.unwrap_or([value; 2]);
        let all = bounds.iter().copied().chain([low, high, value]);
        let (least, most) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        let span = if most > least { most - least } else { 1.0 };
        // A tenth of the width stays free on either side.
        let place = |x: f64| format!("{:.1}", WIDTH * (0.1 + 0.8 * (x - least) / span));
        let label = match ends {
            Some([low, high]) => format!("{} ({} to {})", significant(value), significant(low), significant(high)),
            None => significant(value),
        };
        let bounds = bounds.iter().map(|&bound| place(bound)).collect();
        Some(Self { label, low: place(low), high: place(high), value: place(value), bounds })
    }
}

fn class(decision: Decision) -> &'static str {
    match decision {
        Decision::Deploy => "ok",
        Decision::Hold => "warning",
        Decision::Reject => "critical",
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), significant)
}

impl Page {
    fn of(report: &ValidationReport) -> Self {
        let rows = &report.rows;
        let changes = report.figures.iter().filter(|(name, _)| name.contains("change."));
        let groups = report.groups.iter().map(|(column, groups)| GroupTable {
            column: printable(column),
            rows: groups
                .iter()
                .map(|group| GroupRow {
                    group: printable(group.group.as_deref().unwrap_or("null")),
                    small: group.small,
                    rows: count(group.rows),
                    rates: [group.selection_rate, group.true_positive_rate, group.false_positive_rate].map(rate),
                })
                .collect(),
        });
        let run = &report.run;
        Self {
            decision: report.decision.name(),
            class: class(report.decision),
            rows: format!(
                "{} pairs with a label, of {} matched rows ({} of the champion, {} of the challenger)",
                count(rows.paired),
                count(rows.matched),
                count(rows.champion),
                count(rows.challenger)
            ),
            rules: report.rules.iter().map(rule).collect(),
            figures: changes.map(|(name, change)| figure(report, name, change)).collect(),
            groups: groups.collect(),
            run: vec![
                ("champion", printable(&run.champion.join(", "))),
                ("challenger", printable(&run.challenger.join(", "))),
                ("policy", printable(&run.policy)),
                (
                    "intervals",
                    format!("{}, {} samples, seed {}", percent(report.confidence), report.samples, report.seed),
                ),
                ("gpudrift", run.version.to_owned()),
            ],
        }
    }
}

fn rule(rule: &RuleReport) -> RuleRow {
    let bounds: Vec<f64> = [rule.min, rule.max].into_iter().flatten().filter(|bound| bound.is_finite()).collect();
    let ends = rule.low.zip(rule.high).map(|(low, high)| [low, high]);
    RuleRow {
        name: printable(&rule.figure),
        answer: rule.answer.name(),
        class: class(rule.answer),
        why: printable(&rule.reason),
        drawn: Drawn::of(rule.value, ends, &bounds),
    }
}

fn figure(report: &ValidationReport, name: &str, change: &Figure) -> FigureRow {
    let side = |side: &str| report.figures.get(&name.replacen("change.", side, 1)).and_then(|figure| figure.value);
    let ends = change.low.zip(change.high).map(|(low, high)| [low, high]);
    FigureRow {
        name: printable(&name.replacen("change.", "", 1)),
        champion: number(side("champion.")),
        challenger: number(side("challenger.")),
        change: number(change.value),
        interval: ends.map_or_else(String::new, |[low, high]| format!("{} to {}", significant(low), significant(high))),
        drawn: ends.and_then(|ends| Drawn::of(change.value, Some(ends), &[0.0])),
        p: change.p_value.map_or_else(String::new, probability),
        method: change.method,
    }
}

fn rate(rate: Rate) -> String {
    match (rate.value, rate.low.zip(rate.high)) {
        (Some(value), Some((low, high))) => {
            format!("{} ({} to {})", significant(value), significant(low), significant(high))
        }
        (value, _) => number(value),
    }
}

impl ValidationReport {
    /// One page that needs nothing else.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_html(&self, out: &mut dyn Write) -> io::Result<()> {
        let page = Page::of(self).render().map_err(io::Error::other)?;
        out.write_all(page.as_bytes())
    }
}
