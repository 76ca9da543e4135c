//! The report of a concept scan for people.

use std::collections::BTreeMap;
use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::report::{ConceptReport, StreamReport, Summary};
use crate::format::{count, counted, printable};

/// Events and streams that are shown; JSON has all of them.
const SHOWN: usize = 40;

impl ConceptReport {
    /// A table for people: the worst streams first, and the latest events.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        let Summary { streams, rows, drifts, warnings, ok, info, warning, critical } = &self.summary;
        let mut order: Vec<&StreamReport> = self.streams.iter().collect();
        order.sort_by_key(|stream| std::cmp::Reverse(stream.level));
        let mut table = table(&["level", "stream", "detector", "values", "drifts", "warnings"]);
        for stream in order.iter().take(SHOWN) {
            for watch in &stream.detectors {
                table.add_row([
                    watch.level.name().to_uppercase(),
                    title(&stream.stream),
                    watch.detector.clone(),
                    count(stream.total_values),
                    count(watch.total_drifts),
                    count(watch.total_warnings),
                ]);
            }
        }
        right(&mut table, &[3, 4, 5]);
        writeln!(out, "{}", table.trim_fmt())?;
        if order.len() > SHOWN {
            writeln!(
                out,
                "… {} more not shown; --format json has them",
                counted((order.len() - SHOWN) as u64, "stream", "streams")
            )?;
        }
        if !self.events.is_empty() {
            let mut table = self::table(&["event", "stream", "detector", "index", "timestamp"]);
            let shown = self.events.len().min(SHOWN);
            for event in &self.events[..shown] {
                table.add_row([
                    event.kind.to_owned(),
                    title(&event.stream),
                    event.detector.clone(),
                    event.index.to_string(),
                    event.timestamp.clone().unwrap_or_default(),
                ]);
            }
            right(&mut table, &[3]);
            writeln!(out, "\n{}", table.trim_fmt())?;
            if self.events.len() > shown {
                let more = counted((self.events.len() - shown) as u64, "event", "events");
                writeln!(out, "… {more} more not shown; --format json has them")?;
            }
        }
        let skipped = rows.nulls + rows.nans + rows.infinite + rows.late + rows.untimed;
        writeln!(
            out,
            "\n{}, {} ({} skipped); {}, {}; {critical} critical, {warning} warning, {info} info, {ok} ok",
            counted(*streams, "stream", "streams"),
            counted(rows.values, "value", "values"),
            count(skipped),
            counted(*drifts, "drift", "drifts"),
            counted(*warnings, "warning", "warnings"),
        )
    }
}

fn title(stream: &BTreeMap<String, Option<String>>) -> String {
    if stream.is_empty() {
        return "(all rows)".to_owned();
    }
    let part = |(name, value): (&String, &Option<String>)| format!("{name}={}", value.as_deref().unwrap_or("null"));
    printable(&stream.iter().map(part).collect::<Vec<_>>().join(", ")).to_string()
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.set_header(header.to_vec());
    table
}

fn right(table: &mut Table, columns: &[usize]) {
    for &column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
