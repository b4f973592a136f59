-- What the role may read through code of others: views, functions.
, by_code (severity, path, object, column_name, detail, remedy) AS (
  SELECT DISTINCT CASE WHEN o.oid IS NOT NULL THEN 'high' ELSE 'low' END,
         CASE c.relkind WHEN 'm'::"char" THEN 'materialized view' ELSE 'view' END,
         pg_catalog.format('%I.%I', n.nspname, c.relname), m.name,
         pg_catalog.format('It reads column %I of %s', m.name, m.shown) || w.via
           || CASE WHEN o.oid IS NOT NULL THEN '' ELSE '; of use with USAGE on its schema' END,
         CASE WHEN c.relowner = w.oid
              THEN pg_catalog.format('DROP %s %I.%I', CASE c.relkind WHEN 'm'::"char" THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
                                     n.nspname, c.relname)
              ELSE pg_catalog.format('REVOKE SELECT ON %I.%I FROM %s', n.nspname, c.relname, w.grantee) END
    FROM reading v
    JOIN masked m ON m.rel = v.rel AND m.name = v.name
    JOIN pg_catalog.pg_class c ON c.oid = v.view
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN opened o ON o.oid = n.oid
   CROSS JOIN LATERAL (
     SELECT x.grantee FROM pg_catalog.aclexplode(c.relacl) x WHERE x.privilege_type = 'SELECT'
     UNION SELECT c.relowner
     UNION SELECT x.grantee FROM pg_catalog.pg_attribute a, pg_catalog.aclexplode(a.attacl) x
            WHERE a.attrelid = c.oid AND x.privilege_type = 'SELECT') g
    JOIN who w ON w.oid = g.grantee
  UNION ALL
  -- A text that mentions the table need not read it, and one that builds its name escapes this.
  SELECT DISTINCT 'medium', 'function', p.oid::pg_catalog.regprocedure::text, NULL,
         pg_catalog.format('SECURITY DEFINER, its text %s %s; by its text alone',
                           CASE WHEN d.objid IS NULL THEN 'mentions' ELSE 'depends on' END, m.shown) || w.via,
         pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM %s', p.oid::pg_catalog.regprocedure, w.grantee)
    FROM masked_table m
   CROSS JOIN pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    LEFT JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = m.rel
   CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) x
    JOIN who w ON w.oid = x.grantee
   WHERE p.prosecdef AND x.privilege_type = 'EXECUTE'
     AND n.nspname <> ALL (ARRAY['pg_catalog', 'information_schema', 'confiture']::name[])
     AND (d.objid IS NOT NULL OR pg_catalog.strpos(pg_catalog.lower(p.prosrc), pg_catalog.lower(m.relation)) > 0)
  UNION ALL
  -- A keyed mask tells whoever guesses right; one list, not a row for each of them.
  SELECT 'medium', 'mask', pg_catalog.format('role %s', w.grantee), NULL,
         'It may call masks on values of its choice: ' || pg_catalog.string_agg(DISTINCT p.proname::text, ', ') || w.via,
         CASE WHEN w.oid = 0::pg_catalog.oid THEN 'REVOKE EXECUTE ON these functions FROM PUBLIC'
              ELSE pg_catalog.format('SELECT confiture.revoke_access(kind, %L) for kinds masker and operator', w.name) END
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
     AND d.deptype = 'e'
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'confiture'
   CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) x
    JOIN who w ON w.oid = x.grantee
   WHERE x.privilege_type = 'EXECUTE' AND x.grantee <> p.proowner
     AND (p.proname = ANY (ARRAY['sync', '_mask_value']::name[])
          OR 'key_version' = ANY (p.proargnames))
   GROUP BY w.oid, w.grantee, w.name, w.via
)
