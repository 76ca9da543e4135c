//! A profile as the reference of a scan.

use std::path::Path;

use super::ProfileError;
use super::container::{Reader, Slice};
use super::directory::Directory;
use super::runs::{Runs, Source};
use super::stored::Summary;
use crate::column::{Distinct, Encoding, Facts, Moments};
use crate::counts::{CellCounts, CellMap, CellSet, Keys, with_keys};
use crate::source::SourceColumn;

/// Categories with their rows.
type CategoryRows = Vec<(Vec<u8>, u64)>;

/// An open profile: its directory is read, its features are read when they are asked for.
#[derive(Debug)]
pub struct Profile {
    pub(super) reader: Reader,
    pub(super) directory: Directory,
    columns: Vec<SourceColumn>,
}

impl Profile {
    /// Opens a profile.
    ///
    /// # Errors
    /// When the file cannot be read, is something else, of an unknown format, or damaged.
    pub fn open(path: &Path) -> Result<Self, ProfileError> {
        let (reader, directory) = Reader::open(path)?;
        let decoded = Directory::decoded(&directory).ok_or_else(|| reader.damaged("its directory"))?;
        Ok(Self { reader, directory: decoded.0, columns: decoded.1 })
    }

    /// The columns of the reference, in its order.
    #[must_use]
    pub fn columns(&self) -> &[SourceColumn] {
        &self.columns
    }

    /// Rows of the reference.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.directory.rows
    }

    /// Why a column could not be read when the profile was built.
    pub(crate) fn failure(&self, column: usize) -> Option<&str> {
        self.directory.entries[column].failure.as_deref()
    }

    fn unanswered(&self, column: usize, reason: &str) -> ProfileError {
        ProfileError::Unanswered { feature: self.columns[column].name.clone(), reason: reason.to_owned() }
    }

    pub(super) fn summary(&self, column: usize) -> Result<(Summary, [Slice; 3]), ProfileError> {
        let name = &self.columns[column].name;
        let slices =
            self.directory.entries[column].slices.ok_or_else(|| self.unanswered(column, "it holds no data"))?;
        let bytes = self.reader.slice(&slices[2], &format!("feature `{name}`"))?;
        let summary = postcard::from_bytes(&bytes).map_err(|_| self.reader.damaged(format!("feature `{name}`")))?;
        Ok((summary, slices))
    }

    /// A column in the keys of `encoding`, which holds the values of both sides.
    pub(crate) fn ordered(&self, column: usize, encoding: &Encoding) -> Result<Ordered<'_>, ProfileError> {
        let (summary, slices) = self.summary(column)?;
        let name = &self.columns[column].name;
        let damaged = || self.reader.damaged(format!("feature `{name}`"));
        let stored = summary
            .ordered
            .ok_or_else(|| self.unanswered(column, "it was built as categories; build it anew with this version"))?;
        let own = super::build::forms(&self.columns[column]).0.filter(|own| format!("{own:?}") == stored.encoding);
        let own = own.ok_or_else(|| self.unanswered(column, "its keys are of another version; build it anew"))?;
        if !stored.facts.is_sound(stored.runs.rows) {
            return Err(damaged());
        }
        let source = Source::File(&self.reader, slices[0]);
        let runs = Runs::open(&stored.runs, source, name, own, *encoding)?;
        let mut facts = stored.facts.facts();
        let same = own == *encoding;
        let map = match stored.map.filter(|_| same) {
            Some(map) => Some(map.open(stored.runs.rows).ok_or_else(damaged)?),
            None => None,
        };
        if !same {
            let translate = |key: u128| {
                own.translate(key, encoding).map_err(|reason| ProfileError::Value { feature: name.clone(), reason })
            };
            facts.min_key = facts.min_key.map(translate).transpose()?;
            facts.max_key = facts.max_key.map(translate).transpose()?;
            let times = matches!(encoding, Encoding::Temporal { .. });
            if times && stored.error_rows > 0 && stored.runs.rows > 0 {
                let reason = "its unit of time changed, and it was built with --profile-size, which keeps too few \
                              values to sum them anew; build it anew without";
                return Err(self.unanswered(column, reason));
            }
            if times && stored.runs.rows > 0 {
                let mut moments = Moments::default();
                runs.each(&mut |key, count| {
                    moments.add_integer(encoding.integer_of(key).ok_or_else(damaged)?, count);
                    Ok(())
                })?;
                facts.moments = moments;
            }
            if stored.error_rows == 0 {
                let mut distinct = Distinct::default();
                let mut batch = Keys::empty(encoding.key_bits());
                runs.blocks(
                    0..usize::try_from(stored.runs.keys).unwrap_or(0).div_ceil(super::runs::BLOCK),
                    &mut |keys, _| {
                        batch.append(keys);
                        if batch.len() > 1 << 16 {
                            distinct.merge(&with_keys!(&batch, keys => Distinct::of(keys)));
                            batch.clear();
                        }
                        Ok(())
                    },
                )?;
                distinct.merge(&with_keys!(&batch, keys => Distinct::of(keys)));
                facts.distinct = distinct;
            }
        }
        let kept = (stored.error_rows > 0).then_some(stored.runs.keys);
        Ok(Ordered { facts, runs, map, error_rows: stored.error_rows, kept })
    }

    /// The categories of a column with their rows, ascending, and its facts.
    pub(crate) fn categories(&self, column: usize) -> Result<(CategoryRows, Facts), ProfileError> {
        let (summary, slices) = self.summary(column)?;
        let name = &self.columns[column].name;
        let damaged = || self.reader.damaged(format!("feature `{name}`"));
        if let Some(stored) = summary.categorical {
            let packed = self.reader.slice(&slices[1], &format!("feature `{name}`"))?;
            let mut plain = Vec::new();
            let unpack = zstd::stream::read::Decoder::new(&packed[..]);
            unpack
                .and_then(|unpack| {
                    let mut unpack = std::io::Read::take(unpack, stored.bytes.saturating_add(1));
                    std::io::Read::read_to_end(&mut unpack, &mut plain)
                })
                .map_err(|_| damaged())?;
            let list: Vec<(Vec<u8>, u64)> = postcard::from_bytes(&plain).map_err(|_| damaged())?;
            let rows = list.iter().try_fold(0_u64, |sum, (_, count)| sum.checked_add(*count));
            if list.len() as u64 != stored.categories || rows != stored.rows.checked_sub(stored.nulls) {
                return Err(damaged());
            }
            return Ok((list, Facts { rows: stored.rows, nulls: stored.nulls, ..Facts::default() }));
        }
        let stored = summary.ordered.as_ref().ok_or_else(|| self.unanswered(column, "it holds no data"))?;
        if stored.error_rows > 0 {
            let reason = "it was built with --profile-size, which keeps too few values to make them categories; \
                          build it anew without";
            return Err(self.unanswered(column, reason));
        }
        let own = super::build::forms(&self.columns[column]).0.ok_or_else(damaged)?;
        let ordered = self.ordered(column, &own)?;
        let mut list = Vec::new();
        ordered.runs.each(&mut |key, count| {
            let words = own.words_of(key).ok_or_else(damaged)?;
            list.push((words.into_bytes(), count));
            Ok(())
        })?;
        list.sort_unstable();
        let facts = Facts { rows: ordered.facts.rows, nulls: ordered.facts.nulls, ..Facts::default() };
        Ok((list, facts))
    }

    /// Reads and checks everything.
    ///
    /// # Errors
    /// The first damage that is found.
    pub fn verify(&self) -> Result<(), ProfileError> {
        for column in 0..self.columns.len() {
            let Some(slices) = self.directory.entries[column].slices else { continue };
            let name = format!("feature `{}`", self.columns[column].name);
            for slice in &slices {
                self.reader.check(slice, &name)?;
            }
            let (ordered, categorical) = super::build::forms(&self.columns[column]);
            if let Some(encoding) = ordered {
                let ordered = self.ordered(column, &encoding)?;
                let mut last = None;
                ordered.runs.each(&mut |key, _| {
                    let ascends = last.replace(key).is_none_or(|last| last < key);
                    if ascends { Ok(()) } else { Err(self.reader.damaged(name.clone())) }
                })?;
            }
            if categorical.is_some() {
                self.categories(column)?;
            }
        }
        Ok(())
    }
}

/// An ordered column of a profile.
pub(crate) struct Ordered<'p> {
    pub(crate) facts: Facts,
    pub(super) runs: Runs<'p>,
    map: Option<(CellMap, CellCounts)>,
    /// Rows by which a count up to a value may be off.
    pub(crate) error_rows: u64,
    /// How many keys are kept, where not all are.
    pub(crate) kept: Option<u64>,
}

impl Ordered<'_> {
    /// The map that was made for the column.
    pub(crate) fn map(&self) -> Option<&CellMap> {
        self.map.as_ref().map(|(map, _)| map)
    }

    /// Some keys, evenly spaced, at most about `most`.
    pub(crate) fn sample(&self, most: usize) -> Result<Vec<u128>, ProfileError> {
        self.runs.sample(most)
    }

    pub(super) fn count(&self, map: &CellMap) -> Result<CellCounts, ProfileError> {
        match &self.map {
            Some((own, counts)) if own.is_same(map) => Ok(counts.clone()),
            _ => self.runs.count(map),
        }
    }

    pub(super) fn select(&self, map: &CellMap, wanted: &CellSet) -> Result<Keys, ProfileError> {
        self.runs.select(map, wanted)
    }
}
