//! Numbers to Arrow arrays of every type but decimals, which need more than a number.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, BooleanArray, ListArray, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{self as types, DataType, TimeUnit};
use half::f16;

/// The array of `numbers`: of any type that `class_of` lets pass as numeric, boolean, temporal or nested, but decimals.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "conversion to narrower types saturates on purpose"
)]
pub(super) fn array_of(data_type: &DataType, numbers: Vec<f64>, nulls: Option<NullBuffer>) -> ArrayRef {
    use DataType as T;
    const MILLISECONDS_PER_DAY: f64 = 86_400e3;
    macro_rules! primitive {
        ($arrow:ident, $convert:expr) => {
            primitive::<types::$arrow>(data_type, &numbers, nulls, $convert)
        };
    }
    macro_rules! rounded {
        ($arrow:ident, $native:ty) => {
            primitive!($arrow, |v| v.round() as $native)
        };
    }
    match data_type {
        T::Float64 => Arc::new(PrimitiveArray::<types::Float64Type>::new(numbers.into(), nulls)),
        T::Float32 => primitive!(Float32Type, |v| v as f32),
        // The conversion by hardware rounds twice on some machines and once on others.
        T::Float16 => primitive!(Float16Type, f16::from_f64_const),
        T::Int8 => rounded!(Int8Type, i8),
        T::Int16 => rounded!(Int16Type, i16),
        T::Int32 => rounded!(Int32Type, i32),
        T::Int64 => rounded!(Int64Type, i64),
        T::UInt8 => rounded!(UInt8Type, u8),
        T::UInt16 => rounded!(UInt16Type, u16),
        T::UInt32 => rounded!(UInt32Type, u32),
        T::UInt64 => rounded!(UInt64Type, u64),
        T::Date32 => rounded!(Date32Type, i32),
        T::Date64 => primitive!(Date64Type, |v| ((v / MILLISECONDS_PER_DAY).round() * MILLISECONDS_PER_DAY) as i64),
        T::Timestamp(TimeUnit::Second, _) => rounded!(TimestampSecondType, i64),
        T::Timestamp(TimeUnit::Millisecond, _) => rounded!(TimestampMillisecondType, i64),
        T::Timestamp(TimeUnit::Microsecond, _) => rounded!(TimestampMicrosecondType, i64),
        T::Timestamp(TimeUnit::Nanosecond, _) => rounded!(TimestampNanosecondType, i64),
        T::Time32(TimeUnit::Second) => rounded!(Time32SecondType, i32),
        T::Time32(_) => rounded!(Time32MillisecondType, i32),
        T::Time64(TimeUnit::Microsecond) => rounded!(Time64MicrosecondType, i64),
        T::Time64(_) => rounded!(Time64NanosecondType, i64),
        T::Duration(TimeUnit::Second) => rounded!(DurationSecondType, i64),
        T::Duration(TimeUnit::Millisecond) => rounded!(DurationMillisecondType, i64),
        T::Duration(TimeUnit::Microsecond) => rounded!(DurationMicrosecondType, i64),
        T::Duration(TimeUnit::Nanosecond) => rounded!(DurationNanosecondType, i64),
        T::Boolean => Arc::new(BooleanArray::new(numbers.iter().map(|v| *v >= 0.5).collect::<BooleanBuffer>(), nulls)),
        T::List(element) => {
            let elements = numbers.iter().flat_map(|v| [*v as f32, (v * -0.5) as f32, (v * v) as f32]).collect();
            let elements = PrimitiveArray::<types::Float32Type>::new(elements, None);
            let offsets = OffsetBuffer::from_repeated_length(3, numbers.len());
            Arc::new(ListArray::new(Arc::clone(element), offsets, Arc::new(elements), nulls))
        }
        other => unreachable!("class_of lets no {other} pass"),
    }
}

fn primitive<T: ArrowPrimitiveType>(
    data_type: &DataType,
    numbers: &[f64],
    nulls: Option<NullBuffer>,
    convert: impl Fn(f64) -> T::Native,
) -> ArrayRef {
    let values = numbers.iter().map(|v| convert(*v)).collect();
    // Timestamps: the time zone stands in the type and nowhere else.
    Arc::new(PrimitiveArray::<T>::new(values, nulls).with_data_type(data_type.clone()))
}
