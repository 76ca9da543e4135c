//! Estimates for people: each with its uncertainty, beside what came true.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::{Estimation, Method};
use crate::format::{counted, significant};
use crate::model::report::{GroupReport, ModelFacts};
use crate::model::table::{columns, title};

/// Lines of a model that are shown; JSON has all of them.
const SHOWN: usize = 40;

/// Writes the estimates of a model: for its groups of all segments, the figures of the table above.
pub(in crate::model) fn write_estimates(
    facts: &ModelFacts,
    groups: &[&GroupReport],
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some(estimation) = &facts.estimation else { return Ok(()) };
    let names = columns(facts.task);
    let lines: Vec<[String; 6]> = groups
        .iter()
        .filter(|group| group.segment.is_none())
        .flat_map(|group| names.iter().filter_map(|name| line(group, name)))
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "expected without labels: {}", how(estimation))?;
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.set_header(["group", "figure", "expected", "interval", "came true", "off by"]);
    let hidden = lines.len().saturating_sub(SHOWN);
    for line in lines.into_iter().take(SHOWN) {
        table.add_row(line);
    }
    for column in 2..6 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "{}", table.trim_fmt())?;
    if hidden > 0 {
        writeln!(out, "… {} more not shown; --format json has them", counted(hidden as u64, "line", "lines"))?;
    }
    for (name, kept) in estimation.kept.iter().filter(|(name, _)| names.contains(name)) {
        let groups = counted(kept.groups, "group", "groups");
        let (name, distance) = (name.replace('_', " "), significant(kept.mean_distance));
        writeln!(out, "{name}: {} of {groups} within its uncertainty; off by {distance} on average", kept.within)?;
    }
    Ok(())
}

/// How estimates are made, in words.
fn how(estimation: &Estimation) -> String {
    let rows = counted(estimation.rows, "row", "rows");
    match estimation.method {
        Method::Cbpe => format!("from scores, by the labels of {rows} of the reference (CBPE)"),
        Method::Dle => {
            let features = counted(estimation.features.len() as u64, "feature", "features");
            format!("from {features} and the prediction, by the losses of {rows} of the reference (DLE)")
        }
    }
}

/// A figure of a group, where it is estimated.
fn line(group: &GroupReport, name: &str) -> Option<[String; 6]> {
    let estimate = group.estimated.get(name)?;
    let value = estimate.value?;
    let interval = estimate.low.zip(estimate.high);
    let interval = interval.map(|(low, high)| format!("{} – {}", significant(low), significant(high)));
    let truth = group.metrics.get(name).and_then(|metric| metric.value).filter(|_| estimate.error.is_some());
    let outside = if estimate.within == Some(false) { " (outside)" } else { "" };
    let dash = || "-".to_owned();
    Some([
        title(group),
        name.replace('_', " "),
        significant(value),
        interval.unwrap_or_else(dash),
        truth.map_or_else(dash, significant),
        estimate.error.map_or_else(dash, |error| format!("{}{outside}", significant(error))),
    ])
}
