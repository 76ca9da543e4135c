//! The open device, and how its failures become [`DeviceError`]s instead of panics.

use crate::backend::DeviceError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks, also after a panic elsewhere: what the locks guard is whole between any two statements.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a device can no longer be used; shared with wgpu's callbacks.
#[derive(Clone, Debug, Default)]
pub(super) struct Lost(Arc<Mutex<Option<String>>>);

impl Lost {
    /// Remembers the first reason.
    pub(super) fn set(&self, why: impl Into<String>) {
        lock(&self.0).get_or_insert_with(|| why.into());
    }

    /// An error when the device was lost.
    pub(super) fn check(&self) -> Result<(), DeviceError> {
        match &*lock(&self.0) {
            Some(why) => Err(DeviceError::Lost(why.clone())),
            None => Ok(()),
        }
    }
}

/// A device and its queue.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    pub(super) lost: Lost,
    timeout: Duration,
    /// It left a submission unanswered.
    hung: AtomicBool,
    /// It is to answer nothing any more.
    silent: AtomicBool,
}

impl Device {
    /// Takes a fresh device; `timeout` is how long it may leave a submission unanswered before it counts as hung.
    pub(super) fn new(device: wgpu::Device, queue: wgpu::Queue, timeout: Duration) -> Self {
        let lost = Lost::default();
        let on_lost = lost.clone();
        device.set_device_lost_callback(move |reason, message| on_lost.set(format!("{reason:?}: {message}")));
        // Errors outside of a scope would panic. None is expected: what they mean for a batch is unknown, so the
        // device is given up.
        let on_error = lost.clone();
        device.on_uncaptured_error(Arc::new(move |error| on_error.set(error.to_string())));
        let limits = device.limits();
        Self { device, queue, limits, lost, timeout, hung: AtomicBool::new(false), silent: AtomicBool::new(false) }
    }

    /// Runs `work` and returns the first error that wgpu reports meanwhile on this thread.
    pub(super) fn scoped<T>(&self, work: impl FnOnce() -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.lost.check()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let result = work();
        let internal = pollster::block_on(internal.pop());
        let validation = pollster::block_on(validation.pop());
        let memory = pollster::block_on(memory.pop());
        // A lost device fails everything after it, so that is the cause to name.
        self.lost.check()?;
        match memory.or(internal).or(validation) {
            None => result,
            Some(error) => Err(device_error(&error)),
        }
    }

    /// How long it may leave a submission unanswered.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// From now on nothing is answered, as by a hung device; nobody waits for it in earnest.
    pub(super) fn silence(&self) {
        self.silent.store(true, Ordering::Release);
    }

    /// Waits until `submission` is done and runs the callbacks that it leads to.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<(), DeviceError> {
        self.poll(wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(self.timeout) })
    }

    /// Waits until all submissions so far are done.
    pub(super) fn wait_all(&self) -> Result<(), DeviceError> {
        self.poll(wgpu::PollType::Wait { submission_index: None, timeout: Some(self.timeout) })
    }

    /// Runs the callbacks of what is done already, and waits for nothing.
    pub(super) fn look(&self) -> Result<(), DeviceError> {
        self.poll(wgpu::PollType::Poll)
    }

    fn poll(&self, how: wgpu::PollType) -> Result<(), DeviceError> {
        // wgpu panics when the device is lost while it waits; that is a device error like others.
        match catch_unwind(AssertUnwindSafe(|| self.answer(how))) {
            Ok(Ok(_)) => self.lost.check(),
            Ok(Err(wgpu::PollError::Timeout)) => {
                self.hung.store(true, Ordering::Release);
                self.lost.set(format!("no answer within {:?}", self.timeout));
                self.lost.check()
            }
            // The submission was refused; the scope around it says why.
            Ok(Err(error)) => Err(DeviceError::Lost(error.to_string())),
            Err(_) => {
                self.lost.set("lost while waiting for it");
                self.lost.check()
            }
        }
    }

    fn answer(&self, how: wgpu::PollType) -> Result<wgpu::PollStatus, wgpu::PollError> {
        if self.silent.load(Ordering::Acquire) { Err(wgpu::PollError::Timeout) } else { self.device.poll(how) }
    }
}

impl Drop for Device {
    /// wgpu waits for its queue to be idle when it lets go of it: for a hung one, for ever. That one is kept.
    fn drop(&mut self) {
        if self.hung.load(Ordering::Acquire) {
            std::mem::forget(self.queue.clone());
        }
    }
}

fn device_error(error: &wgpu::Error) -> DeviceError {
    match error {
        wgpu::Error::OutOfMemory { source } => DeviceError::OutOfMemory(source.to_string()),
        // Both mean that this device does not take what was asked of it; the CPU does.
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            DeviceError::Unsupported(description.clone())
        }
    }
}
