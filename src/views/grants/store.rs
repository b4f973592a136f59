//! Rights to read, carried from one relation to another with the rights of the caller.

use pgrx::pg_sys;

use crate::error::Result;
use crate::pg::{ident, spi};
use crate::sync::plan::TablePlan;

/// A right to read.
pub struct Grant {
    /// As written.
    role: String,
    column: Option<String>,
    may_give: bool,
}

/// Who may read a relation, or columns of it, beside its owner.
///
/// # Errors
/// As the interface.
pub fn of(relation: pg_sys::Oid) -> Result<Vec<Grant>> {
    spi::rows(
        "SELECT CASE a.grantee WHEN 0::pg_catalog.oid THEN 'PUBLIC'
                     ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(a.grantee)::text) END,
                a.attname::text, a.is_grantable
           FROM (SELECT c.relowner, NULL::name AS attname, x.grantee, x.privilege_type, x.is_grantable
                   FROM pg_catalog.pg_class c, pg_catalog.aclexplode(c.relacl) x WHERE c.oid = $1
                 UNION ALL
                 SELECT c.relowner, t.attname, x.grantee, x.privilege_type, x.is_grantable
                   FROM pg_catalog.pg_class c
                   JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND NOT t.attisdropped,
                        pg_catalog.aclexplode(t.attacl) x WHERE c.oid = $1 AND t.attnum > 0) a
          WHERE a.privilege_type = 'SELECT' AND a.grantee <> a.relowner ORDER BY 1, 2",
        &[relation.into()],
        |row| {
            Ok(Grant {
                role: row.required(1)?,
                column: row.get(2)?,
                may_give: row.required(3)?,
            })
        },
    )
}

/// Gives these rights on a view, as far as it has the columns.
///
/// # Errors
/// As GRANT.
pub fn give(view: &str, grants: &[Grant], table: &TablePlan) -> Result<()> {
    for grant in grants {
        let column = match &grant.column {
            Some(column) if table.columns.iter().any(|of| of.name == *column) => {
                format!(" ({})", ident::quote(column))
            }
            Some(_) => continue,
            None => String::new(),
        };
        let rest = match grant.may_give && grant.role != "PUBLIC" {
            true => " WITH GRANT OPTION",
            false => "",
        };
        spi::run(
            &format!("GRANT SELECT{column} ON {view} TO {}{rest}", grant.role),
            &[],
        )?;
    }
    Ok(())
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
                &format!("GRANT USAGE ON SCHEMA {schema} TO {}", grant.role),
                &[],
            )?;
        }
    }
    Ok(())
}
