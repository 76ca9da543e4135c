//! The list of kernels, and how their text is joined from the files under `shaders/`.

/// Threads of a workgroup, `WORKGROUP` in the shaders, that every implementation of WebGPU allows. The shaders of sorting are
/// laid out for them.
pub const WORKGROUP: u32 = 256;

/// Threads of a workgroup of the other kernels, where the device allows that. They share one set of counters in workgroup
/// memory, so more of them hide more of the way to the keys: 2.5 times the rate of 256 on an H100.
pub const LARGE_WORKGROUP: u32 = 1024;

/// Highest number of workgroups in one dimension of a dispatch, the same in every WebGPU implementation.
pub(super) const MAX_GROUPS: u32 = 65_535;

/// Workgroup memory of a map's table in `include/table_packed.wgsl`, in bytes.
pub(super) const TABLE_BYTES: u32 = 4096;

/// Width of the keys that a shader is composed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Width {
    /// One word.
    Bits32,
    /// Two words.
    Bits64,
}

impl Width {
    /// Both widths.
    pub const ALL: [Self; 2] = [Self::Bits32, Self::Bits64];

    /// Bytes of a key.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Bits32 => 4,
            Self::Bits64 => 8,
        }
    }

    /// Bits of a key.
    pub(super) fn bits(self) -> u32 {
        match self {
            Self::Bits32 => 32,
            Self::Bits64 => 64,
        }
    }

    /// The width that holds keys of `bits`, or `None` for those that are counted on the host.
    pub(super) fn of(bits: u32) -> Option<Self> {
        match bits {
            32 => Some(Self::Bits32),
            64 => Some(Self::Bits64),
            _ => None,
        }
    }

    fn source(self) -> &'static str {
        match self {
            Self::Bits32 => include_str!("../../../shaders/include/key32.wgsl"),
            Self::Bits64 => include_str!("../../../shaders/include/key64.wgsl"),
        }
    }
}

/// A kernel file with the pieces that it is joined from.
#[derive(Debug)]
pub struct Kernel {
    /// Stem of its file.
    pub name: &'static str,
    /// Its entry points.
    pub entries: &'static [&'static str],
    pieces: &'static [&'static str],
}

const TILES: &str = include_str!("../../../shaders/include/tiles.wgsl");
const MAP: &str = include_str!("../../../shaders/include/map.wgsl");
const PIVOTS: &str = include_str!("../../../shaders/include/pivots.wgsl");
const TABLE_PACKED: &str = include_str!("../../../shaders/include/table_packed.wgsl");
const TABLE_WIDE: &str = include_str!("../../../shaders/include/table_wide.wgsl");

/// Every kernel.
pub static KERNELS: [Kernel; 6] = [
    Kernel {
        name: "count_cells",
        entries: &["count_cells"],
        pieces: &[TILES, MAP, TABLE_PACKED, include_str!("../../../shaders/count_cells.wgsl")],
    },
    Kernel {
        name: "count_slots",
        entries: &["count_slots"],
        pieces: &[TILES, MAP, TABLE_PACKED, PIVOTS, include_str!("../../../shaders/count_slots.wgsl")],
    },
    Kernel {
        name: "count_wide",
        entries: &["count_wide"],
        pieces: &[TILES, MAP, TABLE_WIDE, PIVOTS, include_str!("../../../shaders/count_wide.wgsl")],
    },
    Kernel {
        name: "select",
        entries: &["take_wanted"],
        pieces: &[TILES, MAP, TABLE_WIDE, PIVOTS, include_str!("../../../shaders/select.wgsl")],
    },
    Kernel {
        name: "sort",
        entries: &["histogram", "scan_rows", "scatter"],
        pieces: &[TILES, include_str!("../../../shaders/sort.wgsl")],
    },
    Kernel {
        name: "read_keys",
        entries: &["read_keys"],
        pieces: &[TILES, include_str!("../../../shaders/read_keys.wgsl")],
    },
];

impl Kernel {
    /// The whole shader for keys of one width and workgroups of so many threads.
    #[must_use]
    pub fn source(&self, width: Width, workgroup: u32) -> String {
        let mut source = format!("const WORKGROUP: u32 = {workgroup}u;\n\n{}", width.source());
        for piece in self.pieces {
            source.push('\n');
            source.push_str(piece);
        }
        source
    }
}

/// Entry points by name, as the launching code asks for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Entry {
    CountCells,
    CountSlots,
    CountWide,
    TakeWanted,
    Histogram,
    ScanRows,
    Scatter,
    ReadKeys,
}

impl Entry {
    /// Index of the kernel in [`KERNELS`], and the name of the entry point.
    pub(super) fn place(self) -> (usize, &'static str) {
        match self {
            Self::CountCells => (0, "count_cells"),
            Self::CountSlots => (1, "count_slots"),
            Self::CountWide => (2, "count_wide"),
            Self::TakeWanted => (3, "take_wanted"),
            Self::Histogram => (4, "histogram"),
            Self::ScanRows => (4, "scan_rows"),
            Self::Scatter => (4, "scatter"),
            Self::ReadKeys => (5, "read_keys"),
        }
    }
}

#[cfg(test)]
mod tests;
