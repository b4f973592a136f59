-- The tables on a list as they are called now, and their numbers: by that which is known, else by
-- name. {list} is the list, $1 its word; the table that a run made must have the name it had.
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.oid::pg_catalog.int8
  FROM {list} m
  LEFT JOIN confiture.table_number t
    ON t.registry = $1::pg_catalog.text AND t.schema_name = m.schema_name
   AND t.table_name = m.table_name
  JOIN pg_catalog.pg_class c ON c.oid = coalesce(t.relation, (
    SELECT o.oid FROM pg_catalog.pg_class o
      JOIN pg_catalog.pg_namespace s ON s.oid = o.relnamespace
     WHERE s.nspname = m.schema_name AND o.relname = m.table_name))
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[])
   AND ($1 = 'masked' OR (n.nspname = m.schema_name AND c.relname = m.table_name))
