//! Rights at rest: `confiture.token_access`.
//!
//! A role stands there by name, as a dump carries it, and by the number that this server gave it.
//! Here both must be those of one role: who is called like one that was dropped has not its rights.
//! On another server, after a restore or an upgrade, the number says nothing; there a role must have
//! been given EXECUTE by itself, which goes with a role that is dropped, and which a dump carries.

use std::cell::RefCell;

use pgrx::pg_sys::Oid;

use crate::error::Result;
use crate::keys;
use crate::pg::inval::Cached;
use crate::pg::scan::{Key, Lookup, Table};
use crate::pg::snapshot::Snapshot;
use crate::pg::{server, spi, user};
use crate::vault::domain::store::{as_owner, require};

/// Gives a role the tokens of a domain back.
///
/// # Errors
/// 42704 when there is no such domain.
pub fn give(domain: &str, role: &str) -> Result<()> {
    require(domain)?;
    as_owner(|| {
        spi::run(
            "INSERT INTO confiture.token_access
                    (domain, role_name, role_number, server_number, granted_by)
             SELECT $1, r.rolname, r.oid::bigint, $3, $4 FROM pg_catalog.pg_roles r
              WHERE r.rolname::text = $2
             ON CONFLICT (domain, role_name) DO UPDATE
                SET role_number = excluded.role_number, server_number = excluded.server_number,
                    granted_at = excluded.granted_at, granted_by = excluded.granted_by",
            &[
                domain.into(),
                role.into(),
                server::system_identifier().into(),
                user::name(user::caller()).into(),
            ],
        )
    })?;
    Ok(())
}

/// Takes from a role the tokens of one domain, or of all; whether it still has those of another.
///
/// # Errors
/// 42704 when there is no such domain.
pub fn take(domain: Option<&str>, role: &str) -> Result<bool> {
    domain.map_or(Ok(()), require)?;
    as_owner(|| {
        spi::run(
            "DELETE FROM ONLY confiture.token_access
              WHERE role_name = $2 AND ($1 IS NULL OR domain = $1)",
            &[domain.into(), role.into()],
        )?;
        let left = spi::one::<bool>(
            "SELECT EXISTS (SELECT FROM ONLY confiture.token_access WHERE role_name = $1)",
            &[role.into()],
        )?;
        Ok(left == Some(true))
    })
}

const ACCESS: Lookup = Lookup {
    schema: c"confiture",
    table: c"token_access",
    index: Some(c"token_access_pkey"),
    columns: &["role_name", "role_number", "server_number"],
};

/// Whether the role that calls, seen from outside every function, is one that was given the tokens of
/// a domain, itself or by membership; and so is the one whose rights the statement has: the owner of
/// a SECURITY DEFINER function gets nothing by the rights of who calls it. What runs for maintenance
/// is asked for by nobody. A superuser is not excepted: that one can be given it too, on record.
///
/// A right that this very transaction gave does not count yet: its ROLLBACK would take back the
/// record of it.
///
/// # Errors
/// 42P17 when the table is not as it was made.
pub fn may(domain: &str) -> Result<bool> {
    let kept = GIVEN
        .with(|given| Cached::find(given, keys::store::WATCHED, domain, || Given::read(domain)))?;
    let mut roles = Vec::with_capacity(kept.len());
    for given in &*kept {
        roles.extend(given.role("reveal")?);
    }
    Ok(!user::is_maintained()
        && is_given(user::outer(), &roles)?
        && is_given(user::current(), &roles)?)
}

/// Whether a role is one of some, itself or by membership; of a superuser its memberships count.
///
/// # Errors
/// As the interface.
pub fn is_given(caller: Oid, roles: &[Oid]) -> Result<bool> {
    if roles.contains(&caller) {
        return Ok(true);
    }
    if user::is_superuser(caller) {
        return inherits(caller, roles);
    }
    Ok(roles.iter().any(|&role| user::has_rights_of(caller, role)))
}

/// A right as it is stored: whose it is.
pub struct Given {
    /// The role's name.
    pub role_name: String,
    /// The number that it had on the server where the right was given.
    pub role_number: i64,
    /// That server.
    pub server_number: i64,
}

thread_local! {
    static GIVEN: RefCell<Cached<Vec<Given>>> = const { RefCell::new(Cached::NOTHING) };
}

impl Given {
    /// Those of a domain that count; and whether all of them do.
    fn read(domain: &str) -> Result<(Vec<Self>, bool)> {
        let now = Snapshot::latest();
        let rows =
            Table::open(&ACCESS, &now)?.find(&[("domain", Key::Text(domain))], |row, is_own| {
                let given = Self {
                    role_name: row.required(1)?,
                    role_number: row.required(2)?,
                    server_number: row.required(3)?,
                };
                Ok((!is_own).then_some(given))
            })?;
        let count = rows.len();
        let given: Vec<_> = rows.into_iter().flatten().collect();
        let are_all = given.len() == count;
        Ok((given, are_all))
    }

    /// The role that has it here and now; `None` where it is another one of that name, or none. On
    /// another server it must have EXECUTE on `routine`, which goes with a role that is dropped.
    ///
    /// # Errors
    /// As the interface.
    pub fn role(&self, routine: &str) -> Result<Option<Oid>> {
        let Some(role) = user::number(&self.role_name) else {
            return Ok(None);
        };
        let is_same = match self.server_number == server::system_identifier() {
            true => self.role_number == i64::from(role.to_u32()),
            false => was_given_execute(role, routine)?,
        };
        Ok(is_same.then_some(role))
    }
}

/// Whether a role was itself given EXECUTE on a routine of the extension.
fn was_given_execute(role: Oid, routine: &str) -> Result<bool> {
    let found = as_owner(|| {
        spi::read_now(
            "SELECT FROM pg_catalog.pg_proc p, pg_catalog.aclexplode(p.proacl) g
              WHERE p.proname = $2 AND g.grantee = $1 AND g.privilege_type = 'EXECUTE'
                AND EXISTS (
                  SELECT FROM pg_catalog.pg_depend d
                    JOIN pg_catalog.pg_extension e
                      ON e.oid = d.refobjid AND e.extname = 'confiture'
                   WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
                     AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
                     AND d.deptype = 'e')",
            &[role.into(), routine.into()],
            |_| Ok(()),
        )
    })?;
    Ok(!found.is_empty())
}

/// Whether a superuser, whom the server denies no right of anybody, has those of some roles by
/// memberships alone. Since version 16 each membership says whether it is inherited, before
/// that the role does.
fn inherits(caller: Oid, roles: &[Oid]) -> Result<bool> {
    let number = |role: &Oid| i64::from(role.to_u32());
    let found = as_owner(|| {
        spi::read_now(
            "WITH RECURSIVE inherited (role) AS (
               SELECT $1
               UNION
               SELECT m.roleid::bigint FROM inherited i
                 JOIN pg_catalog.pg_roles r ON r.oid::bigint = i.role
                 JOIN pg_catalog.pg_auth_members m ON m.member = r.oid
                WHERE coalesce((pg_catalog.to_jsonb(m) ->> 'inherit_option')::boolean,
                               r.rolinherit))
             SELECT EXISTS (SELECT FROM inherited i WHERE i.role = ANY ($2))",
            &[
                number(&caller).into(),
                roles.iter().map(number).collect::<Vec<_>>().into(),
            ],
            |row| row.required::<bool>(1),
        )
    })?;
    Ok(found.first() == Some(&true))
}
