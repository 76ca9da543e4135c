//! Windows of time: which rows of a feature store are the reference, and which are current.
//!
//! A [`WindowSpec`] is what was typed (`yesterday`, `2026-11`, `2026-01-01..2026-03-31`), a [`Window`] what it means on a
//! given night in a given time zone: a half-open interval, start included, end excluded. A day with a change to or from
//! summer time has 23 or 25 hours. Several windows cut time into disjoint slices; a row lies in one slice, and a
//! window is a run of slices, so rows are read once however many windows they lie in.
//!
//! ```text
//!     reference window       [=============================)
//!     previous                                      [====)
//!     current                                            [====)
//!     slices                 [         0            )[ 1 )[ 2 )[ 3 ) ...
//! ```
//!
//! No files and no columns here; [`partition`] reads times from the names of folders.

mod error;
pub mod partition;
mod resolve;
mod slices;
mod spec;

pub use error::WindowError;
pub(crate) use resolve::zone;
pub use resolve::{AsOf, Moment, Window};
pub(crate) use slices::{Clock, Extent, Slices, Ticks};
pub use spec::{Every, Span, WindowSpec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// With what the current window is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Compare {
    /// The reference: its window, or all of its data
    Reference,
    /// The window of the same length right before
    Previous,
    /// The same days one week earlier
    SameWeekday,
    /// The same dates one year earlier, for what has seasons
    LastYear,
}

impl Compare {
    /// The name on the command line and in the report.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Previous => "previous",
            Self::SameWeekday => "same-weekday",
            Self::LastYear => "last-year",
        }
    }
}
