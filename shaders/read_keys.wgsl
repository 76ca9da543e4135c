// Reads every key and adds up its words: the floor under every other kernel, and a check that keys arrived.
//
// In:     tiles, keys of many columns.
// Out:    sums, one u32 a job: the words of its keys are added to it, and wrap around.
// Maps:   a workgroup takes a tile, its threads stride over the tile's keys.
// Memory: one word of workgroup memory.
// Order:  only additions of integers, so it does not matter.
// Host:   src/backend/gpu/read_keys.rs launches it.

@group(0) @binding(4) var<storage, read> keys: array<Key>;
@group(0) @binding(6) var<storage, read_write> sums: array<atomic<u32>>;

var<workgroup> total: atomic<u32>;

@compute @workgroup_size(WORKGROUP)
fn read_keys(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        if lane == 0u {
            atomicStore(&total, 0u);
        }
        workgroupBarrier();

        // Four keys at a time, as the counting kernels do.
        var sum = 0u;
        var i = tile.first + lane;
        for (var block = 0u; block < tile.n / (4u * WORKGROUP); block++) {
            let a = keys[i];
            let b = keys[i + WORKGROUP];
            let c = keys[i + 2u * WORKGROUP];
            let d = keys[i + 3u * WORKGROUP];
            sum += key_words(a) + key_words(b) + key_words(c) + key_words(d);
            i += 4u * WORKGROUP;
        }
        for (; i < tile.first + tile.n; i += WORKGROUP) {
            sum += key_words(keys[i]);
        }
        atomicAdd(&total, sum);
        workgroupBarrier();

        if lane == 0u {
            atomicAdd(&sums[tile.job], atomicLoad(&total));
        }
        workgroupBarrier();
    }
}
