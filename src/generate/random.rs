//! Random draws that can be had for any row without making those before it.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::feature::Side;

/// What a stream of draws decides. Streams of two purposes share nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// The ordinary values.
    Values = 0,
    /// Which rows are null, NaN, infinite.
    Specials = 1,
}

/// One endless sequence of 64-bit draws, one a row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream {
    key: [u8; 32],
}

impl Stream {
    /// The stream of one column. Equal arguments give equal draws on every machine.
    pub(super) fn new(seed: u64, side: Side, name: &str, purpose: Purpose) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8] = match side {
            Side::Reference => 0,
            Side::Current => 1,
        };
        key[9] = purpose as u8;
        key[16..24].copy_from_slice(&hash(name.as_bytes()).to_le_bytes());
        key[24..].copy_from_slice(b"gpudrift");
        Self { key }
    }

    /// The draws of `count` rows from `first_row` on.
    pub(super) fn draws(&self, first_row: u64, count: usize) -> Vec<u64> {
        let mut rng = ChaCha8Rng::from_seed(self.key);
        rng.set_word_pos(u128::from(first_row) * 2);
        let mut draws = vec![0_u64; count];
        rng.fill_bytes(bytemuck::cast_slice_mut(&mut draws));
        if cfg!(target_endian = "big") {
            draws.iter_mut().for_each(|draw| *draw = draw.swap_bytes());
        }
        draws
    }
}

/// A draw as a number in the open interval from 0 to 1, on a grid of 2^-52.
#[expect(clippy::cast_precision_loss, reason = "52 bits are left, which f64 holds exactly")]
#[inline]
pub(super) fn unit(draw: u64) -> f64 {
    const STEP: f64 = 1.0 / (1_u64 << 52) as f64;
    // The half keeps both ends out: quantile functions are infinite there.
    ((draw >> 12) as f64 + 0.5) * STEP
}

/// FNV-1a: a fixed hash, so that names mean the same streams in every version of every library.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// The finalizer of `SplitMix64` (Steele, Lea & Flood 2014): spreads neighbouring numbers over all 64 bits, one to one.
pub(super) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_same_draw_wherever_the_reading_starts() {
        let stream = Stream::new(7, Side::Current, "age", Purpose::Values);
        let whole = stream.draws(0, 1000);
        for start in [0, 1, 7, 8, 9, 511, 999] {
            assert_eq!(stream.draws(start as u64, 1000 - start), whole[start..], "from row {start}");
        }
        assert!(stream.draws(3, 0).is_empty());
        let far = stream.draws(1 << 40, 4);
        assert_eq!(stream.draws((1 << 40) + 1, 3), far[1..]);
    }

    #[test]
    fn every_part_of_the_key_matters() {
        let draw = |seed, side, name, purpose| Stream::new(seed, side, name, purpose).draws(0, 4);
        let first = draw(7, Side::Current, "age", Purpose::Values);
        assert_eq!(first, draw(7, Side::Current, "age", Purpose::Values));
        assert_ne!(first, draw(8, Side::Current, "age", Purpose::Values));
        assert_ne!(first, draw(7, Side::Reference, "age", Purpose::Values));
        assert_ne!(first, draw(7, Side::Current, "aged", Purpose::Values));
        assert_ne!(first, draw(7, Side::Current, "age", Purpose::Specials));
    }

    #[test]
    fn units_lie_strictly_between_zero_and_one() {
        assert!(unit(0) > 0.0);
        assert!(unit(u64::MAX) < 1.0);
        assert!((unit(1 << 63) - 0.5).abs() < 1e-15);
    }
}
