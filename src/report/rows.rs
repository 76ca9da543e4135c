//! The rows of the table for people, and how its columns share the width of a terminal.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, TableStyle, Width};

use super::FeatureReport;
use super::bars::Bars;
use super::table::Paint;
use crate::format::{percent, printable, probability, shortened, shortened_end, width, wrapped};
use crate::verdict::Level;

/// A reason needs this many columns to be one of its own.
const REASON_WIDTH: usize = 36;
/// Lines that what happened to a feature may take.
const HAPPENED_LINES: usize = 3;
/// From this width on two spaces stand between columns, and one below it.
const ROOMY: usize = 110;

/// The texts of one feature, one a column.
pub(super) struct Row {
    level: Level,
    texts: [String; Column::ALL.len()],
    /// What happened, with its evidence.
    happened: Option<String>,
    reasons: Vec<String>,
}

/// A column of the table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Level,
    Feature,
    Type,
    Psi,
    D,
    P,
    Q,
    Null,
    Reference,
    Current,
}

impl Column {
    const ALL: [Self; 10] = [
        Self::Level,
        Self::Feature,
        Self::Type,
        Self::Psi,
        Self::D,
        Self::P,
        Self::Q,
        Self::Null,
        Self::Reference,
        Self::Current,
    ];

    fn header(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::Feature => "feature",
            Self::Type => "type",
            Self::Psi => "PSI",
            Self::D => "KS D",
            Self::P => "p",
            Self::Q => "q",
            Self::Null => "null",
            Self::Reference => "reference",
            Self::Current => "current",
        }
    }

    fn alignment(self) -> CellAlignment {
        match self {
            Self::Psi | Self::D | Self::P | Self::Q | Self::Null => CellAlignment::Right,
            _ => CellAlignment::Left,
        }
    }
}

impl Row {
    pub(super) fn of(feature: &FeatureReport) -> Self {
        let none = || "–".to_owned();
        let number = |name| feature.number(name).map_or_else(none, |value| format!("{value:.3}"));
        let (p, q) = feature.test();
        let (reference, current) = Bars::of(feature).map(|bars| bars.sparklines()).unwrap_or_default();
        let texts = Column::ALL.map(|column| match column {
            Column::Level => level_text(feature.level, false).to_owned(),
            Column::Feature => printable(&feature.name),
            Column::Type => shortened_end(&printable(&feature.data_type), 14),
            Column::Psi => number("psi"),
            Column::D => number("ks_statistic"),
            Column::P => p.map_or_else(none, probability),
            Column::Q => q.map_or_else(none, probability),
            Column::Null => null_text(feature),
            Column::Reference => reference.clone(),
            Column::Current => current.clone(),
        });
        let happened = feature.change_kind.as_ref().filter(|_| feature.level > Level::Ok);
        let happened = happened.map(|change| printable(&change.sentence()));
        let reasons = feature.reasons.iter().map(|reason| printable(reason)).collect();
        Self { level: feature.level, texts, happened, reasons }
    }

    /// What happened and why it matters, in lines of at most `room` columns: the evidence is worth several.
    fn lines(&self, room: usize) -> Vec<String> {
        let mut lines = self.happened.as_ref().map_or_else(Vec::new, |text| wrapped(text, room, HAPPENED_LINES));
        lines.extend(lines_of(&self.reasons, room));
        lines
    }

    /// The same as one text.
    fn why(&self) -> String {
        self.happened.iter().chain(&self.reasons).map(String::as_str).collect::<Vec<_>>().join("; ")
    }

    fn text(&self, column: Column) -> &str {
        &self.texts[column as usize]
    }
}

pub(super) fn level_text(level: Level, short: bool) -> &'static str {
    match (level, short) {
        (Level::Ok, _) => "ok",
        (Level::Info, _) => "INFO",
        (Level::Warning, false) => "WARNING",
        (Level::Critical, false) => "CRITICAL",
        (Level::Warning, true) => "WARN",
        (Level::Critical, true) => "CRIT",
    }
}

/// The null share of both sides, or once where they read the same.
fn null_text(feature: &FeatureReport) -> String {
    let (before, after) = (percent(feature.reference.null_share()), percent(feature.current.null_share()));
    if before == after { before } else { format!("{before}→{after}") }
}

/// How the table is laid out for one width.
struct Layout {
    columns: Vec<Column>,
    feature: usize,
    short_levels: bool,
    /// Spaces between two columns.
    gap: usize,
    /// Columns for the reasons, where they are a column.
    reason: Option<usize>,
}

impl Layout {
    /// The richest layout that fits; the poorest one where none does.
    fn fitting(rows: &[Row], width: usize) -> Self {
        let natural = |column: Column| {
            let texts = rows.iter().map(|row| self::width(row.text(column))).max().unwrap_or(0);
            texts.max(self::width(column.header()))
        };
        let gap = if width >= ROOMY { 2 } else { 1 };
        let needed = natural(Column::Feature);
        let reasons = rows.iter().any(|row| row.happened.is_some() || !row.reasons.is_empty());
        let dropped: [(&[Column], bool); 5] = [
            (&[], false),
            (&[Column::P], false),
            (&[Column::P, Column::Type], false),
            (&[Column::P, Column::Type], true),
            (&[Column::P, Column::Type, Column::Null], true),
        ];
        let mut poorest = None;
        for (drop, short_levels) in dropped {
            let columns: Vec<_> = Column::ALL.into_iter().filter(|column| !drop.contains(column)).collect();
            let fixed: usize = columns
                .iter()
                .filter(|&&column| column != Column::Feature)
                .map(|&column| gap + if short_levels && column == Column::Level { 5 } else { natural(column) })
                .sum();
            let room = width.saturating_sub(fixed);
            let feature = needed.min(room).max(8);
            let mut layout = Self { columns, feature, short_levels, gap, reason: None };
            if room >= needed.min(20) {
                let left = room.saturating_sub(needed.min(48) + gap);
                if reasons && left >= REASON_WIDTH {
                    layout.feature = needed.min(48);
                    layout.reason = Some(left);
                }
                return layout;
            }
            poorest = Some(layout);
        }
        poorest.expect("there is at least one set of columns")
    }
}

/// Writes the rows, most severe first as they come, in the layout that fits `width` columns.
pub(super) fn write_rows(out: &mut dyn Write, rows: &[Row], width: usize, paint: &Paint) -> io::Result<()> {
    let layout = Layout::fitting(rows, width);
    let table = filled(rows, &layout, paint);
    let mut lines = table.lines();
    for line in lines.by_ref().take(2) {
        writeln!(out, "{}", line.trim_end())?;
    }
    if layout.reason.is_some() {
        for line in lines {
            writeln!(out, "{}", line.trim_end())?;
        }
        return Ok(());
    }
    let indent = if layout.short_levels { 5 } else { 8 } + layout.gap;
    for (line, row) in lines.zip(rows) {
        writeln!(out, "{}", line.trim_end())?;
        let room = width.saturating_sub(indent).max(20);
        for reason in row.lines(room) {
            writeln!(out, "{:indent$}{}", "", paint.dim(&reason))?;
        }
    }
    Ok(())
}

/// The reasons on one line where they fit, and one a line where they do not.
fn lines_of(reasons: &[String], room: usize) -> Vec<String> {
    let joined = reasons.join("; ");
    match joined.is_empty() {
        true => Vec::new(),
        false if width(&joined) <= room => vec![joined],
        false => reasons.iter().map(|reason| shortened_end(reason, room)).collect(),
    }
}

/// The table with its columns at fixed widths, so that nothing but a reason ever wraps.
fn filled(rows: &[Row], layout: &Layout, paint: &Paint) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─')));
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(u16::MAX);
    if paint.color {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let mut header: Vec<Cell> =
        layout.columns.iter().map(|column| Cell::new(column.header()).set_alignment(column.alignment())).collect();
    if layout.reason.is_some() {
        header.push(Cell::new("reason"));
    }
    table.set_header(header);
    for row in rows {
        let mut cells: Vec<Cell> = layout.columns.iter().map(|&column| cell(row, column, layout)).collect();
        if layout.reason.is_some() {
            cells.push(Cell::new(row.why()));
        }
        table.add_row(cells);
    }
    let last = layout.columns.len() + usize::from(layout.reason.is_some());
    for (index, column) in table.column_iter_mut().enumerate() {
        // Comfy-table puts one space between columns by itself.
        let padding = if index + 1 == last { 0 } else { layout.gap - 1 };
        column.set_padding((0, u16::from(padding > 0)));
        let fixed = |columns| fixed(columns + padding);
        match layout.columns.get(index) {
            Some(Column::Feature) => column.set_constraint(fixed(layout.feature)),
            Some(Column::Level) if layout.short_levels => column.set_constraint(fixed(5)),
            Some(_) => column.set_constraint(ColumnConstraint::ContentWidth),
            None => column.set_constraint(fixed(layout.reason.unwrap_or(REASON_WIDTH))),
        };
    }
    table
}

/// A column of `columns` terminal columns.
fn fixed(columns: usize) -> ColumnConstraint {
    ColumnConstraint::Absolute(Width::Fixed(u16::try_from(columns).unwrap_or(u16::MAX)))
}

fn cell(row: &Row, column: Column, layout: &Layout) -> Cell {
    let text = match column {
        Column::Level => level_text(row.level, layout.short_levels).to_owned(),
        Column::Feature => shortened(row.text(column), layout.feature),
        _ => row.text(column).to_owned(),
    };
    let cell = Cell::new(text).set_alignment(column.alignment());
    match column {
        Column::Level | Column::Current => cell.fg(color(row.level)),
        _ => cell,
    }
}

fn color(level: Level) -> Color {
    match level {
        Level::Ok => Color::Green,
        Level::Info => Color::Cyan,
        Level::Warning => Color::Yellow,
        Level::Critical => Color::Red,
    }
}
