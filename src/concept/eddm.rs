//! EDDM: the distances between errors grow while a concept is learnt, and shrink when it changes slowly.
//!
//! Baena-García et al. (2006), "Early drift detection method", in River's form (0.26): p' + 2 s' is the mean plus two
//! sample standard deviations of the distances between errors, compared with its maximum after `warm_start` values and
//! errors; a share below `alpha` warns, below `beta` it is a drift. A warning holds until the next error says otherwise.
//! A value is an error when it is exactly 1. (River raises to the power 0.5 where a square root is taken here.)

use serde::{Deserialize, Serialize};

use super::card::{Card, Input, Parameter, Range, Settings, Value};
use super::running::{Variance, real};
use super::{Detector, Signal, StateError, pack, unpack};

pub(super) static CARD: Card = Card {
    name: "eddm",
    title: "EDDM",
    about: "Distances between errors that shrink",
    source: "Baena-García et al. 2006; equals river.drift.binary.EDDM",
    input: Input::Unit,
    restarts: true,
    parameters: &[
        Parameter {
            name: "warm_start",
            about: "errors before the first signal",
            default: Value::Integer(30),
            range: Range::Integer(0, 1 << 31),
        },
        Parameter {
            name: "alpha",
            about: "share of the largest distance below which it warns",
            default: Value::Real(0.95),
            range: Range::Real(0.0, 1.0),
        },
        Parameter {
            name: "beta",
            about: "share of the largest distance below which it is a drift",
            default: Value::Real(0.9),
            range: Range::Real(0.0, 1.0),
        },
    ],
    check: |settings| {
        let (alpha, beta) = (settings.real("alpha"), settings.real("beta"));
        if alpha < beta { Err(format!("alpha ({alpha}) must not be below beta ({beta})")) } else { Ok(()) }
    },
    build: |settings| Box::new(Eddm::new(settings)),
};

struct Eddm {
    warm_start: u64,
    alpha: f64,
    beta: f64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    /// Values and errors so far, and the number of the latest error.
    n: u64,
    errors: u64,
    last: u64,
    distances: Variance,
    largest: f64,
    warned: bool,
    drifted: bool,
}

impl State {
    fn fresh() -> Self {
        Self { n: 0, errors: 0, last: 0, distances: Variance::default(), largest: -1.0, warned: false, drifted: false }
    }
}

impl Eddm {
    fn new(settings: &Settings) -> Self {
        Self {
            warm_start: settings.integer("warm_start"),
            alpha: settings.real("alpha"),
            beta: settings.real("beta"),
            state: State::fresh(),
        }
    }

    /// An error came: its distance from the one before.
    fn error(&mut self) {
        let state = &mut self.state;
        state.errors += 1;
        state.distances.update(real(state.n - state.last));
        state.last = state.n;
        if state.n <= self.warm_start {
            return;
        }
        let distance = state.distances.mean.mean + 2.0 * state.distances.get().sqrt();
        if distance > state.largest {
            state.largest = distance;
        } else if state.errors > self.warm_start {
            let share = distance / state.largest;
            if share < self.beta {
                state.drifted = true;
            } else {
                state.warned = share < self.alpha;
            }
        }
    }
}

impl Detector for Eddm {
    #[inline]
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        self.state.n += 1;
        if value == 1.0 {
            self.error();
        }
        match self.state {
            State { drifted: true, .. } => Signal::Drift,
            State { warned: true, .. } => Signal::Warning,
            _ => Signal::None,
        }
    }

    fn reset(&mut self) {
        self.state = State::fresh();
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let State { n, errors, distances, largest, .. } = self.state;
        let (mean, variance) = (distances.mean.mean, distances.get());
        vec![("n", real(n)), ("errors", real(errors)), ("mean", mean), ("variance", variance), ("largest", largest)]
    }

    fn state(&self) -> Vec<u8> {
        pack(&self.state)
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        self.state = unpack(CARD.name, state, |state: &State| state.last <= state.n)?;
        Ok(())
    }
}
