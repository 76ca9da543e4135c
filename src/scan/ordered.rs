//! Features whose values are ordered: numbers, times, booleans as 0 and 1.

use super::context::{Context, Failure, Reading, Task};
use super::pieces::{Held, Pieces, UnitRead, units_of};
use super::streamed::Streamed;
use crate::backend::{Column, DeviceError, Loaded};
use crate::column::Facts;
use crate::compare::{Compared, Pair, Query, SAMPLE_KEYS, compare, map_for, sample_of};
use rayon::prelude::*;

/// Comparisons that are counted at once: each has some thousand cells.
const PAIRS_AT_ONCE: usize = 32;
/// The same of a feature that is read again for every question, where each may fetch keys.
const STREAMED_AT_ONCE: usize = 8;
/// Units of which all atoms are held before they are merged.
const UNITS_AT_ONCE: usize = 256;

/// What was counted of an ordered feature in one comparison.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) facts: [Facts; 2],
    pub(super) compared: Compared,
}

/// A feature that has been read and is held.
pub(super) struct Read<'t> {
    reading: &'t Reading,
    pieces: Pieces,
}

/// Reads all samples of `reading`. With `parallel`, row groups are decoded on all cores.
pub(super) fn read<'t>(context: &Context<'_>, reading: &'t Reading, parallel: bool) -> Result<Read<'t>, Failure> {
    let read_unit = |unit: &UnitRead<'_>| {
        Held::read(context, unit.unit, reading.encoding.key_bits(), |out| {
            unit.keys(reading, context.level(reading), out, &mut |_, _| Ok(()))
        })
    };
    let mut pieces = Pieces::new(reading.encoding.key_bits());
    for units in units_of(context, reading, usize::MAX).chunks(UNITS_AT_ONCE) {
        let held: Vec<Held> = if parallel {
            units.par_iter().map(read_unit).collect::<Result<_, Failure>>()?
        } else {
            units.iter().map(read_unit).collect::<Result<_, Failure>>()?
        };
        held.into_iter().for_each(|held| pieces.add(reading, held));
    }
    Ok(Read { reading, pieces })
}

/// Compares features that are held, all in one batch of the backend: for each of them one result a task.
pub(super) fn compare_held(context: &Context<'_>, batch: Vec<Read<'_>>) -> Result<Vec<Vec<Ordered>>, DeviceError> {
    let samples = &context.parts.samples;
    let (mut columns, mut asked): (Vec<Column<'_>>, Vec<Asked<'_>>) = (Vec::new(), Vec::new());
    for read in &batch {
        let used = read.reading.samples();
        let first = columns.len();
        columns.extend(used.iter().map(|&sample| read.pieces.column(&samples[sample])));
        let at = |sample: usize| first + used.binary_search(&sample).expect("the samples of all tasks are in it");
        asked.extend(read.reading.tasks.iter().map(|task| Asked {
            reading: read.reading,
            facts: task.samples.map(|sample| read.pieces.facts(&samples[sample])),
            columns: task.samples.map(at),
        }));
    }
    let pairs: Vec<Pair<'_>> = asked
        .iter()
        .map(|asked| {
            let pieces = asked.columns.map(|column| &columns[column]);
            let n = pieces.map(|pieces| pieces.iter().map(|keys| keys.len() as u64).sum());
            let sample = sample_of(pieces.into_iter().flatten().copied());
            pair(context, asked, n, sample)
        })
        .collect();
    let compared = context.clock.count.time(|| {
        if context.wanted.decode_only {
            return Ok(vec![Compared::default(); pairs.len()]);
        }
        in_groups(context.backend.load(columns)?.as_mut(), pairs, PAIRS_AT_ONCE, u64::MAX)
    })?;
    let mut found = asked.into_iter().zip(compared).map(|(asked, compared)| Ordered { facts: asked.facts, compared });
    let sizes: Vec<usize> = batch.iter().map(|read| read.reading.tasks.len()).collect();
    let finished = sizes.into_iter().map(|n| found.by_ref().take(n).collect()).collect();
    batch.into_iter().for_each(|read| read.pieces.release(&context.pool));
    Ok(finished)
}

/// Compares one feature that is too large to be held: one result a task.
pub(super) fn compare_streamed(context: &Context<'_>, reading: &Reading) -> Result<Vec<Ordered>, DeviceError> {
    context.pool.release();
    let mut streamed = Streamed::new(context, reading);
    let overview = streamed.overview(SAMPLE_KEYS / 2)?;
    let asked: Vec<Asked<'_>> = reading
        .tasks
        .iter()
        .map(|task: &Task| Asked {
            reading,
            facts: task.samples.map(|sample| overview.facts(sample)),
            columns: task.samples.map(|sample| streamed.column(sample)),
        })
        .collect();
    let pairs: Vec<Pair<'_>> = asked
        .iter()
        .zip(&reading.tasks)
        .map(|(asked, task)| {
            let n = [0, 1].map(|side| asked.facts[side].values());
            pair(context, asked, n, task.samples.map(|sample| overview.sample(sample)).concat())
        })
        .collect();
    let at_once = pairs.len().clamp(1, STREAMED_AT_ONCE);
    let budget = context.memory.fetch(reading.encoding.key_bits() as usize / 8) / at_once as u64;
    let compared = context.clock.count.time(|| in_groups(&mut streamed, pairs, at_once, budget))?;
    Ok(asked.into_iter().zip(compared).map(|(asked, compared)| Ordered { facts: asked.facts, compared }).collect())
}

fn in_groups(
    loaded: &mut dyn Loaded,
    pairs: Vec<Pair<'_>>,
    at_once: usize,
    budget: u64,
) -> Result<Vec<Compared>, DeviceError> {
    let mut compared = Vec::with_capacity(pairs.len());
    let mut pairs = pairs.into_iter();
    loop {
        let group: Vec<Pair<'_>> = pairs.by_ref().take(at_once).collect();
        if group.is_empty() {
            return Ok(compared);
        }
        compared.extend(compare(loaded, group, budget)?);
    }
}

/// What a task asks: the facts of its samples, and where their keys are.
struct Asked<'t> {
    reading: &'t Reading,
    facts: [Facts; 2],
    columns: [usize; 2],
}

fn pair<'t>(context: &Context<'_>, asked: &Asked<'t>, n: [u64; 2], sample: Vec<u128>) -> Pair<'t> {
    let lowest = asked.facts.iter().filter_map(|facts| facts.min_key).min().unwrap_or(0);
    let highest = asked.facts.iter().filter_map(|facts| facts.max_key).max().unwrap_or(0);
    let query = Query {
        scale: &asked.reading.encoding,
        gap: context.wanted.gap,
        bins: context.wanted.bins,
        quantiles: context.wanted.quantiles,
        wasserstein: context.wanted.everything,
    };
    let map = map_for(lowest, highest, sample.clone(), n[0].max(n[1]));
    Pair { columns: asked.columns, n, extent: (lowest, highest), map, sample, query }
}
