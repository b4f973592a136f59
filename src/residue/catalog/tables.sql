-- $1: schema, or NULL for all. The relations whose rows are somebody's.
SELECT c.oid::pg_catalog.int8, n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
       c.relkind::pg_catalog.text, nullif(c.reltoastrelid, 0::pg_catalog.oid)::pg_catalog.int8,
       pg_catalog.pg_has_role(c.relowner, 'MEMBER'),
       pg_catalog.format('%I.%I', n.nspname, c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = ANY (ARRAY['r', 'p', 'm']::pg_catalog."char"[]) AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> ALL (ARRAY['information_schema', 'confiture']::pg_catalog.name[])
   AND ($1::pg_catalog.text IS NULL OR n.nspname = $1::pg_catalog.text)
 ORDER BY 2, 3
