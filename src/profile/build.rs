//! From a data set to a profile.

use std::io::Write;

use arrow::datatypes::DataType;
use rayon::prelude::*;
use rdst::RadixSort;

use super::bytes::Bytes;
use super::container::Writer;
use super::directory::{Directory, Entry};
use super::runs::{RunWriter, Runs, Source, StoredRuns};
use super::sorter::Sorter;
use super::stored::{StoredCategorical, StoredFacts, StoredMap, StoredOrdered, Summary};
use super::{ProfileError, bound, overview};
use crate::backend::cpu::MOST_CELLS;
use crate::column::{CategoryTable, Encoding, Facts, FactsLevel, pair, read_codes, read_keys};
use crate::compare::{SAMPLE_KEYS, map_for};
use crate::counts::{Key, Keys, Weighted, with_keys};
use crate::progress::Progress;
use crate::source::{Dataset, ReadError, SourceColumn};

/// Fewer keys than this are counted into any map as quickly as stored counts are read.
const FEW_KEYS: u64 = 4096;
/// Keys of a column that are held however little memory there is: fewer would make pieces that cost more than they save.
const FEWEST_HELD: usize = 1 << 16;
/// Bytes of a column's encoded keys that are held in memory where not all are.
pub(super) const HELD_BYTES: usize = 1 << 22;
/// Zstandard's own default.
const LEVEL: i32 = 3;

/// How a profile is built.
#[derive(Clone, Copy, Debug)]
pub struct BuildOptions {
    /// At most so many keys a feature; all of them when `None`.
    pub size: Option<u64>,
    /// Bytes of memory to stay near: bounds how many columns are sorted at a time, and how much of one. Distinct categories
    /// are held.
    pub memory_limit: u64,
    /// Threads to use.
    pub threads: usize,
}

/// A feature ready to be written.
#[derive(Default)]
pub(crate) struct Encoded {
    pub(super) summary: Summary,
    pub(super) keys: Bytes,
    pub(super) categories: Vec<u8>,
}

/// Why a column is not in a profile.
#[derive(Debug)]
pub(crate) enum Unbuilt {
    /// It cannot be read; the others can.
    Column(ReadError),
    /// Nothing can be written.
    Whole(ProfileError),
}

impl From<ReadError> for Unbuilt {
    fn from(error: ReadError) -> Self {
        Self::Column(error)
    }
}

impl From<ProfileError> for Unbuilt {
    fn from(error: ProfileError) -> Self {
        Self::Whole(error)
    }
}

/// Keys that may be held at once in so much memory: keys, and as many bytes again while they are sorted and encoded.
pub(crate) fn keys_at_once(memory_limit: u64) -> usize {
    usize::try_from(memory_limit / 2 / 32).unwrap_or(usize::MAX)
}

/// Writes the profile of `data`. Returns the columns that could not be read, with the reason; the profile holds their
/// reason, too.
///
/// # Errors
/// When writing fails, or threads cannot be started.
pub fn build(
    data: &Dataset,
    options: &BuildOptions,
    progress: &dyn Progress,
    out: impl Write,
) -> Result<Vec<(String, String)>, ProfileError> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(options.threads).build();
    let pool = pool.map_err(|error| ProfileError::Write(error.into()))?;
    let mut writer = Writer::new(out)?;
    let mut directory = Directory::new(data.rows());
    let mut failures = Vec::new();
    let rows = usize::try_from(data.rows()).unwrap_or(usize::MAX);
    let keys = keys_at_once(options.memory_limit);
    let at_once = (keys / rows.max(1)).clamp(1, 4 * options.threads);
    progress.start(data.columns().len() as u64, data.rows());
    let all: Vec<usize> = (0..data.columns().len()).collect();
    for columns in all.chunks(at_once) {
        let one = |&column: &usize| {
            let encoded = encode(data, column, options.size, keys);
            progress.feature_done(data.rows());
            encoded
        };
        let encoded: Vec<Result<Encoded, Unbuilt>> = pool.install(|| columns.par_iter().map(one).collect());
        for (&column, encoded) in columns.iter().zip(encoded) {
            let column = &data.columns()[column];
            match encoded {
                Ok(encoded) => write(&mut writer, &mut directory, column, encoded)?,
                Err(Unbuilt::Whole(error)) => return Err(error),
                Err(Unbuilt::Column(error)) => {
                    failures.push((column.name.clone(), error.to_string()));
                    directory.push(column, Entry { failure: Some(error.to_string()), ..Entry::default() });
                }
            }
        }
    }
    progress.finish();
    writer.finish(&directory.encoded()?)?;
    Ok(failures)
}

pub(super) fn write<W: Write>(
    writer: &mut Writer<W>,
    directory: &mut Directory,
    column: &SourceColumn,
    encoded: Encoded,
) -> Result<(), ProfileError> {
    let summary = encoded.summary.bytes()?;
    write_parts(writer, directory, column, [encoded.keys, encoded.categories.into(), summary.into()])
}

/// Writes keys, categories and summary of a column.
pub(super) fn write_parts<W: Write>(
    writer: &mut Writer<W>,
    directory: &mut Directory,
    column: &SourceColumn,
    [keys, categories, summary]: [Bytes; 3],
) -> Result<(), ProfileError> {
    let parts = [("keys", keys), ("categories", categories), ("summary", summary)];
    let slices = writer.write(&column.name, parts.into())?;
    let [keys, categories, summary] = [slices[0], slices[1], slices[2]];
    let slices = Some([keys, categories, summary]);
    directory.push(column, Entry { slices, ..Entry::default() });
    Ok(())
}

/// Which forms a column is kept in: the encoding of its keys, and whether its categories are bytes.
pub(crate) fn forms(column: &SourceColumn) -> (Option<Encoding>, Option<bool>) {
    let category = |encoding: Encoding| match encoding {
        Encoding::Category { binary } => Some(binary),
        _ => None,
    };
    match pair(column, column, false).map(|pairing| pairing.encoding) {
        Ok(encoding @ Encoding::Category { .. }) => (None, category(encoding)),
        // The name of a folder is a text, too, and not always the decimal one: `007`.
        Ok(encoding) => (Some(encoding), column.partition.then_some(false)),
        // Integers in one file and texts in another: nothing, unless the user makes them categories.
        Err(_) => (None, pair(column, column, true).ok().and_then(|pairing| category(pairing.encoding))),
    }
}

/// Reads a column, of which so many keys may be held.
pub(crate) fn encode(data: &Dataset, column: usize, size: Option<u64>, most: usize) -> Result<Encoded, Unbuilt> {
    let source = &data.columns()[column];
    let (ordered, categorical) = forms(source);
    let mut encoded = Encoded::default();
    if let Some(encoding) = ordered {
        let (runs, facts) = sorted(data, column, encoding, most.max(FEWEST_HELD))?;
        (encoded.summary.ordered, encoded.keys) = ordered_form(runs, &facts, encoding, 0, size)?;
    }
    if let Some(binary) = categorical {
        let (list, facts) = categories_of(data, column, binary)?;
        (encoded.summary.categorical, encoded.categories) = categorical_form(list, &facts, binary);
    }
    Ok(encoded)
}

/// An ordered column of which all keys are at hand: `keys`, in any order, and those of `weighted`.
pub(crate) fn of_keys(
    mut keys: Keys,
    weighted: &[&Weighted],
    facts: &Facts,
    encoding: Encoding,
    size: Option<u64>,
) -> Result<Encoded, ProfileError> {
    with_keys!(&mut keys, keys => keys.radix_sort_unstable());
    let mut many: Vec<(u128, u64)> = Vec::new();
    for piece in weighted {
        with_keys!(piece.keys(), keys => {
            many.extend(keys.iter().map(|key| key.widen()).zip(piece.rows().iter().copied()));
        });
    }
    many.sort_unstable();
    let mut many = many.into_iter().peekable();
    let mut runs = RunWriter::default();
    let mut before = |runs: &mut RunWriter, end: Option<u128>| {
        while let Some((key, mut rows)) = many.next_if(|(key, _)| end.is_none_or(|end| *key < end)) {
            while let Some((_, more)) = many.next_if(|(next, _)| *next == key) {
                rows += more;
            }
            runs.push(key, rows);
        }
        let mut same = 0;
        while let Some((_, rows)) = many.next_if(|(key, _)| Some(*key) == end) {
            same += rows;
        }
        same
    };
    with_keys!(&keys, keys => {
        for run in keys.chunk_by(|a, b| a == b) {
            let key = run[0].widen();
            let rows = before(&mut runs, Some(key)) + run.len() as u64;
            runs.push(key, rows);
        }
    });
    before(&mut runs, None);
    drop(keys);
    let (ordered, keys) = ordered_form(runs, facts, encoding, 0, size)?;
    Ok(Encoded { summary: Summary { ordered, categorical: None }, keys, categories: Vec::new() })
}

/// A column of categories, each with its rows, in any order; those without rows are left out.
pub(crate) fn of_categories(categories: impl Iterator<Item = (Vec<u8>, u64)>, facts: &Facts, binary: bool) -> Encoded {
    let mut list: List = categories.filter(|(_, count)| *count > 0).collect();
    list.sort_unstable();
    let (categorical, categories) = categorical_form(list, facts, binary);
    Encoded { summary: Summary { ordered: None, categorical }, keys: Bytes::default(), categories }
}

/// The runs of a column; of one with more than `most` rows they go through temporary files.
fn sorted(data: &Dataset, column: usize, encoding: Encoding, most: usize) -> Result<(RunWriter, Facts), Unbuilt> {
    let fits = usize::try_from(data.rows()).is_ok_and(|rows| rows <= most);
    let (mut runs, window) = match fits {
        true => (RunWriter::default(), usize::MAX),
        false => (RunWriter::within(HELD_BYTES), (most / 8).max(1)),
    };
    let (mut sorter, mut facts) = (Sorter::new(encoding, most), Facts::default());
    let mut keys = Keys::empty(encoding.key_bits());
    for unit in data.units() {
        let mut flush = |keys: &mut Keys| sorter.take(keys).map_err(Unbuilt::from);
        let full = FactsLevel::Full;
        facts.merge(&read_keys(data, unit, column, &encoding, full, &mut keys, window, &mut flush)?);
    }
    sorter.take(&mut keys)?;
    sorter.finish(&mut runs)?;
    Ok((runs, facts))
}

/// What is kept of an ordered feature, from its runs; they are already off by `error_rows`.
pub(super) fn ordered_form(
    runs: RunWriter,
    facts: &Facts,
    encoding: Encoding,
    mut error_rows: u64,
    size: Option<u64>,
) -> Result<(Option<StoredOrdered>, Bytes), ProfileError> {
    let (mut stored, mut data) = runs.finish(encoding.key_bits())?;
    fn open<'d>(stored: &StoredRuns, data: &'d Bytes, encoding: Encoding) -> Result<Runs<'d>, ProfileError> {
        Runs::open(stored, Source::Bytes(data), "", encoding, encoding)
    }
    if let Some(size) = size.filter(|&size| stored.keys > size) {
        let (coarse, dropped) = bound::coarsen(&open(&stored, &data, encoding)?, stored.rows, size)?;
        error_rows += dropped;
        (stored, data) = coarse.finish(encoding.key_bits())?;
    }
    let (map, overview) = {
        let runs = open(&stored, &data, encoding)?;
        let (lo, hi) = (facts.min_key.unwrap_or(0), facts.max_key.unwrap_or(0));
        let map = match stored.keys > FEW_KEYS {
            true => {
                let map = map_for(lo, hi, runs.sample(SAMPLE_KEYS)?, stored.rows, MOST_CELLS);
                let counts = runs.count(&map)?;
                Some(StoredMap::of(&map, counts))
            }
            false => None,
        };
        (map, overview::of(&runs, facts, &encoding))
    };
    let stored = StoredOrdered {
        encoding: format!("{encoding:?}"),
        facts: StoredFacts::of(facts, error_rows > 0),
        runs: stored,
        error_rows,
        size: size.filter(|_| error_rows > 0),
        map,
        quantiles: overview.0,
        edges: overview.1,
    };
    Ok((Some(stored), data))
}

type List = Vec<(Vec<u8>, u64)>;

fn categories_of(data: &Dataset, column: usize, binary: bool) -> Result<(List, Facts), ReadError> {
    let mut table = CategoryTable::new(0, 1, usize::MAX / 4);
    let (mut counts, mut facts) = (Vec::<u64>::new(), Facts::default());
    let encoding = Encoding::Category { binary };
    let mut codes = Keys::empty(32);
    for unit in data.units() {
        let all = usize::MAX;
        let part =
            read_codes::<ReadError>(data, unit, column, &encoding, &mut table, &mut codes, all, &mut |_| Ok(()))?;
        facts.merge(&part);
        counts.resize(table.len(), 0);
        if let Keys::U32(codes) = &codes {
            codes.iter().for_each(|&code| counts[code as usize] += 1);
        }
        codes.clear();
    }
    let named = (0_u32..).zip(counts).map(|(code, count)| (table.value(code).to_vec(), count));
    let mut list: List = named.filter(|(_, count)| *count > 0).collect();
    list.sort_unstable();
    Ok((list, facts))
}

/// What is kept of categories, which ascend.
pub(super) fn categorical_form(list: List, facts: &Facts, binary: bool) -> (Option<StoredCategorical>, Vec<u8>) {
    let n = list.len() as u64;
    let plain = postcard::to_stdvec(&list).expect("a list of bytes can be written");
    let packed = zstd::bulk::compress(&plain, LEVEL).expect("memory can be compressed");
    let bytes = plain.len() as u64;
    (Some(StoredCategorical { binary, rows: facts.rows, nulls: facts.nulls, categories: n, bytes }), packed)
}

/// The type without its layout, which no comparison looks at.
pub(super) fn meaning(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => meaning(values),
        DataType::RunEndEncoded(_, values) => meaning(values.data_type()),
        other => other.clone(),
    }
}
