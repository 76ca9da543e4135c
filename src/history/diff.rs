//! What is different between two reports.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::report::{FeatureReport, Report};
use crate::verdict::Level;

/// What is different in a second report. Each list stands by level, the most severe first, then by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Diff {
    /// Features that only the second has.
    pub new: Vec<Moved>,
    /// Features that only the first has.
    pub gone: Vec<Moved>,
    /// Features with a higher level in the second.
    pub worse: Vec<Moved>,
    /// Features with a lower level in the second.
    pub better: Vec<Moved>,
    /// Features with the same level and other numbers.
    pub moved: u64,
    /// Features of which both say the same.
    pub same: u64,
}

/// One feature in two reports; `None` where a report lacks it, or where PSI has no value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// The feature.
    pub feature: String,
    /// Its level in the first report.
    pub before: Option<Level>,
    /// Its level in the second.
    pub after: Option<Level>,
    /// Its PSI in the first report.
    pub psi_before: Option<f64>,
    /// Its PSI in the second.
    pub psi_after: Option<f64>,
    /// What the second report gives as reasons; of the first, when the feature is gone.
    pub reasons: Vec<String>,
}

impl Moved {
    fn of(before: Option<&FeatureReport>, after: Option<&FeatureReport>) -> Option<Self> {
        let either = after.or(before)?;
        Some(Self {
            feature: either.name.clone(),
            before: before.map(|feature| feature.level),
            after: after.map(|feature| feature.level),
            psi_before: before.and_then(|feature| feature.number("psi")),
            psi_after: after.and_then(|feature| feature.number("psi")),
            reasons: either.reasons.clone(),
        })
    }
}

/// What is different in `second`.
#[must_use]
pub fn diff(first: &Report, second: &Report) -> Diff {
    let mut pairs: BTreeMap<&str, [Option<&FeatureReport>; 2]> = BTreeMap::new();
    for (side, report) in [first, second].into_iter().enumerate() {
        for feature in &report.features {
            pairs.entry(&feature.name).or_default()[side] = Some(feature);
        }
    }
    let mut diff = Diff::default();
    for pair in pairs.into_values() {
        let list = match pair {
            [None, _] => &mut diff.new,
            [_, None] => &mut diff.gone,
            [Some(before), Some(after)] if after.level > before.level => &mut diff.worse,
            [Some(before), Some(after)] if after.level < before.level => &mut diff.better,
            [before, after] => {
                *if before == after { &mut diff.same } else { &mut diff.moved } += 1;
                continue;
            }
        };
        list.extend(Moved::of(pair[0], pair[1]));
    }
    for list in [&mut diff.new, &mut diff.gone, &mut diff.worse, &mut diff.better] {
        list.sort_by_key(|moved| std::cmp::Reverse(moved.after.max(moved.before)));
    }
    diff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_report_does_not_differ_from_itself() {
        let report = samples::report();
        let diff = diff(&report, &report);
        assert_eq!(diff, Diff { same: report.features.len() as u64, ..Diff::default() });
    }

    #[test]
    fn every_difference_has_its_list() {
        let first = samples::report();
        let mut second = first.clone();
        let gone = second.features.remove(0).name;
        let mut new = second.features[0].clone();
        new.name = "new_one".to_owned();
        second.features.push(new);
        let worse = second.features.iter().position(|feature| feature.level < Level::Critical).unwrap();
        second.features[worse].level = Level::Critical;
        let diff = diff(&first, &second);
        let names = |list: &[Moved]| list.iter().map(|moved| moved.feature.clone()).collect::<Vec<_>>();
        assert_eq!(names(&diff.gone), [gone]);
        assert_eq!(names(&diff.new), ["new_one"]);
        assert_eq!(names(&diff.worse), [second.features[worse].name.clone()]);
        assert_eq!(diff.better, []);
        let back = super::diff(&second, &first);
        assert_eq!(names(&back.better), names(&diff.worse));
    }
}
