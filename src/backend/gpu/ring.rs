//! Uploads through a ring of mapped buffers that are made once.
//!
//! `Queue::write_buffer` allocates for every call and is an order of magnitude slower for bulk data. Here the host fills
//! one buffer while the device still copies from the ones before.

use super::device::{Device, lock};
use crate::backend::DeviceError;
use rayon::prelude::*;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Buffers of the ring: one being filled, one being copied, one on its way back.
const BUFFERS: usize = 3;
/// Waits of a millisecond after which one more buffer is made. A thread of a pool may take up another upload while it
/// waits for the others to fill its buffer, and so hold all buffers itself: without this it would wait for itself.
const PATIENCE: usize = 20;
/// What one thread fills at a time; a multiple of the alignment of mappings.
const BLOCK: u64 = 1 << 20;

/// Bytes to be written to a place in a buffer. Places and lengths are multiples of four.
#[derive(Clone, Copy)]
pub(super) struct Write<'d> {
    pub(super) bytes: &'d [u8],
    pub(super) buffer: &'d wgpu::Buffer,
    pub(super) offset: u64,
}

#[derive(Default)]
struct Mapped {
    free: Vec<wgpu::Buffer>,
    made: usize,
}

/// The ring.
pub(super) struct Ring {
    mapped: Arc<(Mutex<Mapped>, Condvar)>,
    buffer_bytes: u64,
}

/// What one mapped buffer carries: pieces of the data, and the copies that bring them to their places.
#[derive(Default)]
pub(super) struct Load<'d> {
    used: u64,
    pieces: Vec<(u64, &'d [u8])>,
    copies: Vec<(&'d wgpu::Buffer, u64, u64, u64)>,
}

impl<'d> Load<'d> {
    fn add(&mut self, write: Write<'d>) {
        let n = write.bytes.len() as u64;
        match self.copies.last_mut() {
            // Neighbours on both sides are one copy.
            Some((buffer, _, to, len)) if *buffer == write.buffer && *to + *len == write.offset => *len += n,
            _ => self.copies.push((write.buffer, self.used, write.offset, n)),
        }
        self.piece(write.bytes);
    }

    /// Puts `bytes` behind what there is, and copies them nowhere.
    pub(super) fn piece(&mut self, bytes: &'d [u8]) {
        self.pieces.push((self.used, bytes));
        self.used += bytes.len() as u64;
    }

    /// The pieces of `start..end`, relative to `start`.
    fn block(&self, start: u64, end: u64) -> Vec<(usize, &'d [u8])> {
        let first = self.pieces.partition_point(|(at, bytes)| at + bytes.len() as u64 <= start);
        let inside = self.pieces[first..].iter().take_while(|(at, _)| *at < end);
        inside
            .map(|&(at, bytes)| {
                let from = index(start.saturating_sub(at));
                let to = bytes.len().min(index(end - at));
                (index(at.saturating_sub(start)), &bytes[from..to])
            })
            .collect()
    }
}

fn index(bytes: u64) -> usize {
    usize::try_from(bytes).expect("the ring's buffers are mapped, so their bytes have addresses")
}

impl Ring {
    /// A ring of buffers of `buffer_bytes` bytes, a multiple of [`BLOCK`].
    pub(super) fn new(buffer_bytes: u64) -> Self {
        Self { mapped: Arc::default(), buffer_bytes: buffer_bytes.next_multiple_of(BLOCK) }
    }

    /// Writes all of `writes`. Returns when the last copy is submitted; what is submitted later sees the data.
    pub(super) fn upload<'d>(
        &self,
        device: &Device,
        writes: impl IntoIterator<Item = Write<'d>>,
    ) -> Result<(), DeviceError> {
        let mut load = Load::default();
        for mut write in writes {
            while !write.bytes.is_empty() {
                if load.used == self.buffer_bytes {
                    self.send(device, &std::mem::take(&mut load))?;
                }
                let (now, later) = write.bytes.split_at(write.bytes.len().min(index(self.buffer_bytes - load.used)));
                load.add(Write { bytes: now, ..write });
                write.offset += now.len() as u64;
                write.bytes = later;
            }
        }
        if load.used > 0 { self.send(device, &load) } else { Ok(()) }
    }

    fn send(&self, device: &Device, load: &Load<'_>) -> Result<(), DeviceError> {
        let buffer = self.take(device)?;
        let sent = fill(&buffer, load).map(|()| {
            buffer.unmap();
            let mut encoder = device
                .device
                .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("gpudrift.upload") });
            for &(to, at, offset, n) in &load.copies {
                encoder.copy_buffer_to_buffer(&buffer, at, to, offset, n);
            }
            device.queue.submit([encoder.finish()]);
        });
        if sent.is_err() {
            buffer.unmap();
        }
        let mapped = Arc::clone(&self.mapped);
        let again = buffer.clone();
        buffer.map_async(wgpu::MapMode::Write, .., move |result| {
            let (ring, changed) = &*mapped;
            match result {
                Ok(()) if lock(ring).made <= BUFFERS => lock(ring).free.push(again),
                // It cannot be used again, or it was one more than usual; another one may be made.
                _ => lock(ring).made -= 1,
            }
            changed.notify_all();
        });
        sent
    }

    /// A mapped buffer; waits for the device when all are under way.
    fn take(&self, device: &Device) -> Result<wgpu::Buffer, DeviceError> {
        let (ring, changed) = &*self.mapped;
        let mut waited = 0;
        loop {
            let mut mapped = lock(ring);
            if let Some(buffer) = mapped.free.pop() {
                return Ok(buffer);
            }
            if mapped.made < BUFFERS || waited >= PATIENCE {
                mapped.made += 1;
                drop(mapped);
                return self.make(device).inspect_err(|_| lock(ring).made -= 1);
            }
            drop(mapped);
            device.wait_all()?;
            let mapped = lock(ring);
            if mapped.free.is_empty() {
                // Other threads are filling all of them; the device has nothing to wait for.
                drop(changed.wait_timeout(mapped, Duration::from_millis(1)));
                waited += 1;
            }
        }
    }

    fn make(&self, device: &Device) -> Result<wgpu::Buffer, DeviceError> {
        device.scoped(|| {
            Ok(device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("gpudrift.staging"),
                size: self.buffer_bytes,
                usage: wgpu::BufferUsages::MAP_WRITE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: true,
            }))
        })
    }
}

/// Copies the pieces into the mapped buffer, in blocks that do not touch, on as many threads as there are.
pub(super) fn fill(buffer: &wgpu::Buffer, load: &Load<'_>) -> Result<(), DeviceError> {
    let mut blocks = Vec::new();
    let mut start = 0;
    while start < load.used {
        let end = (start + BLOCK).min(load.used);
        let view = buffer
            .get_mapped_range_mut(start..end.next_multiple_of(4))
            .map_err(|error| DeviceError::Lost(format!("staging buffer: {error}")))?;
        blocks.push((view, load.block(start, end)));
        start = end;
    }
    let copy = |(mut view, pieces): (wgpu::BufferViewMut, Vec<(usize, &[u8])>)| {
        for (at, bytes) in pieces {
            view.slice(at..at + bytes.len()).copy_from_slice(bytes);
        }
    };
    if blocks.len() > 1 {
        blocks.into_par_iter().for_each(copy)
    } else {
        blocks.into_iter().for_each(copy)
    }
    Ok(())
}
