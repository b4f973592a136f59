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
        // The name of a file is made of it: nothing but a fingerprint will do.
        let former = if local::is_fingerprint(&wrapped.kek_ref) {
            read(&self.former(&wrapped.kek_ref), &self.data_directory).ok()
        } else {
            None
        };
        match former {
            Some(former) if former.fingerprint() == wrapped.kek_ref => {
                former.unwrap(wrapped, binding)
            }
            _ => Err(Error::new(
                Kind::NotReady,
                "the key file is not the one that wrapped the keys of this database",
            )
            .with_detail(format!(
                "Version {} of key \"{}\" was wrapped by key {}, the file holds key {}.",
                binding.version,
                binding.name,
                wrapped.kek_ref,
                self.kek.fingerprint()
            ))
            .with_hint("Put the right file in place, from escrow if need be.")),
        }
    }

    /// Puts a new key in the file's place; the former one stays beside it.
    fn rotate_kek(&self) -> Result<Kek> {
        let mut next = self.path.clone().into_os_string();
        next.push(".new");
        let next = PathBuf::from(next);
        init(&next, &self.data_directory)?;
        let renewed = (|| {
            // Linked, not renamed: at every moment the path names a complete key.
            match fs::hard_link(&self.path, self.former(self.kek.fingerprint())) {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(io("keep", &self.path, &error));
                }
                _ => {}
            }
            let kek = read(&next, &self.data_directory)?;
            fs::rename(&next, &self.path).map_err(|error| io("replace", &self.path, &error))?;
            flush_folder(&self.path)?;
            Ok(kek)
        })();
        if renewed.is_err() {
            // Nothing was wrapped by it.
            let _ = fs::remove_file(&next);
        }
        Ok(Kek {
            reference: renewed?.fingerprint().to_owned(),
            version: None,
        })
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
        .map_err(|error| io("write", path, &error))?;
    flush_folder(path)
}

/// The directory entry must survive a crash too, or the key would be lost with it.
fn flush_folder(path: &Path) -> Result<()> {
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
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(path.join("data")).unwrap();
            Self(path)
        }

        fn write(&self, name: &str, content: &[u8], mode: u32) -> PathBuf {
            let path = self.0.join(name);
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
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
            let _ = fs::remove_dir_all(&self.0);
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
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
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

    #[test]
    fn file_rotation_keeps_the_former_key_beside_the_new_one() {
        let folder = Folder::new("rotation");
        let path = folder.0.join("k");
        init(&path, &folder.0.join("data")).unwrap();
        let old = folder.open(&path).unwrap();
        let key = Secret::random().unwrap();
        let wrapped = old.wrap(&key, &binding()).unwrap();
        let kek = old.rotate_kek().unwrap();
        let new = folder.open(&path).unwrap();
        assert_eq!(new.fingerprint(), kek.reference);
        assert_ne!(new.fingerprint(), old.fingerprint());
        assert_eq!(
            new.unwrap(&wrapped, &binding()).unwrap().expose(),
            key.expose()
        );
        let moved = new.rewrap(&wrapped, &binding()).unwrap();
        assert_eq!(moved.kek_ref, new.fingerprint());
        let kept = old.former(old.fingerprint());
        assert_eq!(fs::metadata(&kept).unwrap().mode() & 0o777, 0o600);
        fs::remove_file(&kept).unwrap();
        assert!(new.unwrap(&wrapped, &binding()).is_err());
        assert!(new.unwrap(&moved, &binding()).is_ok());
        assert!(new.health().is_ok());
        assert_eq!(new.current().unwrap().reference, new.fingerprint());
        // A stored name never becomes a way to another file.
        let elsewhere = Wrapped {
            kek_ref: "../data/k".into(),
            ..wrapped
        };
        assert!(new.unwrap(&elsewhere, &binding()).is_err());
    }
}
