//! Several profiles become one: as if it had been built from all their data together.
//!
//! Sorted keys merge, counts add, the map is built anew. The merge of exact profiles is, to the byte, the profile of the
//! data in one piece. Bounded profiles merge, too; by how much D may be off adds up.

use std::io::Write;

use rayon::prelude::*;

use super::build::{Encoded, HELD_BYTES, categorical_form, forms, ordered_form, write};
use super::bytes::Bytes;
use super::container::Writer;
use super::directory::{Directory, Entry};
use super::runs::{RunWriter, Runs};
use super::sorter;
use super::{Profile, ProfileError};
use crate::column::{Distinct, Encoding, Facts};
use crate::counts::{Key, Keys, with_keys};
use crate::source::SourceColumn;

/// Columns that are merged, and held, at a time.
const AT_ONCE: usize = 16;
/// Keys that are hashed at a time.
const BATCH: usize = 1 << 16;

/// Writes the profile of the data of all `profiles`, at most `size` keys a feature where that is given. Returns the
/// columns that could not be merged, with the reason; the profile holds their reason, too.
///
/// # Errors
/// When a profile is damaged, or writing fails.
pub fn merge(profiles: &[Profile], size: Option<u64>, out: impl Write) -> Result<Vec<(String, String)>, ProfileError> {
    let mut writer = Writer::new(out)?;
    let mut directory = Directory::new(profiles.iter().map(Profile::rows).sum());
    let mut failures = Vec::new();
    for columns in columns_of(profiles).chunks(AT_ONCE) {
        let merged: Vec<Result<Encoded, ProfileError>> =
            columns.par_iter().map(|column| merged(profiles, column, size)).collect();
        for (column, merged) in columns.iter().zip(merged) {
            match merged {
                Ok(merged) => write(&mut writer, &mut directory, column, merged)?,
                // What is true of the column stays with the column; a damaged file is nobody's reference.
                Err(error @ (ProfileError::Unanswered { .. } | ProfileError::Value { .. })) => {
                    failures.push((column.name.clone(), error.to_string()));
                    directory.push(column, Entry { failure: Some(error.to_string()), ..Entry::default() });
                }
                Err(error) => return Err(error),
            }
        }
    }
    writer.finish(&directory.encoded()?)?;
    Ok(failures)
}

/// The columns of all profiles in the order that a data set of all their files has: columns of files in the order in which
/// they come up, then those that only names of folders give.
fn columns_of(profiles: &[Profile]) -> Vec<SourceColumn> {
    let all = || profiles.iter().flat_map(Profile::columns);
    let mut merged: Vec<SourceColumn> = Vec::new();
    for column in all().filter(|column| !column.partition).chain(all().filter(|column| column.partition)) {
        let Some(known) = merged.iter_mut().find(|known| known.name == column.name) else {
            merged.push(column.clone());
            continue;
        };
        if known.problem.is_none() {
            known.problem.clone_from(&column.problem);
        }
        for data_type in &column.types {
            if !known.types.contains(data_type) {
                known.types.push(data_type.clone());
            }
        }
    }
    merged
}

/// Where the column of this name is in a profile.
fn place(profile: &Profile, name: &str) -> Option<usize> {
    profile.columns().iter().position(|column| column.name == name)
}

/// The facts of a column that a profile does not have: all its rows are null.
fn nulls(profile: &Profile) -> Facts {
    Facts { rows: profile.rows(), nulls: profile.rows(), ..Facts::default() }
}

fn merged(profiles: &[Profile], column: &SourceColumn, size: Option<u64>) -> Result<Encoded, ProfileError> {
    for profile in profiles {
        let failure = place(profile, &column.name).and_then(|place| profile.failure(place));
        if let Some(reason) = failure {
            return Err(refused(column, reason));
        }
    }
    let (ordered, categorical) = forms(column);
    let mut encoded = Encoded::default();
    if let Some(encoding) = ordered {
        (encoded.summary.ordered, encoded.keys) = merged_keys(profiles, column, encoding, size)?;
    }
    if let Some(binary) = categorical {
        let (mut list, mut facts) = (Vec::new(), Facts::default());
        for profile in profiles {
            match place(profile, &column.name) {
                Some(place) => {
                    let (more, more_facts) = profile.categories(place)?;
                    list.extend(more);
                    facts.merge(&more_facts);
                }
                None => facts.merge(&nulls(profile)),
            }
        }
        list.sort();
        list.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            kept.1 += if same { next.1 } else { 0 };
            same
        });
        (encoded.summary.categorical, encoded.categories) = categorical_form(list, &facts, binary);
    }
    Ok(encoded)
}

/// A column of ordered values, in the keys of `encoding`.
fn merged_keys(
    profiles: &[Profile],
    column: &SourceColumn,
    encoding: Encoding,
    size: Option<u64>,
) -> Result<(Option<super::stored::StoredOrdered>, Bytes), ProfileError> {
    let mut all = Vec::new();
    let (mut facts, mut distinct, mut error_rows) = (Facts::default(), Distinct::default(), 0);
    for profile in profiles {
        let Some(place) = place(profile, &column.name) else {
            facts.merge(&nulls(profile));
            continue;
        };
        let own = forms(&profile.columns()[place]).0;
        if own.is_some_and(|own| own != encoding && (has_scale(own) || has_scale(encoding))) {
            let reason = "the profiles hold it with different digits behind the point; build one profile from the data";
            return Err(refused(column, reason));
        }
        let stored = profile.ordered(place, &encoding)?;
        let mut more = Facts { distinct: Distinct::default(), ..stored.facts.clone() };
        if stored.error_rows == 0 {
            let mut batch = Keys::empty(encoding.key_bits());
            stored.runs.each(&mut |key, _| {
                with_keys!(&mut batch, keys => keys.push(Key::narrow(key)));
                if batch.len() == BATCH {
                    more.distinct.merge(&with_keys!(&batch, keys => Distinct::of(keys)));
                    batch.clear();
                }
                Ok(())
            })?;
            more.distinct.merge(&with_keys!(&batch, keys => Distinct::of(keys)));
        } else {
            more.distinct = stored.facts.distinct.clone();
        }
        error_rows += stored.error_rows;
        distinct.merge(&more.distinct);
        more.distinct = Distinct::default();
        facts.merge(&more);
        all.push(stored);
    }
    facts.distinct = distinct;
    let mut sorted = RunWriter::within(HELD_BYTES);
    let runs: Vec<&Runs<'_>> = all.iter().map(|stored| &stored.runs).collect();
    sorter::merge(&runs, &mut sorted)?;
    ordered_form(sorted, &facts, encoding, error_rows, size)
}

/// Whether sums in this encoding count tenths, hundredths and so on.
fn has_scale(encoding: Encoding) -> bool {
    matches!(encoding, Encoding::Decimal { .. } | Encoding::DecimalFloat { .. })
}

fn refused(column: &SourceColumn, reason: &str) -> ProfileError {
    ProfileError::Unanswered { feature: column.name.clone(), reason: reason.to_owned() }
}
