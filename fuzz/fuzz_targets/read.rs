//! Mutated Parquet bytes through the reader: the footer, and every column as numbers and as categories.

#![no_main]

use gpudrift_fuzz::{MAX_ROWS, file, mutate, open, read_everything};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

fuzz_target!(|bytes: &[u8]| {
    let Some(data) = open(&file("mutated.parquet", bytes)) else { return };
    if data.rows() <= MAX_ROWS {
        // Small windows hand on within a page, too.
        read_everything(&data, if bytes.len() % 2 == 0 { 100 } else { 1 << 16 });
    }
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, fuzzer_mutate)
});
