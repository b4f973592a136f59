-- Columns that have gone, with their tables or without.
DELETE FROM confiture.watched_column k
 WHERE NOT EXISTS (
   SELECT FROM pg_catalog.pg_attribute a
     JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = k.schema_name AND c.relname = k.table_name AND a.attname = k.column_name
      AND a.attnum > 0 AND NOT a.attisdropped)
