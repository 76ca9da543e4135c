//! Hive partitions: `key=value` in the names of folders.

use std::path::{Component, Path};

use arrow::datatypes::DataType;

/// How Hive writes a null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition keys and values in the folders of `relative`, outermost first. A value of `None` is null.
///
/// `relative` is the path of a file below the folder that the user named: a folder that was named is not a partition.
pub(crate) fn parts(relative: &Path) -> Vec<(String, Option<String>)> {
    let folders = relative.parent().map(Path::components).into_iter().flatten();
    folders
        .filter_map(|component| match component {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .filter_map(|name| name.split_once('='))
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, value)| (decode(key), (value != NULL).then(|| decode(value))))
        .collect()
}

/// Percent-decoding; what is no escape, or would not be UTF-8, stays as it is.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let digits = (byte == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match digits.filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit())).and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(escaped) => {
                out.push(escaped);
                at += 3;
            }
            None => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

/// The type of a key: int64 if every value of it is an integer, else date32 if every one is a day, else text.
pub(crate) fn type_of<'v>(values: impl Iterator<Item = &'v str> + Clone) -> DataType {
    if values.clone().all(|value| integer(value).is_some()) {
        DataType::Int64
    } else if values.clone().all(|value| day(value).is_some()) {
        DataType::Date32
    } else {
        DataType::Utf8
    }
}

/// The value as an integer: digits with an optional minus sign, leading zeros allowed.
pub(crate) fn integer(value: &str) -> Option<i64> {
    (!value.starts_with('+')).then(|| value.parse().ok()).flatten()
}

/// Days since 1970-01-01 of a value `YYYY-MM-DD`.
pub(crate) fn day(value: &str) -> Option<i32> {
    let digits = |range: std::ops::Range<usize>| -> Option<i32> {
        let part = value.get(range)?;
        part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok()).flatten()
    };
    let bytes = value.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(0..4)?, digits(5..7)?, digits(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let longest = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i32::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=longest).contains(&day) {
        return None;
    }
    // Days from a year that begins in March, so that the leap day is the last one (H. Hinnant, days_from_civil).
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_values_come_from_the_folders_only() {
        let found = parts(Path::new("station=Dong%2Fsi/year=2013/a=b.parquet"));
        assert_eq!(
            found,
            [("station".to_owned(), Some("Dong/si".to_owned())), ("year".to_owned(), Some("2013".to_owned()))]
        );
        assert_eq!(parts(Path::new("k=__HIVE_DEFAULT_PARTITION__/f.parquet")), [("k".to_owned(), None)]);
        assert_eq!(parts(Path::new("k=/f.parquet")), [("k".to_owned(), Some(String::new()))]);
    }

    #[test]
    fn types_are_inferred_over_all_values() {
        assert_eq!(type_of(["01", "-7"].into_iter()), DataType::Int64);
        assert_eq!(type_of(["2013-01-31", "2012-02-29"].into_iter()), DataType::Date32);
        assert_eq!(type_of(["2013-01-31", "7"].into_iter()), DataType::Utf8);
        assert_eq!(type_of(["2013-02-29"].into_iter()), DataType::Utf8);
    }

    #[test]
    fn days_count_from_1970() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-03-01"), Some(11_017));
        assert_eq!(day("1969-12-31"), Some(-1));
        assert_eq!(day("0000-03-01"), Some(-719_468));
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("a%zzb%41"), "a%zzbA");
        assert_eq!(decode("%ff"), "%ff");
    }
}
