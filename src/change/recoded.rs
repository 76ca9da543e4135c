//! The same categories under other names.

use super::shares::same;
use super::text::quoted;
use super::{Cause, Explanation, Kind, Label, Subject};
use crate::format::{counted, ratio};
use std::collections::BTreeMap;

/// Least share of the values whose names changed.
const LEAST: f64 = 0.01;

/// A way in which names get changed, and what brings both sides back to one spelling.
struct Way {
    name: &'static str,
    same: fn(&str) -> String,
}

/// What is tried, the least change first.
const WAYS: [Way; 6] = [
    Way { name: "letter case", same: |name| name.to_lowercase() },
    Way { name: "spaces", same: |name| name.split_whitespace().collect::<Vec<_>>().join(" ") },
    Way { name: "number format", same: without_fraction },
    Way { name: "text encoding", same: repaired },
    Way { name: "lost characters", same: ascii_only },
    Way { name: "punctuation, spaces and case", same: letters_only },
];

/// The same categories under other names: case, spaces, encoding, a prefix, other codes. Evidence: brought to one
/// spelling, or put in the order of their counts, both sides have the same shares.
pub(super) struct Recoded;

impl Kind for Recoded {
    fn name(&self) -> &'static str {
        "recoded"
    }

    fn examine(&self, subject: &Subject) -> Option<Explanation> {
        if subject.numbers.is_some() || !subject.has_values() || subject.labels.is_empty() {
            return None;
        }
        by_spelling(subject).or_else(|| by_affix(subject)).or_else(|| by_rename(subject)).or_else(|| by_counts(subject))
    }
}

fn by_spelling(subject: &Subject) -> Option<Explanation> {
    if changed_share(subject) < LEAST {
        return None;
    }
    WAYS.iter().find_map(|way| explained(subject, way.name, way.same))
}

/// New names are old ones with something before or behind them, or the other way round.
fn by_affix(subject: &Subject) -> Option<Explanation> {
    if changed_share(subject) < LEAST {
        return None;
    }
    let names = |side: usize| -> Vec<&str> {
        let one_sided = |label: &&Label| label.rows[side] > 0 && label.rows[1 - side] == 0;
        subject.labels.iter().filter(one_sided).map(|label| label.name.as_str()).collect()
    };
    for (side, what) in [(1, "added"), (0, "dropped")] {
        let (longer, shorter) = (names(side), names(1 - side));
        if longer.len() < 2 || shorter.len() < 2 {
            continue;
        }
        // A long name's place among its old ones tells the affixes; the longest old name that it ends with, or begins with.
        let Some(first) = longer.first() else { continue };
        let tail =
            shorter.iter().filter(|old| first.len() > old.len() && first.ends_with(**old)).max_by_key(|old| old.len());
        let head = shorter
            .iter()
            .filter(|old| first.len() > old.len() && first.starts_with(**old))
            .max_by_key(|old| old.len());
        if let Some(prefix) = tail.and_then(|old| first.strip_suffix(*old)) {
            let strip = |name: &str| name.strip_prefix(prefix).unwrap_or(name).to_owned();
            if let Some(found) = explained(subject, &format!("prefix {} {what}", quoted(prefix)), strip) {
                return Some(found);
            }
        }
        if let Some(suffix) = head.and_then(|old| first.strip_prefix(*old)) {
            let strip = |name: &str| name.strip_suffix(suffix).unwrap_or(name).to_owned();
            if let Some(found) = explained(subject, &format!("suffix {} {what}", quoted(suffix)), strip) {
                return Some(found);
            }
        }
    }
    None
}

/// The explanation, if one spelling gives both sides the same shares and leaves next to nothing on one side only.
fn explained(subject: &Subject, way: &str, spelling: impl Fn(&str) -> String) -> Option<Explanation> {
    let mut merged: BTreeMap<String, [u64; 2]> = BTreeMap::new();
    for label in &subject.labels {
        let rows = merged.entry(spelling(&label.name)).or_default();
        (0..2).for_each(|side| rows[side] += label.rows[side]);
    }
    let counts: Vec<[u64; 2]> = merged.values().copied().collect();
    let left: f64 = counts.iter().filter(|rows| rows[0] == 0).map(|rows| subject.share(*rows, 1)).sum();
    if left > 0.2 * changed_share(subject) || !same(&counts) {
        return None;
    }
    let renamed: Vec<&Label> = subject.labels.iter().filter(|label| label.rows[0] == 0).collect();
    let example = renamed.iter().find_map(|new| {
        let old = subject.labels.iter().find(|old| old.rows[0] > 0 && spelling(&old.name) == spelling(&new.name))?;
        Some(format!("{} became {}", quoted(&old.name), quoted(&new.name)))
    })?;
    Some(Explanation {
        title: format!("recoded ({way})"),
        evidence: format!(
            "{example}, and {} in all; brought to one spelling, the shares are those of the reference",
            counted(renamed.len() as u64, "name", "names")
        ),
        confidence: 0.97,
        cause: Cause::Pipeline,
    })
}

/// Some categories are gone and as many new ones have their shares, while the others keep theirs.
fn by_rename(subject: &Subject) -> Option<Explanation> {
    /// Standard errors from which a share is more than chance, and up to which two are the same.
    const APART: f64 = 4.0;
    // A rare category comes and goes by chance.
    let one_sided = |side: usize| {
        let more = |share: f64| share > APART * subject.standard_error(share);
        let is_one = |label: &&Label| label.rows[1 - side] == 0 && more(subject.share(label.rows, side));
        let mut found: Vec<&Label> = subject.labels.iter().filter(is_one).collect();
        found.sort_by(|a, b| b.rows[side].cmp(&a.rows[side]).then_with(|| a.name.cmp(&b.name)));
        found
    };
    let (gone, new) = (one_sided(0), one_sided(1));
    if !subject.labels_complete || gone.len() != new.len() || gone.len() + new.len() >= subject.labels.len() {
        return None;
    }
    let is_renamed = |label: &Label| gone.iter().chain(&new).any(|renamed| renamed.name == label.name);
    let mut counts: Vec<[u64; 2]> =
        subject.labels.iter().filter(|label| !is_renamed(label)).map(|label| label.rows).collect();
    let mut error = 0.0_f64;
    for (old, new) in gone.iter().zip(&new) {
        let [before, after] = [subject.share(old.rows, 0), subject.share(new.rows, 1)];
        let of_pair = subject.standard_error(f64::midpoint(before, after));
        if (after - before).abs() > APART * of_pair {
            return None;
        }
        error = error.max(of_pair);
        counts.push([old.rows[0], new.rows[1]]);
    }
    let (old, other) = (gone.first()?, new.first()?);
    same(&counts).then(|| Explanation {
        title: "recoded (renamed)".to_owned(),
        evidence: format!(
            "{} is gone and {} has its share of the values{}; the others keep theirs",
            quoted(&old.name),
            quoted(&other.name),
            match new.len() {
                1 => String::new(),
                more => format!(", as have {} in all", counted(more as u64, "new name", "new names")),
            }
        ),
        // The chance that a category which has nothing to do with the old one has the same share.
        confidence: 0.93 * (1.0 - 2.0 * APART * error).max(0.7),
        cause: Cause::Pipeline,
    })
}

/// Other names in the same shares, the largest for the largest.
fn by_counts(subject: &Subject) -> Option<Explanation> {
    let sides = [0, 1].map(|side| {
        let mut rows: Vec<u64> = subject.labels.iter().map(|label| label.rows[side]).filter(|rows| *rows > 0).collect();
        rows.sort_unstable_by(|a, b| b.cmp(a));
        rows
    });
    let categories = sides[0].len();
    if !subject.labels_complete || categories != sides[1].len() || categories < 2 {
        return None;
    }
    let ranked: Vec<[u64; 2]> = sides[0].iter().zip(&sides[1]).map(|(&r, &c)| [r, c]).collect();
    let named: Vec<[u64; 2]> = subject.labels.iter().map(|label| label.rows).collect();
    if !same(&ranked) || same(&named) {
        return None;
    }
    let disjoint = subject.labels.iter().all(|label| label.rows[0] == 0 || label.rows[1] == 0);
    if !disjoint && !is_order_telling(subject) {
        return None;
    }
    let largest = |side: usize| subject.labels.iter().max_by_key(|label| label.rows[side]);
    let (old, new) = (largest(0)?, largest(1)?);
    // Two shares can trade places by themselves, and say nothing then; many do not.
    let confidence = match (disjoint, categories) {
        (true, 3..) => 0.9,
        (false, 4..) => 0.85,
        (true, _) => 0.75,
        (false, 3) => 0.65,
        (false, _) => return None,
    };
    Some(Explanation {
        title: if disjoint { "recoded (other names)" } else { "recoded (names swapped)" }.to_owned(),
        evidence: format!(
            "in the order of their counts the {} have the same shares, the largest as {} instead of {}",
            counted(categories as u64, "category", "categories"),
            quoted(&new.name),
            quoted(&old.name)
        ),
        confidence,
        cause: Cause::Pipeline,
    })
}

/// Whether the categories whose shares moved are told apart by them: shares that lie close have the same order statistics
/// whatever moved them.
fn is_order_telling(subject: &Subject) -> bool {
    /// Differences, in standard errors, of a share that moved, and between shares that are not one.
    const APART: f64 = 4.0;
    /// The largest shares, which must be apart.
    const LARGEST: usize = 4;
    let shares = |label: &Label| [0, 1].map(|side| subject.share(label.rows, side));
    let moved = subject
        .labels
        .iter()
        .map(shares)
        .filter(|[before, after]| (after - before).abs() > APART * subject.standard_error(0.5 * (before + after)));
    let mut before: Vec<f64> = moved.map(|[before, _]| before).collect();
    before.sort_by(|a, b| b.total_cmp(a));
    let apart = |pair: &[f64]| pair[0] - pair[1] > APART * subject.standard_error(pair[0]);
    before.len() >= 2 && before.windows(2).take(LARGEST - 1).all(apart)
}

/// Share of current's values whose name the reference does not have.
fn changed_share(subject: &Subject) -> f64 {
    let rows = subject.labels.iter().filter(|label| label.rows[0] == 0).map(|label| label.rows[1]).sum();
    ratio(rows, subject.values(1))
}

/// `7.0` as `7`, `007` as `7`.
fn without_fraction(name: &str) -> String {
    let trimmed = name.trim();
    let whole = trimmed.strip_suffix(".0").or_else(|| trimmed.strip_suffix(".00")).unwrap_or(trimmed);
    let digits = whole.trim_start_matches('0');
    match digits.is_empty() && !whole.is_empty() {
        true => "0".to_owned(),
        false => digits.to_owned(),
    }
}

/// Text that was UTF-8, read as Windows-1252 (or Latin-1), and written as UTF-8 again: `MÃ¼nchen` for `München`.
fn repaired(name: &str) -> String {
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(name);
    if !unmappable && let Ok(text) = std::str::from_utf8(&bytes) {
        return text.to_owned();
    }
    // Latin-1 has control characters where Windows-1252 has quotes and dashes.
    let latin: Option<Vec<u8>> = name.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    latin.and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| name.to_owned())
}

/// Runs of characters that ASCII does not have, and what programs write for them, as one question mark.
fn ascii_only(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        let c = if c.is_ascii() { c } else { '?' };
        if c != '?' || !text.ends_with('?') {
            text.push(c);
        }
    }
    text
}

fn letters_only(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_meet_again() {
        assert_eq!(repaired("MÃ¼nchen"), "München");
        assert_eq!(repaired("MÃ¼nchen"), repaired("MÃ¼nchen"));
        assert_eq!(repaired("10K â‚¬"), "10K €");
        assert_eq!(repaired("plain"), "plain");
        assert_eq!(repaired("温度"), "温度", "what Windows-1252 cannot say was not read as it");
        assert_eq!(ascii_only("M\u{fffd}nchen"), ascii_only("München"));
        assert_eq!([without_fraction("7.0"), without_fraction("007"), without_fraction("0")], ["7", "7", "0"]);
        assert_eq!(letters_only("New York"), letters_only("new-york"));
    }
}
