//! Where backends keep what they would otherwise find out again in every run: `$XDG_CACHE_HOME/gpudrift`,
//! `~/.cache/gpudrift`. Nothing depends on it: what cannot be read is found out again, what cannot be written is not kept.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The folder of this user, unless the system has no such place.
pub(super) fn path() -> Option<PathBuf> {
    dirs::cache_dir().map(|folder| folder.join("gpudrift"))
}

/// Writes `parts` to `file`. Other runs see the old file or the new one, never a part.
pub(super) fn write(file: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let Some(folder) = file.parent() else { return Ok(()) };
    fs::create_dir_all(folder)?;
    let mut written = tempfile::NamedTempFile::new_in(folder)?;
    parts.iter().try_for_each(|part| written.write_all(part))?;
    written.persist(file)?;
    Ok(())
}
