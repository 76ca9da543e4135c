//! CUSUM: what the values exceed their mean by, added up, and never below zero.
//!
//! Page (1954), "Continuous inspection schemes", as frouros 0.9.0 has it: sum = max(0, sum + x − mean − δ), a drift when
//! sum > λ after `min_num_instances` values. frouros leaves the reset to its caller; here it comes after each drift.

use serde::{Deserialize, Serialize};

use super::card::{Card, Input, Parameter, Range, Settings, Value, no_check};
use super::running::real;
use super::{Detector, Signal, StateError, pack, unpack};

pub(super) static CARD: Card = Card {
    name: "cusum",
    title: "CUSUM",
    about: "A cumulative sum above the mean",
    source: "Page 1954; equals frouros 0.9.0 CUSUM with a reset after each drift",
    input: Input::Real,
    restarts: true,
    parameters: &[
        Parameter {
            name: "delta",
            about: "excess that is no change",
            default: Value::Real(0.005),
            range: Range::Real(0.0, 1.0),
        },
        Parameter {
            name: "lambda",
            about: "sum that is a drift",
            default: Value::Real(50.0),
            range: Range::Real(0.0, f64::INFINITY),
        },
        Parameter {
            name: "min_num_instances",
            about: "values before the first signal",
            default: Value::Integer(30),
            range: Range::Integer(0, 1 << 31),
        },
    ],
    check: no_check,
    build: |settings| Box::new(Cusum::new(settings)),
};

struct Cusum {
    delta: f64,
    lambda: f64,
    min_instances: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    n: u64,
    mean: f64,
    sum: f64,
    drifted: bool,
}

impl Cusum {
    fn new(settings: &Settings) -> Self {
        Self {
            delta: settings.real("delta"),
            lambda: settings.real("lambda"),
            min_instances: settings.integer("min_num_instances"),
            state: State::default(),
        }
    }
}

impl Detector for Cusum {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        let state = &mut self.state;
        state.n += 1;
        // frouros divides where River multiplies by the reciprocal.
        state.mean += (value - state.mean) / real(state.n);
        state.sum = (state.sum + value - state.mean - self.delta).max(0.0);
        state.drifted = state.n >= self.min_instances && state.sum > self.lambda;
        if state.drifted { Signal::Drift } else { Signal::None }
    }

    fn reset(&mut self) {
        self.state = State::default();
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let State { n, mean, sum, .. } = self.state;
        vec![("n", real(n)), ("mean", mean), ("sum", sum)]
    }

    fn state(&self) -> Vec<u8> {
        pack(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        self.state = unpack(CARD.name, state, |_| true)?;
        Ok(())
    }
}
