//! The table for people: the most severe features first, as much as the terminal is wide.
//!
//! From about 150 columns on the reasons are a column of the table; below that each stands in a line of its own under
//! its feature. Where even that is too wide, p-values and types go first, then the levels are shortened.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::happened::{self, Happened};
use super::impact;
use super::rows::{Row, level_text, write_rows};
use super::{Report, Sink, SinkOptions, Skipped};
use crate::format::{count, counted, printable, shortened, shortened_end, width, wrapped};
use crate::verdict::Level;

/// Features with level ok that are shown unless asked for otherwise.
const OK_SHOWN: usize = 20;
/// Skipped features, incidents and findings that are shown unless asked for otherwise.
const SKIPPED_SHOWN: usize = 10;
/// Features of an incident that are named.
const MEMBERS: usize = 8;

/// The table for people.
pub(super) struct Table;

impl Sink for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn about(&self) -> &'static str {
        "for people: the most severe features first"
    }

    fn joint(&self) -> Option<[&'static str; 3]> {
        Some(["", "\n", ""])
    }

    fn write(&self, report: &Report, options: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        let paint = Paint { color: options.color };
        let (features, hidden) = options.shown(report, OK_SHOWN);
        writeln!(out, "{}\n", paint.dim(&headline(report, options.width)))?;
        if features.is_empty() {
            writeln!(out, "No feature to show.")?;
        } else {
            let rows: Vec<Row> = features.into_iter().map(Row::of).collect();
            write_rows(out, &rows, options.width, &paint)?;
        }
        if hidden > 0 {
            let hidden = counted(hidden as u64, "more feature", "more features");
            writeln!(out, "{}", paint.dim(&format!("… {hidden} not shown; --all shows every one")))?;
        }
        write_happened(out, &Happened::of(report), options, &paint)?;
        write_models(out, report, options)?;
        write_skipped(out, &report.skipped, options, &paint)?;
        writeln!(out, "\n{}", summary(report, &paint))
    }
}

/// Who counted what, on one line or two.
fn headline(report: &Report, columns: usize) -> String {
    let run = &report.run;
    let side = |input: &super::Input| {
        format!("{} in {}", counted(input.rows, "row", "rows"), counted(input.files, "file", "files"))
    };
    let device = if run.device.is_empty() { String::new() } else { format!(" ({})", printable(&run.device)) };
    let job = run.job.as_ref().map_or_else(String::new, |job| format!("job {}, ", printable(job)));
    let program = format!("{job}gpudrift {} on {}{device}", run.version, run.backend);
    let sides = format!("reference {}, current {}", side(&run.reference), side(&run.current));
    if width(&program) + width(&sides) + 2 <= columns {
        return format!("{program}: {sides}");
    }
    format!("{}\n{sides}", shortened_end(&program, columns.max(20)))
}

/// `62 features in 1.3 s: 2 critical, 3 warning, 4 info, 51 ok, 2 skipped`.
fn summary(report: &Report, paint: &Paint) -> String {
    let summary = &report.summary;
    let mut parts: Vec<String> = Vec::new();
    for level in Level::ALL.into_iter().rev() {
        let number = summary.of_level(level);
        let text = format!("{} {}", count(number), level.name());
        parts.push(if number > 0 { paint.level(level, &text) } else { text });
    }
    parts.push(format!("{} skipped", count(summary.skipped)));
    let features = counted(summary.features, "feature", "features");
    format!("{features} in {:.1} s: {}", report.run.duration_seconds, parts.join(", "))
}

/// What the drift means for models, the one most at risk first.
fn write_models(out: &mut dyn Write, report: &Report, options: &SinkOptions) -> io::Result<()> {
    if report.models.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}, by level × importance of their features:",
        counted(report.models.len() as u64, "model", "models")
    )?;
    let room = options.width.saturating_sub(4).max(20);
    for model in &report.models {
        writeln!(out, "  {}: {}", printable(&model.model), impact::risk(model))?;
        for line in wrapped(&impact::words(model), room, 4) {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}

/// Incidents of several features, which no row of the table tells, and findings.
fn write_happened(
    out: &mut dyn Write,
    happened: &Happened<'_>,
    options: &SinkOptions,
    paint: &Paint,
) -> io::Result<()> {
    let shown = |total: usize| if options.all { total } else { SKIPPED_SHOWN };
    let left_out = |out: &mut dyn Write, total: usize| match total.saturating_sub(shown(total)) {
        0 => Ok(()),
        rest => writeln!(out, "{}", paint.dim(&format!("  … and {} more; --all shows every one", count(rest as u64)))),
    };
    let room = options.width.saturating_sub(4).max(20);
    if let Some(headline) = happened.headline() {
        writeln!(out, "\n{headline}")?;
        let several: Vec<_> = happened.incidents.iter().filter(|incident| incident.features.len() > 1).collect();
        for incident in several.iter().take(shown(several.len())) {
            let what = format!("{} ({})", printable(&incident.title), incident.cause.words());
            let level = level_text(incident.level, false);
            let title = shortened_end(&what, room.saturating_sub(level.len()));
            writeln!(out, "  {} {title}", paint.level(incident.level, level))?;
            for line in wrapped(&happened::members(incident, MEMBERS), room, 2) {
                writeln!(out, "    {}", paint.dim(&line))?;
            }
        }
        left_out(out, several.len())?;
    }
    if !happened.findings.is_empty() {
        writeln!(out, "\n{}:", counted(happened.findings.len() as u64, "finding", "findings"))?;
        for finding in happened.findings.iter().take(shown(happened.findings.len())) {
            writeln!(out, "  {}", shortened_end(&happened::finding(finding), room + 2))?;
        }
        left_out(out, happened.findings.len())?;
    }
    Ok(())
}

fn write_skipped(out: &mut dyn Write, skipped: &[Skipped], options: &SinkOptions, paint: &Paint) -> io::Result<()> {
    if skipped.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} skipped:", counted(skipped.len() as u64, "feature", "features"))?;
    let shown = if options.all { skipped.len() } else { SKIPPED_SHOWN };
    // What was asked for by name, or failed, is shown before what was merely left out.
    let (failed, left_out): (Vec<_>, Vec<_>) = skipped.iter().partition(|skipped| skipped.is_failure());
    for skipped in failed.into_iter().chain(left_out).take(shown) {
        let name = shortened(&printable(&skipped.name), 40);
        writeln!(out, "  {name}: {}", paint.dim(&printable(&skipped.reason)))?;
    }
    let rest = skipped.len().saturating_sub(shown);
    if rest > 0 {
        writeln!(out, "{}", paint.dim(&format!("  … and {} more; --all shows every one", count(rest as u64))))?;
    }
    Ok(())
}

/// Colours for text outside the table.
pub(super) struct Paint {
    pub(super) color: bool,
}

impl Paint {
    pub(super) fn dim(&self, text: &str) -> String {
        self.styled(Style::new().dimmed(), text)
    }

    pub(super) fn level(&self, level: Level, text: &str) -> String {
        let color = match level {
            Level::Ok => AnsiColor::Green,
            Level::Info => AnsiColor::Cyan,
            Level::Warning => AnsiColor::Yellow,
            Level::Critical => AnsiColor::Red,
        };
        self.styled(color.on_default().bold(), text)
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report, options: SinkOptions) -> String {
        let mut out = Vec::new();
        Table.write(report, &options, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_table_at_80_100_and_200_columns_is_the_committed_one() {
        for columns in [80, 100, 200] {
            let text = written(&samples::report(), SinkOptions { width: columns, ..SinkOptions::default() });
            samples::assert_snapshot(&format!("table_{columns}.txt"), &text);
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let table_ends = |text: &str| text.find("features skipped").unwrap_or(text.len());
        assert!(samples::report().incidents.iter().any(|incident| incident.features.len() > 1));
        for columns in 72..260 {
            let text = written(&samples::report(), SinkOptions { width: columns, ..SinkOptions::default() });
            for line in text[..table_ends(&text)].lines() {
                assert!(width(line) <= columns, "{columns} columns: {} {line}", width(line));
            }
        }
    }

    #[test]
    fn five_thousand_features_do_not_flood_the_terminal() {
        let report = samples::wide(5000);
        let text = written(&report, SinkOptions::default());
        assert!(text.lines().count() < 200, "{} lines", text.lines().count());
        assert!(text.contains("more features not shown; --all shows every one"));
        let all = written(&report, SinkOptions { all: true, ..SinkOptions::default() });
        assert!(all.lines().count() > 5000);
    }

    #[test]
    fn colours_only_when_asked_for() {
        assert!(!written(&samples::report(), SinkOptions::default()).contains('\u{1b}'));
        assert!(written(&samples::report(), SinkOptions { color: true, ..SinkOptions::default() }).contains("\u{1b}["));
    }

    #[test]
    fn a_hostile_name_cannot_steer_the_terminal() {
        let text = written(&samples::odd(), SinkOptions::default());
        assert!(!text.contains('\u{1b}') && text.contains("\\u{1b}"));
    }
}
