//! Categories outside the declared ones.

use super::{Card, Check, Found, Sides};
use crate::change::Label;
use crate::format::{count, percent, printable, ratio, real};
use crate::verdict::Level;

/// Categories that a message lists.
const LISTED: usize = 3;

/// Values that are not among those allowed.
pub(super) struct Domain;

impl Check for Domain {
    fn card(&self) -> &'static Card {
        &Card {
            name: "domain",
            about: "values that are not among the declared ones (allowed)",
            declared: Level::Warning,
            observed: Level::Ok,
        }
    }

    fn feature(&self, sides: &Sides<'_>) -> Vec<Found> {
        let Some(allowed) = &sides.expected.allowed else { return Vec::new() };
        let subject = sides.subject;
        let mut wrong: Vec<(String, u64)> = if subject.labels.is_empty() {
            let text = |value: f64| value.to_string();
            let atoms = subject.atoms.iter().filter(|atom| atom.rows[1] > 0);
            atoms.map(|atom| (text(atom.value), atom.rows[1])).filter(|(name, _)| !allowed.contains(name)).collect()
        } else {
            let foreign = |label: &&Label| label.rows[1] > 0 && !allowed.contains(&label.name);
            subject.labels.iter().filter(foreign).map(|label| (label.name.clone(), label.rows[1])).collect()
        };
        if wrong.is_empty() {
            return Vec::new();
        }
        wrong.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let rows: u64 = wrong.iter().map(|(_, rows)| rows).sum();
        let names: Vec<String> =
            wrong.iter().take(LISTED).map(|(name, _)| format!("\"{}\"", printable(name))).collect();
        let more = if wrong.len() > LISTED { ", …" } else { "" };
        // Of a feature with very many categories only the most frequent ones have names here.
        let least = if subject.labels_complete { "" } else { "at least " };
        let message = format!(
            "{least}{} values ({}) are not allowed: {}{more}",
            count(rows),
            percent(ratio(rows, subject.values(1))),
            names.join(", ")
        );
        vec![Found::declared(message).with("values", real(rows))]
    }
}
