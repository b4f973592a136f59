//! Rights at rest: `confiture.token_access`.
//!
//! A role stands there by name, as a dump carries it, and by the number that this server gave it.
//! Here both must be those of one role: who is called like one that was dropped has not its rights.
//! On another server, after a restore or an upgrade, the number says nothing; there a role must have
//! been given EXECUTE by itself, which goes with a role that is dropped, and which a dump carries.

use pgrx::pg_sys::Oid;

use crate::error::Result;
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
                user::name(user::outer()).into(),
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

/// Whether the role that calls, seen from outside every function, is one of those given, itself or
/// by membership; and so is the one whose rights the statement has: the owner of a SECURITY DEFINER
/// function gets nothing by the rights of who calls it. What runs for maintenance is asked for by
/// nobody. A superuser is not excepted: that one can be given it too, on record.
pub fn may(roles: &[Oid]) -> bool {
    let given = |caller| roles.iter().any(|&role| user::is_member(caller, role));
    !user::is_maintained() && given(user::outer()) && given(user::current())
}
