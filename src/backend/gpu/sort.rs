//! Sorting on the device: launches `shaders/sort.wgsl`.

use super::kernels::{Entry, WORKGROUP, Width};
use super::launch::{Binding, Launch};
use super::layout::Part;
use super::pool::Purpose;
use super::run::Run;
use super::tables::{Params, SortSegment, Tables, word};
use super::{Core, Work, tiles};
use crate::backend::DeviceError;

const SEGMENTS: Purpose = Purpose::storage("gpudrift.sort.segments");
const HISTOGRAMS: Purpose = Purpose::storage("gpudrift.sort.histograms");
const TOTALS: Purpose = Purpose::storage("gpudrift.sort.totals");
const OTHER: Purpose = Purpose::storage("gpudrift.sort.keys");

/// Values of a digit, and its bits.
const DIGITS: u32 = 16;
const DIGIT_BITS: u32 = 4;

/// A run of keys to sort: the selected keys of one job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sorted {
    /// Index of the first key.
    pub(super) first: u64,
    /// Number of keys.
    pub(super) n: u64,
    /// Number of low bits in which the keys can differ.
    pub(super) key_bits: u32,
}

/// Number of passes: even, so that the keys end where they began.
fn passes(key_bits: u32) -> u32 {
    key_bits.div_ceil(DIGIT_BITS).next_multiple_of(2)
}

/// Sorts `runs` within the first `bytes` bytes of `keys`, each run by itself. The commands are submitted with `run`.
pub(super) fn sort(
    core: &Core,
    run: &mut Run<'_>,
    width: Width,
    keys: &wgpu::Buffer,
    bytes: u64,
    runs: &[Sorted],
) -> Result<(), DeviceError> {
    let tile = WORKGROUP * core.pipelines.sort_keys_per_thread(width);
    let budget = core.budget(Work::Sort);
    let mut launch = Launch::default();
    let mut segments = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let histogram = DIGITS * word(launch.tiles.len());
        let n_tiles = u32::try_from(run.n.div_ceil(u64::from(tile))).expect("a window holds fewer than 2^31 keys");
        let first = u32::try_from(run.first).expect("a window holds fewer than 2^31 keys");
        segments.push(SortSegment { first, n_tiles, histogram });
        tiles::cut(&mut launch.tiles, word(index), Part { window: 0, first: run.first, n: run.n }, tile);
    }
    let n_rows = DIGITS * word(segments.len());
    let passes = passes(runs.iter().map(|run| run.key_bits).max().unwrap_or(0));
    for pass in 0..passes {
        let params = Params { shift: DIGIT_BITS * pass, n_rows, ..Params::default() };
        launch.plan(0, budget, Entry::Histogram, 0, 0, params);
        launch.plan(0, u64::MAX, Entry::ScanRows, 0, 0, params);
        launch.plan(0, budget, Entry::Scatter, 0, 0, params);
    }

    let segments_on_device = core.upload(SEGMENTS, bytemuck::cast_slice(&segments))?;
    let segment_bytes = size_of_val(segments.as_slice()) as u64;
    let histogram_bytes = 4 * u64::from(DIGITS) * launch.tiles.len() as u64;
    let histograms = core.pool.get(&core.device, HISTOGRAMS, histogram_bytes)?;
    let total_bytes = 4 * u64::from(n_rows);
    let totals = core.pool.get(&core.device, TOTALS, total_bytes)?;
    let other = core.pool.get(&core.device, OTHER, bytes)?;
    let on_device = core.upload_tables(&Tables::default(), &launch)?;

    for (index, dispatch) in launch.dispatches.iter().enumerate() {
        let even_pass = (dispatch.params.shift / DIGIT_BITS).is_multiple_of(2);
        let (from, to) = if even_pass { (keys, &*other) } else { (&*other, keys) };
        let pipeline = core.pipelines.get(&core.device, dispatch.entry, width, 0)?;
        let params = on_device.params(index);
        let segments = Binding::storage(2, &segments_on_device, segment_bytes);
        let histograms = Binding::storage(4, &histograms, histogram_bytes);
        let totals = Binding::storage(5, &totals, total_bytes);
        let from = Binding::storage(3, from, bytes);
        let to = Binding::storage(6, to, bytes);
        let bindings = match dispatch.entry {
            Entry::Histogram => vec![params, on_device.tiles(), segments, from, histograms],
            Entry::ScanRows => vec![params, segments, histograms, totals],
            _ => vec![params, on_device.tiles(), segments, from, histograms, totals, to],
        };
        let label = format!("gpudrift.sort.{}", dispatch.entry.place().1);
        let bindings = core.bind(&label, &pipeline, &bindings);
        run.dispatch(&label, &pipeline, &bindings, dispatch.groups(), dispatch.keys);
        run.submit();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::passes;

    #[test]
    fn passes_cover_all_bits_and_end_where_they_began() {
        assert_eq!([1, 4, 5, 8, 9, 31, 32, 64].map(passes), [2, 2, 2, 2, 4, 8, 8, 16]);
    }
}
