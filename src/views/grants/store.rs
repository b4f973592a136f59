//! Rights to read, given and taken with the rights of the caller.

use pgrx::pg_sys;

use super::Grant;
use crate::error::Result;
use crate::pg::{ident, spi};

/// Who may read a relation, or columns of it, beside its owner; and whether it is the owner that
/// lets him.
///
/// # Errors
/// As the interface.
pub fn of(relation: pg_sys::Oid) -> Result<Vec<(Grant, bool)>> {
    spi::rows(
        "SELECT CASE WHEN a.grantee <> 0::pg_catalog.oid
                     THEN pg_catalog.pg_get_userbyid(a.grantee)::text END,
                a.attname::text, o.is_option, pg_catalog.bool_or(a.grantor = a.relowner)
           FROM (SELECT c.relowner, NULL::name AS attname, x.*
                   FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x WHERE c.oid = $1
                 UNION ALL
                 SELECT c.relowner, t.attname, x.*
                   FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped,
                        pg_catalog.aclexplode(t.attacl) x WHERE c.oid = $1 AND t.attnum > 0) a
           JOIN (VALUES (false), (true)) AS o (is_option) ON a.is_grantable OR NOT o.is_option
          WHERE a.privilege_type = 'SELECT' AND a.grantee <> a.relowner
          GROUP BY 1, 2, 3 ORDER BY 3, 1 NULLS FIRST, 2",
        &[relation.into()],
        |row| {
            let grant = Grant {
                role: row.get(1)?,
                column: row.get(2)?,
                is_option: row.required(3)?,
            };
            Ok((grant, row.required(4)?))
        },
    )
}

/// Gives these rights on a view.
///
/// # Errors
/// As GRANT.
pub fn give<'a>(view: &str, grants: impl IntoIterator<Item = &'a Grant>) -> Result<()> {
    for grant in grants {
        let (column, role) = (column(grant), role(grant));
        let option = match grant.is_option {
            true => " WITH GRANT OPTION",
            false => "",
        };
        spi::run(
            &format!("GRANT SELECT{column} ON {view} TO {role}{option}"),
            &[],
        )?;
    }
    Ok(())
}

/// Takes these rights on a view away, with what was passed on by them.
///
/// # Errors
/// As REVOKE.
pub fn take(view: &str, grants: &[Grant]) -> Result<()> {
    for grant in grants {
        let (column, role) = (column(grant), role(grant));
        let option = match grant.is_option {
            true => "GRANT OPTION FOR ",
            false => "",
        };
        spi::run(
            &format!("REVOKE {option}SELECT{column} ON {view} FROM {role} CASCADE"),
            &[],
        )?;
    }
    Ok(())
}

fn role(grant: &Grant) -> String {
    let quoted = grant.role.as_deref().map(ident::quote);
    quoted.unwrap_or_else(|| "PUBLIC".to_owned())
}

fn column(grant: &Grant) -> String {
    let quoted = |column| format!(" ({})", ident::quote(column));
    grant.column.as_deref().map(quoted).unwrap_or_default()
}

/// Lets those who may read a view name it, where the schema is the caller's to give.
///
/// # Errors
/// As the interface.
pub fn open_schema(schema: &str, grants: &[Grant]) -> Result<()> {
    let is_ours = spi::one::<bool>(
        "SELECT pg_catalog.pg_has_role(n.nspowner, 'USAGE')
           FROM pg_catalog.pg_namespace n WHERE n.nspname = $1",
        &[schema.into()],
    )?;
    if is_ours == Some(true) {
        for grant in grants {
            let schema = ident::quote(schema);
            spi::run(
                &format!("GRANT USAGE ON SCHEMA {schema} TO {}", role(grant)),
                &[],
            )?;
        }
    }
    Ok(())
}
