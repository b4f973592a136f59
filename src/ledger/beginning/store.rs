//! Whether the log has begun, and what stands when it does.

use serde_json::{Map, Value, json};

use crate::error::{Error, Kind, Result};
use crate::ledger::entry::Facts;
use crate::ledger::json::Json;
use crate::ledger::signing;
use crate::pg::{frozen, owner, spi, user};
use crate::settings;

/// Whether an act that needs no key is put on record: it is, unless there is neither a key that
/// signs nor an entry yet. Then the first entry will name what it has left: see [`found`].
///
/// Whoever makes the first key waits from here on until this transaction has ended.
///
/// # Errors
/// 25006 on a standby; as [`asked_for`]; as the interface.
pub fn must_record() -> Result<bool> {
    frozen::writable()?;
    asked_for()?;
    if settings::allow_unsigned() || has_begun()? {
        return Ok(true);
    }
    owner::acting_as_owner("confiture", || {
        // Behind whoever is just making the first key, and before whoever is about to.
        spi::run(
            "LOCK TABLE ONLY confiture.key_version IN ROW EXCLUSIVE MODE",
            &[],
        )
    })?;
    has_begun()
}

/// Refuses an act on record that nobody asked for: an expression of an index that is analyzed, a
/// query of a materialized view that is refreshed. The record would name whoever maintains it.
///
/// # Errors
/// 42501 there.
pub fn asked_for() -> Result<()> {
    if user::is_maintained() {
        return Err(Error::new(
            Kind::Permission,
            "an act on record cannot be part of the maintenance of an object",
        )
        .with_detail(
            "Code of the owner of an index, a view or a table runs here, and whoever maintains the \
             object did not ask for the act.",
        ));
    }
    Ok(())
}

fn has_begun() -> Result<bool> {
    Ok(signing::store::has_key()? || signing::store::last_signer()?.is_some())
}

/// Adds to the facts of the first entry what stands when the log begins: profiles, hooks, and roles
/// that may call functions of the extension. Runs as the owner already.
///
/// # Errors
/// As the interface.
pub fn found(facts: &mut Facts) -> Result<()> {
    let profiles = spi::read_now(
        "SELECT name, version, pg_catalog.encode(profile_hash, 'hex')
           FROM ONLY confiture.profile ORDER BY id",
        &[],
        |row| {
            let (name, version): (String, String) = (row.required(1)?, row.required(2)?);
            Ok(json!({"name": name, "version": version, "hash": row.required::<String>(3)?}))
        },
    )?;
    let name = |row: &spi::Row<'_>| Ok(Value::String(row.required::<String>(1)?));
    let hooks = spi::read_now(HOOKS, &[], name)?;
    let roles = spi::read_now(ROLES, &[], name)?;
    let mut found = Map::new();
    for (what, list) in [("profiles", profiles), ("hooks", hooks), ("roles", roles)] {
        if !list.is_empty() {
            found.insert(what.to_owned(), Value::Array(list));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    let more = Map::from_iter([("found".to_owned(), Value::Object(found))]);
    facts.details = Some(Json::merged(facts.details.take(), more));
    Ok(())
}

const HOOKS: &str = "
    SELECT DISTINCT pg_catalog.format('%I.%I', schema_name, function_name)
      FROM ONLY confiture.hook ORDER BY 1";

// What masked views call is given to everybody by the script, and says nothing of anybody.
const ROLES: &str = "
    SELECT DISTINCT coalesce(r.rolname::text, 'public')
      FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_depend d
        ON d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
       AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'e'
      JOIN pg_catalog.pg_proc p ON p.oid = d.objid
     CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) a
      LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
     WHERE e.extname = 'confiture' AND a.grantee <> p.proowner
       AND NOT (a.grantee = 0::oid AND p.proname = '_mask_row')
     ORDER BY 1";
