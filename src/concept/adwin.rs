//! ADWIN: a window of the recent past, as long as it shows no change.
//!
//! Bifet and Gavaldà (2007), "Learning from time-changing data with adaptive windowing", in River's form (0.26): the
//! window is a list of buckets of 1, 2, 4, … values; every `clock` values each border between two buckets is a possible
//! cut, and where the means of the two parts differ by more than
//!
//! ```text
//!     ε = √(2 m σ² δ') + ⅔ δ' m      m = 1/(n₀ − l + 1) + 1/(n₁ − l + 1)      δ' = ln(2 ln(n) / δ)
//! ```
//!
//! (l: `min_window_length`), the oldest bucket is dropped and the search begins again. A search that dropped anything is
//! a drift. Cuts that cannot reach ε are passed over by a bound without divisions; it never decides that there is one.

use serde::{Deserialize, Serialize};

use super::card::{Card, Input, Parameter, Range, Settings, Value, no_check};
use super::{Detector, Signal, StateError, pack, running, unpack};

pub(super) static CARD: Card = Card {
    name: "adwin",
    title: "ADWIN",
    about: "The mean of a window that grows until its two parts differ",
    source: "Bifet and Gavaldà 2007; equals river.drift.ADWIN",
    input: Input::Real,
    restarts: true,
    parameters: &[
        Parameter {
            name: "delta",
            about: "significance of a cut; smaller is more cautious",
            default: Value::Real(0.002),
            range: Range::Open(0.0, 1.0),
        },
        Parameter {
            name: "clock",
            about: "values between two searches for a change",
            default: Value::Integer(32),
            range: Range::Integer(1, 1 << 31),
        },
        Parameter {
            name: "max_buckets",
            about: "buckets of each size before two are joined",
            default: Value::Integer(5),
            range: Range::Integer(2, 1000),
        },
        Parameter {
            name: "min_window_length",
            about: "values that each part of a cut must have",
            default: Value::Integer(5),
            range: Range::Integer(1, 1 << 31),
        },
        Parameter {
            name: "grace_period",
            about: "values before the first search",
            default: Value::Integer(10),
            range: Range::Integer(0, 1 << 31),
        },
    ],
    check: no_check,
    build: |settings| Box::new(Adwin::new(settings)),
};

struct Adwin {
    delta: f64,
    clock: u64,
    /// Buckets that a level holds for a moment: one more than stay.
    room: usize,
    shortest: f64,
    grace: f64,
    state: State,
    /// The buckets of 2^i values on level i; never without level 0.
    levels: Vec<Level>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// Number, sum, and sum of squared deviations of the values in the window.
    width: f64,
    total: f64,
    variance: f64,
    /// Values until the next search.
    wait: u64,
    drifted: bool,
}

/// Sum, and sum of squared deviations, of the values of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bucket {
    total: f64,
    variance: f64,
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
fn size(level: usize) -> f64 {
    f64::from_bits(1_f64.to_bits() + ((level as u64) << 52))
}

impl Adwin {
    fn new(settings: &Settings) -> Self {
        let mut adwin = Self {
            delta: settings.real("delta"),
            clock: settings.integer("clock"),
            room: settings.size("max_buckets") + 1,
            shortest: running::real(settings.integer("min_window_length")),
            grace: running::real(settings.integer("grace_period")),
            state: State::default(),
            levels: Vec::new(),
        };
        adwin.reset();
        adwin
    }

    #[inline]
    fn insert(&mut self, value: f64) {
        let State { width, total, variance, .. } = &mut self.state;
        let before = *width;
        *width += 1.0;
        if before > 0.0 {
            let difference = value - *total / before;
            *variance += before * difference * difference / *width;
        }
        *total += value;
        self.levels[0].buckets.push(Bucket { total: value, variance: 0.0 });
        // One bucket too many on a level: its two oldest become one of the next.
        let mut level = 0;
        while self.levels[level].live().len() == self.room {
            self.join(level);
            level += 1;
        }
    }

    #[inline]
    fn join(&mut self, level: usize) {
        if level + 1 == self.levels.len() {
            self.levels.push(Level::default());
        }
        let (first, second) = (self.levels[level].live()[0], self.levels[level].live()[1]);
        self.levels[level].leave(2, self.room);
        let size = size(level);
        // 2^−level is a number, too: to multiply by it is to divide by 2^level.
        let gap = first.total * size.recip() - second.total * size.recip();
        let total = first.total + second.total;
        let variance = first.variance + second.variance + size * 0.5 * gap * gap;
        self.levels[level + 1].buckets.push(Bucket { total, variance });
    }

    /// Drops old buckets until no cut is left, and tells whether there was one.
    fn search(&mut self) -> bool {
        let mut found = false;
        loop {
            let slack = libm::log(2.0 * libm::log(self.state.width) / self.delta);
            if !(self.may_cut(slack) && self.cuts(slack)) {
                return found;
            }
            self.drop_oldest();
            found = true;
        }
    }

    /// Calls `visit` with the size and the sum of every bucket from the oldest to the one before the newest.
    #[inline(always)]
    fn for_each_border(&self, mut visit: impl FnMut(f64, f64)) {
        for (level, buckets) in self.levels.iter().enumerate().rev() {
            let live = buckets.live();
            for bucket in &live[..live.len() - usize::from(level == 0)] {
                visit(size(level), bucket.total);
            }
        }
    }

    /// Whether a cut is possible at all: false is certain.
    ///
    /// With d = u₀ n − u n₀ a cut needs |d| / (n₀ n₁) > ε, and m ≥ n / (n₀ n₁), so that it needs
    /// (|d| − ⅔ δ' n)² > 2 n σ² δ' n₀ n₁. What rounding can do to d is granted to it.
    fn may_cut(&self, slack: f64) -> bool {
        let State { width, total, variance, .. } = self.state;
        let linear = 2.0 / 3.0 * slack * width;
        let square = 2.0 * variance * slack * (1.0 - 1e-9);
        let (mut n0, mut u0, mut magnitude) = (0.0, 0.0, total.abs());
        let mut possible = false;
        self.for_each_border(|size, bucket| {
            n0 += size;
            u0 += bucket;
            magnitude += bucket.abs();
            let n1 = width - n0;
            let gap = (u0 * width - total * n0).abs() - linear + 1e-10 * (magnitude * width + linear);
            // Written so that what is not a number may be a cut.
            let safe = (gap <= 0.0) | (gap * gap <= square * (n0 * n1));
            possible |= !safe & (n0 >= self.shortest) & (n1 >= self.shortest);
        });
        possible
    }

    /// Whether there is a cut, in River's order of operations.
    #[cold]
    fn cuts(&self, slack: f64) -> bool {
        let State { width, total, variance, .. } = self.state;
        let (mut n0, mut n1, mut u0, mut u1) = (0.0, width, 0.0, total);
        let mut found = false;
        self.for_each_border(|size, bucket| {
            n0 += size;
            n1 -= size;
            u0 += bucket;
            u1 -= bucket;
            if n0 >= self.shortest && n1 >= self.shortest {
                let gap = u0 / n0 - u1 / n1;
                let m = 1.0 / (n0 - self.shortest + 1.0) + 1.0 / (n1 - self.shortest + 1.0);
                let epsilon = (2.0 * m * (variance / width) * slack).sqrt() + 2.0 / 3.0 * slack * m;
                found |= gap.abs() > epsilon;
            }
        });
        found
    }

    fn drop_oldest(&mut self) {
        let last = self.levels.len() - 1;
        let oldest = self.levels[last].live()[0];
        self.levels[last].leave(1, self.room);
        if self.levels[last].live().is_empty() && last > 0 {
            self.levels.pop();
        }
        let State { width, total, variance, .. } = &mut self.state;
        let size = size(last);
        let mean = oldest.total / size;
        *width -= size;
        *total -= oldest.total;
        let rest = *total / *width;
        *variance -= oldest.variance + size * *width * (mean - rest) * (mean - rest) / (size + *width);
    }

    fn fits(&self, saved: &Saved) -> bool {
        let levels = saved.levels.len();
        let held: f64 =
            saved.levels.iter().enumerate().map(|(level, live)| running::real(live.len() as u64) * size(level)).sum();
        (1..=60).contains(&levels)
            && saved.levels.iter().all(|live| live.len() < self.room)
            && (levels == 1 || saved.levels.iter().all(|live| !live.is_empty()))
            && held.to_bits() == saved.state.width.to_bits()
            && (1..=self.clock).contains(&saved.state.wait)
    }
}

/// What a state is made of: no bucket that left.
#[derive(Serialize, Deserialize)]
struct Saved {
    state: State,
    levels: Vec<Vec<Bucket>>,
}

impl Detector for Adwin {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        self.insert(value);
        self.state.wait -= 1;
        if self.state.wait > 0 {
            return Signal::None;
        }
        self.state.wait = self.clock;
        self.state.drifted = self.state.width > self.grace && self.search();
        if self.state.drifted { Signal::Drift } else { Signal::None }
    }

    fn reset(&mut self) {
        self.state = State { wait: self.clock, ..State::default() };
        self.levels.truncate(1);
        match self.levels.first_mut() {
            Some(first) => *first = Level::default(),
            None => self.levels.push(Level::default()),
        }
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let State { width, total, variance, .. } = self.state;
        let of_width = |sum: f64| if width > 0.0 { sum / width } else { 0.0 };
        vec![("width", width), ("estimation", of_width(total)), ("variance", variance), ("total", total)]
    }

    fn state(&self) -> Vec<u8> {
        pack(&Saved { state: self.state, levels: self.levels.iter().map(|level| level.live().to_vec()).collect() })
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        let Saved { state, levels } = unpack(CARD.name, state, |saved| self.fits(saved))?;
        self.levels = levels.into_iter().map(|buckets| Level { buckets, gone: 0 }).collect();
        self.state = state;
        Ok(())
    }
}
