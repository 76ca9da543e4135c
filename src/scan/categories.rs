//! Features whose values are categories.
//!
//! Categories get codes in the order in which they appear; codes are keys, and the backend counts them like any others.
//! Where the names of all categories do not fit in memory, the columns are read once for each partition of their
//! hashes; sums over categories do not care which one was read when.

use super::context::{Context, Counting, Failure, Task};
use crate::backend::{Column, CountJob, DeviceError, weighted};
use crate::column::{CategoryTable, Facts, read_codes, read_weighted_codes};
use crate::counts::{CellMap, Keys, Weighted};
use crate::metric::Table;
use crate::source::ReadError;
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
    /// There are more categories than `--max-categories` allows, so they were not counted.
    pub(super) too_many: bool,
}

/// Facts and categories of a feature.
#[derive(Debug)]
pub(super) struct Categorical {
    pub(super) facts: [Facts; 2],
    pub(super) counted: Counted,
}

/// A categorical feature that has been read and is held: codes by side.
pub(super) struct Coded {
    table: CategoryTable,
    codes: [Vec<Keys>; 2],
    /// Codes that many rows have, beside the others.
    weighted: [Weighted; 2],
    facts: [Facts; 2],
    /// Rows of the first codes in the reference, where they are known from a profile.
    stored: Option<Vec<u64>>,
}

/// Reads both sides of a categorical feature, or nothing where it cannot be held and must be [`partitioned`].
pub(super) fn read(context: &Context<'_>, task: &Task) -> Result<Option<Coded>, Failure> {
    if context.bytes(task) > context.memory.keys_a_thread() {
        return Ok(None);
    }
    match held(context, task) {
        Ok(coded) => Ok(Some(coded)),
        Err(Failure::Read(ReadError::TooManyCategories { .. })) => Ok(None),
        Err(failure) => Err(failure),
    }
}

fn held(context: &Context<'_>, task: &Task) -> Result<Coded, Failure> {
    let mut table = CategoryTable::new(0, 1, context.memory.categories());
    let mut codes = [Vec::new(), Vec::new()];
    let mut weighted = [Weighted::empty(32), Weighted::empty(32)];
    let mut facts = [Facts::default(), Facts::default()];
    let mut stored = None;
    if let Some((list, of_reference)) = context.clock.decode.time(|| context.stored_categories(task))? {
        facts[0] = of_reference;
        stored = Some(insert(&mut table, &list, task)?);
    }
    for side in 0..2 {
        let data = context.data[side];
        for unit in data.units() {
            let rows = usize::try_from(unit.rows).unwrap_or(usize::MAX);
            let mut keys = context.pool.take(32, rows.min(context.memory.keys()));
            let part = context.clock.decode.time(|| {
                let (column, encoding) = (task.columns[side], &task.pairing.encoding);
                let weighted = &mut weighted[side];
                read_weighted_codes::<Failure>(data, unit, column, encoding, &mut table, &mut keys, weighted)
            })?;
            facts[side].merge(&part);
            codes[side].push(keys);
        }
    }
    Ok(Coded { table, codes, weighted, facts, stored })
}

/// Gives codes to the categories that a profile knows; returns the rows of each that belongs to the table.
fn insert(table: &mut CategoryTable, list: &[(Vec<u8>, u64)], task: &Task) -> Result<Vec<u64>, Failure> {
    table.set_binary(matches!(task.pairing.encoding, crate::column::Encoding::Category { binary: true }));
    let mut rows = Vec::new();
    for (value, count) in list {
        let in_profile =
            || crate::source::Place { file: "the profile".into(), column: task.name.clone(), row_group: 0 };
        let code = table.insert(value).map_err(|fault| fault.at(in_profile()))?;
        rows.extend(code.map(|_| *count));
    }
    Ok(rows)
}

/// Counts features whose codes are held, all in one batch of the backend.
pub(super) fn count_held(context: &Context<'_>, batch: Vec<Coded>) -> Result<Vec<Categorical>, DeviceError> {
    let maps: Vec<CellMap> = batch.iter().map(|coded| identity(coded.table.len())).collect();
    let columns: Vec<Column<'_>> =
        batch.iter().flat_map(|coded| &coded.codes).map(|pieces| pieces.iter().collect()).collect();
    let beside = batch.iter().flat_map(|coded| &coded.weighted).map(|weighted| vec![weighted]).collect();
    let jobs: Vec<CountJob<'_>> = maps
        .iter()
        .enumerate()
        .flat_map(|(index, map)| [0, 1].map(|side| CountJob { column: 2 * index + side, map }))
        .collect();
    let rows = context.clock.count.time(|| {
        if context.wanted.counting == Counting::Nothing {
            return Ok(vec![crate::counts::CellCounts(Vec::new()); jobs.len()]);
        }
        weighted::load(context.backend, columns, beside)?.count_cells(&jobs)
    })?;
    let finish = |(coded, rows): (Coded, &[crate::counts::CellCounts])| {
        let mut tally = Tally::new(context.wanted.max_categories);
        let [counted, current] = [0, 1].map(|side| rows[side].0.get(1..).unwrap_or_default());
        tally.add(&coded.table, [coded.stored.as_deref().unwrap_or(counted), current]);
        coded.codes.into_iter().flatten().for_each(|keys| context.pool.give(keys));
        Categorical { facts: coded.facts, counted: tally.finish() }
    };
    Ok(batch.into_iter().zip(rows.chunks(2)).map(finish).collect())
}

/// Counts a feature partition by partition, window by window; doubles the partitions until each fits in memory.
pub(super) fn partitioned(context: &Context<'_>, task: &Task) -> Result<Categorical, Failure> {
    let mut partitions = 1;
    loop {
        match with_partitions(context, task, partitions) {
            Err(Failure::Read(ReadError::TooManyCategories { .. })) if partitions < MOST_PARTITIONS => partitions *= 2,
            counted => return counted,
        }
    }
}

fn with_partitions(context: &Context<'_>, task: &Task, partitions: u32) -> Result<Categorical, Failure> {
    let mut tally = Tally::new(context.wanted.max_categories);
    let mut facts = [Facts::default(), Facts::default()];
    let mut codes = context.pool.take(32, WINDOW + WINDOW / 4);
    for partition in 0..partitions {
        let mut table = CategoryTable::new(partition, partitions, context.memory.categories());
        let mut rows = [Vec::new(), Vec::new()];
        if let Some((list, of_reference)) = context.stored_categories(task)? {
            facts[0] = of_reference;
            rows[0] = insert(&mut table, &list, task)?;
        }
        for side in 0..2 {
            let data = context.data[side];
            for unit in data.units() {
                let (column, encoding) = (task.columns[side], &task.pairing.encoding);
                let mut count = |codes: &mut Keys| -> Result<(), Failure> {
                    count_window(context, codes, &mut rows[side])?;
                    codes.clear();
                    Ok(())
                };
                let part = read_codes(data, unit, column, encoding, &mut table, &mut codes, WINDOW, &mut count)?;
                count(&mut codes)?;
                if partition == 0 {
                    facts[side].merge(&part);
                }
            }
        }
        tally.add(&table, [&rows[0], &rows[1]]);
        if tally.too_many() {
            break;
        }
    }
    context.pool.give(codes);
    Ok(Categorical { facts, counted: tally.finish() })
}

fn count_window(context: &Context<'_>, codes: &Keys, rows: &mut Vec<u64>) -> Result<(), DeviceError> {
    let Keys::U32(found) = codes else { return Ok(()) };
    let Some(highest) = found.iter().max() else { return Ok(()) };
    let map = identity(*highest as usize + 1);
    let counted = context
        .clock
        .count
        .time(|| context.backend.load(vec![vec![codes]])?.count_cells(&[CountJob { column: 0, map: &map }]))?;
    let counted = counted.first().and_then(|counts| counts.0.get(1..)).unwrap_or_default();
    if rows.len() < counted.len() {
        rows.resize(counted.len(), 0);
    }
    rows.iter_mut().zip(counted).for_each(|(sum, count)| *sum += count);
    Ok(())
}

/// One cell a code, and one before and after them, which stay empty.
fn identity(codes: usize) -> CellMap {
    CellMap::identity(u32::try_from(codes).unwrap_or(u32::MAX))
}

/// Sums over categories, a partition at a time.
struct Tally {
    times: BTreeMap<[u64; 2], u64>,
    limit: Option<u64>,
    counted: Counted,
}

impl Tally {
    fn new(limit: Option<u64>) -> Self {
        Self { times: BTreeMap::new(), limit, counted: Counted::default() }
    }

    /// Adds the categories of `table`, whose codes have `rows` on either side.
    fn add(&mut self, table: &CategoryTable, rows: [&[u64]; 2]) {
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
