//! DDM: the error rate of a learner falls while its concept stays, and rises when it does not.
//!
//! Gama, Medas, Castillo and Rodrigues (2004), "Learning with drift detection", in River's form (0.26): p is the error
//! rate so far, s = √(p (1 − p) / n); p_min and s_min are those where p + s was least, of more than `warm_start`
//! values. Strict comparison: p + s > p_min + 2 s_min warns, + 3 s_min is a drift.

use serde::{Deserialize, Serialize};

use super::card::{Card, Input, Parameter, Range, Settings, Value, no_check};
use super::running::{Mean, real};
use super::{Detector, Signal, StateError, pack, unpack};

pub(super) static CARD: Card = Card {
    name: "ddm",
    title: "DDM",
    about: "An error rate that rises above its lowest level",
    source: "Gama et al. 2004; equals river.drift.binary.DDM",
    input: Input::Unit,
    restarts: true,
    parameters: &[
        Parameter {
            name: "warm_start",
            about: "values before the first signal",
            default: Value::Integer(30),
            range: Range::Integer(0, 1 << 31),
        },
        Parameter {
            name: "warning_threshold",
            about: "standard deviations above the minimum that warn",
            default: Value::Real(2.0),
            range: Range::Real(0.0, f64::INFINITY),
        },
        Parameter {
            name: "drift_threshold",
            about: "standard deviations above the minimum that are a drift",
            default: Value::Real(3.0),
            range: Range::Real(0.0, f64::INFINITY),
        },
    ],
    check: no_check,
    build: |settings| Box::new(Ddm::new(settings)),
};

struct Ddm {
    warm_start: u64,
    warning: f64,
    drift: f64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    rate: Mean,
    least_rate: f64,
    least_deviation: f64,
    /// p_min + s_min.
    least: f64,
    drifted: bool,
}

const FRESH: State = State {
    rate: Mean { n: 0, mean: 0.0 },
    least_rate: 0.0,
    least_deviation: 0.0,
    least: f64::INFINITY,
    drifted: false,
};

impl Ddm {
    fn new(settings: &Settings) -> Self {
        Self {
            warm_start: settings.integer("warm_start"),
            warning: settings.real("warning_threshold"),
            drift: settings.real("drift_threshold"),
            state: FRESH,
        }
    }
}

impl Detector for Ddm {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        let state = &mut self.state;
        state.rate.update(value);
        let Mean { n, mean: rate } = state.rate;
        if n <= self.warm_start {
            return Signal::None;
        }
        let deviation = (rate * (1.0 - rate) / real(n)).sqrt();
        let level = rate + deviation;
        if level <= state.least {
            (state.least_rate, state.least_deviation, state.least) = (rate, deviation, level);
        }
        if level > state.least_rate + self.drift * state.least_deviation {
            state.drifted = true;
            Signal::Drift
        } else if level > state.least_rate + self.warning * state.least_deviation {
            Signal::Warning
        } else {
            Signal::None
        }
    }

    fn reset(&mut self) {
        self.state = FRESH;
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let State { rate, least_rate, least_deviation, .. } = self.state;
        vec![("n", real(rate.n)), ("p", rate.mean), ("p_min", least_rate), ("s_min", least_deviation)]
    }

    fn state(&self) -> Vec<u8> {
        pack(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        self.state = unpack(CARD.name, state, |_| true)?;
        Ok(())
    }
}
