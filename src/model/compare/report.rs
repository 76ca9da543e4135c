//! What a comparison of versions found: as JSON, or as tables for people.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use indexmap::IndexMap;
use serde::Serialize;

use crate::format::{count, counted, percent, printable, probability, significant};
use crate::model::report::{Dates, RunFacts, Segment};
use crate::model::tally::RowCounts;
use crate::verdict::Level;

/// Comparisons that are shown; JSON has all of them.
const SHOWN: usize = 20;

/// The report of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct CompareReport {
    /// Version of this layout.
    pub schema_version: u32,
    /// What ran.
    pub run: RunFacts,
    /// Every window and segment in which both versions served.
    pub comparisons: Vec<Comparison>,
}

/// Two versions in a window and a segment.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Name of the model.
    pub model: String,
    /// `None` for all rows, and for rows without a time.
    pub window: Option<Dates>,
    /// Whether these are the rows without a time.
    pub untimed: bool,
    /// `None` for the rows of all segments.
    pub segment: Option<Segment>,
    /// The version that serves.
    pub production: ComparisonSide,
    /// The other one.
    pub canary: ComparisonSide,
    /// How bad the canary is beside production.
    pub level: Level,
    /// Why.
    pub reasons: Vec<String>,
    /// Figures by name.
    pub figures: IndexMap<String, ComparedFigure>,
}

/// A version in a window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparisonSide {
    /// Its name.
    pub version: String,
    /// Share of the rows, over all versions, that it answered.
    pub traffic: f64,
    /// Share of its rows that have a label.
    pub coverage: f64,
    /// Its rows by what they have.
    pub rows: RowCounts,
}

/// A figure of both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ComparedFigure {
    /// Of the version that serves; of scores and predicted numbers their mean.
    pub production: Option<f64>,
    /// Of the other one.
    pub canary: Option<f64>,
    /// From the first to the second.
    pub change: Option<f64>,
    /// The test that nothing differs, where there is one.
    pub test: Option<&'static str>,
    /// Its statistic.
    pub statistic: Option<f64>,
    /// Its two-sided p-value.
    pub p_value: Option<f64>,
    /// Adjusted for all tests of the model (Benjamini–Hochberg).
    pub q_value: Option<f64>,
    /// Of scores and predictions: how far the distributions lie apart.
    pub psi: Option<f64>,
    /// What it amounts to.
    pub level: Level,
}

impl CompareReport {
    /// The worst level of a model.
    #[must_use]
    pub fn worst(&self, model: &str) -> Level {
        self.comparisons.iter().filter(|one| one.model == model).map(|one| one.level).max().unwrap_or_default()
    }

    /// One object.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self).map_err(io::Error::from)?;
        writeln!(out)
    }

    /// A table for each window, the latest last; windows of segments, the worst first, after them.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut all: Vec<&Comparison> = self.comparisons.iter().collect();
        all.sort_by_key(|one| (one.segment.is_some(), one.segment.as_ref().map(|_| std::cmp::Reverse(one.level))));
        for comparison in all.iter().take(SHOWN) {
            write_one(comparison, out)?;
        }
        if all.len() > SHOWN {
            let more = counted((all.len() - SHOWN) as u64, "comparison", "comparisons");
            writeln!(out, "… {more} more not shown; --format json has them")?;
        }
        let of = |level: Level| self.comparisons.iter().filter(|one| one.level == level).count();
        let levels = [Level::Critical, Level::Warning, Level::Info, Level::Ok];
        let levels: Vec<String> = levels.iter().map(|&level| format!("{} {}", of(level), level.name())).collect();
        writeln!(out, "{}: {}", counted(all.len() as u64, "comparison", "comparisons"), levels.join(", "))
    }
}

fn write_one(one: &Comparison, out: &mut dyn Write) -> io::Result<()> {
    let window = match &one.window {
        Some(dates) if dates.start == dates.end => dates.start.clone(),
        Some(dates) => format!("{} – {}", dates.start, dates.end),
        None if one.untimed => "(no time)".to_owned(),
        None => "(all rows)".to_owned(),
    };
    let segment = one.segment.as_ref();
    let segment = segment.map(|one| format!(", {}={}", one.column, one.value.as_deref().unwrap_or("null")));
    let title = format!("{} {window}{}", one.model, segment.unwrap_or_default());
    writeln!(out, "{} {}", one.level.name().to_uppercase(), printable(&title))?;
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    let names = [&one.production, &one.canary].map(|side| printable(&side.version));
    let [production, canary] = names;
    table.set_header([
        "figure".to_owned(),
        production,
        canary,
        "change".to_owned(),
        "p".to_owned(),
        "q".to_owned(),
        "test".to_owned(),
    ]);
    let sides = [&one.production, &one.canary];
    let mut fact = |name: &str, of: &dyn Fn(&super::ComparisonSide) -> String| {
        table.add_row([name.to_owned(), of(sides[0]), of(sides[1])]);
    };
    fact("share of the traffic", &|side| percent(side.traffic));
    fact("rows", &|side| count(side.rows.rows));
    fact("labels", &|side| percent(side.coverage));
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), significant);
    let p = |value: Option<f64>| value.map_or_else(String::new, probability);
    for (name, figure) in one.figures.iter().filter(|(name, _)| is_shown(name)) {
        table.add_row([
            printable(&name.replace('_', " ")),
            number(figure.production),
            number(figure.canary),
            number(figure.change),
            p(figure.p_value),
            p(figure.q_value),
            figure.test.unwrap_or_default().to_owned(),
        ]);
    }
    for column in 1..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{}", table.trim_fmt())?;
    for reason in &one.reasons {
        writeln!(out, "{}", printable(reason))?;
    }
    writeln!(out)
}

/// Averages over classes are in JSON.
fn is_shown(name: &str) -> bool {
    !["_micro", "_macro", "_weighted"].iter().any(|end| name.ends_with(end))
}
