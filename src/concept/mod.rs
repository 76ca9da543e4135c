//! Concept drift: has the relation between features and label changed? Detectors that watch one stream of errors, losses
//! or any other number, value by value, and say when it changed.
//!
//! ```text
//!     rows of Parquet ──► streams (model × segment) ──► detectors, one state each ──► signals ──► report
//!                                                         ▲              │
//!                                                         └─ state file ─┘   from night to night
//! ```
//!
//! Every [`Detector`] is a machine of its own: [`update`](Detector::update) takes the next value and answers with a
//! [`Signal`]. Its whole memory is its [state](Detector::state), exact to the bit, so a stream that is cut anywhere and
//! continued gives the same answers as one run. Answers equal those of River (frouros for CUSUM), tick by tick: sums run
//! in the same order of floating-point operations.
//!
//! [`DETECTORS`] lists them. A new detector is a file beside the others and a line there.
//!
//! | part | what happens there |
//! |---|---|
//! | [`Card`], [`Spec`] | what a detector is called and takes; what was typed becomes checked settings |
//! | [`Stream`] | the detectors of one stream, and what they said so far |
//! | `state` | all streams in one file between two nights |
//! | [`scan`](mod@scan) | rows to streams, streams to a report |

mod adwin;
mod card;
mod cusum;
mod ddm;
mod degradation;
mod eddm;
mod error;
mod hddm_a;
mod hddm_w;
mod kswin;
mod lanes;
mod options;
mod order;
mod page_hinkley;
mod python_random;
mod report;
mod rows;
mod running;
pub mod scan;
mod spec;
mod state;
mod stream;
mod table;

pub use card::{Card, Input, Parameter, Settings, Value};
pub use error::ConceptError;
pub use options::ConceptOptions;
pub use report::{ConceptReport, Found, RunFacts, StreamReport, Summary, WatchReport};
pub use rows::{Loss, ValueSource};
pub use scan::{ConceptConfig, ConceptRun};
pub use spec::{Spec, SpecError, specs};
pub use state::StateFileError;
pub use stream::{Event, Rows, Stream};

/// Every detector, in the order in which they are listed and reported.
pub static DETECTORS: [&Card; 9] = [
    &adwin::CARD,
    &ddm::CARD,
    &eddm::CARD,
    &hddm_a::CARD,
    &hddm_w::CARD,
    &page_hinkley::CARD,
    &kswin::CARD,
    &cusum::CARD,
    &degradation::CARD,
];

/// The detector of this name.
#[must_use]
pub fn detector(name: &str) -> Option<&'static Card> {
    DETECTORS.into_iter().find(|card| card.name == name)
}

/// What a detector says about the value that it was just given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// No change.
    None,
    /// A change may be under way.
    Warning,
    /// The stream changed.
    Drift,
}

/// A detector with its memory of one stream.
///
/// After [`Signal::Drift`] a detector forgets its memory and starts anew with the next value, as River's do, except
/// where its [card](Card::restarts) says that it goes on.
pub trait Detector: Send {
    /// Takes the next value of the stream.
    ///
    /// The value is finite, and in [0, 1] where the [card](Card::input) says so. Other values do no harm beyond answers
    /// without meaning.
    fn update(&mut self, value: f64) -> Signal;

    /// Takes the next values, and tells `hear` about every one that gave a signal: its index in `values`, and which.
    fn update_all(&mut self, values: &[f64], hear: &mut dyn FnMut(usize, Signal)) {
        for (index, &value) in values.iter().enumerate() {
            let signal = self.update(value);
            if signal != Signal::None {
                hear(index, signal);
            }
        }
    }

    /// Forgets everything but the settings.
    fn reset(&mut self);

    /// What the detector knows, by name: estimates and sums after the latest value.
    fn statistics(&self) -> Vec<(&'static str, f64)>;

    /// The memory, as bytes that [`restore`](Detector::restore) takes back: every number to the bit.
    fn state(&self) -> Vec<u8>;

    /// Goes on where a detector of the same settings gave [`state`](Detector::state).
    ///
    /// # Errors
    /// When these bytes are no such state; the detector is as it was then.
    fn restore(&mut self, state: &[u8]) -> Result<(), StateError>;
}

/// Bytes that are not the state of the detector that they were given to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no state of {detector}: {reason}")]
pub struct StateError {
    /// Name of the detector.
    pub detector: &'static str,
    /// What is wrong with them.
    pub reason: String,
}

/// Bytes of a state.
fn pack<T: serde::Serialize>(state: &T) -> Vec<u8> {
    postcard::to_allocvec(state).expect("numbers and lists of numbers can be written to memory")
}

/// A state from bytes, if it `fits` the settings.
fn unpack<T: serde::de::DeserializeOwned>(
    detector: &'static str,
    bytes: &[u8],
    fits: impl FnOnce(&T) -> bool,
) -> Result<T, StateError> {
    let wrong = |reason: String| StateError { detector, reason };
    match postcard::take_from_bytes(bytes) {
        Ok((state, [])) if fits(&state) => Ok(state),
        Ok((_, [])) => Err(wrong("it does not fit the settings".to_owned())),
        Ok((_, rest)) => Err(wrong(format!("{} bytes are left over", rest.len()))),
        Err(error) => Err(wrong(error.to_string())),
    }
}
