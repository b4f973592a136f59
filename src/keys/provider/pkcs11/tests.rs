//! Against SoftHSM: each test in a process of its own, because a module reads its configuration
//! and keeps its login state once for a process. Without SoftHSM they say so and pass.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use super::*;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "S3CRET-87654321";
const FOLDER: &str = "CONFITURE_TEST_SOFTHSM";

/// Runs a test in a process of its own, with tokens "confiture", "twin" and "twin".
fn with_softhsm(name: &str, test: fn(&Softhsm)) {
    if let Ok(folder) = std::env::var(FOLDER) {
        return test(&Softhsm(folder.into()));
    }
    if !Path::new(MODULE).exists() {
        let skipped = "SKIPPED, SoftHSM is not installed (apt-get install softhsm2)";
        return writeln!(std::io::stderr(), "{name}: {skipped}").unwrap();
    }
    let folder = std::env::temp_dir().join(format!("confiture-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("tokens")).unwrap();
    let conf = folder.join("softhsm2.conf");
    let tokens = folder.join("tokens");
    fs::write(
        &conf,
        format!("directories.tokendir = {}\n", tokens.display()),
    )
    .unwrap();
    for label in ["confiture", "twin", "twin"] {
        make_token(&conf, label);
    }
    let path = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &path, "--test-threads=1", "--nocapture"])
        .env("SOFTHSM2_CONF", &conf)
        .env(FOLDER, &folder)
        .output()
        .unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    let complaints = String::from_utf8_lossy(&child.stderr);
    assert!(
        child.status.success() && told.contains("1 passed"),
        "{}\n{told}\n{complaints}",
        child.status
    );
}

fn make_token(conf: &Path, label: &str) {
    let made = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", label])
        .args(["--so-pin", "12345678", "--pin", PIN])
        .env("SOFTHSM2_CONF", conf)
        .output()
        .unwrap();
    assert!(made.status.success());
}

struct Softhsm(PathBuf);

impl Softhsm {
    /// A provider, with a file of its own for the PIN.
    fn provider(&self, token: &str, key: &str) -> Pkcs11Provider {
        let pin_file = self.write_pin("pin", PIN);
        open(&format!(
            "module={MODULE} token={token} key={key} pin_file={pin_file}"
        ))
        .unwrap()
    }

    fn write_pin(&self, name: &str, pin: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, format!("{pin}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A session beside the provider's, signed in where it is not yet.
    fn session(&self) -> (Pkcs11, Session) {
        let module = module::open(MODULE).unwrap();
        let slots = module.get_slots_with_token().unwrap();
        let slot = slots
            .into_iter()
            .find(|slot| module.get_token_info(*slot).unwrap().label() == "confiture");
        let session = module.open_rw_session(slot.unwrap()).unwrap();
        session
            .login(UserType::User, Some(&AuthPin::new(Box::from(PIN))))
            .unwrap();
        (module, session)
    }

    fn objects(&self, session: &Session, label: &str) -> Vec<ObjectHandle> {
        session
            .find_objects(&[Attribute::Label(label.as_bytes().to_vec())])
            .unwrap()
    }

    /// A key as somebody else would make it.
    fn plant(&self, label: &str, id: &[u8], length: u64, more: &[Attribute]) {
        let (_module, session) = self.session();
        let mut template = vec![
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Label(label.as_bytes().to_vec()),
            Attribute::Id(id.to_vec()),
            Attribute::ValueLen(length.into()),
        ];
        template.extend_from_slice(more);
        session
            .generate_key(&Mechanism::AesKeyGen, &template)
            .unwrap();
    }
}

const FIT: [Attribute; 4] = [
    Attribute::Sensitive(true),
    Attribute::Extractable(false),
    Attribute::Encrypt(true),
    Attribute::Decrypt(true),
];

fn open(text: &str) -> Result<Pkcs11Provider> {
    Pkcs11Provider::new(&Options::parse(NAME, text, &[OPTIONS])?)
}

fn binding() -> Binding {
    Binding {
        installation: [1; 16],
        name: "masking".into(),
        version: 1,
        purpose: "masking".into(),
    }
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// The error of a call, checked for what must not be in it.
fn refusal<T>(result: Result<T>, sqlstate: &str) -> Error {
    let error = result.err().expect("refused");
    assert_eq!(error.kind().sqlstate().as_str(), sqlstate, "{error:?}");
    assert!(!format!("{error:?}").contains("S3CRET"), "{error:?}");
    error
}

#[test]
fn pkcs11_wraps_binds_and_rotates() {
    with_softhsm("pkcs11_wraps_binds_and_rotates", |softhsm| {
        let before = threads();
        let provider = softhsm.provider("confiture", "kek");
        let key = Secret::random().unwrap();
        let missing = refusal(provider.wrap(&key, &binding()), "42704");
        assert!(missing.hint().unwrap().contains("rotate_kek('pkcs11')"));
        refusal(provider.current(), "42704");
        let first = provider.rotate_kek().unwrap();
        assert_eq!(first.reference, "confiture/kek");
        assert_eq!(first.version.as_deref(), Some("01"));
        let wrapped = provider.wrap(&key, &binding()).unwrap();
        assert_eq!(wrapped.kek(), first);
        assert_eq!(
            (wrapped.provider.as_str(), wrapped.alg.as_str()),
            ("pkcs11", "aes-256-gcm")
        );
        assert_eq!((wrapped.blob.len(), wrapped.blob[0]), (61, 1));
        assert_eq!(
            provider.unwrap(&wrapped, &binding()).unwrap().expose(),
            key.expose()
        );
        assert_ne!(provider.wrap(&key, &binding()).unwrap().blob, wrapped.blob);
        provider.health().unwrap();

        let second = provider.rotate_kek().unwrap();
        assert_eq!(second.version.as_deref(), Some("02"));
        assert_eq!(provider.current().unwrap(), second);
        assert_eq!(
            provider.unwrap(&wrapped, &binding()).unwrap().expose(),
            key.expose()
        );
        let moved = provider.rewrap(&wrapped, &binding()).unwrap();
        assert_eq!(moved.kek(), second);
        assert_eq!(threads(), before);

        // Another label is another key; what the former one wrapped still opens.
        let other = softhsm.provider("confiture", "other");
        other.rotate_kek().unwrap();
        let moved = other.rewrap(&wrapped, &binding()).unwrap();
        assert_eq!(moved.kek_ref, "confiture/other");
        assert_eq!(
            provider.unwrap(&moved, &binding()).unwrap().expose(),
            key.expose()
        );

        let (_module, session) = softhsm.session();
        for handle in softhsm.objects(&session, "kek") {
            let secret = [AttributeType::Value, AttributeType::Sensitive];
            let shown = session.get_attributes(handle, &secret).unwrap();
            assert_eq!(shown, [Attribute::Sensitive(true)]);
            session.destroy_object(handle).unwrap();
        }
        let gone = refusal(provider.unwrap(&wrapped, &binding()), "42704");
        assert!(gone.message().contains("version 01"));
        assert_eq!(threads(), before);
    });
}

#[test]
fn pkcs11_refuses_altered_bytes_and_other_rows() {
    with_softhsm("pkcs11_refuses_altered_bytes_and_other_rows", |softhsm| {
        let provider = softhsm.provider("confiture", "kek");
        provider.rotate_kek().unwrap();
        let key = Secret::random().unwrap();
        let wrapped = provider.wrap(&key, &binding()).unwrap();
        for place in 0..wrapped.blob.len() {
            let mut altered = wrapped.clone();
            altered.blob[place] ^= 1;
            refusal(provider.unwrap(&altered, &binding()), "XX001");
        }
        for length in [0, 1, 12, 13, 60] {
            let mut altered = wrapped.clone();
            altered.blob.truncate(length);
            refusal(provider.unwrap(&altered, &binding()), "XX001");
        }
        let mut longer = wrapped.clone();
        longer.blob.push(0);
        refusal(provider.unwrap(&longer, &binding()), "XX001");
        for other in [
            Binding {
                version: 2,
                ..binding()
            },
            Binding {
                name: "other".into(),
                ..binding()
            },
            Binding {
                purpose: "vault".into(),
                ..binding()
            },
            Binding {
                installation: [2; 16],
                ..binding()
            },
        ] {
            refusal(provider.unwrap(&wrapped, &other), "XX001");
        }
        let versions = [None, Some(""), Some("1"), Some("0A"), Some("x'"), Some("€")];
        for version in versions.into_iter().chain([Some("00".repeat(65).as_str())]) {
            let altered = Wrapped {
                kek_version: version.map(str::to_owned),
                ..wrapped.clone()
            };
            refusal(provider.unwrap(&altered, &binding()), "XX001");
        }
        for (reference, sqlstate) in [
            ("", "55000"),
            ("confiture", "55000"),
            ("confiture/", "55000"),
            ("twin/kek", "55000"),
            ("confiture/k\nek", "XX001"),
            (&format!("confiture/{}", "k".repeat(600)), "XX001"),
            ("confiture/absent", "42704"),
        ] {
            let altered = Wrapped {
                kek_ref: reference.to_owned(),
                ..wrapped.clone()
            };
            refusal(provider.unwrap(&altered, &binding()), sqlstate);
        }
        let other_way = Wrapped {
            alg: "rot13".into(),
            ..wrapped.clone()
        };
        refusal(provider.unwrap(&other_way, &binding()), "0A000");
        assert!(provider.unwrap(&wrapped, &binding()).is_ok());
    });
}

#[test]
fn pkcs11_shows_a_wrong_pin_to_the_token_once() {
    with_softhsm("pkcs11_shows_a_wrong_pin_to_the_token_once", |softhsm| {
        let provider = softhsm.provider("confiture", "kek");
        provider.rotate_kek().unwrap();
        softhsm.write_pin("pin", "S3CRET-wrong");
        let error = refusal(provider.health(), "28000");
        assert!(error.message().contains("does not accept"));
        assert_eq!(error.detail(), None);
        let again = refusal(provider.health(), "28000");
        assert!(again.detail().unwrap().contains("tries another one only"));
        softhsm.write_pin("pin", "S3CRET-wrong-too");
        assert_eq!(refusal(provider.health(), "28000").detail(), None);
        softhsm.write_pin("pin", PIN);
        provider.health().unwrap();
        fs::set_permissions(softhsm.0.join("pin"), Permissions::from_mode(0o644)).unwrap();
        refusal(provider.health(), "55000");
        fs::remove_file(softhsm.0.join("pin")).unwrap();
        refusal(provider.health(), "55000");
    });
}

#[test]
fn pkcs11_leaves_the_login_of_others_as_it_is() {
    with_softhsm("pkcs11_leaves_the_login_of_others_as_it_is", |softhsm| {
        let provider = softhsm.provider("confiture", "kek");
        provider.rotate_kek().unwrap();
        let (module, session) = softhsm.session();
        provider.health().unwrap();
        assert_eq!(softhsm.objects(&session, "kek").len(), 1);
        session.logout().unwrap();
        provider.health().unwrap();
        // Private objects: signed out, they are not to be seen.
        assert_eq!(softhsm.objects(&session, "kek").len(), 0);
        drop(session);
        // Somebody else in this process is done with the module.
        module.finalize().unwrap();
        provider.health().unwrap();
        // As in a fork of a process that had used it.
        module::forget(MODULE);
        provider.health().unwrap();
    });
}

#[test]
fn pkcs11_wraps_with_a_fit_key_only() {
    with_softhsm("pkcs11_wraps_with_a_fit_key_only", |softhsm| {
        let unfit = [
            (16, FIT.to_vec(), "256 bits"),
            (
                32,
                vec![FIT[0].clone(), Attribute::Extractable(true)],
                "leave the token",
            ),
            (
                32,
                vec![Attribute::Sensitive(false), FIT[1].clone()],
                "leave the token",
            ),
            (
                32,
                vec![FIT[0].clone(), FIT[1].clone(), Attribute::Decrypt(false)],
                "not both",
            ),
        ];
        for (place, (length, attributes, words)) in unfit.into_iter().enumerate() {
            let label = format!("unfit{place}");
            softhsm.plant(&label, &[9], length, &attributes);
            let provider = softhsm.provider("confiture", &label);
            let error = refusal(provider.health(), "55000");
            assert!(error.detail().unwrap().contains(words), "{error:?}");
            assert!(error.message().contains("version 09"));
            assert_eq!(
                provider.rotate_kek().unwrap().version.as_deref(),
                Some("0a")
            );
            provider.health().unwrap();
        }
        // Without a CKA_ID it could not be found again.
        softhsm.plant("nameless", &[], 32, &FIT);
        let provider = softhsm.provider("confiture", "nameless");
        refusal(provider.health(), "42704");
        softhsm.plant("nameless", &[0, 255], 32, &FIT);
        assert_eq!(provider.current().unwrap().version.as_deref(), Some("00ff"));
        assert_eq!(
            provider.rotate_kek().unwrap().version.as_deref(),
            Some("0100")
        );
    });
}

#[test]
fn pkcs11_opens_with_each_of_two_keys_of_one_version() {
    with_softhsm(
        "pkcs11_opens_with_each_of_two_keys_of_one_version",
        |softhsm| {
            let provider = softhsm.provider("confiture", "kek");
            provider.rotate_kek().unwrap();
            let key = Secret::random().unwrap();
            let mut stored = vec![provider.wrap(&key, &binding()).unwrap()];
            for _ in 0..3 {
                softhsm.plant("kek", &[1], 32, &FIT);
                stored.push(provider.wrap(&key, &binding()).unwrap());
            }
            for wrapped in &stored {
                assert_eq!(wrapped.kek_version.as_deref(), Some("01"));
                assert_eq!(
                    provider.unwrap(wrapped, &binding()).unwrap().expose(),
                    key.expose()
                );
            }
            // More objects than one call of C_FindObjects gives.
            for number in 2..30u8 {
                assert_eq!(
                    provider.rotate_kek().unwrap().version,
                    Some(hex::encode([number]))
                );
            }
            assert!(provider.unwrap(&stored[0], &binding()).is_ok());
        },
    );
}

#[test]
fn pkcs11_says_what_is_wrong_with_module_and_token() {
    with_softhsm(
        "pkcs11_says_what_is_wrong_with_module_and_token",
        |softhsm| {
            let pin_file = softhsm.write_pin("pin", PIN);
            let text = softhsm.0.join("text.so");
            fs::write(&text, "no library").unwrap();
            for (module, words) in [
                ("/nowhere/x.so", "no file"),
                (text.to_str().unwrap(), "loader"),
                ("/lib/x86_64-linux-gnu/libm.so.6", "no PKCS#11 module"),
            ] {
                if words.contains("PKCS#11") && !Path::new(module).exists() {
                    continue;
                }
                let setting = format!("module={module} token=confiture key=k pin_file={pin_file}");
                let error = refusal(open(&setting).unwrap().health(), "55000");
                assert!(error.detail().unwrap().contains(words), "{error:?}");
            }
            let absent = refusal(softhsm.provider("absent", "k").health(), "55000");
            assert!(absent.detail().unwrap().contains("no token"));
            let twice = refusal(softhsm.provider("twin", "k").health(), "55000");
            assert!(twice.detail().unwrap().contains("more than one"));
            let long = softhsm.provider(&"x".repeat(40), "k");
            refusal(long.rotate_kek(), "55000");
        },
    );
}

#[test]
fn pkcs11_says_that_the_module_does_not_start() {
    with_softhsm("pkcs11_says_that_the_module_does_not_start", |softhsm| {
        fs::write(
            softhsm.0.join("softhsm2.conf"),
            "directories.tokendir = /nowhere\n",
        )
        .unwrap();
        let provider = softhsm.provider("confiture", "kek");
        let error = refusal(provider.health(), "55000");
        assert!(error.message().contains("initialize"), "{error:?}");
        let mended = format!("directories.tokendir = {}/tokens\n", softhsm.0.display());
        fs::write(softhsm.0.join("softhsm2.conf"), mended).unwrap();
        assert_eq!(
            refusal(provider.health(), "42704").kind(),
            Kind::UndefinedObject
        );
    });
}

#[test]
fn pkcs11_needs_all_options_and_an_absolute_path() {
    assert!(open("module=/m.so token=t key=k pin_file=/p").is_ok());
    for bad in [
        "token=t key=k pin_file=/p",
        "module=/m.so key=k pin_file=/p",
        "module=/m.so token=t pin_file=/p",
        "module=/m.so token=t key=k",
        "module=m.so token=t key=k pin_file=/p",
    ] {
        refusal(open(bad), "55000");
    }
    refusal(open("module=/m.so token=t key=k pin=S3CRET"), "22023");
}
