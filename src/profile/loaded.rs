//! A stored column in the place of one that a backend holds: the same two questions, the same answers.

use rayon::prelude::*;

use super::ProfileError;
use super::reference::Ordered;
use super::runs::Runs;
use crate::backend::{CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, Keys};

impl From<ProfileError> for DeviceError {
    fn from(error: ProfileError) -> Self {
        Self::Read(error.to_string())
    }
}

/// Stored runs as column 0; column 1 is empty.
pub(super) struct Alone<'r, 'p>(pub(super) &'r Runs<'p>);

impl Loaded for Alone<'_, '_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let answer = |job: &CountJob<'_>| match job.column {
            0 => Ok(self.0.count(job.map)?),
            _ => Ok(CellCounts::zero(job.map.n_cells())),
        };
        jobs.iter().map(answer).collect()
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let answer = |job: &SelectJob<'_>| {
            let keys = self.0.select(job.map, job.wanted)?;
            Ok(if job.column == 0 { keys } else { Keys::empty(keys.bits()) })
        };
        jobs.iter().map(answer).collect()
    }
}

/// What a backend holds, with some columns answered from a profile.
pub(crate) struct WithStored<'l, 's, 'p> {
    /// Who answers for the other columns.
    pub(crate) loaded: &'l mut dyn Loaded,
    /// By column: the stored one.
    pub(crate) stored: Vec<Option<&'s Ordered<'p>>>,
}

impl WithStored<'_, '_, '_> {
    /// Answers every job, in order: stored columns here, the others there in one call.
    fn answer<J: Copy + Sync, A: Send>(
        &mut self,
        jobs: &[J],
        column: impl Fn(&J) -> usize + Sync,
        here: impl Fn(&Ordered<'_>, &J) -> Result<A, ProfileError> + Sync,
        there: impl FnOnce(&mut dyn Loaded, &[J]) -> Result<Vec<A>, DeviceError>,
    ) -> Result<Vec<A>, DeviceError> {
        let all = &self.stored;
        let stored = |job: &J| all.get(column(job)).copied().flatten();
        let others: Vec<J> = jobs.iter().copied().filter(|job| stored(job).is_none()).collect();
        let own: Vec<Option<A>> =
            jobs.par_iter().map(|job| stored(job).map(|one| here(one, job)).transpose()).collect::<Result<_, _>>()?;
        let mut others = if others.is_empty() { Vec::new() } else { there(self.loaded, &others)? }.into_iter();
        let all = own.into_iter().map(|own| own.or_else(|| others.next()).expect("a backend answers every job"));
        Ok(all.collect())
    }
}

impl Loaded for WithStored<'_, '_, '_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let there = |loaded: &mut dyn Loaded, jobs: &[CountJob<'_>]| loaded.count_cells(jobs);
        self.answer(jobs, |job| job.column, |one, job| one.count(job.map), there)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let there = |loaded: &mut dyn Loaded, jobs: &[SelectJob<'_>]| loaded.select(jobs);
        self.answer(jobs, |job| job.column, |one, job| one.select(job.map, job.wanted), there)
    }
}
