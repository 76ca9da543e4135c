//! The lines of the bench, for people.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::case::Line;

const NOTES: &str = "values of both sides; whole: from opening the files to the report; count: counting alone, by the \
                     device's clock or summed over threads;\nns/value: on each core, and above decoding by arrow-rs; \
                     ÷ decode: whole, over that decoding; ÷ basic: whole, over counting with basic facts";

/// The table, and what its columns mean.
pub(super) fn of(lines: &[Line]) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.set_header([
        "type",
        "pages",
        "features",
        "rows",
        "who",
        "whole",
        "count",
        "values/s",
        "bytes/s",
        "ns/value",
        "above",
        "÷ decode",
        "÷ basic",
        "report",
    ]);
    for line in lines {
        table.add_row(cells(line));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if !matches!(index, 0 | 1 | 4 | 13) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n{NOTES}")
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn cells(line: &Line) -> [String; 14] {
    [
        line.name.clone(),
        line.pages.to_owned(),
        line.features.to_string(),
        line.rows.to_string(),
        line.who.clone(),
        format!("{:.3} s", line.seconds),
        line.kernel_seconds.map_or_else(String::new, |seconds| format!("{seconds:.3} s")),
        format!("{:.1} M", line.values as f64 / line.seconds / 1e6),
        format!("{:.0} MB", line.bytes as f64 / line.seconds / 1e6),
        format!("{:.2}", line.ns_per_value),
        format!("{:.2}", line.ns_above_bare),
        format!("{:.2}", line.times_bare),
        line.times_basic.map_or_else(String::new, |times| format!("{times:.2}")),
        match line.same {
            None => "",
            Some(true) => "the same",
            Some(false) => "DIFFERS",
        }
        .to_owned(),
    ]
}
