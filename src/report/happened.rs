//! What happened in a run, for the formats that people read: incidents first, then what the checks of quality found.

use super::{FeatureReport, Finding, Incident, Report};
use crate::change::Cause;
use crate::format::{counted, percent, printable};
use crate::verdict::Level;

/// The incidents and findings of a report that people are shown.
pub(super) struct Happened<'r> {
    /// Incidents with a level above ok, the most severe first.
    pub(super) incidents: Vec<&'r Incident>,
    /// Findings, the most severe first; then those about the whole run before those about features.
    pub(super) findings: Vec<&'r Finding>,
}

impl<'r> Happened<'r> {
    pub(super) fn of(report: &'r Report) -> Self {
        let incidents = report.incidents.iter().filter(|incident| incident.level > Level::Ok).collect();
        let mut findings: Vec<&Finding> = report.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        Self { incidents, findings }
    }

    /// `19 incidents: 7 pipeline bugs, 8 real drifts, 4 of either kind`; nothing without incidents.
    pub(super) fn headline(&self) -> Option<String> {
        let of = |cause| self.incidents.iter().filter(|incident| incident.cause == cause).count() as u64;
        let causes = [
            (of(Cause::Pipeline), "pipeline bug", "pipeline bugs"),
            (of(Cause::Data), "real drift", "real drifts"),
            (of(Cause::Unclear), "bug or drift", "bugs or drifts"),
        ];
        let causes = causes.into_iter().filter(|(number, ..)| *number > 0);
        let causes: Vec<_> = causes.map(|(number, one, many)| counted(number, one, many)).collect();
        let incidents = counted(self.incidents.len() as u64, "incident", "incidents");
        (!causes.is_empty()).then(|| format!("{incidents}: {}", causes.join(", ")))
    }
}

/// The first `listed` features of an incident, and how many more there are.
pub(super) fn members(incident: &Incident, listed: usize) -> String {
    let mut names: Vec<_> = incident.features.iter().take(listed).map(|name| printable(name)).collect();
    if incident.features.len() > listed {
        names.push(format!("and {} more", incident.features.len() - listed));
    }
    names.join(", ")
}

/// A finding in one line: the level of one that asks for attention, the feature that it is about, then the message.
pub(super) fn finding(finding: &Finding) -> String {
    let level = if finding.level > Level::Info { finding.level.name().to_uppercase() + " " } else { String::new() };
    match &finding.feature {
        Some(feature) => printable(&format!("{level}{feature}: {}", finding.message)),
        None => printable(&format!("{level}{}", finding.message)),
    }
}

/// What happened to a feature: the title, and whose fault it is with how sure that is.
pub(super) fn title(feature: &FeatureReport) -> Option<[String; 2]> {
    let change = feature.change_kind.as_ref().filter(|_| feature.level > Level::Ok)?;
    let cause = format!("{}, {} sure", change.cause.words(), percent(change.confidence));
    Some([printable(&change.title), cause])
}
