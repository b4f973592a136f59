//! The anchor directory: one file for each anchor, written once.
//!
//! The extension adds files and changes none. That nobody else does is the business of whoever
//! mounts it: a file system that writes once, or one that another machine collects from.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Found, uuid_text};
use crate::error::{Error, Kind, Result};
use crate::ledger::checkpoint::LONGEST;

/// Digits of the size in the name of a file, so that names sort as sizes do.
const DIGITS: usize = 20;

/// Why the directory is no place for evidence; `None` when it is one: an absolute path to a
/// directory outside the data directory that belongs to the server's user or to root, and that
/// nobody else can write to.
pub fn problem(path: &Path, data_directory: &Path) -> Option<String> {
    if !path.is_absolute() {
        return Some("Its path is not absolute.".to_owned());
    }
    // Both as they really are: a link must not lead into the data directory.
    let place = match path.canonicalize() {
        Ok(place) => place,
        Err(error) => return Some(format!("It cannot be reached: {}.", error.kind())),
    };
    let data_directory = data_directory
        .canonicalize()
        .unwrap_or_else(|_| data_directory.to_owned());
    if place.starts_with(&data_directory) {
        return Some(
            "It lies inside the data directory: an older state that is restored would bring the \
             anchors of its time along."
                .to_owned(),
        );
    }
    let facts = match fs::metadata(&place) {
        Ok(facts) => facts,
        Err(error) => return Some(format!("It cannot be examined: {}.", error.kind())),
    };
    if !facts.is_dir() {
        return Some("It is not a directory.".to_owned());
    }
    let owner = facts.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Some("It belongs neither to the server's user nor to root.".to_owned());
    }
    if facts.mode() & 0o022 != 0 {
        return Some("Its permissions let group or others write to it.".to_owned());
    }
    None
}

/// Writes an anchor into the directory: a file `<log id>-<size>.note`, made here and flushed to disk
/// together with its directory entry. A file that is there and holds the same is left alone.
///
/// # Errors
/// 55000 for a bad place; XX001 when the file of that name holds something else, which is the mark
/// of a second history; 58030 when the system refuses.
pub fn write_to_directory(
    directory: &Path,
    data_directory: &Path,
    log_id: &[u8; 16],
    size: u64,
    note: &str,
) -> Result<()> {
    if let Some(problem) = problem(directory, data_directory) {
        return Err(Error::new(
            Kind::NotReady,
            format!(
                "anchor directory \"{}\" cannot be used",
                directory.display()
            ),
        )
        .with_detail(problem)
        .with_hint("See confiture.anchor_directory in docs/anchors.md."));
    }
    let path = directory.join(name_of(log_id, size));
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o444)
        .custom_flags(no_follow())
        .open(&path);
    match opened {
        Ok(mut file) => file
            .write_all(note.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| {
                // Half an anchor would be taken for a forged one.
                let _ = fs::remove_file(&path);
                io("write", &path, &error)
            })?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            if read(&path).map_err(|error| io("read", &path, &error))? != note {
                return Err(Error::new(
                    Kind::Corrupt,
                    format!("anchor file \"{}\" holds another anchor", path.display()),
                )
                .with_detail(
                    "The log had this size before, with other entries or under another key.",
                )
                .with_hint("Run confiture.verify_ledger."));
            }
        }
        Err(error) => return Err(io("create", &path, &error)),
    }
    File::open(directory)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| io("flush the directory of", &path, &error))
}

/// Hands each anchor of a log in the directory to `take`, in no order. Other files are passed over.
///
/// # Errors
/// 58030 when the directory cannot be read.
pub fn each(directory: &Path, log_id: &[u8; 16], mut take: impl FnMut(Found)) -> Result<()> {
    let prefix = format!("{}-", uuid_text(log_id));
    for entry in fs::read_dir(directory).map_err(|error| io("read", directory, &error))? {
        let entry = entry.map_err(|error| io("read", directory, &error))?;
        let name = entry.file_name();
        if let Some(name) = name.to_str()
            && size_of(name, &prefix).is_some()
        {
            take(found(&entry.path()));
        }
    }
    Ok(())
}

/// The file of the newest anchor of a log in the directory.
///
/// # Errors
/// As [`each`].
pub fn newest(directory: &Path, log_id: &[u8; 16]) -> Result<Option<Found>> {
    let prefix = format!("{}-", uuid_text(log_id));
    let mut newest: Option<(u64, PathBuf)> = None;
    for entry in fs::read_dir(directory).map_err(|error| io("read", directory, &error))? {
        let entry = entry.map_err(|error| io("read", directory, &error))?;
        let size = entry.file_name().to_str().and_then(|n| size_of(n, &prefix));
        if let Some(size) = size
            && newest.as_ref().is_none_or(|(most, _)| size > *most)
        {
            newest = Some((size, entry.path()));
        }
    }
    Ok(newest.map(|(_, path)| found(&path)))
}

fn found(path: &Path) -> Found {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    (format!("\"{name}\""), read(path).ok())
}

fn name_of(log_id: &[u8; 16], size: u64) -> String {
    format!("{}-{size:0DIGITS$}.note", uuid_text(log_id))
}

fn size_of(name: &str, prefix: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?.strip_suffix(".note")?;
    let is_size = digits.len() == DIGITS && digits.bytes().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_size)
}

/// A file as text, up to a byte more than the longest note. What is no text becomes one that is no
/// note.
fn read(path: &Path) -> std::io::Result<String> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Makes opening a symbolic link fail, and opening a pipe not wait for its other end.
pub fn no_follow() -> i32 {
    use rustix::fs::OFlags;
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}

fn io(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Kind::Io,
        format!("could not {verb} anchors at \"{}\"", path.display()),
    )
    .with_detail(format!("The system says: {}.", error.kind()))
}
