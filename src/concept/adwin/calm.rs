//! Which windows of ADWIN have no cut, told without a look at their buckets.
//!
//! With W values of sum T in the window, and V the sum of their squared deviations, a border after N values of sum P is a
//! cut only if
//!
//! ```text
//!     |P − N T/W| > ⅔ δ' + √(2 V δ' N (W − N)) / W                  since m ≥ W / (N (W − N))
//! ```
//!
//! Let z = P − μN for some μ, and z(W) = T − μW. The left side is |z − z(W) N/W|: how far the sums stray from a straight
//! line. While values come in, z of a border stays as it is, and δ' and V only grow. So one look at all borders tells
//! how far z(W) may stray before one of them can be a cut; between two looks it is enough to follow z(W), and how z
//! spread over the values since, whose borders need a larger distance the more values are behind them.
//!
//! ```text
//!     z  ·            ╭── reach ──╮
//!        · .·. · . ·  │ . · .  · .│ · .              borders up to the last look: |z(W)| ≤ reach
//!        ·   ·   . · .│·    ·  .  │.  · z(W)         since: |z − z(W)| ≤ newest, or young with 16 values behind
//!        └────────────┴───────────┴────────► N
//!                     last look   W
//! ```
//!
//! It grants what rounding can do, rules cuts out, and never says that there is one.

use super::window::{BLOCK, Sums, Window};
use crate::concept::running;

/// Values that have so many behind them are not among the newest.
const YOUNG: usize = BLOCK;

/// Least and most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spread(f64, f64);

impl Spread {
    const NONE: Self = Self(f64::INFINITY, f64::NEG_INFINITY);

    #[inline]
    pub(super) fn of(values: &[f64]) -> Self {
        let (fours, rest) = values.as_chunks::<4>();
        let mut lanes = [Self::NONE; 4];
        for four in fours {
            lanes = std::array::from_fn(|lane| lanes[lane].and(Self(four[lane], four[lane])));
        }
        lanes[0] = rest.iter().fold(lanes[0], |lane, &value| lane.and(Self(value, value)));
        lanes[0].and(lanes[1]).and(lanes[2].and(lanes[3]))
    }

    #[inline]
    fn and(self, Self(low, high): Self) -> Self {
        Self(if low < self.0 { low } else { self.0 }, if high > self.1 { high } else { self.1 })
    }

    /// The distance of the furthest of them.
    #[inline]
    fn from(self, value: f64) -> f64 {
        let (below, above) = (value - self.0, self.1 - value);
        if below > above { below } else { above }
    }
}

/// The last look at all borders, and what happened since.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calm {
    /// μ, and the width up to which the rest counts.
    pub(super) mean: f64,
    until: f64,
    /// At most δ', and the width that it was calculated for.
    slack: f64,
    slack_of: f64,
    /// What [`slip`](Calm::slip) goes by: a number of additions, and √(n ∑x²) of then with its inverse.
    additions: f64,
    magnitude: f64,
    of_magnitude: f64,
    /// What |z(W)| must exceed for a border of then to be a cut.
    reach: f64,
    /// What |z − z(W) N/W| must exceed elsewhere: anywhere, and with [`YOUNG`] values behind.
    newest: f64,
    young: f64,
    /// At most how much of the window is behind those.
    share: f64,
    /// z of the `count` ≤ [`YOUNG`] last values, of those of the block before, and of those before that.
    count: usize,
    spread: [Spread; 3],
}

impl Calm {
    /// Rules out nothing.
    pub(super) const NEVER: Self = Self {
        mean: 0.0,
        until: 0.0,
        slack: 0.0,
        slack_of: 0.0,
        additions: 0.0,
        magnitude: 0.0,
        of_magnitude: 0.0,
        reach: 0.0,
        newest: 0.0,
        young: 0.0,
        share: 0.0,
        count: 0,
        spread: [Spread::NONE; 3],
    };

    /// Hears of `count` values over which z spread like this.
    #[inline]
    pub(super) fn follow(&mut self, count: usize, spread: Spread) {
        if self.count + count > YOUNG {
            let [last, before, rest] = self.spread;
            (self.spread, self.count) = ([Spread::NONE, last, before.and(rest)], 0);
        }
        self.spread[0] = self.spread[0].and(spread);
        self.count += count;
    }

    /// Whether no border is a cut: true is certain. Written so that what is not a number makes it false.
    #[inline]
    pub(super) fn holds(&self, sums: &Sums) -> bool {
        let slip = self.slip(sums);
        let strayed = sums.total - self.mean * sums.width;
        let part = strayed.abs() * self.share + slip;
        let [last, before, rest] = self.spread;
        sums.width <= self.until
            && strayed.abs() + slip <= self.reach
            && last.from(strayed) + part <= self.newest
            && before.from(strayed) + part <= if self.count < YOUNG { self.newest } else { self.young }
            && rest.from(strayed) + part <= self.young
    }

    /// What rounding can do to z, in River's sums and in ours: a sum of n values, added in whatever order, is known to
    /// n times half an ulp of ∑|x|, and ∑|x| ≤ √(n ∑x²) ≤ (n ∑x² / g + g) / 2 for any g.
    #[inline]
    fn slip(&self, &Sums { width, total, variance }: &Sums) -> f64 {
        let squares = width * variance + total * total;
        1.5e-16 * (width + self.additions) * (squares * self.of_magnitude + self.magnitude)
    }

    /// Looks at all borders, and tells whether none of them is a cut: true is certain.
    #[inline(never)]
    pub(super) fn look(&mut self, window: &Window, shortest: f64, slack: impl Fn(f64) -> f64) -> bool {
        let Sums { width, total, variance } = window.sums;
        // ln ln n hardly grows.
        if !(self.slack_of <= width && width <= 1.5 * self.slack_of) {
            (self.slack, self.slack_of) = (slack(width) * (1.0 - 1e-9), width);
        }
        (self.mean, self.until) = (total / width, width * 1.125 + 8.0);
        let square = 2.0 * variance * self.slack / (self.until * self.until);
        let linear = 2.0 / 3.0 * self.slack;
        let threshold = |n1: f64| linear + (square * n1 * (width - n1)).sqrt();
        let young = running::real(YOUNG as u64).max(shortest);
        let least = |a: f64, b: f64| if a < b { a } else { b };
        let (mut n1, mut strayed, mut buckets, mut recent) = (0.0, 0.0, 0, Spread(0.0, 0.0));
        let (mut reach, mut now) = (f64::INFINITY, f64::INFINITY);
        for (size, live) in window.levels() {
            buckets += live.len();
            let expected = self.mean * size;
            for bucket in live.iter().rev() {
                n1 += size;
                strayed += bucket.total - expected;
                if n1 < young {
                    recent = recent.and(Spread(-strayed, -strayed));
                    if n1 >= shortest && width - n1 >= shortest {
                        now = least(now, threshold(n1) - strayed.abs());
                    }
                } else if width - n1 >= shortest {
                    reach = least(reach, threshold(n1) - strayed.abs());
                }
            }
        }
        self.reach = reach;
        self.newest = threshold(shortest.min(width));
        self.young = threshold(young.min(width));
        self.share = (self.until - width + young) / width;
        // Every value goes through at most 64 buckets; buckets are added five times over, and more may come.
        self.additions = 200.0 + 10.0 * running::real((buckets + window.room) as u64);
        self.magnitude = (width * variance + total * total).sqrt().max(f64::MIN_POSITIVE);
        self.of_magnitude = self.magnitude.recip();
        (self.count, self.spread) = (0, [Spread::NONE, recent, Spread::NONE]);
        square >= 0.0 && least(now, reach) >= self.slip(&window.sums)
    }
}
