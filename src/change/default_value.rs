//! One value took mass: a default stands where values stood.

use super::fit::fit;
use super::text::quoted;
use super::{Atom, Cause, Explanation, Kind, Label, Subject};
use crate::format::{percent, ratio, real, significant};

/// Least rise of a value's share.
const LEAST: f64 = 0.03;
/// What a value that nobody writes for none must explain of the difference: few rows leave room for any explanation.
const EXPLAINED: f64 = 0.7;
/// Values that programs write where they have none.
const USUAL: [f64; 16] = [
    0.0,
    -1.0,
    1.0,
    99.0,
    999.0,
    9999.0,
    99_999.0,
    999_999.0,
    -99.0,
    -999.0,
    -9999.0,
    -99_999.0,
    -999_999.0,
    2_147_483_647.0,
    -2_147_483_648.0,
    65_535.0,
];
/// Words that stand for no value.
const WORDS: [&str; 20] = [
    "",
    " ",
    "-",
    "?",
    "0",
    "-1",
    "n/a",
    "na",
    "nan",
    "nil",
    "none",
    "null",
    "unknown",
    "undefined",
    "missing",
    "default",
    "other",
    "999",
    "9999",
    "tbd",
];

/// One value (0, −1, 999, an empty text) stands where other values stood. Evidence: one value's share rose by at
/// least 3 points, and the rest is distributed as before; or nulls fell by as much.
pub(super) struct DefaultValue;

impl Kind for DefaultValue {
    fn name(&self) -> &'static str {
        "default_value"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if !subject.has_values() {
            return None;
        }
        if subject.numbers.is_some() { of_numbers(subject) } else { of_labels(subject) }
    }
}

fn of_numbers(subject: &Subject) -> Option<Explanation> {
    // Of two values one takes what the other leaves, and of rounded ones each what lay around it.
    let two = subject.distinct.iter().all(|distinct| distinct.is_some_and(|(distinct, _)| distinct <= 2));
    if two || super::lost_decimals(subject).is_some() {
        return None;
    }
    let rise = |atom: &Atom| subject.share(atom.rows, 1) - subject.share(atom.rows, 0);
    let atom = subject.atoms.iter().max_by(|a, b| rise(a).total_cmp(&rise(b))).filter(|atom| rise(atom) >= LEAST)?;
    let [before, after] = [0, 1].map(|side| subject.share(atom.rows, side));
    let taken = ((after - before) / (1.0 - before)).clamp(0.0, 1.0);
    let reference = subject.ecdf(0)?;
    let found = fit(subject, |x| {
        let (low, high) = reference.interval(x);
        let step = |at: bool| if at { taken } else { 0.0 };
        let close = 1e-9 * x.abs();
        ((1.0 - taken) * low + step(x > atom.value + close), (1.0 - taken) * high + step(x >= atom.value - close))
    })?;
    let [_, current] = subject.numbers.as_ref()?;
    let usual = USUAL.contains(&atom.value) || subject.ticks_per_day.is_some() && atom.value == 0.0;
    // Mass piled up at the end of the range is clipping, unless the value is one that the reference hardly reaches.
    let inside = reference.level(atom.value);
    let at_the_end = (atom.value == current.min && inside > 0.02) || (atom.value == current.max && inside < 0.98);
    let (rest, confidence) = match (found.accepted, usual) {
        (true, true) => ("the rest is distributed as before", 0.96),
        (true, false) if found.explained >= EXPLAINED => ("the rest is distributed as before", 0.9),
        (false, true) => ("the rest moved, too", 0.5 * found.explained.max(0.5)),
        // Of numbers with few values one rises as a matter of course while the rest moves.
        (_, false) => return None,
    };
    if at_the_end && !usual {
        return None;
    }
    let filled = filled_nulls(subject, significant(atom.value), after - before);
    filled.or_else(|| Some(explanation(&significant(atom.value), [before, after], rest, confidence)))
}

fn of_labels(subject: &Subject) -> Option<Explanation> {
    if subject.labels.len() < 3 {
        return None;
    }
    let rise = |label: &Label| subject.share(label.rows, 1) - subject.share(label.rows, 0);
    let label =
        subject.labels.iter().max_by(|a, b| rise(a).total_cmp(&rise(b))).filter(|label| rise(label) >= LEAST)?;
    let [before, after] = [0, 1].map(|side| subject.share(label.rows, side));
    let usual = WORDS.contains(&label.name.trim().to_lowercase().as_str());
    let kept = super::shares::keep(subject, |other| (other.name != label.name).then_some(other.rows));
    // A new name is a new category unless it stands for no value; an old one must leave the others as they were.
    if !kept || (before == 0.0 && !usual) {
        return None;
    }
    let confidence = if usual { 0.96 } else { 0.8 };
    filled_nulls(subject, quoted(&label.name), after - before).or_else(|| {
        Some(explanation(&quoted(&label.name), [before, after], "the others keep their proportions", confidence))
    })
}

fn explanation(value: &str, [before, after]: [f64; 2], rest: &str, confidence: f64) -> Explanation {
    Explanation {
        title: format!("default value {value}"),
        evidence: format!("the share of {value} rose from {} to {}; {rest}", percent(before), percent(after)),
        confidence,
        cause: Cause::Pipeline,
    }
}

/// Nulls fell by as many rows as the value took: it was filled in for them.
fn filled_nulls(subject: &Subject, value: String, rise: f64) -> Option<Explanation> {
    let [before, after] = [0, 1].map(|side| ratio(subject.nulls[side], subject.rows[side]));
    let fell = before - after;
    let taken = rise * ratio(subject.values(1), subject.rows[1]);
    let error = (before * (1.0 - before) * (1.0 / real(subject.rows[0]) + 1.0 / real(subject.rows[1]))).sqrt();
    (fell >= LEAST && (fell - taken).abs() <= 5.0 * error + 0.02).then(|| Explanation {
        title: format!("nulls filled with {value}"),
        evidence: format!(
            "the null share fell from {} to {}, and {value} took its place",
            percent(before),
            percent(after)
        ),
        confidence: 0.97,
        cause: Cause::Pipeline,
    })
}
