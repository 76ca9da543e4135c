//! From counts to exact facts about two samples: the host's half of the counting.
//!
//! A backend counts both samples of a feature into some thousand cells. Here the host decides, in integers, which
//! cells can still hold the largest gap between the two ECDFs, a quantile or a bin edge, asks for the keys of those
//! cells only, and finishes exactly. Which cells there were never shows in a result.
//!
//! ```text
//!     sample -> CellMap -> count_cells -> candidates -> select -> Compared
//!                              ^               |
//!                              +--- zoom ------+   only where a cell holds more than the memory allows
//! ```

mod atoms;
mod feature;
mod level;
mod merge;
mod plan;
mod quantile;
mod query;
mod rounds;

pub use atoms::{ATOM, Atom};
pub use plan::{MOST_CELLS, SAMPLE_KEYS, map_for, rows_of_both, sample_of, sample_of_both};
pub use quantile::QUANTILES;
pub(crate) use quantile::{neighbours, quantile_between};
pub use query::{Compared, Outliers, PsiBins, Query};
pub use rounds::{Pair, compare};
