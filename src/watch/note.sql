-- $1: relations, $2: what is said of a column that was not known, $3: who, $4: whether it is noted as
-- of before the statement that called, which has loaded a profile. The columns of watched tables that
-- were not known as they are now; generated ones follow from others.
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
       (profile_name, schema_name, table_name, column_name, column_type, event, noticed_by,
        noticed_at)
SELECT m.profile_name, m.schema_name, m.table_name, a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod), $2::pg_catalog.text, $3::pg_catalog.text,
       CASE WHEN $4::pg_catalog.bool THEN pg_catalog.statement_timestamp()
            ELSE pg_catalog.clock_timestamp() END
  FROM named m
  JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema_name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = m.table_name
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
 WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
   AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ON CONFLICT (schema_name, table_name, column_name, profile_name) DO UPDATE
       SET column_type = excluded.column_type, is_gone = false,
           -- That it was altered once is not forgotten when it goes and comes back.
           event = CASE WHEN k.column_type <> excluded.column_type OR k.event = 'type altered'
                        THEN 'type altered' ELSE excluded.event END,
           noticed_at = CASE WHEN k.column_type = excluded.column_type AND k.event = 'type altered'
                             THEN k.noticed_at ELSE excluded.noticed_at END,
           noticed_by = excluded.noticed_by
     WHERE k.column_type <> excluded.column_type OR k.is_gone
RETURNING k.profile_name, k.schema_name, k.table_name, k.column_name
