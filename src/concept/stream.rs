//! One stream with its detectors, and what they said.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Detector, Signal, Spec, StateError};
use crate::verdict::Level;

/// Streams shorter than this are not worth a thread for each detector.
const WORTH_A_THREAD: usize = 4096;

/// A drift, or the beginning of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Number of the value in its stream, from 0, over all runs; values that were skipped have none.
    pub index: u64,
    /// Where the value stood in what was fed.
    pub(super) position: usize,
    /// Drift or warning.
    pub signal: Signal,
}

/// A detector on a stream.
pub(super) struct Watch {
    spec: Spec,
    detector: Box<dyn Detector>,
    pub(super) tally: Tally,
    pub(super) run: RunTally,
}

/// What a detector said since the stream began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Values that it took, and that it could not take.
    pub(super) values: u64,
    pub(super) outside: u64,
    pub(super) drifts: u64,
    pub(super) warnings: u64,
    /// Number, among the values that it took, of the latest that gave a signal, and whether that was a drift.
    latest: Option<(u64, bool)>,
}

/// What it said in this run.
#[derive(Clone, Debug, Default)]
pub(super) struct RunTally {
    pub(super) events: Vec<Event>,
    pub(super) outside: u64,
    drifted: bool,
    warned: bool,
}

impl Watch {
    fn new(spec: &Spec) -> Self {
        Self { spec: spec.clone(), detector: spec.build(), tally: Tally::default(), run: RunTally::default() }
    }

    /// Takes values of which the first has the number `first` in the stream.
    fn feed(&mut self, values: &[f64], first: u64) {
        let input = self.spec.card().input;
        if values.iter().all(|&value| input.takes(value)) {
            return self.take(values, first, None);
        }
        let places: Vec<usize> = (0..values.len()).filter(|&at| input.takes(values[at])).collect();
        let outside = (values.len() - places.len()) as u64;
        self.tally.outside += outside;
        self.run.outside += outside;
        let taken: Vec<f64> = places.iter().map(|&at| values[at]).collect();
        self.take(&taken, first, Some(&places));
    }

    fn take(&mut self, values: &[f64], first: u64, places: Option<&[usize]>) {
        let Self { spec, detector, tally, run } = self;
        let before = tally.values;
        detector.update_all(values, &mut |at, signal| {
            let (tick, drift) = (before + at as u64, signal == Signal::Drift);
            // Every drift of a detector that starts anew is one; of others, and of warnings, the first of a row is.
            let goes_on = tick > 0 && tally.latest == Some((tick - 1, drift)) && !(drift && spec.card().restarts);
            tally.latest = Some((tick, drift));
            run.drifted |= drift;
            run.warned |= !drift;
            if !goes_on {
                *(if drift { &mut tally.drifts } else { &mut tally.warnings }) += 1;
                let position = places.map_or(at, |places| places[at]);
                run.events.push(Event { index: first + position as u64, position, signal });
            }
        });
        tally.values += values.len() as u64;
    }

    /// How bad the run was: a drift is critical, a warning that stands at the end a warning, one that passed a fact.
    pub(super) fn level(&self) -> Level {
        let stands = self.tally.values > 0 && self.tally.latest == Some((self.tally.values - 1, false));
        match (self.run.drifted, self.run.warned) {
            (true, _) => Level::Critical,
            (false, true) if stands => Level::Warning,
            (false, true) => Level::Info,
            (false, false) => Level::Ok,
        }
    }

    pub(super) fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Estimates after the latest value.
    pub(super) fn statistics(&self) -> Vec<(&'static str, f64)> {
        self.detector.statistics()
    }
}

/// Rows of a stream, by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// Values that were fed.
    pub values: u64,
    /// Rows without a value.
    pub nulls: u64,
    /// Values that are not a number.
    pub nans: u64,
    /// Infinite values: no mean recovers from one.
    pub infinite: u64,
    /// Rows older than the latest one of an earlier run.
    pub late: u64,
    /// Rows without a timestamp, where that decides about the order.
    pub untimed: u64,
}

impl Rows {
    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.values += other.values;
        self.nulls += other.nulls;
        self.nans += other.nans;
        self.infinite += other.infinite;
        self.late += other.late;
        self.untimed += other.untimed;
    }
}

/// A stream: its detectors, how far it came, and its latest time.
pub struct Stream {
    pub(super) watches: Vec<Watch>,
    pub(super) total: Rows,
    pub(super) run: Rows,
    /// The latest time of an earlier run; rows before it are late.
    pub(super) until: Option<i64>,
    pub(super) latest: Option<i64>,
}

/// What is kept of a stream between two runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedStream {
    pub(super) key: Vec<Option<String>>,
    total: Rows,
    latest: Option<i64>,
    watches: Vec<(Tally, Vec<u8>)>,
}

impl Stream {
    /// A stream that begins.
    #[must_use]
    pub fn new(specs: &[Spec]) -> Self {
        let watches = specs.iter().map(Watch::new).collect();
        Self { watches, total: Rows::default(), run: Rows::default(), until: None, latest: None }
    }

    /// Feeds the next values, all finite, to every detector.
    pub fn feed(&mut self, values: &[f64]) {
        let first = self.total.values;
        if values.len() < WORTH_A_THREAD {
            self.watches.iter_mut().for_each(|watch| watch.feed(values, first));
        } else {
            self.watches.par_iter_mut().for_each(|watch| watch.feed(values, first));
        }
        let fed = Rows { values: values.len() as u64, ..Rows::default() };
        self.total.add(&fed);
        self.run.add(&fed);
    }

    /// Counts rows that are not fed.
    pub(super) fn skip(&mut self, rows: &Rows) {
        self.total.add(rows);
        self.run.add(rows);
    }

    /// The events of this run, by detector in the order of the specs.
    pub fn events(&self) -> impl Iterator<Item = (&Spec, &Event)> {
        self.watches.iter().flat_map(|watch| watch.run.events.iter().map(|event| (&watch.spec, event)))
    }

    /// The worst level of its detectors.
    #[must_use]
    pub fn level(&self) -> Level {
        self.watches.iter().map(Watch::level).max().unwrap_or_default()
    }

    pub(super) fn save(&self, key: Vec<Option<String>>) -> SavedStream {
        let watches = self.watches.iter().map(|watch| (watch.tally, watch.detector.state())).collect();
        SavedStream { key, total: self.total, latest: self.latest, watches }
    }

    pub(super) fn restore(saved: &SavedStream, specs: &[Spec]) -> Result<Self, StateError> {
        let mut stream = Self::new(specs);
        for (watch, (tally, state)) in stream.watches.iter_mut().zip(&saved.watches) {
            watch.detector.restore(state)?;
            watch.tally = *tally;
        }
        (stream.total, stream.latest, stream.until) = (saved.total, saved.latest, saved.latest);
        Ok(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(detectors: &str) -> Stream {
        Stream::new(&crate::concept::specs(&[detectors.to_owned()]).unwrap())
    }

    fn indices(stream: &Stream) -> Vec<(u64, Signal)> {
        stream.events().map(|(_, event)| (event.index, event.signal)).collect()
    }

    #[test]
    fn a_condition_that_lasts_is_one_event_and_stays_critical() {
        let mut stream = stream("degradation:window=4:baseline=1");
        stream.feed(&[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(indices(&stream), [(3, Signal::Drift)]);
        let specs = [stream.watches[0].spec().clone()];
        let mut next = Stream::restore(&stream.save(Vec::new()), &specs).unwrap();
        next.feed(&[0.0]);
        assert_eq!((indices(&next), next.level()), (vec![], Level::Critical), "it began in the run before");
        next.feed(&[1.0; 8]);
        next.feed(&[0.0; 4]);
        assert_eq!(indices(&next), [(15, Signal::Drift)]);
        assert_eq!(next.watches[0].tally.drifts, 2);
    }

    #[test]
    fn values_outside_the_range_of_a_detector_are_counted_and_keep_their_number() {
        let mut stream = stream("ddm:warm_start=2,page_hinkley:threshold=3:min_instances=1");
        stream.feed(&[0.0, 7.0, 0.0, 0.0, 1.0]);
        assert_eq!((stream.watches[0].tally.outside, stream.watches[1].tally.outside), (1, 0));
        let ddm: Vec<_> = stream.watches[0].run.events.iter().map(|event| event.index).collect();
        assert_eq!(ddm, [4]);
    }
}
