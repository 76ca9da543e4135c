// The segments of a map where they were uploaded, for maps of any size.

fn segment_of(job: Job, index: u32) -> Segment {
    return segments[job.segments + index];
}
