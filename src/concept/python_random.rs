//! Python's `random.Random(seed)`, as far as `sample` needs it, so that KSWIN draws what River's draws.
//!
//! Matsumoto and Nishimura (1998), MT19937 with initialisation by array; `getrandbits` and `_randbelow` as CPython has had them
//! since 3.2.

use serde::{Deserialize, Serialize};

const WORDS: usize = 624;
const SHIFT: usize = 397;

/// A Mersenne Twister.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PythonRandom {
    words: Vec<u32>,
    next: usize,
}

impl PythonRandom {
    /// `random.Random(seed)`.
    pub(super) fn new(seed: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = seed.to_le_bytes();
        let key = [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])];
        Self::with_key(if key[1] == 0 { &key[..1] } else { &key })
    }

    fn with_key(key: &[u32]) -> Self {
        let mut words = vec![19_650_218_u32; WORDS];
        let mix = |before: u32, factor: u32| (before ^ (before >> 30)).wrapping_mul(factor);
        let mut count = 0_u32;
        for i in 1..WORDS {
            count += 1;
            words[i] = mix(words[i - 1], 1_812_433_253).wrapping_add(count);
        }
        let mut i = 1;
        let mut places = (0_u32..).zip(key).cycle();
        for _ in 0..WORDS.max(key.len()) {
            let (place, word) = places.next().expect("a seed has at least one word");
            words[i] = (words[i] ^ mix(words[i - 1], 1_664_525)).wrapping_add(*word).wrapping_add(place);
            i = step(i, &mut words);
        }
        for _ in 1..WORDS {
            let place = u32::try_from(i).expect("below 624");
            words[i] = (words[i] ^ mix(words[i - 1], 1_566_083_941)).wrapping_sub(place);
            i = step(i, &mut words);
        }
        words[0] = 0x8000_0000;
        Self { words, next: WORDS }
    }

    /// Whether it may have come from here: what a generator of this kind can look like.
    pub(super) fn is_sound(&self) -> bool {
        self.words.len() == WORDS && self.next <= WORDS
    }

    fn refill(&mut self) {
        let twist = |high: u32, low: u32| {
            let both = (high & 0x8000_0000) | (low & 0x7fff_ffff);
            (both >> 1) ^ if both & 1 == 1 { 0x9908_b0df } else { 0 }
        };
        for i in 0..WORDS {
            let (next, far) = ((i + 1) % WORDS, (i + SHIFT) % WORDS);
            self.words[i] = self.words[far] ^ twist(self.words[i], self.words[next]);
        }
        self.next = 0;
    }

    #[inline]
    fn word(&mut self) -> u32 {
        if self.next >= WORDS {
            self.refill();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// `_randbelow(n)` for 0 < n < 2³².
    #[inline]
    fn below(&mut self, n: u32) -> u32 {
        loop {
            let drawn = self.word() >> n.leading_zeros();
            if drawn < n {
                return drawn;
            }
        }
    }

    /// `sample(range(n), k)`, into `drawn`; k ≤ n. `pool` is room to work in.
    pub(super) fn sample(&mut self, n: u32, k: u32, pool: &mut Vec<u32>, drawn: &mut Vec<u32>) {
        drawn.clear();
        pool.clear();
        // Python compares the memory of a set with that of a list: 21 + 4^⌈log₄ 3k⌉ for k > 5.
        let mut set_size = 21_u64;
        if k > 5 {
            let mut table = 1_u64;
            while table < 3 * u64::from(k) {
                table *= 4;
            }
            set_size += table;
        }
        if u64::from(n) <= set_size {
            pool.extend(0..n);
            for left in (n - k + 1..=n).rev() {
                let at = self.below(left) as usize;
                drawn.push(pool.swap_remove(at));
            }
        } else {
            // `pool` holds what is drawn already, sorted.
            for _ in 0..k {
                let (place, fresh) = loop {
                    let fresh = self.below(n);
                    if let Err(place) = pool.binary_search(&fresh) {
                        break (place, fresh);
                    }
                };
                pool.insert(place, fresh);
                drawn.push(fresh);
            }
        }
    }
}

/// The next place; word 0 takes the value of the last one when the end is reached.
fn step(i: usize, words: &mut [u32]) -> usize {
    if i + 1 < WORDS {
        return i + 1;
    }
    words[0] = words[WORDS - 1];
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(seed: u64, n: u32, k: u32) -> Vec<u32> {
        let (mut pool, mut drawn) = (Vec::new(), Vec::new());
        PythonRandom::new(seed).sample(n, k, &mut pool, &mut drawn);
        drawn
    }

    #[test]
    fn samples_are_those_of_python() {
        // random.Random(seed).sample(range(n), k), CPython 3.11
        assert_eq!(samples(0, 70, 8), [49, 53, 5, 33, 65, 62, 51, 58]);
        assert_eq!(samples(42, 1000, 5), [654, 114, 25, 759, 281]);
        assert_eq!(samples(1 << 40, 10, 10), [1, 5, 9, 3, 0, 6, 4, 2, 8, 7]);
        assert_eq!(
            samples(7, 100_000, 12),
            [42445, 19772, 51750, 85319, 6328, 9494, 70239, 12337, 47931, 76387, 7602, 66510]
        );
    }

    #[test]
    fn the_generator_is_the_mersenne_twister() {
        // The first outputs of mt19937ar.out by the authors: key 0x123, 0x234, 0x345, 0x456.
        let mut random = PythonRandom::with_key(&[0x123, 0x234, 0x345, 0x456]);
        let words: Vec<u32> = (0..5).map(|_| random.word()).collect();
        assert_eq!(words, [1_067_595_299, 955_945_823, 477_289_528, 4_107_218_783, 4_228_976_476]);
    }
}
