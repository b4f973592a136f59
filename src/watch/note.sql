-- $1: relations, $2: what is said of a column that was not known, $3: who. The columns of watched
-- tables that were not known as they are now; generated ones follow from others.
WITH named AS (
  SELECT DISTINCT w.profile_name, w.schema_name, t.body ->> 'table' AS table_name
    FROM confiture.watched w
    JOIN confiture.profile p ON p.id = (
      SELECT n.id FROM confiture.profile n
       WHERE n.name = w.profile_name AND n.retired_at IS NULL
       ORDER BY n.loaded_at DESC, n.id DESC LIMIT 1)
   CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(p.canonical -> 'tables') AS t (body)
   WHERE coalesce(t.body ->> 'schema', w.schema_name) = w.schema_name
)
INSERT INTO confiture.watched_column AS k
       (profile_name, schema_name, table_name, column_name, column_type, event, noticed_by)
SELECT m.profile_name, m.schema_name, m.table_name, a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod), $2::pg_catalog.text, $3::pg_catalog.text
  FROM named m
  JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema_name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = m.table_name
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
 WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
   AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ON CONFLICT (schema_name, table_name, column_name, profile_name) DO UPDATE
       SET column_type = excluded.column_type, event = 'type altered',
           noticed_by = excluded.noticed_by, noticed_at = pg_catalog.clock_timestamp()
     WHERE k.column_type <> excluded.column_type
RETURNING k.profile_name, k.schema_name, k.table_name, k.column_name
