//! P(Dₙ < d) for nd of 8 and more: a short sum over the poles of its generating function.
//!
//! # Where the formula comes from
//!
//! Let c = nd. Dₙ < d means that a Poisson process, less its mean, stays within (−c, c) up to time n and ends at 0. With
//! Wₓ(s) = Σₖ (−s)ᵏ (x − k)ᵏ / k!, 0 ≤ k ≤ x (the scale function of that process), the two-sided exit problem gives, for fixed c,
//!
//! ```text
//! Σₙ nⁿ/n! · P(Dₙ < c/n) · sⁿ = W_c(s)² / W_2c(s).
//! ```
//!
//! It is a rational function, so the coefficient of sⁿ is the sum of its residues: exact. The sum for Wₓ cancels hopelessly for
//! large x, but its Laplace transform in x is 1 / (β + s e^(−β)), and therefore
//!
//! ```text
//! Wₓ(s) = Σ exp(βx) / (1 + β)      over all roots β of β e^β = −s, the branches of Lambert's W.
//! ```
//!
//! For s above 1/e the two leading roots are β = −φ cot φ ± iφ with ln s = ln(φ / sin φ) − φ cot φ, 0 < φ < π. The next pair is
//! smaller by exp(−2.09 x). With ρ e^(i(π/2 − χ)) = 1 + β the leading pair is (2/ρ) e^(−xφ cot φ) sin(φx + χ), W_2c is 0 at the
//! φⱼ that solve 2cφ + χ(φ) = jπ, and the residues add up to
//!
//! ```text
//! P(Dₙ < d) = n!/nⁿ Σⱼ (−1)^(j+1) 2 ρ Sⱼ / (φ (2c + χ′)) · s^(−n)    Sⱼ = cos²(χ/2) for odd j, sin²(χ/2) for even j.
//! ```
//!
//! Letting n grow gives Kolmogorov's √(2π)/z Σ exp(−(2j − 1)²π²/8z²), with z = d√n; the terms of Pelz and Good (1976) are the
//! expansion of this sum in powers of 1/√n, which is not needed here: some ten poles give full precision for any n.

use std::f64::consts::PI;

use super::binomial::ln_factorial_remainder;

/// From here on exp(−2.09 nd) and with it every further pair of roots is below 1e-17 of the first.
const ONE_PAIR_ND: f64 = 18.0;

/// Pairs of roots after the leading one that are counted below that. At nd = 8 the sixth is 1e-15 of the first.
const FURTHER_PAIRS: u8 = 5;

/// ζ(2), ζ(4), …, ζ(32).
const ZETA: [f64; 16] = [
    1.644_934_066_848_226_4,
    1.082_323_233_711_138_2,
    1.017_343_061_984_449,
    1.004_077_356_197_944_3,
    1.000_994_575_127_818_1,
    1.000_246_086_553_308,
    1.000_061_248_135_058_7,
    1.000_015_282_259_408_7,
    1.000_003_817_293_265,
    1.000_000_953_962_033_9,
    1.000_000_238_450_502_7,
    1.000_000_059_608_189,
    1.000_000_014_901_554_8,
    1.000_000_003_725_334,
    1.000_000_000_931_327_4,
    1.000_000_000_232_831_2,
];

/// What the sum needs at one angle φ.
struct Angle {
    /// 1 − φ cot φ, the real part of 1 + β.
    real: f64,
    /// Its derivative in φ.
    real_slope: f64,
    /// 1 + ln s = ln(φ / sin φ) + 1 − φ cot φ, about φ²/2.
    excess: f64,
}

impl Angle {
    /// By series in (φ/π)² for small φ, where the closed forms cancel.
    fn at(phi: f64) -> Self {
        if phi < 0.75 {
            let y = (phi / PI) * (phi / PI);
            let (mut real, mut slope, mut log_ratio) = (0.0, 0.0, 0.0);
            let mut k = 16.0;
            for zeta in ZETA.iter().rev() {
                real = (real + zeta) * y;
                slope = (slope + k * zeta) * y;
                log_ratio = (log_ratio + zeta / k) * y;
                k -= 1.0;
            }
            Self { real: 2.0 * real, real_slope: 4.0 * slope / phi, excess: log_ratio + 2.0 * real }
        } else {
            let (sin, cos) = (libm::sin(phi), libm::cos(phi));
            let cot = cos / sin;
            let real = 1.0 - phi * cot;
            Self { real, real_slope: phi / (sin * sin) - cot, excess: libm::log(phi / sin) + real }
        }
    }

    /// χ = atan((1 − φ cot φ) / φ), about φ/3, and its derivative.
    fn lag(&self, phi: f64) -> (f64, f64) {
        let slope = (self.real_slope * phi - self.real) / (self.real * self.real + phi * phi);
        (libm::atan2(self.real, phi), slope)
    }
}

/// P(Dₙ < d) for whole n ≥ 1 and nd ≥ 8, d < ½. Absolute error below 1e-14.
pub(super) fn kolmogorov_cdf(n: f64, d: f64) -> f64 {
    let c = n * d;
    let ln_scale = ln_factorial_remainder(n);
    let mut sum = 0.0;
    let mut j = 1.0;
    let mut odd = true;
    loop {
        let target = j * PI;
        let Some(phi) = pole(c, target) else { break };
        let angle = Angle::at(phi);
        let (lag, lag_slope) = angle.lag(phi);
        let exponent = ln_scale - n * angle.excess;
        if exponent < -45.0 {
            break;
        }
        let modulus = (angle.real * angle.real + phi * phi).sqrt();
        let half = 0.5 * lag;
        // W_c at the pole, in units of its leading pair's amplitude.
        let mut numerator = if odd { libm::cos(half) } else { libm::sin(half) };
        if c < ONE_PAIR_ND {
            // (−1)^⌊j/2⌋ restores the sign of sin(jπ/2 + …) that squaring had removed.
            let sign = if matches!(whole_mod_4(j), 0 | 1) { 1.0 } else { -1.0 };
            numerator += sign * further_roots(c, angle.excess - 1.0, modulus, angle.real - 1.0);
        }
        let residue = 2.0 * modulus * (numerator * numerator) / (phi * (2.0 * c + lag_slope)) * libm::exp(exponent);
        sum += if odd { residue } else { -residue };
        odd = !odd;
        j += 1.0;
    }
    sum
}

fn whole_mod_4(j: f64) -> u64 {
    super::float::whole(j) % 4
}

/// The φ in (0, π) with 2cφ + χ(φ) = target, by Newton's method; the function is close to linear. None beyond the last pole.
fn pole(c: f64, target: f64) -> Option<f64> {
    let mut phi = target / (2.0 * c + 1.0 / 3.0);
    for _ in 0..20 {
        if phi >= 0.98 * PI {
            return None;
        }
        let (lag, lag_slope) = Angle::at(phi).lag(phi);
        let step = (2.0 * c * phi + lag - target) / (2.0 * c + lag_slope);
        phi -= step;
        if step.abs() <= 1e-15 * phi {
            break;
        }
    }
    Some(phi)
}

/// The part of W_c that comes from the pairs of roots after the leading one, in units of the leading amplitude
/// (2/ρ) exp(−cφ cot φ); `leading` is −φ cot φ.
fn further_roots(c: f64, ln_s: f64, modulus: f64, leading: f64) -> f64 {
    (1..=FURTHER_PAIRS)
        .map(|branch| {
            let (re, im) = lambert_branch(ln_s, PI * f64::from(2 * branch + 1));
            // Re[e^(βc) / (1 + β)]
            let norm = (1.0 + re) * (1.0 + re) + im * im;
            let (sin, cos) = (libm::sin(im * c), libm::cos(im * c));
            modulus * libm::exp((re - leading) * c) * ((1.0 + re) * cos + im * sin) / norm
        })
        .sum()
}

/// The root of β + Log β = `ln_modulus` + i `argument`, which is a branch of β e^β = −s, by Newton's method.
fn lambert_branch(ln_modulus: f64, argument: f64) -> (f64, f64) {
    let (mut re, mut im) = (ln_modulus - libm::log(argument), argument - 0.5 * PI);
    for _ in 0..12 {
        let square = re * re + im * im;
        let (f_re, f_im) = (re + 0.5 * libm::log(square) - ln_modulus, im + libm::atan2(im, re) - argument);
        // 1 + 1/β
        let (g_re, g_im) = (1.0 + re / square, -im / square);
        let g_square = g_re * g_re + g_im * g_im;
        let (step_re, step_im) = ((f_re * g_re + f_im * g_im) / g_square, (f_im * g_re - f_re * g_im) / g_square);
        re -= step_re;
        im -= step_im;
        if step_re.abs() + step_im.abs() < 1e-13 {
            break;
        }
    }
    (re, im)
}
