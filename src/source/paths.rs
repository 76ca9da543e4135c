//! From what was typed to a list of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use walkdir::WalkDir;

use super::error::SourceError;
use super::partition;

/// A file and the partition that its folders name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) partition: Vec<(String, Option<String>)>,
}

/// The files that `paths` name, sorted by path, each once.
///
/// A file is taken whatever its name. A folder gives all `*.parquet` below it. A glob gives the files it matches, and
/// the folders it matches with all that is below them. Names that begin with `_` or `.` are left out, except where
/// they were typed.
pub(crate) fn find(paths: &[String]) -> Result<Vec<Found>, SourceError> {
    if paths.is_empty() {
        return Err(SourceError::NoPath);
    }
    let mut files: BTreeMap<PathBuf, Found> = BTreeMap::new();
    for typed in paths {
        for found in find_one(typed)? {
            let identity = found.path.canonicalize().unwrap_or_else(|_| found.path.clone());
            // The same file by way of a folder and by its own name: the way that names partitions counts.
            match files.entry(identity) {
                std::collections::btree_map::Entry::Vacant(slot) => {
                    slot.insert(found);
                }
                std::collections::btree_map::Entry::Occupied(mut slot) => {
                    if found.partition.len() > slot.get().partition.len() {
                        slot.insert(found);
                    }
                }
            }
        }
    }
    let mut files: Vec<Found> = files.into_values().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn find_one(typed: &str) -> Result<Vec<Found>, SourceError> {
    let path = Path::new(typed);
    if path.is_dir() {
        let found = below(path, path)?;
        if found.is_empty() {
            return Err(SourceError::Empty { path: typed.into(), wanted: "*.parquet".into(), parent: None });
        }
        return Ok(found);
    }
    if path.exists() {
        return Ok(vec![Found { path: path.into(), partition: Vec::new() }]);
    }
    if !typed.contains(['*', '?', '[', '{']) {
        return Err(SourceError::Missing { path: typed.into(), parent: existing_parent(path) });
    }
    glob(typed)
}

/// The `*.parquet` below `folder`; partitions are folders below `root`.
fn below(folder: &Path, root: &Path) -> Result<Vec<Found>, SourceError> {
    let mut found = Vec::new();
    for entry in walk(folder, usize::MAX) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        if entry.file_type().is_file() && name.ends_with(".parquet") {
            found.push(below_root(entry.into_path(), root));
        }
    }
    Ok(found)
}

/// Everything below `folder` but hidden names; links are followed, and a loop of links is an error.
fn walk(folder: &Path, depth: usize) -> impl Iterator<Item = Result<walkdir::DirEntry, SourceError>> {
    let folder = folder.to_owned();
    WalkDir::new(&folder)
        .follow_links(true)
        .max_depth(depth)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(&entry.file_name().to_string_lossy()))
        .map(move |entry| {
            entry.map_err(|error| SourceError::List {
                path: error.path().map_or_else(|| folder.clone(), Path::to_owned),
                source: error.into(),
            })
        })
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

fn below_root(path: PathBuf, root: &Path) -> Found {
    let partition = path.strip_prefix(root).map(partition::parts).unwrap_or_default();
    Found { path, partition }
}

fn glob(pattern: &str) -> Result<Vec<Found>, SourceError> {
    let matcher = GlobBuilder::new(pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| SourceError::BadGlob { pattern: pattern.into(), reason: error.kind().to_string() })?
        .compile_matcher();
    let root = literal_root(pattern);
    let empty = || SourceError::Empty {
        path: pattern.into(),
        wanted: "files that match".into(),
        parent: existing_parent(Path::new(pattern)),
    };
    let walk_from = if root.as_os_str().is_empty() { Path::new(".") } else { root };
    if !walk_from.is_dir() {
        return Err(empty());
    }
    // Without ** a pattern names its depth; the rest of a big tree need not be walked.
    let depth = if pattern.contains("**") || pattern.contains('{') {
        usize::MAX
    } else {
        Path::new(pattern).components().count().saturating_sub(root.components().count())
    };
    let found = glob_below(walk_from, root, depth, &matcher)?;
    if found.is_empty() { Err(empty()) } else { Ok(found) }
}

fn glob_below(walk_from: &Path, root: &Path, depth: usize, matcher: &GlobMatcher) -> Result<Vec<Found>, SourceError> {
    let mut found = Vec::new();
    for entry in walk(walk_from, depth) {
        let entry = entry?;
        if entry.depth() == 0 {
            continue;
        }
        // A pattern without a folder is matched against names without the "./" that the walk began with.
        let path = if root.as_os_str().is_empty() {
            entry.path().strip_prefix(".").unwrap_or(entry.path()).to_owned()
        } else {
            entry.path().to_owned()
        };
        if !matcher.is_match(&path) {
            continue;
        }
        if entry.file_type().is_file() {
            found.push(below_root(path, root));
        } else if entry.file_type().is_dir() {
            found.extend(below(&path, root)?);
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found.dedup();
    Ok(found)
}

/// The folders of a pattern before the first one with a wildcard.
fn literal_root(pattern: &str) -> &Path {
    let wild = pattern.find(['*', '?', '[', '{']).unwrap_or(pattern.len());
    let end = pattern[..wild].rfind('/').map_or(0, |slash| slash.max(1));
    Path::new(&pattern[..end])
}

fn existing_parent(path: &Path) -> Option<PathBuf> {
    let parent = path.ancestors().skip(1).find(|parent| parent.exists() || parent.as_os_str().is_empty())?;
    if parent.as_os_str().is_empty() { std::env::current_dir().ok() } else { Some(parent.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn store() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in ["month=02/b.parquet", "month=01/a.parquet", "month=01/_a.parquet", "_log/x.parquet", "notes.txt"] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        folder
    }

    fn names(found: &[Found], root: &Path) -> Vec<String> {
        found.iter().map(|f| f.path.strip_prefix(root).unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_folder_gives_its_parquet_files_in_order() {
        let store = store();
        let found = find(&[store.path().to_str().unwrap().to_owned()]).unwrap();
        assert_eq!(names(&found, store.path()), ["month=01/a.parquet", "month=02/b.parquet"]);
        assert_eq!(found[1].partition, [("month".to_owned(), Some("02".to_owned()))]);
    }

    #[test]
    fn globs_match_files_and_folders_and_each_file_counts_once() {
        let store = store();
        let root = store.path().to_str().unwrap();
        let found =
            find(&[format!("{root}/month=*"), format!("{root}/*/a.parquet"), format!("{root}/month=01/a.parquet")]);
        let found = found.unwrap();
        assert_eq!(names(&found, store.path()), ["month=01/a.parquet", "month=02/b.parquet"]);
        assert_eq!(found[0].partition, [("month".to_owned(), Some("01".to_owned()))]);
    }

    #[test]
    fn a_missing_path_tells_the_nearest_folder() {
        let store = store();
        let missing = store.path().join("month=03/c.parquet");
        let error = find(&[missing.to_str().unwrap().to_owned()]).unwrap_err().to_string();
        assert!(error.contains("month=03/c.parquet: no such file"), "{error}");
        assert!(error.ends_with(&format!("exists is {}", store.path().display())), "{error}");
    }

    #[test]
    fn empty_folders_and_unmatched_globs_say_what_was_looked_for() {
        let empty = tempfile::tempdir().unwrap();
        let root = empty.path().to_str().unwrap().to_owned();
        assert!(find(std::slice::from_ref(&root)).unwrap_err().to_string().contains("*.parquet"));
        assert!(find(&[format!("{root}/*.parquet")]).unwrap_err().to_string().contains("no Parquet file found"));
        assert!(matches!(find(&[format!("{root}/[")]), Err(SourceError::BadGlob { .. })));
    }

    #[test]
    fn the_root_of_a_pattern_is_what_stands_before_its_wildcards() {
        assert_eq!(literal_root("a/b/*.parquet"), Path::new("a/b"));
        assert_eq!(literal_root("*.parquet"), Path::new(""));
        assert_eq!(literal_root("/*"), Path::new("/"));
    }
}
