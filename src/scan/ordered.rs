//! Features whose values are ordered: numbers, times, booleans as 0 and 1.

use super::context::{Context, Counting, Failure, Task};
use super::sorted;
use super::streamed::Streamed;
use crate::backend::{Column, DeviceError, weighted};
use crate::column::{Facts, read_keys, read_weighted_keys};
use crate::compare::{Compared, Pair, Query, SAMPLE_KEYS, compare, map_for, sample_of_both};
use crate::counts::{CellMap, Keys, Weighted};
use crate::profile::{Ordered as Stored, WithStored};
use crate::source::Unit;
use rayon::prelude::*;

/// What was counted of an ordered feature.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) facts: [Facts; 2],
    pub(super) compared: Compared,
    /// Where the profile of the reference does not hold every key.
    pub(super) bound: Option<Bound>,
}

/// How far a bounded profile may be off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// Keys that the profile holds.
    pub(super) kept: u64,
    /// Rows by which a count up to a value may be off.
    pub(super) rows: u64,
}

impl Bound {
    fn of(stored: &Stored<'_>) -> Option<Self> {
        stored.kept.map(|kept| Self { kept, rows: stored.error_rows })
    }
}

/// A feature that has been read and is held: keys by side and row group.
pub(super) struct Read<'t> {
    pub(super) task: &'t Task,
    pub(super) keys: [Vec<Keys>; 2],
    /// Keys that many rows have, beside the others; none where the keys are to be sorted.
    weighted: [Vec<Weighted>; 2],
    facts: [Facts; 2],
    /// The reference, where it comes from a profile; it has no keys here then.
    stored: Option<Box<Stored<'t>>>,
}

/// Reads both sides of `task`. With `parallel`, row groups are decoded on all cores.
pub(super) fn read<'t>(context: &Context<'t>, task: &'t Task, parallel: bool) -> Result<Read<'t>, Failure> {
    let encoding = &task.pairing.encoding;
    let read_unit = |side: usize, unit: &Unit| {
        let rows = usize::try_from(unit.rows).unwrap_or(usize::MAX);
        let mut keys = context.pool.take(encoding.key_bits(), rows.min(context.memory.keys()));
        let mut weighted = Weighted::empty(encoding.key_bits());
        let (data, column, level) = (context.data[side], task.columns[side], context.level(task));
        let facts = context.clock.decode.time(|| match context.wanted.counting {
            Counting::Sorting => read_keys(data, unit, column, encoding, level, &mut keys, usize::MAX, &mut |_| Ok(())),
            _ => read_weighted_keys(data, unit, column, encoding, level, &mut keys, &mut weighted),
        });
        facts.map(|facts| (keys, weighted, facts))
    };
    let mut keys = [Vec::new(), Vec::new()];
    let mut weighted = [Vec::new(), Vec::new()];
    let mut facts = [Facts::default(), Facts::default()];
    for side in 0..2 {
        let units = context.data[side].units();
        let parts: Vec<(Keys, Weighted, Facts)> = if parallel {
            units.par_iter().map(|unit| read_unit(side, unit)).collect::<Result<_, Failure>>()?
        } else {
            units.iter().map(|unit| read_unit(side, unit)).collect::<Result<_, Failure>>()?
        };
        for (part, weighted_part, part_facts) in parts {
            facts[side].merge(&part_facts);
            keys[side].push(part);
            weighted[side].push(weighted_part);
        }
        if keys[side].is_empty() {
            // A side without rows has keys of the feature's width, too.
            keys[side].push(Keys::empty(encoding.key_bits()));
        }
    }
    let stored = context.clock.decode.time(|| context.stored(task))?.map(Box::new);
    if let Some(stored) = &stored {
        facts[0] = stored.facts.clone();
    }
    Ok(Read { task, keys, weighted, facts, stored })
}

/// Compares features that are held, all in one batch of the backend.
pub(super) fn compare_held(context: &Context<'_>, batch: Vec<Read<'_>>) -> Result<Vec<Ordered>, DeviceError> {
    let columns: Vec<Column<'_>> =
        batch.iter().flat_map(|read| &read.keys).map(|pieces| pieces.iter().collect()).collect();
    let beside = batch.iter().flat_map(|read| &read.weighted).map(|pieces| pieces.iter().collect()).collect();
    let pairs = batch.iter().enumerate().map(|(index, read)| {
        let sample = sample_of_both(read.keys.iter().flatten(), read.weighted.iter().flatten());
        pair(context, read.task, &read.facts, [2 * index, 2 * index + 1], sample, read.stored.as_deref())
    });
    let compared = context.clock.count.time(|| {
        match context.wanted.counting {
            Counting::Cells => {}
            Counting::Sorting => return Ok(sorted::compare(context, &batch)),
            Counting::Nothing => return Ok(vec![Compared::default(); batch.len()]),
        }
        let pairs = pairs.collect::<Result<_, _>>()?;
        let mut loaded = weighted::load(context.backend, columns, beside)?;
        let stored = batch.iter().flat_map(|read| [read.stored.as_deref(), None]).collect();
        compare(&mut WithStored { loaded: loaded.as_mut(), stored }, pairs, u64::MAX)
    })?;
    let finished = batch.into_iter().zip(compared).map(|(read, compared)| {
        read.keys.into_iter().flatten().for_each(|keys| context.pool.give(keys));
        let bound = read.stored.as_deref().and_then(Bound::of);
        Ordered { facts: read.facts, compared, bound }
    });
    Ok(finished.collect())
}

/// Compares one feature that is too large to be held.
pub(super) fn compare_streamed(context: &Context<'_>, task: &Task) -> Result<Ordered, DeviceError> {
    context.pool.release();
    let stored = context.stored(task)?;
    let mut streamed = Streamed::new(context, task);
    let [reference, current] = [streamed.overview(0, SAMPLE_KEYS / 2)?, streamed.overview(1, SAMPLE_KEYS / 2)?];
    let mut facts = [reference.facts, current.facts];
    if let Some(stored) = &stored {
        facts[0] = stored.facts.clone();
    }
    let sample = [reference.sample, current.sample].concat();
    let pair = pair(context, task, &facts, [0, 1], sample, stored.as_ref())?;
    let budget = context.memory.fetch(task.pairing.encoding.key_bits() as usize / 8);
    let mut loaded = WithStored { loaded: &mut streamed, stored: vec![stored.as_ref(), None] };
    let compared = context.clock.count.time(|| compare(&mut loaded, vec![pair], budget))?;
    let compared = compared.into_iter().next().unwrap_or_default();
    Ok(Ordered { facts, compared, bound: stored.as_ref().and_then(Bound::of) })
}

/// How a feature is compared; `sample` is of the keys that are at hand.
fn pair<'t>(
    context: &Context<'_>,
    task: &'t Task,
    facts: &[Facts; 2],
    columns: [usize; 2],
    mut sample: Vec<u128>,
    stored: Option<&Stored<'_>>,
) -> Result<Pair<'t>, DeviceError> {
    let n = [0, 1].map(|side| facts[side].values());
    let lowest = facts.iter().filter_map(|facts| facts.min_key).min().unwrap_or(0);
    let highest = facts.iter().filter_map(|facts| facts.max_key).max().unwrap_or(0);
    let query = Query {
        scale: &task.pairing.encoding,
        gap: context.wanted.gap,
        bins: context.wanted.bins,
        quantiles: context.wanted.quantiles,
        wasserstein: context.wanted.everything,
        atoms: context.wanted.quantiles,
    };
    let own = stored.and_then(Stored::map).filter(|map| suits(map, &sample));
    let map = match own {
        Some(map) => map.clone(),
        None => {
            if let Some(stored) = stored {
                sample.extend(stored.sample(SAMPLE_KEYS)?);
            }
            map_for(lowest, highest, sample.clone(), n[0].max(n[1]))
        }
    };
    Ok(Pair { columns, n, extent: (lowest, highest), map, sample, query })
}

/// Whether a map that was made for the reference alone spreads current keys, too: a cell that holds many of them would
/// have to be fetched whole.
fn suits(map: &CellMap, sample: &[u128]) -> bool {
    const LOOKED_AT: usize = 512;
    const CROWDED: usize = 16;
    let step = sample.len().div_ceil(LOOKED_AT).max(1);
    let mut cells: Vec<usize> = sample.iter().step_by(step).map(|&key| map.cell_of(key)).collect();
    cells.sort_unstable();
    cells.chunk_by(|a, b| a == b).all(|same| same.len() <= CROWDED.max(cells.len() / CROWDED))
}
