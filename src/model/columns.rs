//! Which columns of a log are read, and what becomes of their values.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use twox_hash::XxHash3_64;

use super::config::ModelConfig;
use super::error::ModelError;
use super::estimate::Kind;
use super::options::Task;
use super::window::DAY;
use crate::config::did_you_mean;
use crate::source::rows::cast;
use crate::source::{Dataset, Fault};

/// No class: null, or a number that is NaN.
pub(super) const NONE: u32 = u32::MAX;

/// Columns of a data set by what they are for; each an index into `read`.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    /// The columns of the data set that are read, each once.
    pub(super) read: Vec<usize>,
    pub(super) prediction: Option<usize>,
    pub(super) scores: Vec<usize>,
    pub(super) label: Option<usize>,
    pub(super) id: Option<usize>,
    pub(super) timestamp: Option<usize>,
    pub(super) version: Option<usize>,
    pub(super) segments: Vec<usize>,
    pub(super) weight: Option<usize>,
    pub(super) latency: Option<usize>,
    pub(super) error: Option<usize>,
    pub(super) operations: Vec<usize>,
    /// With what their values are; where the features of the model are read.
    pub(super) features: Vec<(usize, Kind)>,
}

/// What a column must be.
#[derive(Clone, Copy)]
enum Shape {
    Any,
    Number,
    Time,
    Id,
}

/// Finds columns by name.
pub(super) struct Finder<'d> {
    pub(super) data: &'d Dataset,
    /// How messages call the data.
    pub(super) called: &'static str,
    pub(super) read: Vec<usize>,
}

impl Finder<'_> {
    fn find(&mut self, key: &'static str, name: &str, shape: Shape) -> Result<usize, ModelError> {
        let unfit = |reason: String| ModelError::UnfitColumn { key, data: self.called, name: name.to_owned(), reason };
        let columns = self.data.columns();
        let column = self.data.column(name).ok_or_else(|| ModelError::UnknownColumn {
            key,
            data: self.called,
            name: name.to_owned(),
            hint: did_you_mean(name, columns.iter().map(|column| column.name.as_str())),
        })?;
        if let Some(problem) = &columns[column].problem {
            return Err(unfit(format!("cannot be read: {problem}")));
        }
        let is = |data_type: &DataType| match shape {
            Shape::Any => true,
            Shape::Number => data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Null),
            Shape::Time => {
                matches!(data_type, DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) | DataType::Null)
            }
            Shape::Id => !data_type.is_floating(),
        };
        if let Some(other) = columns[column].types.iter().find(|data_type| !is(data_type)) {
            let wanted = match shape {
                Shape::Number | Shape::Any => "a number",
                Shape::Time => "a date or a timestamp",
                Shape::Id => "an integer, a text or bytes",
            };
            return Err(unfit(format!("is {other}; it must be {wanted}")));
        }
        Ok(self.read.iter().position(|&known| known == column).unwrap_or_else(|| {
            self.read.push(column);
            self.read.len() - 1
        }))
    }

    /// The column of ids.
    pub(super) fn id(&mut self, name: &str) -> Result<usize, ModelError> {
        self.find("id", name, Shape::Id)
    }

    /// The column of labels.
    pub(super) fn label(&mut self, name: &str, task: Task) -> Result<usize, ModelError> {
        self.find("label", name, if task == Task::Regression { Shape::Number } else { Shape::Any })
    }
}

impl Columns {
    /// The columns of a log. Labels are looked for in the log itself unless they are `joined`; a reference may lack segments,
    /// and what is measured of operations.
    pub(super) fn of(
        config: &ModelConfig,
        data: &Dataset,
        called: &'static str,
        joined: bool,
    ) -> Result<Self, ModelError> {
        let reference = called == "reference";
        let has = |name: &String| !reference || data.column(name).is_some();
        let mut finder = Finder { data, called, read: Vec::new() };
        let prediction = if config.task == Task::Regression { Shape::Number } else { Shape::Any };
        let mut one = |key, name: &Option<String>, shape| {
            name.as_ref().filter(|name| has(name)).map(|name| finder.find(key, name, shape)).transpose()
        };
        let mut columns = Self {
            prediction: one("prediction", &config.prediction, prediction)?,
            timestamp: one("timestamp", &config.timestamp, Shape::Time)?,
            version: one("version", &config.version, Shape::Any)?,
            weight: one("weight", &config.weight, Shape::Number)?,
            latency: one("latency", &config.latency, Shape::Number)?,
            error: one("error", &config.error, Shape::Any)?,
            id: one("id", &config.id, Shape::Id)?,
            ..Self::default()
        };
        if !joined && let Some(label) = &config.label {
            columns.label = Some(finder.label(label, config.task)?);
        }
        for (_, name) in &config.scores {
            columns.scores.push(finder.find("score", name, Shape::Number)?);
        }
        for name in config.segments.iter().filter(|name| has(name)) {
            columns.segments.push(finder.find("segments", name, Shape::Any)?);
        }
        for name in config.operations.iter().filter(|name| has(name)) {
            columns.operations.push(finder.find("operations", name, Shape::Number)?);
        }
        columns.read = finder.read;
        Ok(columns)
    }
}

/// A column of numbers as f64.
pub(super) fn floats(array: &ArrayRef) -> Result<Float64Array, Fault> {
    Ok(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
}

/// A column as text; whole numbers have no fraction, whatever type they are stored as.
pub(super) fn texts(array: &ArrayRef) -> Result<StringArray, Fault> {
    if array.data_type().is_floating() {
        return Ok(floats(array)?.iter().map(|value| value.map(|value| value.to_string())).collect());
    }
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

/// Times as microseconds since 1970.
pub(super) fn times(array: &ArrayRef) -> Result<Int64Array, Fault> {
    let stored = match array.data_type() {
        DataType::Date32 => cast(&cast(array, &DataType::Int32)?, &DataType::Int64)?,
        _ => cast(array, &DataType::Int64)?,
    };
    let stored = stored.as_primitive::<Int64Type>();
    let scaled = |factor: i64| stored.unary::<_, Int64Type>(|time| time.saturating_mul(factor));
    Ok(match array.data_type() {
        DataType::Date32 => scaled(DAY),
        DataType::Date64 | DataType::Timestamp(TimeUnit::Millisecond, _) => scaled(1000),
        DataType::Timestamp(TimeUnit::Second, _) => scaled(1_000_000),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => stored.unary(|time| time.div_euclid(1000)),
        _ => stored.clone(),
    })
}

/// What stands for an id: the integer itself, or 128 bits of hash of a text. Two texts of one hash would count as one id.
pub(super) fn ids(array: &ArrayRef) -> Result<Vec<Option<u128>>, Fault> {
    if array.data_type().is_integer() {
        if array.data_type() == &DataType::UInt64 {
            let stored = array.as_primitive::<arrow::datatypes::UInt64Type>();
            return Ok(stored.iter().map(|id| id.map(u128::from)).collect());
        }
        let stored = cast(array, &DataType::Int64)?;
        let stored = stored.as_primitive::<Int64Type>();
        return Ok(stored.iter().map(|id| id.map(|id| i128::from(id).cast_unsigned())).collect());
    }
    let binary = cast(array, &DataType::Utf8).or_else(|_| cast(array, &DataType::Binary))?;
    let binary = cast(&binary, &DataType::Binary)?;
    let hash = |text: &[u8]| {
        let half = |seed| u128::from(XxHash3_64::oneshot_with_seed(seed, text));
        half(0) << 64 | half(0x9e37_79b9_7f4a_7c15)
    };
    Ok(binary.as_binary::<i32>().iter().map(|id| id.map(hash)).collect())
}

/// Values as codes, and what each code is called.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Coded {
    /// A code a row, [`NONE`] where there is no value.
    pub(super) codes: Vec<u32>,
    /// Names by code.
    pub(super) names: Vec<String>,
}

impl Coded {
    /// Text by text.
    pub(super) fn of(array: &ArrayRef) -> Result<Self, Fault> {
        let texts = texts(array)?;
        let mut known: HashMap<&str, u32> = HashMap::new();
        let mut names = Vec::new();
        let mut last: Option<(&str, u32)> = None;
        let codes = texts.iter().map(|text| {
            let Some(text) = text else { return NONE };
            if let Some((_, code)) = last.filter(|(before, _)| *before == text) {
                return code;
            }
            let code = *known.entry(text).or_insert_with(|| {
                names.push(text.to_owned());
                u32::try_from(names.len() - 1).expect("fewer names than rows of a piece")
            });
            last = Some((text, code));
            code
        });
        let codes = codes.collect();
        Ok(Self { codes, names })
    }

    /// Classes: two of them for a binary task, negative and positive.
    pub(super) fn classes(array: &ArrayRef, config: &ModelConfig) -> Result<Self, Fault> {
        if !config.task.has_two_classes() {
            let mut coded = Self::of(array)?;
            if let Some(nan) = coded.names.iter().position(|name| array.data_type().is_floating() && name == "NaN") {
                let nan = u32::try_from(nan).unwrap_or(NONE);
                coded.codes.iter_mut().filter(|code| **code == nan).for_each(|code| *code = NONE);
            }
            return Ok(coded);
        }
        let names = binary_names(config);
        let unclear = |value: &str| {
            Fault::Value(format!("it has the class {value:?} beside 0 and 1: name the positive class with `positive`"))
        };
        let positive = config.positive.as_deref();
        let is_number = |array: &ArrayRef| array.data_type().is_numeric() || array.data_type() == &DataType::Boolean;
        let codes: Result<Vec<u32>, Fault> = if is_number(array) {
            let one = match positive {
                None | Some("true" | "True") => Some(1.0),
                Some("false" | "False") => Some(0.0),
                Some(text) => text.parse::<f64>().ok(),
            };
            let one = one.ok_or_else(|| {
                let text = positive.unwrap_or_default();
                Fault::Value(format!("it has numbers, and the positive class is {text:?}"))
            })?;
            let code = |value: Option<f64>| match value {
                None => Ok(NONE),
                Some(value) if value.is_nan() => Ok(NONE),
                Some(value) if value == one => Ok(1),
                Some(value) if positive.is_some() || value == 0.0 => Ok(u32::from(value == one)),
                Some(value) => Err(unclear(&value.to_string())),
            };
            floats(array)?.iter().map(code).collect()
        } else {
            let code = |text: Option<&str>| match (text, positive) {
                (None, _) => Ok(NONE),
                (Some(text), Some(positive)) => Ok(u32::from(text == positive)),
                (Some("1" | "true" | "True"), None) => Ok(1),
                (Some("0" | "false" | "False"), None) => Ok(0),
                (Some(text), None) => Err(unclear(text)),
            };
            texts(array)?.iter().map(code).collect()
        };
        Ok(Self { codes: codes?, names })
    }
}

/// How the two classes of a binary task are called: the negative one, and the positive one.
pub(super) fn binary_names(config: &ModelConfig) -> Vec<String> {
    let positive = config.positive.clone().unwrap_or_else(|| "1".to_owned());
    let negative = if positive == "1" { "0".to_owned() } else { format!("not {positive}") };
    vec![negative, positive]
}
