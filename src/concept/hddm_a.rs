//! HDDM-A: Hoeffding's bound on the difference between the mean of everything and the mean up to its best point.
//!
//! Frías-Blanco et al. (2014), "Online and non-parametric drift detection methods based on Hoeffding's bounds", the
//! A-test, in River's form (0.26, after MOA).

use serde::{Deserialize, Serialize};

use super::card::{Card, FLAG, Input, Parameter, Range, Settings, Value, no_check};
use super::running::{Mean, real};
use super::{Detector, Signal, StateError, pack, unpack};

pub(super) static CARD: Card = Card {
    name: "hddm_a",
    title: "HDDM-A",
    about: "A mean above Hoeffding's bound of its lowest level",
    source: "Frías-Blanco et al. 2014; equals river.drift.binary.HDDMA",
    input: Input::Unit,
    restarts: true,
    parameters: &[
        Parameter {
            name: "drift_confidence",
            about: "significance of a drift",
            default: Value::Real(0.001),
            range: Range::Open(0.0, 1.0),
        },
        Parameter {
            name: "warning_confidence",
            about: "significance of a warning",
            default: Value::Real(0.005),
            range: Range::Open(0.0, 1.0),
        },
        Parameter {
            name: "two_sided_test",
            about: "watch for lower means, too",
            default: Value::Word("false"),
            range: FLAG,
        },
    ],
    check: no_check,
    build: |settings| Box::new(HddmA::new(settings)),
};

struct HddmA {
    /// ln(1 / drift confidence).
    bound: f64,
    /// ln(2 / confidence).
    drift: f64,
    warning: f64,
    two_sided: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    /// Mean of all values, and what it was where mean + bound was least, and mean − bound greatest.
    all: Mean,
    low: Mean,
    high: Mean,
    drifted: bool,
}

impl HddmA {
    fn new(settings: &Settings) -> Self {
        let drift = settings.real("drift_confidence");
        Self {
            bound: libm::log(1.0 / drift),
            drift: libm::log(2.0 / drift),
            warning: libm::log(2.0 / settings.real("warning_confidence")),
            two_sided: settings.flag("two_sided_test"),
            state: State::default(),
        }
    }

    #[inline]
    fn bound(&self, n: u64) -> f64 {
        (1.0 / (2.0 * real(n)) * self.bound).sqrt()
    }

    /// What `cut` is worth against all values: drift, warning or nothing, when the mean moved by `rise`.
    #[inline]
    fn judge(&self, cut: Mean, rise: f64) -> Signal {
        let all = self.state.all;
        if cut.n == all.n {
            return Signal::None;
        }
        let m = real(all.n - cut.n) / real(cut.n) * (1.0 / real(all.n));
        if rise >= (m / 2.0 * self.drift).sqrt() {
            Signal::Drift
        } else if rise >= (m / 2.0 * self.warning).sqrt() {
            Signal::Warning
        } else {
            Signal::None
        }
    }
}

impl Detector for HddmA {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        self.state.all.update(value);
        let State { all, low, high, .. } = self.state;
        let bound = self.bound(all.n);
        if low.n == 0 || low.mean + self.bound(low.n) >= all.mean + bound {
            self.state.low = all;
        }
        if self.two_sided && (high.n == 0 || high.mean - self.bound(high.n) <= all.mean - bound) {
            self.state.high = all;
        }
        let State { low, high, .. } = self.state;
        let mut signal = self.judge(low, all.mean - low.mean);
        if self.two_sided {
            signal = signal.max(self.judge(high, high.mean - all.mean));
        }
        self.state.drifted = signal == Signal::Drift;
        signal
    }

    fn reset(&mut self) {
        self.state = State::default();
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let State { all, low, .. } = self.state;
        vec![("n", real(all.n)), ("mean", all.mean), ("low_n", real(low.n)), ("low_mean", low.mean)]
    }

    fn state(&self) -> Vec<u8> {
        pack(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        let within = |state: &State| state.low.n <= state.all.n && state.high.n <= state.all.n;
        self.state = unpack(CARD.name, state, within)?;
        Ok(())
    }
}
