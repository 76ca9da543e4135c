//! A default stands where values stood.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, Value, categories, class_is, range_of};
use crate::generate::distribution::{Distribution, Sampler};
use crate::generate::feature::Feature;
use crate::generate::readme::percent;
use crate::generate::types::Class;

/// One value stands in a share of the rows: 0, −1, 999, `unknown`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DefaultValue {
    /// That value.
    pub value: Value,
    /// Its share in current.
    pub share: f64,
}

/// What programs write where they have no number, in turns.
const NUMBERS: [f64; 6] = [-1.0, 0.0, 999.0, -999.0, 9999.0, 99.0];
/// What they write where they have no text.
const WORDS: [&str; 4] = ["unknown", "", "N/A", "none"];
/// What would be seen as a default must be rare before.
const RARE: f64 = 0.02;

/// The defaults that the feature's type holds and its distribution hardly ever is.
fn numbers(feature: &Feature, turn: usize) -> Option<f64> {
    if class_is(&feature.data_type, &[Class::Time]) {
        return Some(0.0);
    }
    let (low, high) = range_of(&feature.data_type);
    let sampler = Sampler::new(&feature.distribution);
    let share = |value: f64| sampler.share_below(value + 0.5) - sampler.share_below(value - 0.5);
    let mut all = (0..NUMBERS.len()).map(|step| NUMBERS[(turn + step) % NUMBERS.len()]);
    all.find(|value| (low..=high).contains(value) && share(*value) < RARE)
}

impl Change for DefaultValue {
    const NAME: &'static str = "default-value";
    const SAYS: &'static str = "0, −1, 999, 1970 or `unknown` stands where values stood";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Number, Class::Time, Class::Category])
            && !matches!(data_type, DataType::Binary | DataType::FixedSizeBinary(_))
    }

    fn suits(feature: &Feature) -> bool {
        feature.distribution.is_category() || numbers(feature, 0).is_some()
    }

    fn planned(feature: &Feature, turn: usize, size: f64) -> Self {
        let value = match feature.distribution.is_category() {
            true => Value::Label(WORDS[turn % WORDS.len()].into()),
            false => Value::Number(numbers(feature, turn).unwrap_or(0.0)),
        };
        Self { value, share: (0.3 * size).min(0.95) }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        let share = self.share;
        Ok(Some(match &self.value {
            Value::Number(_) if before.is_category() => return Err("categories have no numbers".into()),
            Value::Number(value) => Distribution::Either {
                share,
                first: Box::new(Distribution::Constant { value: *value }),
                second: Box::new(before.clone()),
            },
            Value::Label(label) => {
                let (mut labels, mut shares) = categories(before)?;
                shares.iter_mut().for_each(|s| *s *= 1.0 - share);
                match labels.iter().position(|known| known == label) {
                    Some(at) => shares[at] += share,
                    None => {
                        labels.push(label.clone());
                        shares.push(share);
                    }
                }
                Distribution::Category { labels, shares }
            }
        }))
    }

    fn exact(&self, value: f64) -> bool {
        self.value == Value::Number(value)
    }

    fn describe(&self, _: &Feature) -> String {
        match &self.value {
            Value::Number(value) => format!("{value} in {} of the rows", percent(self.share)),
            Value::Label(label) => format!("`{label}` in {} of the rows", percent(self.share)),
        }
    }
}
