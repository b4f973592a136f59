-- What is wrong with the masking of what subscriptions bring, of one schema ($1) or of all: which problem,
-- with which table, about what of it, and whether rows arrive there.
WITH here AS (
  SELECT p.oid, p.subname::text AS name, p.substream::text AS streaming
    FROM pg_catalog.pg_subscription p
   WHERE p.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d
                       WHERE d.datname = pg_catalog.current_database())),
subscribed AS (
  SELECT s.srrelid AS oid, h.name, h.streaming
    FROM pg_catalog.pg_subscription_rel s JOIN here h ON h.oid = s.srsubid),
mine AS (
  SELECT r.id, r.schema_name, r.table_name, r.profile_name, r.profile_hash, c.oid
    FROM ONLY confiture.replicated_table r
    LEFT JOIN (pg_catalog.pg_class c
               JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace)
      ON n.nspname = r.schema_name AND c.relname = r.table_name
     AND c.relkind = ANY (ARRAY['r', 'p']::"char"[])
   WHERE $1::text IS NULL OR r.schema_name = $1),
member AS (
  SELECT m.id, c.oid, n.nspname::text AS schema_name, c.relname::text AS table_name, c.relkind,
         c.relispartition, c.relreplident
    FROM mine m
   CROSS JOIN LATERAL (
     SELECT m.oid UNION SELECT p.relid::oid FROM pg_catalog.pg_partition_tree(m.oid) AS p) AS t (oid)
    JOIN pg_catalog.pg_class c ON c.oid = t.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace),
reached AS (
  SELECT DISTINCT m.id FROM member m JOIN subscribed s ON s.oid = m.oid),
found AS (
  SELECT 'gone' AS code, m.id, m.schema_name, m.table_name, NULL::text AS what
    FROM mine m WHERE m.oid IS NULL
  UNION ALL
  -- Row, before, INSERT and UPDATE; DELETE of partitions, which tells that a row moves.
  SELECT 'trigger', m.id, m.schema_name, m.table_name, NULL
    FROM member m
   WHERE m.relkind = 'r' AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_trigger g
      WHERE g.tgrelid = m.oid AND g.tgname = 'confiture_mask' AND g.tgenabled = 'R'
        AND g.tgfoid = 'confiture._mask_replicated()'::pg_catalog.regprocedure
        AND g.tgtype & 23 = 23 AND (g.tgtype & 8 = 8 OR NOT m.relispartition)
        AND g.tgqual IS NULL AND g.tgattr::text = '' AND NOT g.tgisinternal
        AND pg_catalog.encode(g.tgargs, 'escape') = m.id || E'\\000')
  UNION ALL
  SELECT 'earlier', m.id, m.schema_name, m.table_name, g.tgname::text
    FROM member m JOIN pg_catalog.pg_trigger g ON g.tgrelid = m.oid
   WHERE m.relkind = 'r' AND g.tgname < 'confiture_mask' AND g.tgtype & 3 = 3 AND g.tgtype & 20 <> 0
     AND g.tgenabled = ANY (ARRAY['A', 'R']::"char"[])
  UNION ALL
  SELECT 'column', m.id, m.schema_name, m.table_name, a.attname::text
    FROM member m
    JOIN pg_catalog.pg_attribute a ON a.attrelid = m.oid AND a.attnum > 0 AND NOT a.attisdropped
   WHERE NOT EXISTS (
     SELECT FROM ONLY confiture.replicated_column k
      WHERE k.table_id = m.id AND k.column_name = a.attname
        AND k.column_type = pg_catalog.format_type(a.atttypid, a.atttypmod))
  UNION ALL
  SELECT 'column', m.id, m.schema_name, m.table_name, k.column_name
    FROM member m JOIN ONLY confiture.replicated_column k ON k.table_id = m.id
   WHERE NOT EXISTS (
     SELECT FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = m.oid AND a.attname = k.column_name AND a.attnum > 0 AND NOT a.attisdropped)
  UNION ALL
  -- The index by which the server looks for the row of a change.
  SELECT CASE WHEN x.oid IS NULL THEN 'no identity' ELSE 'identity' END, m.id, m.schema_name, m.table_name,
         k.column_name
    FROM member m
    LEFT JOIN LATERAL (
      SELECT i.indexrelid AS oid, i.indkey FROM pg_catalog.pg_index i
       WHERE i.indrelid = m.oid AND i.indisvalid AND i.indimmediate
         AND CASE m.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END) x ON true
    LEFT JOIN LATERAL (
      SELECT k.column_name
        FROM pg_catalog.pg_attribute a
        JOIN ONLY confiture.replicated_column k ON k.table_id = m.id AND k.column_name = a.attname
       WHERE a.attrelid = m.oid AND a.attnum = ANY (x.indkey::pg_catalog.int2[])
         AND k.decision = ANY (ARRAY['excluded', 'masked'])) k ON true
   WHERE m.relkind = 'r' AND (x.oid IS NULL OR k.column_name IS NOT NULL)
  UNION ALL
  -- A column of a partition key depends on its table, also within an expression.
  SELECT 'partition key', m.id, m.schema_name, m.table_name, k.column_name
    FROM member m
    JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = m.oid AND d.objsubid > 0
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = m.oid
     AND d.refobjsubid = 0 AND d.deptype = 'i'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = m.oid AND a.attnum = d.objsubid
    JOIN ONLY confiture.replicated_column k ON k.table_id = m.id AND k.column_name = a.attname
   WHERE m.relkind = 'p' AND k.decision = ANY (ARRAY['excluded', 'masked'])
  UNION ALL
  SELECT 'streaming', m.id, m.schema_name, m.table_name, s.name
    FROM member m JOIN subscribed s ON s.oid = m.oid
   WHERE s.streaming <> ALL (ARRAY['f', 'false'])
  UNION ALL
  SELECT 'version', m.id, m.schema_name, m.table_name, p.version
    FROM mine m
    LEFT JOIN LATERAL (
      SELECT p.version, p.profile_hash FROM ONLY confiture.profile p
       WHERE p.name = m.profile_name AND p.retired_at IS NULL
       ORDER BY p.loaded_at DESC, p.id DESC LIMIT 1) p ON true
   WHERE m.oid IS NOT NULL AND p.profile_hash IS DISTINCT FROM m.profile_hash)
SELECT f.code, f.schema_name, f.table_name, f.what, EXISTS (SELECT FROM reached r WHERE r.id = f.id)
  FROM found f
UNION ALL
SELECT 'unmasked', n.nspname::text, c.relname::text, s.name, true
  FROM subscribed s
  JOIN pg_catalog.pg_class c ON c.oid = s.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE EXISTS (SELECT FROM mine m WHERE m.schema_name = n.nspname)
   AND NOT EXISTS (SELECT FROM member m WHERE m.oid = c.oid)
 ORDER BY 2, 3, 1, 4
