-- $1: schema, $2: tables, $3: another schema. Definitions of the tables that use functions,
-- operators, collations or text search objects of the schema which the other schema does not have
-- by the same name (only functions can be found there): table, what uses which.
WITH parts AS (
  SELECT d.adrelid AS relation, 'pg_catalog.pg_attrdef'::pg_catalog.regclass::pg_catalog.oid AS classid, d.oid
    FROM pg_catalog.pg_attrdef d WHERE d.adrelid = ANY ($2::pg_catalog.oid[])
  UNION ALL
  SELECT k.conrelid, 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid, k.oid
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = ANY ($2::pg_catalog.oid[])
  UNION ALL
  SELECT a.attrelid, 'pg_catalog.pg_constraint'::pg_catalog.regclass::pg_catalog.oid, k.oid
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_constraint k ON k.contypid = a.atttypid
   WHERE a.attrelid = ANY ($2::pg_catalog.oid[]) AND a.attnum > 0
  UNION ALL
  SELECT x.indrelid, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, x.indexrelid
    FROM pg_catalog.pg_index x WHERE x.indrelid = ANY ($2::pg_catalog.oid[])
  UNION ALL
  SELECT c.oid, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, c.oid
    FROM pg_catalog.pg_class c WHERE c.oid = ANY ($2::pg_catalog.oid[])
)
SELECT DISTINCT s.relation::pg_catalog.int8,
       pg_catalog.pg_describe_object(s.classid, s.oid, 0) || ' uses '
         || pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0)
  FROM parts s
  JOIN pg_catalog.pg_depend d ON d.classid = s.classid AND d.objid = s.oid
  LEFT JOIN pg_catalog.pg_proc p
    ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.refobjid
  LEFT JOIN pg_catalog.pg_operator o
    ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid
  LEFT JOIN pg_catalog.pg_collation c
    ON d.refclassid = 'pg_catalog.pg_collation'::pg_catalog.regclass AND c.oid = d.refobjid
  LEFT JOIN pg_catalog.pg_opclass k
    ON d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass AND k.oid = d.refobjid
  LEFT JOIN pg_catalog.pg_ts_config t
    ON d.refclassid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass AND t.oid = d.refobjid
  JOIN pg_catalog.pg_namespace n ON n.oid = coalesce(
       p.pronamespace, o.oprnamespace, c.collnamespace, k.opcnamespace, t.cfgnamespace)
 WHERE n.nspname = $1
   AND NOT (p.oid IS NOT NULL AND EXISTS (
     SELECT FROM pg_catalog.pg_proc q JOIN pg_catalog.pg_namespace m ON m.oid = q.pronamespace
      WHERE m.nspname = $3 AND q.proname = p.proname))
 ORDER BY 1, 2
