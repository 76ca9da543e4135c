//! Degradation: the mean of the last values, against a baseline.
//!
//! With w = `window`: silent below w/2 values; a drift while baseline − mean > `threshold`, for every value as long as it
//! lasts. Without a `baseline`, it is the mean of the first w values. `direction = rise` is for errors and losses, where more is
//! worse: mean − baseline > threshold.

use serde::{Deserialize, Serialize};

use super::card::{Card, Input, Parameter, Range, Settings, Value, no_check};
use super::running::real;
use super::{Detector, Signal, StateError, pack, unpack};

pub(super) static CARD: Card = Card {
    name: "degradation",
    title: "Degradation",
    about: "A windowed mean of a performance that falls below its baseline",
    source: "the definition in its documentation; no peer has it",
    input: Input::Real,
    restarts: false,
    parameters: &[
        Parameter {
            name: "window",
            about: "values in the mean; silent below half of them",
            default: Value::Integer(100),
            range: Range::Integer(1, 1_000_000),
        },
        Parameter {
            name: "threshold",
            about: "difference to the baseline that is a drift",
            default: Value::Real(0.05),
            range: Range::Real(0.0, f64::INFINITY),
        },
        Parameter {
            name: "baseline",
            about: "performance to compare with; without it, the mean of the first window",
            default: Value::Unset,
            range: Range::Optional,
        },
        Parameter {
            name: "direction",
            about: "whether a drop or a rise is worse",
            default: Value::Word("drop"),
            range: Range::Choice(&["drop", "rise"]),
        },
    ],
    check: no_check,
    build: |settings| Box::new(Degradation::new(settings)),
};

struct Degradation {
    window: usize,
    threshold: f64,
    given: Option<f64>,
    rise: bool,
    state: State,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    baseline: Option<f64>,
    /// The last values; the oldest of a full window stands at `oldest`.
    values: Vec<f64>,
    oldest: usize,
    sum: f64,
}

impl Degradation {
    fn new(settings: &Settings) -> Self {
        let given = settings.optional("baseline");
        Self {
            window: settings.size("window"),
            threshold: settings.real("threshold"),
            given,
            rise: settings.word("direction") == "rise",
            state: State { baseline: given, ..State::default() },
        }
    }

    fn mean(&self) -> f64 {
        self.state.sum / real(self.state.values.len() as u64)
    }
}

impl Detector for Degradation {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        let state = &mut self.state;
        if state.values.len() < self.window {
            state.values.push(value);
            state.sum += value;
        } else {
            state.sum += value - state.values[state.oldest];
            state.values[state.oldest] = value;
            state.oldest += 1;
            if state.oldest == self.window {
                state.oldest = 0;
                // Rounding does not add up over more than one window.
                state.sum = state.values.iter().sum();
            }
        }
        if 2 * state.values.len() < self.window {
            return Signal::None;
        }
        let Some(baseline) = self.state.baseline else {
            if self.state.values.len() == self.window {
                self.state.baseline = Some(self.mean());
            }
            return Signal::None;
        };
        let worse = if self.rise { self.mean() - baseline } else { baseline - self.mean() };
        if worse > self.threshold { Signal::Drift } else { Signal::None }
    }

    fn reset(&mut self) {
        self.state = State { baseline: self.given, ..State::default() };
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let mean = if self.state.values.is_empty() { 0.0 } else { self.mean() };
        vec![("mean", mean), ("baseline", self.state.baseline.unwrap_or(mean)), ("sum", self.state.sum)]
    }

    fn state(&self) -> Vec<u8> {
        pack(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        self.state = unpack(CARD.name, state, |state: &State| {
            state.values.len() <= self.window
                && (state.oldest == 0 || (state.values.len() == self.window && state.oldest < self.window))
        })?;
        Ok(())
    }
}
