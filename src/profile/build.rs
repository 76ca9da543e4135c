//! From a data set to a profile.

use std::io::Write;

use arrow::datatypes::DataType;
use rayon::prelude::*;
use rdst::RadixSort;

use super::container::Writer;
use super::directory::{Directory, Entry};
use super::runs::{RunWriter, Runs, Source, StoredRuns};
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
/// Zstandard's own default.
const LEVEL: i32 = 3;

/// How a profile is built.
#[derive(Clone, Copy, Debug)]
pub struct BuildOptions {
    /// At most so many keys a feature; all of them when `None`.
    pub size: Option<u64>,
    /// Bytes of memory to stay near: bounds how many columns are sorted at a time. A single column is always held.
    pub memory_limit: u64,
    /// Threads to use.
    pub threads: usize,
}

/// A feature ready to be written.
#[derive(Default)]
pub(crate) struct Encoded {
    pub(super) summary: Summary,
    pub(super) keys: Vec<u8>,
    pub(super) categories: Vec<u8>,
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
    let room = usize::try_from(options.memory_limit / 2).unwrap_or(usize::MAX);
    // Keys, and as many bytes again while they are sorted and encoded.
    let at_once = (room / rows.saturating_mul(32).max(1)).clamp(1, 4 * options.threads);
    progress.start(data.columns().len() as u64, data.rows());
    let all: Vec<usize> = (0..data.columns().len()).collect();
    for columns in all.chunks(at_once) {
        let one = |&column: &usize| {
            let encoded = encode(data, column, options.size);
            progress.feature_done(data.rows());
            encoded
        };
        let encoded: Vec<Result<Encoded, ReadError>> = pool.install(|| columns.par_iter().map(one).collect());
        for (&column, encoded) in columns.iter().zip(encoded) {
            let column = &data.columns()[column];
            match encoded {
                Ok(encoded) => write(&mut writer, &mut directory, column, &encoded)?,
                Err(error) => {
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
    encoded: &Encoded,
) -> Result<(), ProfileError> {
    let summary = encoded.summary.bytes()?;
    write_parts(writer, directory, column, [&encoded.keys, &encoded.categories, &summary])
}

/// Writes keys, categories and summary of a column.
pub(super) fn write_parts<W: Write>(
    writer: &mut Writer<W>,
    directory: &mut Directory,
    column: &SourceColumn,
    [keys, categories, summary]: [&[u8]; 3],
) -> Result<(), ProfileError> {
    let parts = [("keys", keys), ("categories", categories), ("summary", summary)];
    let slices = writer.write(&column.name, &parts)?;
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

/// Reads a column.
pub(crate) fn encode(data: &Dataset, column: usize, size: Option<u64>) -> Result<Encoded, ReadError> {
    let source = &data.columns()[column];
    let (ordered, categorical) = forms(source);
    let mut encoded = Encoded::default();
    if let Some(encoding) = ordered {
        let (keys, facts) = keys_of(data, column, encoding)?;
        encoded = of_keys(keys, &[], &facts, encoding, size);
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
) -> Encoded {
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
    let (ordered, keys) = ordered_form(runs, facts, encoding, 0, size);
    Encoded { summary: Summary { ordered, categorical: None }, keys, categories: Vec::new() }
}

/// A column of categories, each with its rows, in any order; those without rows are left out.
pub(crate) fn of_categories(categories: impl Iterator<Item = (Vec<u8>, u64)>, facts: &Facts, binary: bool) -> Encoded {
    let mut list: List = categories.filter(|(_, count)| *count > 0).collect();
    list.sort_unstable();
    let (categorical, categories) = categorical_form(list, facts, binary);
    Encoded { summary: Summary { ordered: None, categorical }, keys: Vec::new(), categories }
}

fn keys_of(data: &Dataset, column: usize, encoding: Encoding) -> Result<(Keys, Facts), ReadError> {
    let mut keys = Keys::empty(encoding.key_bits());
    let mut facts = Facts::default();
    for unit in data.units() {
        let full = FactsLevel::Full;
        facts.merge(&read_keys::<ReadError>(data, unit, column, &encoding, full, &mut keys, usize::MAX, &mut |_| {
            Ok(())
        })?);
    }
    Ok((keys, facts))
}

/// What is kept of an ordered feature, from its runs; they are already off by `error_rows`.
pub(super) fn ordered_form(
    runs: RunWriter,
    facts: &Facts,
    encoding: Encoding,
    mut error_rows: u64,
    size: Option<u64>,
) -> (Option<StoredOrdered>, Vec<u8>) {
    let (mut stored, mut data) = runs.finish(encoding.key_bits());
    fn open<'d>(stored: &StoredRuns, data: &'d [u8], encoding: Encoding) -> Result<Runs<'d>, ProfileError> {
        Runs::open(stored, Source::Memory(data), "", encoding, encoding)
    }
    if let Some(size) = size.filter(|&size| stored.keys > size) {
        let coarse = open(&stored, &data, encoding).and_then(|runs| bound::coarsen(&runs, stored.rows, size));
        let (coarse, dropped) = coarse.expect("what was just written is read");
        error_rows += dropped;
        (stored, data) = coarse.finish(encoding.key_bits());
    }
    let runs = open(&stored, &data, encoding).expect("what was just written is read");
    let (map, overview) = {
        let (lo, hi) = (facts.min_key.unwrap_or(0), facts.max_key.unwrap_or(0));
        let map = (stored.keys > FEW_KEYS).then(|| {
            let sample = runs.sample(SAMPLE_KEYS).expect("what was just written is read");
            let map = map_for(lo, hi, sample, stored.rows, MOST_CELLS);
            let counts = runs.count(&map).expect("what was just written is read");
            StoredMap::of(&map, counts)
        });
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
    (Some(stored), data)
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
