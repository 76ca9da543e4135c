//! How keys come to where the shaders read them: two ways, and which one a device takes.
//!
//! | way | what the host writes into | then |
//! |---|---|---|
//! | [`Copied`] | a ring of mapped staging buffers | the device copies them to its own memory |
//! | [`Mapped`] | the very buffer that the shaders read, mapped | nothing |
//!
//! Where host and device share their memory, the second way saves a pass over it. Where the device has memory of its
//! own, mapped buffers may lie there (resizable BAR) or be read across the bus by every kernel: only a measurement tells.

mod copied;
mod mapped;

pub(super) use copied::Copied;
pub(super) use mapped::Mapped;

use super::adapter::AdapterKind;
use super::layout::{Layout, Transfer};
use super::pool::Pooled;
use super::{Core, DeviceError};
use crate::counts::Keys;
use serde::{Deserialize, Serialize};

/// The ways by which keys come to a device, for options and for the file that remembers which one is faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UploadWay {
    /// Through staging buffers, copied by the device.
    Copied,
    /// Straight into the buffers that shaders read.
    Mapped,
}

impl UploadWay {
    /// Both ways.
    pub const ALL: [Self; 2] = [Self::Copied, Self::Mapped];

    /// The way for a device that nobody measured; `mappable`: whether shaders can read mapped buffers on it.
    pub(super) fn presumed(kind: AdapterKind, mappable: bool) -> Self {
        match kind {
            AdapterKind::Integrated | AdapterKind::Software if mappable => Self::Mapped,
            _ => Self::Copied,
        }
    }

    pub(super) fn upload(self) -> &'static dyn Upload {
        match self {
            Self::Copied => &Copied,
            Self::Mapped => &Mapped,
        }
    }
}

impl std::fmt::Display for UploadWay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Copied => "copied",
            Self::Mapped => "mapped",
        })
    }
}

/// Brings keys to a device.
pub(super) trait Upload: Sync {
    /// One buffer a window of `layout`, with its keys on the way: what is submitted from now on sees them.
    fn windows<'g>(&self, core: &'g Core, layout: &Layout<'_>) -> Result<Vec<Pooled<'g>>, DeviceError>;
}

/// The bytes of a transfer.
fn bytes_of<'k>(transfer: &Transfer<'k>) -> &'k [u8] {
    let n = usize::try_from(transfer.part.n).expect("a part is no longer than its piece");
    let range = transfer.start..transfer.start + n;
    match transfer.keys {
        Keys::U32(keys) => bytemuck::cast_slice(&keys[range]),
        Keys::U64(keys) => bytemuck::cast_slice(&keys[range]),
        Keys::U128(_) => &[],
    }
}
