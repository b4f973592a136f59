//! The catalog, read for a run; the tables of runs, and the fixed statements of one.
//!
//! Definitions are read with the search path set to the schema they come from, so that its own
//! names come out unqualified; everything executed here is qualified, and operators meet operands
//! of exactly their types, so that nothing planted in that schema can take part.

use pgrx::JsonB;
use pgrx::datum::DatumWithOid;
use serde::de::DeserializeOwned;

use super::facts::{Code, Schema, Side, Table};
use crate::error::{Error, Kind, Result};
use crate::pg::{guc, ident, owner, spi};

/// Reads one side of a run: the schema, the given tables with their partitions, their types.
///
/// # Errors
/// XX000 when the interface fails.
pub fn side(schema: &str, tables: &[String]) -> Result<Side> {
    let path = format!("pg_catalog, {}, pg_temp", ident::quote(schema));
    guc::with(&[("search_path", &path)], || {
        let found: Vec<Schema> = documents(SCHEMA, &[schema.into()])?;
        let tables: Vec<Table> = documents(TABLES, &[schema.into(), tables.to_vec().into()])?;
        // The schema's own types too: the target may have them before it has a table.
        let mut types: Vec<i64> = spi::rows(OWN_TYPES, &[schema.into()], |row| row.required(1))?;
        types.extend(
            tables
                .iter()
                .flat_map(|table| table.columns.iter().map(|c| i64::from(c.type_oid))),
        );
        Ok(Side {
            schema: found.into_iter().next(),
            types: documents(TYPES, &[types.into()])?,
            names: spi::rows(NAMES, &[schema.into()], |row| row.required(1))?,
            made: made(schema)?,
            tables,
        })
    })
}

/// The code in these tables and types that a run would execute.
///
/// # Errors
/// XX000 when the interface fails.
pub fn code(tables: &[u32], types: &[u32], triggers_of: &[u32]) -> Result<Vec<Code>> {
    let numbers = |oids: &[u32]| oids.iter().map(|oid| i64::from(*oid)).collect::<Vec<_>>();
    documents(
        CODE,
        &[
            numbers(tables).into(),
            numbers(types).into(),
            numbers(triggers_of).into(),
        ],
    )
}

/// What may go wrong before a schema can be made: `None` when the caller may create one.
///
/// # Errors
/// XX000 when the interface fails.
pub fn may_create_schema() -> Result<bool> {
    Ok(spi::one::<bool>(
        "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
        &[],
    )?
    .unwrap_or(false))
}

/// Objects of `schema` that still lead to `other`: what a copy must not have.
///
/// # Errors
/// XX000 when the interface fails.
pub fn ties(schema: &str, other: &str) -> Result<Vec<String>> {
    spi::rows(TIES, &[schema.into(), other.into()], |row| row.required(1))
}

/// Puts tables on the list of those that runs made, for the next run to know them.
///
/// # Errors
/// XX000 when the interface fails.
pub fn remember(schema: &str, tables: &[String], made_by: &str) -> Result<()> {
    owner::acting_as_owner("confiture", || {
        spi::run(
            "INSERT INTO confiture.target_table (schema_name, table_name, made_by)
             SELECT $1, t, $3 FROM pg_catalog.unnest($2::text[]) AS t
             ON CONFLICT DO NOTHING",
            &[schema.into(), tables.to_vec().into(), made_by.into()],
        )?;
        Ok(())
    })
}

/// Whether a literal is valid input of a type.
///
/// # Errors
/// The server's own error, to be caught in a subtransaction.
pub fn try_literal(expression: &str) -> Result<()> {
    spi::run(&format!("SELECT {expression}"), &[])?;
    Ok(())
}

fn made(schema: &str) -> Result<Vec<String>> {
    owner::acting_as_owner("confiture", || {
        spi::read(
            "SELECT table_name FROM confiture.target_table WHERE schema_name = $1",
            &[schema.into()],
            |row| row.required(1),
        )
    })
}

fn documents<T: DeserializeOwned>(sql: &str, args: &[DatumWithOid<'_>]) -> Result<Vec<T>> {
    spi::rows(sql, args, |row| {
        let JsonB(document) = row.required(1)?;
        serde_json::from_value(document).map_err(|error| {
            Error::new(Kind::Internal, "the catalog has an unexpected shape")
                .with_detail(format!("{error}."))
        })
    })
}

/// Whether a role is trusted by the caller: it is the caller, a superuser, or a member of the
/// caller already (an explicit membership, as superusers were dealt with before).
macro_rules! trusted {
    ($role:literal) => {
        concat!(
            "(",
            $role,
            " = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)",
            " OR EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = ",
            $role,
            " AND r.rolsuper)",
            " OR pg_catalog.pg_has_role(",
            $role,
            ",",
            " (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user), 'MEMBER'))"
        )
    };
}

const SCHEMA: &str = concat!(
    "SELECT pg_catalog.jsonb_build_object(
       'name', n.nspname,
       'usage', pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       'create', pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       'strangers', coalesce((
         SELECT pg_catalog.jsonb_agg(DISTINCT
                  CASE WHEN w.role = 0::pg_catalog.oid THEN 'PUBLIC'
                       ELSE pg_catalog.pg_get_userbyid(w.role)::text END)
           FROM (SELECT o.role FROM (SELECT CASE
                          -- The owner of the database stands behind this role.
                          WHEN n.nspowner = 6171::pg_catalog.oid
                          THEN (SELECT d.datdba FROM pg_catalog.pg_database d
                                 WHERE d.datname = pg_catalog.current_database())
                          ELSE n.nspowner END AS role) o
                 UNION
                 SELECT a.grantee FROM pg_catalog.aclexplode(n.nspacl) a
                  WHERE a.privilege_type = 'CREATE' AND a.grantee <> 6171::pg_catalog.oid) w
          WHERE w.role = 0::pg_catalog.oid OR NOT ",
    trusted!("w.role"),
    "), '[]'::pg_catalog.jsonb))
       FROM pg_catalog.pg_namespace n WHERE n.nspname = $1"
);

const NAMES: &str = "
    SELECT c.relname::text FROM pg_catalog.pg_class c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relkind = ANY (ARRAY['r', 'p', 'f']::pg_catalog.\"char\"[])
       AND NOT c.relispartition ORDER BY 1";

const TABLES: &str = "
WITH RECURSIVE tree AS (
  SELECT c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
     AND c.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']::pg_catalog.\"char\"[])
  UNION
  SELECT i.inhrelid FROM tree t
    JOIN pg_catalog.pg_class p ON p.oid = t.oid AND p.relkind = 'p'
    JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
)
SELECT pg_catalog.jsonb_build_object(
  'oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
  'owner', pg_catalog.pg_get_userbyid(c.relowner),
  'owned', pg_catalog.pg_has_role(c.relowner, 'MEMBER'),
  'can_select', pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
  'row_security', pg_catalog.row_security_active(c.oid),
  'inheritance', NOT c.relispartition AND c.relkind <> 'p'
     AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid OR i.inhparent = c.oid),
  'rows', CASE WHEN c.relkind = 'f' AND c.reltuples < 0::pg_catalog.float4 THEN 1000000
               WHEN c.relkind = 'p' THEN 0
               -- Never analyzed: no row takes less than 32 bytes.
               WHEN c.reltuples < 0::pg_catalog.float4
               THEN pg_catalog.pg_relation_size(c.oid) / 32::pg_catalog.int8
               ELSE c.reltuples END,
  'parent', CASE WHEN c.relispartition THEN
     (SELECT i.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) END,
  'partition_key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
  'bound', pg_catalog.pg_get_expr(c.relpartbound, c.oid),
  'columns', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', a.attname,
        'type_name', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'type_oid', a.atttypid::pg_catalog.int8,
        'max_chars', CASE WHEN a.atttypid = ANY (ARRAY[1042, 1043]::pg_catalog.oid[])
                           AND a.atttypmod > 4 THEN a.atttypmod - 4
                          WHEN a.atttypid = 19::pg_catalog.oid THEN 63 END,
        'not_null', a.attnotnull,
        'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        'generated', a.attgenerated, 'identity', a.attidentity,
        'collation', CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0::pg_catalog.oid THEN
           (SELECT pg_catalog.quote_ident(cn.nspname::text) || '.' || pg_catalog.quote_ident(co.collname::text)
              FROM pg_catalog.pg_collation co
              JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
             WHERE co.oid = a.attcollation) END,
        'sequence', (
          SELECT pg_catalog.jsonb_build_object(
              'schema', sn.nspname, 'name', s.relname,
              'type_name', pg_catalog.format_type(q.seqtypid, NULL),
              'start', q.seqstart, 'increment', q.seqincrement, 'min', q.seqmin, 'max', q.seqmax,
              'cache', q.seqcache, 'cycle', q.seqcycle)
            FROM pg_catalog.pg_depend e
            JOIN pg_catalog.pg_class s ON s.relkind = 'S'
             AND s.oid = CASE WHEN e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                              THEN e.refobjid ELSE e.objid END
            JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
            JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
           WHERE (e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.objid = d.oid
                  AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
              OR (e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND e.refobjid = c.oid AND e.refobjsubid = a.attnum AND e.deptype = 'i')
           LIMIT 1)
      ) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'::pg_catalog.jsonb),
  'constraints', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', k.conname, 'kind', k.contype,
        'definition', pg_catalog.pg_get_constraintdef(k.oid, true),
        'validated', k.convalidated,
        'target', CASE WHEN k.contype = 'f' THEN pg_catalog.jsonb_build_object(
           'oid', k.confrelid::pg_catalog.int8, 'schema', fn.nspname, 'name', f.relname) END,
        'columns', coalesce((SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.i)
            FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (n, i)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n), '[]'),
        'target_columns', coalesce((SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.i)
            FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (n, i)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n), '[]'),
        'droppable', k.contype = 'f' OR (k.conindid <> 0::pg_catalog.oid
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indexrelid = k.conindid
                              AND (x.indisclustered OR x.indisreplident))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_description o
                            WHERE o.objoid = k.oid OR o.objoid = k.conindid)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                 WHERE ((e.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND e.refobjid = k.oid)
                     OR (e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.refobjid = k.conindid))
                   AND e.deptype = 'n'
                   AND NOT (e.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND EXISTS (
                     SELECT FROM pg_catalog.pg_constraint fk WHERE fk.oid = e.objid AND fk.contype = 'f'
                        AND fk.conrelid IN (SELECT oid FROM tree)))))
      ) ORDER BY k.conname)
      FROM pg_catalog.pg_constraint k
      LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
      LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
     WHERE k.conrelid = c.oid AND k.conparentid = 0::pg_catalog.oid AND k.coninhcount = 0
       AND k.contype = ANY (ARRAY['c', 'f', 'p', 'u', 'x']::pg_catalog.\"char\"[])), '[]'),
  'indexes', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        -- ONLY would keep the index of a partitioned table from its partitions.
        'name', ic.relname, 'definition', pg_catalog.replace(
           pg_catalog.pg_get_indexdef(x.indexrelid, 0, true),
           ' INDEX ' || pg_catalog.quote_ident(ic.relname::text) || ' ON ONLY ',
           ' INDEX ' || pg_catalog.quote_ident(ic.relname::text) || ' ON '),
        'droppable', NOT x.indisclustered AND NOT x.indisreplident
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_description o WHERE o.objoid = x.indexrelid)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                 WHERE e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                   AND e.refobjid = x.indexrelid AND e.deptype = 'n'
                   AND NOT (e.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND EXISTS (
                     SELECT FROM pg_catalog.pg_constraint fk WHERE fk.oid = e.objid AND fk.contype = 'f'
                        AND fk.conrelid IN (SELECT oid FROM tree))))
      ) ORDER BY ic.relname)
      FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid
     WHERE x.indrelid = c.oid AND x.indislive
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid
                          AND k.contype = ANY (ARRAY['p', 'u', 'x']::pg_catalog.\"char\"[]))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = x.indexrelid)), '[]'),
  'unique', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', ic.relname,
        'columns', coalesce((SELECT pg_catalog.jsonb_agg(DISTINCT a.attname)
            FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0
             AND (a.attnum = ANY (x.indkey::pg_catalog.int2[]) OR EXISTS (
               SELECT FROM pg_catalog.pg_depend e
                WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.objid = x.indexrelid
                  AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND e.refobjid = c.oid AND e.refobjsubid = a.attnum))), '[]')) ORDER BY ic.relname)
      FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid
     WHERE x.indrelid = c.oid AND x.indisunique), '[]'),
  'triggers', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', g.tgname, 'enabled', g.tgenabled)
                                ORDER BY g.tgname)
      FROM pg_catalog.pg_trigger g
     WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
       AND g.tgparentid = 0::pg_catalog.oid), '[]'),
  'rules', coalesce((
    SELECT pg_catalog.jsonb_agg(w.rulename ORDER BY w.rulename)
      FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN'), '[]'),
  'referenced_by', coalesce((
    SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object(
        'oid', o.oid::pg_catalog.int8, 'schema', fn.nspname, 'name', o.relname))
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class o ON o.oid = k.conrelid
      JOIN pg_catalog.pg_namespace fn ON fn.oid = o.relnamespace
     WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0::pg_catalog.oid
       AND k.conrelid NOT IN (SELECT oid FROM tree)), '[]'))
  FROM tree
  JOIN pg_catalog.pg_class c ON c.oid = tree.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY n.nspname, c.relname";

const OWN_TYPES: &str = "
    SELECT t.oid::pg_catalog.int8 FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = $1 AND (t.typtype = ANY (ARRAY['d', 'e']::pg_catalog.\"char\"[])
        OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))";

const TYPES: &str = "
WITH RECURSIVE used AS (
  SELECT pg_catalog.unnest($1::pg_catalog.oid[]) AS oid
  UNION
  SELECT more.oid FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid
   CROSS JOIN LATERAL (
     SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
     UNION ALL SELECT t.typelem WHERE t.typcategory = 'A'
     UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
                  AND a.attnum > 0 AND NOT a.attisdropped) more
)
SELECT pg_catalog.jsonb_build_object(
  'oid', t.oid::pg_catalog.int8, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
  'category', t.typcategory,
  'inner', CASE WHEN t.typtype = 'd' THEN t.typbasetype::pg_catalog.int8
                WHEN t.typcategory = 'A' THEN t.typelem::pg_catalog.int8 END,
  'is_array', t.typcategory = 'A' AND t.typtype <> 'd',
  'base_name', CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
  'default', CASE WHEN t.typtype = 'd' THEN pg_catalog.pg_get_expr(t.typdefaultbin, 0) END,
  'not_null', t.typnotnull,
  'max_chars', CASE WHEN t.typbasetype = ANY (ARRAY[1042, 1043]::pg_catalog.oid[]) AND t.typtypmod > 4
                    THEN t.typtypmod - 4 END,
  'checks', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', k.conname, 'definition', pg_catalog.pg_get_constraintdef(k.oid, true)) ORDER BY k.conname)
      FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '[]'),
  'labels', coalesce((SELECT pg_catalog.jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
      FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '[]'),
  'attributes', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', a.attname, 'type_name', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'type_oid', a.atttypid::pg_catalog.int8) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
     WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]'))
  FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace";

/// Expressions are read from their stored trees: the catalog does not record that they depend on
/// the server's own functions, and some of those do harm in stronger hands.
const CODE: &str = concat!(
    "
WITH code (what, owner, tree, direct) AS (
  SELECT pg_catalog.format('default of column \"%s\" of table \"%s.%s\"', a.attname, n.nspname, c.relname),
         c.relowner, d.adbin::text, NULL::pg_catalog.oid
    FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
   WHERE d.adrelid = ANY ($1::pg_catalog.oid[])
  UNION ALL
  SELECT pg_catalog.format('constraint \"%s\" of table \"%s.%s\"', k.conname, n.nspname, c.relname),
         c.relowner, k.conbin::text, NULL
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE k.conrelid = ANY ($1::pg_catalog.oid[]) AND k.conbin IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('index \"%s\" of table \"%s.%s\"', i.relname, n.nspname, c.relname),
         c.relowner, pg_catalog.concat(x.indexprs::text, x.indpred::text), NULL
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE x.indrelid = ANY ($1::pg_catalog.oid[]) AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL)
  UNION ALL
  SELECT pg_catalog.format('partition key of table \"%s.%s\"', n.nspname, c.relname),
         c.relowner, p.partexprs::text, NULL
    FROM pg_catalog.pg_partitioned_table p
    JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE p.partrelid = ANY ($1::pg_catalog.oid[]) AND p.partexprs IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('trigger \"%s\" of table \"%s.%s\"', g.tgname, n.nspname, c.relname),
         c.relowner, g.tgqual::text, g.tgfoid
    FROM pg_catalog.pg_trigger g
    JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE g.tgrelid = ANY ($3::pg_catalog.oid[]) AND NOT g.tgisinternal AND g.tgenabled <> 'D'
  UNION ALL
  SELECT pg_catalog.format('constraint \"%s\" of domain \"%s.%s\"', k.conname, n.nspname, t.typname),
         t.typowner, k.conbin::text, NULL
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_type t ON t.oid = k.contypid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
   WHERE k.contypid = ANY ($2::pg_catalog.oid[]) AND k.conbin IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('default of domain \"%s.%s\"', n.nspname, t.typname),
         t.typowner, t.typdefaultbin::text, NULL
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
   WHERE t.oid = ANY ($2::pg_catalog.oid[]) AND t.typtype = 'd' AND t.typdefaultbin IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('range type \"%s.%s\"', n.nspname, t.typname), t.typowner, NULL, f.oid
    FROM pg_catalog.pg_range r
    JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_proc f ON f.oid = r.rngcanonical OR f.oid = r.rngsubdiff
   WHERE r.rngtypid = ANY ($2::pg_catalog.oid[])
  UNION ALL
  -- A cast that somebody made is taken wherever the server converts such a value.
  SELECT pg_catalog.format('cast from %s to %s', k.castsource::pg_catalog.regtype, k.casttarget::pg_catalog.regtype),
         t.typowner, NULL, k.castfunc
    FROM pg_catalog.pg_cast k
    JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN k.castsource = ANY ($2::pg_catalog.oid[])
                                              THEN k.castsource ELSE k.casttarget END
   WHERE (k.castsource = ANY ($2::pg_catalog.oid[]) OR k.casttarget = ANY ($2::pg_catalog.oid[]))
     AND k.castfunc >= 16384::pg_catalog.oid
), called AS (
  SELECT c.what, c.owner, f.oid, f.oid = c.direct IS TRUE AS direct
    FROM code c
    JOIN LATERAL (
      SELECT c.direct AS oid WHERE c.direct IS NOT NULL
      UNION
      SELECT m[1]::pg_catalog.oid
        FROM pg_catalog.regexp_matches(c.tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') m
      UNION
      -- An operator that was not looked up yet has no opfuncid.
      SELECT o.oprcode::pg_catalog.oid
        FROM pg_catalog.regexp_matches(c.tree, ':(?:opno|opnos [(]o) ([0-9 ]+)', 'g') m
       CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(m[1], ' ') AS number
        JOIN pg_catalog.pg_operator o ON number <> '' AND o.oid = number::pg_catalog.oid
    ) f ON true
), functions AS (
  SELECT k.what, k.owner,
         p.oid::pg_catalog.regprocedure::text AS name, p.proowner AS function_owner,
         NOT k.direct AND (p.provolatile = 'i' OR (p.oid < 16384::pg_catalog.oid AND p.proname ~
            '^(timestamp|date|interval|time|extract|concat|nextval$|now$|random$|clock_timestamp$|statement_timestamp$|transaction_timestamp$|gen_random_uuid$|uuidv7$|uuidv4$|age$|to_char$|to_date$|format$|to_tsvector$)'))
           AS harmless
    FROM called k JOIN pg_catalog.pg_proc p ON p.oid = k.oid
  UNION
  -- A cast to a domain runs its checks.
  SELECT c.what, c.owner, 'domain ' || t.oid::pg_catalog.regtype::text, t.typowner, false
    FROM code c
   CROSS JOIN LATERAL pg_catalog.regexp_matches(c.tree, ':resulttype ([0-9]+)', 'g') m
    JOIN pg_catalog.pg_type t ON t.oid = m[1]::pg_catalog.oid AND t.typtype = 'd'
)
SELECT pg_catalog.jsonb_build_object(
  'what', f.what,
  'owner', pg_catalog.pg_get_userbyid(f.owner),
  'owner_trusted', ",
    trusted!("f.owner"),
    ",
  'functions', pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
     'name', f.name, 'owner', pg_catalog.pg_get_userbyid(f.function_owner),
     'owner_trusted', ",
    trusted!("f.function_owner"),
    ",
     'harmless', f.harmless) ORDER BY f.name))
  FROM functions f GROUP BY f.what, f.owner ORDER BY f.what"
);

const TIES: &str = "
WITH mine AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS classid, c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1
  UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1
), parts AS (
  SELECT classid::pg_catalog.oid, oid FROM mine
  UNION SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid, d.oid
    FROM pg_catalog.pg_attrdef d JOIN mine m ON m.oid = d.adrelid
  UNION SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid, k.oid
    FROM pg_catalog.pg_constraint k JOIN mine m ON m.oid = k.conrelid OR m.oid = k.contypid
), theirs AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS classid, c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $2
  UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, t.oid FROM pg_catalog.pg_type t
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $2
  UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, p.oid FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $2
)
SELECT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on '
       || pg_catalog.pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
  FROM pg_catalog.pg_depend d
  JOIN parts p ON p.classid = d.classid AND p.oid = d.objid
  JOIN theirs t ON t.classid = d.refclassid AND t.oid = d.refobjid
 WHERE d.deptype = ANY (ARRAY['n', 'a']::pg_catalog.\"char\"[])
 ORDER BY 1 LIMIT 20";
