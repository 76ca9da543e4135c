//! The types that a generated column can have: their names, what they can hold and what drifts they take.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use super::error::GenerateError;

/// A type's name on the command line, and what makes it.
pub type NamedType = (&'static str, fn() -> DataType);

/// Every type that `--types` knows.
pub const TYPES: [NamedType; 31] = [
    ("f16", || DataType::Float16),
    ("f32", || DataType::Float32),
    ("f64", || DataType::Float64),
    ("int", || DataType::Int64),
    ("int8", || DataType::Int8),
    ("int16", || DataType::Int16),
    ("int32", || DataType::Int32),
    ("int64", || DataType::Int64),
    ("uint8", || DataType::UInt8),
    ("uint16", || DataType::UInt16),
    ("uint32", || DataType::UInt32),
    ("uint64", || DataType::UInt64),
    ("decimal", || DataType::Decimal128(12, 2)),
    ("wide-decimal", || DataType::Decimal128(38, 10)),
    ("bool", || DataType::Boolean),
    ("date32", || DataType::Date32),
    ("date64", || DataType::Date64),
    ("timestamp", || DataType::Timestamp(TimeUnit::Millisecond, None)),
    ("timestamp-ms", || DataType::Timestamp(TimeUnit::Millisecond, None)),
    ("timestamp-us", || DataType::Timestamp(TimeUnit::Microsecond, None)),
    ("timestamp-ns", || DataType::Timestamp(TimeUnit::Nanosecond, None)),
    ("timestamp-utc", || DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
    ("time32", || DataType::Time32(TimeUnit::Millisecond)),
    ("time64", || DataType::Time64(TimeUnit::Microsecond)),
    ("duration", || DataType::Duration(TimeUnit::Millisecond)),
    ("string", || DataType::Utf8),
    ("large-string", || DataType::LargeUtf8),
    ("dictionary", dictionary),
    ("binary", || DataType::Binary),
    ("fixed-binary", || DataType::FixedSizeBinary(8)),
    ("list", list),
];

/// Strings as Arrow dictionaries.
pub(super) fn dictionary() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// A nested type, which a scan skips.
pub(super) fn list() -> DataType {
    DataType::List(Arc::new(Field::new("element", DataType::Float32, true)))
}

/// The type of the given name.
///
/// # Errors
/// When no type has that name; the message lists all of them.
pub fn type_named(name: &str) -> Result<DataType, GenerateError> {
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, make)| make()).ok_or_else(|| GenerateError::Unknown {
        what: "type",
        name: name.into(),
        known: TYPES.map(|(known, _)| known).join(", "),
    })
}

/// What sort of values a type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Number,
    Boolean,
    Time,
    Category,
    Nested,
}

/// The class of a type, or `None` when this module does not write it.
pub(super) fn class_of(data_type: &DataType) -> Option<Class> {
    use DataType as T;
    Some(match data_type {
        T::Boolean => Class::Boolean,
        T::Date32 | T::Date64 | T::Timestamp(..) | T::Time32(_) | T::Time64(_) | T::Duration(_) => Class::Time,
        T::Utf8 | T::LargeUtf8 | T::Binary | T::FixedSizeBinary(1..) => Class::Category,
        T::Dictionary(..) if *data_type == dictionary() => Class::Category,
        T::List(_) if *data_type == list() => Class::Nested,
        T::Decimal128(1..=38, 0..=18) => Class::Number,
        _ if data_type.is_integer() || data_type.is_floating() => Class::Number,
        _ => return None,
    })
}

/// Ticks of one day, for types that count time.
pub(super) fn ticks_per_day(data_type: &DataType) -> f64 {
    use DataType as T;
    match data_type {
        T::Date64 => 86_400e3,
        T::Timestamp(unit, _) | T::Time32(unit) | T::Time64(unit) | T::Duration(unit) => match unit {
            TimeUnit::Second => 86_400.0,
            TimeUnit::Millisecond => 86_400e3,
            TimeUnit::Microsecond => 86_400e6,
            TimeUnit::Nanosecond => 86_400e9,
        },
        _ => 1.0,
    }
}

/// Lowest and highest value that a column of this type can take from an f64. Integers saturate by themselves.
pub(super) fn limits(data_type: &DataType) -> (f64, f64) {
    use DataType as T;
    match data_type {
        T::Float16 => (-65504.0, 65504.0),
        T::Float32 => (f64::from(f32::MIN), f64::from(f32::MAX)),
        T::Time32(_) | T::Time64(_) => (0.0, ticks_per_day(data_type) - 1.0),
        T::Decimal128(precision, scale) => {
            // A tenth below the limit keeps the rounded value within the precision.
            let digits = f64::from(i32::from(*precision) - i32::from(*scale));
            let limit = if digits <= 0.0 { 0.9 } else { 0.9 * libm::exp10(digits) };
            (-limit, limit)
        }
        _ => (f64::MIN, f64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_type_can_be_written() {
        for (name, make) in TYPES {
            assert!(class_of(&make()).is_some(), "{name}");
            assert_eq!(type_named(name).expect("it is in the list"), make());
        }
        assert!(class_of(&DataType::Interval(arrow::datatypes::IntervalUnit::DayTime)).is_none());
    }

    #[test]
    fn an_unknown_type_is_named_with_the_known_ones() {
        let message = type_named("float").unwrap_err().to_string();
        assert!(message.contains("`float`") && message.contains("f32, f64, int"), "{message}");
    }
}
