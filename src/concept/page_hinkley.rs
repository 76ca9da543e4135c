//! Page–Hinkley: the sum of deviations from the mean, against its lowest and highest point.
//!
//! Page (1954), "Continuous inspection schemes", in River's form (0.26): both sums fade by `alpha`; up = sum of
//! x − mean − δ, tested as up − min(up) > λ; down = sum of x − mean + δ, tested as max(down) − down > λ.

use serde::{Deserialize, Serialize};

use super::card::{Card, Input, Parameter, Range, Settings, Value, no_check};
use super::running::{Mean, real};
use super::{Detector, Signal, StateError, pack, unpack};

pub(super) static CARD: Card = Card {
    name: "page_hinkley",
    title: "Page-Hinkley",
    about: "Deviations from the mean that add up",
    source: "Page 1954; equals river.drift.PageHinkley",
    input: Input::Real,
    restarts: true,
    parameters: &[
        Parameter {
            name: "min_instances",
            about: "values before the first signal",
            default: Value::Integer(30),
            range: Range::Integer(0, 1 << 31),
        },
        Parameter {
            name: "delta",
            about: "deviation that is no change",
            default: Value::Real(0.005),
            range: Range::Real(0.0, f64::INFINITY),
        },
        Parameter {
            name: "threshold",
            about: "sum of deviations that is a drift",
            default: Value::Real(50.0),
            range: Range::Real(0.0, f64::INFINITY),
        },
        Parameter {
            name: "alpha",
            about: "weight of the sum so far when a value comes",
            default: Value::Real(1.0 - 0.0001),
            range: Range::Real(0.0, 1.0),
        },
        Parameter {
            name: "mode",
            about: "which changes count",
            default: Value::Word("both"),
            range: Range::Choice(&["up", "down", "both"]),
        },
    ],
    check: no_check,
    build: |settings| Box::new(PageHinkley::new(settings)),
};

struct PageHinkley {
    min_instances: u64,
    delta: f64,
    threshold: f64,
    alpha: f64,
    up: bool,
    down: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    mean: Mean,
    increase: f64,
    decrease: f64,
    least_increase: f64,
    most_decrease: f64,
    drifted: bool,
}

/// The highest point of the downward sum begins at −1, as in River.
const FRESH: State = State {
    mean: Mean { n: 0, mean: 0.0 },
    increase: 0.0,
    decrease: 0.0,
    least_increase: f64::INFINITY,
    most_decrease: -1.0,
    drifted: false,
};

impl PageHinkley {
    fn new(settings: &Settings) -> Self {
        let mode = settings.word("mode");
        Self {
            min_instances: settings.integer("min_instances"),
            delta: settings.real("delta"),
            threshold: settings.real("threshold"),
            alpha: settings.real("alpha"),
            up: mode != "down",
            down: mode != "up",
            state: FRESH,
        }
    }
}

impl Detector for PageHinkley {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        let state = &mut self.state;
        state.mean.update(value);
        let deviation = value - state.mean.mean;
        state.increase = self.alpha * state.increase + deviation - self.delta;
        state.decrease = self.alpha * state.decrease + deviation + self.delta;
        if state.increase < state.least_increase {
            state.least_increase = state.increase;
        }
        if state.decrease > state.most_decrease {
            state.most_decrease = state.decrease;
        }
        let risen = self.up && state.increase - state.least_increase > self.threshold;
        let fallen = self.down && state.most_decrease - state.decrease > self.threshold;
        state.drifted = (risen || fallen) && state.mean.n >= self.min_instances;
        if state.drifted { Signal::Drift } else { Signal::None }
    }

    fn reset(&mut self) {
        self.state = FRESH;
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let State { mean, increase, decrease, least_increase, most_decrease, .. } = self.state;
        vec![
            ("mean", mean.mean),
            ("increase", increase),
            ("decrease", decrease),
            ("least_increase", least_increase),
            ("most_decrease", most_decrease),
            ("n", real(mean.n)),
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
