//! A backend that does not give up: what a device cannot do is done smaller, on a new device, or on the CPU.
//!
//! ```text
//!     out of memory    the batch is cut in half (by columns, one column by its pieces) and tried again
//!     device lost      the device is opened once more; the second time, the CPU counts from there on
//!     not supported    the CPU counts this batch
//! ```
//!
//! The results are those of an undisturbed run, because counts of pieces add and selected keys merge. What happened is
//! kept as [`Resilient::warnings`].

use super::cpu::Cpu;
use super::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, Keys};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// How often a device is opened: at the start, and once more after it was lost.
const DEVICES: usize = 2;
/// Warnings that are kept word by word; later ones are only counted.
const MAX_WARNINGS: usize = 20;

type Factory = Box<dyn Fn() -> Result<Box<dyn Backend>, DeviceError> + Send + Sync>;

/// A device backend with the CPU behind it.
pub struct Resilient {
    open: Factory,
    /// The devices opened so far, `None` for one that did not open. They stay, as batches may still refer to them.
    devices: [OnceLock<Option<Box<dyn Backend>>>; DEVICES],
    /// Index of the device in use; [`DEVICES`] means the CPU.
    current: AtomicUsize,
    cpu: Cpu,
    warnings: Mutex<(Vec<String>, usize)>,
}

impl Resilient {
    /// Opens the device with `open`, which is called once more if the device is lost.
    ///
    /// # Errors
    /// When the device does not open this first time: whoever asked for it should hear of it.
    pub fn new(
        open: impl Fn() -> Result<Box<dyn Backend>, DeviceError> + Send + Sync + 'static,
    ) -> Result<Self, DeviceError> {
        let first = open()?;
        let devices = [OnceLock::from(Some(first)), OnceLock::new()];
        Ok(Self { open: Box::new(open), devices, current: AtomicUsize::new(0), cpu: Cpu, warnings: Mutex::default() })
    }

    /// What went wrong so far and was made good, in words for the report's `run` part.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = warnings.0.clone();
        if warnings.1 > 0 {
            all.push(format!("{} more warnings of this kind", warnings.1));
        }
        all
    }

    fn warn(&self, warning: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.0.len() < MAX_WARNINGS && !warnings.0.contains(&warning) {
            warnings.0.push(warning);
        } else {
            warnings.1 += 1;
        }
    }

    /// The backend in use, and its index.
    fn backend(&self) -> (usize, &dyn Backend) {
        let index = self.current.load(Ordering::Acquire);
        match self.devices.get(index).and_then(|device| device.get_or_init(|| self.reopen()).as_ref()) {
            Some(device) => (index, &**device),
            None => (DEVICES, &self.cpu),
        }
    }

    fn reopen(&self) -> Option<Box<dyn Backend>> {
        (self.open)()
            .inspect_err(|error| self.warn(format!("the device did not open again ({error}); the CPU counts instead")))
            .ok()
    }

    /// Notes that the backend `index` is lost, and moves on to the next one, unless somebody else already did.
    fn lose(&self, index: usize, why: &str) {
        let moved = self.current.compare_exchange(index, index + 1, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if moved {
            let next = if index + 1 < DEVICES { "it is opened again" } else { "the CPU counts instead" };
            self.warn(format!("device lost: {why}; {next}"));
        }
    }
}

impl Backend for Resilient {
    fn warnings(&self) -> Vec<String> {
        Self::warnings(self)
    }

    fn kernel_seconds(&self) -> Option<f64> {
        self.backend().1.kernel_seconds()
    }

    fn most_cells(&self) -> u32 {
        self.backend().1.most_cells()
    }

    fn name(&self) -> &'static str {
        self.backend().1.name()
    }

    fn device(&self) -> String {
        self.backend().1.device()
    }

    fn batch_bytes(&self) -> usize {
        self.backend().1.batch_bytes()
    }

    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        let pieces = columns.iter().enumerate();
        let mut part = Part { slices: pieces.map(|(column, keys)| (column, 0..keys.len())).collect(), on_cpu: false };
        let mut held = None;
        // Loaded here already, so that the device works while the caller goes on. An error shows again, and is dealt
        // with, when the first question is asked.
        let (index, backend) = self.backend();
        match backend.load(part.columns(&columns)) {
            Ok(loaded) => held = Some((index, loaded)),
            Err(DeviceError::Lost(why)) if index < DEVICES => self.lose(index, &why),
            Err(DeviceError::Unsupported(why)) => {
                self.warn(format!("not supported on the device: {why}; the CPU counts instead"));
                part.on_cpu = true;
            }
            Err(_) => {}
        }
        Ok(Box::new(Held { resilient: self, columns, parts: vec![part], held }))
    }
}

/// Some columns of the batch, or some pieces of one of them: what is on a device at one time.
#[derive(Clone, Debug)]
struct Part {
    /// Column of the batch, and which of its pieces.
    slices: Vec<(usize, Range<usize>)>,
    /// The device cannot do it.
    on_cpu: bool,
}

impl Part {
    fn columns<'k>(&self, all: &[Column<'k>]) -> Vec<Column<'k>> {
        self.slices.iter().map(|(column, pieces)| all[*column][pieces.clone()].to_vec()).collect()
    }

    fn bytes(&self, all: &[Column<'_>]) -> usize {
        self.columns(all).iter().flatten().map(|keys| keys.bytes()).sum()
    }

    /// Two halves with about as many bytes, or `None` when there is only one piece.
    fn halves(&self, all: &[Column<'_>]) -> Option<[Self; 2]> {
        // Slices of one piece each are cut between, so a long column among short ones is cut as well.
        let single = |(column, pieces): &(usize, Range<usize>)| {
            let (column, pieces) = (*column, pieces.clone());
            pieces.map(move |piece| (column, piece..piece + 1)).collect::<Vec<_>>()
        };
        let singles: Vec<_> = match self.slices.as_slice() {
            [one] => single(one),
            several => several.to_vec(),
        };
        let bytes = |slices: &[(usize, Range<usize>)]| Self { slices: slices.to_vec(), on_cpu: false }.bytes(all);
        if singles.len() < 2 {
            return None;
        }
        let half = bytes(&singles) / 2;
        let mut sum = 0;
        let below = singles.iter().take_while(|slice| {
            sum += bytes(std::slice::from_ref(slice));
            sum <= half
        });
        let middle = below.count().clamp(1, singles.len() - 1);
        let (left, right) = singles.split_at(middle);
        Some([left, right].map(|slices| Self { slices: joined(slices), on_cpu: false }))
    }
}

/// Neighbouring pieces of one column as one slice.
fn joined(slices: &[(usize, Range<usize>)]) -> Vec<(usize, Range<usize>)> {
    let mut joined: Vec<(usize, Range<usize>)> = Vec::new();
    for (column, pieces) in slices {
        match joined.last_mut() {
            Some((last, range)) if last == column && range.end == pieces.start => range.end = pieces.end,
            _ => joined.push((*column, pieces.clone())),
        }
    }
    joined
}

/// A batch: all of its columns on the host, and the parts in which it goes to a backend. The only part stays loaded;
/// of several, each is loaded when it is its turn, as two halves together need what there was too little of.
struct Held<'k> {
    resilient: &'k Resilient,
    columns: Vec<Column<'k>>,
    parts: Vec<Part>,
    held: Option<(usize, Box<dyn Loaded + 'k>)>,
}

impl<'k> Held<'k> {
    /// Asks every part, in halves where the device has too little memory, and gives the answers to `add`.
    fn each<J: Copy, A>(
        &mut self,
        jobs: &[J],
        with_column: impl Fn(J, usize) -> J,
        column: impl Fn(J) -> usize,
        ask: impl Fn(&mut dyn Loaded, &[J]) -> Result<Vec<A>, DeviceError>,
        mut add: impl FnMut(usize, A),
    ) -> Result<(), DeviceError> {
        let mut index = 0;
        while index < self.parts.len() {
            let part = self.parts[index].clone();
            // The part's columns have numbers of their own.
            let (mut mine, mut places) = (Vec::new(), Vec::new());
            for (place, &job) in jobs.iter().enumerate() {
                if let Some(own) = part.slices.iter().position(|(of_batch, _)| *of_batch == column(job)) {
                    mine.push(with_column(job, own));
                    places.push(place);
                }
            }
            if mine.is_empty() || self.ask_part(index, |loaded| ask(loaded, &mine), &places, &mut add)? {
                index += 1;
            }
        }
        Ok(())
    }

    /// Asks one part. True when it has answered, false when it must be asked again, perhaps in halves.
    fn ask_part<A>(
        &mut self,
        index: usize,
        ask: impl Fn(&mut dyn Loaded) -> Result<Vec<A>, DeviceError>,
        places: &[usize],
        add: &mut impl FnMut(usize, A),
    ) -> Result<bool, DeviceError> {
        let resilient = self.resilient;
        let part = &self.parts[index];
        let (device, backend) =
            if part.on_cpu { (DEVICES, &resilient.cpu as &dyn Backend) } else { resilient.backend() };
        let loaded = match self.held.take() {
            Some((on, loaded)) if on == device && self.parts.len() == 1 => Ok(loaded),
            _ => backend.load(part.columns(&self.columns)),
        };
        let answered = loaded.and_then(|mut loaded| Ok((ask(&mut *loaded)?, loaded)));
        let error = match answered {
            Ok((answers, loaded)) => {
                places.iter().zip(answers).for_each(|(&place, answer)| add(place, answer));
                if self.parts.len() == 1 {
                    self.held = Some((device, loaded));
                }
                return Ok(true);
            }
            Err(error) => error,
        };
        match error {
            // The CPU has nothing behind it.
            error if device == DEVICES => return Err(error),
            DeviceError::OutOfMemory(why) => match part.halves(&self.columns) {
                Some(halves) => {
                    resilient.warn(format!("out of device memory: {why}; the batch was halved"));
                    self.parts.splice(index..=index, halves);
                }
                None => {
                    resilient.warn(format!("out of device memory: {why}; the CPU counts instead"));
                    self.parts[index].on_cpu = true;
                }
            },
            DeviceError::Lost(why) => resilient.lose(device, &why),
            DeviceError::Unsupported(why) => {
                resilient.warn(format!("not supported on the device: {why}; the CPU counts instead"));
                self.parts[index].on_cpu = true;
            }
            error @ DeviceError::Read(_) => return Err(error),
        }
        Ok(false)
    }
}

impl Loaded for Held<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let mut totals: Vec<_> = jobs.iter().map(|job| CellCounts::zero(job.map.n_cells())).collect();
        self.each(
            jobs,
            |job, column| CountJob { column, ..job },
            |job| job.column,
            |loaded, jobs| loaded.count_cells(jobs),
            |place, counts| totals[place].merge(&counts),
        )?;
        Ok(totals)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let bits = |job: &SelectJob<'_>| self.columns[job.column].first().map_or(32, |keys| keys.bits());
        let mut found: Vec<_> = jobs.iter().map(|job| Keys::empty(bits(job))).collect();
        self.each(
            jobs,
            |job, column| SelectJob { column, ..job },
            |job| job.column,
            |loaded, jobs| loaded.select(jobs),
            |place, keys| merge(&mut found[place], keys),
        )?;
        Ok(found)
    }
}

/// Adds sorted keys to sorted keys.
fn merge(all: &mut Keys, more: Keys) {
    match (all, more) {
        (_, more) if more.is_empty() => {}
        (all, more) if all.is_empty() => *all = more,
        // The standard library's sort finds the two runs and merges them.
        (Keys::U32(all), Keys::U32(more)) => {
            all.extend(more);
            all.sort();
        }
        (Keys::U64(all), Keys::U64(more)) => {
            all.extend(more);
            all.sort();
        }
        (Keys::U128(all), Keys::U128(more)) => {
            all.extend(more);
            all.sort();
        }
        _ => unreachable!("the pieces of a column have one width"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_cut_between_columns_and_then_between_pieces() {
        let keys = Keys::U32(vec![1; 10]);
        let columns: Vec<Column<'_>> = vec![vec![&keys; 4], vec![&keys], vec![&keys]];
        let whole = Part { slices: vec![(0, 0..4), (1, 0..1), (2, 0..1)], on_cpu: false };
        let [left, right] = whole.halves(&columns).unwrap();
        assert_eq!((left.slices.len(), right.slices.len()), (1, 2));
        let [left, right] = left.halves(&columns).unwrap();
        assert_eq!((left.slices, right.slices), (vec![(0, 0..2)], vec![(0, 2..4)]));
        assert!(Part { slices: vec![(1, 0..1)], on_cpu: false }.halves(&columns).is_none());
        assert!(Part { slices: vec![(1, 0..0)], on_cpu: false }.halves(&columns).is_none());
    }
}
