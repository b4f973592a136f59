-- $1: tables. The filled materialized views that read them, through other views too, as one
-- document: {qualified name: number of the file}.
WITH RECURSIVE reached AS (
  SELECT t::pg_catalog.oid AS oid FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS t
  UNION
  SELECT w.ev_class
    FROM reached r
    JOIN pg_catalog.pg_depend d
      ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.oid
     AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
)
SELECT coalesce(pg_catalog.jsonb_object_agg(
         pg_catalog.format('%I.%I', n.nspname, c.relname),
         pg_catalog.pg_relation_filenode(c.oid::pg_catalog.regclass)::pg_catalog.int8), '{}')
  FROM reached r
  JOIN pg_catalog.pg_class c ON c.oid = r.oid AND c.relkind = 'm' AND c.relispopulated
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
