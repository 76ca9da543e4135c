//! Rows of a log as they are counted: batches of values, and the groups that each row belongs to.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;

use super::columns::{Coded, Columns, NONE, floats, texts, times};
use super::config::ModelConfig;
use super::estimate::{Estimator, Feature, Foreseen, Kind};
use super::join::Truth;
use super::measure::units;
use super::options::Task;
use super::tally::{Sorting, Tally};
use crate::source::Fault;

/// Predictions and labels of a batch.
#[derive(Clone, Debug)]
pub(super) enum Answers {
    /// Of a classifier.
    Classes { predictions: Coded, labels: Coded, scores: Vec<Vec<Option<f64>>>, classes: Vec<String> },
    /// Of a regression.
    Numbers { predictions: Vec<Option<f64>>, labels: Vec<Option<f64>> },
}

impl Default for Answers {
    /// Those of no row.
    fn default() -> Self {
        Self::Numbers { predictions: Vec::new(), labels: Vec::new() }
    }
}

/// Some rows of a log.
#[derive(Clone, Debug, Default)]
pub(super) struct Batch {
    pub(super) rows: usize,
    pub(super) ids: Option<Vec<Option<u128>>>,
    pub(super) times: Option<Vec<Option<i64>>>,
    pub(super) version: Option<Coded>,
    pub(super) segments: Vec<Coded>,
    pub(super) answers: Answers,
    pub(super) weights: Option<Vec<Option<f64>>>,
    pub(super) latency: Option<Vec<Option<f64>>>,
    pub(super) operations: Vec<Vec<Option<f64>>>,
    pub(super) failed: Option<Vec<Option<bool>>>,
    pub(super) features: Vec<Feature>,
    pub(super) foreseen: Option<Foreseen>,
}

/// What rows are measured together: window, version, and a value of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Group {
    /// First day of the window; `None` for rows without a time.
    pub(super) window: Option<i64>,
    pub(super) version: Option<String>,
    /// Index of the segment among those of the model, and its value; `None` for all rows.
    pub(super) segment: Option<(usize, Option<String>)>,
}

/// Groups with what was counted of them, in their order.
pub(super) type Groups = BTreeMap<Group, Tally>;

impl Batch {
    /// How much a row counts, in the units of [`Mass`](super::measure::Mass); `None` of a weight that is none.
    pub(super) fn weight(&self, row: usize) -> Option<u64> {
        self.weights.as_ref().map_or(Some(1), |weights| weights[row].and_then(units))
    }

    /// The rows in these arrays, which stand in the order of `columns.read`.
    pub(super) fn of(config: &ModelConfig, columns: &Columns, arrays: &[ArrayRef]) -> Result<Self, (usize, Fault)> {
        let at = |column: usize| move |fault: Fault| (columns.read[column], fault);
        let numbers = |column: usize| -> Result<Vec<Option<f64>>, (usize, Fault)> {
            Ok(floats(&arrays[column]).map_err(at(column))?.iter().collect())
        };
        let coded = |column: usize| Coded::of(&arrays[column]).map_err(at(column));
        let rows = arrays.first().map_or(0, Array::len);
        let answers = if config.task == Task::Regression {
            let nothing = || vec![None; rows];
            Answers::Numbers {
                predictions: columns.prediction.map(numbers).transpose()?.unwrap_or_else(nothing),
                labels: columns.label.map(numbers).transpose()?.unwrap_or_else(nothing),
            }
        } else {
            let classes = |column: usize| Coded::classes(&arrays[column], config).map_err(at(column));
            let scores: Vec<Vec<Option<f64>>> =
                columns.scores.iter().copied().map(numbers).collect::<Result<_, _>>()?;
            let predictions = match columns.prediction {
                Some(column) => classes(column)?,
                None if config.task == Task::Ranking => Coded {
                    codes: scores.first().map_or_else(Vec::new, |scores| ranked(scores)),
                    names: vec!["ranked".to_owned()],
                },
                None => Coded {
                    codes: scores.first().map_or_else(Vec::new, |scores| decided(scores, config.threshold)),
                    names: super::columns::binary_names(config),
                },
            };
            let labels = match columns.label {
                Some(column) => classes(column)?,
                None => Coded { codes: vec![NONE; rows], names: Vec::new() },
            };
            let classes = match config.task {
                task if task.has_two_classes() => super::columns::binary_names(config).split_off(1),
                _ => config.scores.iter().map(|(class, _)| class.clone()).collect(),
            };
            Answers::Classes { predictions, labels, scores, classes }
        };
        Ok(Self {
            rows,
            ids: columns.id.map(|id| super::columns::ids(&arrays[id]).map_err(at(id))).transpose()?,
            times: columns
                .timestamp
                .map(|column| Ok::<_, (usize, Fault)>(times(&arrays[column]).map_err(at(column))?.iter().collect()))
                .transpose()?,
            version: columns.version.map(coded).transpose()?,
            segments: columns.segments.iter().copied().map(coded).collect::<Result<_, _>>()?,
            answers,
            weights: columns.weight.map(numbers).transpose()?,
            latency: columns.latency.map(numbers).transpose()?,
            operations: columns.operations.iter().copied().map(numbers).collect::<Result<_, _>>()?,
            failed: columns.error.map(|error| failures(&arrays[error]).map_err(at(error))).transpose()?,
            features: Vec::new(),
            foreseen: None,
        })
    }

    /// Adds the values of the features, where they are read.
    pub(super) fn add_features(&mut self, columns: &Columns, arrays: &[ArrayRef]) -> Result<(), (usize, Fault)> {
        let values =
            |&(at, kind): &(usize, Kind)| Feature::of(&arrays[at], kind).map_err(|fault| (columns.read[at], fault));
        self.features = columns.features.iter().map(values).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Adds what the reference lets expect of these rows.
    pub(super) fn foresee(&mut self, estimator: &Estimator) {
        self.foreseen = estimator.rows(&self.answers, &self.features, self.rows);
    }

    /// Puts labels from elsewhere in.
    pub(super) fn answer(&mut self, truths: Vec<Option<Truth>>, classes: &[String]) {
        match &mut self.answers {
            Answers::Classes { labels, .. } => {
                let code = |truth: Option<Truth>| truth.map_or(NONE, Truth::class);
                *labels = Coded { codes: truths.into_iter().map(code).collect(), names: classes.to_vec() };
            }
            Answers::Numbers { labels, .. } => {
                *labels = truths.into_iter().map(|truth| truth.map(Truth::number)).collect();
            }
        }
    }

    /// Counts the rows that `keep` keeps, by group. `whole` puts all rows in one window and one version: a reference.
    pub(super) fn count(
        &self,
        config: &ModelConfig,
        keep: Option<&[bool]>,
        whole: bool,
        sorting: Sorting,
    ) -> Result<Vec<(Group, Tally)>, Fault> {
        /// Where a row belongs: window, code of the version, segment (0 for all rows), code of its value.
        type Place = (i64, u32, usize, u32);
        const UNTIMED: i64 = i64::MIN;
        let mut places: HashMap<Place, usize> = HashMap::new();
        let mut members: Vec<(Place, Vec<u32>)> = Vec::new();
        let mut latest: Vec<Option<(Place, usize)>> = vec![None; self.segments.len() + 1];
        for row in (0..self.rows).filter(|&row| keep.is_none_or(|keep| keep[row])) {
            let window = match &self.times {
                Some(times) if !whole => times[row].map_or(UNTIMED, |time| config.window.start(time)),
                _ => 0,
            };
            let version = self.version.as_ref().filter(|_| !whole).map_or(NONE, |version| version.codes[row]);
            let number = u32::try_from(row).map_err(|_| Fault::corrupt("too many rows in a batch"))?;
            for (slice, latest) in latest.iter_mut().enumerate() {
                let code = if slice == 0 { NONE } else { self.segments[slice - 1].codes[row] };
                let place = (window, version, slice, code);
                let index = match latest {
                    Some((known, index)) if *known == place => *index,
                    _ => *places.entry(place).or_insert_with(|| {
                        members.push((place, Vec::new()));
                        members.len() - 1
                    }),
                };
                *latest = Some((place, index));
                members[index].1.push(number);
            }
        }
        let name = |coded: &Coded, code: u32| coded.names.get(code as usize).cloned();
        let group = |(window, version, slice, code): Place| Group {
            window: (window != UNTIMED).then_some(window),
            version: self.version.as_ref().and_then(|coded| name(coded, version)),
            segment: slice.checked_sub(1).map(|segment| (segment, name(&self.segments[segment], code))),
        };
        members.into_iter().map(|(place, rows)| Ok((group(place), Tally::of(self, &rows, sorting)?))).collect()
    }
}

/// Classes by a threshold of the score.
fn decided(scores: &[Option<f64>], threshold: f64) -> Vec<u32> {
    let decide = |score: &Option<f64>| match score {
        Some(score) if !score.is_nan() => u32::from(*score >= threshold),
        _ => NONE,
    };
    scores.iter().map(decide).collect()
}

/// Rows that have a place in the order.
fn ranked(scores: &[Option<f64>]) -> Vec<u32> {
    scores.iter().map(|score| if score.is_some_and(|score| !score.is_nan()) { 0 } else { NONE }).collect()
}

/// Which requests failed: true, any number but 0, or a text that is not empty, `ok`, `0`, `200`, `success` or `false`.
fn failures(array: &ArrayRef) -> Result<Vec<Option<bool>>, Fault> {
    let is_number = array.data_type().is_numeric() || matches!(array.data_type(), DataType::Boolean | DataType::Null);
    if is_number {
        return Ok(floats(array)?.iter().map(|value| value.map(|value| value != 0.0)).collect());
    }
    let fine = ["", "ok", "0", "200", "success", "false", "none"];
    let failed = |text: &str| !fine.contains(&text.to_lowercase().as_str());
    // Many logs leave the column empty where nothing went wrong.
    Ok(texts(array)?.iter().map(|text| Some(text.is_some_and(failed))).collect())
}
