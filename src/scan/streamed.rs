//! A feature that is too large to be held: its columns are read again for every question, window by window.

use super::context::{Context, Failure, Task};
use crate::backend::{CountJob, DeviceError, Loaded, SelectJob};
use crate::column::{Facts, FactsLevel, read_keys};
use crate::counts::{CellCounts, Key, Keys, with_keys};
use rayon::prelude::*;
use std::sync::Mutex;

/// Both columns of a feature, reference and current, neither of them held.
pub(super) struct Streamed<'a> {
    context: &'a Context<'a>,
    task: &'a Task,
}

/// What the first reading of a column finds.
pub(super) struct Overview {
    pub(super) facts: Facts,
    pub(super) sample: Vec<u128>,
}

impl<'a> Streamed<'a> {
    pub(super) fn new(context: &'a Context<'a>, task: &'a Task) -> Self {
        Self { context, task }
    }

    /// Reads a side once for its facts and an evenly spaced sample of at most about `samples` keys.
    pub(super) fn overview(&self, side: usize, samples: usize) -> Result<Overview, DeviceError> {
        let rows = usize::try_from(self.context.data[side].rows()).unwrap_or(usize::MAX);
        let step = rows.div_ceil(samples).max(1);
        let sample = Mutex::new(Vec::new());
        let facts = self.windows(side, self.context.level(self.task), |keys| {
            let taken: Vec<u128> = with_keys!(keys, keys => keys.iter().step_by(step).map(|key| key.widen()).collect());
            sample.lock().unwrap_or_else(std::sync::PoisonError::into_inner).extend(taken);
            Ok(())
        })?;
        Ok(Overview { facts, sample: sample.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) })
    }

    /// Decodes a side, row groups in parallel, and shows every window of keys to `visit`.
    fn windows(
        &self,
        side: usize,
        level: FactsLevel,
        visit: impl Fn(&Keys) -> Result<(), DeviceError> + Sync,
    ) -> Result<Facts, DeviceError> {
        let (data, encoding) = (self.context.data[side], &self.task.pairing.encoding);
        let bits = encoding.key_bits();
        let window = self.context.memory.window(bits as usize / 8);
        let read = |unit| {
            let mut keys = self.context.pool.take(bits, window + window / 4);
            let column = self.task.columns[side];
            let facts = read_keys::<Failure>(data, unit, column, encoding, level, &mut keys, window, &mut |keys| {
                visit(keys)?;
                keys.clear();
                Ok(())
            })?;
            if !keys.is_empty() {
                visit(&keys)?;
            }
            self.context.pool.give(keys);
            Ok(facts)
        };
        let parts: Result<Vec<Facts>, Failure> = data.units().par_iter().map(read).collect();
        let mut total = Facts::default();
        parts?.iter().for_each(|part| total.merge(part));
        Ok(total)
    }
}

impl Loaded for Streamed<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let totals = Mutex::new(jobs.iter().map(|job| CellCounts::zero(job.map.n_cells())).collect::<Vec<_>>());
        for side in 0..2 {
            let of_side: Vec<usize> = (0..jobs.len()).filter(|&job| jobs[job].column == side).collect();
            if of_side.is_empty() {
                continue;
            }
            let own: Vec<CountJob<'_>> =
                of_side.iter().map(|&job| CountJob { column: 0, map: jobs[job].map }).collect();
            self.windows(side, FactsLevel::Basic, |keys| {
                let counted = self.context.backend.load(vec![vec![keys]])?.count_cells(&own)?;
                let mut totals = totals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for (&job, counted) in of_side.iter().zip(&counted) {
                    totals[job].merge(counted);
                }
                Ok(())
            })?;
        }
        Ok(totals.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let bits = self.task.pairing.encoding.key_bits();
        let found = Mutex::new(jobs.iter().map(|_| Keys::empty(bits)).collect::<Vec<_>>());
        for side in 0..2 {
            let of_side: Vec<usize> = (0..jobs.len()).filter(|&job| jobs[job].column == side).collect();
            if of_side.is_empty() {
                continue;
            }
            let own: Vec<SelectJob<'_>> = of_side
                .iter()
                .map(|&job| SelectJob { column: 0, map: jobs[job].map, wanted: jobs[job].wanted })
                .collect();
            self.windows(side, FactsLevel::Basic, |keys| {
                let selected = self.context.backend.load(vec![vec![keys]])?.select(&own)?;
                let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for (&job, selected) in of_side.iter().zip(&selected) {
                    found[job].append(selected);
                }
                Ok(())
            })?;
        }
        let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.iter_mut().for_each(|keys| with_keys!(keys, keys => keys.sort_unstable()));
        Ok(found)
    }
}
