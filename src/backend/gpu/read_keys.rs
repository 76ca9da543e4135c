//! Reading what lies on the device and nothing else, with `read_keys.wgsl`.

use super::batch::Batch;
use super::kernels::{Entry, Width};
use super::launch::{Binding, Launch};
use super::pool::Purpose;
use super::run::Run;
use super::tables::{Params, Tables, word};
use super::{Work, tiles};
use crate::backend::DeviceError;

const SUMS: Purpose = Purpose::storage("gpudrift.sums");

/// The sum of the words of every column's keys, modulo 2^32.
pub(super) fn read(batch: &Batch<'_, '_>) -> Result<Vec<u32>, DeviceError> {
    let core = batch.core;
    let n_columns = batch.layout.columns.len();
    let mut sums = vec![0_u32; n_columns];
    for width in Width::ALL {
        let mut launch = Launch::default();
        for (index, plan) in batch.layout.windows.iter().enumerate().filter(|(_, plan)| plan.width == width) {
            let first = launch.tiles.len();
            let tile = core.cutting.tile_keys(plan.n, 0, 1 << 18);
            for (column, parts) in batch.layout.columns.iter().enumerate() {
                for &part in parts.iter().filter(|part| part.window == index) {
                    tiles::cut(&mut launch.tiles, word(column), part, tile);
                }
            }
            launch.plan(first, core.budget(Work::Read), Entry::ReadKeys, index, 0, Params::default());
        }
        if launch.dispatches.is_empty() {
            continue;
        }
        let bytes = 4 * n_columns as u64;
        let added = core.pool.get(&core.device, SUMS, bytes)?;
        let on_device = core.upload_tables(&Tables::default(), &launch)?;
        let mut run = Run::new(core, Work::Read);
        run.encoder().clear_buffer(&added, 0, Some(bytes));
        for (index, dispatch) in launch.dispatches.iter().enumerate() {
            let pipeline = core.pipelines.get(&core.device, dispatch.entry, width, 0)?;
            let own = Binding::storage(6, &added, bytes);
            let bindings = [on_device.params(index), on_device.tiles(), batch.keys(dispatch.window), own];
            let bindings = core.bind("gpudrift.read_keys", &pipeline, &bindings);
            run.dispatch("gpudrift.read_keys", &pipeline, &bindings, dispatch.groups(), dispatch.keys);
            run.submit();
        }
        run.read(&[(&added, bytes)], |bytes| {
            let words: Vec<u32> = bytemuck::pod_collect_to_vec(bytes[0]);
            sums.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(word));
        })?;
    }
    Ok(sums)
}
