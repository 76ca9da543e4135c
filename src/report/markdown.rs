//! Markdown for pull requests, wikis and chat: the notable features as a table, the rest folded away.

use std::io::{self, Write};

use super::bars::Bars;
use super::happened::{self, Happened};
use super::impact;
use super::{FeatureReport, Report, Sink, SinkOptions};
use crate::format::{count, counted, percent, printable, probability};
use crate::verdict::Level;

/// Features with level ok that are shown unless asked for otherwise: none, a pull request is not the place.
const OK_SHOWN: usize = 0;
/// Features of an incident that are named.
const MEMBERS: usize = 12;
/// Skipped features, and findings, that are listed.
const SKIPPED_SHOWN: usize = 100;

/// GitHub-flavoured Markdown.
pub(super) struct Markdown;

impl Sink for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn about(&self) -> &'static str {
        "for pull requests: the notable features"
    }

    fn joint(&self) -> Option<[&'static str; 3]> {
        Some(["", "\n", ""])
    }

    fn write(&self, report: &Report, options: &SinkOptions, out: &mut dyn Write) -> io::Result<()> {
        let levels = Level::ALL.into_iter().rev();
        let parts: Vec<_> =
            levels.map(|level| format!("{} {}", count(report.summary.of_level(level)), level.name())).collect();
        let job = report.run.job.as_ref().map_or_else(String::new, |job| format!(" of {}", escaped(job)));
        writeln!(out, "## Drift report{job}: {}\n", parts.join(", "))?;
        let happened = Happened::of(report);
        incidents(out, &happened)?;
        impact::write_markdown(out, &report.models, escaped)?;
        let (features, hidden) = options.shown(report, OK_SHOWN);
        if features.is_empty() {
            writeln!(out, "No feature asks for attention.\n")?;
        } else {
            writeln!(out, "| level | feature | type | PSI | KS D | p | q | null | reference → current | why |")?;
            writeln!(out, "|---|---|---|--:|--:|--:|--:|--:|---|---|")?;
            for feature in features {
                row(out, feature)?;
            }
            writeln!(out)?;
        }
        if hidden > 0 {
            writeln!(out, "{} not shown.\n", counted(hidden as u64, "feature", "features"))?;
        }
        findings(out, &happened, options)?;
        skipped(out, report, options)?;
        run(out, report)
    }
}

fn row(out: &mut dyn Write, feature: &FeatureReport) -> io::Result<()> {
    let number = |name| feature.number(name).map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"));
    let chance = |p: Option<f64>| p.map_or_else(|| "–".to_owned(), probability);
    let (p, q) = feature.test();
    let bars = Bars::of(feature).map(|bars| bars.sparklines());
    let bars = bars.map_or_else(String::new, |(reference, current)| format!("`{reference}` → `{current}`"));
    let level = match feature.level {
        level @ (Level::Warning | Level::Critical) => format!("**{}**", level.name()),
        level => level.name().to_owned(),
    };
    writeln!(
        out,
        "| {level} | {} | {} | {} | {} | {} | {} | {} → {} | {bars} | {} |",
        escaped(&feature.name),
        escaped(&feature.data_type),
        number("psi"),
        number("ks_statistic"),
        chance(p),
        chance(q),
        percent(feature.reference.null_share()),
        percent(feature.current.null_share()),
        why(feature),
    )
}

/// What happened, with its evidence, then the reasons.
fn why(feature: &FeatureReport) -> String {
    let reasons = escaped(&feature.reasons.join("; "));
    match (happened::title(feature), &feature.change_kind) {
        (Some([title, cause]), Some(change)) => {
            let end = if reasons.is_empty() { String::new() } else { format!("; {reasons}") };
            format!("**{}** ({cause}): {}{end}", escaped(&title), escaped(&change.evidence))
        }
        _ => reasons,
    }
}

fn incidents(out: &mut dyn Write, happened: &Happened<'_>) -> io::Result<()> {
    let Some(headline) = happened.headline() else { return Ok(()) };
    writeln!(out, "{headline}\n")?;
    for incident in &happened.incidents {
        let (level, title) = (incident.level.name(), escaped(&incident.title));
        let members = match incident.features.len() {
            1 => String::new(),
            _ => format!(": {}", escaped(&happened::members(incident, MEMBERS))),
        };
        writeln!(out, "* **{level}** {title} ({}){members}", incident.cause.words())?;
    }
    writeln!(out)
}

fn findings(out: &mut dyn Write, happened: &Happened<'_>, options: &SinkOptions) -> io::Result<()> {
    if happened.findings.is_empty() {
        return Ok(());
    }
    let total = happened.findings.len();
    let shown = if options.all { total } else { SKIPPED_SHOWN };
    writeln!(out, "<details><summary>{}</summary>\n", counted(total as u64, "finding", "findings"))?;
    for finding in happened.findings.iter().take(shown) {
        writeln!(out, "* {}", escaped(&happened::finding(finding)))?;
    }
    if total > shown {
        writeln!(out, "* … and {} more", count((total - shown) as u64))?;
    }
    writeln!(out, "\n</details>\n")
}

fn skipped(out: &mut dyn Write, report: &Report, options: &SinkOptions) -> io::Result<()> {
    if report.skipped.is_empty() {
        return Ok(());
    }
    let shown = if options.all { report.skipped.len() } else { SKIPPED_SHOWN };
    writeln!(out, "<details><summary>{} skipped</summary>\n", counted(report.summary.skipped, "feature", "features"))?;
    for skipped in report.skipped.iter().take(shown) {
        writeln!(out, "* {}: {}", escaped(&skipped.name), escaped(&skipped.reason))?;
    }
    if report.skipped.len() > shown {
        writeln!(out, "* … and {} more", count((report.skipped.len() - shown) as u64))?;
    }
    writeln!(out, "\n</details>\n")
}

fn run(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let run = &report.run;
    for warning in &run.warnings {
        writeln!(out, "> Warning: {}\n", escaped(warning))?;
    }
    let side = |input: &super::Input| {
        let paths: Vec<_> = input.paths.iter().map(|path| escaped(path)).collect();
        format!(
            "{} in {} ({})",
            counted(input.rows, "row", "rows"),
            counted(input.files, "file", "files"),
            paths.join(", ")
        )
    };
    writeln!(
        out,
        "Reference: {}. Current: {}. gpudrift {} on {} {}, {}, {:.1} s.",
        side(&run.reference),
        side(&run.current),
        escaped(&run.version),
        escaped(&run.backend),
        escaped(&run.device),
        escaped(&run.started_at),
        run.duration_seconds,
    )
}

/// Text that Markdown and HTML leave alone, on one line.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // '@' would notify people, '#' link to issues.
            '@' => safe.push_str("&#64;"),
            '#' => safe.push_str("&#35;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn written(report: &Report) -> String {
        let mut out = Vec::new();
        Markdown.write(report, &SinkOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_markdown_is_the_committed_one() {
        samples::assert_snapshot("markdown.md", &written(&samples::report()));
    }

    #[test]
    fn every_row_has_the_columns_of_the_header() {
        for report in [samples::report(), samples::odd()] {
            let text = written(&report).replace("\\|", "");
            let bars: Vec<_> = text.lines().filter(|l| l.starts_with('|')).map(|l| l.matches('|').count()).collect();
            assert!(bars.len() > 2 && bars.iter().all(|&n| n == 11), "{bars:?}");
        }
    }

    #[test]
    fn names_cannot_break_out_of_their_cell() {
        assert_eq!(escaped("a|b\n<script>*@all"), "a\\|b\\\\n&lt;script&gt;\\*&#64;all");
    }

    #[test]
    fn a_quiet_run_says_so() {
        assert!(written(&samples::empty()).contains("No feature asks for attention."));
    }
}
