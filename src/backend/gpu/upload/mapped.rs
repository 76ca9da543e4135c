//! Straight into the buffers that the shaders read.

use super::{Upload, bytes_of};
use crate::backend::DeviceError;
use crate::backend::gpu::Core;
use crate::backend::gpu::layout::Layout;
use crate::backend::gpu::pool::{Pooled, Purpose};
use crate::backend::gpu::ring::{Load, fill};

const KEYS: Purpose = Purpose::mapped("gpudrift.keys.mapped");

/// The host fills the windows themselves. While kernels read one, the next one is filled: the pool hands out a window
/// again when the device is done with it.
pub(in crate::backend::gpu) struct Mapped;

impl Upload for Mapped {
    fn windows<'g>(&self, core: &'g Core, layout: &Layout<'_>) -> Result<Vec<Pooled<'g>>, DeviceError> {
        let mut windows = Vec::new();
        let mut transfers = layout.transfers.iter().peekable();
        for (index, plan) in layout.windows.iter().enumerate() {
            let window = core.pool.get(&core.device, KEYS, plan.n * plan.width.bytes())?;
            let mut load = Load::default();
            // The transfers of a window stand side by side, in its own order, without gaps.
            while let Some(transfer) = transfers.next_if(|transfer| transfer.part.window == index) {
                load.piece(bytes_of(transfer));
            }
            fill(&window, &load)?;
            window.unmap();
            windows.push(window);
        }
        Ok(windows)
    }
}
