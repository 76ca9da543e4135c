//! Values beyond a limit are gone.

use super::fit::fit;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::{percent, significant};

/// Least share of the reference beyond a limit.
const LEAST: f64 = 0.05;

/// Rows with values beyond a limit are gone: a filter, a join, a partial load. Evidence: current's range ends
/// inside the reference's, and the reference cut there agrees with it.
pub(super) struct Truncation;

impl Kind for Truncation {
    fn name(&self) -> &'static str {
        "truncation"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if subject.ticks_per_day.is_some() {
            return None;
        }
        let [_, current] = subject.numbers.as_ref()?;
        let reference = subject.ecdf(0)?;
        let (mut below, mut above) = (reference.interval(current.min).0, 1.0 - reference.interval(current.max).1);
        if below < LEAST {
            below = 0.0;
        }
        if above < LEAST {
            above = 0.0;
        }
        let left = 1.0 - below - above;
        if below + above == 0.0 || left <= 0.02 {
            return None;
        }
        let cut = |level: f64| ((level - below) / left).clamp(0.0, 1.0);
        let found = fit(subject, |x| {
            let (low, high) = reference.interval(x);
            (cut(low), cut(high))
        })
        .filter(|found| found.accepted)?;
        let (low, high) = (significant(current.min), significant(current.max));
        let (title, gone) = match (below > 0.0, above > 0.0) {
            (true, true) => (format!("cut to {low} … {high}"), format!("below {low} and above {high}")),
            (true, false) => (format!("cut below {low}"), format!("below {low}")),
            _ => (format!("cut above {high}"), format!("above {high}")),
        };
        Some(Explanation {
            title,
            evidence: format!(
                "nothing is left {gone}, where the reference has {}; the rest keeps its shape",
                percent(below + above)
            ),
            confidence: 0.9 * found.explained,
            cause: Cause::Unclear,
        })
    }
}
