-- $1: the extension, $2: tables of the ledger, $3: functions of the ledger. What a command must
-- touch in order to change the definition, as kind and number: tables and indexes (r), functions
-- (f), the schema (s).
WITH member AS MATERIALIZED (
  SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = $1
   WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
), ours AS MATERIALIZED (
  SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN member m ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid
   WHERE c.relname::text = ANY ($2)
)
SELECT 'r', o.oid FROM ours o
UNION ALL
SELECT 'r', x.indexrelid FROM ours o JOIN pg_catalog.pg_index x ON x.indrelid = o.oid
UNION ALL
SELECT 'f', p.oid
  FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
 WHERE p.proname::text = ANY ($3) AND n.nspname = $1
UNION ALL
SELECT 's', n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname = $1
