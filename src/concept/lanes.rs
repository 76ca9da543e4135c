//! Rows are dealt to their streams, wait there, and are fed in order.

use std::collections::BTreeMap;

use arrow::array::{Array, StringArray};
use hashbrown::HashMap;
use rayon::prelude::*;

use super::error::ConceptError;
use super::rows::Batch;
use super::scan::{ConceptConfig, Key};
use super::spec::Spec;
use super::state::Saved;
use super::stream::{Rows, Stream};

/// All streams, and the rows that wait for them.
pub(super) struct Streams<'c> {
    specs: &'c [Spec],
    by_name: HashMap<Vec<u8>, usize>,
    keys: Vec<Key>,
    lanes: Vec<Lane>,
    ordered: bool,
}

/// A stream with what waits for it, and the times of its events.
struct Lane {
    stream: Stream,
    values: Vec<f64>,
    times: Vec<i64>,
    event_times: Vec<Vec<i64>>,
}

impl Lane {
    fn of(stream: Stream) -> Self {
        let event_times = vec![Vec::new(); stream.watches.len()];
        Self { stream, values: Vec::new(), times: Vec::new(), event_times }
    }

    /// Feeds what waits.
    fn feed(&mut self, ordered: bool) {
        if self.values.is_empty() {
            return;
        }
        if ordered && !self.times.is_sorted() {
            let mut rows: Vec<(i64, f64)> = self.times.iter().copied().zip(self.values.iter().copied()).collect();
            rows.sort_by_key(|&(time, _)| time);
            (self.times, self.values) = rows.into_iter().unzip();
        }
        self.stream.feed(&self.values);
        for (watch, times) in self.stream.watches.iter().zip(&mut self.event_times) {
            if ordered {
                times.extend(watch.run.events[times.len()..].iter().map(|event| self.times[event.position]));
            }
        }
        self.stream.latest = self.stream.latest.max(self.times.last().copied());
        self.values.clear();
        self.times.clear();
    }
}

impl<'c> Streams<'c> {
    pub(super) fn restore(config: &'c ConceptConfig, saved: Option<&Saved>) -> Result<Self, ConceptError> {
        let ordered = config.order_by.is_some();
        let mut streams =
            Self { specs: &config.specs, by_name: HashMap::new(), keys: Vec::new(), lanes: Vec::new(), ordered };
        for saved in saved.iter().flat_map(|saved| &saved.streams) {
            let mut name = Vec::new();
            saved.key.iter().for_each(|part| write_part(&mut name, part.as_deref()));
            streams.by_name.insert(name, streams.lanes.len());
            streams.keys.push(saved.key.clone());
            streams.lanes.push(Lane::of(Stream::restore(saved, &config.specs)?));
        }
        if config.stream_by.is_empty() && streams.lanes.is_empty() {
            streams.by_name.insert(Vec::new(), 0);
            streams.keys.push(Vec::new());
            streams.lanes.push(Lane::of(Stream::new(&config.specs)));
        }
        Ok(streams)
    }

    /// Deals rows to their streams.
    pub(super) fn deal(&mut self, batches: Vec<Batch>) {
        let mut name = Vec::new();
        for batch in batches {
            let mut lane = usize::MAX;
            for row in 0..batch.values.len() {
                let part = |array: &StringArray, row: usize| array.is_valid(row).then(|| array.value(row).to_owned());
                let same = lane != usize::MAX && row > 0 && batch.keys.iter().all(|array| is_same(array, row));
                if !same {
                    name.clear();
                    for array in &batch.keys {
                        write_part(&mut name, array.is_valid(row).then(|| array.value(row)));
                    }
                    lane = match self.by_name.get(&name) {
                        Some(&lane) => lane,
                        None => {
                            self.keys.push(batch.keys.iter().map(|array| part(array, row)).collect());
                            self.lanes.push(Lane::of(Stream::new(self.specs)));
                            self.by_name.insert(name.clone(), self.lanes.len() - 1);
                            self.lanes.len() - 1
                        }
                    };
                }
                self.lanes[lane].put(&batch, row);
            }
        }
    }

    pub(super) fn feed(&mut self) {
        let ordered = self.ordered;
        self.lanes.par_iter_mut().for_each(|lane| lane.feed(ordered));
    }

    /// Every stream by its key.
    pub(super) fn by_key(&self) -> BTreeMap<&Key, &Stream> {
        self.keys.iter().zip(self.lanes.iter().map(|lane| &lane.stream)).collect()
    }

    /// For every stream by its key, the times of the events of each detector.
    pub(super) fn times(&self) -> BTreeMap<&Key, &[Vec<i64>]> {
        self.keys.iter().zip(self.lanes.iter().map(|lane| lane.event_times.as_slice())).collect()
    }
}

impl Lane {
    fn put(&mut self, batch: &Batch, row: usize) {
        let skip = |stream: &mut Stream, rows: Rows| stream.skip(&rows);
        let none = Rows::default();
        if batch.values.is_null(row) {
            return skip(&mut self.stream, Rows { nulls: 1, ..none });
        }
        let value = batch.values.value(row);
        if value.is_nan() {
            return skip(&mut self.stream, Rows { nans: 1, ..none });
        }
        if value.is_infinite() {
            return skip(&mut self.stream, Rows { infinite: 1, ..none });
        }
        if let Some(times) = &batch.times {
            if times.is_null(row) {
                return skip(&mut self.stream, Rows { untimed: 1, ..none });
            }
            let time = times.value(row);
            if self.stream.until.is_some_and(|until| time < until) {
                return skip(&mut self.stream, Rows { late: 1, ..none });
            }
            self.times.push(time);
        }
        self.values.push(value);
    }
}

/// Whether a row has the value of the row before.
fn is_same(array: &StringArray, row: usize) -> bool {
    array.is_valid(row) == array.is_valid(row - 1) && (array.is_null(row) || array.value(row) == array.value(row - 1))
}

/// A part of a name, so that no two lists of parts give the same bytes.
fn write_part(name: &mut Vec<u8>, part: Option<&str>) {
    match part {
        None => name.push(0),
        Some(text) => {
            name.push(1);
            name.extend((text.len() as u64).to_le_bytes());
            name.extend(text.as_bytes());
        }
    }
}
