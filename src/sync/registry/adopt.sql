-- Gives the tables on the lists that have no number yet, from a restore, that of the table of their
-- name.
INSERT INTO confiture.table_number (registry, schema_name, table_name, relation)
SELECT l.registry, l.schema_name, l.table_name, c.oid
  FROM (SELECT 'made' AS registry, m.schema_name, m.table_name FROM confiture.target_table m
        UNION ALL
        SELECT 'masked', m.schema_name, m.table_name FROM confiture.masked_in_place m) AS l
  JOIN pg_catalog.pg_namespace n ON n.nspname = l.schema_name
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = l.table_name
 WHERE c.relkind = ANY (ARRAY['r', 'p', 'f']::pg_catalog."char"[])
   AND NOT EXISTS (
     SELECT FROM confiture.table_number t
      WHERE t.registry = l.registry AND t.schema_name = l.schema_name
        AND t.table_name = l.table_name)
    ON CONFLICT DO NOTHING
