//! Somebody changed the unit.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, class_is, grid, range_of, width};
use crate::generate::distribution::Sampler;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// Somebody changed the unit: numbers become `factor * x + offset` (grams for kilograms, Fahrenheit for Celsius).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnitChange {
    /// New units in an old one.
    pub factor: f64,
    /// Where the old zero lies.
    pub offset: f64,
}

/// The units that features change between, in turns.
const UNITS: [(f64, f64); 36] = [
    (1000.0, 0.0),
    (1.8, 32.0),
    (100.0, 0.0),
    (3600.0, 0.0),
    (0.3048, 0.0),
    (60.0, 0.0),
    (1024.0, 0.0),
    (0.001, 0.0),
    (1.609_344, 0.0),
    (10.0, 0.0),
    (1.0 / 60.0, 0.0),
    (2.54, 0.0),
    (1.0, 273.15),
    (24.0, 0.0),
    (0.01, 0.0),
    (3.6, 0.0),
    (8.0, 0.0),
    (2.204_622_622, 0.0),
    (1.0 / 1024.0, 0.0),
    (1440.0, 0.0),
    (1.0 / 3600.0, 0.0),
    (7.0, 0.0),
    (3.785_411_784, 0.0),
    (1.0 / 1.8, -32.0 / 1.8),
    (57.295_779_513, 0.0),
    (1e6, 0.0),
    (86_400.0, 0.0),
    (0.1, 0.0),
    (1.0 / 1.609_344, 0.0),
    (3.280_839_895, 0.0),
    (1_048_576.0, 0.0),
    (1e-6, 0.0),
    (1.0, -273.15),
    (1.0 / 3.6, 0.0),
    (1.0 / 2.204_622_622, 0.0),
    (1e9, 0.0),
];
/// Beyond this, plus or minus, a number is no temperature.
const TEMPERATURES: f64 = 60.0;

impl UnitChange {
    /// Whether the feature can be told in the other unit: its type holds the numbers, and rounding leaves them apart.
    fn fits(feature: &Feature, (factor, offset): (f64, f64)) -> bool {
        let sampler = Sampler::new(&feature.distribution);
        let ends = [0.005, 0.995].map(|share| sampler.value(share) * factor + offset);
        let (low, high) = range_of(&feature.data_type);
        let temperature = [0.01, 0.99].iter().all(|share| sampler.value(*share).abs() <= TEMPERATURES);
        let apart = width(feature) * factor >= 20.0 * grid(feature) || (factor >= 2.0 && factor.fract() == 0.0);
        (offset == 0.0 || temperature) && apart && low <= ends[0] && ends[1] <= high
    }
}

impl Change for UnitChange {
    const NAME: &'static str = "unit-change";
    const SAYS: &'static str = "another unit: × 1000, × 60, × 1024, × 0.3048, 1.8·x + 32 and 31 more, in turns";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number])
    }

    fn suits(feature: &Feature) -> bool {
        UNITS.into_iter().any(|unit| Self::fits(feature, unit))
    }

    fn planned(feature: &Feature, turn: usize, _: f64) -> Self {
        let mut units = (0..UNITS.len()).map(|step| UNITS[(turn + step) % UNITS.len()]);
        let (factor, offset) = units.find(|unit| Self::fits(feature, *unit)).unwrap_or((10.0, 0.0));
        Self { factor, offset }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        value * self.factor + self.offset
    }

    fn describe(&self, _: &Feature) -> String {
        match (self.factor, self.offset) {
            (factor, 0.0) => format!("× {factor}"),
            (factor, offset) => format!("× {factor} + {offset}"),
        }
    }
}
