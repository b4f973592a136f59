-- $1: marks, as [{schema, table, columns}]. Tables with all masked columns of a marked one, by name
-- and type, that bear no mark and were not made by a run, each with that table.
WITH mark AS (
  SELECT c.oid, m.schema, m."table", m.columns
    FROM pg_catalog.jsonb_to_recordset($1) AS m (schema pg_catalog.text, "table" pg_catalog.text,
                                                 columns pg_catalog.text[])
    JOIN pg_catalog.pg_namespace n ON n.nspname = m.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = m."table"
)
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.min(pg_catalog.format('%I.%I', m.schema, m."table"))
  FROM mark m
 CROSS JOIN pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = ANY (ARRAY['r', 'p']::pg_catalog."char"[]) AND c.relpersistence <> 't'
   AND n.nspname !~ '^pg_' AND n.nspname <> ALL (ARRAY['information_schema', 'confiture']::pg_catalog.name[])
   AND NOT EXISTS (SELECT FROM mark o WHERE o.oid = c.oid)
   AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = m.oid AND a.attname::pg_catalog.text = ANY (m.columns)
        AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_attribute b
           WHERE b.attrelid = c.oid AND b.attname = a.attname AND b.atttypid = a.atttypid
             AND NOT b.attisdropped))
   AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
                WHERE a.attrelid = m.oid AND a.attname::pg_catalog.text = ANY (m.columns))
 GROUP BY 1
 ORDER BY 1
