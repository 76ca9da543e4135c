//! The rows of two logs, paired on their ids.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use rayon::prelude::*;
use serde::Serialize;

use super::policy::Policy;
use crate::model::columns::{Coded, Columns, NONE, binary_names};
use crate::model::config::ModelConfig;
use crate::model::count::read_error;
use crate::model::error::ModelError;
use crate::model::join::Join;
use crate::model::labels::add_labels;
use crate::model::options::{Keep, Task};
use crate::model::rows::{Answers, Batch};
use crate::model::tally::{Sorting, Tally};
use crate::source::rows::{Piece, pieces, read_rows};
use crate::source::{Dataset, OpenOptions};

/// How many rows there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PairRows {
    /// Rows of the champion's log.
    pub champion: u64,
    /// Rows of the challenger's log.
    pub challenger: u64,
    /// Rows with an id that an earlier row of the same log has.
    pub duplicates: u64,
    /// Pairs of both logs.
    pub matched: u64,
    /// Those of them with a label and both predictions: what is compared.
    pub paired: u64,
}

/// What a side says about its rows, in the order of the pairs.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    /// Predicted classes, as codes.
    pub(super) classes: Vec<u32>,
    /// Predicted numbers.
    pub(super) numbers: Vec<f64>,
    /// Scores; NaN where there is none.
    pub(super) scores: Vec<f64>,
    /// Indices of the rows with a score, by score.
    pub(super) order: Vec<u32>,
    /// Latency and failures of all rows of the log.
    pub(super) operations: Tally,
}

/// Pairs, one column each.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairs {
    pub(super) task: Task,
    pub(super) rows: PairRows,
    /// Labels: codes of classes (1 is the positive one of two), or numbers.
    pub(super) labels: Vec<u32>,
    pub(super) truths: Vec<f64>,
    /// Champion, challenger.
    pub(super) sides: [Side; 2],
    pub(super) times: Vec<i64>,
    /// Of every group column a code a pair, and the names of the codes.
    pub(super) groups: Vec<(Vec<u32>, Vec<String>)>,
}

impl Pairs {
    pub(super) fn len(&self) -> usize {
        self.labels.len().max(self.truths.len())
    }

    /// The pairs of the last days; `None` when they are not asked for.
    pub(super) fn recent(&self, policy: &Policy) -> Result<Option<Self>, ModelError> {
        let Some(span) = policy.recent()? else { return Ok(None) };
        let latest = self.times.iter().copied().max().unwrap_or_default();
        let kept: Vec<usize> = (0..self.len()).filter(|&pair| self.times[pair] > latest.saturating_sub(span)).collect();
        Ok(Some(self.picked(&kept)))
    }

    fn picked(&self, kept: &[usize]) -> Self {
        fn pick<T: Copy>(values: &[T], kept: &[usize]) -> Vec<T> {
            if values.is_empty() { Vec::new() } else { kept.iter().map(|&pair| values[pair]).collect() }
        }
        let side = |side: &Side| Side {
            classes: pick(&side.classes, kept),
            numbers: pick(&side.numbers, kept),
            scores: pick(&side.scores, kept),
            ..Side::default()
        };
        let mut picked = Self {
            task: self.task,
            rows: PairRows { paired: kept.len() as u64, ..self.rows },
            labels: pick(&self.labels, kept),
            truths: pick(&self.truths, kept),
            sides: [side(&self.sides[0]), side(&self.sides[1])],
            times: pick(&self.times, kept),
            groups: self.groups.iter().map(|(codes, names)| (pick(codes, kept), names.clone())).collect(),
        };
        picked.sides.iter_mut().for_each(Side::sort);
        picked
    }
}

impl Side {
    fn sort(&mut self) {
        let pairs = u32::try_from(self.scores.len()).unwrap_or(u32::MAX);
        self.order = (0..pairs).filter(|&pair| !self.scores[pair as usize].is_nan()).collect();
        let scores = &self.scores;
        self.order.par_sort_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]).then(a.cmp(&b)));
    }
}

/// Number of a batch, and a row in it.
type Place = (u32, u32);

/// A log in memory: its batches, and where each id stands.
struct Log {
    batches: Vec<Batch>,
    at: HashMap<u128, Place>,
    duplicates: u64,
    rows: u64,
    /// Whether it has labels, of its own or joined.
    labelled: bool,
}

/// Reads both logs.
pub(super) fn read(policy: &Policy, champion: &[String], challenger: &[String]) -> Result<Pairs, ModelError> {
    let configs = [policy.model("champion", champion)?, policy.model("challenger", challenger)?];
    let [first, second] = [&configs[0], &configs[1]].map(read_log);
    let (first, second) = (first?, second?);
    if !first.labelled && !second.labelled {
        return Err(ModelError::UnknownColumn {
            key: "label",
            data: "two logs",
            name: policy.label.clone().unwrap_or_default(),
            hint: "; name Parquet with labels in `labels`".to_owned(),
        });
    }
    Ok(pair(&configs[0], first, second))
}

fn read_log(config: &ModelConfig) -> Result<Log, ModelError> {
    let data = Dataset::open(&config.input, &OpenOptions::default())?;
    let in_log = config.label.as_ref().is_some_and(|label| data.column(label).is_some());
    let joined = !config.labels.is_empty();
    let columns = Columns::of(config, &data, "log", joined || !in_log)?;
    let mut join = Join::new(Keep::First);
    let classes = match columns.id.filter(|_| joined) {
        Some(id) => {
            let labels = Dataset::open(&config.labels, &OpenOptions::default())?;
            add_labels(config, &labels, &data, columns.read[id], &mut join)?
        }
        None => Vec::new(),
    };
    let cut: Vec<Piece> = data.units().iter().copied().flat_map(pieces).collect();
    let mut log =
        Log { batches: Vec::new(), at: HashMap::new(), duplicates: 0, rows: data.rows(), labelled: joined || in_log };
    for some in cut.chunks(rayon::current_num_threads()) {
        let batches = read_rows(&data, &columns.read, some, |arrays| Batch::of(config, &columns, arrays));
        for mut batch in batches.map_err(read_error)? {
            let ids = batch.ids.clone().unwrap_or_default();
            if joined {
                let (_, truths) = join.rows(&ids);
                batch.answer(truths, &classes);
            }
            let number = u32::try_from(log.batches.len()).unwrap_or(u32::MAX);
            for (row, id) in (0_u32..).zip(ids) {
                match id.map(|id| log.at.entry(id)) {
                    Some(Entry::Vacant(slot)) => {
                        slot.insert((number, row));
                    }
                    Some(Entry::Occupied(_)) => log.duplicates += 1,
                    None => {}
                }
            }
            log.batches.push(batch);
        }
    }
    Ok(log)
}

/// Names to codes, over all batches of both logs.
#[derive(Default)]
struct Names {
    known: HashMap<String, u32>,
    names: Vec<String>,
}

impl Names {
    fn code(&mut self, name: &str) -> u32 {
        if let Some(code) = self.known.get(name) {
            return *code;
        }
        let code = u32::try_from(self.names.len()).unwrap_or(NONE);
        self.known.insert(name.to_owned(), code);
        self.names.push(name.to_owned());
        code
    }

    /// The codes of a batch as codes of all of them.
    fn codes(&mut self, coded: &Coded) -> Vec<u32> {
        let global: Vec<u32> = coded.names.iter().map(|name| self.code(name)).collect();
        coded.codes.iter().map(|&code| global.get(code as usize).copied().unwrap_or(NONE)).collect()
    }
}

/// Codes of the predictions and of the labels of every batch.
fn translated(log: &Log, classes: &mut Names) -> Vec<[Vec<u32>; 2]> {
    let of_batch = |batch: &Batch| match &batch.answers {
        Answers::Classes { predictions, labels, .. } => [classes.codes(predictions), classes.codes(labels)],
        Answers::Numbers { .. } => [Vec::new(), Vec::new()],
    };
    log.batches.iter().map(of_batch).collect()
}

fn pair(config: &ModelConfig, champion: Log, challenger: Log) -> Pairs {
    let mut pairs = Pairs { task: config.task, ..Pairs::default() };
    pairs.rows = PairRows {
        champion: champion.rows,
        challenger: challenger.rows,
        duplicates: champion.duplicates + challenger.duplicates,
        ..PairRows::default()
    };
    let mut classes = Names::default();
    if config.task == Task::Binary {
        // The positive class has the code 1.
        binary_names(config).iter().for_each(|name| {
            classes.code(name);
        });
    }
    let codes = [translated(&champion, &mut classes), translated(&challenger, &mut classes)];
    let mut groups: Vec<Names> = config.segments.iter().map(|_| Names::default()).collect();
    let of_batch = |batch: &Batch| -> Vec<Vec<u32>> {
        groups.iter_mut().zip(&batch.segments).map(|(names, coded)| names.codes(coded)).collect()
    };
    let group_codes: Vec<Vec<Vec<u32>>> = challenger.batches.iter().map(of_batch).collect();
    pairs.groups = groups.into_iter().map(|names| (Vec::new(), names.names)).collect();
    let mut places: Vec<(Place, Place)> =
        champion.at.iter().filter_map(|(id, at)| Some((*at, *challenger.at.get(id)?))).collect();
    places.sort_unstable();
    pairs.rows.matched = places.len() as u64;
    for (first, second) in places {
        let (at_a, at_b) = (first.0 as usize, second.0 as usize);
        let (a, b) = (&champion.batches[at_a], &challenger.batches[at_b]);
        let (row_a, row_b) = (first.1 as usize, second.1 as usize);
        match (&a.answers, &b.answers) {
            (Answers::Classes { scores: scores_a, .. }, Answers::Classes { scores: scores_b, .. }) => {
                let [of_a, from_a] = [0, 1].map(|what| codes[0][at_a][what][row_a]);
                let [of_b, from_b] = [0, 1].map(|what| codes[1][at_b][what][row_b]);
                let label = if from_b == NONE { from_a } else { from_b };
                if [label, of_a, of_b].contains(&NONE) {
                    continue;
                }
                pairs.labels.push(label);
                pairs.sides[0].classes.push(of_a);
                pairs.sides[1].classes.push(of_b);
                if let (Some(scores_a), Some(scores_b)) = (scores_a.first(), scores_b.first()) {
                    let both = [scores_a[row_a], scores_b[row_b]].map(|score| score.unwrap_or(f64::NAN));
                    // Curves are compared over the pairs that both sides have a score for.
                    let known = !both.iter().any(|score| score.is_nan());
                    for (side, score) in pairs.sides.iter_mut().zip(both) {
                        side.scores.push(if known { score } else { f64::NAN });
                    }
                }
            }
            (
                Answers::Numbers { predictions: of_a, labels: from_a },
                Answers::Numbers { predictions: of_b, labels: from_b },
            ) => {
                let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
                let label = finite(from_b[row_b]).or_else(|| finite(from_a[row_a]));
                let (Some(label), Some(p), Some(q)) = (label, finite(of_a[row_a]), finite(of_b[row_b])) else {
                    continue;
                };
                pairs.truths.push(label);
                pairs.sides[0].numbers.push(p);
                pairs.sides[1].numbers.push(q);
            }
            _ => continue,
        }
        if let Some(times) = &b.times {
            pairs.times.push(times[row_b].unwrap_or(i64::MIN));
        }
        for ((into, _), from) in pairs.groups.iter_mut().zip(&group_codes[at_b]) {
            into.push(from[row_b]);
        }
    }
    pairs.rows.paired = pairs.len() as u64;
    for (side, log) in pairs.sides.iter_mut().zip([champion, challenger]) {
        side.sort();
        for batch in &log.batches {
            let rows: Vec<u32> = (0..u32::try_from(batch.rows).unwrap_or(u32::MAX)).collect();
            if let Ok(tally) = Tally::of(batch, &rows, Sorting::Here) {
                // Weights, whose sums could overflow, are none here.
                let _ = side.operations.merge(tally);
            }
        }
    }
    pairs
}
