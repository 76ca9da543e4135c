//! One data set, cut into atoms.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use super::segments::{self, SegmentValues, read_column};
use super::time::{Place, Shown, Time};
use super::writes::{Bits, Writes};
use super::{PartsError, Segments};
use crate::config::WindowConfig;
use crate::source::{Dataset, Fault, ReadError, RowMap, Unit};
use crate::window::{Clock, Slices, Window};

/// Rows at a time while maps are joined.
const BATCH: usize = 1 << 14;

/// A data set of which the rows of some windows are read.
pub(in crate::scan) struct Cut<'d> {
    pub(in crate::scan) data: &'d Dataset,
    /// Units that have rows to read, in the order of the files.
    pub(in crate::scan) units: Vec<CutUnit>,
    reader: RowReader<'d>,
    first_atom: usize,
    /// The segments to scan, by their code: from 1 on. 0 is every other one.
    chosen: HashMap<u32, usize>,
    kept: AtomicUsize,
    memory: usize,
}

/// A unit, and how many of its rows belong to which atom.
pub(in crate::scan) struct CutUnit {
    pub(in crate::scan) unit: Unit,
    /// The atoms that it has rows of, ascending.
    pub(in crate::scan) atoms: Vec<usize>,
    /// Rows of each of them.
    pub(in crate::scan) rows: Vec<u64>,
    located: Place,
    counts: Vec<((u32, u32), u64)>,
    index: usize,
    map: OnceLock<Arc<RowMap>>,
}

impl CutUnit {
    /// The atom that all rows belong to.
    pub(in crate::scan) fn whole(&self) -> Option<usize> {
        match (self.atoms.as_slice(), self.rows.as_slice()) {
            (&[atom], &[rows]) if rows == self.unit.rows => Some(atom),
            _ => None,
        }
    }

    /// Rows of the wanted atoms.
    pub(in crate::scan) fn rows_of(&self, wanted: impl Fn(&usize) -> bool) -> u64 {
        self.atoms.iter().zip(&self.rows).filter(|(atom, _)| wanted(atom)).map(|(_, rows)| rows).sum()
    }

    /// Rows of any atom.
    pub(in crate::scan) fn rows_read(&self) -> u64 {
        self.rows.iter().sum()
    }
}

/// What was found of the rows of a data set before features are read.
#[derive(Clone, Debug, Default)]
pub(in crate::scan) struct Survey {
    /// Rows by slice and code of the segment.
    pub(in crate::scan) rows: BTreeMap<(u32, u32), u64>,
    /// Rows without a time.
    pub(in crate::scan) nulls: u64,
    /// Rows that a later write replaces.
    pub(in crate::scan) replaced: u64,
    /// Rows of each slice that repeat the key of another one.
    repeats: Vec<u64>,
    /// The newest time of each slice, on either clock.
    newest: Vec<[Option<i128>; 2]>,
    /// The newest time that footers or folders tell of, in any window or none.
    stored: [Option<i128>; 2],
}

impl Survey {
    fn see(slot: &mut [Option<i128>; 2], shown: Shown) {
        let clock = usize::from(shown.clock == Clock::Wall);
        slot[clock] = slot[clock].max(Some(shown.ns));
    }

    /// Rows in some slices that repeat the entity and time of another one, which was not written earlier.
    pub(in crate::scan) fn repeats(&self, range: Range<usize>) -> u64 {
        self.repeats.get(range).map_or(0, |slices| slices.iter().sum())
    }

    /// Nanoseconds from the newest time in the slices of `window` to its end, and that time.
    pub(in crate::scan) fn newest(&self, range: Range<usize>, window: &Window) -> Option<(i128, String)> {
        let slots = self.newest.get(range)?;
        let of = |clock: usize| slots.iter().filter_map(|slot| slot[clock]).max();
        nearest([of(0), of(1)], window)
    }

    /// The same of the newest time in the whole data set, as far as it is known without reading.
    pub(in crate::scan) fn stored(&self, window: &Window) -> Option<(i128, String)> {
        nearest(self.stored, window)
    }
}

fn nearest([instant, wall]: [Option<i128>; 2], window: &Window) -> Option<(i128, String)> {
    let instant = instant.map(|ns| {
        let words = jiff::Timestamp::from_nanosecond(ns).map_or_else(|_| ns.to_string(), |time| time.to_string());
        (window.end.instant_ns() - ns, words)
    });
    let wall = wall.map(|ns| {
        let time = jiff::Timestamp::from_nanosecond(ns).map(|time| jiff::tz::TimeZone::UTC.to_datetime(time));
        (window.end.wall_ns() - ns, time.map_or_else(|_| ns.to_string(), |time| time.to_string()))
    });
    instant.into_iter().chain(wall).min_by_key(|(age, _)| *age)
}

/// Tells the slice and the segment of rows.
struct RowReader<'d> {
    data: &'d Dataset,
    slices: Slices,
    time: Time,
    segment_columns: Vec<usize>,
    segments: &'d Segments,
    replaced: HashMap<usize, Bits>,
    repeats: HashMap<usize, Bits>,
}

/// What a unit was found to have.
struct Surveyed {
    counts: Vec<((u32, u32), u64)>,
    nulls: u64,
    newest: Vec<(usize, Shown)>,
    /// Slice of every row that repeats another one.
    repeats: Vec<u32>,
}

impl<'d> Cut<'d> {
    /// Surveys `data` for the rows of `slices`. Row maps take at most `memory` bytes.
    pub(in crate::scan) fn survey(
        data: &'d Dataset,
        side: &'static str,
        slices: Slices,
        segments: &'d Segments,
        config: &WindowConfig,
        memory: usize,
    ) -> Result<(Self, Survey), PartsError> {
        let time = if slices.is_everything() { Time::Everything } else { Time::new(data, side, config)? };
        let segment_columns = segments::columns(data, side, &config.segment_by)?;
        let (replaced, repeats) = (HashMap::new(), HashMap::new());
        let mut reader = RowReader { data, slices, time, segment_columns, segments, replaced, repeats };
        let slices = reader.slices.len();
        let mut survey = Survey { newest: vec![[None; 2]; slices], repeats: vec![0; slices], ..Survey::default() };
        let mut units = Vec::new();
        for (index, unit) in data.units().iter().enumerate() {
            let located = reader.time.locate(data, unit, &reader.slices)?;
            survey.nulls += located.nulls;
            if let Some(newest) = located.newest {
                Survey::see(&mut survey.stored, newest);
                if let Place::All(Some(slice)) = located.place {
                    Survey::see(&mut survey.newest[slice], newest);
                }
            }
            if !matches!(located.place, Place::All(None) | Place::Nulls) {
                units.push((index, *unit, located.place));
            }
        }
        // What stands for the reference has no files: a profile holds the last writes already, or it does not.
        if !data.files().is_empty()
            && let Some(writes) = reader.writes(side, config)?
        {
            let plain: Vec<(usize, Unit)> = units.iter().map(|&(index, unit, _)| (index, unit)).collect();
            let found = writes.replaced(data, &plain, memory)?;
            (reader.replaced, reader.repeats) = (found.replaced, found.repeats);
        }
        let surveyed: Vec<Surveyed> = units
            .par_iter()
            .map(|(index, unit, place)| reader.survey(*index, unit, *place))
            .collect::<Result<_, _>>()?;
        let mut cut_units = Vec::new();
        for ((index, unit, located), found) in units.into_iter().zip(surveyed) {
            survey.nulls += found.nulls;
            survey.replaced += reader.replaced.get(&index).map_or(0, Bits::count);
            for slice in found.repeats {
                if let Some(rows) = survey.repeats.get_mut(slice as usize) {
                    *rows += 1;
                }
            }
            found.newest.into_iter().for_each(|(slice, shown)| {
                Survey::see(&mut survey.newest[slice], shown);
                Survey::see(&mut survey.stored, shown);
            });
            for &(key, rows) in &found.counts {
                *survey.rows.entry(key).or_default() += rows;
            }
            if !found.counts.is_empty() {
                let (atoms, rows, map) = (Vec::new(), Vec::new(), OnceLock::new());
                cut_units.push(CutUnit { unit, atoms, rows, located, counts: found.counts, index, map });
            }
        }
        let kept = AtomicUsize::new(0);
        let cut = Self { data, units: cut_units, reader, first_atom: 0, chosen: HashMap::new(), kept, memory };
        Ok((cut, survey))
    }

    /// Fixes the atoms, which are numbered from `first_atom` on: every slice, and in it every one of the `chosen`
    /// segments, and the rest.
    pub(in crate::scan) fn fix(&mut self, first_atom: usize, chosen: &BTreeSet<u32>) {
        self.first_atom = first_atom;
        self.chosen = chosen.iter().enumerate().map(|(index, &code)| (code, index + 1)).collect();
        for at in 0..self.units.len() {
            let mut rows: BTreeMap<usize, u64> = BTreeMap::new();
            for ((slice, code), n) in std::mem::take(&mut self.units[at].counts) {
                *rows.entry(self.atom(slice as usize, code)).or_default() += n;
            }
            (self.units[at].atoms, self.units[at].rows) = rows.into_iter().unzip();
        }
    }

    fn atom(&self, slice: usize, code: u32) -> usize {
        let segment = self.chosen.get(&code).copied().unwrap_or(0);
        self.first_atom + slice * (self.chosen.len() + 1) + segment
    }

    /// Number of atoms.
    pub(in crate::scan) fn atoms(&self) -> usize {
        self.reader.slices.len() * (self.chosen.len() + 1)
    }

    /// The slices of a window; all of them without one.
    pub(in crate::scan) fn slices_of(&self, window: Option<&Window>) -> Range<usize> {
        window.map_or(0..self.reader.slices.len(), |window| self.reader.slices.range(window))
    }

    /// The atoms of some slices, or of one segment of them.
    pub(super) fn atoms_of(&self, slices: Range<usize>, segment: Option<u32>) -> Vec<usize> {
        let a_slice = self.chosen.len() + 1;
        match segment.map(|code| self.chosen.get(&code)) {
            None => (self.first_atom + slices.start * a_slice..self.first_atom + slices.end * a_slice).collect(),
            Some(Some(segment)) => slices.map(|slice| self.first_atom + slice * a_slice + segment).collect(),
            Some(None) => Vec::new(),
        }
    }

    /// For each row of `unit` the index of its atom among those of the unit.
    pub(in crate::scan) fn map(&self, unit: &CutUnit) -> Result<Arc<RowMap>, ReadError> {
        if let Some(map) = unit.map.get() {
            return Ok(Arc::clone(map));
        }
        let failed = |error| match error {
            PartsError::Read(error) => error,
            // The survey read the same rows.
            other => Fault::Corrupt(format!("the file changed while it was read ({other})"))
                .at(self.data.place(&unit.unit, self.reader.any_column())),
        };
        let (map, found) = self.reader.rows(unit.index, &unit.unit, unit.located).map_err(failed)?.parts();
        let places: Vec<u32> = found
            .into_iter()
            .map(|(slice, values)| {
                let code = self.reader.segments.known(&values).unwrap_or(u32::MAX);
                let place = unit.atoms.binary_search(&self.atom(slice as usize, code));
                place.ok().and_then(|place| u32::try_from(place).ok()).unwrap_or(RowMap::NONE)
            })
            .collect();
        let mut placed = RowMap::new();
        map.runs(|part, n| placed.push(places.get(part as usize).copied().unwrap_or(RowMap::NONE), n));
        placed.shrink();
        let placed = Arc::new(placed);
        if self.kept.fetch_add(placed.bytes(), Ordering::Relaxed) + placed.bytes() <= self.memory {
            let _ = unit.map.set(Arc::clone(&placed));
        } else {
            self.kept.fetch_sub(placed.bytes(), Ordering::Relaxed);
        }
        Ok(placed)
    }
}

/// The parts of a unit before segments are chosen.
struct Rows {
    map: RowMap,
    /// Slice, and for every segment column the code of its value.
    parts: Vec<Vec<u32>>,
    /// What the codes stand for.
    values: Vec<Vec<Option<String>>>,
    nulls: u64,
    newest: Vec<(usize, Shown)>,
}

impl Rows {
    fn parts(self) -> (RowMap, Vec<(u32, SegmentValues)>) {
        let values = |codes: &[u32]| -> SegmentValues {
            codes.iter().zip(&self.values).map(|(&code, values)| values[code as usize].clone()).collect()
        };
        let parts = self.parts.iter().map(|part| (part[0], values(&part[1..]))).collect();
        (self.map, parts)
    }
}

impl RowReader<'_> {
    fn any_column(&self) -> usize {
        match self.time {
            Time::Column { column, .. } => column,
            _ => self.segment_columns.first().copied().unwrap_or(0),
        }
    }

    fn writes(&self, side: &'static str, config: &WindowConfig) -> Result<Option<Writes>, PartsError> {
        // Repeats are told where the time of an event is a column.
        let is_column = |name: &String| self.data.column(name).is_some_and(|at| !self.data.columns()[at].partition);
        let told = matches!(config.timestamp.as_slice(), [name] if is_column(name));
        if config.entity.is_empty() || (config.created.is_none() && !told) {
            return Ok(None);
        }
        let column = |flag, name: &String| {
            let wrong = |reason: String| PartsError::Column { flag, column: name.clone(), side, reason };
            let column = self.data.column(name).ok_or_else(|| wrong("there is no such column".to_owned()))?;
            match &self.data.columns()[column].problem {
                Some(problem) => Err(wrong(problem.clone())),
                None => Ok(column),
            }
        };
        let time = match &self.time {
            Time::Column { column, .. } => *column,
            // Without windows, or with times in folders, the column may still be there.
            _ => match config.timestamp.as_slice() {
                [name] => column("--timestamp", name)?,
                _ => {
                    let (flag, column) = ("--timestamp", config.timestamp.join(","));
                    let reason = "with --created, events are told apart by one column with their time".to_owned();
                    return Err(PartsError::Column { flag, column, side, reason });
                }
            },
        };
        let entity = config.entity.iter().map(|name| column("--entity", name)).collect::<Result<_, _>>()?;
        let created = config.created.as_ref().map(|created| column("--created", created)).transpose()?;
        Ok(Some(Writes { entity, time, epoch: config.timestamp_unit, created }))
    }

    fn survey(&self, index: usize, unit: &Unit, place: Place) -> Result<Surveyed, PartsError> {
        let repeats = self.repeats_of(index, unit, place)?;
        if let (Place::All(Some(slice)), true, None) =
            (place, self.segment_columns.is_empty(), self.replaced.get(&index))
        {
            let slice = u32::try_from(slice).unwrap_or(u32::MAX);
            let code = self.segments.code(&Vec::new())?;
            return Ok(Surveyed { counts: vec![((slice, code), unit.rows)], nulls: 0, newest: Vec::new(), repeats });
        }
        let mut rows = self.rows(index, unit, place)?;
        let (nulls, newest) = (rows.nulls, std::mem::take(&mut rows.newest));
        let (map, parts) = rows.parts();
        let mut sizes = vec![0_u64; parts.len()];
        map.runs(|part, n| {
            if part != RowMap::NONE {
                sizes[part as usize] += n as u64;
            }
        });
        let mut counts = BTreeMap::new();
        for ((slice, values), rows) in parts.into_iter().zip(sizes) {
            *counts.entry((slice, self.segments.code(&values)?)).or_insert(0) += rows;
        }
        Ok(Surveyed { counts: counts.into_iter().collect(), nulls, newest, repeats })
    }

    /// The slice of every row of the unit that repeats another one.
    fn repeats_of(&self, index: usize, unit: &Unit, place: Place) -> Result<Vec<u32>, PartsError> {
        let Some(bits) = self.repeats.get(&index) else { return Ok(Vec::new()) };
        let slices = match place {
            Place::All(Some(slice)) => {
                return Ok(vec![u32::try_from(slice).unwrap_or(u32::MAX); usize::try_from(bits.count()).unwrap_or(0)]);
            }
            Place::All(None) | Place::Nulls => return Ok(Vec::new()),
            Place::Mixed => self.time.read(self.data, unit, &self.slices)?.slices,
        };
        let (mut row, mut found) = (0, Vec::new());
        slices.runs(|slice, n| {
            found.extend((row..row + n).filter(|&row| slice != RowMap::NONE && bits.has(row)).map(|_| slice));
            row += n;
        });
        Ok(found)
    }

    /// The slice and the values of the segment columns of every row.
    fn rows(&self, index: usize, unit: &Unit, place: Place) -> Result<Rows, PartsError> {
        let n = usize::try_from(unit.rows).unwrap_or(usize::MAX);
        let (mut nulls, mut newest) = (0, Vec::new());
        let slices = match place {
            Place::All(Some(slice)) => RowMap::constant(u32::try_from(slice).unwrap_or(RowMap::NONE), n),
            Place::All(None) | Place::Nulls => RowMap::constant(RowMap::NONE, n),
            Place::Mixed => {
                let read = self.time.read(self.data, unit, &self.slices)?;
                nulls = read.nulls;
                newest = read.newest.into_iter().enumerate().filter_map(|(slice, seen)| Some((slice, seen?))).collect();
                read.slices
            }
        };
        let (mut maps, mut values) = (vec![slices], Vec::new());
        for &column in &self.segment_columns {
            let codes = read_column(self.data, unit, column)?;
            maps.push(codes.map);
            values.push(codes.values);
        }
        let replaced = self.replaced.get(&index).map(|bits| bits.map(n));
        let (map, parts) = join(&maps, replaced.as_ref(), n);
        Ok(Rows { map, parts, values, nulls, newest })
    }
}

/// One part for each combination of codes that occurs; none where the first map has none, or `without` has a 1.
fn join(maps: &[RowMap], without: Option<&RowMap>, rows: usize) -> (RowMap, Vec<Vec<u32>>) {
    let mut parts: Vec<Vec<u32>> = Vec::new();
    if let ([only], None) = (maps, without) {
        // Slices are few, and their numbers do as parts.
        let mut places: BTreeMap<u32, u32> = BTreeMap::new();
        let mut map = RowMap::new();
        only.runs(|slice, n| {
            let part = if slice == RowMap::NONE {
                RowMap::NONE
            } else {
                *places.entry(slice).or_insert_with(|| {
                    parts.push(vec![slice]);
                    u32::try_from(parts.len() - 1).unwrap_or(RowMap::NONE)
                })
            };
            map.push(part, n);
        });
        return (map, parts);
    }
    let mut known: HashMap<Vec<u32>, u32> = HashMap::new();
    let (mut map, mut codes, mut dropped) = (RowMap::new(), vec![Vec::new(); maps.len()], Vec::new());
    // The combination before, which is often the same.
    let (mut key, mut last_key, mut last_part) = (Vec::new(), Vec::new(), RowMap::NONE);
    for from in (0..rows).step_by(BATCH) {
        maps.iter().zip(&mut codes).for_each(|(map, codes)| map.read(from, BATCH, codes));
        if let Some(without) = without {
            without.read(from, BATCH, &mut dropped);
        }
        for row in 0..BATCH.min(rows - from) {
            if codes[0].get(row).is_none_or(|&slice| slice == RowMap::NONE) || dropped.get(row) == Some(&1) {
                map.push(RowMap::NONE, 1);
                continue;
            }
            key.clear();
            key.extend(codes.iter().map(|codes| codes.get(row).copied().unwrap_or(0)));
            if key != last_key {
                last_key.clone_from(&key);
                last_part = known.get(&key).copied().unwrap_or_else(|| {
                    parts.push(key.clone());
                    let part = u32::try_from(parts.len() - 1).unwrap_or(RowMap::NONE);
                    known.insert(key.clone(), part);
                    part
                });
            }
            map.push(last_part, 1);
        }
    }
    (map, parts)
}
