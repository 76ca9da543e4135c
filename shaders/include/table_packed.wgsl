// The segments of a map in workgroup memory: one word a segment, the first cell in the low half and the number of
// cells in the high half. Only for maps whose cells are counted in workgroup memory, so both are below 2^16.

var<workgroup> table: array<u32, 1024>;

// Brings the job's segments into workgroup memory. A barrier comes before the first key.
fn load_table(job: Job, lane: u32) {
    for (var i = lane; i < job.n_segments; i += WORKGROUP) {
        let segment = segments[job.segments + i];
        table[i] = segment.base | (segment.width << 16u);
    }
}

fn segment_of(index: u32) -> Segment {
    let packed = table[index];
    return Segment(packed & 0xffffu, packed >> 16u);
}
