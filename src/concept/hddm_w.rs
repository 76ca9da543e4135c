//! HDDM-W: McDiarmid's bound on the difference between two exponentially weighted means.
//!
//! Frías-Blanco et al. (2014), the W-test, in River's form (0.26, after MOA). The mean of all values where mean + bound
//! was least is sample 1; the values since then are sample 2.

use serde::{Deserialize, Serialize};

use super::card::{Card, FLAG, Input, Parameter, Range, Settings, Value, no_check};
use super::{Detector, Signal, StateError, pack, unpack};

pub(super) static CARD: Card = Card {
    name: "hddm_w",
    title: "HDDM-W",
    about: "A weighted mean above McDiarmid's bound of its lowest level",
    source: "Frías-Blanco et al. 2014; equals river.drift.binary.HDDMW",
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
            name: "lambda_val",
            about: "weight of the newest value in a mean",
            default: Value::Real(0.05),
            range: Range::Real(0.0, 1.0),
        },
        Parameter {
            name: "two_sided_test",
            about: "watch for lower means, too",
            default: Value::Word("false"),
            range: FLAG,
        },
    ],
    check: no_check,
    build: |settings| Box::new(HddmW::new(settings)),
};

struct HddmW {
    /// ln(1 / confidence).
    drift: f64,
    warning: f64,
    lambda: f64,
    two_sided: bool,
    state: State,
}

/// An exponentially weighted mean, and the sum of its squared weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Sample {
    mean: f64,
    weights: f64,
    begun: bool,
}

const EMPTY: Sample = Sample { mean: 0.0, weights: 1.0, begun: false };

impl Sample {
    #[inline]
    fn update(&mut self, value: f64, lambda: f64) {
        self.mean = if self.begun { lambda * value + (1.0 - lambda) * self.mean } else { value };
        self.weights = lambda * lambda + (1.0 - lambda) * (1.0 - lambda) * self.weights;
        self.begun = true;
    }
}

/// Two samples, before and after the best point so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Cut {
    /// Mean plus or minus bound at that point.
    level: f64,
    before: Sample,
    after: Sample,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    all: Sample,
    low: Cut,
    high: Cut,
    drifted: bool,
}

const FRESH: State = State {
    all: EMPTY,
    low: Cut { level: f64::INFINITY, before: EMPTY, after: EMPTY },
    high: Cut { level: f64::NEG_INFINITY, before: EMPTY, after: EMPTY },
    drifted: false,
};

impl HddmW {
    fn new(settings: &Settings) -> Self {
        Self {
            drift: libm::log(1.0 / settings.real("drift_confidence")),
            warning: libm::log(1.0 / settings.real("warning_confidence")),
            lambda: settings.real("lambda_val"),
            two_sided: settings.flag("two_sided_test"),
            state: FRESH,
        }
    }

    /// Whether the mean rose from one sample to the other.
    #[inline]
    fn judge(&self, lower: &Sample, upper: &Sample) -> Signal {
        if !(lower.begun && upper.begun) {
            return Signal::None;
        }
        let rise = upper.mean - lower.mean;
        let weights = lower.weights + upper.weights;
        if rise > (weights * self.drift / 2.0).sqrt() {
            Signal::Drift
        } else if rise > (weights * self.warning / 2.0).sqrt() {
            Signal::Warning
        } else {
            Signal::None
        }
    }
}

impl Detector for HddmW {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        let lambda = self.lambda;
        let State { all, low, high, .. } = &mut self.state;
        all.update(value, lambda);
        let bound = (all.weights * self.drift / 2.0).sqrt();
        if all.mean + bound < low.level {
            *low = Cut { level: all.mean + bound, before: *all, after: EMPTY };
        } else {
            low.after.update(value, lambda);
        }
        if self.two_sided {
            if all.mean - bound > high.level {
                *high = Cut { level: all.mean - bound, before: *all, after: EMPTY };
            } else {
                high.after.update(value, lambda);
            }
        }
        let State { low, high, .. } = &self.state;
        let mut signal = self.judge(&low.before, &low.after);
        if self.two_sided {
            signal = signal.max(self.judge(&high.after, &high.before));
        }
        self.state.drifted = signal == Signal::Drift;
        signal
    }

    fn reset(&mut self) {
        self.state = FRESH;
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let State { all, low, .. } = self.state;
        vec![
            ("mean", all.mean),
            ("weights", all.weights),
            ("before", low.before.mean),
            ("after", low.after.mean),
            ("level", low.level),
        ]
    }

    fn state(&self) -> Vec<u8> {
        pack(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        self.state = unpack(CARD.name, state, |_| true)?;
        Ok(())
    }
}
