-- Continues trusted.sql.
-- $1: schema. One document: what the caller may do there, and who else may create in it.
SELECT pg_catalog.jsonb_build_object(
       'name', n.nspname,
       'usage', pg_catalog.has_schema_privilege(n.oid, 'USAGE'),
       'create', pg_catalog.has_schema_privilege(n.oid, 'CREATE'),
       'strangers', coalesce((
         SELECT pg_catalog.jsonb_agg(DISTINCT
                  CASE WHEN w.role = 0::pg_catalog.oid THEN 'PUBLIC'
                       ELSE pg_catalog.pg_get_userbyid(w.role)::text END)
           FROM (SELECT o.role FROM (SELECT CASE
                          -- The owner of the database stands behind this role.
                          WHEN n.nspowner = 6171::pg_catalog.oid
                          THEN (SELECT d.datdba FROM pg_catalog.pg_database d
                                 WHERE d.datname = pg_catalog.current_database())
                          ELSE n.nspowner END AS role) o
                 UNION
                 SELECT a.grantee FROM pg_catalog.aclexplode(n.nspacl) a
                  WHERE a.privilege_type = 'CREATE' AND a.grantee <> 6171::pg_catalog.oid) w
          WHERE w.role = 0::pg_catalog.oid OR w.role NOT IN (SELECT t.oid FROM trusted t)), '[]'::pg_catalog.jsonb),
       'planted', coalesce((
         SELECT pg_catalog.jsonb_agg(pg_catalog.pg_describe_object(o.classid, o.oid, 0))
           FROM (SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.proowner
                   FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid
                 UNION ALL
                 SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, x.oid, x.oprowner
                   FROM pg_catalog.pg_operator x WHERE x.oprnamespace = n.oid
                 UNION ALL
                 SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, k.oid, k.collowner
                   FROM pg_catalog.pg_collation k WHERE k.collnamespace = n.oid
                 UNION ALL
                 -- Row and array types go with their tables and elements.
                 SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, y.oid, y.typowner
                   FROM pg_catalog.pg_type y
                  WHERE y.typnamespace = n.oid AND y.typcategory <> 'A'
                    AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c
                                     WHERE c.oid = y.typrelid AND c.relkind <> 'c')
                ) o (classid, oid, owner)
          WHERE o.owner NOT IN (SELECT t.oid FROM trusted t)), '[]'::pg_catalog.jsonb))
       FROM pg_catalog.pg_namespace n WHERE n.nspname = $1
