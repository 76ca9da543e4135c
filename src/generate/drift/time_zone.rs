//! Clocks of two time zones.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::Change;
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::ticks_per_day;

/// Local time for UTC, or the other way round: every time moves by whole or half hours.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimeZone {
    /// Hours that the new clock is ahead.
    pub hours: f64,
    /// Ticks of an hour.
    pub ticks: f64,
}

/// What is taken in turns: New York, Berlin in summer, Tokyo, Los Angeles, India, Moscow, South Georgia.
const ZONES: [f64; 7] = [-5.0, 2.0, 9.0, -8.0, 5.5, 3.0, -2.0];

impl Change for TimeZone {
    const NAME: &'static str = "time-zone";
    const SAYS: &'static str = "times are those of another time zone";

    fn takes(data_type: &DataType) -> bool {
        matches!(data_type, DataType::Timestamp(..))
    }

    fn shown_by(data_type: &DataType, _: usize) -> Option<(&'static str, Distribution)> {
        // The events of a day: an hour is nothing beside months.
        let day = ticks_per_day(data_type);
        Some(("event_time", Distribution::Normal { mean: 20_454.55 * day, sd: 0.1 * day }))
    }

    fn planned(feature: &Feature, turn: usize, _: f64) -> Self {
        Self { hours: ZONES[turn % ZONES.len()], ticks: ticks_per_day(&feature.data_type) / 24.0 }
    }

    #[inline]
    fn number(&self, value: f64) -> f64 {
        value + self.hours * self.ticks
    }

    fn describe(&self, _: &Feature) -> String {
        format!("clocks {} hours ahead", self.hours)
    }
}
