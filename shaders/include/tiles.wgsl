// What a dispatch works on: tiles, each a run of neighbouring keys of one job.
//
// A list of tiles instead of a grid of (chunk, column): columns of very different length leave no workgroup idle, and
// any number of columns and chunks folds into the two dimensions of a dispatch. A workgroup takes tile after tile, so
// a dispatch of any size does all of them.
//
// The host puts `const WORKGROUP`, the threads of a workgroup, in front.

struct Params {
    // First tile of this dispatch.
    first_tile: u32,
    // Number of tiles of this dispatch.
    n_tiles: u32,
    // Bit at which the digit of a sorting pass begins.
    shift: u32,
    // Number of rows to scan in a sorting pass.
    n_rows: u32,
}

struct Tile {
    // The job that the keys belong to.
    job: u32,
    // Index of the first key in the bound keys.
    first: u32,
    // Number of keys, at least one.
    n: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> tiles: array<Tile>;
