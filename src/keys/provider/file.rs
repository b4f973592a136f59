//! The file provider: 32 secret bytes in a file that only the server's user can read.
//!
//! It protects against a stolen dump, base backup or replica, not against whoever reads files as
//! the server's user: a superuser of the database, or of the machine.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Provider, Wrapped};
use crate::error::{Error, Kind, Result};
use crate::keys::envelope::{self, Binding};
use crate::keys::{KEY_LEN, Secret, is_degenerate};

/// The provider's name in the catalog.
pub const NAME: &str = "file";
const ALG: &str = "aes-256-gcm-siv";

/// The key-encryption key of one file, read and checked.
pub struct FileProvider {
    kek: Secret,
    fingerprint: String,
}

impl FileProvider {
    /// Reads the key file: an absolute path to a regular file (no symbolic link) outside the data
    /// directory, owned by the server's user, with no rights for anybody else, that holds 32 bytes
    /// or 64 hexadecimal digits (a line end after them is accepted).
    ///
    /// # Errors
    /// 55000 with what is wrong and how to mend it, never with a byte of the file.
    pub fn open(path: &Path, data_directory: &Path) -> Result<Self> {
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
        let fingerprint = fingerprint(&kek);
        Ok(Self { kek, fingerprint })
    }

    /// A short name of the key that gives nothing of it away: the first 8 bytes of an HMAC under
    /// it, in hexadecimal.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

impl Provider for FileProvider {
    fn wrap(&self, data_key: &Secret, binding: &Binding) -> Result<Wrapped> {
        Ok(Wrapped {
            provider: NAME.to_owned(),
            kek_ref: self.fingerprint.clone(),
            kek_version: None,
            alg: ALG.to_owned(),
            blob: envelope::wrap(&self.kek, data_key, binding)?,
        })
    }

    fn unwrap(&self, wrapped: &Wrapped, binding: &Binding) -> Result<Secret> {
        if wrapped.kek_ref != self.fingerprint {
            return Err(Error::new(
                Kind::NotReady,
                "the key file is not the one that wrapped the keys of this database",
            )
            .with_detail(format!(
                "Version {} of key \"{}\" was wrapped by key {}, the file holds key {}.",
                binding.version, binding.name, wrapped.kek_ref, self.fingerprint
            ))
            .with_hint("Put the right file in place, from escrow if need be."));
        }
        if wrapped.alg != ALG {
            return Err(Error::new(
                Kind::Unsupported,
                "a stored key was wrapped in a way this provider does not know",
            ));
        }
        envelope::unwrap(&self.kek, &wrapped.blob, binding).ok_or_else(|| {
            Error::new(
                Kind::Corrupt,
                format!(
                    "version {} of key \"{}\" cannot be unwrapped",
                    binding.version, binding.name
                ),
            )
            .with_detail(
                "The stored bytes were altered, or belong to another key, version or installation.",
            )
            .with_hint("Restore confiture.key_version from a backup of this installation.")
        })
    }
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
        .map_err(|error| io("write", path, &error))?;
    // The directory entry must survive a crash too, or the key would be lost with it.
    if let Some(parent) = path.parent() {
        File::open(parent)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| io("flush the folder of", path, &error))?;
    }
    Ok(())
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

/// Makes opening a symbolic link fail.
fn no_follow() -> i32 {
    rustix::fs::OFlags::NOFOLLOW.bits().cast_signed()
}

fn fingerprint(kek: &Secret) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(kek.expose()).expect("HMAC takes a key of any length");
    mac.update(b"confiture/kek fingerprint/v1");
    hex::encode(&mac.finalize().into_bytes()[..8])
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
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path =
                std::env::temp_dir().join(format!("confiture-{name}-{}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            std::fs::create_dir_all(path.join("data")).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
            let path = self.0.join(name);
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        }

        fn open(&self, path: &Path) -> Result<FileProvider> {
            FileProvider::open(path, &self.0.join("data"))
        }

        fn refusal(&self, path: &Path) -> String {
            let error = self.open(path).err().expect("refused");
            assert_eq!(error.kind(), Kind::NotReady);
            error.detail().unwrap_or_default().to_owned()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn binding() -> Binding {
        Binding {
            installation: [1; 16],
            name: "masking".into(),
            version: 1,
            purpose: "masking".into(),
        }
    }

    #[test]
    fn file_init_makes_a_key_that_opens_and_never_overwrites() {
        let folder = Folder::new("init");
        let path = folder.0.join("k");
        init(&path, &folder.0.join("data")).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let before = folder.open(&path).unwrap().fingerprint().to_owned();
        let again = init(&path, &folder.0.join("data")).unwrap_err();
        assert_eq!(again.kind(), Kind::DuplicateObject);
        assert_eq!(folder.open(&path).unwrap().fingerprint(), before);
    }

    #[test]
    fn file_init_says_what_to_do_where_it_cannot_write() {
        let folder = Folder::new("unwritable");
        // A name that no file system takes fails for root too, as a folder without rights would not.
        let error = init(&folder.0.join("k".repeat(300)), &folder.0.join("data")).unwrap_err();
        assert_eq!(error.kind(), Kind::Io);
        assert!(error.hint().unwrap().contains("init_key_file('"));
    }

    #[test]
    fn file_accepts_bytes_and_digits_alike() {
        let folder = Folder::new("forms");
        let key: Vec<u8> = (0..32).collect();
        let raw = folder.write("raw", &key, 0o600);
        let digits = folder.write(
            "digits",
            format!("{}\n", hex::encode(&key)).as_bytes(),
            0o400,
        );
        let (raw, digits) = (folder.open(&raw).unwrap(), folder.open(&digits).unwrap());
        assert_eq!(raw.fingerprint(), digits.fingerprint());
        let wrapped = raw.wrap(&Secret::random().unwrap(), &binding()).unwrap();
        assert!(digits.unwrap(&wrapped, &binding()).is_ok());
    }

    #[test]
    fn file_refuses_what_is_no_safe_key_file() {
        let folder = Folder::new("bad");
        let key: Vec<u8> = (0..32).collect();
        let good = folder.write("good", &key, 0o600);
        assert!(folder.refusal(Path::new("relative")).contains("absolute"));
        assert!(folder.refusal(&folder.0.join("absent")).contains("opened"));
        let open = folder.write("open", &key, 0o640);
        assert!(folder.refusal(&open).contains("permissions"));
        let short = folder.write("short", &key[..31], 0o600);
        assert!(folder.refusal(&short).contains("exactly 32 bytes"));
        let long = folder.write("long", &[9; 70], 0o600);
        assert!(folder.refusal(&long).contains("exactly 32 bytes"));
        let equal = folder.write("equal", &[7; 32], 0o600);
        assert!(folder.refusal(&equal).contains("all equal"));
        let inside = folder.write("data/k", &key, 0o600);
        assert!(folder.refusal(&inside).contains("data directory"));
        let link = folder.0.join("link");
        symlink(&good, &link).unwrap();
        assert!(folder.refusal(&link).contains("opened"));
        let way_in = folder.0.join("way-in");
        symlink(folder.0.join("data"), &way_in).unwrap();
        assert!(folder.refusal(&way_in.join("k")).contains("data directory"));
        assert!(
            folder
                .refusal(&folder.0.join("data"))
                .contains("regular file")
        );
    }

    #[test]
    fn file_names_the_wrong_key_instead_of_calling_it_corruption() {
        let folder = Folder::new("wrong");
        let (a, b) = (folder.0.join("a"), folder.0.join("b"));
        init(&a, &folder.0.join("data")).unwrap();
        init(&b, &folder.0.join("data")).unwrap();
        let (a, b) = (folder.open(&a).unwrap(), folder.open(&b).unwrap());
        let wrapped = a.wrap(&Secret::random().unwrap(), &binding()).unwrap();
        assert_eq!(
            b.unwrap(&wrapped, &binding()).err().unwrap().kind(),
            Kind::NotReady
        );
        let other_way = Wrapped {
            alg: "rot13".into(),
            ..wrapped.clone()
        };
        assert_eq!(
            a.unwrap(&other_way, &binding()).err().unwrap().kind(),
            Kind::Unsupported
        );
        let mut altered = wrapped.clone();
        altered.blob[20] ^= 1;
        assert_eq!(
            a.unwrap(&altered, &binding()).err().unwrap().kind(),
            Kind::Corrupt
        );
        assert!(a.rewrap(&wrapped, &binding()).is_ok());
    }
}
