// The segments of a map in workgroup memory, two words a segment: for maps of any number of cells.

var<workgroup> table: array<Segment, 1024>;

// Brings the job's segments into workgroup memory. A barrier comes before the first key.
fn load_table(job: Job, lane: u32) {
    for (var i = lane; i < job.n_segments; i += WORKGROUP) {
        table[i] = segments[job.segments + i];
    }
}

fn segment_of(index: u32) -> Segment {
    return table[index];
}
