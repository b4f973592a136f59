//! Readers, as the catalog has them.

use super::admission::{Admission, Rule};
use crate::compliance::inventory::Inventory;
use crate::error::Result;
use crate::pg::spi;

/// Whom the server lets in without encryption, as its file is now: what it has loaded may be older.
///
/// # Errors
/// As the interface.
pub fn admission() -> Result<Admission> {
    let may = spi::read(MAY_READ_RULES, &[], |row| row.required::<bool>(1))?;
    if may.first() != Some(&true) {
        return Ok(Admission::Unseen);
    }
    let rules = spi::read(RULES, &[], |row| {
        Ok(Rule {
            line: row.required(1)?,
            kind: row.required(2)?,
            is_of_all: row.required(3)?,
            address: row.required(4)?,
            netmask: row.required(5)?,
            method: row.required(6)?,
            is_wrong: row.required(7)?,
        })
    })?;
    Ok(Admission::of(&rules))
}

const MAY_READ_RULES: &str = "
    SELECT pg_catalog.has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE')";

const RULES: &str = "
    SELECT coalesce(r.line_number, 0), coalesce(r.type, ''),
           coalesce(r.database = ARRAY['all'] AND r.user_name = ARRAY['all'], false),
           coalesce(r.address, ''), coalesce(r.netmask, ''), coalesce(r.auth_method, ''),
           r.error IS NOT NULL
      FROM pg_catalog.pg_hba_file_rules() WITH ORDINALITY AS r ORDER BY r.ordinality";

/// Roles that may read personal columns, superusers and the owners themselves aside: role, schema, and
/// table or view.
///
/// # Errors
/// As the interface.
pub fn readers(inventory: &Inventory) -> Result<Vec<(String, String, String)>> {
    let (mut schemas, mut tables, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    for column in inventory.personal() {
        schemas.push(column.schema.clone());
        tables.push(column.table.clone());
        columns.push(column.name.clone());
    }
    if schemas.is_empty() {
        return Ok(Vec::new());
    }
    let args = [schemas.into(), tables.into(), columns.into()];
    spi::read(READERS, &args, |row| {
        Ok((row.required(1)?, row.required(2)?, row.required(3)?))
    })
}

// A view shows what its owner may read, unless it was made to go by the rights of who reads it. One that
// names no column of a table may show them all. Masked views show no originals.
const READERS: &str = "
    WITH RECURSIVE personal AS (
      SELECT c.oid, a.attnum
        FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]),
                        pg_catalog.unnest($3::text[])) AS w (s, t, f)
        JOIN pg_catalog.pg_namespace n ON n.nspname = w.s::name
        JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.t::name
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = w.f::name
    ), uses AS (
      SELECT DISTINCT v.oid AS view, d.refobjid AS relation, d.refobjsubid AS attnum
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
        JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm')
       WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
         AND d.refobjid <> v.oid
         AND NOT EXISTS (SELECT FROM pg_catalog.pg_options_to_table(v.reloptions) o
                          WHERE o.option_name = 'security_invoker' AND o.option_value::boolean)
         AND NOT EXISTS (SELECT FROM confiture.masked_views m
                           JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema_name
                          WHERE n.oid = v.relnamespace AND m.view_name = v.relname)
    ), shown AS (
      SELECT DISTINCT p.oid FROM personal p
      UNION
      SELECT u.view FROM uses u
        JOIN personal p ON p.oid = u.relation AND (u.attnum = 0 OR u.attnum = p.attnum)
    ), reached AS (
      SELECT s.oid FROM shown s
      UNION
      SELECT u.view FROM reached s JOIN uses u ON u.relation = s.oid
       WHERE NOT EXISTS (SELECT FROM personal p WHERE p.oid = s.oid)
    ), granted AS (
      SELECT c.oid, a.grantee
        FROM reached s JOIN pg_catalog.pg_class c ON c.oid = s.oid
       CROSS JOIN LATERAL (
             SELECT x.grantee FROM pg_catalog.aclexplode(c.relacl) x
              WHERE x.privilege_type = 'SELECT'
             UNION
             SELECT x.grantee FROM pg_catalog.pg_attribute t, pg_catalog.aclexplode(t.attacl) x
              WHERE t.attrelid = c.oid AND x.privilege_type = 'SELECT'
             UNION
             SELECT c.relowner
             UNION
             -- Who reads everything has no word in any table.
             SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = 'pg_read_all_data') a
    ), holders AS (
      -- Whoever belongs to a role that may read may read, or may become it.
      SELECT g.grantee, r.oid, r.rolname
        FROM (SELECT DISTINCT grantee FROM granted) g
        JOIN pg_catalog.pg_roles r
          ON r.oid = g.grantee
          OR NOT r.rolsuper AND pg_catalog.pg_has_role(r.oid, g.grantee, 'MEMBER')
       WHERE g.grantee <> 0::oid AND r.rolname <> 'pg_read_all_data'
    )
    SELECT DISTINCT coalesce(h.rolname::text, 'PUBLIC'), n.nspname::text, c.relname::text
      FROM granted g
      JOIN pg_catalog.pg_class c ON c.oid = g.oid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN holders h ON h.grantee = g.grantee
     WHERE (g.grantee = 0::oid OR h.oid IS NOT NULL) AND h.oid IS DISTINCT FROM c.relowner
     ORDER BY 1, 2, 3";
