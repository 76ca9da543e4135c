//! Whether two columns compare, and with which keys.

use serde::Serialize;

use crate::source::SourceColumn;

use super::Kind;
use super::class::{Class, name_of};
use super::encoding::Encoding;

/// How a feature is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Which statistics it gets.
    pub kind: Kind,
    /// How its values become keys.
    pub encoding: Encoding,
    /// Its type in the reference, as a report names it: `float64`, `string`, `timestamp[us, tz=UTC]`.
    pub type_name: String,
    /// The types of reference and current, where they differ. Another layout of the same type is no change.
    pub type_change: Option<(String, String)>,
}

/// Why two columns do not compare, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[error("{0}")]
pub struct Incomparable(pub String);

/// Finds the smallest encoding that holds all types of both columns exactly.
///
/// Integers, floats and decimals of any width compare by value; strings, large strings and dictionaries are one type,
/// as are the layouts of binary; temporal types compare within dates, times, timestamps and durations, in the finer
/// unit, time zones aside. A column of nulls goes with anything. A partition column goes as text with text.
///
/// With `as_categorical`, integers, booleans and dates become categories (integers by their decimal text, dates as
/// YYYY-MM-DD) and compare with text; other types are left as they are.
///
/// # Errors
/// When a column is nested, unsupported or ambiguous, or the types have no common order.
pub fn pair(reference: &SourceColumn, current: &SourceColumn, as_categorical: bool) -> Result<Pairing, Incomparable> {
    for (column, side) in [(reference, "the reference"), (current, "current")] {
        if let Some(problem) = &column.problem {
            let remedy = if problem.contains(';') {
                String::new()
            } else {
                format!("; exclude it with --exclude {}", column.name)
            };
            return Err(Incomparable(format!("column `{}` of {side}: {problem}{remedy}", column.name)));
        }
    }
    let (classes_reference, classes_current) = (classes(reference, "the reference")?, classes(current, "current")?);
    let (mut one, mut other) = (classes_reference, classes_current);
    if as_text(&other) && reference.partition {
        one = vec![Class::Text];
    }
    if as_text(&one) && current.partition {
        other = vec![Class::Text];
    }
    let mut all: Vec<Class> = one.iter().chain(&other).copied().filter(|&class| class != Class::Null).collect();
    if as_categorical {
        for class in &mut all {
            if is_countable(*class) {
                *class = Class::Text;
            }
        }
    }
    let encoding = common(&all).ok_or_else(|| incomparable(reference, current, &one, &other))?;
    let kind = match encoding {
        Encoding::Boolean => Kind::Boolean,
        Encoding::Temporal { .. } => Kind::Temporal,
        Encoding::Category { .. } => Kind::Categorical,
        _ => Kind::Numeric,
    };
    let (type_reference, type_current) = (type_names(reference), type_names(current));
    let changed = type_reference != type_current && type_reference != "null" && type_current != "null";
    let retyped = reference.partition || current.partition;
    Ok(Pairing {
        kind,
        encoding,
        type_change: (changed && !retyped).then(|| (type_reference.clone(), type_current.clone())),
        type_name: if type_reference == "null" { type_current } else { type_reference },
    })
}

fn as_text(classes: &[Class]) -> bool {
    classes.contains(&Class::Text)
}

/// What can be categories when the configuration says so.
fn is_countable(class: Class) -> bool {
    use super::class::Clock;
    matches!(class, Class::Int { .. } | Class::Boolean | Class::Temporal { clock: Clock::Date, .. })
}

fn classes(column: &SourceColumn, side: &str) -> Result<Vec<Class>, Incomparable> {
    let classes: Result<Vec<Class>, String> = column.types.iter().map(Class::of).collect();
    classes.map_err(|reason| {
        let name = &column.name;
        Incomparable(format!("column `{name}` of {side}: {reason}; exclude it with --exclude {name} or cast it"))
    })
}

fn incomparable(reference: &SourceColumn, current: &SourceColumn, one: &[Class], other: &[Class]) -> Incomparable {
    let name = &reference.name;
    let remedy = format!("exclude it with --exclude {name} or cast one side");
    for (column, classes, side) in [(reference, one, "the reference"), (current, other, "current")] {
        if common(classes).is_none() {
            let types: Vec<String> = column.types.iter().map(name_of).collect();
            let types = types.join(", ");
            return Incomparable(format!(
                "column `{name}` has types that do not compare over the files of {side} ({types}); exclude it with \
                 --exclude {name} or write the files alike"
            ));
        }
    }
    let words = |classes: &[Class]| classes.iter().find(|&&c| c != Class::Null).map_or("nulls", |class| class.words());
    Incomparable(format!(
        "column `{name}` is {} in the reference and {} in current, and {} do not compare with {}; {remedy}",
        type_names(reference),
        type_names(current),
        words(one),
        words(other)
    ))
}

/// The type names of a column, each once.
fn type_names(column: &SourceColumn) -> String {
    let mut names: Vec<String> = Vec::new();
    for name in column.types.iter().map(name_of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > 1 {
        names.retain(|name| name != "null");
    }
    if names.is_empty() { "null".into() } else { names.join(" | ") }
}

/// The encoding that holds all of `classes`, which are not [`Class::Null`].
fn common(classes: &[Class]) -> Option<Encoding> {
    let classes: Vec<Class> = classes.iter().copied().filter(|&class| class != Class::Null).collect();
    let Some(&first) = classes.first() else {
        return Some(Encoding::Int32);
    };
    match first {
        Class::Boolean | Class::Text | Class::Binary if classes.iter().any(|&class| class != first) => None,
        Class::Boolean => Some(Encoding::Boolean),
        Class::Text => Some(Encoding::Category { binary: false }),
        Class::Binary => Some(Encoding::Category { binary: true }),
        Class::Temporal { clock, unit, bits } => temporal(&classes, clock, unit, bits),
        _ => numbers(&classes),
    }
}

fn temporal(classes: &[Class], of: super::class::Clock, first: super::class::Unit, width: u32) -> Option<Encoding> {
    let (mut finest, mut wide) = (first, width > 32);
    for class in classes {
        let &Class::Temporal { clock, unit, bits } = class else { return None };
        if clock != of {
            return None;
        }
        wide |= bits > 32 || unit != first;
        finest = finest.max(unit);
    }
    Some(Encoding::Temporal { unit: finest, wide })
}

fn numbers(classes: &[Class]) -> Option<Encoding> {
    let (mut signed, mut unsigned, mut float) = (0, 0, 0);
    let mut finest: Option<i32> = None;
    for class in classes {
        match *class {
            Class::Int { signed: true, bits } => signed = signed.max(bits),
            Class::Int { signed: false, bits } => unsigned = unsigned.max(bits),
            Class::Float { bits } => float = float.max(bits),
            Class::Decimal { scale, .. } => finest = Some(finest.map_or(scale, |finest| finest.max(scale))),
            _ => return None,
        }
    }
    let int = signed.max(unsigned);
    if let Some(scale) = finest {
        let scale = if int > 0 { scale.max(0) } else { scale };
        if float > 0 {
            return Some(Encoding::DecimalFloat { scale });
        }
        let digits = |class: &Class| {
            let (digits, own) = match *class {
                Class::Decimal { digits, scale } => (digits, scale),
                Class::Int { bits: 8, .. } => (3, 0),
                Class::Int { bits: 16, .. } => (5, 0),
                Class::Int { bits: 32, .. } => (10, 0),
                _ => (20, 0),
            };
            digits + (scale - own).unsigned_abs()
        };
        return Some(Encoding::Decimal { scale, wide: classes.iter().map(digits).max() > Some(18) });
    }
    Some(match (float, int) {
        (1.., 64) => Encoding::IntFloat,
        (64, _) | (_, 32) if float > 0 => Encoding::Float64,
        (1.., _) => Encoding::Float32,
        _ if signed == 0 && unsigned == 64 => Encoding::UInt64,
        _ if signed == 0 && unsigned == 32 => Encoding::UInt32,
        _ if unsigned == 64 => Encoding::Int128,
        _ if signed == 64 || unsigned == 32 => Encoding::Int64,
        _ => Encoding::Int32,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::class::Unit;
    use arrow::datatypes::{DataType, TimeUnit};

    fn column(types: &[DataType]) -> SourceColumn {
        SourceColumn { name: "age".into(), types: types.to_vec(), problem: None, partition: false }
    }

    fn encoding(reference: DataType, current: DataType) -> Option<Encoding> {
        let forth = pair(&column(std::slice::from_ref(&reference)), &column(std::slice::from_ref(&current)), false)
            .ok()
            .map(|p| p.encoding);
        let back = pair(&column(&[current]), &column(&[reference]), false).ok().map(|p| p.encoding);
        assert_eq!(forth, back, "the order of the sides does not matter");
        forth
    }

    #[test]
    fn numbers_take_the_smallest_encoding_that_holds_both() {
        use DataType::*;
        let decimal = |scale, wide| Some(Encoding::Decimal { scale, wide });
        for (reference, current, wanted) in [
            (Int8, UInt16, Some(Encoding::Int32)),
            (UInt8, UInt32, Some(Encoding::UInt32)),
            (Int8, UInt32, Some(Encoding::Int64)),
            (UInt32, UInt64, Some(Encoding::UInt64)),
            (Int8, UInt64, Some(Encoding::Int128)),
            (Float16, Float32, Some(Encoding::Float32)),
            (Int16, Float16, Some(Encoding::Float32)),
            (Int32, Float32, Some(Encoding::Float64)),
            (UInt32, Float64, Some(Encoding::Float64)),
            (Int8, Float64, Some(Encoding::Float64)),
            (Int64, Float32, Some(Encoding::IntFloat)),
            (Decimal128(12, 2), Decimal128(18, 2), decimal(2, false)),
            (Decimal128(18, 2), Decimal128(18, 4), decimal(4, true)),
            (Decimal128(8, 2), Int32, decimal(2, false)),
            (Decimal128(8, 2), Int64, decimal(2, true)),
            (Decimal128(38, 2), Decimal128(4, -2), decimal(2, true)),
            (Decimal128(4, -2), Int8, decimal(0, false)),
            (Decimal128(8, 2), Float32, Some(Encoding::DecimalFloat { scale: 2 })),
        ] {
            assert_eq!(encoding(reference.clone(), current.clone()), wanted, "{reference} and {current}");
        }
    }

    #[test]
    fn times_compare_within_their_kind_in_the_finer_unit() {
        use DataType::*;
        let wide = |unit| Some(Encoding::Temporal { unit, wide: true });
        let zone = Some("Europe/Berlin".into());
        assert_eq!(encoding(Date32, Date32), Some(Encoding::Temporal { unit: Unit::Day, wide: false }));
        assert_eq!(encoding(Date32, Date64), wide(Unit::Millisecond));
        assert_eq!(
            encoding(Timestamp(TimeUnit::Second, None), Timestamp(TimeUnit::Nanosecond, zone)),
            wide(Unit::Nanosecond)
        );
        assert_eq!(encoding(Date32, Timestamp(TimeUnit::Second, None)), None);
        assert_eq!(encoding(Duration(TimeUnit::Second), Int64), None);
    }

    #[test]
    fn incomparable_types_tell_both_and_the_remedy() {
        let words = pair(&column(&[DataType::Float64]), &column(&[DataType::Utf8]), false).unwrap_err().0;
        assert!(words.contains("column `age` is float64 in the reference and string in current"), "{words}");
        assert!(words.ends_with("exclude it with --exclude age or cast one side"), "{words}");
        let words = pair(&column(&[DataType::Int8, DataType::Utf8]), &column(&[DataType::Utf8]), false).unwrap_err().0;
        assert!(words.contains("over the files of the reference (int8, string)"), "{words}");
        assert_eq!(encoding(DataType::Utf8, DataType::Binary), None);
        assert_eq!(encoding(DataType::Boolean, DataType::Int8), None);
    }

    #[test]
    fn nulls_go_with_anything_and_other_layouts_are_no_change() {
        assert_eq!(encoding(DataType::Null, DataType::Boolean), Some(Encoding::Boolean));
        assert_eq!(encoding(DataType::Null, DataType::Null), Some(Encoding::Int32));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
        let pairing = pair(&column(&[dictionary]), &column(&[DataType::LargeUtf8]), false).unwrap();
        assert_eq!((pairing.type_name.as_str(), pairing.type_change), ("string", None));
        let pairing = pair(&column(&[DataType::Int8]), &column(&[DataType::Float64]), false).unwrap();
        assert_eq!(pairing.type_change, Some(("int8".into(), "float64".into())));
    }

    #[test]
    fn integers_become_categories_when_asked() {
        let category = Encoding::Category { binary: false };
        for (a, b) in [
            (DataType::Int8, DataType::UInt64),
            (DataType::Int8, DataType::Utf8),
            (DataType::Boolean, DataType::Boolean),
        ] {
            assert_eq!(pair(&column(&[a]), &column(&[b]), true).unwrap().encoding, category);
        }
        assert_eq!(
            pair(&column(&[DataType::Float32]), &column(&[DataType::Float32]), true).unwrap().kind,
            Kind::Numeric
        );
    }

    #[test]
    fn a_partition_goes_as_text_with_text() {
        let folder = SourceColumn { partition: true, ..column(&[DataType::Int64]) };
        let category = Encoding::Category { binary: false };
        assert_eq!(pair(&folder, &column(&[DataType::Utf8]), false).unwrap().encoding, category);
        assert_eq!(pair(&column(&[DataType::Utf8]), &folder, false).unwrap().encoding, category);
        assert_eq!(pair(&folder, &column(&[DataType::Int32]), false).unwrap().encoding, Encoding::Int64);
        assert_eq!(pair(&folder, &folder, false).unwrap().encoding, Encoding::Int64);
    }
}
