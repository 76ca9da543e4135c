//! What the files of a dashboard hold.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of the data that the page names.
#[allow(dead_code, reason = "not every test looks for files")]
pub(crate) fn data_folder(pages: &Path) -> PathBuf {
    let index = fs::read_to_string(pages.join("index.html")).unwrap();
    let name = index.split("name=\"gpudrift-data\" content=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    pages.join(name)
}

/// The data called `key`, as the page receives it.
#[allow(dead_code, reason = "not every test reads them")]
pub(crate) fn data(pages: &Path, key: &str) -> Value {
    let text = fs::read_to_string(data_folder(pages).join(format!("{key}.js"))).unwrap();
    let json = text.strip_prefix(&format!("gpudrift.receive(\"{key}\", ")).unwrap().strip_suffix(");\n").unwrap();
    serde_json::from_str(json).unwrap()
}
