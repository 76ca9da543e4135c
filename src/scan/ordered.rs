//! Features whose values are ordered: numbers, times, booleans as 0 and 1.

use super::context::{Context, Failure, Task};
use super::streamed::Streamed;
use crate::backend::{Column, DeviceError};
use crate::column::{Facts, read_keys};
use crate::compare::{Compared, Pair, Query, SAMPLE_KEYS, compare, map_for, sample_of};
use crate::counts::Keys;
use crate::source::Unit;
use rayon::prelude::*;

/// What was counted of an ordered feature.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) facts: [Facts; 2],
    pub(super) compared: Compared,
}

/// A feature that has been read and is held: keys by side and row group.
pub(super) struct Read<'t> {
    task: &'t Task,
    keys: [Vec<Keys>; 2],
    facts: [Facts; 2],
}

/// Reads both sides of `task`. With `parallel`, row groups are decoded on all cores.
pub(super) fn read<'t>(context: &Context<'_>, task: &'t Task, parallel: bool) -> Result<Read<'t>, Failure> {
    let encoding = &task.pairing.encoding;
    let read_unit = |side: usize, unit: &Unit| {
        let rows = usize::try_from(unit.rows).unwrap_or(usize::MAX);
        let mut keys = context.pool.take(encoding.key_bits(), rows.min(context.memory.keys()));
        let data = context.data[side];
        let facts = context.clock.decode.time(|| {
            let column = task.columns[side];
            read_keys(data, unit, column, encoding, context.level(task), &mut keys, usize::MAX, &mut |_| Ok(()))
        });
        facts.map(|facts| (keys, facts))
    };
    let mut keys = [Vec::new(), Vec::new()];
    let mut facts = [Facts::default(), Facts::default()];
    for side in 0..2 {
        let units = context.data[side].units();
        let parts: Vec<(Keys, Facts)> = if parallel {
            units.par_iter().map(|unit| read_unit(side, unit)).collect::<Result<_, Failure>>()?
        } else {
            units.iter().map(|unit| read_unit(side, unit)).collect::<Result<_, Failure>>()?
        };
        for (part, part_facts) in parts {
            facts[side].merge(&part_facts);
            keys[side].push(part);
        }
    }
    Ok(Read { task, keys, facts })
}

/// Compares features that are held, all in one batch of the backend.
pub(super) fn compare_held(context: &Context<'_>, batch: Vec<Read<'_>>) -> Result<Vec<Ordered>, DeviceError> {
    let query = |read: &Read<'_>| {
        let n = [0, 1].map(|side| read.keys[side].iter().map(|keys| keys.len() as u64).sum());
        let sample = sample_of(read.keys.iter().flatten());
        (n, sample)
    };
    let columns: Vec<Column<'_>> =
        batch.iter().flat_map(|read| &read.keys).map(|pieces| pieces.iter().collect()).collect();
    let pairs = batch.iter().enumerate().map(|(index, read)| {
        let (n, sample) = query(read);
        pair(context, read.task, &read.facts, [2 * index, 2 * index + 1], n, sample)
    });
    let compared = context.clock.count.time(|| {
        if context.wanted.decode_only {
            return Ok(vec![Compared::default(); batch.len()]);
        }
        let pairs = pairs.collect();
        compare(context.backend.load(columns)?.as_mut(), pairs, u64::MAX)
    })?;
    let finished = batch.into_iter().zip(compared).map(|(read, compared)| {
        read.keys.into_iter().flatten().for_each(|keys| context.pool.give(keys));
        Ordered { facts: read.facts, compared }
    });
    Ok(finished.collect())
}

/// Compares one feature that is too large to be held.
pub(super) fn compare_streamed(context: &Context<'_>, task: &Task) -> Result<Ordered, DeviceError> {
    context.pool.release();
    let mut streamed = Streamed::new(context, task);
    let [reference, current] = [streamed.overview(0, SAMPLE_KEYS / 2)?, streamed.overview(1, SAMPLE_KEYS / 2)?];
    let facts = [reference.facts, current.facts];
    let n = [0, 1].map(|side| facts[side].values());
    let sample = [reference.sample, current.sample].concat();
    let pair = pair(context, task, &facts, [0, 1], n, sample);
    let budget = context.memory.fetch(task.pairing.encoding.key_bits() as usize / 8);
    let compared = context.clock.count.time(|| compare(&mut streamed, vec![pair], budget))?;
    let compared = compared.into_iter().next().unwrap_or_default();
    Ok(Ordered { facts, compared })
}

fn pair<'t>(
    context: &Context<'_>,
    task: &'t Task,
    facts: &[Facts; 2],
    columns: [usize; 2],
    n: [u64; 2],
    sample: Vec<u128>,
) -> Pair<'t> {
    let lowest = facts.iter().filter_map(|facts| facts.min_key).min().unwrap_or(0);
    let highest = facts.iter().filter_map(|facts| facts.max_key).max().unwrap_or(0);
    let query = Query {
        scale: &task.pairing.encoding,
        gap: context.wanted.gap,
        bins: context.wanted.bins,
        quantiles: context.wanted.quantiles,
        wasserstein: context.wanted.everything,
        atoms: context.wanted.quantiles,
        distinct: task.expected.unique,
        limits: task.expected.limits(),
    };
    let map = map_for(lowest, highest, sample.clone(), n[0].max(n[1]));
    Pair { columns, n, extent: (lowest, highest), map, sample, query }
}
