// Counts the keys in each cell of maps with pivots: three cells (below, at, above) a coarse cell.
//
// In:     tiles, keys of many columns, one map a job, one pivot a coarse cell.
// Out:    counters, n_cells u32 a job: the number of keys in each cell is added to them.
// Maps:   a workgroup takes a tile, its threads stride over the tile's keys.
// Memory: CELLS counters of 16 bits, two a word, and the map's table of 4 KiB, per workgroup. Pivots stay in storage.
// Order:  only additions of integers, so it does not matter.
// Host:   src/backend/gpu/count_cells.rs launches it; src/backend/cpu/count_cells.rs has the same contract. A tile
//         has at most 65535 keys, so no 16-bit counter carries into its neighbour. Maps without pivots that have too
//         many cells for count_cells come here as well.

override CELLS: u32 = 2048u;

var<workgroup> pairs: array<atomic<u32>, CELLS / 2u>;

@group(0) @binding(6) var<storage, read_write> counters: array<atomic<u32>>;

fn add_one(cell: u32) {
    atomicAdd(&pairs[cell >> 1u], 1u << ((cell & 1u) << 4u));
}

@compute @workgroup_size(WORKGROUP)
fn count_slots(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let job = jobs[tile.job];
        let n_pairs = (job.n_cells + 1u) / 2u;
        for (var p = lane; p < n_pairs; p += WORKGROUP) {
            atomicStore(&pairs[p], 0u);
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
            add_one(cell_of(job, a));
            add_one(cell_of(job, b));
            add_one(cell_of(job, c));
            add_one(cell_of(job, d));
            i += 4u * WORKGROUP;
        }
        for (; i < tile.first + tile.n; i += WORKGROUP) {
            add_one(cell_of(job, keys[i]));
        }
        workgroupBarrier();

        for (var p = lane; p < n_pairs; p += WORKGROUP) {
            let both = atomicLoad(&pairs[p]);
            if (both & 0xffffu) != 0u {
                atomicAdd(&counters[job.counters + 2u * p], both & 0xffffu);
            }
            if (both >> 16u) != 0u {
                atomicAdd(&counters[job.counters + 2u * p + 1u], both >> 16u);
            }
        }
        workgroupBarrier();
    }
}
