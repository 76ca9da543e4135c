//! Compiled pipelines on disk, so that the next run need not compile the shaders again.
//!
//! One file a device under the user's cache folder (`$XDG_CACHE_HOME/gpudrift`, `~/.cache/gpudrift`). Nothing depends on
//! it: a file that is missing, damaged, of another build or for another driver costs the time to compile, and where no
//! file can be written, none is.

use std::fs;
use std::path::{Path, PathBuf};

use twox_hash::XxHash64;

use crate::backend::cache_folder;

/// Bytes of the checksum in front of what the driver wrote.
const CHECKSUM_BYTES: usize = 8;

/// The pipelines of one device, in the driver's own format.
pub(super) struct PipelineCache {
    cache: wgpu::PipelineCache,
    file: PathBuf,
}

impl PipelineCache {
    /// The cache in `folder` for the device of `info`, or `None` where the device or its interface has no such thing.
    pub(super) fn open(device: &wgpu::Device, info: &wgpu::AdapterInfo, folder: &Path) -> Option<Self> {
        if !device.features().contains(wgpu::Features::PIPELINE_CACHE) {
            return None;
        }
        let key = wgpu::util::pipeline_cache_key(info)?;
        // Shaders belong to a version of gpudrift; a file never grows by those of older ones.
        let file = folder.join(format!("{key}_{}", env!("CARGO_PKG_VERSION")));
        let stored = fs::read(&file).ok();
        let data = stored.as_deref().and_then(checked);
        Some(Self { cache: create(device, data), file })
    }

    /// What pipelines are created with.
    pub(super) fn get(&self) -> &wgpu::PipelineCache {
        &self.cache
    }

    /// Writes what the driver compiled. Other runs see the old file or the new one, never a part.
    pub(super) fn save(&self) -> std::io::Result<()> {
        let Some(data) = self.cache.get_data() else { return Ok(()) };
        cache_folder::write(&self.file, &[&checksum(&data), &data])
    }
}

fn checksum(data: &[u8]) -> [u8; CHECKSUM_BYTES] {
    XxHash64::oneshot(0, data).to_le_bytes()
}

/// The driver's bytes, when they are those that were written.
fn checked(stored: &[u8]) -> Option<&[u8]> {
    let (expected, data) = stored.split_first_chunk::<CHECKSUM_BYTES>()?;
    (*expected == checksum(data)).then_some(data)
}

fn create(device: &wgpu::Device, data: Option<&[u8]>) -> wgpu::PipelineCache {
    let descriptor = wgpu::PipelineCacheDescriptor { label: Some("gpudrift.pipelines"), data, fallback: true };
    #[expect(unsafe_code, reason = "the only way to give a driver its own bytes back")]
    // SAFETY: `data` came from `PipelineCache::get_data`: it is what `save` wrote, which the checksum confirms. wgpu
    // refuses what another adapter or another version of the driver made, and `fallback` then gives an empty cache.
    unsafe {
        device.create_pipeline_cache(&descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bytes_that_were_written_are_given_back() {
        let written = [checksum(b"pipelines").as_slice(), b"pipelines"].concat();
        assert_eq!(checked(&written), Some(b"pipelines".as_slice()));
        for place in 0..written.len() {
            let mut damaged = written.clone();
            damaged[place] ^= 1;
            assert_eq!(checked(&damaged), None, "a bit of byte {place} was flipped");
            assert_eq!(checked(&written[..place]), None, "cut at byte {place}");
        }
    }
}
