//! The registers of HyperLogLog.

/// Leading bits of the hash that choose the register.
const BITS: u32 = 13;
const REGISTERS: usize = 1 << BITS;
/// Ranks go from 1 to one more than the bits that are left.
const HIGHEST: usize = 64 - BITS as usize + 1;

/// For each register the highest rank, which is the place of the first one bit, among the hashes that chose it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Registers(Box<[u8; REGISTERS]>);

impl std::fmt::Debug for Registers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registers(about {})", self.estimate())
    }
}

/// What a hash does to the registers: which of them it chose, above the 8 bits of its rank.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark(u32);

impl Mark {
    #[inline(always)]
    pub(super) fn of(hash: u64) -> Self {
        // The bit at the end bounds the rank where all others are zero.
        let rank = ((hash << BITS) | 1 << (BITS - 1)).leading_zeros() + 1;
        Self((hash >> (64 - BITS)) as u32 * 256 + rank)
    }
}

impl Registers {
    /// Nothing seen yet.
    pub(super) fn new() -> Self {
        Self(Box::new([0; REGISTERS]))
    }

    pub(super) fn insert(&mut self, hash: u64) {
        self.mark(&[Mark::of(hash)]);
    }

    /// The same for many hashes.
    pub(super) fn mark(&mut self, marks: &[Mark]) {
        // Without a branch: in the first hundred thousand values, which is all that many columns have, higher ranks are
        // too frequent to be predicted.
        for &Mark(mark) in marks {
            let register = &mut self.0[(mark >> 8) as usize % REGISTERS];
            *register = (*register).max((mark & 0xff) as u8);
        }
    }

    /// One rank a register.
    pub(super) fn ranks(&self) -> &[u8] {
        &*self.0
    }

    /// Registers with these ranks, if there are such.
    pub(super) fn from_ranks(ranks: &[u8]) -> Option<Self> {
        let fits = ranks.iter().all(|&rank| usize::from(rank) <= HIGHEST);
        let ranks: [u8; REGISTERS] = ranks.try_into().ok()?;
        fits.then(|| Self(Box::new(ranks)))
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0.iter()) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// Ertl 2017, algorithm 6, from the number of registers of each rank.
    pub(super) fn estimate(&self) -> u64 {
        const M: f64 = 8192.0;
        let mut of_rank = [0_u32; HIGHEST + 1];
        for &rank in self.0.iter() {
            of_rank[usize::from(rank)] += 1;
        }
        let mut z = M * tau(1.0 - f64::from(of_rank[HIGHEST]) / M);
        for &n in of_rank[1..HIGHEST].iter().rev() {
            z = 0.5 * (z + f64::from(n));
        }
        z += M * sigma(f64::from(of_rank[0]) / M);
        let estimate = M * M / (2.0 * std::f64::consts::LN_2 * z);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, and saturating")]
        return estimate.round() as u64;
    }
}

/// Ertl 2017, equation 25.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

/// Ertl 2017, equation 26.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = libm::sqrt(x);
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_finite() {
        assert_eq!(Registers::new().estimate(), 0);
        let mut all = Registers::new();
        for register in 0..REGISTERS as u64 {
            all.insert(register << (64 - BITS));
        }
        assert_eq!(usize::from(all.0[0]), HIGHEST);
        assert!(all.estimate() > 1 << 50);
    }
}
