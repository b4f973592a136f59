//! Keys at rest, read: the tables `confiture.key`, `key_version`, `key_verifier`; and the keys in
//! use, opened once and kept for a while. What writes to the tables is in room `custody`.
//!
//! Which version is active is read once per statement under the statement's own snapshot, so that
//! every row of it, and every statement of a REPEATABLE READ transaction, uses the same one.
//! Whether the caller may use a key at all is EXECUTE on the function that needs it, which the
//! server checks for every statement, however warm this cache is.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use pgrx::Uuid;
use pgrx::datum::DatumWithOid;

use super::cache::{Cache, Handle};
use super::envelope::Binding;
use super::provider::Wrapped;
use super::{MASKING, SALT_PREFIX, Secret, Use, scrub, setup, subkey};
use crate::error::{Error, Kind, Result};
use crate::pg::memory::Sealed;
use crate::pg::spi::Row;
use crate::pg::{inval, owner, server, snapshot, spi};
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

/// A stored key: what it is bound to, its wrapped bytes and their MAC.
pub struct Stored {
    /// Installation, name, version, purpose.
    pub binding: Binding,
    /// The wrapped bytes and who wrapped them.
    pub wrapped: Wrapped,
    /// The binding MAC.
    pub mac: Vec<u8>,
}

/// The columns of [`stored`], and where they come from.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT v.key_name, v.version, k.purpose, v.provider, v.kek_ref, v.kek_version,
                    v.alg, v.wrapped, v.binding_mac,
                    (SELECT id FROM ONLY confiture.installation)
               FROM ONLY confiture.key_version v
               JOIN ONLY confiture.key k ON k.name = v.key_name ",
            $rest
        )
    };
}

const ACTIVE: &str = select!(
    "WHERE v.state = 'active' AND k.purpose = ANY (ARRAY[$1, 'masking'])
     ORDER BY k.purpose = $1 DESC LIMIT 1"
);

const VERSION: &str =
    select!("WHERE v.key_name = $1 AND v.version = $2 AND v.state <> 'destroyed'");

/// The active version of the key for a purpose; the masking key serves where none was made for it.
///
/// # Errors
/// 55000 when there is no key or its provider is not set up; what the provider raises; XX001 when
/// the stored row is damaged.
pub fn active(purpose: &str) -> Result<ActiveKey> {
    let asked = Asked::Active(purpose);
    noted(&asked, || {
        let found = read(ACTIVE, &[purpose.into()])?;
        found.into_iter().next().ok_or_else(no_key)
    })
}

/// As [`active`], as of now: for what writes, and may have made the key a moment ago.
///
/// # Errors
/// As [`active`].
pub fn active_now(purpose: &str) -> Result<ActiveKey> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read_now(ACTIVE, &[purpose.into()], stored)
    })?;
    Ok(open(found.into_iter().next().ok_or_else(no_key)?)?.0)
}

/// A given version of a key, active or kept for decrypting and verifying.
///
/// # Errors
/// 42704 when there is no such version; 55000 when it was destroyed; otherwise as [`active`].
pub fn version(name: &str, version: i32) -> Result<ActiveKey> {
    noted(&Asked::Version(name, version), || {
        let found = read(VERSION, &[name.into(), version.into()])?;
        match found.into_iter().next() {
            Some(found) => Ok(found),
            None => Err(gone(name, version)?),
        }
    })
}

/// As [`version`], as of now: for what acts on keys.
///
/// # Errors
/// As [`version`].
pub fn version_now(name: &str, version: i32) -> Result<ActiveKey> {
    let found = owner::acting_as_owner("confiture", || {
        spi::read_now(VERSION, &[name.into(), version.into()], stored)
    })?;
    match found.into_iter().next() {
        Some(found) => Ok(open(found)?.0),
        None => Err(gone(name, version)?),
    }
}

/// A given version of the key for a purpose: that of a key made for it, or of the masking key.
///
/// # Errors
/// As [`version`].
pub fn version_for(purpose: &str, version: i32) -> Result<ActiveKey> {
    let name = owner::acting_as_owner("confiture", || {
        spi::read_as_caller(
            "SELECT name FROM ONLY confiture.key
              WHERE purpose = ANY (ARRAY[$1, 'masking'])
              ORDER BY purpose = $1 DESC LIMIT 1",
            &[purpose.into()],
            |row| row.required::<String>(1),
        )
    })?;
    self::version(name.first().ok_or_else(no_key)?, version)
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
        Err(error) => {
            let kept = read(
                "SELECT v.key_name, v.version, 'verifier', v.provider, v.kek_ref, v.kek_version,
                        v.alg, v.wrapped, v.binding_mac,
                        (SELECT id FROM ONLY confiture.installation)
                   FROM ONLY confiture.key_verifier v
                  WHERE v.key_name = $1 AND v.version = $2",
                &[name.into(), version.into()],
            )?;
            match kept.into_iter().next() {
                Some(kept) => Ok(open(kept)?.0.secret),
                None => Err(error),
            }
        }
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
    let found = read(select!("WHERE v.state <> 'destroyed'"), &[])?;
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

/// Tells every session that a table of keys was changed.
pub fn announce() {
    inval::announce(c"confiture", c"key_version");
}

/// Where the opened keys of this session lie, and how many there are: for looking at the memory
/// from outside. `None` before the first one.
pub fn place() -> Option<(usize, usize)> {
    OPENED.with_borrow(|opened| {
        let opened = opened.as_ref()?;
        Some((opened.memory().address(), opened.len()))
    })
}

/// A row with the columns of a stored key.
///
/// # Errors
/// XX001 when it is not complete.
pub fn stored(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        binding: Binding {
            name: row.required(1)?,
            version: row.required(2)?,
            purpose: row.required(3)?,
            installation: *row.get::<Uuid>(10)?.ok_or_else(damaged)?.as_bytes(),
        },
        wrapped: Wrapped {
            provider: row.required(4)?,
            kek_ref: row.required(5)?,
            kek_version: row.get(6)?,
            alg: row.required(7)?,
            blob: row.get(8)?.ok_or_else(damaged)?,
        },
        mac: row.get(9)?.ok_or_else(damaged)?,
    })
}

/// What a caller of [`noted`] asks for.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Active(&'a str),
    Version(&'a str, i32),
}

/// What was found for a question in this statement.
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

/// What is noted holds for one statement, one view of the tables, and until anybody changes them.
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

/// Answers from what this statement has looked up already, or looks it up.
fn noted(asked: &Asked<'_>, look_up: impl FnOnce() -> Result<Stored>) -> Result<ActiveKey> {
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
    inval::watch(c"confiture", c"key_version");
    // Taken before the look-up: what changes in between is looked up again.
    let now_is = stamp();
    let generation = now_is.generation;
    if SWEPT.replace(Some(generation)) != Some(generation) {
        sweep()?;
    }
    let (key, handle) = open(look_up()?)?;
    NOTED.with_borrow_mut(|noted| {
        noted.retain(|noted| noted.stamp == now_is && !noted.answers(asked));
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

/// Under the snapshot of the calling statement, so that all of it uses one version even when
/// another session rotates the key in the middle.
fn read(sql: &'static str, args: &[DatumWithOid<'_>]) -> Result<Vec<Stored>> {
    owner::acting_as_owner("confiture", || spi::read_as_caller(sql, args, stored))
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

fn damaged() -> Error {
    Error::new(Kind::Corrupt, "a stored key is not complete")
        .with_detail("Its wrapped bytes, their MAC or the id of the installation are missing.")
        .with_hint("Restore confiture.key_version and confiture.installation from a backup.")
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
