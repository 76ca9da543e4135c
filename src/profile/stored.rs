//! What a profile holds of one feature, as it is written.

use serde::{Deserialize, Serialize};

use super::ProfileError;
use super::runs::StoredRuns;
use crate::column::{Distinct, Facts, Moments};
use crate::counts::{CellCounts, CellMap};

/// The last part of a feature: everything but its keys and categories.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Summary {
    pub(super) ordered: Option<StoredOrdered>,
    pub(super) categorical: Option<StoredCategorical>,
}

impl Summary {
    /// As it is written.
    pub(super) fn bytes(&self) -> Result<Vec<u8>, ProfileError> {
        postcard::to_stdvec(self).map_err(|error| ProfileError::Write(error.into()))
    }
}

/// An ordered feature.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredOrdered {
    /// The encoding, in words: a profile whose types mean other keys today is refused.
    pub(super) encoding: String,
    pub(super) facts: StoredFacts,
    pub(super) runs: StoredRuns,
    /// Rows by which the counts up to a value may be off; 0 but for bounded profiles.
    pub(super) error_rows: u64,
    /// The bound that was asked for.
    pub(super) size: Option<u64>,
    /// Absent where there are so few keys that counting them is quicker.
    pub(super) map: Option<StoredMap>,
    /// Quantiles at the levels of [`QUANTILES`](crate::compare::QUANTILES), for `profile show`.
    pub(super) quantiles: Option<[f64; 9]>,
    /// Inner edges of the ten default PSI bins, for `profile show`.
    pub(super) edges: Vec<f64>,
}

/// A feature of categories.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredCategorical {
    pub(super) binary: bool,
    pub(super) rows: u64,
    pub(super) nulls: u64,
    pub(super) categories: u64,
    /// Bytes of the list before compression.
    pub(super) bytes: u64,
}

/// [`Facts`], in one form however they came together.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredFacts {
    rows: u64,
    nulls: u64,
    nans: u64,
    infinite: u64,
    zeros: u64,
    min: Option<u128>,
    max: Option<u128>,
    moments: Moments,
    distinct: (u64, bool),
    hashes: Vec<u64>,
    registers: Vec<u8>,
}

impl StoredFacts {
    /// `whole` keeps what distinct values are estimated from, which the keys of a bounded profile do not tell.
    pub(super) fn of(facts: &Facts, bounded: bool) -> Self {
        let (hashes, registers) = if bounded { facts.distinct.parts() } else { (&[][..], &[][..]) };
        Self {
            rows: facts.rows,
            nulls: facts.nulls,
            nans: facts.nans,
            infinite: facts.infinite,
            zeros: facts.zeros,
            min: facts.min_key,
            max: facts.max_key,
            moments: facts.moments.normalized(),
            distinct: facts.distinct.count(),
            hashes: hashes.to_vec(),
            registers: registers.to_vec(),
        }
    }

    pub(super) fn facts(&self) -> Facts {
        let known = Distinct::known(self.distinct.0, self.distinct.1);
        let kept = !(self.hashes.is_empty() && self.registers.is_empty());
        let distinct = kept.then(|| Distinct::from_parts(self.hashes.clone(), &self.registers)).flatten();
        Facts {
            rows: self.rows,
            nulls: self.nulls,
            nans: self.nans,
            infinite: self.infinite,
            zeros: self.zeros,
            min_key: self.min,
            max_key: self.max,
            moments: self.moments.clone(),
            distinct: distinct.unwrap_or(known),
        }
    }

    /// Whether the counts can be those of a column.
    pub(super) fn is_sound(&self, values: u64) -> bool {
        let without = self.nulls.checked_add(self.nans).and_then(|without| self.rows.checked_sub(without));
        without == Some(values) && (values > 0) == (self.min.is_some() && self.max.is_some())
    }
}

/// A [`CellMap`] with the counts of its cells.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredMap {
    lo: u128,
    hi: u128,
    widths: Vec<u16>,
    pivots: Option<Vec<(u32, u128)>>,
    counts: Vec<u64>,
}

impl StoredMap {
    pub(super) fn of(map: &CellMap, counts: CellCounts) -> Self {
        Self { lo: map.lo(), hi: map.hi(), widths: map.widths(), pivots: map.set_pivots(), counts: counts.0 }
    }

    pub(super) fn open(self, rows: u64) -> Option<(CellMap, CellCounts)> {
        let map = CellMap::from_parts(self.lo, self.hi, &self.widths, self.pivots.as_deref())?;
        let total = self.counts.iter().try_fold(0_u64, |sum, &count| sum.checked_add(count));
        (map.n_cells() == self.counts.len() && total == Some(rows)).then_some((map, CellCounts(self.counts)))
    }
}
