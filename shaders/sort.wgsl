// Sorts many segments of keys at once: a stable radix sort, four bits a pass, lowest digit first.
//
// A pass is three dispatches, each of which ends before the next begins; no workgroup ever waits for another one:
//
//   histogram  In: keys_in, tiles of at most TILE neighbouring keys, one sort segment a job.
//              Out: histograms, the number of keys of a tile with each digit; a row a digit, a column a tile.
//   scan_rows  In: histograms. A workgroup takes a row of one segment.
//              Out: each entry becomes the sum of those before it in its row; totals, 16 a segment, the row sums.
//   scatter    In: keys_in, histograms, totals.  Out: keys_out, the keys of every segment in order of the digit,
//              equal digits in the order in which they stood.
//
//   histograms of a segment of n tiles    digit 0: tile 0 .. n-1 | digit 1: tile 0 .. n-1 | ... | digit 15
//
// Memory: 8 KiB of counters and a tile of keys per workgroup.
// Order:  the place of a key follows from counts alone, so it does not depend on which workgroup runs when.
// Host:   src/backend/gpu/sort.rs launches it; the CPU sorts with the standard library.

struct SortSegment {
    // Index of the first key.
    first: u32,
    // Number of tiles.
    n_tiles: u32,
    // Where the segment's histogram rows begin.
    histogram: u32,
}

// Neighbouring keys that one thread ranks.
override KEYS_PER_THREAD: u32 = 4u;
override TILE: u32 = WORKGROUP * KEYS_PER_THREAD;

const DIGITS: u32 = 16u;

@group(0) @binding(2) var<storage, read> sort_segments: array<SortSegment>;
@group(0) @binding(3) var<storage, read> keys_in: array<Key>;
@group(0) @binding(4) var<storage, read_write> histograms: array<u32>;
@group(0) @binding(5) var<storage, read_write> totals: array<u32>;
@group(0) @binding(6) var<storage, read_write> keys_out: array<Key>;

var<workgroup> digit_counts: array<atomic<u32>, DIGITS>;

@compute @workgroup_size(WORKGROUP)
fn histogram(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let segment = sort_segments[tile.job];
        if lane < DIGITS {
            atomicStore(&digit_counts[lane], 0u);
        }
        workgroupBarrier();
        for (var i = lane; i < tile.n; i += WORKGROUP) {
            atomicAdd(&digit_counts[key_digit(keys_in[tile.first + i], params.shift)], 1u);
        }
        workgroupBarrier();
        if lane < DIGITS {
            let column = (tile.first - segment.first) / TILE;
            histograms[segment.histogram + lane * segment.n_tiles + column] = atomicLoad(&digit_counts[lane]);
        }
        workgroupBarrier();
    }
}

// Sums of neighbouring threads, for a scan over the workgroup.
var<workgroup> sums: array<u32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn scan_rows(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var row = workgroup.y * n_workgroups.x + workgroup.x; row < params.n_rows; row += step) {
        let segment = sort_segments[row / DIGITS];
        let first = segment.histogram + (row % DIGITS) * segment.n_tiles;
        var before = 0u;
        for (var block = 0u; block < segment.n_tiles; block += WORKGROUP) {
            let column = block + lane;
            var own = 0u;
            if column < segment.n_tiles {
                own = histograms[first + column];
            }
            sums[lane] = own;
            workgroupBarrier();
            for (var distance = 1u; distance < WORKGROUP; distance *= 2u) {
                var left = 0u;
                if lane >= distance {
                    left = sums[lane - distance];
                }
                workgroupBarrier();
                sums[lane] += left;
                workgroupBarrier();
            }
            if column < segment.n_tiles {
                histograms[first + column] = before + sums[lane] - own;
            }
            before += sums[WORKGROUP - 1u];
            workgroupBarrier();
        }
        if lane == 0u {
            totals[row] = before;
        }
    }
}

// How many keys of each digit a thread has: digits 2p and 2p + 1 in the halves of pair_counts[p * WORKGROUP + thread].
// A tile has at most 2048 keys, so a half never carries.
var<workgroup> pair_counts: array<u32, 2048>;
// Sums of eight neighbouring threads: 32 a pair of digits.
var<workgroup> pair_sums: array<u32, 256>;
// Where the keys of each digit begin in the tile when it is in order.
var<workgroup> tile_starts: array<u32, DIGITS>;
// Where the tile's keys of each digit begin in keys_out.
var<workgroup> starts: array<u32, DIGITS>;
var<workgroup> in_order: array<Key, TILE>;

@compute @workgroup_size(WORKGROUP)
fn scatter(
    @builtin(workgroup_id) workgroup: vec3<u32>,
    @builtin(num_workgroups) n_workgroups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let step = n_workgroups.x * n_workgroups.y;
    for (var t = workgroup.y * n_workgroups.x + workgroup.x; t < params.n_tiles; t += step) {
        let tile = tiles[params.first_tile + t];
        let segment = sort_segments[tile.job];
        let column = (tile.first - segment.first) / TILE;
        let mine = lane * KEYS_PER_THREAD;
        let n_mine = min(max(mine, tile.n) - mine, KEYS_PER_THREAD);

        // Every thread counts the digits of its own neighbouring keys.
        for (var pair = 0u; pair < DIGITS / 2u; pair++) {
            pair_counts[pair * WORKGROUP + lane] = 0u;
        }
        for (var k = 0u; k < n_mine; k++) {
            let digit = key_digit(keys_in[tile.first + mine + k], params.shift);
            pair_counts[(digit / 2u) * WORKGROUP + lane] += 1u << ((digit & 1u) * 16u);
        }
        workgroupBarrier();

        // The counts become sums over the threads before: within eight threads, over the groups of eight, and back.
        let eight = (lane / 32u) * WORKGROUP + (lane % 32u) * 8u;
        var sum = 0u;
        for (var i = 0u; i < 8u; i++) {
            sum += pair_counts[eight + i];
        }
        pair_sums[lane] = sum;
        workgroupBarrier();
        if lane < DIGITS / 2u {
            var before = 0u;
            for (var i = 0u; i < 32u; i++) {
                let own = pair_sums[lane * 32u + i];
                pair_sums[lane * 32u + i] = before;
                before += own;
            }
            tile_starts[2u * lane] = before & 0xffffu;
            tile_starts[2u * lane + 1u] = before >> 16u;
        }
        workgroupBarrier();
        var running = pair_sums[lane];
        for (var i = 0u; i < 8u; i++) {
            let own = pair_counts[eight + i];
            pair_counts[eight + i] = running;
            running += own;
        }
        // One thread a digit: where do the digits begin, in the tile and in the segment?
        var tile_start = 0u;
        var start = segment.first;
        if lane < DIGITS {
            for (var digit = 0u; digit < lane; digit++) {
                tile_start += tile_starts[digit];
                start += totals[tile.job * DIGITS + digit];
            }
            start += histograms[segment.histogram + lane * segment.n_tiles + column];
        }
        workgroupBarrier();
        if lane < DIGITS {
            tile_starts[lane] = tile_start;
            starts[lane] = start;
        }
        workgroupBarrier();

        // Into order within the tile, so that neighbouring threads then write neighbouring keys.
        for (var k = 0u; k < n_mine; k++) {
            let key = keys_in[tile.first + mine + k];
            let digit = key_digit(key, params.shift);
            let place = (digit / 2u) * WORKGROUP + lane;
            let half = (digit & 1u) * 16u;
            let rank = (pair_counts[place] >> half) & 0xffffu;
            pair_counts[place] += 1u << half;
            in_order[tile_starts[digit] + rank] = key;
        }
        workgroupBarrier();
        for (var i = lane; i < tile.n; i += WORKGROUP) {
            let key = in_order[i];
            let digit = key_digit(key, params.shift);
            keys_out[starts[digit] + (i - tile_starts[digit])] = key;
        }
        workgroupBarrier();
    }
}
