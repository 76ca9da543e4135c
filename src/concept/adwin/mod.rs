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
//! a drift. What rules most searches out beforehand is in `calm`; it never decides that there is a cut.

mod calm;
mod window;

use serde::{Deserialize, Serialize};

use self::calm::Calm;
use self::window::{BLOCK, Bucket, Sums, Window, size};
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
    shortest: f64,
    grace: f64,
    window: Window,
    /// Values until the next search.
    wait: u64,
    drifted: bool,
    calm: Calm,
}

impl Adwin {
    fn new(settings: &Settings) -> Self {
        let clock = settings.integer("clock");
        Self {
            delta: settings.real("delta"),
            clock,
            shortest: running::real(settings.integer("min_window_length")),
            grace: running::real(settings.integer("grace_period")),
            window: Window::new(settings.size("max_buckets") + 1),
            wait: clock,
            drifted: false,
            calm: Calm::NEVER,
        }
    }

    /// Takes as many values as may go before the next search, at least one, and searches if it is time.
    #[inline]
    fn advance(&mut self, values: &[f64]) -> (usize, Signal) {
        if self.drifted {
            self.reset();
        }
        let count = values.len().min(BLOCK).min(usize::try_from(self.wait).unwrap_or(BLOCK));
        let spread = self.window.insert(&values[..count], self.calm.mean);
        self.calm.follow(count, spread);
        self.wait -= count as u64;
        if self.wait > 0 {
            return (count, Signal::None);
        }
        self.wait = self.clock;
        self.drifted = self.window.sums.width > self.grace && self.search();
        (count, if self.drifted { Signal::Drift } else { Signal::None })
    }

    /// Drops old buckets until no cut is left, and tells whether there was one.
    #[inline]
    fn search(&mut self) -> bool {
        if self.calm.holds(&self.window.sums) || self.look() {
            return false;
        }
        self.calm = Calm::NEVER;
        let mut found = false;
        let mut bound = slack(self.window.sums.width, self.delta);
        loop {
            // δ' shrinks with the window, so what is a cut with that of before is one.
            if !self.cuts(bound * (1.0 + 1e-9)) {
                bound = slack(self.window.sums.width, self.delta);
                if !self.cuts(bound) {
                    return found;
                }
            }
            self.window.drop_oldest();
            found = true;
        }
    }

    fn look(&mut self) -> bool {
        let delta = self.delta;
        self.calm.look(&self.window, self.shortest, |width| slack(width, delta))
    }

    /// Whether there is a cut, in River's order of operations.
    #[cold]
    fn cuts(&self, slack: f64) -> bool {
        let Sums { width, total, variance } = self.window.sums;
        let (mut n0, mut n1, mut u0, mut u1) = (0.0, width, 0.0, total);
        for (size, buckets) in self.window.levels().rev() {
            for bucket in buckets {
                n0 += size;
                n1 -= size;
                u0 += bucket.total;
                u1 -= bucket.total;
                if n0 >= self.shortest && n1 >= self.shortest {
                    let gap = u0 / n0 - u1 / n1;
                    let m = 1.0 / (n0 - self.shortest + 1.0) + 1.0 / (n1 - self.shortest + 1.0);
                    let epsilon = (2.0 * m * (variance / width) * slack).sqrt() + 2.0 / 3.0 * slack * m;
                    if gap.abs() > epsilon {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn fits(&self, saved: &Saved) -> bool {
        let levels = saved.levels.len();
        let held: f64 =
            saved.levels.iter().enumerate().map(|(level, live)| running::real(live.len() as u64) * size(level)).sum();
        (1..=60).contains(&levels)
            && saved.levels.iter().all(|live| live.len() < self.window.room)
            && (levels == 1 || saved.levels.iter().all(|live| !live.is_empty()))
            && held.to_bits() == saved.sums.width.to_bits()
            && (1..=self.clock).contains(&saved.wait)
    }
}

/// δ'.
fn slack(width: f64, delta: f64) -> f64 {
    libm::log(2.0 * libm::log(width) / delta)
}

/// What a state is made of.
#[derive(Serialize, Deserialize)]
struct Saved {
    sums: Sums,
    wait: u64,
    drifted: bool,
    levels: Vec<Vec<Bucket>>,
}

impl Detector for Adwin {
    fn update(&mut self, value: f64) -> Signal {
        self.advance(&[value]).1
    }

    fn update_all(&mut self, values: &[f64], hear: &mut dyn FnMut(usize, Signal)) {
        let mut taken = 0;
        while taken < values.len() {
            let (count, signal) = self.advance(&values[taken..]);
            taken += count;
            if signal != Signal::None {
                hear(taken - 1, signal);
            }
        }
    }

    fn reset(&mut self) {
        self.window.clear();
        (self.wait, self.drifted, self.calm) = (self.clock, false, Calm::NEVER);
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let Sums { width, total, variance } = self.window.sums;
        let of_width = |sum: f64| if width > 0.0 { sum / width } else { 0.0 };
        vec![("width", width), ("estimation", of_width(total)), ("variance", variance), ("total", total)]
    }

    fn state(&self) -> Vec<u8> {
        let levels = self.window.levels().map(|(_, buckets)| buckets.to_vec()).collect();
        pack(&Saved { sums: self.window.sums, wait: self.wait, drifted: self.drifted, levels })
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        let Saved { sums, wait, drifted, levels } = unpack(CARD.name, state, |saved| self.fits(saved))?;
        self.window = Window::of(self.window.room, sums, levels);
        (self.wait, self.drifted, self.calm) = (wait, drifted, Calm::NEVER);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::concept::Spec;

    fn adwin(text: &str) -> Adwin {
        Adwin::new(text.parse::<Spec>().unwrap().settings())
    }

    /// Streams whose mean moves: errors, small and large numbers far from 0 or not, and rare large ones.
    fn streams() -> impl Strategy<Value = Vec<f64>> {
        let part = (0.0..1.0_f64, 0..4, -6..7, -3..10, proptest::collection::vec(0.0..1.0_f64, 1..400));
        proptest::collection::vec(part, 1..5).prop_map(|parts| {
            let of = |(mean, kind, scale, offset, draws): (f64, i32, i32, i32, Vec<f64>)| {
                let value = move |draw: f64| match kind {
                    0 => f64::from(u8::from(draw < mean)),
                    1 => (mean + draw) * 10_f64.powi(scale),
                    2 => 10_f64.powi(offset) + (mean + draw) * 10_f64.powi(scale),
                    _ => (mean + draw).powi(-3) * (draw - 0.5).signum(),
                };
                draws.into_iter().map(value)
            };
            parts.into_iter().flat_map(of).collect()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_window_that_is_called_calm_has_no_cut(
            stream in streams(),
            delta in prop_oneof![Just(0.002), 1e-9..1.0_f64],
            shortest in 1..40_u32,
            max_buckets in prop_oneof![Just(5), 2..30_u32],
            blocks in proptest::collection::vec(1..=BLOCK, 1..20),
        ) {
            let text = format!("adwin:delta={delta}:min_window_length={shortest}:max_buckets={max_buckets}");
            let (mut detector, mut rest, mut sizes) = (adwin(&text), stream.as_slice(), blocks.iter().cycle());
            while !rest.is_empty() {
                let (block, after) = rest.split_at(rest.len().min(*sizes.next().expect("a cycle")));
                rest = after;
                let spread = detector.window.insert(block, detector.calm.mean);
                detector.calm.follow(block.len(), spread);
                let calm = detector.calm.holds(&detector.window.sums) || detector.look();
                let cut = detector.cuts(slack(detector.window.sums.width, detector.delta));
                prop_assert!(!(calm && cut), "{} at {:?}", text, detector.window.sums);
                if cut {
                    detector.reset();
                }
            }
        }
    }

    #[test]
    fn most_searches_of_a_steady_stream_need_no_look() {
        let mut detector = adwin("adwin");
        let (mut looks, mut exact) = (0, 0);
        for tick in 0..100_000_u64 {
            // Errors of every fifth value or so, without a pattern.
            let value = f64::from(u8::from(tick.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 & 0xffff < 13_000));
            let spread = detector.window.insert(&[value], detector.calm.mean);
            detector.calm.follow(1, spread);
            if !detector.calm.holds(&detector.window.sums) {
                looks += 1;
                exact += u32::from(!detector.look());
            }
        }
        assert!(looks < 5_000 && exact < 50, "{looks} looks, {exact} searches");
    }
}
