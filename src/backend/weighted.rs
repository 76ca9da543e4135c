//! Keys with weights beside the keys of a backend.
//!
//! What came from dictionary pages is a few keys with their numbers of rows. These are counted here, on the host, whoever
//! counts the rest: the answers are sums of integers, so nobody can tell.

use super::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, Keys, Weighted, with_keys};

/// Loads `columns` into `backend`, with the weighted keys of each column beside them: one list a column, may be empty.
///
/// A column that has nothing but weighted keys still has a piece without keys, which tells their width.
///
/// # Errors
/// Those of the backend.
pub fn load<'k>(
    backend: &'k dyn Backend,
    columns: Vec<Column<'k>>,
    weighted: Vec<Vec<&'k Weighted>>,
) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
    let inner = backend.load(columns)?;
    let none = weighted.iter().flatten().all(|piece| piece.rows().is_empty());
    Ok(if none { inner } else { Box::new(Both { inner, weighted }) })
}

struct Both<'k> {
    inner: Box<dyn Loaded + 'k>,
    weighted: Vec<Vec<&'k Weighted>>,
}

impl Loaded for Both<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let mut all = self.inner.count_cells(jobs)?;
        for (job, counts) in jobs.iter().zip(&mut all) {
            self.weighted[job.column].iter().for_each(|piece| piece.count(job.map, counts));
        }
        Ok(all)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let here = |job: &SelectJob<'_>| {
            let pieces = &self.weighted[job.column];
            let mut found = Keys::empty(pieces.first().map_or(32, |piece| piece.keys().bits()));
            pieces.iter().for_each(|piece| piece.select(job.map, job.wanted, &mut found));
            found
        };
        let here: Vec<Keys> = jobs.iter().map(here).collect();
        let mut there = jobs.to_vec();
        for (job, here) in there.iter_mut().zip(&here) {
            job.rows = job.rows.map(|rows| rows.saturating_sub(here.len() as u64));
        }
        let mut all = self.inner.select(&there)?;
        for (found, here) in all.iter_mut().zip(&here).filter(|(_, here)| !here.is_empty()) {
            found.append(here);
            with_keys!(found, keys => keys.sort_unstable());
        }
        Ok(all)
    }
}
