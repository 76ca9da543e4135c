//! Numbers in the report: valid JSON whatever they are.

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::format::significant;

/// A number that is exact as an integer where the column's type is one: a 64-bit integer has more digits than f64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// Of integers, and of temporal features, whose stored integers they are.
    Integer(i128),
    /// Of everything else. Not finite: written as null.
    Float(f64),
}

impl Number {
    /// The nearest f64.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the nearest f64 is what is asked for")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => f.write_str(&significant(*value)),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Integer(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(signed), _) => serializer.serialize_i64(signed),
                (_, Ok(unsigned)) => serializer.serialize_u64(unsigned),
                _ => serializer.serialize_i128(value),
            },
            Self::Float(value) if value.is_finite() => serializer.serialize_f64(value),
            Self::Float(_) => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Number;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number::Integer(value.into()))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number::Integer(value.into()))
            }
            fn visit_i128<E: de::Error>(self, value: i128) -> Result<Number, E> {
                Ok(Number::Integer(value))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number::Float(value))
            }
        }
        deserializer.deserialize_any(Read)
    }
}

/// The value of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum MetricValue {
    /// A count, such as degrees of freedom.
    Count(u64),
    /// A statistic or a probability. Not finite: written as null.
    Number(f64),
    /// A word, such as the method of a p-value.
    Text(String),
    /// It applies to the feature and has no value; `undefined` says why.
    Null,
}

impl MetricValue {
    /// The value as f64, when it is a finite number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Count(value) => Some(crate::format::real(value)),
            Self::Number(value) if value.is_finite() => Some(value),
            _ => None,
        }
    }
}

impl From<f64> for MetricValue {
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Number(value) } else { Self::Null }
    }
}

impl From<Option<f64>> for MetricValue {
    fn from(value: Option<f64>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

impl From<u64> for MetricValue {
    fn from(value: u64) -> Self {
        Self::Count(value)
    }
}

impl From<&str> for MetricValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// An edge between two bins. JSON has no infinity, so an infinite edge is the string `-Infinity` or `Infinity`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edge(pub f64);

impl std::fmt::Display for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("∞"),
            f64::NEG_INFINITY => f.write_str("−∞"),
            value => f.write_str(&significant(value)),
        }
    }
}

impl Serialize for Edge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            value if value.is_nan() => serializer.serialize_none(),
            value => serializer.serialize_f64(value),
        }
    }
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Finite(f64),
            Infinite(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Finite(value) => Ok(Self(value)),
            Written::Infinite(text) if text == "Infinity" => Ok(Self(f64::INFINITY)),
            Written::Infinite(text) if text == "-Infinity" => Ok(Self(f64::NEG_INFINITY)),
            Written::Infinite(text) => Err(de::Error::custom(format!("{text:?} is not an edge"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json<T: Serialize>(value: T) -> String {
        serde_json::to_string(&value).unwrap()
    }

    #[test]
    fn what_json_cannot_say_is_null_or_a_string() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(json(Number::Float(odd)), "null");
            assert_eq!(json(MetricValue::Number(odd)), "null");
            assert_eq!(json(MetricValue::from(odd)), "null");
        }
        assert_eq!(json([Edge(f64::NEG_INFINITY), Edge(1.5), Edge(f64::INFINITY)]), r#"["-Infinity",1.5,"Infinity"]"#);
    }

    #[test]
    fn integers_keep_all_their_digits() {
        for value in [i128::from(i64::MIN), i128::from(i64::MAX), i128::from(u64::MAX), (1 << 53) + 1] {
            assert_eq!(json(Number::Integer(value)), value.to_string());
            assert_eq!(serde_json::from_str::<Number>(&value.to_string()).unwrap(), Number::Integer(value));
        }
        assert_eq!(json(Number::Integer(i128::MAX)), i128::MAX.to_string());
    }

    #[test]
    fn a_metric_reads_back_as_what_it_was() {
        for value in [
            MetricValue::Count(3),
            MetricValue::Number(3.0),
            MetricValue::Number(-0.0),
            "exact".into(),
            MetricValue::Null,
        ] {
            assert_eq!(serde_json::from_str::<MetricValue>(&json(&value)).unwrap(), value);
        }
    }

    proptest! {
        #[test]
        fn finite_numbers_read_back_to_the_same_bits(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let back: f64 = serde_json::from_str(&json(MetricValue::Number(value))).unwrap();
            prop_assert_eq!(back.to_bits(), bits);
            let parsed: f64 = json(Number::Float(value)).parse().unwrap();
            prop_assert_eq!(parsed.to_bits(), bits);
        }
    }

    #[test]
    fn the_smallest_and_the_negative_zero_keep_their_bits() {
        for value in [-0.0, f64::from_bits(1), f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::EPSILON] {
            let back: f64 = json(Edge(value)).parse().unwrap();
            assert_eq!(back.to_bits(), value.to_bits());
        }
    }
}
