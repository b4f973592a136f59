//! Where the tables of the target lie, and how often they were written.

use super::Landed;
use crate::error::Result;
use crate::pg::spi;

/// The tables of these names, in their order.
///
/// # Errors
/// As the interface.
pub fn tables(schema: &str, names: &[String]) -> Result<Vec<Landed>> {
    spi::rows(TABLES, &[schema.into(), names.to_vec().into()], |row| {
        Ok(Landed {
            name: row.required(1)?,
            files: row.required(2)?,
            writes: row.required(3)?,
        })
    })
}

const TABLES: &str = "
    SELECT t.name,
           coalesce(pg_catalog.string_agg(
             pg_catalog.concat(p.oid, ':', pg_catalog.pg_relation_filenode(p.oid)), ' '
             ORDER BY p.oid), ''),
           coalesce(pg_catalog.sum(
             pg_catalog.pg_stat_get_xact_tuples_inserted(p.oid)
             OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_updated(p.oid)
             OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_deleted(p.oid)
           ), 0)::pg_catalog.int8
      FROM pg_catalog.unnest($2::pg_catalog.text[]) WITH ORDINALITY AS t (name, place)
      LEFT JOIN pg_catalog.pg_namespace n ON n.nspname OPERATOR(pg_catalog.=) $1
      LEFT JOIN pg_catalog.pg_class c
        ON c.relnamespace OPERATOR(pg_catalog.=) n.oid AND c.relname OPERATOR(pg_catalog.=) t.name
      LEFT JOIN LATERAL (
        SELECT c.oid WHERE c.oid IS NOT NULL
        UNION
        SELECT i.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(c.oid) i
      ) p ON true
     GROUP BY t.name, t.place ORDER BY t.place";
