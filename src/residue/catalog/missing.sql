-- $1: tables, $2: marks, as [{schema, table, columns}]. Columns of which the catalog keeps what
-- older rows have in them, each with whether it was masked.
SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), a.attname::pg_catalog.text,
       EXISTS (SELECT FROM pg_catalog.jsonb_to_recordset($2)
                        AS m (schema pg_catalog.text, "table" pg_catalog.text, columns pg_catalog.text[])
                WHERE m.schema = n.nspname AND m."table" = c.relname
                  AND a.attname::pg_catalog.text = ANY (m.columns))
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.atthasmissing AND NOT a.attisdropped
 WHERE c.oid = ANY ($1::pg_catalog.int8[]::pg_catalog.oid[])
 ORDER BY 1, a.attnum
