// The monotone map from keys to cells. The twin of `CellMap` and `MapView` in src/counts/cell_map.rs.

struct Segment {
    // Index of the segment's first cell.
    base: u32,
    // Number of cells of the segment.
    width: u32,
}

// What is asked of one column: the map, and where its tables and its answer stand.
struct Job {
    // Lowest key of the inner cells.
    lo_low: u32,
    lo_high: u32,
    // Highest key of the inner cells.
    hi_low: u32,
    hi_high: u32,
    // How far `key - lo` is shifted to the right.
    shift: u32,
    // Bits that tell the place within a segment.
    fraction_bits: u32,
    // Where the job's segments begin in `segments`.
    segments: u32,
    n_segments: u32,
    // Index of the last coarse cell, the one above `hi`.
    last: u32,
    // Number of cells, cut by pivots where there are pivots.
    n_cells: u32,
    // Where the job's counters begin in `counters`.
    counters: u32,
    // Where the job's pivots begin in `pivots`, or NO_PIVOTS.
    pivots: u32,
    // Word at which the job's wanted cells begin in `wanted`, one bit a cell.
    wanted: u32,
}

const NO_PIVOTS: u32 = 0xffffffffu;

@group(0) @binding(2) var<storage, read> jobs: array<Job>;
@group(0) @binding(3) var<storage, read> segments: array<Segment>;
@group(0) @binding(4) var<storage, read> keys: array<Key>;

// The cell before pivots cut it. The key is brought into lo..=hi first, so that no index leaves the table whatever
// the key is.
fn coarse_cell_of(job: Job, key: Key) -> u32 {
    let lo = key_of(job.lo_low, job.lo_high);
    let hi = key_of(job.hi_low, job.hi_high);
    let below = key_less(key, lo);
    let above = key_less(hi, key);
    let inner = select(select(key, hi, above), lo, below);
    let top = key_offset(inner, lo, job.shift);
    let segment = segment_of(top >> job.fraction_bits);
    let fraction = top & ((1u << job.fraction_bits) - 1u);
    let cell = segment.base + ((fraction * segment.width) >> job.fraction_bits);
    return select(select(cell, job.last, above), 0u, below);
}
