-- $1: schema, $2: names of tables. Those of them and of their partitions of which the catalog keeps
-- what rows have in columns that are younger than they, with one such column.
WITH RECURSIVE tree AS (
  SELECT c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
  UNION
  SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
)
SELECT c.oid::pg_catalog.int8, pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.min(a.attname::text)
  FROM tree t
  JOIN pg_catalog.pg_class c ON c.oid = t.oid AND c.relkind = 'r'
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.atthasmissing
 GROUP BY 1, 2
 ORDER BY 2
