//! The features of incidents, from night to night: which open incident a feature is in, and who has joined.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;

use super::incident::{Incident, check_of};
use super::outbox::{OpenIncident, level};
use crate::history::instant::of_milliseconds;
use crate::verdict::Level;

/// A feature of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its name.
    pub feature: String,
    /// Its level in the last run that saw it; ok when it is quiet by now.
    pub level: Level,
    /// The level that people were last told; `None`: they do not know that it is one of them.
    pub told_level: Option<Level>,
}

/// An incident of tonight, and the open one that it goes on with.
pub(super) type Matched<'r> = (Incident<'r>, Option<OpenIncident>);

/// Finds for each incident of a night the open one that it goes on with, and gives those that nothing goes on with.
///
/// A feature stays in the incident that it was told with: two incidents that have become alike stay two, and one that falls
/// apart stays one, so that receivers see no incident end that goes on under another name. What is new in a group joins
/// the incident that most of the group is in, the oldest of them when there are several; a group in which all is new is a
/// new incident.
pub(super) fn matched<'r>(
    tonight: Vec<Incident<'r>>,
    open: Vec<OpenIncident>,
) -> (Vec<Matched<'r>>, Vec<OpenIncident>) {
    let mut homes: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, known) in open.iter().enumerate() {
        let names = known.members.iter().map(|member| member.feature.as_str());
        let whole = check_of(&known.subject).map(|_| known.subject.as_str());
        homes.extend(names.chain(whole).map(|name| (name, index)));
    }
    let home = |name: &str| homes.get(name).copied();
    // By the open incident, or by the group that is new; in the order of the worst feature of each.
    let mut parts: IndexMap<(Option<usize>, usize), Incident<'r>> = IndexMap::new();
    for (number, incident) in tonight.into_iter().enumerate() {
        if incident.features.is_empty() {
            parts.insert((home(&incident.subject), number), incident);
            continue;
        }
        let joins = most_of(incident.features.iter().filter_map(|feature| home(&feature.name)));
        for feature in incident.features {
            let known = home(&feature.name).or(joins);
            let key = (known, if known.is_some() { 0 } else { number });
            parts.entry(key).or_insert_with(|| Incident::of(Vec::new())).features.push(feature);
        }
    }
    let mut open: Vec<Option<OpenIncident>> = open.into_iter().map(Some).collect();
    let with_known = |((known, _), mut part): ((Option<usize>, usize), Incident<'r>)| {
        if !part.features.is_empty() {
            part.features.sort_by_key(|feature| std::cmp::Reverse(feature.level));
            part = Incident::of(part.features);
        }
        (part, known.and_then(|index| open[index].take()))
    };
    let matched = parts.into_iter().map(with_known).collect();
    (matched, open.into_iter().flatten().collect())
}

/// The number that occurs most, the smallest of them where several do.
fn most_of(numbers: impl Iterator<Item = usize>) -> Option<usize> {
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    numbers.for_each(|number| *times.entry(number).or_default() += 1);
    times.into_iter().max_by_key(|&(number, times)| (times, std::cmp::Reverse(number))).map(|(number, _)| number)
}

/// The members of an incident, by name.
pub(super) fn members(connection: &Connection, incident: i64) -> Result<Vec<Member>, rusqlite::Error> {
    let sql = "SELECT feature, level, told_level FROM incident_members WHERE incident = ?1 ORDER BY feature";
    let member = |row: &Row<'_>| {
        Ok(Member {
            feature: row.get(0)?,
            level: level(row.get(1)?),
            told_level: row.get::<_, Option<usize>>(2)?.map(level),
        })
    };
    connection.prepare_cached(sql)?.query_map([incident], member)?.collect()
}

/// Notes the levels of members; who is none yet joins.
pub(super) fn note<'n>(
    transaction: &Transaction<'_>,
    incident: i64,
    levels: impl IntoIterator<Item = (&'n str, Level)>,
    at: DateTime<Utc>,
) -> Result<(), rusqlite::Error> {
    let mut statement = transaction.prepare_cached(
        "INSERT INTO incident_members (incident, feature, level, joined_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (incident, feature) DO UPDATE SET level = excluded.level",
    )?;
    for (feature, level) in levels {
        statement.execute(params![incident, feature, level as u8, at.timestamp_millis()])?;
    }
    Ok(())
}

/// Notes that people are told of the members that are not quiet.
pub(super) fn told(transaction: &Transaction<'_>, incident: i64) -> Result<(), rusqlite::Error> {
    let sql = "UPDATE incident_members SET told_level = level WHERE incident = ?1 AND level > 0";
    transaction.execute(sql, [incident]).map(|_| ())
}

/// When people were last told of a feature, in an incident that is over or not, and its level then.
pub(super) fn last_told(
    transaction: &Transaction<'_>,
    job: &str,
    feature: &str,
) -> Result<Option<(DateTime<Utc>, Level)>, rusqlite::Error> {
    let sql = "SELECT told_at, member.told_level FROM incident_members AS member JOIN incidents ON id = incident
               WHERE feature = ?2 AND job = ?1 AND told_at IS NOT NULL AND member.told_level IS NOT NULL
               ORDER BY told_at DESC LIMIT 1";
    let row = |row: &Row<'_>| Ok((of_milliseconds(row.get(0)?), level(row.get(1)?)));
    transaction.query_row(sql, [job, feature], row).optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_of_none_is_none_and_the_oldest_wins() {
        assert_eq!(most_of([].into_iter()), None);
        assert_eq!(most_of([2, 1, 1, 2, 0].into_iter()), Some(1));
    }
}
