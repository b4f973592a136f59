-- $1: relations, $2: whether functions are followed too. The filled materialized views that read the
-- relations, through other views too; or that call functions of others, which may read anything: by
-- number, so that each comes after what it reads.
WITH RECURSIVE reached AS (
  SELECT t::pg_catalog.oid AS oid FROM pg_catalog.unnest($1::pg_catalog.int8[]) AS t
  UNION
  SELECT w.ev_class
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    JOIN pg_catalog.pg_depend d
      ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.refobjid = p.oid
     AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
   WHERE $2::pg_catalog.bool AND l.lanname <> ALL (ARRAY['internal', 'c']::pg_catalog.name[])
  UNION
  SELECT w.ev_class
    FROM reached r
    JOIN pg_catalog.pg_depend d
      ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.oid
     AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid
)
SELECT c.oid::pg_catalog.int8, pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM reached r
  JOIN pg_catalog.pg_class c ON c.oid = r.oid AND c.relkind = 'm' AND c.relispopulated
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY c.oid
