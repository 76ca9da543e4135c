//! Devices that fail on purpose.

use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use gpudrift::counts::{CellCounts, Keys};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// When a [`Faulty`] device fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Every n-th call of any verb runs out of memory.
    OutOfMemoryEvery(usize),
    /// A batch of more bytes does not load.
    LoadsAtMost(usize),
    /// A batch of more bytes loads, but there is no room for counters.
    CountsAtMost(usize),
    /// A batch of more bytes loads, but there is no room for what is selected.
    SelectsAtMost(usize),
    /// The device is lost at this call of any verb, and all that follow it fail as well.
    LostAt(usize),
    /// The device is lost at the first selection.
    LostInSelect,
    /// Nothing is supported.
    Unsupported,
    /// Selecting is not supported.
    SelectUnsupported,
}

/// The CPU, failing on purpose.
pub(crate) struct Faulty {
    fault: Fault,
    calls: Arc<AtomicUsize>,
}

impl Faulty {
    /// A device with a fault; `calls` counts the calls of all devices that share it.
    pub(crate) fn new(fault: Fault, calls: &Arc<AtomicUsize>) -> Self {
        Self { fault, calls: Arc::clone(calls) }
    }

    fn call(&self, verb: &str, bytes: usize) -> Result<(), DeviceError> {
        let n = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let memory = || Err(DeviceError::OutOfMemory(format!("{bytes} bytes at {verb}")));
        let lost = || Err(DeviceError::Lost(format!("on purpose at {verb}")));
        match (self.fault, verb) {
            (Fault::OutOfMemoryEvery(every), _) if n.is_multiple_of(every) => memory(),
            (Fault::LoadsAtMost(most), "load") if bytes > most => memory(),
            (Fault::CountsAtMost(most), "count") if bytes > most => memory(),
            (Fault::SelectsAtMost(most), "select") if bytes > most => memory(),
            (Fault::LostAt(at), _) if n >= at => lost(),
            (Fault::LostInSelect, "select") => lost(),
            (Fault::Unsupported, _) | (Fault::SelectUnsupported, "select") => {
                Err(DeviceError::Unsupported(format!("{verb} on purpose")))
            }
            _ => Ok(()),
        }
    }
}

impl Backend for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }
    fn device(&self) -> String {
        format!("{:?}", self.fault)
    }
    fn batch_bytes(&self) -> usize {
        1 << 20
    }
    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        static CPU: Cpu = Cpu;
        let bytes = columns.iter().flatten().map(|keys| keys.bytes()).sum();
        self.call("load", bytes)?;
        Ok(Box::new(FaultyLoaded { device: self, bytes, inner: CPU.load(columns)? }))
    }
}

struct FaultyLoaded<'k> {
    device: &'k Faulty,
    bytes: usize,
    inner: Box<dyn Loaded + 'k>,
}

impl Loaded for FaultyLoaded<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        self.device.call("count", self.bytes)?;
        self.inner.count_cells(jobs)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        self.device.call("select", self.bytes)?;
        self.inner.select(jobs)
    }
}
