//! Aligned columns for people.

use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use gpudrift::format::printable;

/// A table as text: a header, a rule, one line a row. Columns named in `right` are aligned to the right.
pub(crate) fn columns(headers: &[&str], right: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
    table.set_header(headers);
    for row in rows {
        let cells = row.iter().zip(headers).map(|(text, header)| {
            let cell = Cell::new(printable(text));
            if right.contains(header) { cell.set_alignment(CellAlignment::Right) } else { cell }
        });
        table.add_row(cells.collect::<Vec<_>>());
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A number with three digits, or a dash where there is none.
pub(crate) fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), gpudrift::format::significant)
}
