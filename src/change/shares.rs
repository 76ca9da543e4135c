//! The categories passed shares among themselves.

use super::{Cause, Explanation, Kind, Label, Subject};
use crate::format::{percent, ratio, real};
use crate::stats::chi_squared_sf;

/// p-value from which shares count as kept: a homogeneity test over many runs must not reject what did not move.
const KEPT: f64 = 1e-4;
/// With very many rows the smallest change is significant; a total variation up to this is none.
const SMALL: f64 = 0.02;

/// The same categories (or true and false) in other shares. Evidence: no other kind explains the contingency table
/// better; the largest change is named.
pub(super) struct Shares;

impl Kind for Shares {
    fn name(&self) -> &'static str {
        "shares"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if !subject.has_values() {
            return None;
        }
        let change = |label: &&Label| subject.share(label.rows, 1) - subject.share(label.rows, 0);
        let most = subject.labels.iter().max_by(|a, b| change(a).abs().total_cmp(&change(b).abs()))?;
        let [before, after] = [0, 1].map(|side| subject.share(most.rows, side));
        Some(Explanation {
            title: "shares moved".to_owned(),
            evidence: format!(
                "{} moved most, from {} to {}",
                super::text::quoted(&most.name),
                percent(before),
                percent(after)
            ),
            confidence: 0.6,
            cause: Cause::Data,
        })
    }
}

/// Whether so large a share is most of what moved: half of the difference between the two sides, or more.
pub(super) fn is_most(subject: &Subject, share: f64) -> bool {
    let moved = |label: &Label| (subject.share(label.rows, 1) - subject.share(label.rows, 0)).abs() / 2.0;
    share >= 0.5 * subject.labels.iter().map(moved).sum::<f64>()
}

/// Whether the categories keep their shares, relative to each other, of those rows that `rows` says (`None`: not looked at).
pub(super) fn keep(subject: &Subject, rows: impl Fn(&Label) -> Option<[u64; 2]>) -> bool {
    same(&subject.labels.iter().filter_map(rows).collect::<Vec<_>>())
}

/// Whether two rows of counts are samples of the same shares: chi-squared, or a difference too small to matter.
pub(super) fn same(counts: &[[u64; 2]]) -> bool {
    let n = [0, 1].map(|side| counts.iter().map(|rows| rows[side]).sum::<u64>());
    if n[0] == 0 || n[1] == 0 {
        return false;
    }
    let all = real(n[0]) + real(n[1]);
    let (mut statistic, mut variation, mut used) = (0.0, 0.0, 0_u64);
    for rows in counts.iter().filter(|rows| **rows != [0, 0]) {
        let total = real(rows[0]) + real(rows[1]);
        variation += (ratio(rows[0], n[0]) - ratio(rows[1], n[1])).abs() / 2.0;
        for side in 0..2 {
            let expected = total * real(n[side]) / all;
            statistic += (real(rows[side]) - expected) * (real(rows[side]) - expected) / expected;
        }
        used += 1;
    }
    variation <= SMALL || chi_squared_sf(statistic, used.saturating_sub(1)) >= KEPT
}
