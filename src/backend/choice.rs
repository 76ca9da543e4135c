//! Which backend counts.

use super::fallback::Resilient;
use super::gpu::{self, Adapter, Devices, Gpu, GpuOptions, OpenError};
use super::rate::{Rate, Rates, cpu_key, gpu_key, measure_cpu, measure_gpu};
use super::several::Several;
use super::{Backend, DeviceError, cpu};
use crate::config::{BackendChoice, ScanConfig};
use std::sync::{Mutex, PoisonError};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// `--backend`.
    pub backend: BackendChoice,
    /// `--devices`.
    pub devices: Devices,
    /// Threads that the CPU would count with.
    pub threads: usize,
}

impl Asked {
    /// What a scan of `config` counts with.
    ///
    /// # Errors
    /// Says what is expected in the place of a name of a device.
    pub fn of(config: &ScanConfig) -> Result<Self, String> {
        let devices = Devices::parse(&config.devices)?;
        if config.backend == BackendChoice::Cpu && devices != Devices::Best {
            return Err("the backend is cpu: leave out one of the two".to_owned());
        }
        Ok(Self { backend: config.backend, devices, threads: config.threads })
    }
}

/// Opens what was asked for. `gpu` takes any adapter, software ones too. `auto` takes a real GPU where there is one that
/// counts [`TIMES_THE_CPU`] as fast as the CPU, and the CPU otherwise; devices that are named are taken without measuring. What a GPU cannot
/// do is done smaller, on the device opened anew, or on the CPU.
///
/// # Errors
/// When a GPU or a device was asked for and is not there.
pub fn open(asked: &Asked) -> Result<Box<dyn Backend>, OpenError> {
    let automatic = asked.backend == BackendChoice::Auto;
    let named = matches!(asked.devices, Devices::Named(_));
    if asked.backend == BackendChoice::Cpu || automatic && !named && !gpu::may_be_there() {
        return Ok(Box::new(cpu::Cpu));
    }
    let mut opened = match asked.devices.pick(gpu::adapters(false), !automatic) {
        Ok(picked) => picked.into_iter().map(opened).collect::<Result<Vec<_>, _>>(),
        Err(error) => Err(error),
    };
    if automatic && !named {
        let fast =
            |opened: Vec<_>| opened.into_iter().filter(|(gpu, _)| is_worth_it(gpu, asked.threads)).collect::<Vec<_>>();
        opened = opened.map(fast);
        if opened.as_ref().is_ok_and(Vec::is_empty) || opened.is_err() {
            return Ok(Box::new(cpu::Cpu));
        }
    }
    let mut devices: Vec<Box<dyn Backend>> =
        opened?.into_iter().map(|(gpu, adapter)| resilient(gpu, adapter)).collect();
    Ok(if devices.len() == 1 { devices.swap_remove(0) } else { Box::new(Several::new(devices)) })
}

fn opened(adapter: Adapter) -> Result<(Gpu, Adapter), OpenError> {
    let options = GpuOptions {
        upload: Rates::load().get(&gpu_key(adapter.summary())).and_then(|rate| rate.upload),
        ..GpuOptions::default()
    };
    Ok((Gpu::on(adapter.clone(), options)?, adapter))
}

/// What `auto` thinks of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The device.
    pub device: Rate,
    /// The CPU.
    pub cpu: Rate,
}

/// How many times as fast as the CPU a device must count. The CPU counts keys while they are still in its caches; for a device
/// they are written to memory, copied and waited for, which the measured rates do not show: an H100 that counted 1.9 times
/// as fast as the 16 cores beside it made whole scans take 1.4 to 1.8 times as long (`benches/results/gpu`).
pub const TIMES_THE_CPU: u64 = 4;

impl Weighed {
    /// Whether `auto` takes the device.
    #[must_use]
    pub fn is_worth_it(&self) -> bool {
        self.device.keys_per_second >= self.cpu.keys_per_second.saturating_mul(TIMES_THE_CPU)
    }
}

/// Weighs a GPU against the CPU with so many threads, by the figures that were kept; `again` measures anew.
///
/// # Errors
/// When the device fails, or counts wrongly.
pub fn auto(gpu: &Gpu, threads: usize, again: bool) -> Result<Weighed, DeviceError> {
    let mut rates = if again { Rates::default() } else { Rates::load() };
    let device = rates.get_or(&gpu_key(gpu.summary()), || measure_gpu(gpu))?;
    let cpu = rates.get_or(&cpu_key(threads), || measure_cpu(threads))?;
    Ok(Weighed { device, cpu })
}

fn is_worth_it(gpu: &Gpu, threads: usize) -> bool {
    auto(gpu, threads, false).is_ok_and(|weighed| weighed.is_worth_it())
}

/// An open GPU with the CPU behind it. It is opened anew by its place in the list, after the machine lost it.
fn resilient(gpu: Gpu, adapter: Adapter) -> Box<dyn Backend> {
    let (first, summary) = (Mutex::new(Some(gpu)), adapter.summary().clone());
    let again = move || {
        let adapter = gpu::adapters(false).into_iter().find(|found| *found.summary() == summary);
        opened(adapter.ok_or(OpenError::NoAdapter)?).map(|(gpu, _)| gpu)
    };
    let factory = move || {
        let kept = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let gpu = kept.map_or_else(&again, Ok).map_err(|error| DeviceError::Lost(error.to_string()))?;
        Ok(Box::new(gpu) as Box<dyn Backend>)
    };
    match Resilient::new(factory) {
        Ok(resilient) => Box::new(resilient),
        Err(_) => Box::new(cpu::Cpu),
    }
}
