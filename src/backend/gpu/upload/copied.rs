//! Through a ring of staging buffers.

use super::{Upload, bytes_of};
use crate::backend::DeviceError;
use crate::backend::gpu::Core;
use crate::backend::gpu::layout::Layout;
use crate::backend::gpu::pool::{Pooled, Purpose};
use crate::backend::gpu::ring::Write;

const KEYS: Purpose = Purpose::storage("gpudrift.keys");

/// The host fills staging buffers, the device copies them.
pub(in crate::backend::gpu) struct Copied;

impl Upload for Copied {
    fn windows<'g>(&self, core: &'g Core, layout: &Layout<'_>) -> Result<Vec<Pooled<'g>>, DeviceError> {
        let windows = layout.windows.iter().map(|plan| core.pool.get(&core.device, KEYS, plan.n * plan.width.bytes()));
        let windows = windows.collect::<Result<Vec<_>, _>>()?;
        let writes = layout.transfers.iter().map(|transfer| Write {
            bytes: bytes_of(transfer),
            buffer: &windows[transfer.part.window],
            offset: transfer.part.first * layout.windows[transfer.part.window].width.bytes(),
        });
        core.ring.upload(&core.device, writes.collect::<Vec<_>>())?;
        Ok(windows)
    }
}
