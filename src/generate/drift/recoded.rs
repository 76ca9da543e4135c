//! The same categories under other names.

use arrow::datatypes::DataType;
use serde::Serialize;

use super::{Change, categories, class_is, label};
use crate::generate::distribution::Distribution;
use crate::generate::feature::Feature;
use crate::generate::types::Class;

/// The same categories under other names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Recoded {
    /// How they are written now.
    pub spelling: Spelling,
}

/// How a program writes a category that another one wrote otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spelling {
    /// In the other letters: capitals, or small ones.
    Case,
    /// With a space behind it.
    Whitespace,
    /// UTF-8 that was read as Windows-1252 and written as UTF-8 again.
    Encoding,
    /// With a question mark for every character that ASCII lacks.
    LostCharacters,
    /// With something before it.
    Prefix,
    /// As a number.
    Codes,
    /// As before, but for the largest one, which has another name.
    Renamed,
}

/// What is taken in turns.
const SPELLINGS: [Spelling; 7] = [
    Spelling::Case,
    Spelling::Whitespace,
    Spelling::Encoding,
    Spelling::Renamed,
    Spelling::Prefix,
    Spelling::LostCharacters,
    Spelling::Codes,
];
/// Places whose names are not written in ASCII alone.
const CITIES: [&str; 7] = ["München", "Köln", "Zürich", "Málaga", "Göteborg", "Kraków", "Bern"];

impl Spelling {
    pub(super) fn of(self, rank: usize, label: &str) -> String {
        match self {
            Self::Case if label.chars().any(char::is_lowercase) => label.to_uppercase(),
            Self::Case => label.to_lowercase(),
            Self::Whitespace => format!("{label} "),
            Self::Encoding => encoding_rs::WINDOWS_1252.decode_without_bom_handling(label.as_bytes()).0.into_owned(),
            Self::LostCharacters => label.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect(),
            Self::Prefix => format!("v2:{label}"),
            Self::Codes => format!("{}", rank + 1),
            Self::Renamed if rank == 0 => format!("{label} (new)"),
            Self::Renamed => label.to_owned(),
        }
    }
}

impl Change for Recoded {
    const NAME: &'static str = "recoded";
    const SAYS: &'static str =
        "the same categories under other names: case, whitespace, encoding, one renamed, a prefix, codes";

    fn takes(data_type: &DataType) -> bool {
        class_is(data_type, &[Class::Category])
            && !matches!(data_type, DataType::Binary | DataType::FixedSizeBinary(_))
    }

    fn shown_by(_: &DataType, turn: usize) -> Option<(&'static str, Distribution)> {
        let foreign = matches!(SPELLINGS[turn % SPELLINGS.len()], Spelling::Encoding | Spelling::LostCharacters);
        foreign.then(|| ("city", Distribution::zipf(CITIES, 0.8)))
    }

    fn planned(feature: &Feature, turn: usize, _: f64) -> Self {
        let spelling = SPELLINGS[turn % SPELLINGS.len()];
        let largest = label(feature, 0);
        let shows = spelling.of(0, &largest) != largest;
        Self { spelling: if shows { spelling } else { Spelling::Prefix } }
    }

    fn distribution(&self, before: &Distribution) -> Result<Option<Distribution>, String> {
        let (labels, shares) = categories(before)?;
        let labels = labels.iter().enumerate().map(|(rank, label)| self.spelling.of(rank, label)).collect();
        Ok(Some(Distribution::Category { labels, shares }))
    }

    fn describe(&self, feature: &Feature) -> String {
        let largest = label(feature, 0);
        format!("`{largest}` becomes `{}`", self.spelling.of(0, &largest))
    }
}
