//! The archive directory: one file for each part of the ledger that was pruned, written once.
//!
//! As with anchors, the extension adds files and changes none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::anchor::directory::{no_follow, problem};
use super::super::tree::Hash;
use crate::error::{Error, Kind, Result};

/// Digits of a number in the name of a file, so that names sort as entries do.
const DIGITS: usize = 20;

/// The name of the file of a part: `<log id>-<first>-<last>.jsonl`.
pub fn name_of(log: &str, first: i64, last: i64) -> String {
    format!("{log}-{first:0DIGITS$}-{last:0DIGITS$}.jsonl")
}

/// Makes sure that the directory is a place for evidence, as that of anchors must be.
///
/// # Errors
/// 55000 where it is none.
pub fn check_directory(directory: &Path, data_directory: &Path) -> Result<()> {
    problem(directory, data_directory).map_or(Ok(()), |problem| {
        Err(Error::new(
            Kind::NotReady,
            format!(
                "archive directory \"{}\" cannot be used",
                directory.display()
            ),
        )
        .with_detail(problem)
        .with_hint("See confiture.archive_directory in docs/ledger.md, retention."))
    })
}

/// A file in the making. Dropped before [`Archive::finish`] it is removed: half a part would be
/// taken for evidence.
pub struct Archive {
    path: PathBuf,
    /// `None` where the file is there already: then it must hold the same.
    file: Option<BufWriter<File>>,
    digest: Sha256,
    is_finished: bool,
}

impl Archive {
    /// Makes the file, which nobody else has made: read-only, for its owner and group.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn create(directory: &Path, name: &str) -> Result<Self> {
        let path = directory.join(name);
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o440)
            .custom_flags(no_follow())
            .open(&path);
        let file = match opened {
            Ok(file) => Some(BufWriter::new(file)),
            // Of a pruning that was rolled back.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => None,
            Err(error) => return Err(failed("create", &path, &error)),
        };
        Ok(Self {
            path,
            file,
            digest: Sha256::new(),
            is_finished: false,
        })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// 58030 when the system refuses.
    pub fn line(&mut self, line: &str) -> Result<()> {
        for part in [line.as_bytes(), b"\n"] {
            self.digest.update(part);
            if let Some(file) = &mut self.file {
                file.write_all(part)
                    .map_err(|error| failed("write", &self.path, &error))?;
            }
        }
        Ok(())
    }

    /// Flushes the file to disk together with its directory entry, and returns the SHA-256 of its
    /// bytes. A file that was there already must hold the same.
    ///
    /// # Errors
    /// XX001 when it holds something else; 58030 when the system refuses.
    pub fn finish(mut self) -> Result<Hash> {
        let hash: Hash = std::mem::take(&mut self.digest).finalize().into();
        let synced = match &mut self.file {
            Some(file) => file.flush().and_then(|()| file.get_ref().sync_all()),
            None => same(&self.path, &hash)?,
        };
        synced.map_err(|error| failed("flush", &self.path, &error))?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("flush the directory of", &self.path, &error))?;
        self.is_finished = true;
        Ok(hash)
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        if self.file.is_some() && !self.is_finished {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether a file holds what has this hash, and is on disk.
fn same(path: &Path, hash: &Hash) -> Result<io::Result<()>> {
    let read = || {
        let mut file = OpenOptions::new()
            .read(true)
            .custom_flags(no_follow())
            .open(path)?;
        let mut digest = Sha256::new();
        let mut room = vec![0; 64 * 1024];
        loop {
            let length = file.read(&mut room)?;
            if length == 0 {
                return Ok((Hash::from(digest.finalize()), file));
            }
            digest.update(&room[..length]);
        }
    };
    match read() {
        Ok((found, file)) if found == *hash => Ok(file.sync_all()),
        Ok(_) => Err(Error::new(
            Kind::Corrupt,
            format!("archive file \"{}\" holds something else", path.display()),
        )
        .with_detail(
            "It was left by a server that stopped while it wrote, or it is of another history of \
             this log.",
        )
        .with_hint("Look at it, put it elsewhere, and repeat the command.")),
        Err(error) => Ok(Err(error)),
    }
}

fn failed(verb: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(
        Kind::Io,
        format!("could not {verb} the archive at \"{}\"", path.display()),
    )
    .with_detail(format!("The system says: {}.", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory that goes with the test.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = PathBuf::from(format!("/tmp/archive-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, lines: &[&str]) -> Result<Hash> {
            let mut archive = Archive::create(&self.0, name)?;
            for line in lines {
                archive.line(line)?;
            }
            archive.finish()
        }

        fn read(&self, name: &str) -> Option<String> {
            fs::read_to_string(self.0.join(name)).ok()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn archive_is_written_once_and_its_hash_is_that_of_its_bytes() {
        let folder = Folder::new("once");
        let hash = folder.write("a", &["{}", "ü"]).unwrap();
        assert_eq!(folder.read("a").unwrap(), "{}\nü\n");
        assert_eq!(hash, Hash::from(Sha256::digest("{}\nü\n")));
        // The same again is no other file; another content is refused and changes nothing.
        assert_eq!(folder.write("a", &["{}", "ü"]).unwrap(), hash);
        for other in [&["{}"][..], &["{}", "ü", ""], &[]] {
            let error = folder.write("a", other).unwrap_err();
            assert_eq!(error.kind(), Kind::Corrupt);
        }
        assert_eq!(folder.read("a").unwrap(), "{}\nü\n");
    }

    #[test]
    fn archive_that_is_not_finished_is_removed() {
        let folder = Folder::new("half");
        let mut archive = Archive::create(&folder.0, "a").unwrap();
        archive.line("{}").unwrap();
        drop(archive);
        assert_eq!(folder.read("a"), None);
        // One that was there before stays.
        folder.write("a", &["{}"]).unwrap();
        drop(Archive::create(&folder.0, "a").unwrap());
        assert_eq!(folder.read("a").unwrap(), "{}\n");
    }

    #[test]
    fn archive_follows_no_link() {
        let folder = Folder::new("link");
        std::os::unix::fs::symlink("/dev/null", folder.0.join("a")).unwrap();
        assert_eq!(folder.write("a", &["{}"]).unwrap_err().kind(), Kind::Io);
        assert_eq!(
            folder.write("none/a", &[]).unwrap_err().kind(),
            Kind::Io,
            "no such directory"
        );
    }

    #[test]
    fn archive_names_sort_as_entries_do() {
        assert_eq!(
            name_of("log", 1, 12),
            "log-00000000000000000001-00000000000000000012.jsonl"
        );
        assert!(name_of("log", 9, 9) < name_of("log", 10, 10));
    }
}
