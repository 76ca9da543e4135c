//! The window of ADWIN: buckets of 1, 2, 4, … values, in River's order of operations.

use serde::{Deserialize, Serialize};

use super::calm::Spread;
use crate::concept::running;

/// Values that are taken in one go, at most.
pub(super) const BLOCK: usize = 16;

const INDEX: [f64; BLOCK] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];

/// Number, sum, and sum of squared deviations of the values in the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) width: f64,
    pub(super) total: f64,
    pub(super) variance: f64,
}

/// Sum, and sum of squared deviations, of the values of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Bucket {
    pub(super) total: f64,
    pub(super) variance: f64,
}

/// Buckets of one size, oldest first. Those before `gone` have left; they are moved out a few at a time.
#[derive(Clone, Debug, Default)]
struct Level {
    buckets: Vec<Bucket>,
    gone: usize,
}

impl Level {
    #[inline]
    fn live(&self) -> &[Bucket] {
        &self.buckets[self.gone..]
    }

    #[inline]
    fn leave(&mut self, count: usize, room: usize) {
        self.gone += count;
        if self.gone >= 4 * room {
            self.buckets.drain(..self.gone);
            self.gone = 0;
        }
    }
}

/// 2^level: what a bucket holds.
pub(super) fn size(level: usize) -> f64 {
    f64::from_bits(1_f64.to_bits() + ((level as u64) << 52))
}

/// The values since the last change that was found.
pub(super) struct Window {
    pub(super) sums: Sums,
    /// Buckets that a level holds for a moment: one more than stay.
    pub(super) room: usize,
    /// The buckets of 2^i values on level i; never without level 0.
    levels: Vec<Level>,
}

impl Window {
    pub(super) fn new(room: usize) -> Self {
        Self { sums: Sums::default(), room, levels: vec![Level::default()] }
    }

    /// A window of these buckets, by level.
    pub(super) fn of(room: usize, sums: Sums, levels: Vec<Vec<Bucket>>) -> Self {
        Self { sums, room, levels: levels.into_iter().map(|buckets| Level { buckets, gone: 0 }).collect() }
    }

    pub(super) fn clear(&mut self) {
        self.sums = Sums::default();
        self.levels.truncate(1);
        self.levels[0] = Level::default();
    }

    /// The size of the buckets of every level, smallest first, and its buckets, oldest first.
    pub(super) fn levels(&self) -> impl DoubleEndedIterator<Item = (f64, &[Bucket])> + ExactSizeIterator {
        self.levels.iter().enumerate().map(|(level, buckets)| (size(level), buckets.live()))
    }

    /// Takes at most [`BLOCK`] values, at least one, and tells how z = P − μN spread over the places before each of them;
    /// N values of sum P lie before a place.
    #[inline]
    pub(super) fn insert(&mut self, values: &[f64], mean: f64) -> Spread {
        let spread = match values {
            [value] => self.sums.add::<1>(&[*value], mean),
            _ => self.sums.add::<BLOCK>(values, mean),
        };
        self.levels[0].buckets.extend(values.iter().map(|&total| Bucket { total, variance: 0.0 }));
        let mut level = 0;
        while self.levels[level].live().len() >= self.room {
            self.join(level);
            level += 1;
        }
        spread
    }

    /// Makes the two oldest buckets one of the next level, and again until there is room: the order in which levels do so
    /// makes no difference.
    #[inline]
    fn join(&mut self, level: usize) {
        if level + 1 == self.levels.len() {
            self.levels.push(Level::default());
        }
        let size = size(level);
        let (lower, upper) = self.levels.split_at_mut(level + 1);
        let lower = &mut lower[level];
        let leaving = (lower.live().len() - self.room) / 2 * 2 + 2;
        upper[0].buckets.extend(lower.live()[..leaving].as_chunks().0.iter().map(|[first, second]| {
            // 2^−level is a number, too: to multiply by it is to divide by 2^level.
            let gap = first.total * size.recip() - second.total * size.recip();
            let total = first.total + second.total;
            let variance = first.variance + second.variance + size * 0.5 * gap * gap;
            Bucket { total, variance }
        }));
        lower.leave(leaving, self.room);
    }

    pub(super) fn drop_oldest(&mut self) {
        let last = self.levels.len() - 1;
        let oldest = self.levels[last].live()[0];
        self.levels[last].leave(1, self.room);
        if self.levels[last].live().is_empty() && last > 0 {
            self.levels.pop();
        }
        let Sums { width, total, variance } = &mut self.sums;
        let size = size(last);
        let mean = oldest.total / size;
        *width -= size;
        *total -= oldest.total;
        let rest = *total / *width;
        *variance -= oldest.variance + size * *width * (mean - rest) * (mean - rest) / (size + *width);
    }
}

impl Sums {
    /// Adds at most N values. What one needs of the one before is added up first, so that divisions run side by side.
    #[inline]
    fn add<const N: usize>(&mut self, values: &[f64], mean: f64) -> Spread {
        let Self { width, total, variance } = *self;
        let mut sum = total;
        let (mut before, mut spread, mut strayed) = ([0.0; N], [0.0; N], [total - mean * width; N]);
        for (value, before) in values.iter().zip(&mut before) {
            *before = sum;
            sum += value;
        }
        let numbers = values.iter().zip(&INDEX).zip(&before).zip(&mut spread).zip(&mut strayed);
        for ((((value, at), sum), spread), strayed) in numbers {
            let n = width + at;
            let difference = value - sum / n;
            *spread = n * difference * difference / (n + 1.0);
            *strayed = sum - mean * n;
        }
        if width == 0.0 {
            spread[0] = 0.0;
        }
        let squares = spread[..values.len()].iter().fold(variance, |squares, spread| squares + spread);
        *self = Self { width: width + running::real(values.len() as u64), total: sum, variance: squares };
        Spread::of(&strayed)
    }
}
