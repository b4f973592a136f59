//! What a key file must be, and that no rotation loses one.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("confiture-{name}-{}", std::process::id()));
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
    // A pipe without a writer is refused, not waited for.
    let pipe = folder.0.join("pipe");
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, mode).unwrap();
    assert!(folder.refusal(&pipe).contains("regular file"));
}

#[test]
fn file_rotation_survives_what_an_interrupted_one_left() {
    let folder = Folder::new("interrupted");
    let path = folder.0.join("k");
    init(&path, &folder.0.join("data")).unwrap();
    folder.write("k.new", b"half", 0o600);
    let kek = folder.open(&path).unwrap().rotate_kek().unwrap();
    assert_eq!(folder.open(&path).unwrap().fingerprint(), kek.reference);
    assert!(!folder.0.join("k.new").exists());
}

#[test]
fn file_rotation_never_loses_a_key() {
    let folder = Folder::new("losing");
    let path = folder.0.join("k");
    init(&path, &folder.0.join("data")).unwrap();
    let first = folder.open(&path).unwrap();
    // Opened before a rotation and used after it: what lies there now is what is kept.
    let stale = folder.open(&path).unwrap();
    let second = first.rotate_kek().unwrap();
    let third = stale.rotate_kek().unwrap();
    let last = folder.open(&path).unwrap();
    for kek in [first.fingerprint(), &second.reference, &third.reference] {
        last.knows(kek).unwrap();
    }
    // A stranger under the name of the copy is not taken for one.
    let name = format!("k.{}", last.fingerprint());
    folder.write(&name, &[b'a'; 64], 0o600);
    assert!(last.rotate_kek().is_err());
    folder.write(&name, b"", 0o600);
    assert!(last.rotate_kek().is_err());
    assert_eq!(
        folder.open(&path).unwrap().fingerprint(),
        last.fingerprint()
    );
    fs::remove_file(folder.0.join(&name)).unwrap();
    // While another one holds the lock, nothing is done.
    let held = folder_of(&path).unwrap();
    rustix::fs::flock(&held, FlockOperation::LockExclusive).unwrap();
    assert_eq!(last.rotate_kek().unwrap_err().kind(), Kind::InUse);
    drop(held);
    last.rotate_kek().unwrap();
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
