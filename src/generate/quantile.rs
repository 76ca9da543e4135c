//! The functions behind [`Distribution`]: normal, lognormal, exponential and Lomax quantiles, Poisson sums.

use super::distribution::Distribution;

/// The quantile function of the tabulated distributions; infinite at an end without a
/// limit. Any other distribution answers NaN.
pub(super) fn quantile(distribution: &Distribution, u: f64) -> f64 {
    match distribution {
        Distribution::Normal { mean, sd } => mean + sd * normal_quantile(u),
        Distribution::LogNormal { median, sigma } => median * libm::exp(sigma * normal_quantile(u)),
        Distribution::Exponential { mean } => -mean * libm::log1p(-u),
        Distribution::Pareto { scale, alpha } => scale * libm::expm1(-libm::log1p(-u) / alpha),
        _ => f64::NAN,
    }
}

/// The standard normal quantile: P. J. Acklam's rational approximation (2003), relative error below 1.15e-9.
#[expect(clippy::excessive_precision, reason = "the coefficients as published")]
fn normal_quantile(u: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.383577518672690e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1.0];
    const TAIL: f64 = 0.02425;
    let polynomial = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let tail = |p: f64| {
        let q = (-2.0 * libm::log(p)).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    };
    match u {
        _ if u <= 0.0 => f64::NEG_INFINITY,
        _ if u >= 1.0 => f64::INFINITY,
        _ if u < TAIL => tail(u),
        _ if u > 1.0 - TAIL => -tail(1.0 - u),
        _ => {
            let q = u - 0.5;
            q * polynomial(&A, q * q) / polynomial(&B, q * q)
        }
    }
}

/// Running sums of the Poisson probabilities until they reach one to rounding.
pub(super) fn poisson(mean: f64) -> Vec<f64> {
    let mut probability = libm::exp(-mean);
    let mut sums = vec![probability];
    let mut sum = probability;
    for k in 1..4000_u32 {
        probability *= mean / f64::from(k);
        if f64::from(k) > mean && probability < 1e-17 {
            break;
        }
        sum += probability;
        sums.push(sum);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-8 * b.abs().max(1.0)
    }

    #[test]
    fn normal_quantiles_are_the_known_ones() {
        // scipy.stats.norm.ppf
        for (u, z) in [(0.5, 0.0), (0.975, 1.959963984540054), (0.001, -3.090232306167813), (0.6, 0.2533471031357997)] {
            assert!(close(normal_quantile(u), z), "{u}: {}", normal_quantile(u));
        }
    }

    #[test]
    fn poisson_sums_reach_one() {
        for mean in [0.1, 3.5, 40.0, 700.0] {
            let sums = poisson(mean);
            assert!(sums.is_sorted() && (sums.last().expect("never empty") - 1.0).abs() < 1e-9, "{mean}");
        }
        // scipy.stats.poisson.cdf(2, 3.5)
        assert!(close(poisson(3.5)[2], 0.32084719886213414));
    }
}
