-- $1: tables. Columns that may name large objects, where there are any.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname::pg_catalog.text,
       pg_catalog.format('SELECT lo_unlink(%I) FROM %I.%I;', a.attname, n.nspname, c.relname)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
   AND (t.oid = 'pg_catalog.oid'::pg_catalog.regtype OR t.typname = 'lo')
   AND EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
 ORDER BY 1, 2
