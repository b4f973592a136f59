//! The keys in use: stored ones, opened once and kept for a while.
//!
//! Which version is active is read once per statement under the statement's own snapshot, so that
//! every row of it, and every statement of a REPEATABLE READ transaction, uses the same one.
//! Whether the caller may use a key at all is EXECUTE on the function that needs it, which the
//! server checks for every statement, however warm this cache is.

use std::cell::RefCell;
use std::ffi::CStr;
use std::rc::Rc;
use std::time::Duration;

use super::cache::{Cache, Handle};
use super::stored::{self, Stored};
use super::{MASKING, SALT_PREFIX, Secret, Use, scrub, setup, subkey};
use crate::error::{Error, Kind, Result};
use crate::pg::memory::Sealed;
use crate::pg::snapshot::{self, Snapshot};
use crate::pg::{inval, owner, server, spi};
use crate::settings;

/// A data key in use, with the name and version that evidence refers to.
#[derive(Clone)]
pub struct ActiveKey {
    /// Name of the key.
    pub name: Rc<str>,
    /// Version of the key.
    pub version: i32,
    /// The key itself.
    pub secret: Secret,
}

/// The active version of the key for a purpose; the masking key serves where none was made for it.
///
/// # Errors
/// 55000 when there is no key or its provider is not set up; what the provider raises; XX001 when
/// the stored row is damaged.
pub fn active(purpose: &str) -> Result<ActiveKey> {
    let asked = Asked::Active(purpose);
    noted(&asked, stamp, || {
        stored::store::active(purpose, &Snapshot::of_caller())?.ok_or_else(no_key)
    })
}

/// As [`active`], as of now, looked up again when a table of keys has changed only: for what does
/// not seal anything by it. Of a change that another session commits at this moment it may not know
/// yet.
///
/// # Errors
/// As [`active`].
pub fn active_cached(purpose: &str) -> Result<ActiveKey> {
    noted(&Asked::Active(purpose), lasting, || {
        stored::store::active(purpose, &Snapshot::latest())?.ok_or_else(no_key)
    })
}

/// As [`active`], as of now: for what writes, and may have made the key a moment ago.
///
/// # Errors
/// As [`active`].
pub fn active_now(purpose: &str) -> Result<ActiveKey> {
    let found = stored::store::active(purpose, &Snapshot::latest())?;
    Ok(open(found.ok_or_else(no_key)?)?.0)
}

/// A given version of a key, active or kept for decrypting and verifying.
///
/// # Errors
/// 42704 when there is no such version; 55000 when it was destroyed; otherwise as [`active`].
pub fn version(name: &str, version: i32) -> Result<ActiveKey> {
    noted(&Asked::Version(name, version), stamp, || {
        stored::store::version(name, version, &Snapshot::of_caller())?
            .map_or_else(|| Err(gone(name, version)?), Ok)
    })
}

/// As [`version`], as of now, as [`active_cached`] is.
///
/// # Errors
/// As [`version`].
pub fn version_cached(name: &str, version: i32) -> Result<ActiveKey> {
    noted(&Asked::Version(name, version), lasting, || {
        stored::store::version(name, version, &Snapshot::latest())?
            .map_or_else(|| Err(gone(name, version)?), Ok)
    })
}

/// As [`version`], as of now: for what acts on keys.
///
/// # Errors
/// As [`version`].
pub fn version_now(name: &str, version: i32) -> Result<ActiveKey> {
    match stored::store::version(name, version, &Snapshot::latest())? {
        Some(found) => Ok(open(found)?.0),
        None => Err(gone(name, version)?),
    }
}

/// A given version of the key for a purpose: that of a key made for it, or of the masking key.
///
/// # Errors
/// As [`version`].
pub fn version_for(purpose: &str, version: i32) -> Result<ActiveKey> {
    let name = stored::store::name(purpose, &Snapshot::of_caller())?.ok_or_else(no_key)?;
    self::version(&name, version)
}

/// A stored salt: a key of its own, made and rotated like every other; the masking key does not
/// stand in for one.
///
/// # Errors
/// 55000 when there is none of that name; otherwise as [`version`].
pub fn salt(name: &str, version: Option<i32>) -> Result<Secret> {
    let full = format!("{SALT_PREFIX}{name}");
    salt_of(
        &full,
        match version {
            Some(version) => self::version(&full, version)?,
            None => active(&full)?,
        },
    )
    .map(|(salt, _)| salt)
}

/// As [`salt`], as of now, with its version: for what may have made it a moment ago.
///
/// # Errors
/// As [`salt`].
pub fn salt_now(name: &str, version: Option<i32>) -> Result<(Secret, i32)> {
    let full = format!("{SALT_PREFIX}{name}");
    salt_of(
        &full,
        match version {
            Some(version) => version_now(&full, version)?,
            None => active_now(&full)?,
        },
    )
}

fn salt_of(full: &str, key: ActiveKey) -> Result<(Secret, i32)> {
    if *key.name == *full {
        return Ok((subkey(&key.secret, Use::Salt), key.version));
    }
    let name = full.trim_start_matches(SALT_PREFIX);
    Err(
        Error::new(Kind::NotReady, format!("salt \"{name}\" does not exist"))
            .with_hint(format!("Run SELECT confiture.create_key('{full}').")),
    )
}

/// The subkey that verifies ledger entries signed by a version of a key. It outlives the version:
/// what is kept of a destroyed one verifies, and derives nothing else.
///
/// # Errors
/// As [`version`].
pub fn verifier(name: &str, version: i32) -> Result<Secret> {
    match self::version(name, version) {
        Ok(key) => Ok(subkey(&key.secret, Use::LedgerEntry)),
        Err(error) => match stored::store::verifier(name, version, &Snapshot::of_caller())? {
            Some(kept) => Ok(open(kept)?.0.secret),
            None => Err(error),
        },
    }
}

/// Opens every version that is not destroyed. Returns how many there are.
///
/// # Errors
/// As [`active`].
// Not merged into its caller, which overwrites what it leaves on the stack.
#[inline(never)]
pub fn load() -> Result<usize> {
    sweep()?;
    let found = stored::store::all(&Snapshot::of_caller())?;
    let number = found.len();
    for stored in found {
        open(stored)?;
    }
    // No more than there is room for.
    Ok(place().map_or(0, |(_, kept)| kept.min(number)))
}

/// Wipes every opened key of this session, and what providers were told when they signed in.
/// Returns how many keys there were.
pub fn forget() -> usize {
    NOTED.with_borrow_mut(Vec::clear);
    setup::forget();
    let kept = OPENED.with_borrow_mut(|opened| opened.as_mut().map_or(0, Cache::clear));
    scrub();
    kept
}

/// The table whose changes every session is told of: of this one, and of others that say so.
pub const WATCHED: (&CStr, &CStr) = (c"confiture", c"key_version");

/// Tells every session that a table of keys, or of what hangs on them, was changed.
pub fn announce() {
    inval::announce(WATCHED.0, WATCHED.1);
}

/// Where the opened keys of this session lie, and how many there are: for looking at the memory
/// from outside. `None` before the first one.
pub fn place() -> Option<(usize, usize)> {
    OPENED.with_borrow(|opened| {
        let opened = opened.as_ref()?;
        Some((opened.memory().address(), opened.len()))
    })
}

/// What a caller of [`noted`] asks for.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Active(&'a str),
    Version(&'a str, i32),
}

/// What was found for a question.
struct Noted {
    is_version: bool,
    /// The purpose or the name asked for.
    asked: String,
    stamp: Stamp,
    name: Rc<str>,
    version: i32,
    handle: Handle,
}

impl Noted {
    fn answers(&self, asked: &Asked<'_>) -> bool {
        match asked {
            Asked::Active(purpose) => !self.is_version && self.asked == *purpose,
            Asked::Version(name, version) => {
                self.is_version && self.asked == *name && self.version == *version
            }
        }
    }
}

thread_local! {
    static OPENED: RefCell<Option<Cache<Sealed>>> = const { RefCell::new(None) };
    static NOTED: RefCell<Vec<Noted>> = const { RefCell::new(Vec::new()) };
    /// The state of the tables that `OPENED` was last held against.
    static SWEPT: RefCell<Option<u64>> = const { RefCell::new(None) };
}

/// What is noted holds for one statement, one view of the tables, and until anybody changes them; or
/// for none of both, until anybody changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    statement: i64,
    generation: u64,
    /// Two queries can be at work in one statement of the client, and a cursor in several.
    snapshot: [u32; 4],
}

/// The stamp of now.
pub fn stamp() -> Stamp {
    Stamp {
        statement: server::statement_start(),
        generation: inval::generation(),
        snapshot: snapshot::identity(),
    }
}

/// The stamp of what holds until a table of keys changes, once the messages that wait are taken in.
fn lasting() -> Stamp {
    inval::accept();
    Stamp {
        statement: 0,
        generation: inval::generation(),
        snapshot: [0; 4],
    }
}

/// Answers from what was looked up already under the same stamp, or looks it up.
fn noted(
    asked: &Asked<'_>,
    stamp: fn() -> Stamp,
    look_up: impl FnOnce() -> Result<Stored>,
) -> Result<ActiveKey> {
    let now_is = stamp();
    let kept = NOTED.with_borrow(|noted| {
        let noted = noted
            .iter()
            .find(|noted| noted.stamp == now_is && noted.answers(asked))?;
        OPENED.with_borrow(|opened| {
            let secret = opened
                .as_ref()?
                .secret(noted.handle, settings::key_cache_ttl(), now())?;
            Some(ActiveKey {
                name: Rc::clone(&noted.name),
                version: noted.version,
                secret,
            })
        })
    });
    if let Some(key) = kept {
        return Ok(key);
    }
    inval::watch(WATCHED.0, WATCHED.1);
    // Taken before the look-up: what changes in between is looked up again.
    let now_is = stamp();
    let generation = now_is.generation;
    if SWEPT.replace(Some(generation)) != Some(generation) {
        sweep()?;
    }
    let (key, handle) = open(look_up()?)?;
    NOTED.with_borrow_mut(|noted| {
        noted.retain(|noted| {
            let is_former = noted.stamp == now_is && noted.answers(asked);
            let lasts = noted.stamp.statement == 0 && noted.stamp.generation == generation;
            !is_former && (lasts || noted.stamp == now_is)
        });
        noted.push(Noted {
            is_version: matches!(asked, Asked::Version(..)),
            asked: match asked {
                Asked::Active(purpose) => (*purpose).to_owned(),
                Asked::Version(name, _) => (*name).to_owned(),
            },
            stamp: now_is,
            name: Rc::clone(&key.name),
            version: key.version,
            handle,
        });
    });
    Ok(key)
}

/// Wipes opened keys of this session that are no longer stored.
///
/// # Errors
/// As the interface.
pub fn sweep() -> Result<()> {
    if place().is_none() {
        return Ok(());
    }
    let kept = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT wrapped FROM ONLY confiture.key_version WHERE wrapped IS NOT NULL
             UNION ALL SELECT wrapped FROM ONLY confiture.key_verifier",
            &[],
            |row| row.required::<Vec<u8>>(1),
        )
    })?;
    OPENED.with_borrow_mut(|opened| {
        if let Some(opened) = opened {
            opened.retain(&kept);
        }
    });
    Ok(())
}

/// Opens a stored key, or finds it opened. The MAC is checked every time: the row beside the
/// wrapped bytes may have been altered since.
///
/// # Errors
/// What its provider raises; XX001 when the row is not the one the key was wrapped for.
pub fn open(stored: Stored) -> Result<(ActiveKey, Handle)> {
    let Stored {
        binding,
        wrapped,
        mac,
    } = stored;
    let kept = OPENED.with_borrow_mut(|opened| {
        let (opened, ttl, now) = (opened.as_mut()?, settings::key_cache_ttl(), now());
        let handle = opened.find(&wrapped.blob, ttl, now)?;
        Some((opened.secret(handle, ttl, now)?, handle))
    });
    let (secret, handle) = match kept {
        Some((secret, handle)) => {
            binding.check(&secret, &mac)?;
            (secret, handle)
        }
        None => {
            let secret = setup::provider(&wrapped.provider)?.unwrap(&wrapped, &binding)?;
            binding.check(&secret, &mac)?;
            let handle = keep(wrapped.blob, &secret)?;
            (secret, handle)
        }
    };
    let key = ActiveKey {
        name: binding.name.into(),
        version: binding.version,
        secret,
    };
    Ok((key, handle))
}

/// The time since the machine started, to a few milliseconds: read at every use of a key.
fn now() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(target_os = "linux")]
    let clock = ClockId::MonotonicCoarse;
    #[cfg(not(target_os = "linux"))]
    let clock = ClockId::Monotonic;
    let time = clock_gettime(clock);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}

fn keep(wrapped: Vec<u8>, secret: &Secret) -> Result<Handle> {
    if settings::key_cache_ttl().is_zero() {
        return Ok(Cache::<Sealed>::nowhere());
    }
    OPENED.with_borrow_mut(|opened| {
        let opened = match opened {
            Some(opened) => opened,
            None => opened.insert(Cache::new(Sealed::new()?)),
        };
        Ok(opened.keep(wrapped, secret, now()))
    })
}

fn gone(name: &str, version: i32) -> Result<Error> {
    let destroyed = owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT FROM ONLY confiture.key_version WHERE key_name = $1 AND version = $2",
            &[name.into(), version.into()],
            |_| Ok(()),
        )
    })?;
    Ok(if destroyed.is_empty() {
        Error::new(
            Kind::UndefinedObject,
            format!("version {version} of key \"{name}\" does not exist"),
        )
        .with_hint("See confiture.key_status.")
    } else {
        Error::new(
            Kind::NotReady,
            format!("version {version} of key \"{name}\" was destroyed"),
        )
        .with_detail("What was made with it cannot be made again.")
    })
}

/// There is no key for a purpose.
pub fn no_key() -> Error {
    Error::new(Kind::NotReady, format!("there is no \"{MASKING}\" key"))
        .with_detail("Keyed functions never work with a built-in or empty key.")
        .with_hint(
            "Run SELECT confiture.init_key_file(); once for the server, then \
             SELECT confiture.create_key('masking'); in this database.",
        )
}
