//! What both fuzz targets share: where the mutated bytes lie, what is done with them, and how they are mutated.

mod mutate;

use std::path::PathBuf;
use std::sync::LazyLock;

use gpudrift::column::{CategoryTable, FactsLevel, pair, read_codes, read_keys};
use gpudrift::counts::Keys;
use gpudrift::source::{Dataset, OpenOptions, ReadError};

pub use mutate::mutate;

/// Files that declare more rows are opened, and no more: a run of some bytes may honestly stand for 2³¹ rows, which takes
/// seconds to read and is no finding.
pub const MAX_ROWS: u64 = 1 << 20;

/// A folder in memory, one a process. Those of processes that are gone stay, some kilobytes each.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = base.join(format!("gpudrift-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    folder
});

/// Writes `bytes` to a file of this process, and returns its path.
pub fn file(name: &str, bytes: &[u8]) -> String {
    let path = FOLDER.join(name);
    std::fs::write(&path, bytes).expect("room in memory");
    path.display().to_string()
}

/// Opens one file, which need not be one.
pub fn open(path: &str) -> Option<Dataset> {
    Dataset::open(&[path.to_owned()], &OpenOptions::default()).ok()
}

/// Reads every column to its end, as numbers or as categories, with all facts, handing keys on every `window` of them.
/// Errors are what is wanted of a mutated file; panics, endless loops and memory beyond bounds are not.
pub fn read_everything(data: &Dataset, window: usize) {
    for (index, column) in data.columns().iter().enumerate() {
        for as_category in [false, true] {
            let Ok(pairing) = pair(column, column, as_category) else { continue };
            let encoding = pairing.encoding;
            if as_category && !encoding.is_categorical() {
                continue;
            }
            let mut table = CategoryTable::new(0, 1, 1 << 22);
            let mut out = Keys::empty(encoding.key_bits());
            let mut flush = |keys: &mut Keys| {
                keys.clear();
                Ok::<_, ReadError>(())
            };
            for unit in data.units() {
                let facts = if encoding.is_categorical() {
                    read_codes(data, unit, index, &encoding, &mut table, &mut out, window, &mut flush)
                } else {
                    read_keys(data, unit, index, &encoding, FactsLevel::Full, &mut out, window, &mut flush)
                };
                match facts {
                    Ok(facts) => {
                        assert_eq!(facts.rows, unit.rows, "every row is a value, a null or a NaN");
                        assert!(facts.nulls + facts.nans <= facts.rows, "more nulls than rows");
                    }
                    Err(error) => assert!(error.to_string().contains(&column.name), "{error}"),
                }
            }
            if encoding.is_categorical() {
                break;
            }
        }
    }
}
