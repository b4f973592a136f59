//! Rights given and taken by GRANT and REVOKE, with the rights of the caller.

use serde_json::json;

use super::{KINDS, Kind, OF_DOMAIN, SPENDING};
use crate::error::{Error, Kind as Condition, Result};
use crate::ledger::beginning;
use crate::ledger::entry::{Event, Facts};
use crate::ledger::store as ledger;
use crate::pg::{frozen, ident, spi};
use crate::vault::rights;

/// Gives a role what a kind of work needs, and puts that on record.
///
/// # Errors
/// 25006 on a standby; 42501 when the caller has not the rights of the extension's owner; 42704
/// without such a role; as [`ledger::append`].
pub fn grant(kind: &'static Kind, role: &str, domain: Option<&str>) -> Result<()> {
    check(role)?;
    // First of all, for the order of locks.
    let is_recorded = beginning::store::must_record()?;
    let to = ident::quote(role);
    spi::run(&format!("GRANT USAGE ON SCHEMA confiture TO {to}"), &[])?;
    for item in items(kind, role)? {
        spi::run(&format!("GRANT {} TO {to}", item.what), &[])?;
    }
    if let Some(domain) = domain {
        rights::give(domain, role)?;
    }
    record(is_recorded, Event::AccessGranted, kind, role, domain)
}

/// Takes from a role what a kind of work needs, but for what another kind gives that it has wholly,
/// and puts that on record. A revealer loses one domain, or without one every domain and the rest.
///
/// # Errors
/// As [`grant`].
pub fn revoke(kind: &'static Kind, role: &str, domain: Option<&str>) -> Result<()> {
    check(role)?;
    let is_recorded = beginning::store::must_record()?;
    let mut taken = vec![kind];
    if kind.name == OF_DOMAIN.name {
        if rights::take(domain, role)? {
            // Of another domain the role may still have tokens back.
            return record(is_recorded, Event::AccessRevoked, kind, role, domain);
        }
        if domain.is_none() {
            taken.push(&OF_DOMAIN);
        }
    }
    let from = ident::quote(role);
    let mut kept = Vec::new();
    let others = KINDS.iter().chain([&OF_DOMAIN]);
    for other in others.filter(|other| !taken.contains(other)) {
        let items = items(other, role)?;
        if items.iter().all(|item| item.is_held) {
            kept.extend(items.into_iter().map(|item| item.what));
        }
    }
    for kind in taken {
        for item in items(kind, role)? {
            if item.is_held && !kept.contains(&item.what) {
                spi::run(&format!("REVOKE {} FROM {from}", item.what), &[])?;
            }
        }
    }
    if kept.is_empty() {
        spi::run(
            &format!("REVOKE USAGE ON SCHEMA confiture FROM {from}"),
            &[],
        )?;
    }
    record(is_recorded, Event::AccessRevoked, kind, role, domain)
}

fn record(
    is_recorded: bool,
    event: Event,
    kind: &Kind,
    role: &str,
    domain: Option<&str>,
) -> Result<()> {
    if is_recorded {
        let mut details = json!({"kind": kind.name, "role": role});
        if let Some(domain) = domain {
            details["domain"] = domain.into();
        }
        let facts = Facts {
            details: Some(details.into()),
            ..Facts::default()
        };
        ledger::append(event, facts)?;
    }
    Ok(())
}

fn check(role: &str) -> Result<()> {
    frozen::writable()?;
    let found = spi::read(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.rolname::text = $1),
                pg_catalog.pg_has_role(e.extowner, 'USAGE')
           FROM pg_catalog.pg_extension e WHERE e.extname = 'confiture'",
        &[role.into()],
        |row| Ok((row.required::<bool>(1)?, row.required::<bool>(2)?)),
    )?;
    match found.first() {
        Some((false, _)) => Err(Error::new(
            Condition::UndefinedObject,
            format!("role \"{role}\" does not exist"),
        )),
        // GRANT would warn, and give nothing.
        Some((_, false)) | None => Err(Error::new(
            Condition::Permission,
            "permission denied to give or take access",
        )
        .with_detail("That is for superusers and for the owner of the extension.")),
        Some((true, true)) => Ok(()),
    }
}

/// A right, in the words of GRANT and REVOKE.
struct Item {
    what: String,
    /// Whether the role has it by itself, and not by membership.
    is_held: bool,
}

fn items(kind: &Kind, role: &str) -> Result<Vec<Item>> {
    let item = |row: &spi::Row<'_>| {
        Ok(Item {
            what: row.required(1)?,
            is_held: row.required(2)?,
        })
    };
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(|&n| n.to_owned()).collect() };
    let mut items = spi::read(
        ROUTINES,
        &[
            names(kind.functions).into(),
            kind.name.into(),
            role.into(),
            names(SPENDING).into(),
        ],
        item,
    )?;
    items.extend(spi::read(
        RELATIONS,
        &[names(kind.relations).into(), role.into()],
        item,
    )?);
    Ok(items)
}

// What begins with anon_ and lives in our own schema is no mask; what takes one off is for those who
// may see the values.
const ROUTINES: &str = r"
    SELECT pg_catalog.format('EXECUTE ON ROUTINE %I.%I(%s)', n.nspname, p.proname,
                             pg_catalog.pg_get_function_identity_arguments(p.oid)),
           EXISTS (SELECT FROM pg_catalog.aclexplode(p.proacl) a
                     JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
                    WHERE r.rolname = $3::text::name AND a.privilege_type = 'EXECUTE')
      FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_depend d
        ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
       AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
      JOIN pg_catalog.pg_proc p ON p.oid = d.objid
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE e.extname = 'confiture' AND p.proname::text LIKE ANY ($1)
       AND (p.proname::text NOT LIKE 'anon\_%' OR n.nspname <> 'confiture')
       AND ($2 <> 'masker' OR p.proname::text NOT LIKE ALL ($4))
       AND ($2 = 'revealer'
            OR p.proname::text NOT LIKE 'anon\_%\_decrypt' AND p.proname <> 'anon_detokenize')
     ORDER BY 1";

const RELATIONS: &str = "
    SELECT pg_catalog.format('SELECT ON confiture.%I', c.relname),
           EXISTS (SELECT FROM pg_catalog.aclexplode(c.relacl) a
                     JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
                    WHERE r.rolname = $2::text::name AND a.privilege_type = 'SELECT')
      FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'confiture' AND c.relname::text = ANY ($1)
     ORDER BY 1";
