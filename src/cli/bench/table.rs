//! The lines of the bench, for people.

use comfy_table::{CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};

use super::case::Line;
use super::kernels::KernelLine;

const NOTES: &str = "values of both sides; whole: from opening the files to the report; count: counting alone, by the \
                     device's clock or summed over threads;\nns/value: on each core, and above decoding by arrow-rs; \
                     ÷ decode: whole, over that decoding; ÷ basic: whole, over counting with basic facts";

/// The table, and what its columns mean.
pub(super) fn of(lines: &[Line]) -> String {
    let mut table = empty();
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

fn empty() -> Table {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table
}

const KERNEL_NOTES: &str = "kernels: by the device's clock, with their keys/s and bytes/s; whole: on the host's clock; ÷ 2 reads: \
                            time of reading the keys twice, over that of the kernels";

/// The table of `--kernels`, and what its columns mean.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
pub(super) fn kernel_lines(lines: &[KernelLine]) -> String {
    let mut table = empty();
    table.set_header([
        "type",
        "features",
        "rows",
        "shape",
        "work",
        "kernels",
        "whole",
        "keys/s",
        "bytes/s",
        "÷ 2 reads",
        "answers",
    ]);
    for line in lines {
        let checked = if line.checked { ", checked" } else { "" };
        table.add_row([
            line.name.clone(),
            line.features.to_string(),
            line.rows.to_string(),
            line.shape.to_owned(),
            format!("{}{checked}", line.work),
            format!("{:.3} ms", line.kernel_seconds * 1e3),
            format!("{:.3} ms", line.seconds * 1e3),
            format!("{:.2} G", line.keys as f64 / line.kernel_seconds / 1e9),
            format!("{:.1} GB", line.bytes as f64 / line.kernel_seconds / 1e9),
            line.of_two_reads.map_or_else(String::new, |share| format!("{share:.2}")),
            same(line.same).to_owned(),
        ]);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        if !matches!(index, 0 | 3 | 4 | 10) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{table}\n{KERNEL_NOTES}")
}

fn same(same: Option<bool>) -> &'static str {
    match same {
        None => "",
        Some(true) => "the same",
        Some(false) => "DIFFERS",
    }
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
        same(line.same).to_owned(),
    ]
}
