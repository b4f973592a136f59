-- The columns that tables have now.
-- $1: schemas, $2: tables. Each is told by its place in the lists, which begins at 1.
SELECT w.place, c.oid::bigint, a.attnum::integer, a.attname::text
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]))
       WITH ORDINALITY AS w (schema, relation, place)
  JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema::name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation::name
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY w.place, a.attnum
