//! Rows to streams, streams to a report.
//!
//! Rows are read a bounded number at a time and dealt to their streams; streams run in parallel. Without `order_by` they go in
//! the order of the files. With it, in the order of its values: row groups whose ranges, by the statistics in the footers,
//! overlap are held in memory together and sorted (stable, so equal times keep the order of the files); the others follow each
//! other. So memory holds the largest group of overlapping row groups.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use arrow::datatypes::DataType;

use super::error::ConceptError;
use super::lanes::Streams;
use super::order::{self, Cluster};
use super::report::{ConceptReport, Labels};
use super::rows::{self, Columns, Loss, ValueSource};
use super::spec::Spec;
use super::state::{Identity, Saved, SeenFile};
use crate::config::did_you_mean;
use crate::source::rows::{Piece, pieces};
use crate::source::{Dataset, OpenOptions};

/// What a concept scan is asked for.
#[derive(Clone, Debug)]
pub struct ConceptConfig {
    /// Files, folders and globs.
    pub input: Vec<String>,
    /// What the detectors watch.
    pub value: ValueSource,
    /// Columns whose values tell streams apart.
    pub stream_by: Vec<String>,
    /// The column whose order is the order of the rows.
    pub order_by: Option<String>,
    /// The detectors.
    pub specs: Vec<Spec>,
    /// The state to continue from, and to write.
    pub state: Option<PathBuf>,
}

/// A report, and the state that is to be written once the report has arrived.
pub struct ConceptRun {
    /// What was found.
    pub report: ConceptReport,
    state: Option<(PathBuf, Saved)>,
}

impl ConceptRun {
    /// Writes the state file, all or nothing, if one was asked for.
    ///
    /// # Errors
    /// When it cannot be written; the old one is still there.
    pub fn save(&self) -> Result<(), ConceptError> {
        if let Some((path, saved)) = &self.state {
            saved.write(path)?;
        }
        Ok(())
    }
}

/// The names of a stream: the values of its columns.
pub(super) type Key = Vec<Option<String>>;

/// Scans `config.input` on the current rayon pool.
///
/// # Errors
/// When the configuration is wrong, a file cannot be read, or the state belongs to something else. No state is changed then.
pub fn scan(config: &ConceptConfig) -> Result<ConceptRun, ConceptError> {
    let started = std::time::Instant::now();
    if config.specs.is_empty() {
        return Err(ConceptError::NoDetector);
    }
    let data = Dataset::open(&config.input, &OpenOptions::default())?;
    let columns = columns(config, &data)?;
    let time_type = columns.order_by.map(|column| data.columns()[column].types[0].clone());
    let identity = identity(config, time_type.as_ref());
    let saved = match &config.state {
        Some(path) => Saved::read(path, &identity)?,
        None => None,
    };
    let mut streams = Streams::restore(config, saved.as_ref())?;
    let mut files = saved.map(|saved| saved.files).unwrap_or_default();
    let found: Vec<SeenFile> = data.files().iter().map(|file| seen(file.path(), file.bytes())).collect();
    let is_new: Vec<bool> = found.iter().map(|file| !files.contains(file)).collect();

    let new = data.units().iter().copied().filter(|unit| is_new[unit.file]);
    let clusters = match columns.order_by {
        Some(column) => order::clusters(&data, column, new)?,
        None => new.map(|unit| Cluster { units: vec![unit] }).collect(),
    };
    let at_once = rayon::current_num_threads();
    if columns.order_by.is_some() {
        for cluster in clusters {
            let cut: Vec<Piece> = cluster.units.into_iter().flat_map(pieces).collect();
            for some in cut.chunks(at_once) {
                streams.deal(rows::read(&data, &columns, some)?);
            }
            streams.feed();
        }
    } else {
        let cut: Vec<Piece> = clusters.into_iter().flat_map(|cluster| cluster.units).flat_map(pieces).collect();
        for some in cut.chunks(at_once) {
            streams.deal(rows::read(&data, &columns, some)?);
            streams.feed();
        }
    }

    let skipped = is_new.iter().filter(|new| !**new).count();
    files.retain(|old| !found.iter().any(|new| new.path == old.path));
    files.extend(found);
    let labels = Labels {
        config,
        identity: &identity,
        time_type: time_type.as_ref(),
        files: data.files().len() - skipped,
        files_seen: skipped,
        seconds: started.elapsed().as_secs_f64(),
    };
    let by_key = streams.by_key();
    let report = ConceptReport::new(&labels, &by_key, &streams.times());
    let state = config.state.clone().map(|path| {
        let streams = by_key.iter().map(|(key, stream)| stream.save((*key).clone())).collect();
        (path, Saved { identity, files, streams })
    });
    Ok(ConceptRun { report, state })
}

fn seen(path: &std::path::Path, bytes: u64) -> SeenFile {
    let modified = std::fs::metadata(path).and_then(|about| about.modified());
    let since = modified.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string();
    SeenFile { path, bytes, modified: i128::try_from(since.as_nanos()).unwrap_or(0) }
}

fn identity(config: &ConceptConfig, time_type: Option<&DataType>) -> Identity {
    let value = match &config.value {
        ValueSource::Column(name) => name.clone(),
        ValueSource::Pair { prediction, label, loss: Loss::ZeroOne } => format!("{prediction} != {label}"),
        ValueSource::Pair { prediction, label, loss: Loss::Absolute } => format!("|{prediction} - {label}|"),
    };
    let time = |name: &String| time_type.map_or_else(|| name.clone(), |data_type| format!("{name} ({data_type})"));
    Identity {
        detectors: config.specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
        value,
        stream_by: config.stream_by.join(","),
        order_by: config.order_by.as_ref().map(time).unwrap_or_default(),
    }
}

fn columns(config: &ConceptConfig, data: &Dataset) -> Result<Columns, ConceptError> {
    let find = |flag: &'static str, name: &str| {
        let column = data.column(name).ok_or_else(|| ConceptError::UnknownColumn {
            flag,
            name: name.to_owned(),
            hint: did_you_mean(name, data.columns().iter().map(|column| column.name.as_str())),
        })?;
        match &data.columns()[column].problem {
            Some(reason) => Err(unfit(flag, name, format!("cannot be read: {reason}"))),
            None => Ok(column),
        }
    };
    let number = |flag: &'static str, name: &str| {
        let column = find(flag, name)?;
        let is_number =
            |data_type: &DataType| data_type.is_numeric() || matches!(data_type, DataType::Boolean | DataType::Null);
        match data.columns()[column].types.iter().find(|data_type| !is_number(data_type)) {
            Some(other) => Err(unfit(flag, name, format!("is {other}; a detector takes numbers and booleans"))),
            None => Ok(column),
        }
    };
    let (value, label) = match &config.value {
        ValueSource::Column(name) => (number("--value", name)?, None),
        ValueSource::Pair { prediction, label, loss: Loss::ZeroOne } => {
            (find("--prediction", prediction)?, Some((find("--label", label)?, Loss::ZeroOne)))
        }
        ValueSource::Pair { prediction, label, loss: Loss::Absolute } => {
            (number("--prediction", prediction)?, Some((number("--label", label)?, Loss::Absolute)))
        }
    };
    let stream_by = config.stream_by.iter().map(|name| find("--stream-by", name)).collect::<Result<_, _>>()?;
    let order_by = config.order_by.as_ref().map(|name| {
        let column = find("--order-by", name)?;
        let is_time = |data_type: &DataType| data_type.is_integer() || data_type.is_temporal();
        match data.columns()[column].types.as_slice() {
            [one] if is_time(one) && one != &DataType::UInt64 => Ok(column),
            [one] => {
                Err(unfit("--order-by", name, format!("is {one}; rows are ordered by a time or a signed integer")))
            }
            many => Err(unfit("--order-by", name, format!("has {} types over the files; it needs one", many.len()))),
        }
    });
    Ok(Columns { value, label, stream_by, order_by: order_by.transpose()? })
}

fn unfit(flag: &'static str, name: &str, reason: String) -> ConceptError {
    ConceptError::UnfitColumn { flag, name: name.to_owned(), reason }
}
