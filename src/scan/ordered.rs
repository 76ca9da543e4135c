//! Features whose values are ordered: numbers, times, booleans as 0 and 1.

use super::context::{Context, Counting, Failure, Reading, Task};
use super::marks::marks;
use super::pieces::{Held, Pieces, UnitRead, units_of};
use super::sorted;
use super::splits::{Split, Splits};
use super::streamed::Streamed;
use crate::backend::{Column, DeviceError, Loaded, weighted};
use crate::column::{Facts, Kind};
use crate::compare::{Compared, Pair, Query, SAMPLE_KEYS, compare, map_for, rows_of_both, sample_of_both};
use crate::counts::{CellMap, Weighted};
use crate::profile::{Ordered as Stored, WithStored};
use rayon::prelude::*;

/// Cells that are counted at once, a side: how many comparisons these are depends on their rows.
const CELLS_AT_ONCE: usize = 1 << 20;
/// Features whose maps a thread makes at a time.
const MAPS_A_TASK: usize = 4;
/// The same of a feature that is read again for every question, where each may fetch keys.
const STREAMED_AT_ONCE: usize = 8;
/// Units of which all atoms are held before they are merged.
const UNITS_AT_ONCE: usize = 256;

/// What was counted of an ordered feature in one comparison.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) facts: [Facts; 2],
    pub(super) compared: Compared,
    /// Where the profile of the reference does not hold every key.
    pub(super) bound: Option<Bound>,
    /// Rows by bin of the windows of the reference that limits are learned from.
    pub(super) splits: Vec<Vec<u64>>,
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

/// A feature that has been read and is held.
pub(super) struct Read<'t> {
    reading: &'t Reading,
    pieces: Pieces,
    /// The reference, where it comes from a profile; it has no keys here then.
    stored: Option<Box<Stored<'t>>>,
}

/// Reads all samples of `reading`. With `parallel`, row groups are decoded on all cores.
pub(super) fn read<'t>(context: &Context<'t>, reading: &'t Reading, parallel: bool) -> Result<Read<'t>, Failure> {
    let read_unit = |unit: &UnitRead<'_>| {
        Held::read(context, unit.unit, reading.encoding.key_bits(), |out, weighted| {
            unit.keys(reading, context.level(reading), out, weighted, &mut |_, _| Ok(()))
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
    let stored = context.clock.decode.time(|| context.stored(reading))?.map(Box::new);
    Ok(Read { reading, pieces, stored })
}

/// Compares features that are held, all in one batch of the backend: for each of them one result a task.
pub(super) fn compare_held(context: &Context<'_>, batch: Vec<Read<'_>>) -> Result<Vec<Vec<Ordered>>, DeviceError> {
    let samples = &context.parts.samples;
    let (mut columns, mut stored): (Vec<Column<'_>>, Vec<Option<&Stored<'_>>>) = (Vec::new(), Vec::new());
    let mut weighted: Vec<Vec<&Weighted>> = Vec::new();
    let mut asked: Vec<Asked<'_>> = Vec::new();
    for read in &batch {
        let used = read.reading.samples();
        let first = columns.len();
        let of_profile = |sample: usize| read.stored.as_deref().filter(|_| read.reading.stored == Some(sample));
        columns.extend(used.iter().map(|&sample| read.pieces.column(&samples[sample])));
        weighted.extend(used.iter().map(|&sample| read.pieces.weighted(&samples[sample])));
        stored.extend(used.iter().map(|&sample| of_profile(sample)));
        let at = |sample: usize| first + used.binary_search(&sample).expect("the samples of all tasks are in it");
        let facts =
            |sample| of_profile(sample).map_or_else(|| read.pieces.facts(&samples[sample]), |one| one.facts.clone());
        asked.extend(read.reading.tasks.iter().map(|task| {
            let stored = of_profile(task.samples[0]);
            let splits = task.splits.iter().filter_map(|&sample| Split::new(at(sample), &facts(sample))).collect();
            Asked { splits, ..Asked::new(read.reading, task, task.samples.map(facts), task.samples.map(at), stored) }
        }));
    }
    let (compared, splits) = context.clock.count.time(|| {
        match context.wanted.counting {
            Counting::Cells => {}
            Counting::Sorting => {
                let one = |asked: &Asked<'_>| {
                    sorted::compare(context, &asked.reading.encoding, asked.columns.map(|column| &columns[column]))
                };
                return Ok((asked.iter().map(one).collect(), vec![Vec::new(); asked.len()]));
            }
            Counting::Nothing => return Ok((vec![Compared::default(); asked.len()], vec![Vec::new(); asked.len()])),
        }
        let pairs = asked.par_iter().with_min_len(MAPS_A_TASK).map(|asked| {
            let keys = asked.columns.iter().flat_map(|&column| &columns[column]).copied();
            let sample = sample_of_both(keys, asked.columns.iter().flat_map(|&column| &weighted[column]).copied());
            let rows =
                |&column: &usize| rows_of_both(columns[column].iter().copied(), weighted[column].iter().copied());
            pair(context, asked, sample, asked.columns.iter().map(rows).max().unwrap_or(0))
        });
        let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
        let mut loaded = weighted::load(context.backend, columns, weighted)?;
        let mut loaded = WithStored { loaded: loaded.as_mut(), stored };
        with_splits(&mut loaded, &asked, pairs, usize::MAX, u64::MAX)
    })?;
    let answers = compared.into_iter().zip(splits);
    let mut found = asked.into_iter().zip(answers).map(|(asked, (compared, splits))| asked.answered(compared, splits));
    let sizes: Vec<usize> = batch.iter().map(|read| read.reading.tasks.len()).collect();
    let finished = sizes.into_iter().map(|n| found.by_ref().take(n).collect()).collect();
    drop(found);
    if let Some(saving) = &context.saving {
        batch.par_iter().for_each(|read| saving.keys(read.reading, &read.pieces, samples));
    }
    batch.into_iter().for_each(|read| read.pieces.release(&context.pool));
    Ok(finished)
}

/// Compares one feature that is too large to be held: one result a task.
pub(super) fn compare_streamed(context: &Context<'_>, reading: &Reading) -> Result<Vec<Ordered>, DeviceError> {
    context.pool.release();
    let stored = context.stored(reading)?;
    let of_profile = |sample: usize| stored.as_ref().filter(|_| reading.stored == Some(sample));
    let mut streamed = Streamed::new(context, reading);
    let overview = streamed.overview(SAMPLE_KEYS / 2)?;
    let facts = |sample| of_profile(sample).map_or_else(|| overview.facts(sample), |one| one.facts.clone());
    let asked: Vec<Asked<'_>> = reading
        .tasks
        .iter()
        .map(|task: &Task| {
            let columns = task.samples.map(|sample| streamed.column(sample));
            let split = |&sample: &usize| Split::new(streamed.column(sample), &facts(sample));
            let splits = task.splits.iter().filter_map(split).collect();
            Asked { splits, ..Asked::new(reading, task, task.samples.map(facts), columns, of_profile(task.samples[0])) }
        })
        .collect();
    let sample = |task: &Task| task.samples.map(|sample| overview.sample(sample)).concat();
    let pairs = asked.iter().zip(&reading.tasks).map(|(asked, task)| {
        let rows = asked.facts.iter().map(Facts::values).max().unwrap_or(0);
        pair(context, asked, sample(task), rows)
    });
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    let at_once = pairs.len().clamp(1, STREAMED_AT_ONCE);
    let budget = context.memory.fetch(reading.encoding.key_bits() as usize / 8) / at_once as u64;
    let by_column = reading.samples().into_iter().map(of_profile).collect();
    let mut loaded = WithStored { loaded: &mut streamed, stored: by_column };
    let (compared, splits) = context.clock.count.time(|| with_splits(&mut loaded, &asked, pairs, at_once, budget))?;
    let answers = compared.into_iter().zip(splits);
    Ok(asked.into_iter().zip(answers).map(|(asked, (compared, splits))| asked.answered(compared, splits)).collect())
}

/// What was found of every feature, and the rows by bin of its windows of the reference.
type WithSplits = (Vec<Compared>, Vec<Vec<Vec<u64>>>);

fn with_splits(
    loaded: &mut dyn Loaded,
    asked: &[Asked<'_>],
    pairs: Vec<Pair<'_>>,
    at_once: usize,
    budget: u64,
) -> Result<WithSplits, DeviceError> {
    let splits = asked.iter().zip(&pairs).map(|(asked, pair)| {
        let counted = asked.reading.kind != Kind::Boolean;
        Splits::new(&asked.reading.encoding, &asked.splits, pair).filter(|_| counted)
    });
    let splits: Vec<Option<Splits<'_>>> = splits.collect();
    let compared = in_groups(loaded, pairs, at_once, budget)?;
    let edges = |at: usize| compared[at].bins.as_ref().map(|bins| &bins.edges);
    let mut rows: Vec<Vec<Vec<u64>>> = Vec::with_capacity(compared.len());
    for (at, (splits, asked_now)) in splits.iter().zip(asked).enumerate() {
        // The nights of a backfill have one reference, and so the same windows of it.
        let known =
            at.checked_sub(1).filter(|&last| asked[last].splits == asked_now.splits && edges(last) == edges(at));
        rows.push(match (known, splits) {
            (Some(last), _) => rows[last].clone(),
            (None, Some(splits)) => splits.count(loaded, &compared[at], at_once, budget)?,
            (None, None) => asked_now.splits.iter().map(|split| split.booleans()).collect(),
        });
    }
    Ok((compared, rows))
}

pub(super) fn in_groups(
    loaded: &mut dyn Loaded,
    pairs: Vec<Pair<'_>>,
    at_once: usize,
    budget: u64,
) -> Result<Vec<Compared>, DeviceError> {
    let mut compared = Vec::with_capacity(pairs.len());
    let mut pairs = pairs.into_iter();
    loop {
        let (mut group, mut cells) = (Vec::new(), 0);
        while group.len() < at_once && cells < CELLS_AT_ONCE {
            let Some(pair) = pairs.next() else { break };
            cells += pair.map.n_cells();
            group.push(pair);
        }
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
    /// The reference, where it comes from a profile.
    stored: Option<&'t Stored<'t>>,
    /// Values of which it is wanted how many rows lie below.
    marks: Vec<f64>,
    /// Whether distinct values are wanted exactly.
    distinct: bool,
    /// Windows of the reference that limits are learned from.
    splits: Vec<Split>,
}

impl<'t> Asked<'t> {
    fn new(
        reading: &'t Reading,
        task: &Task,
        facts: [Facts; 2],
        columns: [usize; 2],
        stored: Option<&'t Stored<'t>>,
    ) -> Self {
        let marks = marks(task, &reading.encoding, &facts);
        let distinct = task.declared.as_ref().is_some_and(|declared| declared.unique);
        Self { reading, facts, columns, stored, marks, distinct, splits: Vec::new() }
    }

    fn answered(self, compared: Compared, splits: Vec<Vec<u64>>) -> Ordered {
        Ordered { facts: self.facts, compared, bound: self.stored.and_then(Bound::of), splits }
    }
}

/// How a feature is compared; `sample` is of the keys that are at hand, `rows` the number of those that cells should tell
/// apart.
fn pair<'t>(
    context: &Context<'_>,
    asked: &'t Asked<'t>,
    mut sample: Vec<u128>,
    rows: u64,
) -> Result<Pair<'t>, DeviceError> {
    let Asked { facts, stored, .. } = asked;
    let n = [0, 1].map(|side| facts[side].values());
    let lowest = facts.iter().filter_map(|facts| facts.min_key).min().unwrap_or(0);
    let highest = facts.iter().filter_map(|facts| facts.max_key).max().unwrap_or(0);
    let query = Query {
        scale: &asked.reading.encoding,
        gap: context.wanted.gap,
        bins: context.wanted.bins,
        quantiles: context.wanted.quantiles,
        wasserstein: context.wanted.everything,
        atoms: context.wanted.quantiles,
        marks: &asked.marks,
        distinct: asked.distinct,
    };
    let own = stored.and_then(|stored| stored.map()).filter(|map| suits(map, &sample));
    let map = match own {
        Some(map) => map.clone(),
        None => {
            if let Some(stored) = stored {
                sample.extend(stored.sample(SAMPLE_KEYS)?);
            }
            let of_profile = stored.map_or(0, |stored| stored.facts.values());
            map_for(lowest, highest, sample.clone(), rows.max(of_profile), context.backend.most_cells())
        }
    };
    Ok(Pair { columns: asked.columns, n, extent: (lowest, highest), map, sample, query })
}

/// Whether a map that was made for the reference alone spreads current keys, too: a cell that holds many of them would
/// have to be fetched whole, but where it is one key's own.
fn suits(map: &CellMap, sample: &[u128]) -> bool {
    const LOOKED_AT: usize = 512;
    const CROWDED: usize = 16;
    let step = sample.len().div_ceil(LOOKED_AT).max(1);
    let mut cells: Vec<usize> = sample.iter().step_by(step).map(|&key| map.cell_of(key)).collect();
    cells.sort_unstable();
    let most = CROWDED.max(cells.len() / CROWDED);
    let one_key = |cell: usize| map.bounds(cell).is_some_and(|(first, last)| first == last);
    cells.chunk_by(|a, b| a == b).all(|same| same.len() <= most || one_key(same[0]))
}
