//! Device buffers that are used again. A fresh buffer costs an allocation and a clearing pass.

use super::device::{Device, lock};
use crate::backend::DeviceError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use wgpu::BufferUsages as Usage;

/// What a buffer is for. Buffers are reused for the same purpose only, so their labels stay true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Purpose {
    pub(super) label: &'static str,
    pub(super) usage: Usage,
}

impl Purpose {
    /// A storage buffer that is copied to and from.
    pub(super) const fn storage(label: &'static str) -> Self {
        Self { label, usage: Usage::STORAGE.union(Usage::COPY_SRC).union(Usage::COPY_DST) }
    }

    /// A uniform buffer that is copied to.
    pub(super) const fn uniform(label: &'static str) -> Self {
        Self { label, usage: Usage::UNIFORM.union(Usage::COPY_DST) }
    }

    /// A storage buffer that the host writes while it is mapped, as it is when it comes from the pool.
    pub(super) const fn mapped(label: &'static str) -> Self {
        Self { label, usage: Usage::STORAGE.union(Usage::COPY_SRC).union(Usage::MAP_WRITE) }
    }

    fn is_mapped(&self) -> bool {
        self.usage.contains(Usage::STORAGE.union(Usage::MAP_WRITE))
    }

    /// A buffer that the host reads.
    pub(super) const fn readback(label: &'static str) -> Self {
        Self { label, usage: Usage::MAP_READ.union(Usage::COPY_DST) }
    }
}

struct Free {
    purpose: Purpose,
    buffer: wgpu::Buffer,
    /// Set when it is as its purpose wants it; a mapped one waits for the device to be done with it.
    ready: Arc<AtomicBool>,
}

/// Free buffers, and the count of all bytes that are allocated.
pub(super) struct Pool {
    free: Mutex<Vec<Free>>,
    allocated: AtomicU64,
    /// Bytes beyond which nothing is allocated.
    limit: u64,
    /// Bytes of free buffers that are kept.
    keep: u64,
}

impl Pool {
    pub(super) fn new(limit: Option<u64>, keep: u64) -> Self {
        Self { free: Mutex::default(), allocated: AtomicU64::new(0), limit: limit.unwrap_or(u64::MAX), keep }
    }

    /// A buffer of at least `bytes` bytes; its content is what its last user left.
    pub(super) fn get(&self, device: &Device, purpose: Purpose, bytes: u64) -> Result<Pooled<'_>, DeviceError> {
        device.lost.check()?;
        let size = rounded(bytes).min(device.limits.max_buffer_size & !7);
        if size < bytes {
            return Err(DeviceError::OutOfMemory(format!(
                "{} needs {bytes} bytes, a buffer of this device has at most {}",
                purpose.label, device.limits.max_buffer_size
            )));
        }
        if purpose.is_mapped() {
            device.look()?;
        }
        if let Some(buffer) = self.take_free(purpose, size) {
            return Ok(Pooled { pool: self, purpose, buffer: Some(buffer) });
        }
        let buffer = self.create(device, purpose, size).or_else(|error| match error {
            // Free buffers are still allocated: give them back and try once more.
            DeviceError::OutOfMemory(_) if self.release(device)? => self.create(device, purpose, size),
            other => Err(other),
        })?;
        Ok(Pooled { pool: self, purpose, buffer: Some(buffer) })
    }

    fn take_free(&self, purpose: Purpose, size: u64) -> Option<wgpu::Buffer> {
        let mut free = lock(&self.free);
        let fits =
            |free: &Free| free.purpose == purpose && free.buffer.size() >= size && free.ready.load(Ordering::Acquire);
        let best = (0..free.len()).filter(|&i| fits(&free[i])).min_by_key(|&i| free[i].buffer.size())?;
        // A much larger one is left for those who need it.
        (free[best].buffer.size() / 4 <= size).then(|| free.swap_remove(best).buffer)
    }

    fn create(&self, device: &Device, purpose: Purpose, size: u64) -> Result<wgpu::Buffer, DeviceError> {
        let before = self.allocated.fetch_add(size, Ordering::Relaxed);
        let created = if before + size > self.limit {
            let why = format!("{} needs {size} bytes, {before} of the {} allowed are taken", purpose.label, self.limit);
            Err(DeviceError::OutOfMemory(why))
        } else {
            device.scoped(|| {
                Ok(device.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some(purpose.label),
                    size,
                    usage: purpose.usage,
                    mapped_at_creation: purpose.is_mapped(),
                }))
            })
        };
        if created.is_err() {
            self.allocated.fetch_sub(size, Ordering::Relaxed);
        }
        created
    }

    /// Gives all free buffers back to the device; false when there was none.
    fn release(&self, device: &Device) -> Result<bool, DeviceError> {
        let free = std::mem::take(&mut *lock(&self.free));
        let bytes: u64 = free.iter().map(|free| free.buffer.size()).sum();
        self.allocated.fetch_sub(bytes, Ordering::Relaxed);
        let any = !free.is_empty();
        drop(free);
        // Memory is returned when the submissions that use it are known to be over.
        device.wait_all()?;
        Ok(any)
    }

    fn put(&self, purpose: Purpose, buffer: wgpu::Buffer) {
        let ready = Arc::new(AtomicBool::new(!purpose.is_mapped()));
        if purpose.is_mapped() {
            let ready = Arc::clone(&ready);
            buffer.map_async(wgpu::MapMode::Write, .., move |mapped| ready.store(mapped.is_ok(), Ordering::Release));
        }
        let mut free = lock(&self.free);
        free.push(Free { purpose, buffer, ready });
        // The oldest go first; a scan asks for the same sizes again and again.
        let mut kept: u64 = free.iter().map(|free| free.buffer.size()).sum();
        while kept > self.keep {
            let oldest = free.remove(0).buffer.size();
            self.allocated.fetch_sub(oldest, Ordering::Relaxed);
            kept -= oldest;
        }
    }
}

/// Sizes in eight steps a power of two, so that batches of similar size find each other's buffers.
fn rounded(bytes: u64) -> u64 {
    let step = (bytes.max(256).next_power_of_two() / 16).max(256);
    bytes.max(1).next_multiple_of(step)
}

/// A buffer that goes back to the pool when it is dropped.
pub(super) struct Pooled<'p> {
    pool: &'p Pool,
    purpose: Purpose,
    buffer: Option<wgpu::Buffer>,
}

impl std::ops::Deref for Pooled<'_> {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        self.buffer.as_ref().expect("only a dropped buffer is gone")
    }
}

impl Drop for Pooled<'_> {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.pool.put(self.purpose, buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn sizes_grow_by_at_most_an_eighth() {
        for bytes in [1, 255, 256, 257, 4096, 5000, 1 << 20, (1 << 20) + 1, 123_456_789] {
            let size = rounded(bytes);
            assert!(size >= bytes && size.is_multiple_of(256), "{bytes} -> {size}");
            assert!(size <= bytes + bytes / 8 + 256, "{bytes} -> {size}");
        }
    }
}
