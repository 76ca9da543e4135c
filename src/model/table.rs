//! The report of models for people.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::estimate::write_estimates;
use super::options::Task;
use super::report::{GroupReport, ModelFacts, ModelReport};
use crate::format::{count, counted, percent, printable, significant};

/// Groups of a model that are shown; JSON has all of them.
const SHOWN: usize = 40;

impl ModelReport {
    /// A table for people: for each model its windows, then its worst segments.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        for facts in &self.models {
            write_model(facts, self.groups.iter().filter(|group| group.model == facts.model), out)?;
        }
        let summary = &self.summary;
        writeln!(
            out,
            "{}, {}, {} ({} with a label); {} critical, {} warning, {} info, {} ok",
            counted(summary.models, "model", "models"),
            counted(summary.groups, "group", "groups"),
            counted(summary.rows, "row", "rows"),
            count(summary.labelled),
            summary.critical,
            summary.warning,
            summary.info,
            summary.ok,
        )
    }
}

/// The figures that a table has room for.
pub(super) fn columns(task: Task) -> &'static [&'static str] {
    match task {
        Task::Binary => &["accuracy", "f1", "roc_auc", "log_loss", "calibration_error"],
        Task::Multiclass => &["accuracy", "f1_macro", "roc_auc", "log_loss", "calibration_error"],
        Task::Ranking => &["roc_auc", "average_precision", "ndcg"],
        Task::Regression => &["rmse", "mae", "median_absolute_error", "mape", "r2"],
    }
}

fn write_model<'r>(
    facts: &ModelFacts,
    groups: impl Iterator<Item = &'r GroupReport>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = columns(facts.task);
    let mut all: Vec<&GroupReport> = groups.collect();
    // Windows in their order; of segments the worst first.
    all.sort_by_key(|group| (group.segment.is_some(), group.segment.as_ref().map(|_| std::cmp::Reverse(group.level))));
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    let header = ["level", "group", "rows", "labels"].into_iter().chain(names.iter().copied());
    table.set_header(header.map(|name| name.replace('_', " ")));
    let baseline = names.iter().map(|name| facts.baseline.get(name).copied().flatten());
    if !facts.baseline.is_empty() {
        let cells = ["", "reference", "", ""].into_iter().map(str::to_owned);
        table.add_row(cells.chain(baseline.map(|value| value.map_or_else(|| "-".to_owned(), significant))));
    }
    for group in all.iter().take(SHOWN) {
        let cells = [
            group.level.name().to_uppercase(),
            title(group),
            count(group.rows.rows),
            if group.labels_pending && group.coverage < 1.0 {
                format!("{} (due {})", percent(group.coverage), due(group))
            } else {
                percent(group.coverage)
            },
        ];
        let figure = |name: &&str| {
            let value = group.metrics.get(*name).and_then(|metric| metric.value);
            let expected = group.estimated.get(*name).and_then(|estimate| estimate.value);
            match (value, expected) {
                (Some(value), _) => significant(value),
                (None, Some(expected)) => format!("~{}", significant(expected)),
                (None, None) => "-".to_owned(),
            }
        };
        table.add_row(cells.into_iter().chain(names.iter().map(figure)));
    }
    for column in 2..names.len() + 4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "model {}\n{}", printable(&facts.model), table.trim_fmt())?;
    if all.len() > SHOWN {
        let more = counted((all.len() - SHOWN) as u64, "group", "groups");
        writeln!(out, "… {more} more not shown; --format json has them")?;
    }
    for group in all.iter().take(SHOWN).filter(|group| !group.reasons.is_empty()) {
        let reasons = printable(&group.reasons.join("; "));
        writeln!(out, "{} {}: {reasons}", group.level.name().to_uppercase(), title(group))?;
    }
    write_estimates(facts, &all, out)?;
    writeln!(out)
}

fn due(group: &GroupReport) -> &str {
    group.labels_due.as_deref().unwrap_or("later")
}

pub(super) fn title(group: &GroupReport) -> String {
    let mut parts = Vec::new();
    match &group.window {
        Some(dates) if dates.start == dates.end => parts.push(dates.start.clone()),
        Some(dates) => parts.push(format!("{} – {}", dates.start, dates.end)),
        None if group.untimed => parts.push("(no time)".to_owned()),
        None => {}
    }
    parts.extend(group.version.clone());
    parts.extend(
        group
            .segment
            .as_ref()
            .map(|segment| format!("{}={}", segment.column, segment.value.as_deref().unwrap_or("null"))),
    );
    if parts.is_empty() { "(all rows)".to_owned() } else { printable(&parts.join(", ")) }
}
