//! One question on its way through the queue: passes, submissions, and the answer read back.

use super::device::{Device, lock};
use super::kernels::MAX_GROUPS;
use super::pool::Purpose;
use super::{Core, Work};
use crate::backend::DeviceError;
use std::time::Instant;

/// Passes whose time is taken; later passes of the same question go untimed.
const TIMED_PASSES: u32 = 512;

const READBACK: Purpose = Purpose::readback("gpudrift.readback");

/// Timestamp queries, and the buffer that they are resolved into.
pub(super) struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

impl Clock {
    fn new(device: &Device) -> Self {
        let queries = device.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: Some("gpudrift.clock"),
            ty: wgpu::QueryType::Timestamp,
            count: 2 * TIMED_PASSES,
        });
        let resolved = device.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("gpudrift.clock.resolved"),
            size: 16 * u64::from(TIMED_PASSES),
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        Self { queries, resolved }
    }
}

/// A question under way.
pub(super) struct Run<'g> {
    core: &'g Core,
    work: Work,
    encoder: wgpu::CommandEncoder,
    clock: Option<Clock>,
    timed: u32,
    keys: u64,
    begun: Instant,
}

impl<'g> Run<'g> {
    /// Begins a question of one kind of work.
    pub(super) fn new(core: &'g Core, work: Work) -> Self {
        let clock = core.timestamps.then(|| lock(&core.clocks).pop().unwrap_or_else(|| Clock::new(&core.device)));
        Self { core, work, encoder: encoder(core), clock, timed: 0, keys: 0, begun: Instant::now() }
    }

    /// The commands that are not submitted yet.
    pub(super) fn encoder(&mut self) -> &mut wgpu::CommandEncoder {
        &mut self.encoder
    }

    /// Runs `pipeline` with `groups` workgroups, folded into two dimensions, over `keys` keys.
    pub(super) fn dispatch(
        &mut self,
        label: &str,
        pipeline: &wgpu::ComputePipeline,
        bindings: &wgpu::BindGroup,
        groups: u32,
        keys: u64,
    ) {
        let timed = self.timed;
        let timestamp_writes = self.clock.as_ref().filter(|_| timed < TIMED_PASSES).map(|clock| {
            self.timed += 1;
            wgpu::ComputePassTimestampWrites {
                query_set: &clock.queries,
                beginning_of_pass_write_index: Some(2 * timed),
                end_of_pass_write_index: Some(2 * timed + 1),
            }
        });
        let mut pass =
            self.encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: Some(label), timestamp_writes });
        pass.set_pipeline(pipeline);
        pass.set_bind_group(0, bindings, &[]);
        let x = groups.clamp(1, MAX_GROUPS);
        pass.dispatch_workgroups(x, groups.div_ceil(x), 1);
        drop(pass);
        self.keys += keys;
    }

    /// Submits what there is, so that no submission runs into a watchdog and the device starts early.
    pub(super) fn submit(&mut self) {
        let full = std::mem::replace(&mut self.encoder, encoder(self.core));
        self.core.device.queue.submit([full.finish()]);
    }

    /// Submits the rest, waits, and hands the first bytes of `buffers` to `take`: (buffer, bytes), bytes a multiple
    /// of four.
    pub(super) fn read<T>(
        mut self,
        buffers: &[(&wgpu::Buffer, u64)],
        take: impl FnOnce(&[&[u8]]) -> T,
    ) -> Result<T, DeviceError> {
        let mut places = Vec::new();
        let mut total = 0_u64;
        for &(_, bytes) in buffers {
            places.push(total..total + bytes);
            total = (total + bytes).next_multiple_of(8);
        }
        let times = total..total + 16 * u64::from(self.timed);
        let core = self.core;
        let readback = core.pool.get(&core.device, READBACK, times.end.max(8))?;
        for (&(buffer, bytes), place) in buffers.iter().zip(&places) {
            self.encoder.copy_buffer_to_buffer(buffer, 0, &readback, place.start, bytes);
        }
        if let Some(clock) = self.clock.as_ref().filter(|_| self.timed > 0) {
            self.encoder.resolve_query_set(&clock.queries, 0..2 * self.timed, &clock.resolved, 0);
            self.encoder.copy_buffer_to_buffer(&clock.resolved, 0, &readback, times.start, times.end - times.start);
        }
        let submission = core.device.queue.submit([self.encoder.finish()]);
        let (answer, mapped) = std::sync::mpsc::sync_channel(1);
        readback.map_async(wgpu::MapMode::Read, ..times.end.max(8), move |result| drop(answer.send(result)));
        core.device.wait(submission)?;
        // Another thread's poll may have taken the answer along, and still be about to deliver it.
        match mapped.recv_timeout(core.device.timeout()) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(DeviceError::Lost(format!("reading back: {error}"))),
            Err(_) => return Err(DeviceError::Lost("reading back: no answer".into())),
        }
        let bytes = readback
            .get_mapped_range(..times.end.max(8))
            .map_err(|error| DeviceError::Lost(format!("reading back: {error}")))?;
        let at = |offset: u64| usize::try_from(offset).expect("mapped bytes have addresses");
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&bytes[at(times.start)..at(times.end)]);
        let slices: Vec<&[u8]> = places.iter().map(|place| &bytes[at(place.start)..at(place.end)]).collect();
        let taken = take(&slices);
        drop(slices);
        drop(bytes);
        readback.unmap();

        let wall = self.begun.elapsed();
        let kernel = core.kernel_time(&ticks).unwrap_or(wall).min(wall);
        core.record(self.work, self.keys, kernel, wall - kernel);
        if let Some(clock) = self.clock.take() {
            lock(&core.clocks).push(clock);
        }
        Ok(taken)
    }
}

fn encoder(core: &Core) -> wgpu::CommandEncoder {
    core.device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("gpudrift.run") })
}
