// Copies out the keys that are in wanted cells, in two passes over the same tiles.
//
// count_wanted
//   In:   tiles, keys of many columns, one map and one set of wanted cells (a bit a cell) a job.
//   Out:  counts, one u32 a tile: the number of wanted keys in it.
// write_wanted
//   In:   the same, and offsets, one u32 a tile: where in `found` its keys go. The host makes them from the counts,
//         so every key has a place of its own and `found` is exactly large enough.
//   Out:  found, the wanted keys tile by tile.
// Maps:   a workgroup takes a tile, its 256 threads stride over the tile's keys.
// Memory: one counter and the map's table of 8 KiB, per workgroup.
// Order:  within a tile keys stand in no particular order; the host or sort.wgsl sorts them afterwards.
// Host:   src/backend/gpu/select.rs launches it; src/backend/cpu/select.rs has the same contract.

@group(0) @binding(6) var<storage, read> wanted: array<u32>;
@group(0) @binding(7) var<storage, read_write> counts: array<u32>;
@group(0) @binding(8) var<storage, read> offsets: array<u32>;
@group(0) @binding(9) var<storage, read_write> found: array<Key>;

var<workgroup> n_found: atomic<u32>;

fn is_wanted(job: Job, key: Key) -> bool {
    let cell = cell_of(job, key);
    return ((wanted[job.wanted + (cell >> 5u)] >> (cell & 31u)) & 1u) == 1u;
}

@compute @workgroup_size(256)
fn count_wanted(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let job = jobs[tile.job];
        load_table(job, lane);
        if lane == 0u {
            atomicStore(&n_found, 0u);
        }
        workgroupBarrier();
        var mine = 0u;
        for (var i = tile.first + lane; i < tile.first + tile.n; i += WORKGROUP) {
            mine += u32(is_wanted(job, keys[i]));
        }
        if mine != 0u {
            atomicAdd(&n_found, mine);
        }
        workgroupBarrier();
        if lane == 0u {
            counts[params.first_tile + t] = atomicLoad(&n_found);
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(256)
fn write_wanted(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let job = jobs[tile.job];
        let offset = offsets[params.first_tile + t];
        load_table(job, lane);
        if lane == 0u {
            atomicStore(&n_found, 0u);
        }
        workgroupBarrier();
        for (var i = tile.first + lane; i < tile.first + tile.n; i += WORKGROUP) {
            let key = keys[i];
            if is_wanted(job, key) {
                found[offset + atomicAdd(&n_found, 1u)] = key;
            }
        }
        workgroupBarrier();
    }
}
