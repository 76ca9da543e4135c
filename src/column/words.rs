//! Integers as categories: the words that they have.

use std::fmt::Write;

use arrow::datatypes::DataType;

use super::class::{Class, Unit};

/// An integer of a column of this type, in the words that it has as a category.
pub(crate) fn in_words_of(n: i128, data_type: &DataType, text: &mut String) {
    if let Ok(class) = Class::of(data_type) {
        let unit = if let Class::Temporal { unit, .. } = class { Some(unit) } else { None };
        in_words(n, class, unit, text);
    }
}

/// A category made of an integer: booleans by name, dates as YYYY-MM-DD, integers in decimal.
pub(super) fn in_words(n: i128, class: Class, unit: Option<Unit>, text: &mut String) {
    let day = match unit {
        Some(Unit::Day) => Some(n),
        Some(unit) => {
            let per_day = i128::from(Unit::Day.factor_to(unit));
            (n % per_day == 0).then_some(n / per_day)
        }
        None => None,
    };
    // Writing to a string does not fail.
    let _ = match (class, day.and_then(|day| i64::try_from(day).ok())) {
        (Class::Boolean, _) => write!(text, "{}", n != 0),
        (_, Some(day)) => {
            let (year, month, day) = civil(day);
            write!(text, "{year:04}-{month:02}-{day:02}")
        }
        _ => write!(text, "{n}"),
    };
}

/// Year, month and day of a number of days since 1970-01-01 (H. Hinnant, civil_from_days).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days.saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year_of_era + era * 400 + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_days() {
        for (days, wanted) in [(0, "1970-01-01"), (11_017, "2000-03-01"), (-1, "1969-12-31"), (15_765, "2013-03-01")] {
            let class = Class::of(&arrow::datatypes::DataType::Date32).unwrap();
            for (n, unit) in [(days, Unit::Day), (days * 86_400_000, Unit::Millisecond)] {
                let mut text = String::new();
                in_words(n, class, Some(unit), &mut text);
                assert_eq!(text, wanted);
            }
            assert_eq!(crate::source::partition::day(wanted).map(i128::from), Some(days));
        }
    }
}
