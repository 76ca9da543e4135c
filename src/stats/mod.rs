//! Tail probabilities: from a statistic to its p-value, and from the p-values of a run to q-values.
//!
//! Pure functions of numbers, in f64, on the host. Nothing here knows of counts, features or files. All of them keep *relative*
//! precision down to 1e-300 (a p-value is compared on a log scale, and Benjamini–Hochberg multiplies it by the number of features), and
//! all give the same bits on every machine: exp, log and the rest come from `libm`, not from the platform.
//!
//! ```text
//! ks_two_sample ─┬─ ks_exact ─┬─ equal sizes: closed form
//!                │            └─ lattice_path, lattice_grid: share of paths outside a strip
//!                └─ kolmogorov_sf ─┬─ smirnov_tail          tail
//!                                  ├─ kolmogorov_matrix     centre, small n d
//!                                  └─ kolmogorov_poles      centre
//! chi_squared_sf ─── incomplete gamma function
//! Gamma ──────────── scaled chi-squared distributions by their mean and variance, and a square beside one
//! adjust ─────────── families of p-values
//! interval ───────── confidence intervals, and the tests that go with them
//! two_sample ─────── two shares, two means, two places
//! ```
//!
//! Below them all, `binomial` holds factorials and binomial probabilities free of cancellation.

mod adjust;
mod binomial;
mod chi_squared;
mod float;
mod gamma;
mod interval;
mod kolmogorov;
mod kolmogorov_matrix;
mod kolmogorov_poles;
mod ks;
mod ks_exact;
mod lattice_grid;
mod lattice_path;
mod smirnov_tail;
mod two_sample;

pub use adjust::{Adjustment, adjust};
pub use binomial::binomial_nodes;
pub use chi_squared::chi_squared_sf;
pub use gamma::Gamma;
pub use interval::{Confidence, fair_coin_p, normal_two_sided};
pub use kolmogorov::kolmogorov_sf;
pub use ks::{KsChoice, KsMethod, KsPValue, ks_two_sample};
pub use two_sample::{Spread, TwoSample, mann_whitney, two_proportions, welch};
