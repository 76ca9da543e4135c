// Counts the keys in each cell of maps without pivots whose cells fit workgroup memory.
//
// In:     tiles, one u32 counter a cell in workgroup memory, keys of many columns, one map a job.
// Out:    counters, n_cells u32 a job: the number of keys in each cell is added to them.
// Maps:   a workgroup takes a tile, its threads stride over the tile's keys.
// Memory: CELLS counters of 4 bytes and the map's table of 4 KiB, per workgroup.
// Order:  only additions of integers, so it does not matter.
// Host:   src/backend/gpu/count_cells.rs launches it; src/backend/cpu/count_cells.rs has the same contract. The host
//         gives a job at least one key and drains the counters before 2^31 keys.

override CELLS: u32 = 1024u;

var<workgroup> cells: array<atomic<u32>, CELLS>;

@group(0) @binding(6) var<storage, read_write> counters: array<atomic<u32>>;

@compute @workgroup_size(WORKGROUP)
fn count_cells(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let job = jobs[tile.job];
        for (var c = lane; c < job.n_cells; c += WORKGROUP) {
            atomicStore(&cells[c], 0u);
        }
        load_table(job, lane);
        workgroupBarrier();

        // Four keys at a time: all loads are under way before the first one is needed.
        var i = tile.first + lane;
        for (var block = 0u; block < tile.n / (4u * WORKGROUP); block++) {
            let a = keys[i];
            let b = keys[i + WORKGROUP];
            let c = keys[i + 2u * WORKGROUP];
            let d = keys[i + 3u * WORKGROUP];
            atomicAdd(&cells[coarse_cell_of(job, a)], 1u);
            atomicAdd(&cells[coarse_cell_of(job, b)], 1u);
            atomicAdd(&cells[coarse_cell_of(job, c)], 1u);
            atomicAdd(&cells[coarse_cell_of(job, d)], 1u);
            i += 4u * WORKGROUP;
        }
        for (; i < tile.first + tile.n; i += WORKGROUP) {
            atomicAdd(&cells[coarse_cell_of(job, keys[i])], 1u);
        }
        workgroupBarrier();

        for (var c = lane; c < job.n_cells; c += WORKGROUP) {
            let n = atomicLoad(&cells[c]);
            if n != 0u {
                atomicAdd(&counters[job.counters + c], n);
            }
        }
        workgroupBarrier();
    }
}
