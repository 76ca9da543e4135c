// Copies out the keys that are in wanted cells.
//
// In:     tiles, keys of many columns, one map and one set of wanted cells (a bit a cell) a job; cursors, one u32 a job:
//         where in `found` its keys begin. The host leaves room for exactly as many as were counted.
// Out:    found, the wanted keys of a job side by side; cursors, where they end.
// Maps:   a workgroup takes a tile, span by span of KEYS_PER_THREAD keys a thread.
// Memory: the wanted keys of a span, which may be all of them, and the map's table of 8 KiB, per workgroup.
// Order:  a job's keys stand in no particular order; the host or sort.wgsl sorts them afterwards.
// Host:   src/backend/gpu/select.rs launches it; src/backend/cpu/select.rs has the same contract.

// Keys of a span that one thread looks at: a multiple of four.
override KEYS_PER_THREAD: u32 = 4u;
override SPAN: u32 = WORKGROUP * KEYS_PER_THREAD;

@group(0) @binding(6) var<storage, read> wanted: array<u32>;
@group(0) @binding(7) var<storage, read_write> cursors: array<atomic<u32>>;
@group(0) @binding(8) var<storage, read_write> found: array<Key>;

var<workgroup> taken: array<Key, SPAN>;
var<workgroup> n_taken: atomic<u32>;
var<workgroup> destination: u32;

fn take_if_wanted(job: Job, key: Key) {
    let cell = cell_of(job, key);
    if ((wanted[job.wanted + (cell >> 5u)] >> (cell & 31u)) & 1u) == 1u {
        taken[atomicAdd(&n_taken, 1u)] = key;
    }
}

@compute @workgroup_size(WORKGROUP)
fn take_wanted(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let job = jobs[tile.job];
        load_table(job, lane);
        for (var first = 0u; first < tile.n; first += SPAN) {
            if lane == 0u {
                atomicStore(&n_taken, 0u);
            }
            workgroupBarrier();
            // Four keys at a time: all loads are under way before the first one is needed.
            let n = min(tile.n - first, SPAN);
            var i = tile.first + first + lane;
            for (var block = 0u; block < n / (4u * WORKGROUP); block++) {
                let a = keys[i];
                let b = keys[i + WORKGROUP];
                let c = keys[i + 2u * WORKGROUP];
                let d = keys[i + 3u * WORKGROUP];
                take_if_wanted(job, a);
                take_if_wanted(job, b);
                take_if_wanted(job, c);
                take_if_wanted(job, d);
                i += 4u * WORKGROUP;
            }
            for (; i < tile.first + first + n; i += WORKGROUP) {
                take_if_wanted(job, keys[i]);
            }
            workgroupBarrier();

            let n_found = atomicLoad(&n_taken);
            if lane == 0u && n_found != 0u {
                destination = atomicAdd(&cursors[tile.job], n_found);
            }
            workgroupBarrier();
            for (var k = lane; k < n_found; k += WORKGROUP) {
                found[destination + k] = taken[k];
            }
            workgroupBarrier();
        }
        workgroupBarrier();
    }
}
