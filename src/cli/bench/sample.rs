//! Keys of well-known distributions, as a column of floats would have them.

use anyhow::bail;
use gpudrift::column::{Encoding, f32_key, f64_key};
use gpudrift::counts::Keys;
use gpudrift::generate::{Distribution, Sampler};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The shapes that columns take, with the cases that need care: many ties, and narrow modes far apart.
pub(super) const SHAPES: [&str; 6] = ["uniform", "normal", "lognormal", "zeros", "rounded", "bimodal"];

/// The floats whose keys are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Float {
    F32,
    F64,
}

impl Float {
    pub(super) fn named(name: &str) -> anyhow::Result<Self> {
        match name {
            "f32" => Ok(Self::F32),
            "f64" => Ok(Self::F64),
            other => bail!("kernels are measured with --type f32,f64: those of {other} are the same as one of them"),
        }
    }

    pub(super) fn encoding(self) -> Encoding {
        match self {
            Self::F32 => Encoding::Float32,
            Self::F64 => Encoding::Float64,
        }
    }
}

/// `rows` keys of `shape`, moved by `shift` standard deviations, which every feature and side has its own `seed` for.
#[expect(clippy::cast_possible_truncation, reason = "to the nearest float of 32 bits, as such a column holds it")]
pub(super) fn keys(shape: &str, float: Float, rows: usize, shift: f64, seed: u64) -> Keys {
    let distribution = match shape {
        "uniform" => Distribution::Uniform { low: 0.0, high: 1.0 },
        "lognormal" => Distribution::LogNormal { median: 1.0, sigma: 2.0 },
        "zeros" => Distribution::ZeroInflated { zeros: 0.6, median: 1.0, sigma: 1.0 },
        "bimodal" => Distribution::Bimodal { first: 1e-9, second: 1e9, sd: 1e-12, share: 0.5 },
        _ => Distribution::Normal { mean: 0.0, sd: 1.0 },
    };
    let sampler = Sampler::new(&distribution);
    let moved = if shape == "zeros" || shape == "bimodal" { 0.0 } else { shift * sampler.spread() };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || {
        let value = sampler.value(rng.random::<f64>().max(f64::MIN_POSITIVE)) + moved;
        if shape == "rounded" { (value * 10.0).round() / 10.0 } else { value }
    };
    match float {
        Float::F32 => Keys::U32((0..rows).map(|_| f32_key(draw() as f32)).collect()),
        Float::F64 => Keys::U64((0..rows).map(|_| f64_key(draw())).collect()),
    }
}
