-- $1: schema. Its tables and views, each with its columns.
SELECT c.relname::pg_catalog.text,
       c.relkind = ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[]),
       CASE WHEN c.relispartition THEN (
         SELECT r.relname::pg_catalog.text FROM pg_catalog.pg_class r
          WHERE r.oid = pg_catalog.pg_partition_root(c.oid)::pg_catalog.oid) END,
       a.attname::pg_catalog.text,
       pg_catalog.format_type(CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END, NULL),
       a.attnotnull OR t.typnotnull,
       coalesce((SELECT pg_catalog.array_agg(e.enumlabel::pg_catalog.text ORDER BY e.enumsortorder)
                   FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '{}')
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN (pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid)
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE n.nspname = $1::pg_catalog.text AND c.relpersistence <> 't'
   AND c.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']::pg_catalog."char"[])
 ORDER BY c.relname, a.attnum
