//! A batch of columns on the device.

use super::kernels::Width;
use super::launch::Binding;
use super::layout::Layout;
use super::pool::Pooled;
use super::tables::Tables;
use super::{Core, count_cells, select};
use crate::backend::cpu::Cpu;
use crate::backend::{Backend, Column, CountJob, DeviceError, Loaded, SelectJob};
use crate::counts::{CellCounts, CellMap, Keys};
use std::time::Instant;

/// Keys in windows, and the same columns on the host for what a device does not do.
pub(super) struct Batch<'g, 'k> {
    pub(super) core: &'g Core,
    pub(super) layout: Layout<'k>,
    windows: Vec<Pooled<'g>>,
    columns: Vec<Column<'k>>,
    host: Box<dyn Loaded + 'k>,
}

impl<'g, 'k> Batch<'g, 'k> {
    /// Uploads `columns`. Returns when the last copy is submitted, while the device still works on it.
    pub(super) fn load(core: &'g Core, columns: Vec<Column<'k>>) -> Result<Self, DeviceError> {
        let begun = Instant::now();
        let layout = Layout::new(&columns, core.window_bytes);
        let windows = core.device.scoped(|| core.upload_way().upload().windows(core, &layout))?;
        core.add_upload(begun.elapsed());
        static CPU: Cpu = Cpu;
        let host = CPU.load(columns.clone())?;
        Ok(Self { core, layout, windows, columns, host })
    }

    /// Number of keys of a column.
    pub(super) fn n_keys(&self, column: usize) -> u64 {
        self.columns[column].iter().map(|keys| keys.len() as u64).sum()
    }

    /// The keys of a window as the shaders bind them.
    pub(super) fn keys(&self, window: usize) -> Binding<'_> {
        let plan = self.layout.windows[window];
        Binding::storage(4, &self.windows[window], plan.n * plan.width.bytes())
    }

    /// The buffer of a window.
    pub(super) fn window(&self, window: usize) -> &wgpu::Buffer {
        &self.windows[window]
    }

    fn bits(&self, column: usize) -> u32 {
        self.columns[column].first().map_or(32, |keys| keys.bits())
    }

    /// How a job is answered: at once for a column without keys, on the host for what the device cannot hold.
    fn road(&self, column: usize, map: &CellMap) -> Road {
        let fits = Tables::bytes_of(map) <= self.core.table_bytes;
        match Width::of(self.bits(column)) {
            _ if self.n_keys(column) == 0 => Road::Empty,
            Some(width) if fits && map.shift() < width.bits() => Road::Device(width),
            _ => Road::Host,
        }
    }

    /// Answers `jobs`: those for the device in groups of one width whose tables fit one binding.
    fn answer<J: Copy, A>(
        &mut self,
        jobs: &[J],
        place: impl Fn(&J) -> (usize, &CellMap),
        empty: impl Fn(&Self, &J) -> A,
        host: impl Fn(&mut dyn Loaded, &[J]) -> Result<Vec<A>, DeviceError>,
        device: impl Fn(&Self, &[J], Width) -> Result<Vec<A>, DeviceError>,
    ) -> Result<Vec<A>, DeviceError> {
        let mut answers: Vec<Option<A>> = jobs.iter().map(|_| None).collect();
        let mut on_host: Vec<usize> = Vec::new();
        let mut groups: [Vec<usize>; 2] = [Vec::new(), Vec::new()];
        for (index, job) in jobs.iter().enumerate() {
            let (column, map) = place(job);
            match self.road(column, map) {
                Road::Empty => answers[index] = Some(empty(self, job)),
                Road::Host => on_host.push(index),
                Road::Device(Width::Bits32) => groups[0].push(index),
                Road::Device(Width::Bits64) => groups[1].push(index),
            }
        }
        if !on_host.is_empty() {
            let some: Vec<J> = on_host.iter().map(|&index| jobs[index]).collect();
            let found = host(&mut *self.host, &some)?;
            on_host.iter().zip(found).for_each(|(&index, answer)| answers[index] = Some(answer));
        }
        for (group, width) in groups.into_iter().zip(Width::ALL) {
            let mut rest = group.as_slice();
            while !rest.is_empty() {
                let mut bytes = 0;
                let fits = |&&index: &&usize| {
                    bytes += Tables::bytes_of(place(&jobs[index]).1);
                    bytes <= self.core.table_bytes
                };
                // The first one fits alone, or it would go another road.
                let (now, later) = rest.split_at(rest.iter().take_while(fits).count().max(1));
                let some: Vec<J> = now.iter().map(|&index| jobs[index]).collect();
                let found = self.core.device.scoped(|| device(self, &some, width))?;
                now.iter().zip(found).for_each(|(&index, answer)| answers[index] = Some(answer));
                rest = later;
            }
        }
        let complete: Option<Vec<A>> = answers.into_iter().collect();
        Ok(complete.expect("every job went one of the three roads"))
    }
}

enum Road {
    Empty,
    Host,
    Device(Width),
}

impl Loaded for Batch<'_, '_> {
    fn count_cells(&mut self, jobs: &[CountJob<'_>]) -> Result<Vec<CellCounts>, DeviceError> {
        self.answer(
            jobs,
            |job| (job.column, job.map),
            |_, job| CellCounts::zero(job.map.n_cells()),
            |host, jobs| host.count_cells(jobs),
            count_cells::count,
        )
    }

    fn select(&mut self, jobs: &[SelectJob<'_>]) -> Result<Vec<Keys>, DeviceError> {
        self.answer(
            jobs,
            |job| (job.column, job.map),
            |batch, job| Keys::empty(batch.bits(job.column)),
            |host, jobs| host.select(jobs),
            select::select,
        )
    }
}
