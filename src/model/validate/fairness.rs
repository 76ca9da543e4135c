//! Fairness: are groups treated alike? Of a binary classifier, by the definitions of Hardt, Price and Srebro (2016), as
//! Fairlearn has them: the largest difference between two groups.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pairs::Pairs;
use super::policy::Policy;
use crate::format::real;
use crate::model::columns::NONE;

/// A share with its Wilson interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Rate {
    /// The share; null without rows.
    pub value: Option<f64>,
    /// Ends of its interval.
    pub low: Option<f64>,
    /// See `low`.
    pub high: Option<f64>,
}

/// What the challenger does with a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GroupRates {
    /// The group; `None` for rows where the column is null.
    pub group: Option<String>,
    /// Its pairs.
    pub rows: u64,
    /// Whether it has too few of them, and is left out of the differences.
    pub small: bool,
    /// Share that is predicted positive.
    pub selection_rate: Rate,
    /// Share of the positive ones that is predicted so.
    pub true_positive_rate: Rate,
    /// Share of the negative ones that is predicted positive.
    pub false_positive_rate: Rate,
}

/// Rows of a group: by prediction and label.
#[derive(Clone, Copy, Debug, Default)]
struct Cells([[u64; 2]; 2]);

impl Cells {
    fn rows(self) -> u64 {
        self.0.iter().flatten().sum()
    }

    fn selected(self) -> [u64; 2] {
        [self.0[1][0] + self.0[1][1], self.rows()]
    }

    fn positive_rate(self, label: usize) -> [u64; 2] {
        [self.0[1][label], self.0[0][label] + self.0[1][label]]
    }
}

/// Rows by group, drawn as often as `drawn` says. The last one has no group.
fn cells(pairs: &Pairs, group: usize, side: usize, drawn: Option<&[u32]>) -> Vec<Cells> {
    let (codes, names) = &pairs.groups[group];
    let mut cells = vec![Cells::default(); names.len() + 1];
    for (pair, &code) in codes.iter().enumerate() {
        let times = drawn.map_or(1, |drawn| u64::from(drawn[pair]));
        let at = if code == NONE { names.len() } else { code as usize };
        let (prediction, label) = (pairs.sides[side].classes[pair], pairs.labels[pair]);
        cells[at].0[usize::from(prediction == 1)][usize::from(label == 1)] += times;
    }
    cells
}

/// Demographic parity, equal opportunity and equalised odds over the groups that are `large`.
pub(super) fn differences(pairs: &Pairs, group: usize, side: usize, large: &[bool], drawn: Option<&[u32]>) -> [f64; 3] {
    let cells = cells(pairs, group, side, drawn);
    let spread = |of: &dyn Fn(Cells) -> [u64; 2]| {
        let shares = cells.iter().zip(large).filter(|(_, large)| **large).map(|(cells, _)| of(*cells));
        let shares: Vec<f64> =
            shares.filter(|[_, whole]| *whole > 0).map(|[part, whole]| real(part) / real(whole)).collect();
        let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = shares.iter().copied().fold(f64::INFINITY, f64::min);
        if shares.len() < 2 { f64::NAN } else { most - least }
    };
    let parity = spread(&Cells::selected);
    let opportunity = spread(&|cells| cells.positive_rate(1));
    let false_alarms = spread(&|cells| cells.positive_rate(0));
    [parity, opportunity, opportunity.max(false_alarms)]
}

/// Which groups have enough pairs.
pub(super) fn large(policy: &Policy, pairs: &Pairs, group: usize) -> Vec<bool> {
    let cells = cells(pairs, group, 1, None);
    let named = cells.len() - 1;
    cells.iter().enumerate().map(|(at, cells)| at < named && cells.rows() >= policy.min_group.unwrap_or(30)).collect()
}

/// What the challenger does with every group, by column.
pub(super) fn rates(policy: &Policy, pairs: &Pairs) -> BTreeMap<String, Vec<GroupRates>> {
    let confidence = policy.confidence();
    let rate = |[part, whole]: [u64; 2]| {
        let value = (whole > 0).then(|| real(part) / real(whole));
        let ends = value.and_then(|value| confidence.wilson(value, real(whole)));
        Rate { value, low: ends.map(|ends| ends[0]), high: ends.map(|ends| ends[1]) }
    };
    let mut columns = BTreeMap::new();
    for (group, column) in policy.groups.iter().enumerate() {
        let (large, names) = (large(policy, pairs, group), &pairs.groups[group].1);
        let mut all: Vec<GroupRates> = cells(pairs, group, 1, None)
            .into_iter()
            .zip(large)
            .enumerate()
            .filter(|(_, (cells, _))| cells.rows() > 0)
            .map(|(at, (cells, large))| GroupRates {
                group: names.get(at).cloned(),
                rows: cells.rows(),
                small: !large,
                selection_rate: rate(cells.selected()),
                true_positive_rate: rate(cells.positive_rate(1)),
                false_positive_rate: rate(cells.positive_rate(0)),
            })
            .collect();
        all.sort_by(|a, b| a.group.cmp(&b.group));
        columns.insert(column.clone(), all);
    }
    columns
}
