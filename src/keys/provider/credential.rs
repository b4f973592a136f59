//! Credentials in files: read at use, wiped after it, never in a setting.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};

use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};

/// The longest credential accepted, in bytes; a signed token has a few thousand.
const LONGEST: u64 = 64 * 1024;

/// Who must not be able to read the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Privacy {
    /// A long-lived secret. As PostgreSQL asks of a private key of TLS: it belongs to the server's
    /// user and has mode 0600 or less, or to root and has 0640 or less.
    Private,
    /// A short-lived token that the platform projects with modes of its own.
    Projected,
}

/// Reads a credential, without white space at its ends.
///
/// # Errors
/// 55000 with what is wrong with the file, never with a byte of it.
pub fn read(provider: &str, path: &str, privacy: Privacy) -> Result<Zeroizing<String>> {
    let unusable = |why: &str| {
        Error::new(
            Kind::NotReady,
            format!("credential file \"{path}\" of key provider \"{provider}\" cannot be used"),
        )
        .with_detail(why)
    };
    if !path.starts_with('/') {
        return Err(unusable("Its path is not absolute."));
    }
    // Without waiting: a pipe has another end.
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(|error| unusable(&format!("It cannot be opened: {}.", error.kind())))?;
    let facts = file
        .metadata()
        .map_err(|error| unusable(&format!("It cannot be examined: {}.", error.kind())))?;
    if !facts.is_file() {
        return Err(unusable("It is not a regular file."));
    }
    if privacy == Privacy::Private {
        let own = facts.uid() == rustix::process::geteuid().as_raw();
        if !own && facts.uid() != 0 {
            return Err(unusable(
                "It belongs neither to the server's operating system user nor to root.",
            ));
        }
        // Of root's files, the server's group may read.
        let open_to_others = if own { 0o077 } else { 0o037 };
        if facts.mode() & open_to_others != 0 {
            return Err(unusable(
                "Its permissions are too open; they must be 0600 or less, or 0640 if root owns it.",
            ));
        }
    }
    let mut content = Zeroizing::new(Vec::with_capacity(4096));
    file.take(LONGEST + 1)
        .read_to_end(&mut content)
        .map_err(|error| unusable(&format!("It cannot be read: {}.", error.kind())))?;
    if content.len() as u64 > LONGEST {
        return Err(unusable("It is longer than 64 KiB."));
    }
    let text = std::str::from_utf8(&content)
        .map_err(|_| unusable("It is not text."))?
        .trim();
    if text.is_empty() {
        return Err(unusable("It is empty."));
    }
    Ok(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn credential_files_must_be_private_and_sane() {
        let folder =
            std::env::temp_dir().join(format!("confiture-credential-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("token");
        let name = path.to_str().unwrap();
        let write = |content: &[u8], mode: u32| {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        };
        write(b" S3CRET\n", 0o600);
        assert_eq!(
            read("vault", name, Privacy::Private).unwrap().as_str(),
            "S3CRET"
        );
        write(b"S3CRET", 0o644);
        let error = read("vault", name, Privacy::Private).unwrap_err();
        assert!(error.detail().unwrap().contains("too open"));
        assert!(read("vault", name, Privacy::Projected).is_ok());
        for bad in [&b""[..], b" \n", b"\xff\xfe", &[b'a'; 70_000]] {
            write(bad, 0o600);
            assert_eq!(
                read("vault", name, Privacy::Private).unwrap_err().kind(),
                Kind::NotReady
            );
        }
        assert!(read("vault", "token", Privacy::Private).is_err());
        assert!(read("vault", folder.to_str().unwrap(), Privacy::Private).is_err());
        fs::remove_dir_all(&folder).unwrap();
        assert!(read("vault", name, Privacy::Private).is_err());
    }
}
