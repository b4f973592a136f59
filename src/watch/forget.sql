-- Columns that have gone, with their tables or without. What was known of them stays: a column that
-- comes back with another type has been altered.
UPDATE confiture.watched_column k SET is_gone = true
 WHERE NOT k.is_gone
   AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_attribute a
       JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = k.schema_name AND c.relname = k.table_name AND a.attname = k.column_name
        AND a.attnum > 0 AND NOT a.attisdropped)
