// Counts the keys in each cell of maps with too many cells for workgroup memory, such as category codes.
//
// In:     tiles, keys of many columns, one map a job, with or without pivots.
// Out:    counters, n_cells u32 a job: the number of keys in each cell is added to them.
// Maps:   a workgroup takes a tile, its threads stride over the tile's keys; one global atomic a key.
// Memory: the map's table of 8 KiB, per workgroup.
// Order:  only additions of integers, so it does not matter.
// Host:   src/backend/gpu/count_cells.rs launches it; src/backend/cpu/count_cells.rs has the same contract. The host
//         drains the counters before 2^31 keys.

@group(0) @binding(6) var<storage, read_write> counters: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn count_wide(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let job = jobs[tile.job];
        load_table(job, lane);
        workgroupBarrier();
        for (var i = tile.first + lane; i < tile.first + tile.n; i += WORKGROUP) {
            atomicAdd(&counters[job.counters + cell_of(job, keys[i])], 1u);
        }
        workgroupBarrier();
    }
}
