//! The catalog, read for who decides what runs when a value of a type is made.

use pgrx::pg_sys;

use super::Checked;
use crate::error::Result;
use crate::pg::spi;
use crate::sync::facts::Type;

/// Those of some types, and of what is inside them, that others than superusers decide about.
///
/// # Errors
/// As the interface.
pub fn of(types: &[Type]) -> Result<Vec<Checked>> {
    let types: Vec<_> = types.iter().map(|of| pg_sys::Oid::from(of.oid)).collect();
    spi::rows(CHECKED, &[types.into()], |row| {
        let shown: String = row.required(2)?;
        let owner: String = row.required(4)?;
        Ok(Checked {
            oid: row.required::<pg_sys::Oid>(1)?.to_u32(),
            why: match row.get::<String>(3)? {
                None => format!("Type \"{shown}\" belongs to role \"{owner}\"."),
                Some(used) => {
                    format!("Type \"{shown}\" uses {used}, which belongs to role \"{owner}\".")
                }
            },
        })
    })
}

/// A domain runs its checks, a range its canonical function. What the server brings itself is
/// nobody's to change, and not among what an object depends on.
const CHECKED: &str = "
WITH RECURSIVE used (type, oid) AS (
  SELECT t.oid, t.oid FROM pg_catalog.unnest($1) AS t (oid)
  UNION
  SELECT u.type, more.oid
    FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid
   CROSS JOIN LATERAL (
     SELECT t.typbasetype
     UNION ALL SELECT t.typelem
     UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r
                WHERE t.oid IN (r.rngtypid, r.rngmultitypid)
     UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
     UNION ALL SELECT d.refobjid
       FROM pg_catalog.pg_constraint k
       JOIN pg_catalog.pg_depend d ON d.objid = k.oid
        AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
      WHERE k.contypid = t.oid) AS more (oid)
), code (type, owner, used) AS (
  SELECT u.type, t.typowner, CASE WHEN u.type <> u.oid THEN 'type ' || t.oid::pg_catalog.regtype::text END
    FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid
   WHERE t.typtype = ANY (ARRAY['d', 'r', 'm']::pg_catalog.\"char\"[])
  UNION ALL
  SELECT u.type, p.proowner, 'function ' || p.oid::pg_catalog.regprocedure::text
    FROM used u
    JOIN pg_catalog.pg_constraint k ON k.contypid = u.oid
    JOIN pg_catalog.pg_depend d ON d.objid = k.oid
     AND d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
    LEFT JOIN pg_catalog.pg_operator o ON o.oid = d.refobjid
     AND d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
    JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
      OR p.oid = d.refobjid AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
  UNION ALL
  SELECT u.type, p.proowner, 'function ' || p.oid::pg_catalog.regprocedure::text
    FROM used u
    JOIN pg_catalog.pg_range r ON r.rngtypid = u.oid
    JOIN pg_catalog.pg_proc p ON p.oid = r.rngcanonical
)
SELECT DISTINCT ON (c.type) c.type, pg_catalog.format('%s.%s', n.nspname, t.typname), c.used, r.rolname::text
  FROM code c
  JOIN pg_catalog.pg_roles r ON r.oid = c.owner
  JOIN pg_catalog.pg_type t ON t.oid = c.type
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
 WHERE NOT r.rolsuper
 ORDER BY c.type, c.used NULLS FIRST";
