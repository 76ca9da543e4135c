//! Names of data sets, as OpenLineage's `spec/Naming.md` has them: a place on this machine is in the namespace `file`.

use std::path::{Component, Path, PathBuf};

use crate::config::ScanConfig;

/// A data set by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dataset {
    pub(super) namespace: String,
    pub(super) name: String,
}

/// The reference and current; one where both are windows of the same data.
pub(super) fn inputs(config: &ScanConfig) -> Vec<Dataset> {
    let reference = match &config.profile {
        Some(profile) => of_paths(&[profile.display().to_string()]),
        None => of_paths(&config.reference),
    };
    let mut inputs: Vec<Dataset> = reference.into_iter().chain(of_paths(&config.current)).collect();
    inputs.dedup();
    inputs
}

/// The data set of one side: its file or folder, or the folder that all of its paths have in common. `None` without paths.
fn of_paths(paths: &[String]) -> Option<Dataset> {
    let first = paths.first()?;
    if let Some((scheme, rest)) = first.split_once("://") {
        let (place, name) = rest.split_once('/').unwrap_or((rest, ""));
        return Some(Dataset { namespace: format!("{scheme}://{place}"), name: without_pattern(name) });
    }
    let absolute = |path: &String| {
        let path = PathBuf::from(without_pattern(path));
        std::path::absolute(&path).unwrap_or(path)
    };
    let folder = paths.iter().map(absolute).reduce(|common, path| shared(&common, &path))?;
    Some(Dataset { namespace: "file".to_owned(), name: folder.display().to_string() })
}

/// The part of a path before the first part with a pattern.
fn without_pattern(path: &str) -> String {
    match path.find(['*', '?', '[', '{']) {
        None => path.trim_end_matches('/').to_owned(),
        Some(at) => path[..at].rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned(),
    }
}

fn shared(one: &Path, other: &Path) -> PathBuf {
    let pairs = one.components().zip(other.components()).take_while(|(a, b)| a == b);
    pairs.map(|(component, _): (Component<'_>, _)| component).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> String {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        let Dataset { namespace, name } = of_paths(&paths).unwrap();
        format!("{namespace} {name}")
    }

    #[test]
    fn a_side_is_its_folder_however_it_is_written() {
        assert_eq!(named(&["/data/store/"]), "file /data/store");
        assert_eq!(named(&["/data/store/day=*/x.parquet"]), "file /data/store");
        assert_eq!(named(&["/data/a/1.parquet", "/data/a/2.parquet"]), "file /data/a");
        assert_eq!(named(&["/data/a/1.parquet", "/data/b/2.parquet"]), "file /data");
        assert_eq!(named(&["s3://lake/store/day=*/x.parquet"]), "s3://lake store");
        let here = std::env::current_dir().unwrap();
        assert_eq!(
            named(&["*.parquet"]),
            format!("file {}", here.join(".").components().collect::<PathBuf>().display())
        );
        assert_eq!(of_paths(&[]), None);
    }
}
