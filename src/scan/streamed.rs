//! A feature that is too large to be held: its columns are read again for every question, window by window.

use super::context::{Context, Failure, Reading};
use super::parts::Sample;
use super::pieces::{facts_of, units_of};
use crate::backend::{CountJob, DeviceError, Loaded, SelectJob};
use crate::column::{Facts, FactsLevel};
use crate::counts::{CellCounts, Key, Keys, with_keys};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Keys of an atom that are looked at to choose cells, at the least.
const FEWEST_SAMPLED: usize = 64;

/// The samples of a feature, none of them held. Column i of the batch is sample i of those that are used.
pub(super) struct Streamed<'a> {
    context: &'a Context<'a>,
    reading: &'a Reading,
    used: Vec<usize>,
}

/// What the first reading of a feature finds.
pub(super) struct Overview<'a> {
    samples: &'a [Sample],
    facts: BTreeMap<usize, Facts>,
    keys: BTreeMap<usize, Vec<u128>>,
    most: usize,
}

impl Overview<'_> {
    /// The facts of a sample.
    pub(super) fn facts(&self, sample: usize) -> Facts {
        facts_of(&self.facts, &self.samples[sample])
    }

    /// Some keys of a sample, evenly spaced.
    pub(super) fn sample(&self, sample: usize) -> Vec<u128> {
        let atoms = &self.samples[sample].atoms;
        let all: Vec<u128> = atoms.iter().filter_map(|atom| self.keys.get(atom)).flatten().copied().collect();
        let step = all.len().div_ceil(self.most).max(1);
        all.into_iter().step_by(step).collect()
    }
}

impl<'a> Streamed<'a> {
    pub(super) fn new(context: &'a Context<'a>, reading: &'a Reading) -> Self {
        Self { context, reading, used: reading.samples() }
    }

    /// The column of a sample that a task uses.
    pub(super) fn column(&self, sample: usize) -> usize {
        self.used.binary_search(&sample).expect("the samples of all tasks are in it")
    }

    /// Reads everything once for the facts and some keys of every sample: about `samples` of them, evenly spaced.
    pub(super) fn overview(&self, samples: usize) -> Result<Overview<'a>, DeviceError> {
        let atoms = self.reading.atoms.iter().filter(|wanted| **wanted).count();
        let of_atom = (samples * 1024 / atoms.max(1)).clamp(FEWEST_SAMPLED, samples);
        let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
        for unit in units_of(self.context, self.reading, 0) {
            unit.unit.atoms.iter().zip(&unit.unit.rows).for_each(|(&atom, n)| *rows.entry(atom).or_default() += n);
        }
        let step = |atom: usize| {
            let rows = usize::try_from(rows.get(&atom).copied().unwrap_or(0)).unwrap_or(usize::MAX);
            rows.div_ceil(of_atom).max(1)
        };
        let sampled: Mutex<BTreeMap<usize, Vec<u128>>> = Mutex::default();
        let facts = self.windows(self.context.level(self.reading), &|_| true, |atom, keys| {
            let taken: Vec<u128> =
                with_keys!(keys, keys => keys.iter().step_by(step(atom)).map(|key| key.widen()).collect());
            sampled.lock().unwrap_or_else(PoisonError::into_inner).entry(atom).or_default().extend(taken);
            Ok(())
        })?;
        let keys = sampled.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Overview { samples: &self.context.parts.samples, facts, keys, most: samples })
    }

    /// Decodes the units that have rows of some `wanted` atom, in parallel, and shows every window of keys of an atom to
    /// `visit`; the facts of each atom.
    fn windows(
        &self,
        level: FactsLevel,
        wanted: &(dyn Fn(usize) -> bool + Sync),
        visit: impl Fn(usize, &Keys) -> Result<(), DeviceError> + Sync,
    ) -> Result<BTreeMap<usize, Facts>, DeviceError> {
        let bits = self.reading.encoding.key_bits();
        let window = self.context.memory.window(bits as usize / 8);
        let mut units = units_of(self.context, self.reading, window);
        units.retain(|read| read.unit.atoms.iter().any(|&atom| wanted(atom)));
        let total: Mutex<BTreeMap<usize, Facts>> = Mutex::default();
        let outcome: Result<(), Failure> = units.par_iter().try_for_each(|read| {
            let whole = read.unit.whole().is_some();
            let mut keys = match whole {
                true => vec![self.context.pool.take(bits, window + window / 4)],
                false => read.unit.atoms.iter().map(|_| Keys::empty(bits)).collect(),
            };
            let visit = |atom: usize, keys: &Keys| if wanted(atom) { visit(atom, keys) } else { Ok(()) };
            let facts = read.keys(self.reading, level, &mut keys, None, &mut |atom, keys| {
                visit(atom, keys)?;
                keys.clear();
                Ok(())
            })?;
            for (&atom, keys) in read.unit.atoms.iter().zip(&keys).filter(|(_, keys)| !keys.is_empty()) {
                visit(atom, keys)?;
            }
            if whole {
                keys.into_iter().for_each(|keys| self.context.pool.give(keys));
            }
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            for (&atom, facts) in read.unit.atoms.iter().zip(&facts) {
                total.entry(atom).or_default().merge(facts);
            }
            Ok(())
        });
        outcome?;
        Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// For each atom the jobs of whose column it is part, by the columns of all jobs.
    fn jobs_of_atoms(&self, columns: impl Iterator<Item = usize>) -> BTreeMap<usize, Vec<usize>> {
        let mut of_atoms: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (job, column) in columns.enumerate() {
            for &atom in &self.context.parts.samples[self.used[column]].atoms {
                of_atoms.entry(atom).or_default().push(job);
            }
        }
        of_atoms
    }
}

impl Loaded for Streamed<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let totals = Mutex::new(jobs.iter().map(|job| CellCounts::zero(job.map.n_cells())).collect::<Vec<_>>());
        let of_atoms = self.jobs_of_atoms(jobs.iter().map(|job| job.column));
        self.windows(FactsLevel::Basic, &|atom| of_atoms.contains_key(&atom), |atom, keys| {
            let own: Vec<CountJob<'_>> =
                of_atoms[&atom].iter().map(|&job| CountJob { column: 0, map: jobs[job].map }).collect();
            let counted = self.context.backend.load(vec![vec![keys]])?.count_cells(&own)?;
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            for (&job, counted) in of_atoms[&atom].iter().zip(&counted) {
                totals[job].merge(counted);
            }
            Ok(())
        })?;
        Ok(totals.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let bits = self.reading.encoding.key_bits();
        let found = Mutex::new(jobs.iter().map(|_| Keys::empty(bits)).collect::<Vec<_>>());
        let of_atoms = self.jobs_of_atoms(jobs.iter().map(|job| job.column));
        self.windows(FactsLevel::Basic, &|atom| of_atoms.contains_key(&atom), |atom, keys| {
            let own: Vec<SelectJob<'_>> = of_atoms[&atom]
                .iter()
                .map(|&job| SelectJob { column: 0, map: jobs[job].map, wanted: jobs[job].wanted, rows: None })
                .collect();
            let selected = self.context.backend.load(vec![vec![keys]])?.select(&own)?;
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            for (&job, selected) in of_atoms[&atom].iter().zip(&selected) {
                found[job].append(selected);
            }
            Ok(())
        })?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.iter_mut().for_each(|keys| with_keys!(keys, keys => keys.sort_unstable()));
        Ok(found)
    }
}
