// Cells cut in three at a pivot: below, at, above. The twin of `MapView::slot_of` in src/counts/cell_map.rs.

@group(0) @binding(5) var<storage, read> pivots: array<Key>;

// The cell of a key, cut at its pivot where the map has pivots.
fn cell_of(job: Job, key: Key) -> u32 {
    let cell = coarse_cell_of(job, key);
    if job.pivots == NO_PIVOTS {
        return cell;
    }
    let pivot = pivots[job.pivots + cell];
    return 3u * cell + u32(!key_less(key, pivot)) + u32(key_less(pivot, key));
}
