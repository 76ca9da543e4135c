//! Values beyond a limit were set to it.

use super::fit::fit;
use super::{Cause, Explanation, Kind, Subject};
use crate::format::{percent, significant};

/// Least share of the values at a limit.
const LEAST: f64 = 0.02;

/// Values beyond a limit were set to it: a saturated sensor, a type that is too small, a cap. Evidence: current's
/// smallest or largest value lies inside the reference's range and holds what lay beyond it; in between nothing
/// changed.
pub(super) struct Clipping;

impl Kind for Clipping {
    fn name(&self) -> &'static str {
        "clipping"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let [_, current] = subject.numbers.as_ref()?;
        let reference = subject.ecdf(0)?;
        let piled = |value: f64, before: f64| {
            let atom = subject.atoms.iter().find(|atom| atom.value == value)?;
            let rise = subject.share(atom.rows, 1) - subject.share(atom.rows, 0);
            (rise >= LEAST && before >= LEAST).then_some((value, subject.share(atom.rows, 1)))
        };
        let low = piled(current.min, reference.interval(current.min).0);
        let high = piled(current.max, 1.0 - reference.interval(current.max).1);
        if low.is_none() && high.is_none() {
            return None;
        }
        let found = fit(subject, |x| {
            let (below, up_to) = reference.interval(x);
            let below = if low.is_some_and(|(limit, _)| x <= limit) { 0.0 } else { below };
            (below, if high.is_some_and(|(limit, _)| x >= limit) { 1.0 } else { up_to })
        })
        .filter(|found| found.accepted)?;
        let piles: Vec<String> = [low, high]
            .into_iter()
            .flatten()
            .map(|(limit, share)| format!("{} of the values are {}", percent(share), significant(limit)))
            .collect();
        let title = match (low, high) {
            (Some((low, _)), Some((high, _))) => format!("clipped to {} … {}", significant(low), significant(high)),
            (Some((low, _)), None) => format!("clipped below at {}", significant(low)),
            (_, high) => format!("clipped above at {}", significant(high.map_or(0.0, |(limit, _)| limit))),
        };
        Some(Explanation {
            title,
            evidence: format!("{}, as much as lay beyond before; in between nothing changed", piles.join(" and ")),
            confidence: 0.97 * found.explained.max(0.9),
            cause: Cause::Pipeline,
        })
    }
}
