//! Features that moved together are one incident.
//!
//! A bug rarely hits one column: the job that writes a table fails, and all its features turn null, freeze, or come in
//! another unit in the same night. Features of one table (what stands before the colon in `table:feature`) that moved in
//! the same way are one incident, with one line in the reports and one alert.

use super::{Cause, ChangeKind};
use crate::verdict::Level;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Features that moved together, or one that moved alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// The same in every run while the same thing is wrong: made of the table, the kind and what is the same for all
    /// members, or else of the first member's name.
    pub id: String,
    /// In a few words: `7 features of orders: unit change × 1000`.
    pub title: String,
    /// Name of the kind of change.
    pub kind: String,
    /// Pipeline bug or real drift.
    pub cause: Cause,
    /// The highest level of its features.
    pub level: Level,
    /// The features, in the order of the report.
    pub features: Vec<String>,
}

/// One feature that moved.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'m> {
    /// Its name.
    pub name: &'m str,
    /// Its level.
    pub level: Level,
    /// What happened to it.
    pub change: &'m ChangeKind,
}

/// Kinds whose title names nothing that differs from night to night.
const STEADY: [&str; 7] = ["unit_change", "time_zone", "default_value", "recoded", "sign_flip", "constant", "rounding"];

/// The incidents of a run, the most severe first, then the largest, then by title.
#[must_use]
pub fn group(moved: &[Moved<'_>]) -> Vec<Incident> {
    let mut groups: BTreeMap<(&str, &str, String), Vec<&Moved<'_>>> = BTreeMap::new();
    for one in moved {
        groups.entry(signature(one)).or_default().push(one);
    }
    let mut incidents: Vec<Incident> =
        groups.into_iter().map(|((table, kind, _), members)| incident(table, kind, &members)).collect();
    incidents.sort_by(|a, b| {
        b.level.cmp(&a.level).then(b.features.len().cmp(&a.features.len())).then_with(|| a.title.cmp(&b.title))
    });
    incidents
}

/// What the members of an incident share: table, kind, and for bugs their exact manner.
fn signature<'m>(moved: &Moved<'m>) -> (&'m str, &'m str, String) {
    let (table, kind) = (table_of(moved.name), moved.change.kind.as_str());
    let manner = match moved.change.cause {
        _ if kind == super::swapped::NAME => pair(moved),
        Cause::Pipeline => moved.change.title.clone(),
        // Many features of one table that drift in one night have one cause; without a table nothing says so.
        Cause::Data | Cause::Unclear if !table.is_empty() => String::new(),
        Cause::Data | Cause::Unclear => moved.name.to_owned(),
    };
    (table, kind, manner)
}

/// The two names of a swap, in one order.
fn pair(moved: &Moved<'_>) -> String {
    let other = moved.change.title.trim_start_matches("swapped with ").trim_matches('"');
    let mut names = [moved.name, other];
    names.sort_unstable();
    names.join("\0")
}

/// What stands before the colon.
fn table_of(name: &str) -> &str {
    name.rsplit_once(':').map_or("", |(table, _)| table)
}

fn incident(table: &str, kind: &str, members: &[&Moved<'_>]) -> Incident {
    let first = members.iter().map(|moved| moved.name).min().unwrap_or_default();
    let change = members[0].change;
    let same = members.iter().all(|moved| moved.change.title == change.title);
    let what = match (same, kind) {
        (true, _) => change.title.clone(),
        (false, "swapped") => "swapped".to_owned(),
        (false, kind) => kind.replace('_', " "),
    };
    let subject = match members {
        [one] => one.name.to_owned(),
        [one, other] if kind == "swapped" => format!("{} and {}", one.name, other.name),
        many if table.is_empty() => format!("{} features", many.len()),
        many => format!("{} features of {table}", many.len()),
    };
    let steady = STEADY.contains(&kind) && change.cause == Cause::Pipeline;
    let mark = if steady { change.title.as_str() } else { first };
    Incident {
        id: identity(&[table, kind, mark]),
        title: format!("{subject}: {what}"),
        kind: kind.to_owned(),
        cause: change.cause,
        level: members.iter().map(|moved| moved.level).max().unwrap_or_default(),
        features: members.iter().map(|moved| moved.name.to_owned()).collect(),
    }
}

/// Sixteen hexadecimal digits, the same on every machine and in every version (FNV-1a).
fn identity(parts: &[&str]) -> String {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(kind: &str, title: &str, cause: Cause) -> ChangeKind {
        ChangeKind { kind: kind.into(), title: title.into(), confidence: 0.9, cause, evidence: String::new() }
    }

    #[test]
    fn one_bug_in_one_table_is_one_incident_whoever_joins() {
        let kilo = change("unit_change", "unit change × 1000", Cause::Pipeline);
        let moved = |name, level| Moved { name, level, change: &kilo };
        let two = group(&[moved("orders:a", Level::Warning), moved("orders:b", Level::Critical)]);
        assert_eq!(two.len(), 1);
        assert_eq!(
            (two[0].title.as_str(), two[0].level),
            ("2 features of orders: unit change × 1000", Level::Critical)
        );
        let three = group(&["orders:0", "orders:a", "orders:b"].map(|name| moved(name, Level::Warning)));
        assert_eq!(three[0].id, two[0].id, "the id stays when another feature joins");
        let elsewhere = group(&[moved("orders:a", Level::Warning), moved("users:a", Level::Warning)]);
        assert_eq!(elsewhere.len(), 2);
    }

    #[test]
    fn drift_without_a_table_stays_apart() {
        let drift = change("shift", "shifted +3", Cause::Data);
        let moved = |name| Moved { name, level: Level::Warning, change: &drift };
        assert_eq!(group(&[moved("a"), moved("b")]).len(), 2);
        assert_eq!(group(&[moved("t:a"), moved("t:b")]).len(), 1);
    }

    #[test]
    fn the_two_of_a_swap_are_one_incident() {
        let [one, other] =
            ["b", "a"].map(|name| change("swapped", &format!("swapped with \"{name}\""), Cause::Pipeline));
        let moved = [
            Moved { name: "a", level: Level::Critical, change: &one },
            Moved { name: "b", level: Level::Critical, change: &other },
        ];
        let incidents = group(&moved);
        assert_eq!(incidents.len(), 1);
        assert_eq!(incidents[0].title, "a and b: swapped");
    }
}
