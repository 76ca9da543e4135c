//! Where the report goes: standard output, or a file that appears complete or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

/// Somewhere to write, checked before the work starts.
#[derive(Debug)]
pub(crate) enum Output {
    /// Standard output.
    Stdout,
    /// A regular file, or one that does not exist yet: written beside it, then renamed.
    File(PathBuf),
    /// A pipe or a device, which must not be replaced by a file.
    Special(PathBuf),
}

impl Output {
    /// Checks that a report can be written to `path`, or to standard output without one.
    ///
    /// The file that a rename needs is created and removed again: an interrupted run leaves nothing behind.
    pub(crate) fn open(path: Option<&Path>, binary: bool) -> anyhow::Result<Self> {
        match path {
            Some(path) => Self::file("--output", path),
            None if binary && io::stdout().is_terminal() => {
                bail!("this format is not text; write it to a file with --output PATH")
            }
            None => Ok(Self::Stdout),
        }
    }

    /// Checks that something can be written to the `path` that `option` names, as [`open`](Self::open) does.
    pub(crate) fn file(option: &str, path: &Path) -> anyhow::Result<Self> {
        // A link keeps pointing at what it points at.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&path) {
            Ok(found) if found.is_dir() => bail!("{option} {} is a folder; name a file in it", path.display()),
            Ok(found) if !found.is_file() => return Ok(Self::Special(path)),
            Ok(found) if found.permissions().readonly() => bail!("{option} {} is read-only", path.display()),
            _ => {}
        }
        let there = match folder(&path) {
            folder if folder.is_dir() => Ok(()),
            folder => Err(anyhow!("there is no folder {}; make it", folder.display())),
        };
        let made = there.and_then(|()| Ok(temporary(&path)?));
        drop(made.with_context(|| format!("cannot write {option} {}", path.display()))?);
        Ok(Self::File(path))
    }

    /// Writes with `write`, all or nothing. A reader that closes the pipe has seen what it wanted: no error.
    pub(crate) fn write(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = BufWriter::new(io::stdout().lock());
                closed_pipe_is_fine(write(&mut out).and_then(|()| out.flush()))
                    .context("cannot write to standard output")
            }
            Self::Special(path) => {
                let result = File::options().write(true).open(path).and_then(|file| {
                    let mut out = BufWriter::new(file);
                    write(&mut out).and_then(|()| out.flush())
                });
                closed_pipe_is_fine(result).with_context(|| format!("cannot write {}", path.display()))
            }
            Self::File(path) => replace(path, write).with_context(|| format!("cannot write {}", path.display())),
        }
    }
}

/// Text for standard output, without an error when nobody reads it.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    Output::Stdout.write(|out| out.write_all(text.as_bytes()))
}

fn closed_pipe_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn temporary(path: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".gpudrift-").suffix(".tmp");
    // Temporary files are private by default; a report is as readable as any file that one creates.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder(path))
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let file = temporary(path)?;
    if let Ok(found) = fs::metadata(path) {
        file.as_file().set_permissions(found.permissions())?;
    }
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name is as durable as the bytes; not every file system can say so for a folder.
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        fs::write(&path, "old").unwrap();
        let output = Output::open(Some(&path), false).unwrap();
        assert_eq!(names(folder.path()), ["report.json"], "the check leaves nothing behind");
        let result = output.write(|out| {
            out.write_all(b"half")?;
            Err(io::Error::other("disk is full"))
        });
        assert!(result.is_err());
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("old", 1));
        output.write(|out| out.write_all(b"new")).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(folder.path()).len()), ("new", 1));
    }

    #[test]
    fn a_path_that_cannot_be_written_is_found_early() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/folder/report.json");
        assert!(Output::open(Some(&missing), false).unwrap_err().to_string().contains("report.json"));
        assert!(Output::open(Some(folder.path()), false).unwrap_err().to_string().contains("is a folder"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_and_not_replaced() {
        use std::os::unix::fs::FileTypeExt;
        let output = Output::open(Some(Path::new("/dev/null")), true).unwrap();
        output.write(|out| out.write_all(b"report")).unwrap();
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    }

    #[cfg(unix)]
    #[test]
    fn a_report_is_as_readable_as_other_files_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (plain, path, link) =
            (folder.path().join("plain"), folder.path().join("report"), folder.path().join("link"));
        fs::write(&plain, "").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        Output::open(Some(&path), false).unwrap().write(|out| out.write_all(b"x")).unwrap();
        assert_eq!(mode(&path), mode(&plain));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        Output::open(Some(&link), false).unwrap().write(|out| out.write_all(b"y")).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&path).unwrap(), "y");
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        assert!(closed_pipe_is_fine(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
        assert!(closed_pipe_is_fine(Err(io::ErrorKind::StorageFull.into())).is_err());
    }
}
