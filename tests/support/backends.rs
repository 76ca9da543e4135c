//! The backends that the cases run on.

use gpudrift::backend::cpu::Cpu;
use gpudrift::backend::gpu::{Gpu, GpuOptions, Software};
use gpudrift::backend::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use gpudrift::counts::{CellCounts, Keys};
use std::io::Write;
use std::sync::{Arc, OnceLock};

/// Options of a GPU for tests: any adapter, with all checks or as in a scan. Nothing is kept on this machine.
pub(crate) fn options(checks: bool) -> GpuOptions {
    GpuOptions { software: Software::Allow, checks, validation: checks, pipeline_cache: None, ..GpuOptions::default() }
}

/// Prints past the test harness, which hides what `eprintln!` prints of a test that passes.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether GPU tests were turned off with `GPUDRIFT_TEST_GPU=off`; says so, with the name of the test.
pub(crate) fn turned_off(test: &str) -> bool {
    let off = std::env::var("GPUDRIFT_TEST_GPU").is_ok_and(|value| value == "off");
    if off {
        say(&format!("{test}: DID NOT RUN, GPU tests are turned off by GPUDRIFT_TEST_GPU=off"));
    }
    off
}

/// A GPU, or a failed test that says what to install.
pub(crate) fn gpu(options: GpuOptions) -> Gpu {
    match Gpu::open(options) {
        Ok(gpu) => {
            say(&format!("GPU: {}", gpu.device()));
            gpu
        }
        Err(error) => panic!(
            "{error}\nThe GPU tests need a Vulkan adapter; a software one will do: apt-get install mesa-vulkan-drivers. \
             GPUDRIFT_TEST_GPU=off turns these tests off."
        ),
    }
}

/// One GPU for all tests of a kind: opening one for each costs more than the tests.
pub(crate) fn shared(checks: bool) -> &'static Gpu {
    static GPUS: [OnceLock<Gpu>; 2] = [OnceLock::new(), OnceLock::new()];
    GPUS[usize::from(checks)].get_or_init(|| gpu(options(checks)))
}

/// How a [`Wrong`] backend is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    OneCountOff,
    DropsLastKey,
    UnsortedSelect,
    HiIsAbove,
    ForgetsASelectedKey,
    AnswersInWrongOrder,
}

pub(crate) const FLAWS: [Flaw; 6] = [
    Flaw::OneCountOff,
    Flaw::DropsLastKey,
    Flaw::UnsortedSelect,
    Flaw::HiIsAbove,
    Flaw::ForgetsASelectedKey,
    Flaw::AnswersInWrongOrder,
];

/// The CPU with a flaw: the suite must notice.
pub(crate) struct Wrong(pub(crate) Flaw);

struct WrongLoaded<'k> {
    flaw: Flaw,
    columns: Vec<Column<'k>>,
    inner: Box<dyn Loaded + 'k>,
}

impl Backend for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn device(&self) -> String {
        format!("{:?}", self.0)
    }
    fn batch_bytes(&self) -> usize {
        1 << 20
    }
    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        static CPU: Cpu = Cpu;
        Ok(Box::new(WrongLoaded { flaw: self.0, columns: columns.clone(), inner: CPU.load(columns)? }))
    }
}

impl Loaded for WrongLoaded<'_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        let mut counts = self.inner.count_cells(jobs)?;
        for (job, counts) in jobs.iter().zip(&mut counts) {
            let keys = self.columns[job.column].iter().flat_map(|keys| (0..keys.len()).map(|index| keys.get(index)));
            let last = counts.0.len() - 1;
            match self.flaw {
                Flaw::OneCountOff if counts.total() > 1000 => counts.0[last] += 1,
                Flaw::DropsLastKey => {
                    if let Some(key) = keys.last() {
                        counts.0[job.map.cell_of(key)] -= 1;
                    }
                }
                Flaw::HiIsAbove => {
                    let at_hi = keys.filter(|&key| key == job.map.hi()).count() as u64;
                    counts.0[job.map.cell_of(job.map.hi())] -= at_hi;
                    counts.0[last] += at_hi;
                }
                _ => {}
            }
        }
        if self.flaw == Flaw::AnswersInWrongOrder {
            counts.reverse();
        }
        Ok(counts)
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        let mut found = self.inner.select(jobs)?;
        for keys in &mut found {
            if let Keys::U32(keys) = keys {
                match self.flaw {
                    Flaw::UnsortedSelect if keys.len() > 1 => keys.reverse(),
                    Flaw::ForgetsASelectedKey => drop(keys.pop()),
                    _ => {}
                }
            }
        }
        Ok(found)
    }
}

/// A backend that others can hold as well.
pub(crate) struct Shared(pub(crate) Arc<dyn Backend>);

impl Backend for Shared {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn device(&self) -> String {
        self.0.device()
    }
    fn batch_bytes(&self) -> usize {
        self.0.batch_bytes()
    }
    fn load<'k>(&'k self, columns: Vec<Column<'k>>) -> Result<Box<dyn Loaded + 'k>, DeviceError> {
        self.0.load(columns)
    }
}
