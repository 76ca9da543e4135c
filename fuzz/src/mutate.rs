//! Mutations that get past the footer.
//!
//! A Parquet file is found from its end: pages, footer, length of the footer, magic. A byte inserted anywhere moves the
//! end, and libFuzzer's own mutations mostly give files that are refused at once. Here three in four mutations keep
//! the file in order: pages are overwritten in place, or the footer is mutated and its length written anew.

use std::ops::Range;

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Length of the footer, and the magic.
const TAIL: usize = 8;
/// Numbers at which sizes and counts go wrong.
const ODD: [u8; 8] = [0x00, 0x01, 0x02, 0x7f, 0x80, 0xfe, 0xff, 0x40];

/// Mutates the first `size` bytes of `data`, which has room for `max_size`; `default` is the fuzzer's own mutation.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    default: impl Fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.into());
    let Some(footer) = footer(&data[..size]) else { return default(data, size, max_size) };
    match rng.random_range(0..8) {
        0..=3 => {
            overwrite(&mut data[..size], 4..footer.start, &mut rng);
            size
        }
        4 => {
            overwrite(&mut data[..size], footer, &mut rng);
            size
        }
        5 => {
            // The footer may grow by what there is room for, less its tail.
            let room = max_size - footer.start - TAIL;
            let mut own = vec![0; room];
            own[..footer.len()].copy_from_slice(&data[footer.clone()]);
            let length = default(&mut own, footer.len(), room);
            let end = footer.start + length;
            data[footer.start..end].copy_from_slice(&own[..length]);
            let declared = u32::try_from(length).unwrap_or(u32::MAX);
            data[end..end + 4].copy_from_slice(&declared.to_le_bytes());
            data[end + 4..end + TAIL].copy_from_slice(b"PAR1");
            end + TAIL
        }
        _ => default(data, size, max_size),
    }
}

/// Where the footer lies, when the end of the file is in order.
fn footer(data: &[u8]) -> Option<Range<usize>> {
    let end = data.len().checked_sub(TAIL)?;
    let (length, magic) = data[end..].split_at(4);
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let start = end.checked_sub(length)?;
    (magic == b"PAR1" && start > 4).then_some(start..end)
}

/// Changes some bytes of `range` in place.
fn overwrite(data: &mut [u8], range: Range<usize>, rng: &mut impl Rng) {
    if range.is_empty() {
        return;
    }
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(range.clone());
        match rng.random_range(0..6) {
            0 => data[at] ^= 1 << rng.random_range(0..8),
            1 => data[at] = ODD[rng.random_range(0..ODD.len())],
            2 => data[at] = data[at].wrapping_add(if rng.random() { 1 } else { 255 }),
            3 => data[at] = rng.random(),
            4 => {
                let length = rng.random_range(1..=8).min(range.end - at);
                let fill = ODD[rng.random_range(0..ODD.len())];
                data[at..at + length].fill(fill);
            }
            _ => {
                let from = rng.random_range(range.clone());
                let length = rng.random_range(1..=32).min(range.end - at.max(from));
                data.copy_within(from..from + length, at);
            }
        }
    }
}
