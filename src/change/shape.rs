//! The distribution has another shape, and nothing simpler explains it.

use super::{Cause, Explanation, Kind, Subject};
use crate::compare::QUANTILES;
use crate::format::{percent, significant};

/// The distribution has another shape, and nothing simpler explains it. Evidence: no other kind fits; the place
/// where the two differ most is named.
pub(super) struct Shape;

impl Kind for Shape {
    fn name(&self) -> &'static str {
        "shape"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        let [_, current] = subject.numbers.as_ref()?;
        let reference = subject.ecdf(0)?;
        let level = |x: f64, p: f64| {
            let (low, high) = reference.interval(x);
            p.clamp(low, high)
        };
        let (p, x) = QUANTILES
            .into_iter()
            .zip(current.quantiles)
            .max_by(|a, b| (level(a.1, a.0) - a.0).abs().total_cmp(&(level(b.1, b.0) - b.0).abs()))?;
        Some(Explanation {
            title: "shape changed".to_owned(),
            evidence: format!(
                "{} of the values are at most {}, which {} of the reference's were; no unit, shift or spread explains it",
                percent(p),
                significant(x),
                percent(level(x, p))
            ),
            confidence: 0.5,
            cause: Cause::Data,
        })
    }
}
