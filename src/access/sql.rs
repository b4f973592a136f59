//! What SQL sees of access.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

use super::{KINDS, Kind, OF_DOMAIN, store};
use crate::error::{Error, Kind as Condition, Result, given};

/// Gives a role what a kind of work needs; of kind revealer with a domain, the tokens of it back.
/// On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn grant_access(
    kind: Option<&str>,
    role: Option<&str>,
    domain: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let (kind, role) = asked(kind, role, domain)?;
    Ok(store::grant(kind, role, domain)?)
}

/// Takes from a role what a kind of work needs, but for what it has by another kind. On record.
#[pg_extern(schema = "confiture", volatile, parallel_unsafe)]
#[search_path(pg_catalog, pg_temp)]
fn revoke_access(
    kind: Option<&str>,
    role: Option<&str>,
    domain: default!(Option<&str>, "NULL"),
) -> Result<(), ErrorReport> {
    let (kind, role) = asked(kind, role, domain)?;
    Ok(store::revoke(kind, role, domain)?)
}

fn asked<'a>(
    kind: Option<&str>,
    role: Option<&'a str>,
    domain: Option<&str>,
) -> Result<(&'static Kind, &'a str)> {
    let (name, role) = (given("kind", kind)?, given("role", role)?);
    let kind = KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
        let names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
        Error::new(
            Condition::InvalidParameter,
            format!("unrecognized kind of access \"{name}\""),
        )
        .with_hint(format!("Available kinds are {}.", names.join(", ")))
    })?;
    match domain {
        None => Ok((kind, role)),
        Some(_) if kind.name == OF_DOMAIN.name => Ok((&OF_DOMAIN, role)),
        Some(_) => Err(Error::new(
            Condition::InvalidParameter,
            format!("access of kind \"{name}\" has no domain"),
        )
        .with_hint("Who reveals tokens is given one domain after the other, by kind revealer.")),
    }
}
