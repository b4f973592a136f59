//! What SQL sees of the strategies: one function per strategy and type, `anon_…`.
//!
//! NULL in, NULL out. A keyed mask uses the active masking key, or the version that `key_version`
//! names, so it is STABLE, and PARALLEL RESTRICTED because a worker would have to ask the provider
//! for the key again. The mask is made
//! once per call site; per row there is the keyed function and nothing else.

use pgrx::datum::Uuid;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{Kind, Mask, Params, Seed, Strategy, Value, ValueType};
use crate::error::{self, Error, Result, given};
use crate::keys::{self, Use, subkey};
use crate::pg::callsite;

type Call = pg_sys::FunctionCallInfo;

/// A keyed digest of a text: `prefix` and `length` hexadecimal digits (4 bits each).
#[pg_extern(stable, parallel_restricted)]
#[allow(
    clippy::too_many_arguments,
    reason = "each is an argument of the SQL function"
)]
fn anon_hash(
    value: Option<&str>,
    seed: default!(Option<i64>, 0),
    algorithm: default!(Option<&str>, "'sha256'"),
    length: default!(Option<i32>, 20),
    prefix: default!(Option<&str>, "''"),
    canonical: default!(Option<&str>, "'exact'"),
    key_version: default!(Option<i32>, "NULL"),
    fcinfo: Call,
) -> Result<Option<String>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let args = [
        ("algorithm", algorithm.map(Arg::Text)),
        ("length", length.map(Arg::Int)),
        ("prefix", prefix.map(Arg::Text)),
        ("canonical", canonical.map(Arg::Text)),
    ];
    Ok(Some(
        site(fcinfo, Kind::Hash, seed, key_version, &args)?
            .text(value)?
            .into_owned(),
    ))
}

/// A keyed digest of a byte string: the first `length` hexadecimal digits of it, as bytes.
#[pg_extern(name = "anon_hash", stable, parallel_restricted)]
fn anon_hash_bytea(
    value: Option<&[u8]>,
    seed: default!(Option<i64>, 0),
    algorithm: default!(Option<&str>, "'sha256'"),
    length: default!(Option<i32>, 20),
    key_version: default!(Option<i32>, "NULL"),
    fcinfo: Call,
) -> Result<Option<Vec<u8>>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let args = [
        ("algorithm", algorithm.map(Arg::Text)),
        ("length", length.map(Arg::Int)),
    ];
    Ok(Some(
        site(fcinfo, Kind::Hash, seed, key_version, &args)?.bytes(value)?,
    ))
}

/// A keyed digest of a uuid, as a uuid of version 8 (RFC 9562 §5.8).
#[pg_extern(name = "anon_hash", stable, parallel_restricted)]
fn anon_hash_uuid(
    value: Option<Uuid>,
    seed: default!(Option<i64>, 0),
    key_version: default!(Option<i32>, "NULL"),
    fcinfo: Call,
) -> Result<Option<Uuid>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let masked = site(fcinfo, Kind::Hash, seed, key_version, &[])?.uuid(*value.as_bytes())?;
    Ok(Some(Uuid::from_bytes(masked)))
}

/// Declares a mask of an integer type: the output has the same type.
macro_rules! integer_mask {
    ($(#[$doc:meta])* $name:ident, $sql:literal, $kind:expr, $type:ident, $width:expr) => {
        $(#[$doc])*
        #[pg_extern(name = $sql, stable, parallel_restricted)]
        fn $name(
            value: Option<$type>,
            seed: default!(Option<i64>, 0),
            key_version: default!(Option<i32>, "NULL"),
            fcinfo: Call,
        ) -> Result<Option<$type>, ErrorReport> {
            let Some(value) = value else { return Ok(None) };
            let masked = site(fcinfo, $kind, seed, key_version, &[])?.int(value.into(), $width)?;
            Ok(Some(narrow(masked)?))
        }
    };
}

integer_mask!(
    /// A keyed number from 0 to 32767.
    anon_hash_int2, "anon_hash", Kind::Hash, i16, ValueType::Int16
);
integer_mask!(
    /// A keyed number from 0 to 2147483647.
    anon_hash_int4, "anon_hash", Kind::Hash, i32, ValueType::Int32
);
integer_mask!(
    /// A keyed number from 0 to 9223372036854775807.
    anon_hash_int8, "anon_hash", Kind::Hash, i64, ValueType::Int64
);
integer_mask!(
    /// Another number of as many digits.
    anon_phone_int4, "anon_phone", Kind::Phone, i32, ValueType::Int32
);
integer_mask!(
    /// Another number of as many digits.
    anon_phone_int8, "anon_phone", Kind::Phone, i64, ValueType::Int64
);

/// An address at a reserved domain that stands for the given one, whatever its case.
#[pg_extern(stable, parallel_restricted)]
fn anon_email(
    value: Option<&str>,
    seed: default!(Option<i64>, 0),
    preserve_domain: default!(Option<bool>, "false"),
    hash_length: default!(Option<i32>, 20),
    format: default!(Option<&str>, "'user_{hash}@example.com'"),
    key_version: default!(Option<i32>, "NULL"),
    fcinfo: Call,
) -> Result<Option<String>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let args = [
        ("preserve_domain", preserve_domain.map(Arg::Bool)),
        ("hash_length", hash_length.map(Arg::Int)),
        ("format", format.map(Arg::Text)),
    ];
    Ok(Some(
        site(fcinfo, Kind::Email, seed, key_version, &args)?
            .text(value)?
            .into_owned(),
    ))
}

/// Other digits in the notation of the given number.
#[pg_extern(stable, parallel_restricted)]
fn anon_phone(
    value: Option<&str>,
    seed: default!(Option<i64>, 0),
    preserve_country_code: default!(Option<bool>, "false"),
    key_version: default!(Option<i32>, "NULL"),
    fcinfo: Call,
) -> Result<Option<String>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let args = [(
        "preserve_country_code",
        preserve_country_code.map(Arg::Bool),
    )];
    Ok(Some(
        site(fcinfo, Kind::Phone, seed, key_version, &args)?
            .text(value)?
            .into_owned(),
    ))
}

/// A constant in place of a text, or one character per character. It takes a seed as every mask
/// does; a constant has no use for it.
#[pg_extern(immutable, parallel_safe)]
fn anon_redact(
    value: Option<&str>,
    seed: default!(Option<i64>, 0),
    style: default!(Option<&str>, "'constant'"),
    replacement: default!(Option<&str>, "NULL"),
    fcinfo: Call,
) -> Result<Option<String>, ErrorReport> {
    let Some(value) = value else { return Ok(None) };
    let mut args = vec![("style", style.map(Arg::Text))];
    // Its default depends on the style, so that NULL means: the default.
    if replacement.is_some() {
        args.push(("replacement", replacement.map(Arg::Text)));
    }
    Ok(Some(
        site(fcinfo, Kind::Redact, seed, None, &args)?
            .text(value)?
            .into_owned(),
    ))
}

/// 0 in place of a number.
#[pg_extern(name = "anon_redact", immutable, parallel_safe)]
fn anon_redact_int2(value: Option<i16>, seed: default!(Option<i64>, 0)) -> Option<i16> {
    let _ = seed;
    value.map(|_| 0)
}

/// 0 in place of a number.
#[pg_extern(name = "anon_redact", immutable, parallel_safe)]
fn anon_redact_int4(value: Option<i32>, seed: default!(Option<i64>, 0)) -> Option<i32> {
    let _ = seed;
    value.map(|_| 0)
}

/// 0 in place of a number.
#[pg_extern(name = "anon_redact", immutable, parallel_safe)]
fn anon_redact_int8(value: Option<i64>, seed: default!(Option<i64>, 0)) -> Option<i64> {
    let _ = seed;
    value.map(|_| 0)
}

/// The nil uuid (RFC 9562 §5.9) in place of a uuid.
#[pg_extern(name = "anon_redact", immutable, parallel_safe)]
fn anon_redact_uuid(value: Option<Uuid>, seed: default!(Option<i64>, 0)) -> Option<Uuid> {
    let _ = seed;
    value.map(|_| Uuid::from_bytes([0; 16]))
}

/// The empty string in place of a byte string.
#[pg_extern(name = "anon_redact", immutable, parallel_safe)]
fn anon_redact_bytea(value: Option<&[u8]>, seed: default!(Option<i64>, 0)) -> Option<Vec<u8>> {
    let _ = seed;
    value.map(|_| Vec::new())
}

/// An argument as it arrives, for comparing without copying.
#[derive(Clone, Copy)]
enum Arg<'a> {
    Bool(bool),
    Int(i32),
    Text(&'a str),
}

impl Arg<'_> {
    fn value(self) -> Value {
        match self {
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value.into()),
            Self::Text(value) => Value::Text(value.to_owned()),
        }
    }

    fn is(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Bool(a), Value::Bool(b)) => a == *b,
            (Self::Int(a), Value::Int(b)) => i64::from(a) == *b,
            (Self::Text(a), Value::Text(b)) => a == b,
            _ => false,
        }
    }
}

struct Site {
    seed: i64,
    key_version: Option<i32>,
    args: Vec<Value>,
    /// A function look-up can outlive a statement (PL/pgSQL keeps expressions for a transaction),
    /// and a key can be rotated within one: the active key may be another one then.
    stamp: keys::store::Stamp,
    mask: Mask,
}

/// The mask of this call site, made anew when an argument, the statement or a key changes.
fn site(
    fcinfo: Call,
    kind: Kind,
    seed: Option<i64>,
    key_version: Option<i32>,
    args: &[(&str, Option<Arg<'_>>)],
) -> Result<&'static Mask> {
    let stamp = keys::store::stamp();
    let same = |site: &Site| {
        site.stamp == stamp
            && Some(site.seed) == seed
            && site.key_version == key_version
            && site.args.len() == args.len()
            && site
                .args
                .iter()
                .zip(args)
                .all(|(kept, (_, arg))| arg.is_some_and(|arg| arg.is(kept)))
    };
    let make = || {
        let seed = given("seed", seed)?;
        let mut params = Params::new();
        let mut kept = Vec::with_capacity(args.len());
        for (name, arg) in args {
            let value = given(name, *arg)?.value();
            kept.push(value.clone());
            params.insert((*name).to_owned(), value);
        }
        let strategy = Strategy::new(kind, &params)?;
        let mask = if strategy.properties().keyed {
            let key = match key_version {
                Some(version) => keys::store::version_for(keys::MASKING, version)?,
                None => keys::store::active(keys::MASKING)?,
            };
            strategy.mask(subkey(&key.secret, Use::Masking).expose(), Seed::new(seed))
        } else {
            // A strategy without a key ignores it.
            strategy.mask(&[0; keys::KEY_LEN], Seed::new(seed))
        };
        keys::scrub();
        Ok(Site {
            seed,
            key_version,
            args: kept,
            // As it is now: looking the key up may have taken in news of it.
            stamp: keys::store::stamp(),
            mask,
        })
    };
    callsite::state(fcinfo, same, make).map(|site| &site.mask)
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T> {
    T::try_from(value).map_err(|_| {
        Error::new(
            error::Kind::Internal,
            "a masked number does not fit its type",
        )
    })
}
