//! When the rows of a unit happened: from folders, from the statistics of its footer, or row by row.

use arrow::datatypes::{DataType, TimeUnit};
use parquet::basic::Type as Physical;

use super::PartsError;
use crate::column::{Cell, read_cells};
use crate::config::{EpochUnit, WindowConfig};
use crate::source::{Dataset, Fault, ReadError, RowMap, Unit, Values};
use crate::window::partition::FolderTime;
use crate::window::{Clock, Extent, Slices, Ticks};

const NANOSECONDS_OF_A_DAY: i64 = 86_400_000_000_000;

/// How rows get their time.
#[derive(Debug)]
pub(super) enum Time {
    /// They need none: every row is read.
    Everything,
    /// From the names of folders.
    Folders(FolderTime),
    /// From a column.
    Column { column: usize, unit: Option<EpochUnit> },
}

/// Where the rows of a unit are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All of them in this slice, or in none.
    All(Option<usize>),
    /// Without a time.
    Nulls,
    /// That takes reading the column.
    Mixed,
}

/// What is known of a unit without reading it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located {
    pub(super) place: Place,
    /// Rows without a time, where the place is not [`Place::Mixed`].
    pub(super) nulls: u64,
    /// The newest time, where it is known.
    pub(super) newest: Option<Shown>,
}

/// A time as a column shows it: nanoseconds on one of the two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    pub(super) clock: Clock,
    pub(super) ns: i128,
}

impl Shown {
    fn of(ticks: Ticks, time: i128) -> Self {
        Self { clock: ticks.clock, ns: time.saturating_mul(ticks.nanoseconds.into()) }
    }
}

impl Time {
    /// How the rows of `data` get their time, when there are windows.
    ///
    /// # Errors
    /// When there is no such column, or it is no time.
    pub(super) fn new(data: &Dataset, side: &'static str, config: &WindowConfig) -> Result<Self, PartsError> {
        let wrong = |reason: String| PartsError::Column {
            flag: "--timestamp",
            column: config.timestamp.join(","),
            side,
            reason,
        };
        let columns: Vec<Option<usize>> = config.timestamp.iter().map(|name| data.column(name)).collect();
        if columns.iter().all(|column| column.is_some_and(|column| data.columns()[column].partition)) {
            return Ok(Self::Folders(FolderTime::new(&config.timestamp)));
        }
        let [Some(column)] = columns.as_slice() else {
            let reason = if columns.len() > 1 {
                "several names are the keys of folders, and not all of these are".to_owned()
            } else {
                let times: Vec<&str> = data
                    .columns()
                    .iter()
                    .filter(|column| {
                        !column.types.is_empty() && column.types.iter().all(|one| ticks(one, None).is_ok())
                    })
                    .map(|column| column.name.as_str())
                    .collect();
                match times.is_empty() {
                    true => "there is no such column, and no other one holds times".to_owned(),
                    false => format!("there is no such column; columns that hold times: {}", times.join(", ")),
                }
            };
            return Err(wrong(reason));
        };
        let found = &data.columns()[*column];
        if let Some(problem) = &found.problem {
            return Err(wrong(problem.clone()));
        }
        for data_type in &found.types {
            ticks(data_type, config.timestamp_unit).map_err(&wrong)?;
        }
        Ok(Self::Column { column: *column, unit: config.timestamp_unit })
    }

    /// What is known of the rows of `unit` from its folders and its footer.
    pub(super) fn locate(&self, data: &Dataset, unit: &Unit, slices: &Slices) -> Result<Located, PartsError> {
        let file = &data.files()[unit.file];
        let nowhere = Located { place: Place::Nulls, nulls: unit.rows, newest: None };
        match self {
            Self::Everything => Ok(Located { place: Place::All(Some(0)), nulls: 0, newest: None }),
            Self::Folders(time) => {
                let Some(span) = time.span(file.partition())? else { return Ok(nowhere) };
                let ticks = Ticks { clock: Clock::Wall, nanoseconds: 1 };
                let place = Place::All(slices.cuts_in(ticks).slice_of(span.start_ns()));
                Ok(Located { place, nulls: 0, newest: Some(Shown::of(ticks, span.start_ns())) })
            }
            Self::Column { column, unit: epoch } => {
                let Some(ticks) = ticks_in(data, unit, *column, *epoch)? else { return Ok(nowhere) };
                let extent = file.extent(unit.row_group);
                let mixed = Located { place: Place::Mixed, nulls: 0, newest: None };
                // A null is in no window and is counted; so as long as their number is unknown, the column is read.
                let Some(nulls) = extent.nulls else { return Ok(mixed) };
                if nulls >= unit.rows {
                    return Ok(nowhere);
                }
                let Some((low, high)) = extent.ends else { return Ok(mixed) };
                let newest = Some(Shown::of(ticks, high));
                Ok(match slices.cuts_in(ticks).span(low, high) {
                    Extent::Nowhere => Located { place: Place::All(None), nulls, newest },
                    Extent::Within(slice) if nulls == 0 => Located { place: Place::All(Some(slice)), nulls, newest },
                    _ => Located { newest, ..mixed },
                })
            }
        }
    }

    /// Reads the times of a unit: the slice of every row, the number of nulls, and the newest time of each slice.
    pub(super) fn read(&self, data: &Dataset, unit: &Unit, slices: &Slices) -> Result<Read, PartsError> {
        let mut read = Read { slices: RowMap::new(), nulls: 0, newest: vec![None; slices.len()] };
        let Self::Column { column, unit: epoch } = self else { return Ok(read) };
        let Some(ticks) = ticks_in(data, unit, *column, *epoch)? else { return Ok(read) };
        let cuts = slices.cuts_in(ticks);
        let mut newest: Vec<Option<i128>> = vec![None; slices.len()];
        read_cells(data, unit, *column, &mut |cell, n| {
            let slice = match cell {
                Cell::Int(time) => {
                    let slice = cuts.slice_of(time);
                    if let Some(slice) = slice {
                        newest[slice] = newest[slice].max(Some(time));
                    }
                    slice
                }
                Cell::Null => {
                    read.nulls += n as u64;
                    None
                }
                Cell::Float(_) | Cell::Bytes(_) => return Err(Fault::Unsupported("it holds no times".to_owned())),
            };
            let part = slice.map_or(RowMap::NONE, |slice| u32::try_from(slice).unwrap_or(RowMap::NONE));
            read.slices.push(part, n);
            Ok(())
        })?;
        read.newest = newest.into_iter().map(|time| time.map(|time| Shown::of(ticks, time))).collect();
        Ok(read)
    }

    /// The time of every row of a unit in nanoseconds, `None` for nulls.
    pub(super) fn nanoseconds(
        data: &Dataset,
        unit: &Unit,
        column: usize,
        epoch: Option<EpochUnit>,
        each: &mut dyn FnMut(Option<i128>, usize),
    ) -> Result<(), ReadError> {
        let ticks = match data.values(unit, column) {
            Values::Leaf { data_type, .. } => ticks(data_type, epoch.or(Some(EpochUnit::Ns))).ok(),
            _ => None,
        };
        let factor = ticks.map_or(1, |ticks| ticks.nanoseconds);
        read_cells(data, unit, column, &mut |cell, n| {
            each(if let Cell::Int(time) = cell { Some(time.saturating_mul(factor.into())) } else { None }, n);
            Ok(())
        })
    }
}

/// What reading the times of a unit found.
pub(super) struct Read {
    pub(super) slices: RowMap,
    pub(super) nulls: u64,
    pub(super) newest: Vec<Option<Shown>>,
}

/// What the column counts in this unit; `None` where it has no values.
fn ticks_in(data: &Dataset, unit: &Unit, column: usize, epoch: Option<EpochUnit>) -> Result<Option<Ticks>, PartsError> {
    let Values::Leaf { file, leaf, data_type } = data.values(unit, column) else { return Ok(None) };
    if *data_type == DataType::Null {
        return Ok(None);
    }
    let unsupported = |reason| PartsError::Read(Fault::Unsupported(reason).at(data.place(unit, column)));
    let ticks = ticks(data_type, epoch).map_err(unsupported)?;
    Ok(Some(match file.descriptor(leaf).physical_type() {
        // Writers of INT96 mean UTC, though the type does not say so.
        Physical::INT96 => Ticks { clock: Clock::Instant, ..ticks },
        // Days stay days when their Arrow type counts milliseconds.
        Physical::INT32 if *data_type == DataType::Date64 => Ticks { nanoseconds: NANOSECONDS_OF_A_DAY, ..ticks },
        _ => ticks,
    }))
}

fn ticks(data_type: &DataType, epoch: Option<EpochUnit>) -> Result<Ticks, String> {
    let of = |clock, nanoseconds| Ok(Ticks { clock, nanoseconds });
    let timestamp = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1000,
        TimeUnit::Nanosecond => 1,
    };
    match data_type {
        DataType::Timestamp(unit, Some(_)) => of(Clock::Instant, timestamp(unit)),
        DataType::Timestamp(unit, None) => of(Clock::Wall, timestamp(unit)),
        DataType::Date32 => of(Clock::Wall, NANOSECONDS_OF_A_DAY),
        DataType::Date64 => of(Clock::Wall, 1_000_000),
        DataType::Null => of(Clock::Instant, 1),
        DataType::Int64 | DataType::Int32 | DataType::UInt64 | DataType::UInt32 => match epoch {
            Some(EpochUnit::S) => of(Clock::Instant, 1_000_000_000),
            Some(EpochUnit::Ms) => of(Clock::Instant, 1_000_000),
            Some(EpochUnit::Us) => of(Clock::Instant, 1000),
            Some(EpochUnit::Ns) => of(Clock::Instant, 1),
            None => Err("it holds integers; say what they count with --timestamp-unit s, ms, us or ns".to_owned()),
        },
        other => Err(format!("it is {}, and no time: name a timestamp, a date or an integer", name_of(other))),
    }
}

fn name_of(data_type: &DataType) -> String {
    data_type.to_string().to_lowercase()
}
