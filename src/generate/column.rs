//! One column of one side: any range of its rows as an Arrow array.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, DictionaryArray, FixedSizeBinaryBuilder, GenericStringBuilder, OffsetSizeTrait,
    PrimitiveArray, StringArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{self as types, DataType, Field};

use super::array::array_of;
use super::distribution::{Distribution, Sampler};
use super::drift::Drift;
use super::error::GenerateError;
use super::feature::{Feature, Side, Specials};
use super::random::{Purpose, Stream, hash, mix, unit};
use super::types::{Class, class_of, dictionary, limits};

/// One column of one side, ready to make rows.
#[derive(Debug)]
pub(super) struct Column {
    /// Name, type and nullability.
    pub(super) field: Field,
    class: Class,
    /// The distribution of this side, drift included where it acts on shares.
    distribution: Distribution,
    sampler: Sampler,
    drift: Option<Drift>,
    /// Whether the drift acts on single numbers.
    moves: bool,
    decimals: Option<u8>,
    specials: Specials,
    values: Stream,
    marks: Stream,
}

impl Column {
    /// The column that `feature` is on `side`.
    pub(super) fn new(feature: &Feature, side: Side, seed: u64) -> Result<Self, GenerateError> {
        let wrong = |problem: String| GenerateError::Feature { feature: feature.name.clone(), problem };
        let data_type = feature.type_on(side).clone();
        let class = class_of(&data_type).ok_or_else(|| wrong(format!("type {data_type} is not written")))?;
        let drift = feature.drift.as_ref().filter(|_| side == Side::Current);
        if let Some(kind) = drift.map(Drift::kind).filter(|kind| !kind.takes(&data_type)) {
            return Err(wrong(format!("a {data_type} cannot drift by {}", kind.name())));
        }
        let changed = match drift {
            Some(drift) => drift.distribution(&feature.distribution).map_err(wrong)?,
            None => None,
        };
        let moves = changed.is_none();
        let distribution = changed.unwrap_or_else(|| feature.distribution.clone());
        check_distribution(&distribution, class, &data_type).map_err(wrong)?;
        let specials = drift.map_or(feature.specials, |drift| drift.specials(feature.specials));
        check_specials(&specials, &data_type, &feature.name)?;
        let drawn = if drift.is_some_and(Drift::repeats) { Side::Reference } else { side };
        Ok(Self {
            field: Field::new(&feature.name, data_type.clone(), true),
            class,
            sampler: Sampler::new(&distribution),
            distribution,
            drift: drift.cloned(),
            moves,
            // Whole numbers have none, and are rounded once.
            decimals: feature.decimals.filter(|_| !data_type.is_integer()),
            specials,
            values: Stream::new(seed, drawn, &feature.name, Purpose::Values),
            marks: Stream::new(seed, drawn, &feature.name, Purpose::Specials),
        })
    }

    /// The column under another name.
    pub(super) fn named(self, name: &str) -> Self {
        Self { field: self.field.with_name(name), ..self }
    }

    /// The rows from `first_row` on, `count` of them.
    pub(super) fn rows(&self, first_row: u64, count: usize) -> ArrayRef {
        let draws = self.values.draws(first_row, count);
        let marks = self.marks(first_row, count);
        let nulls = nulls(&marks);
        if self.class == Class::Category {
            return self.names(&draws, nulls);
        }
        let mut numbers = self.numbers(&draws);
        place_specials(&mut numbers, &marks);
        match self.field.data_type() {
            DataType::Decimal128(precision, scale) => self.decimals(&draws, &numbers, nulls, *precision, *scale),
            data_type => array_of(data_type, numbers, nulls),
        }
    }

    /// The special value of every row, or nothing when there are none. 0 is an ordinary row, 1 a null, then as in
    /// [`Specials::shares`].
    fn marks(&self, first_row: u64, count: usize) -> Vec<u8> {
        if self.specials.is_empty() {
            return Vec::new();
        }
        let shares = self.specials.shares();
        let mark = |draw: u64| {
            let mut left = unit(draw);
            for (mark, share) in (1_u8..).zip(shares) {
                if left < share {
                    return mark;
                }
                left -= share;
            }
            0
        };
        self.marks.draws(first_row, count).into_iter().map(mark).collect()
    }

    fn numbers(&self, draws: &[u64]) -> Vec<f64> {
        let (low, high) = limits(self.field.data_type());
        let grid = self.decimals.map(|digits| libm::exp10(f64::from(digits)));
        let drift = self.drift.as_ref().filter(|_| self.moves);
        // What a drift finds in a column of whole numbers is whole.
        let whole = drift.is_some() && self.field.data_type().is_integer();
        draws
            .iter()
            .map(|draw| {
                let mut value = self.sampler.value(unit(*draw));
                if whole {
                    value = value.round();
                }
                if let Some(drift) = drift {
                    value = drift.number(value);
                }
                if let Some(grid) = grid {
                    value = (value * grid).round() / grid;
                }
                value.max(low).min(high)
            })
            .collect()
    }

    /// Decimals; those beyond 18 digits get digits that no f64 holds, so that readers which pass through f64 show.
    #[expect(clippy::cast_possible_truncation, reason = "limits() keeps the numbers within the precision")]
    fn decimals(
        &self,
        draws: &[u64],
        numbers: &[f64],
        nulls: Option<NullBuffer>,
        precision: u8,
        scale: i8,
    ) -> ArrayRef {
        const FROM_NUMBER: u32 = 3;
        let scale_digits = u32::from(scale.unsigned_abs());
        let constant = matches!(self.distribution, Distribution::Constant { .. });
        let exact = |number: f64| constant || self.drift.as_ref().is_some_and(|drift| drift.exact(number));
        let extra = if precision > 18 { scale_digits.saturating_sub(FROM_NUMBER) } else { 0 };
        let grid = libm::exp10(f64::from(scale_digits - extra));
        let ten_to_extra = 10_u64.pow(extra);
        let unscaled = draws.iter().zip(numbers).map(|(draw, number)| {
            let digits = if exact(*number) { 0 } else { mix(*draw) % ten_to_extra };
            (number * grid).round() as i128 * i128::from(ten_to_extra) + i128::from(digits)
        });
        let array = PrimitiveArray::<types::Decimal128Type>::new(unscaled.collect(), nulls);
        Arc::new(array.with_precision_and_scale(precision, scale).expect("class_of lets only valid decimals pass"))
    }

    /// Categories and identifiers.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positions of labels and identifiers")]
    fn names(&self, draws: &[u64], nulls: Option<NullBuffer>) -> ArrayRef {
        let codes = draws.iter().map(|draw| self.sampler.value(unit(*draw)) as u64);
        // A category's bytes come from its label: its position changes when another one vanishes.
        let identity = |code: u64| match &self.distribution {
            Distribution::Category { labels, .. } => hash(labels[code as usize].as_bytes()),
            _ => code,
        };
        let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        match self.field.data_type() {
            DataType::Dictionary(..) => {
                let Distribution::Category { labels, .. } = &self.distribution else {
                    unreachable!("Column::new lets only categories pass")
                };
                let keys = codes.map(|code| code as i32).collect();
                let keys = PrimitiveArray::<types::Int32Type>::new(keys, nulls);
                Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(labels.clone()))))
            }
            DataType::FixedSizeBinary(width) => {
                let bytes = usize::try_from(*width).expect("class_of lets only positive widths pass");
                let mut builder = FixedSizeBinaryBuilder::with_capacity(draws.len(), *width);
                for (row, code) in codes.enumerate() {
                    if valid(row) {
                        builder.append_value(digest(identity(code), bytes)).expect("the digest is as wide as the type");
                    } else {
                        builder.append_null();
                    }
                }
                Arc::new(builder.finish())
            }
            DataType::Binary => {
                let mut builder = BinaryBuilder::with_capacity(draws.len(), draws.len() * 6);
                for (row, code) in codes.enumerate() {
                    // Lengths from 5 to 8, most of it no valid UTF-8.
                    let identity = identity(code);
                    builder.append_option(valid(row).then(|| digest(identity, 5 + identity as usize % 4)));
                }
                Arc::new(builder.finish())
            }
            DataType::LargeUtf8 => self.strings::<i64>(codes, valid),
            _ => self.strings::<i32>(codes, valid),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "positions of labels")]
    fn strings<O: OffsetSizeTrait>(
        &self,
        codes: impl ExactSizeIterator<Item = u64>,
        valid: impl Fn(usize) -> bool,
    ) -> ArrayRef {
        let mut builder = GenericStringBuilder::<O>::with_capacity(codes.len(), codes.len() * 12);
        for (row, code) in codes.enumerate() {
            if !valid(row) {
                builder.append_null();
                continue;
            }
            match &self.distribution {
                Distribution::Category { labels, .. } => builder.append_value(&labels[code as usize]),
                Distribution::Ids { prefix, .. } => {
                    write!(builder, "{prefix}{code:08}").expect("writing to memory does not fail");
                    builder.append_value("");
                }
                _ => unreachable!("only categories and identifiers are names"),
            }
        }
        Arc::new(builder.finish())
    }
}

fn nulls(marks: &[u8]) -> Option<NullBuffer> {
    (!marks.is_empty()).then(|| NullBuffer::new(marks.iter().map(|mark| *mark != 1).collect()))
}

fn place_specials(numbers: &mut [f64], marks: &[u8]) {
    for (number, mark) in numbers.iter_mut().zip(marks) {
        *number = match mark {
            // What lies under a null is nobody's business, but it goes into no file either: one value for all.
            1 => 0.0,
            2 => f64::NAN,
            3 => f64::INFINITY,
            4 => f64::NEG_INFINITY,
            5 => -0.0,
            _ => continue,
        };
    }
}

/// `width` bytes that stand for a category or identifier: as good as random, the same in every run.
fn digest(identity: u64, width: usize) -> Vec<u8> {
    (0_u64..).flat_map(|block| mix(identity ^ mix(block)).to_le_bytes()).take(width).collect()
}

fn check_distribution(distribution: &Distribution, class: Class, data_type: &DataType) -> Result<(), String> {
    match distribution {
        Distribution::Category { labels, shares } if labels.is_empty() || labels.len() != shares.len() => {
            return Err("needs at least one category, and one share for each".into());
        }
        Distribution::Ids { pool: 0, .. } => return Err("needs a pool of at least one identifier".into()),
        Distribution::Ids { .. } if *data_type == dictionary() => {
            return Err("a dictionary of identifiers is not written; use a string type".into());
        }
        _ => {}
    }
    let numbered = matches!(distribution, Distribution::Ids { .. }) && data_type.is_integer();
    if !numbered && distribution.is_category() != (class == Class::Category) {
        return Err(format!("a {data_type} cannot hold this distribution: {distribution:?}"));
    }
    Ok(())
}

fn check_specials(specials: &Specials, data_type: &DataType, feature: &str) -> Result<(), GenerateError> {
    let shares = specials.shares();
    if let Some(share) = shares.into_iter().find(|share| !(0.0..=1.0).contains(share)) {
        return Err(GenerateError::Share { what: "the share of a special value", value: share });
    }
    let sum: f64 = shares.iter().sum();
    if sum > 1.0 + 1e-12 {
        return Err(GenerateError::SpecialShares { feature: feature.into(), sum });
    }
    if shares[1..].iter().any(|share| *share > 0.0) && !data_type.is_floating() {
        let problem = format!("only floats hold NaN, infinities and negative zeros, not {data_type}");
        return Err(GenerateError::Feature { feature: feature.into(), problem });
    }
    Ok(())
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small counts, and the loss is the point"
)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::compute::concat;

    use arrow::datatypes::TimeUnit;
    use half::f16;

    use super::*;
    use crate::generate::drift::{Scale, VanishedCategory};
    use crate::generate::types::TYPES;

    fn feature(data_type: DataType) -> Feature {
        let distribution = match class_of(&data_type) {
            Some(Class::Category) => Distribution::zipf(["a", "b", "c"], 1.0),
            _ => Distribution::Uniform { low: 1.0, high: 100.0 },
        };
        let mut feature = Feature::new("f", data_type, distribution);
        feature.specials.nulls = 0.2;
        feature
    }

    #[test]
    fn rows_do_not_depend_on_how_they_are_cut() {
        for (name, make) in TYPES {
            let column = Column::new(&feature(make()), Side::Reference, 3).expect(name);
            let whole = column.rows(10, 500);
            let parts = [column.rows(10, 1), column.rows(11, 0), column.rows(11, 299), column.rows(310, 200)];
            let parts = concat(&parts.each_ref().map(|part| part.as_ref())).expect("equal types");
            assert_eq!(&whole, &parts, "{name}");
            assert_eq!(whole.data_type(), &make(), "{name}");
            assert!((50..150).contains(&whole.null_count()), "{name}: {} nulls", whole.null_count());
        }
    }

    #[test]
    fn specials_have_their_shares() {
        let mut feature = feature(DataType::Float64);
        feature.specials =
            Specials { nulls: 0.1, nans: 0.2, infinities: 0.05, negative_infinities: 0.02, negative_zeros: 0.1 };
        let array = Column::new(&feature, Side::Current, 1).expect("valid").rows(0, 10_000);
        let values: Vec<f64> = array.as_primitive::<types::Float64Type>().iter().flatten().collect();
        let share = |test: fn(&f64) -> bool| values.iter().filter(|v| test(v)).count() as f64 / 10_000.0;
        assert!((array.null_count() as f64 / 10_000.0 - 0.1).abs() < 0.02);
        assert!((share(|v| v.is_nan()) - 0.2).abs() < 0.02);
        assert!((share(|v| *v == f64::INFINITY) - 0.05).abs() < 0.01);
        assert!((share(|v| *v == f64::NEG_INFINITY) - 0.02).abs() < 0.01);
        assert!((share(|v| *v == 0.0 && v.is_sign_negative()) - 0.1).abs() < 0.02);
    }

    #[test]
    fn wide_decimals_have_digits_that_no_float_holds() {
        let feature = Feature::new("d", DataType::Decimal128(38, 10), Distribution::Uniform { low: 1e12, high: 2e12 });
        let array = Column::new(&feature, Side::Reference, 1).expect("valid").rows(0, 1000);
        let lost = |v: &i128| (*v as f64) as i128 != *v;
        assert!(array.as_primitive::<types::Decimal128Type>().values().iter().filter(|v| lost(v)).count() > 900);
    }

    #[test]
    fn a_category_keeps_its_bytes_when_another_vanishes() {
        for data_type in
            [DataType::Binary, DataType::FixedSizeBinary(8), DataType::Utf8, crate::generate::types::dictionary()]
        {
            let mut feature = Feature::new("f", data_type, Distribution::zipf(["a", "b", "c"], 0.0));
            feature.drift = Some(VanishedCategory { label: "a".into() }.into());
            let [before, after] = Side::BOTH.map(|side| {
                let rows = Column::new(&feature, side, 1).expect("valid").rows(0, 100);
                let rows = arrow::compute::cast(&rows, &DataType::Binary).expect("text and bytes");
                rows.as_binary::<i32>().iter().flatten().map(<[u8]>::to_vec).collect::<std::collections::HashSet<_>>()
            });
            assert_eq!((before.len(), after.len()), (3, 2), "{}", feature.data_type);
            assert!(after.is_subset(&before), "{}", feature.data_type);
        }
    }

    #[test]
    fn values_beyond_a_type_saturate() {
        let huge = |data_type| {
            let feature = Feature::new("d", data_type, Distribution::Constant { value: 1e30 });
            Column::new(&feature, Side::Reference, 1).expect("valid").rows(0, 1)
        };
        assert_eq!(huge(DataType::Int8).as_primitive::<types::Int8Type>().value(0), i8::MAX);
        assert_eq!(huge(DataType::Float16).as_primitive::<types::Float16Type>().value(0), f16::MAX);
        assert_eq!(huge(DataType::Time32(TimeUnit::Second)).as_primitive::<types::Time32SecondType>().value(0), 86_399);
        let decimal = huge(DataType::Decimal128(4, 2));
        assert_eq!(decimal.as_primitive::<types::Decimal128Type>().value(0), 9000);
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_name_of_the_feature() {
        let message = |feature: &Feature| Column::new(feature, Side::Current, 1).unwrap_err().to_string();
        let mut nan_in_integers = feature(DataType::Int32);
        nan_in_integers.specials.nans = 0.1;
        assert!(message(&nan_in_integers).contains("`f`: only floats"));
        let mut scaled_names = feature(DataType::Utf8);
        scaled_names.drift = Some(Scale { factor: 2.0 }.into());
        assert!(message(&scaled_names).contains("Utf8 cannot drift by scale"));
        let mut too_many = feature(DataType::Float32);
        too_many.specials = Specials { nulls: 0.7, nans: 0.7, ..Specials::default() };
        assert!(message(&too_many).contains("more than 1"));
        let numbers_as_names = Feature::new("f", DataType::Utf8, Distribution::Constant { value: 1.0 });
        assert!(message(&numbers_as_names).contains("cannot hold"));
        let names_as_numbers = Feature::new("f", DataType::Int8, Distribution::zipf(["a"], 1.0));
        assert!(message(&names_as_numbers).contains("cannot hold"));
        assert!(message(&Feature::new("f", DataType::Null, Distribution::Constant { value: 1.0 })).contains("Null"));
    }
}
