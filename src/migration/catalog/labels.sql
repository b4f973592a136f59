-- $1: provider. Every label it has: kind of object, schema, name, column, label.
SELECT q.kind, q.schema, q.name, q.column_name, q.label
  FROM (
    SELECT 'column'::pg_catalog.text AS kind, n.nspname::pg_catalog.text AS schema,
           c.relname::pg_catalog.text AS name, a.attname::pg_catalog.text AS column_name, l.label,
           a.attnum AS place
      FROM pg_catalog.pg_seclabel l
      JOIN pg_catalog.pg_class c ON c.oid = l.objoid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = l.objsubid
     WHERE l.provider = $1::pg_catalog.text AND l.objsubid > 0 AND NOT a.attisdropped
       AND l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
    UNION ALL
    SELECT 'table', n.nspname::pg_catalog.text, c.relname::pg_catalog.text, NULL, l.label, 0
      FROM pg_catalog.pg_seclabel l
      JOIN pg_catalog.pg_class c ON c.oid = l.objoid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE l.provider = $1::pg_catalog.text AND l.objsubid = 0
       AND l.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
    UNION ALL
    SELECT 'schema', NULL, n.nspname::pg_catalog.text, NULL, l.label, 0
      FROM pg_catalog.pg_seclabel l
      JOIN pg_catalog.pg_namespace n ON n.oid = l.objoid
     WHERE l.provider = $1::pg_catalog.text
       AND l.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid
    UNION ALL
    SELECT 'function', NULL, pg_catalog.format('%I.%I', n.nspname, p.proname), NULL, l.label, 0
      FROM pg_catalog.pg_seclabel l
      JOIN pg_catalog.pg_proc p ON p.oid = l.objoid
      JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE l.provider = $1::pg_catalog.text
       AND l.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
    UNION ALL
    SELECT 'role', NULL, pg_catalog.pg_get_userbyid(l.objoid)::pg_catalog.text, NULL, l.label, 0
      FROM pg_catalog.pg_shseclabel l
     WHERE l.provider = $1::pg_catalog.text
       AND l.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid
    UNION ALL
    SELECT 'database', NULL, d.datname::pg_catalog.text, NULL, l.label, 0
      FROM pg_catalog.pg_shseclabel l
      JOIN pg_catalog.pg_database d ON d.oid = l.objoid
     WHERE l.provider = $1::pg_catalog.text AND d.datname = pg_catalog.current_database()
       AND l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass::pg_catalog.oid
  ) AS q
 ORDER BY q.kind, q.schema, q.name, q.place
