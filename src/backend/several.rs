//! Several devices that share the work: each batch goes to the one that has the least to do.
//!
//! Counts add and selected keys merge, so a report does not show which device counted what.

use super::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, Keys};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Devices, and the bytes of keys that each holds.
pub struct Several {
    devices: Vec<(Box<dyn Backend>, AtomicUsize)>,
}

impl Several {
    /// The devices of one scan, at least one.
    #[must_use]
    pub fn new(devices: Vec<Box<dyn Backend>>) -> Self {
        assert!(!devices.is_empty(), "somebody must count");
        Self { devices: devices.into_iter().map(|device| (device, AtomicUsize::new(0))).collect() }
    }

    fn each(&self) -> impl Iterator<Item = &dyn Backend> {
        self.devices.iter().map(|(device, _)| &**device)
    }

    /// The device with the least to do, which is to hold so many more bytes.
    fn take(&self, bytes: usize) -> (&dyn Backend, &AtomicUsize) {
        loop {
            let held = self.devices.iter().map(|(_, held)| held.load(Ordering::Acquire)).enumerate();
            let (index, before) = held.min_by_key(|&(_, held)| held).expect("there is a device");
            let (device, held) = &self.devices[index];
            if held.compare_exchange(before, before + bytes, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return (&**device, held);
            }
        }
    }
}

impl Backend for Several {
    fn name(&self) -> &'static str {
        self.devices[0].0.name()
    }

    fn device(&self) -> String {
        self.each().map(Backend::device).collect::<Vec<_>>().join(" + ")
    }

    fn batch_bytes(&self) -> usize {
        self.each().map(Backend::batch_bytes).min().unwrap_or(0)
    }

    fn kernel_seconds(&self) -> Option<f64> {
        self.each().map(Backend::kernel_seconds).sum()
    }

    fn warnings(&self) -> Vec<String> {
        let of = |(number, device): (usize, &dyn Backend)| {
            device.warnings().into_iter().map(move |warning| format!("device {number}: {warning}"))
        };
        self.each().enumerate().flat_map(of).collect()
    }

    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        // A batch without a byte is work, too.
        let bytes = columns.iter().flatten().map(|keys| keys.bytes()).sum::<usize>().max(1);
        let (device, held) = self.take(bytes);
        let share = Share { held, bytes };
        Ok(Box::new(Held { loaded: device.load(columns)?, _share: share }))
    }
}

/// What a batch adds to its device's work, until it is dropped.
struct Share<'k> {
    held: &'k AtomicUsize,
    bytes: usize,
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

struct Held<'k> {
    loaded: Box<dyn Loaded + 'k>,
    _share: Share<'k>,
}

impl Loaded for Held<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        self.loaded.count_cells(jobs)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        self.loaded.select(jobs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::Cpu;

    #[test]
    fn batches_go_to_the_one_with_the_least_to_do() {
        let several = Several::new(vec![Box::new(Cpu), Box::new(Cpu), Box::new(Cpu)]);
        let held = || several.devices.iter().map(|(_, held)| held.load(Ordering::Relaxed)).collect::<Vec<_>>();
        let (small, large) = (Keys::U32(vec![1; 10]), Keys::U32(vec![2; 1000]));
        let first = several.load(vec![vec![&large]]).unwrap();
        let second = several.load(vec![vec![&small]]).unwrap();
        let third = several.load(vec![vec![&small], vec![&small]]).unwrap();
        assert_eq!(held(), [4000, 40, 80]);
        let fourth = several.load(vec![vec![&large]]).unwrap();
        assert_eq!(held(), [4000, 4040, 80]);
        drop((first, second, third));
        assert_eq!(held(), [0, 4000, 0]);
        drop(fourth);
        assert_eq!(held(), [0, 0, 0]);
    }
}
