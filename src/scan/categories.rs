//! Features whose values are categories.
//!
//! Categories get codes in the order in which they appear; codes are keys, and the backend counts them like any others.
//! Where the names of all categories do not fit in memory, the columns are read once for each partition of their
//! hashes; sums over categories do not care which one was read when.

use super::context::{Context, Counting, Failure, Reading, Task};
use super::pieces::{Held, Pieces, facts_of, units_of};
use crate::backend::{Column, CountJob, DeviceError, weighted};
use crate::column::{CategoryTable, Encoding, Facts};
use crate::counts::{CellMap, Keys, Weighted};
use crate::metric::Table;
use crate::quality::{Names, Violations};
use crate::source::{Place, ReadError};
use std::collections::BTreeMap;

/// Longest list of new or missing categories, and of the most frequent ones (for what happened; a report lists fewer).
const LISTED: usize = 1000;
const MOST_FREQUENT: usize = 512;

/// Codes that one window holds.
const WINDOW: usize = 1 << 20;

/// Where partitions stop helping: a single value is larger than the memory.
const MOST_PARTITIONS: u32 = 1 << 20;

/// A category and its rows on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Category {
    pub(super) value: String,
    pub(super) rows: [u64; 2],
}

/// What was counted of a categorical feature.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// The contingency table; empty when there are more categories than the user wants counted.
    pub(super) table: Table,
    /// Distinct categories a side.
    pub(super) distinct: [u64; 2],
    /// Categories without rows in the reference: the first by value, and how many there are.
    pub(super) new: Vec<Category>,
    pub(super) new_count: u64,
    /// Categories without rows in current: the first by value, and how many there are.
    pub(super) missing: Vec<Category>,
    pub(super) missing_count: u64,
    /// Rows of current in new categories, and of the reference in the largest missing one.
    pub(super) new_rows: u64,
    pub(super) largest_missing: u64,
    /// Categories that exactly one row of the reference has.
    pub(super) reference_once: u64,
    /// The most frequent ones, most frequent first, then by value.
    pub(super) top: Vec<Category>,
    /// The rows that break what is declared of the categories.
    pub(super) violations: Violations,
    /// Of each window of the reference that limits are learned from: the rest of the reference, and it.
    pub(super) splits: Vec<Table>,
    /// There are more categories than `--max-categories` allows, so they were not counted.
    pub(super) too_many: bool,
}

/// Facts and categories of a feature.
#[derive(Debug)]
pub(super) struct Categorical {
    pub(super) facts: [Facts; 2],
    pub(super) counted: Counted,
}

/// A categorical feature that has been read and is held.
pub(super) struct Coded<'t> {
    reading: &'t Reading,
    table: CategoryTable,
    pieces: Pieces,
    /// The reference, where it comes from a profile.
    stored: Option<Box<Stored>>,
}

/// What a profile knows of the reference.
struct Stored {
    /// Rows of the first codes.
    rows: Vec<u64>,
    facts: Facts,
}

/// Reads all samples of a categorical feature, or nothing where it cannot be held and must be [`partitioned`].
pub(super) fn read<'t>(context: &Context<'_>, reading: &'t Reading) -> Result<Option<Coded<'t>>, Failure> {
    if context.bytes(reading) > context.memory.keys_a_thread() {
        return Ok(None);
    }
    match held(context, reading) {
        Ok(coded) => Ok(Some(coded)),
        Err(Failure::Read(ReadError::TooManyCategories { .. })) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn held<'t>(context: &Context<'_>, reading: &'t Reading) -> Result<Coded<'t>, Failure> {
    let mut table = CategoryTable::new(0, 1, context.memory.categories());
    let mut pieces = Pieces::new(32);
    let stored = context.clock.decode.time(|| stored(context, reading, &mut table))?.map(Box::new);
    for unit in units_of(context, reading, usize::MAX) {
        let held = Held::read(context, unit.unit, 32, |out, weighted| {
            unit.codes(reading, &mut table, out, weighted, &mut |_, _| Ok(()))
        })?;
        pieces.add(reading, held);
    }
    Ok(Coded { reading, table, pieces, stored })
}

/// Gives codes to the categories that the profile of the reference knows, where there is one: the rows of each that
/// belongs to the table.
fn stored(context: &Context<'_>, reading: &Reading, table: &mut CategoryTable) -> Result<Option<Stored>, Failure> {
    let Some((list, facts)) = context.stored_categories(reading)? else { return Ok(None) };
    table.set_binary(matches!(reading.encoding, Encoding::Category { binary: true }));
    let mut rows = Vec::new();
    for (value, count) in &list {
        let in_profile = || Place { file: "the profile".into(), column: reading.tasks[0].name.clone(), row_group: 0 };
        let code = table.insert(value).map_err(|fault| fault.at(in_profile()))?;
        rows.extend(code.map(|_| *count));
    }
    Ok(Some(Stored { rows, facts }))
}

/// Counts features whose codes are held, all in one batch of the backend: for each of them one result a task.
pub(super) fn count_held(context: &Context<'_>, batch: Vec<Coded<'_>>) -> Result<Vec<Vec<Categorical>>, DeviceError> {
    let samples = &context.parts.samples;
    let maps: Vec<CellMap> = batch.iter().map(|coded| identity(coded.table.len())).collect();
    let used: Vec<Vec<usize>> = batch.iter().map(|coded| coded.reading.samples()).collect();
    let (mut columns, mut jobs): (Vec<Column<'_>>, Vec<CountJob<'_>>) = (Vec::new(), Vec::new());
    let mut weighted: Vec<Vec<&Weighted>> = Vec::new();
    for ((coded, used), map) in batch.iter().zip(&used).zip(&maps) {
        for &sample in used {
            jobs.push(CountJob { column: columns.len(), map });
            columns.push(coded.pieces.column(&samples[sample]));
            weighted.push(coded.pieces.weighted(&samples[sample]));
        }
    }
    let rows = context.clock.count.time(|| {
        if context.wanted.counting == Counting::Nothing {
            return Ok(vec![crate::counts::CellCounts(Vec::new()); jobs.len()]);
        }
        weighted::load(context.backend, columns, weighted)?.count_cells(&jobs)
    })?;
    let mut rows = rows.as_slice();
    let mut finished = Vec::new();
    for (coded, used) in batch.into_iter().zip(used) {
        let (own, rest) = rows.split_at(used.len());
        rows = rest;
        let of_profile = |sample: usize| coded.stored.as_deref().filter(|_| coded.reading.stored == Some(sample));
        let of = |sample: usize| {
            if let Some(stored) = of_profile(sample) {
                return stored.rows.as_slice();
            }
            let at = used.binary_search(&sample).expect("the samples of all tasks are in it");
            own[at].0.get(1..).unwrap_or_default()
        };
        let facts_of = |sample: usize| {
            of_profile(sample).map_or_else(|| coded.pieces.facts(&samples[sample]), |stored| stored.facts.clone())
        };
        let tasks = coded.reading.tasks.iter().map(|task| {
            let mut tally = Tally::new(context.wanted.max_categories, task);
            let splits: Vec<&[u64]> = task.splits.iter().map(|&sample| of(sample)).collect();
            tally.add(&coded.table, task.samples.map(of), &splits);
            Categorical { facts: task.samples.map(facts_of), counted: tally.finish() }
        });
        finished.push(tasks.collect());
        if let Some(saving) = &context.saving {
            saving.categories(coded.reading, &coded.table, |sample| (facts_of(sample), of(sample)));
        }
        coded.pieces.release(&context.pool);
    }
    Ok(finished)
}

/// Counts a feature partition by partition, window by window; doubles the partitions until each fits in memory.
pub(super) fn partitioned(context: &Context<'_>, reading: &Reading) -> Result<Vec<Categorical>, Failure> {
    let mut partitions = 1;
    loop {
        match with_partitions(context, reading, partitions) {
            Err(Failure::Read(ReadError::TooManyCategories { .. })) if partitions < MOST_PARTITIONS => partitions *= 2,
            counted => return counted,
        }
    }
}

fn with_partitions(context: &Context<'_>, reading: &Reading, partitions: u32) -> Result<Vec<Categorical>, Failure> {
    let samples = &context.parts.samples;
    let used = reading.samples();
    let place = |sample: usize| used.binary_search(&sample).expect("the samples of all tasks are in it");
    let mut tallies: Vec<Tally<'_>> =
        reading.tasks.iter().map(|task| Tally::new(context.wanted.max_categories, task)).collect();
    let mut facts: BTreeMap<usize, Facts> = BTreeMap::new();
    let mut of_profile: Option<Facts> = None;
    // Every sample has a number a category, beside the table.
    let limit = 2 * context.memory.categories() / used.len().max(2);
    let mut whole = vec![context.pool.take(32, WINDOW + WINDOW / 4)];
    for partition in 0..partitions {
        let mut table = CategoryTable::new(partition, partitions, limit);
        let mut rows: Vec<Vec<u64>> = vec![Vec::new(); used.len()];
        if let (Some(sample), Some(stored)) = (reading.stored, stored(context, reading, &mut table)?) {
            rows[place(sample)] = stored.rows;
            of_profile = Some(stored.facts);
        }
        for unit in units_of(context, reading, WINDOW) {
            let mut count = |atom: usize, codes: &mut Keys| -> Result<(), Failure> {
                let counted = count_window(context, codes)?;
                for (&sample, rows) in used.iter().zip(&mut rows) {
                    if samples[sample].atoms.binary_search(&atom).is_ok() {
                        add(rows, &counted);
                    }
                }
                codes.clear();
                Ok(())
            };
            let mut parted: Vec<Keys> = Vec::new();
            let codes = match unit.unit.whole() {
                Some(_) => &mut whole,
                None => {
                    parted.resize(unit.unit.atoms.len(), Keys::empty(32));
                    &mut parted
                }
            };
            let found = unit.codes(reading, &mut table, codes, None, &mut count)?;
            for (&atom, codes) in unit.unit.atoms.iter().zip(codes.iter_mut()) {
                count(atom, codes)?;
            }
            if partition == 0 {
                for (&atom, found) in unit.unit.atoms.iter().zip(&found) {
                    facts.entry(atom).or_default().merge(found);
                }
            }
        }
        for (tally, task) in tallies.iter_mut().zip(&reading.tasks) {
            if !tally.too_many() {
                let of = |sample: usize| rows[place(sample)].as_slice();
                let splits: Vec<&[u64]> = task.splits.iter().map(|&sample| of(sample)).collect();
                tally.add(&table, task.samples.map(of), &splits);
            }
        }
        if tallies.iter().all(Tally::too_many) {
            break;
        }
    }
    whole.into_iter().for_each(|codes| context.pool.give(codes));
    let finished = tallies.into_iter().zip(&reading.tasks).map(|(tally, task)| {
        let facts = task.samples.map(|sample| match &of_profile {
            Some(stored) if reading.stored == Some(sample) => stored.clone(),
            _ => facts_of(&facts, &samples[sample]),
        });
        Categorical { facts, counted: tally.finish() }
    });
    Ok(finished.collect())
}

/// How often each code occurs.
fn count_window(context: &Context<'_>, codes: &Keys) -> Result<Vec<u64>, DeviceError> {
    let Keys::U32(found) = codes else { return Ok(Vec::new()) };
    let Some(highest) = found.iter().max() else { return Ok(Vec::new()) };
    let map = identity(*highest as usize + 1);
    let counted = context
        .clock
        .count
        .time(|| context.backend.load(vec![vec![codes]])?.count_cells(&[CountJob { column: 0, map: &map }]))?;
    Ok(counted.first().and_then(|counts| counts.0.get(1..)).unwrap_or_default().to_vec())
}

fn add(rows: &mut Vec<u64>, counted: &[u64]) {
    if rows.len() < counted.len() {
        rows.resize(counted.len(), 0);
    }
    rows.iter_mut().zip(counted).for_each(|(sum, count)| *sum += count);
}

/// One cell a code, and one before and after them, which stay empty.
fn identity(codes: usize) -> CellMap {
    CellMap::identity(u32::try_from(codes).unwrap_or(u32::MAX))
}

/// Sums over categories, a partition at a time.
struct Tally<'t> {
    times: BTreeMap<[u64; 2], u64>,
    /// The same of each window of the reference: the rest of it, and the window.
    splits: Vec<BTreeMap<[u64; 2], u64>>,
    limit: Option<u64>,
    counted: Counted,
    /// The names, where something is declared of them.
    names: Option<Names<'t>>,
}

impl<'t> Tally<'t> {
    fn new(limit: Option<u64>, task: &'t Task) -> Self {
        let splits = vec![BTreeMap::new(); task.splits.len()];
        let names = task.declared.as_deref().filter(|declared| declared.is_about_names()).map(Names::new);
        Self { times: BTreeMap::new(), splits, limit, counted: Counted::default(), names }
    }

    /// Adds the categories of `table`, whose codes have `rows` on either side, and `splits` in each window of the reference.
    fn add(&mut self, table: &CategoryTable, rows: [&[u64]; 2], splits: &[&[u64]]) {
        let of = |code: u32| [0, 1].map(|side: usize| rows[side].get(code as usize).copied().unwrap_or(0));
        let codes = u32::try_from(table.len()).expect("codes have 32 bits");
        let counted = &mut self.counted;
        let (mut new, mut missing, mut top) = (Vec::new(), Vec::new(), Vec::new());
        for code in 0..codes {
            let rows @ [reference, current] = of(code);
            if rows == [0, 0] {
                continue;
            }
            *self.times.entry(rows).or_insert(0) += 1;
            for (times, split) in self.splits.iter_mut().zip(splits).filter(|_| reference > 0) {
                let own = split.get(code as usize).copied().unwrap_or(0);
                *times.entry([reference.saturating_sub(own), own]).or_insert(0) += 1;
            }
            if let Some(names) = &mut self.names {
                names.see(&table.display(code), rows);
            }
            counted.distinct[0] += u64::from(reference > 0);
            counted.distinct[1] += u64::from(current > 0);
            counted.reference_once += u64::from(reference == 1);
            if reference == 0 {
                counted.new_count += 1;
                counted.new_rows += current;
                new.push(code);
            }
            if current == 0 {
                counted.missing_count += 1;
                counted.largest_missing = counted.largest_missing.max(reference);
                missing.push(code);
            }
            top.push(code);
        }
        self.counted.too_many = self.too_many();
        if self.counted.too_many {
            return;
        }
        let named = |code: u32| Category { value: table.display(code), rows: of(code) };
        for (list, mut codes) in [(&mut self.counted.new, new), (&mut self.counted.missing, missing)] {
            first(&mut codes, LISTED, |&a, &b| table.value(a).cmp(table.value(b)));
            list.extend(codes.into_iter().map(named));
            list.sort_by(|a, b| a.value.cmp(&b.value));
            list.truncate(LISTED);
        }
        let total = |code: u32| of(code).iter().sum::<u64>();
        first(&mut top, MOST_FREQUENT, |&a, &b| {
            total(b).cmp(&total(a)).then_with(|| table.value(a).cmp(table.value(b)))
        });
        let list = &mut self.counted.top;
        list.extend(top.into_iter().map(named));
        let rows = |category: &Category| category.rows.iter().sum::<u64>();
        list.sort_by(|a, b| rows(b).cmp(&rows(a)).then_with(|| a.value.cmp(&b.value)));
        list.truncate(MOST_FREQUENT);
    }

    fn too_many(&self) -> bool {
        self.limit.is_some_and(|limit| self.times.values().sum::<u64>() > limit)
    }

    fn finish(mut self) -> Counted {
        if !self.counted.too_many {
            self.counted.table = Table::of_multiplicities(self.times);
            self.counted.splits = self.splits.into_iter().map(Table::of_multiplicities).collect();
            self.counted.violations = self.names.map(Names::violations).unwrap_or_default();
            self.counted.violations.distinct = Some(self.counted.distinct);
            return self.counted;
        }
        Counted { too_many: true, ..Counted::default() }
    }
}

/// Keeps the `n` first of `items` by `order`, in no particular order.
fn first<T>(items: &mut Vec<T>, n: usize, order: impl Fn(&T, &T) -> std::cmp::Ordering) {
    if items.len() > n {
        items.select_nth_unstable_by(n - 1, order);
        items.truncate(n);
    }
}
