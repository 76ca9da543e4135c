//! What a type means, whatever its layout: a number, a day, a text.

use arrow::datatypes::{DataType, TimeUnit};

/// A unit of time, coarse to fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Days.
    Day,
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

impl Unit {
    pub(super) fn per_day(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Second => 86_400,
            Self::Millisecond => 86_400_000,
            Self::Microsecond => 86_400_000_000,
            Self::Nanosecond => 86_400_000_000_000,
        }
    }

    /// How many of `finer` one of these is; 1 when `finer` is not finer.
    pub(super) fn factor_to(self, finer: Self) -> i64 {
        (finer.per_day() / self.per_day()).max(1)
    }

    fn letters(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Second => "s",
            Self::Millisecond => "ms",
            Self::Microsecond => "us",
            Self::Nanosecond => "ns",
        }
    }
}

impl From<TimeUnit> for Unit {
    fn from(unit: TimeUnit) -> Self {
        match unit {
            TimeUnit::Second => Self::Second,
            TimeUnit::Millisecond => Self::Millisecond,
            TimeUnit::Microsecond => Self::Microsecond,
            TimeUnit::Nanosecond => Self::Nanosecond,
        }
    }
}

/// What kind of time an integer counts; only the same kinds compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Clock {
    Date,
    Time,
    Timestamp,
    Duration,
}

/// The meaning of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Class {
    /// Nothing but nulls; goes with anything.
    Null,
    Boolean,
    Int {
        signed: bool,
        bits: u32,
    },
    Float {
        bits: u32,
    },
    /// Integers divided by ten to the power of `scale`, of so many digits.
    Decimal {
        digits: u32,
        scale: i32,
    },
    Temporal {
        clock: Clock,
        unit: Unit,
        bits: u32,
    },
    Text,
    Binary,
}

impl Class {
    /// The meaning of `data_type`, or why it has none here.
    pub(super) fn of(data_type: &DataType) -> Result<Self, String> {
        let int = |signed, bits| Self::Int { signed, bits };
        let decimal =
            |precision: &u8, scale: &i8| Self::Decimal { digits: u32::from(*precision), scale: i32::from(*scale) };
        let temporal = |clock, unit, bits| Self::Temporal { clock, unit, bits };
        Ok(match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => int(true, 8),
            DataType::Int16 => int(true, 16),
            DataType::Int32 => int(true, 32),
            DataType::Int64 => int(true, 64),
            DataType::UInt8 => int(false, 8),
            DataType::UInt16 => int(false, 16),
            DataType::UInt32 => int(false, 32),
            DataType::UInt64 => int(false, 64),
            DataType::Float16 => Self::Float { bits: 16 },
            DataType::Float32 => Self::Float { bits: 32 },
            DataType::Float64 => Self::Float { bits: 64 },
            DataType::Decimal32(p, s) | DataType::Decimal64(p, s) | DataType::Decimal128(p, s) => decimal(p, s),
            DataType::Decimal256(p, s) => decimal(p, s),
            DataType::Date32 => temporal(Clock::Date, Unit::Day, 32),
            DataType::Date64 => temporal(Clock::Date, Unit::Millisecond, 64),
            DataType::Time32(unit) => temporal(Clock::Time, (*unit).into(), 32),
            DataType::Time64(unit) => temporal(Clock::Time, (*unit).into(), 64),
            DataType::Timestamp(unit, _) => temporal(Clock::Timestamp, (*unit).into(), 64),
            DataType::Duration(unit) => temporal(Clock::Duration, (*unit).into(), 64),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
                Self::Binary
            }
            DataType::Dictionary(_, values) => Self::of(values)?,
            DataType::RunEndEncoded(_, values) => Self::of(values.data_type())?,
            other => return Err(format!("type {} is not supported", name_of(other))),
        })
    }

    /// In a sentence: what kind of thing this is.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Null => "nulls",
            Self::Boolean => "booleans",
            Self::Int { .. } | Self::Float { .. } | Self::Decimal { .. } => "numbers",
            Self::Temporal { clock: Clock::Date, .. } => "dates",
            Self::Temporal { clock: Clock::Time, .. } => "times of day",
            Self::Temporal { clock: Clock::Timestamp, .. } => "timestamps",
            Self::Temporal { clock: Clock::Duration, .. } => "durations",
            Self::Text => "strings",
            Self::Binary => "binary values",
        }
    }
}

/// The name of a type in a report: lower case, layouts that mean the same have the same name.
pub(super) fn name_of(data_type: &DataType) -> String {
    let time = |what: &str, unit: &TimeUnit| format!("{what}[{}]", Unit::from(*unit).letters());
    match data_type {
        DataType::Boolean => "bool".into(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "string".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "binary".into()
        }
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s) => {
            format!("decimal({p},{s})")
        }
        DataType::Time32(unit) => time("time32", unit),
        DataType::Time64(unit) => time("time64", unit),
        DataType::Duration(unit) => time("duration", unit),
        DataType::Timestamp(unit, None) => time("timestamp", unit),
        DataType::Timestamp(unit, Some(zone)) => format!("timestamp[{}, tz={zone}]", Unit::from(*unit).letters()),
        DataType::Dictionary(_, values) => name_of(values),
        DataType::RunEndEncoded(_, values) => name_of(values.data_type()),
        other => other.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_that_mean_the_same_have_one_name() {
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::LargeUtf8));
        for data_type in [DataType::Utf8, DataType::LargeUtf8, DataType::Utf8View, dictionary] {
            assert_eq!((name_of(&data_type).as_str(), Class::of(&data_type)), ("string", Ok(Class::Text)));
        }
        assert_eq!(name_of(&DataType::Float64), "float64");
        assert_eq!(name_of(&DataType::Date32), "date32");
        assert_eq!(name_of(&DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))), "timestamp[us, tz=UTC]");
        assert_eq!(name_of(&DataType::Decimal128(12, 2)), "decimal(12,2)");
    }

    #[test]
    fn units_convert_to_finer_ones_only() {
        assert_eq!(Unit::Day.factor_to(Unit::Millisecond), 86_400_000);
        assert_eq!(Unit::Nanosecond.factor_to(Unit::Second), 1);
    }
}
