//! KSWIN: the newest values against a sample of those before them, by the Kolmogorov–Smirnov test.
//!
//! Raab, Heusinger and Schleif (2020), "Reactive soft prototype computing for concept drift streams", in River's form
//! (0.26): of a window of `window_size` values the last `stat_size` are compared with as many drawn at random from the
//! rest; p ≤ α and D > 0.1 is a drift. The draws are those of Python's `random.Random(seed)`, so that a seed gives
//! River's answers; like there, a drift sets the generator back to its seed.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::card::{Card, Input, Parameter, Range, Settings, Value};
use super::python_random::PythonRandom;
use super::running::real;
use super::{Detector, Signal, StateError, pack, unpack};
use crate::stats::{KsChoice, ks_two_sample};

/// River's second condition on D.
const LEAST_DISTANCE: f64 = 0.1;

pub(super) static CARD: Card = Card {
    name: "kswin",
    title: "KSWIN",
    about: "The distribution of the newest values in a sliding window",
    source: "Raab et al. 2020; equals river.drift.KSWIN with the same seed",
    input: Input::Real,
    restarts: true,
    parameters: &[
        Parameter {
            name: "alpha",
            about: "significance of the test at every value",
            default: Value::Real(0.005),
            range: Range::Real(0.0, 1.0),
        },
        Parameter {
            name: "window_size",
            about: "values in the window",
            default: Value::Integer(100),
            range: Range::Integer(2, 1_000_000),
        },
        Parameter {
            name: "stat_size",
            about: "newest values that are compared, at most half the window",
            default: Value::Integer(30),
            range: Range::Integer(1, 500_000),
        },
        Parameter {
            name: "seed",
            about: "of the random sample; River's default is none, and other draws every time",
            default: Value::Integer(1),
            range: Range::Integer(0, u64::MAX),
        },
    ],
    check: |settings| {
        let (window, newest) = (settings.integer("window_size"), settings.integer("stat_size"));
        if 2 * newest > window {
            return Err(format!("stat_size ({newest}) must be at most half of window_size ({window})"));
        }
        Ok(())
    },
    build: |settings| Box::new(Kswin::new(settings)),
};

struct Kswin {
    window: usize,
    newest: usize,
    seed: u64,
    /// The least gap, as a number of values, whose p-value is at most alpha.
    critical: usize,
    state: State,
    /// The newest values of a full window, sorted: they follow from the state.
    sorted: Vec<f64>,
    room: Room,
}

/// What the state of a stream is: values in the order in which they came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    values: Vec<f64>,
    /// The window begins here; what stands before has left it.
    start: usize,
    random: PythonRandom,
    drifted: bool,
}

/// Room to work in.
#[derive(Default)]
struct Room {
    pool: Vec<u32>,
    drawn: Vec<u32>,
    sample: Vec<f64>,
}

impl Kswin {
    fn new(settings: &Settings) -> Self {
        let (newest, alpha) = (settings.integer("stat_size"), settings.real("alpha"));
        let rejects = |gap: u64| {
            let p = ks_two_sample(u128::from(gap) * u128::from(newest), newest, newest, KsChoice::Auto);
            p.is_some_and(|p| p.p_value <= alpha)
        };
        // p falls with the gap.
        let (mut low, mut high) = (0, newest + 1);
        while low < high {
            let middle = u64::midpoint(low, high);
            if rejects(middle) { high = middle } else { low = middle + 1 }
        }
        let seed = settings.integer("seed");
        Self {
            window: settings.size("window_size"),
            newest: settings.size("stat_size"),
            seed,
            critical: usize::try_from(low).unwrap_or(usize::MAX),
            state: State { values: Vec::new(), start: 0, random: PythonRandom::new(seed), drifted: false },
            sorted: Vec::new(),
            room: Room::default(),
        }
    }

    /// Whether the newest values differ from a sample of the others.
    fn differs(&mut self) -> bool {
        let Room { pool, drawn, sample } = &mut self.room;
        let older = u32::try_from(self.window - self.newest).expect("a window has at most a million values");
        let newest = u32::try_from(self.newest).expect("at most half of them");
        self.state.random.sample(older, newest, pool, drawn);
        let window = &self.state.values[self.state.start..];
        sample.clear();
        sample.extend(drawn.iter().map(|&at| window[at as usize]));
        sample.sort_unstable_by(f64::total_cmp);
        let largest = walk(sample, &self.sorted, 0, |largest, i, j| largest.max(i.abs_diff(j)));
        if largest < self.critical {
            return false;
        }
        // SciPy's D is a difference of two rounded shares.
        let n = real(self.newest as u64);
        let share = |count: usize| real(count as u64) / n;
        walk(sample, &self.sorted, 0.0, |d: f64, i, j| d.max((share(i) - share(j)).abs())) > LEAST_DISTANCE
    }

    /// The sorted newest values of a full window.
    fn sort_newest(&mut self) {
        self.sorted.clear();
        let values = &self.state.values[self.state.start..];
        if values.len() == self.window {
            self.sorted.extend_from_slice(&values[self.window - self.newest..]);
            self.sorted.sort_unstable_by(f64::total_cmp);
        }
    }

    /// Puts the newest value in its place, and takes out the one that is not among the newest any more.
    fn slide_newest(&mut self) {
        let values = &self.state.values[self.state.start..];
        let (gone, come) = (values[self.window - self.newest - 1], values[self.window - 1]);
        let place =
            |sorted: &[f64], value: f64| sorted.partition_point(|other| other.total_cmp(&value) == Ordering::Less);
        self.sorted.remove(place(&self.sorted, gone));
        self.sorted.insert(place(&self.sorted, come), come);
    }
}

/// Folds the two counts of values that are at most x, for every x of two sorted lists.
#[inline]
fn walk<T>(a: &[f64], b: &[f64], start: T, mut fold: impl FnMut(T, usize, usize) -> T) -> T {
    let at_most = |value: f64, x: f64| value.total_cmp(&x) != Ordering::Greater;
    let (mut i, mut j, mut result) = (0, 0, start);
    while i < a.len() && j < b.len() {
        let x = if at_most(a[i], b[j]) { a[i] } else { b[j] };
        while i < a.len() && at_most(a[i], x) {
            i += 1;
        }
        while j < b.len() && at_most(b[j], x) {
            j += 1;
        }
        result = fold(result, i, j);
    }
    result
}

impl Detector for Kswin {
    fn update(&mut self, value: f64) -> Signal {
        if self.state.drifted {
            self.reset();
        }
        let full = self.state.values.len() - self.state.start == self.window;
        if full {
            self.state.start += 1;
        }
        if self.state.start == self.window {
            self.state.values.drain(..self.window);
            self.state.start = 0;
        }
        // −0 and 0 are one value.
        self.state.values.push(value + 0.0);
        if full {
            self.slide_newest();
        } else if self.state.values.len() - self.state.start == self.window {
            self.sort_newest();
        } else {
            return Signal::None;
        }
        self.state.drifted = self.differs();
        if self.state.drifted { Signal::Drift } else { Signal::None }
    }

    fn reset(&mut self) {
        self.state.values.clear();
        self.sorted.clear();
        self.state.start = 0;
        self.state.random = PythonRandom::new(self.seed);
        self.state.drifted = false;
    }

    fn statistics(&self) -> Vec<(&'static str, f64)> {
        let size = (self.state.values.len() - self.state.start) as u64;
        vec![("size", real(size)), ("critical", real(self.critical as u64))]
    }

    fn state(&self) -> Vec<u8> {
        pack(&State { values: self.state.values[self.state.start..].to_vec(), start: 0, ..self.state.clone() })
    }

    fn restore(&mut self, state: &[u8]) -> Result<(), StateError> {
        self.state = unpack(CARD.name, state, |state: &State| {
            state.start == 0 && state.values.len() <= self.window && state.random.is_sound()
        })?;
        self.sort_newest();
        Ok(())
    }
}
