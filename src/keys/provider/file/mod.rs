//! The file provider: 32 secret bytes in a file that only the server's user can read.
//!
//! It protects against a stolen dump, base backup or replica, not against whoever reads files as
//! the server's user: a superuser of the database, or of the machine. After a rotation the former
//! key lies beside the file, its fingerprint appended to the name, for as long as keys wrapped by
//! it are stored.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use zeroize::Zeroizing;

use super::local::{self, LocalKek};
use super::{Kek, Provider, Wrapped};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::Binding;
use crate::keys::{KEY_LEN, Secret, is_degenerate};

/// The provider's name in the catalog.
pub const NAME: &str = "file";

/// The key-encryption key of one file, read and checked.
pub struct FileProvider {
    path: PathBuf,
    data_directory: PathBuf,
    kek: LocalKek,
}

impl FileProvider {
    /// Reads the key file: an absolute path to a regular file (no symbolic link) outside the data
    /// directory, owned by the server's user, with no rights for anybody else, that holds 32 bytes
    /// or 64 hexadecimal digits (a line end after them is accepted).
    ///
    /// # Errors
    /// 55000 with what is wrong and how to mend it, never with a byte of the file.
    pub fn open(path: &Path, data_directory: &Path) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            data_directory: data_directory.to_owned(),
            kek: read(path, data_directory)?,
        })
    }

    /// A short name of the key that gives nothing of it away.
    pub fn fingerprint(&self) -> &str {
        self.kek.fingerprint()
    }

    /// Reads a former key.
    fn read_former(&self, fingerprint: &str) -> Result<LocalKek> {
        // The name of a file is made of it: nothing but a fingerprint will do.
        if !local::is_fingerprint(fingerprint) {
            return Err(unusable(
                &self.path,
                "The name of the other key is no fingerprint.",
            ));
        }
        let path = self.former(fingerprint);
        let former = read(&path, &self.data_directory).map_err(|error| {
            let detail = error.detail().unwrap_or_default().to_owned();
            Error::new(error.kind(), error.message()).with_detail(format!(
                "Key file \"{}\" cannot be used: {detail}",
                path.display()
            ))
        })?;
        if former.fingerprint() == fingerprint {
            return Ok(former);
        }
        Err(unusable(&path, "It holds another key than its name says."))
    }

    /// Where a former key lies.
    fn former(&self, fingerprint: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(fingerprint);
        name.into()
    }
}

impl Provider for FileProvider {
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        self.kek.wrap(NAME, data_key, binding)
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        if wrapped.kek_ref == self.kek.fingerprint() {
            return self.kek.unwrap(wrapped, binding);
        }
        self.read_former(&wrapped.kek_ref)
            .map_err(|error| {
                Error::new(
                    Kind::NotReady,
                    "the key file is not the one that wrapped the keys of this database",
                )
                .with_detail(format!(
                    "Version {} of key \"{}\" was wrapped by key {}, the file holds key {}. {}",
                    binding.version,
                    binding.name,
                    wrapped.kek_ref,
                    self.kek.fingerprint(),
                    error.detail().unwrap_or_default()
                ))
                .with_hint("Put the right file in place, from escrow if need be.")
            })?
            .unwrap(wrapped, binding)
    }

    /// Puts a new key in the file's place; the former one stays beside it. One rotation at a time
    /// for the whole machine: the file serves every database of a server.
    fn rotate_kek(&self) -> Result<Kek> {
        let folder = folder_of(&self.path)?;
        rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Error::new(Kind::InUse, "another rotation of the key file is going on")
                .with_hint("Try again when it has ended.")
        })?;
        // What lies there now, which may not be what was read when this provider was opened.
        let now = read(&self.path, &self.data_directory)?;
        let former = self.former(now.fingerprint());
        // Linked, not renamed: at every moment the path names a complete key.
        match fs::hard_link(&self.path, &former) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let kept = read(&former, &self.data_directory)?;
                if kept.fingerprint() != now.fingerprint() {
                    return Err(
                        unusable(&former, "It holds another key than its name says.").with_hint(
                            "Move it elsewhere; the current key must be kept under that name.",
                        ),
                    );
                }
            }
            Err(error) => return Err(io("keep", &self.path, &error)),
        }
        let mut next = self.path.clone().into_os_string();
        next.push(".new");
        let next = PathBuf::from(next);
        // Of a rotation that was interrupted: nothing was wrapped by it.
        match fs::remove_file(&next) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", &next, &error));
            }
            _ => {}
        }
        init(&next, &self.data_directory)?;
        let kek = read(&next, &self.data_directory)?;
        fs::rename(&next, &self.path).map_err(|error| io("replace", &self.path, &error))?;
        flush_folder(&self.path)?;
        Ok(Kek {
            reference: kek.fingerprint().to_owned(),
            version: None,
        })
    }

    fn knows(&self, kek_ref: &str) -> Result<()> {
        if kek_ref == self.kek.fingerprint() {
            return Ok(());
        }
        self.read_former(kek_ref).map(drop)
    }
}

fn read(path: &Path, data_directory: &Path) -> Result<LocalKek> {
    check_place(path, data_directory)?;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(path)
        .map_err(|error| unusable(path, &format!("It cannot be opened: {}.", error.kind())))?;
    check_rights(path, &file)?;
    // One byte more than the longest accepted form tells a longer file apart.
    let mut content = Zeroizing::new(Vec::with_capacity(2 * KEY_LEN + 3));
    Read::by_ref(&mut file)
        .take(2 * KEY_LEN as u64 + 3)
        .read_to_end(&mut content)
        .map_err(|error| unusable(path, &format!("It cannot be read: {}.", error.kind())))?;
    let kek = parse(&content).ok_or_else(|| {
        unusable(
            path,
            "It must hold exactly 32 bytes or 64 hexadecimal digits.",
        )
    })?;
    if is_degenerate(kek.expose()) {
        return Err(unusable(path, "Its bytes are all equal, which is no key."));
    }
    Ok(LocalKek::new(kek))
}

/// Makes a new key file: 32 random bytes as hexadecimal digits, mode 0600, flushed to disk.
///
/// # Errors
/// 55000 for a bad place, 42710 when the file exists, 58030 when the system refuses.
pub fn init(path: &Path, data_directory: &Path) -> Result<()> {
    check_place(path, data_directory)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(path)
        .map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                Error::new(
                    Kind::DuplicateObject,
                    format!("key file \"{}\" already exists", path.display()),
                )
                .with_detail("It was left as it is: overwriting it would lose every pseudonym.")
            } else {
                io("create", path, &error).with_hint(
                    "Give a path in a folder that the server's user can write to and that lies \
                     outside the data directory: SELECT confiture.init_key_file('/folder/confiture.key').",
                )
            }
        })?;
    let key = Secret::random()?;
    let mut line = Zeroizing::new(hex::encode(key.expose()).into_bytes());
    line.push(b'\n');
    file.write_all(&line)
        .and_then(|()| file.sync_all())
        .map_err(|error| {
            // Half a key would stand in the way of the next try, and be taken for a whole one.
            let _ = fs::remove_file(path);
            io("write", path, &error)
        })?;
    flush_folder(path)
}

/// The directory entry must survive a crash too, or the key would be lost with it.
fn flush_folder(path: &Path) -> Result<()> {
    folder_of(path)?
        .sync_all()
        .map_err(|error| io("flush the folder of", path, &error))
}

fn folder_of(path: &Path) -> Result<File> {
    File::open(path.parent().unwrap_or(path))
        .map_err(|error| io("open the folder of", path, &error))
}

/// Where a key file goes when no path is given: beside the data directory.
pub fn default_path(data_directory: &Path) -> PathBuf {
    data_directory
        .parent()
        .unwrap_or(Path::new("/"))
        .join("confiture.key")
}

fn parse(content: &[u8]) -> Option<Secret> {
    if content.len() == KEY_LEN {
        let mut bytes: [u8; KEY_LEN] = content.try_into().ok()?;
        return Some(Secret::take(&mut bytes));
    }
    let digits = content
        .strip_suffix(b"\r\n")
        .or_else(|| content.strip_suffix(b"\n"))
        .unwrap_or(content);
    let mut bytes = [0; KEY_LEN];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(Secret::take(&mut bytes))
}

fn check_place(path: &Path, data_directory: &Path) -> Result<()> {
    if !path.is_absolute() {
        return Err(unusable(path, "Its path is not absolute."));
    }
    // Both as they really are: a link must not lead into the data directory.
    let parent = path.parent().unwrap_or(path);
    let parent = parent.canonicalize().map_err(|error| {
        unusable(
            path,
            &format!("Its folder cannot be reached: {}.", error.kind()),
        )
    })?;
    let data_directory = data_directory
        .canonicalize()
        .unwrap_or_else(|_| data_directory.to_owned());
    if parent.starts_with(&data_directory) {
        return Err(unusable(
            path,
            "It lies inside the data directory, so every base backup would carry the key.",
        ));
    }
    Ok(())
}

fn check_rights(path: &Path, file: &File) -> Result<()> {
    let facts = file
        .metadata()
        .map_err(|error| unusable(path, &format!("It cannot be examined: {}.", error.kind())))?;
    if !facts.is_file() {
        return Err(unusable(path, "It is not a regular file."));
    }
    if rustix::process::geteuid().as_raw() != facts.uid() {
        return Err(unusable(
            path,
            "It does not belong to the server's operating system user.",
        ));
    }
    if facts.mode() & 0o077 != 0 {
        return Err(unusable(
            path,
            "Its permissions give access to group or others; they must be 0600 or less.",
        ));
    }
    Ok(())
}

/// Makes opening a symbolic link fail, and opening a pipe not wait for its other end.
fn no_follow() -> i32 {
    use rustix::fs::OFlags;
    (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed()
}

fn unusable(path: &Path, detail: &str) -> Error {
    Error::new(
        Kind::NotReady,
        format!("key file \"{}\" cannot be used", path.display()),
    )
    .with_detail(detail)
}

fn io(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Kind::Io,
        format!("could not {verb} key file \"{}\"", path.display()),
    )
    .with_detail(format!("The system says: {}.", error.kind()))
}

#[cfg(test)]
mod tests;
