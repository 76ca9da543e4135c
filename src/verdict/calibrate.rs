//! Limits that are learned rather than fixed.
//!
//! [`psi_limits`] asks what PSI a split of the reference gives: windows of the current side's size, drawn from the
//! reference's rows at random, have no drift, so the PSI that they reach is chance. Bins are counted, so no row is
//! needed: how many of m rows drawn from N fall into each bin is multivariate hypergeometric. [`from_past`] asks the same
//! of past runs, which hold what no random split does: weekends, seasons, late data.

use super::Limits;
use crate::format::real;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Splits that are drawn.
const SPLITS: u32 = 200;
/// CRITICAL lies at so many times the limit of WARNING, as 0.2 does to 0.1.
const CRITICAL: f64 = 2.0;

/// Limits of PSI for a feature with `bins` rows of the reference a bin (or category) and `m` values in current, such that
/// a window without drift reaches WARNING with probability `p` at the most. PSI is that of the window against the whole
/// reference, widened by the sampling error that windows inside the reference do not have.
///
/// The splits give mean and variance of PSI; a gamma distribution with these reaches into the tail (PSI without drift is
/// about a scaled chi-squared variable, Yurdakul 2018). `None` without values, or with a single bin.
#[must_use]
pub fn psi_limits(bins: &[u64], m: u64, p: f64, floor: f64) -> Option<Limits> {
    let n: u64 = bins.iter().sum();
    let used = bins.iter().filter(|rows| **rows > 0).count();
    if n < 2 || m == 0 || used < 2 || !(0.0..1.0).contains(&p) {
        return None;
    }
    // A window of the reference as large as current, or the half of it where it is not that large.
    let window = m.min(n / 2).max(1);
    let mut rng = ChaCha8Rng::seed_from_u64(n ^ window.rotate_left(32));
    let psi: Vec<f64> = (0..SPLITS).map(|_| split_psi(bins, window, floor, &mut rng)).collect();
    let count = f64::from(SPLITS);
    let mean = psi.iter().fold(0.0, |sum, x| sum + x) / count;
    let variance = psi.iter().fold(0.0, |sum, x| sum + (x - mean) * (x - mean)) / (count - 1.0);
    if mean <= 0.0 || variance <= 0.0 {
        return None;
    }
    // Windows of the reference against its other rows differ by 1/window + 1/(n − window), current by 1/m + 1/n.
    let scale = (1.0 / real(m) + 1.0 / real(n)) / (1.0 / real(window) + 1.0 / real(n - window));
    let warning = scale * gamma_quantile(mean, variance, p);
    Some(Limits { warning, critical: CRITICAL * warning })
}

/// PSI of a random window of the reference against its other rows.
fn split_psi(bins: &[u64], window: u64, floor: f64, rng: &mut ChaCha8Rng) -> f64 {
    let (mut left, mut wanted) = (bins.iter().sum::<u64>(), window);
    let rest = real(left - window);
    let mut psi = 0.0;
    for &rows in bins {
        let drawn = hypergeometric(left, rows, wanted, rng);
        left -= rows;
        wanted -= drawn;
        let (r, c) = ((real(rows - drawn) / rest).max(floor), (real(drawn) / real(window)).max(floor));
        psi += (c - r) * libm::log(c / r);
    }
    psi
}

/// How many of `wanted` rows drawn from `all` are among `marked` ones. Drawn one by one for small windows, as a rounded
/// normal variable with the same mean and variance beyond, where no count is small enough for the difference to matter.
fn hypergeometric(all: u64, marked: u64, wanted: u64, rng: &mut ChaCha8Rng) -> u64 {
    const ONE_BY_ONE: u64 = 4096;
    if marked == 0 || wanted == 0 {
        return 0;
    }
    let least = wanted.saturating_sub(all - marked);
    let most = wanted.min(marked);
    if least == most {
        return least;
    }
    if wanted <= ONE_BY_ONE {
        let (mut all, mut marked, mut drawn) = (all, marked, 0);
        for _ in 0..wanted {
            if below(rng, all) < marked {
                drawn += 1;
                marked -= 1;
            }
            all -= 1;
        }
        return drawn;
    }
    let (n, k, m) = (real(all), real(marked), real(wanted));
    let variance = m * k / n * (1.0 - k / n) * (n - m) / (n - 1.0).max(1.0);
    let value = (m * k / n + variance.sqrt() * normal(rng)).round();
    to_count(value).clamp(least, most)
}

/// A draw below `bound`, which is not 0. The bias of the multiplication is below 2^-32 for every real number of rows.
fn below(rng: &mut ChaCha8Rng, bound: u64) -> u64 {
    let product = u128::from(rng.next_u64()) * u128::from(bound);
    u64::try_from(product >> 64).expect("the upper half")
}

/// A standard normal variable by Box and Muller.
fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let unit = |draw: u64| (real(draw >> 12) + 0.5) / real(1 << 52);
    let (a, b) = (unit(rng.next_u64()), unit(rng.next_u64()));
    (-2.0 * libm::log(a)).sqrt() * libm::cos(2.0 * std::f64::consts::PI * b)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and the caller clamps")]
fn to_count(value: f64) -> u64 {
    value as u64
}

/// Where a gamma distribution with this mean and variance is exceeded with probability `p`: by Wilson and Hilferty's
/// cube of a normal variable, which is within two percent of it from five degrees of freedom on.
fn gamma_quantile(mean: f64, variance: f64, p: f64) -> f64 {
    let dof = 2.0 * mean * mean / variance;
    let spread = 2.0 / (9.0 * dof);
    let cube = 1.0 - spread + normal_quantile(p) * spread.sqrt();
    mean * (cube * cube * cube).max(0.0)
}

/// z with P(Z > z) = `p`, by bisection of the complementary error function: slow, and exact to the last digits.
fn normal_quantile(p: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if libm::erfc(middle / std::f64::consts::SQRT_2) / 2.0 > p { low = middle } else { high = middle }
    }
    low
}

/// Limits from what past runs without an alarm measured: median and five deviations (1.4826 median absolute deviations),
/// or the highest value where that is higher still. `None` before there are `fewest` runs.
#[must_use]
pub fn from_past(past: &[f64], fewest: usize) -> Option<Limits> {
    let mut values: Vec<f64> = past.iter().copied().filter(|value| value.is_finite()).collect();
    if values.len() < fewest.max(2) {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let median = middle(&values);
    let mut off: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    off.sort_by(f64::total_cmp);
    let warning = (median + 5.0 * 1.4826 * middle(&off)).max(values[values.len() - 1]);
    Some(Limits { warning, critical: CRITICAL * warning })
}

fn middle(sorted: &[f64]) -> f64 {
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_follow_the_sizes() {
        let limit = |n: u64, m: u64| psi_limits(&[n / 10; 10], m, 1e-3, 0.001).unwrap().warning;
        // chi-squared with nine degrees of freedom exceeds 27.88 with probability 0.001.
        for (n, m) in [(1000, 1000), (10_000, 1000), (100_000, 100_000), (1_000_000, 200)] {
            let expected = 27.88 * (1.0 / real(n) + 1.0 / real(m));
            let found = limit(n, m);
            assert!((found / expected - 1.0).abs() < 0.25, "{n} and {m}: {found} against {expected}");
        }
    }

    #[test]
    fn the_same_reference_gives_the_same_limits() {
        let bins = [500, 20, 0, 900, 1];
        assert_eq!(psi_limits(&bins, 300, 1e-6, 0.001), psi_limits(&bins, 300, 1e-6, 0.001));
        assert_eq!(psi_limits(&[7], 300, 1e-6, 0.001), None);
        assert_eq!(psi_limits(&[0, 0], 300, 1e-6, 0.001), None);
        assert_eq!(psi_limits(&bins, 0, 1e-6, 0.001), None);
    }

    #[test]
    fn draws_have_the_mean_and_variance_of_the_hypergeometric_law() {
        for (all, marked, wanted) in [(1000, 300, 100), (100_000, 30_000, 20_000), (50, 49, 25)] {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let draws: Vec<f64> = (0..4000).map(|_| real(hypergeometric(all, marked, wanted, &mut rng))).collect();
            let mean = draws.iter().sum::<f64>() / 4000.0;
            let variance = draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 3999.0;
            let (n, k, m) = (real(all), real(marked), real(wanted));
            let expected = m * k / n * (1.0 - k / n) * (n - m) / (n - 1.0);
            assert!((mean - m * k / n).abs() < 5.0 * (expected / 4000.0).sqrt(), "{mean}");
            assert!((variance / expected - 1.0).abs() < 0.15, "{variance} against {expected}");
        }
    }

    #[test]
    fn the_normal_tail_is_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.025, 1.959_963_984_540_054), (1e-9, 5.997_807_014_985_48)] {
            assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
        }
    }

    #[test]
    fn a_restless_past_makes_a_higher_limit() {
        let quiet = from_past(&[0.01, 0.012, 0.011, 0.01, 0.013, 0.009, 0.011], 7).unwrap();
        let restless = from_past(&[0.01, 0.2, 0.05, 0.1, 0.02, 0.15, 0.08], 7).unwrap();
        assert!(quiet.warning < 0.05 && restless.warning > 0.3);
        assert_eq!(from_past(&[0.1; 6], 7), None);
    }
}
