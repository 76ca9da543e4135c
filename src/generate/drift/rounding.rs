//! Decimals get lost.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, grid};
use crate::generate::distribution::{Distribution, Sampler};
use crate::generate::feature::{Expected, Feature};

/// Numbers are rounded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rounding {
    /// Decimals that are left; −2 makes multiples of 100.
    pub decimals: i32,
}

impl Rounding {
    fn step(&self) -> f64 {
        libm::exp10(-f64::from(self.decimals))
    }
}

impl Change for Rounding {
    const NAME: &'static str = "rounding";
    const SAYS: &'static str = "numbers lose decimals, or become multiples of 10, 100, …";

    fn takes(data_type: &DataType) -> bool {
        data_type.is_floating() || matches!(data_type, DataType::Decimal128(_, 1..))
    }

    fn suits(feature: &Feature) -> bool {
        use Distribution as D;
        let whole = matches!(feature.distribution, D::Poisson { .. } | D::Geometric { .. } | D::ZeroInflated { .. });
        let humps = matches!(feature.distribution, D::Bimodal { .. });
        !whole && !humps && Sampler::new(&feature.distribution).spread() >= 20.0 * grid(feature)
    }

    #[expect(clippy::cast_possible_truncation, reason = "the exponent of a number")]
    fn planned(feature: &Feature, turn: usize, size: f64) -> Self {
        // The steps of a rounding that is just noticed, and of one that moves the quantiles.
        let part = if turn.is_multiple_of(2) { 10.0 } else { 1.0 };
        let spread = Sampler::new(&feature.distribution).spread() * size;
        let decimals = -(libm::log10(spread / part).floor() as i32);
        // One decimal less than there are, at least.
        Self { decimals: feature.decimals.map_or(decimals, |known| decimals.min(i32::from(known) - 1)) }
    }

    fn expected(&self, feature: &Feature) -> Expected {
        let fine = self.step() * 9.0 < Sampler::new(&feature.distribution).spread();
        if fine { Expected::Info } else { Expected::Warning }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        // Dividing by a power of ten is exact where multiplying by a tenth is not.
        let grid = libm::exp10(f64::from(self.decimals.abs()));
        if self.decimals >= 0 { (value * grid).round() / grid } else { (value / grid).round() * grid }
    }

    fn exact(&self, _: f64) -> bool {
        true
    }

    fn describe(&self, _: &Feature) -> String {
        format!("multiples of {}", self.step())
    }
}
