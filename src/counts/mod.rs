//! The waist of gpudrift: keys, cells and counts. Integers only; imports nothing of ours.
//!
//! A value becomes an order-preserving unsigned [key](Keys). A [`CellMap`] cuts the keys into cells that stand in
//! ascending order. A backend finds the cell of every key and adds one, so all it returns is [`CellCounts`], and
//! counts of any two pieces of the same sample add.
//!
//! ```text
//!     keys        0 ... lo ............................ hi ... max
//!     cells       [ 0 ][ 1 ][ 2 ][    3    ][ 4 ] ... [ n ][ n+1 ]
//!                 below      inner, narrow where the sample is dense     above
//! ```
//!
//! With pivots every one of these cells is cut once more, at one key of its own, so that a value that many rows share
//! is a cell by itself:
//!
//! ```text
//!     cell c             pivot p of c
//!     sub-cells     [3c]: key < p   [3c+1]: key = p   [3c+2]: key > p
//! ```

mod cell_map;
mod cells;
mod key;
mod scale;
mod weighted;

pub use cell_map::{CellMap, MapView, Segment};
pub use cells::{CellCounts, CellSet};
pub use key::{Key, Keys, with_keys};
pub use scale::Scale;
pub use weighted::Weighted;
