//! The parts that all launches share: tiles cut into dispatches, tables on the device, bind groups.

use super::Core;
use super::kernels::Entry;
use super::pool::{Pooled, Purpose};
use super::ring::Write;
use super::tables::{Job, Params, Tables, Tile, word};
use super::tiles;
use crate::backend::DeviceError;

/// Distance of the parameters of two dispatches: the largest alignment that a device may ask for.
const PARAMS_STRIDE: usize = 256;

const PARAMS: Purpose = Purpose::uniform("gpudrift.params");
const TILES: Purpose = Purpose::storage("gpudrift.tiles");
const TABLES: Purpose = Purpose::storage("gpudrift.tables");

/// One dispatch: an entry point over a range of tiles of one window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dispatch {
    pub(super) entry: Entry,
    pub(super) window: usize,
    /// Cells of the largest map.
    pub(super) cells: usize,
    pub(super) keys: u64,
    pub(super) params: Params,
}

impl Dispatch {
    /// Number of workgroups: one a tile, or one a row.
    pub(super) fn groups(&self) -> u32 {
        if self.entry == Entry::ScanRows { self.params.n_rows } else { self.params.n_tiles }
    }
}

/// The tiles and dispatches of one question.
#[derive(Debug, Default)]
pub(super) struct Launch {
    pub(super) tiles: Vec<Tile>,
    pub(super) dispatches: Vec<Dispatch>,
}

impl Launch {
    /// Adds dispatches over the tiles from `first` on, none of more than `budget` keys.
    pub(super) fn plan(
        &mut self,
        first: usize,
        budget: u64,
        entry: Entry,
        window: usize,
        cells: usize,
        params: Params,
    ) {
        for range in tiles::dispatches(&self.tiles[first..], budget) {
            let (start, end) = (first + range.start, first + range.end);
            let keys = self.tiles[start..end].iter().map(|tile| u64::from(tile.n)).sum();
            let params = Params { first_tile: word(start), n_tiles: word(end - start), ..params };
            self.dispatches.push(Dispatch { entry, window, cells, keys, params });
        }
    }

    /// The parameters of all dispatches, each at its own aligned place.
    fn params(&self) -> Vec<u8> {
        let mut bytes = vec![0; PARAMS_STRIDE * self.dispatches.len()];
        for (place, dispatch) in bytes.chunks_mut(PARAMS_STRIDE).zip(&self.dispatches) {
            place[..size_of::<Params>()].copy_from_slice(bytemuck::bytes_of(&dispatch.params));
        }
        bytes
    }
}

/// A part of a buffer, and the binding that it goes to.
#[derive(Clone, Copy)]
pub(super) struct Binding<'b> {
    index: u32,
    buffer: &'b wgpu::Buffer,
    offset: u64,
    bytes: u64,
}

impl<'b> Binding<'b> {
    /// The first `bytes` bytes of a buffer, or enough for one element.
    pub(super) fn storage(index: u32, buffer: &'b wgpu::Buffer, bytes: u64) -> Self {
        Self { index, buffer, offset: 0, bytes: bytes.max(size_of::<Job>().next_multiple_of(16) as u64) }
    }
}

/// Tables in a buffer of their own each, with the number of bytes in use.
pub(super) struct OnDevice<'p> {
    params: Pooled<'p>,
    /// Tiles, jobs, segments, pivots, wanted cells.
    tables: [(Pooled<'p>, u64); 5],
}

impl OnDevice<'_> {
    /// Parameters of one dispatch.
    pub(super) fn params(&self, dispatch: usize) -> Binding<'_> {
        let offset = (PARAMS_STRIDE * dispatch) as u64;
        Binding { index: 0, buffer: &self.params, offset, bytes: size_of::<Params>() as u64 }
    }

    fn table(&self, index: u32, table: usize) -> Binding<'_> {
        Binding::storage(index, &self.tables[table].0, self.tables[table].1)
    }

    pub(super) fn tiles(&self) -> Binding<'_> {
        self.table(1, 0)
    }

    pub(super) fn jobs(&self) -> Binding<'_> {
        self.table(2, 1)
    }

    pub(super) fn segments(&self) -> Binding<'_> {
        self.table(3, 2)
    }

    pub(super) fn pivots(&self) -> Binding<'_> {
        self.table(5, 3)
    }

    pub(super) fn wanted(&self) -> Binding<'_> {
        self.table(6, 4)
    }
}

impl Core {
    /// Brings the tables of a question onto the device.
    pub(super) fn upload_tables(&self, tables: &Tables, launch: &Launch) -> Result<OnDevice<'_>, DeviceError> {
        let params = launch.params();
        let contents: [&[u8]; 5] = [
            bytemuck::cast_slice(&launch.tiles),
            bytemuck::cast_slice(&tables.jobs),
            bytemuck::cast_slice(&tables.segments),
            bytemuck::cast_slice(&tables.pivots),
            bytemuck::cast_slice(&tables.wanted),
        ];
        let get = |purpose, bytes: &[u8]| -> Result<(Pooled<'_>, u64), DeviceError> {
            Ok((self.pool.get(&self.device, purpose, bytes.len() as u64)?, bytes.len() as u64))
        };
        let on_device = OnDevice {
            params: get(PARAMS, &params)?.0,
            tables: [
                get(TILES, contents[0])?,
                get(TABLES, contents[1])?,
                get(TABLES, contents[2])?,
                get(TABLES, contents[3])?,
                get(TABLES, contents[4])?,
            ],
        };
        let tables = on_device.tables.iter().zip(contents).map(|((buffer, _), bytes)| (buffer, bytes));
        let writes = tables.chain([(&on_device.params, params.as_slice())]);
        self.ring.upload(&self.device, writes.map(|(buffer, bytes)| Write { bytes, buffer, offset: 0 }))?;
        Ok(on_device)
    }

    /// Brings `bytes` into a buffer of their own.
    pub(super) fn upload(&self, purpose: Purpose, bytes: &[u8]) -> Result<Pooled<'_>, DeviceError> {
        let buffer = self.pool.get(&self.device, purpose, bytes.len() as u64)?;
        self.ring.upload(&self.device, [Write { bytes, buffer: &buffer, offset: 0 }])?;
        Ok(buffer)
    }

    /// A bind group for `pipeline`, whose bindings are declared in its shader alone.
    pub(super) fn bind(
        &self,
        label: &str,
        pipeline: &wgpu::ComputePipeline,
        bindings: &[Binding<'_>],
    ) -> wgpu::BindGroup {
        let entries: Vec<_> = bindings
            .iter()
            .map(|binding| wgpu::BindGroupEntry {
                binding: binding.index,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer: binding.buffer,
                    offset: binding.offset,
                    size: std::num::NonZeroU64::new(binding.bytes),
                }),
            })
            .collect();
        self.device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(label),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        })
    }
}
