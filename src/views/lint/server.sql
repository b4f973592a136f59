-- What leaves the tables by the server's other doors.
, by_door (severity, path, object, column_name, detail, remedy) AS (
  SELECT DISTINCT CASE WHEN EXISTS (SELECT FROM who w WHERE w.rolreplication OR w.rolsuper OR w.oid = p.pubowner)
              THEN 'high' ELSE 'low' END,
         'publication', pg_catalog.format('publication %I', p.pubname), m.name,
         pg_catalog.format('It sends column %I of %s to its subscribers', m.name, m.shown),
         pg_catalog.format('ALTER PUBLICATION %I, without the table or the column', p.pubname)
    FROM pg_catalog.pg_publication p
    JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname
    JOIN masked m ON m.schema = t.schemaname AND m.relation = t.tablename
   -- Since version 15 a publication may have a list of columns.
   WHERE coalesce(pg_catalog.to_jsonb(t) -> 'attnames' @> pg_catalog.to_jsonb(m.name), true)
  UNION ALL
  -- The table as another server sees it, which may be this one.
  SELECT DISTINCT 'medium', 'foreign table', pg_catalog.format('%I.%I', n.nspname, c.relname), NULL,
         pg_catalog.format('Foreign table by server %I on a relation called as %s', s.srvname, m.shown) || w.via,
         pg_catalog.format('REVOKE SELECT ON %I.%I FROM %s', n.nspname, c.relname, w.grantee)
    FROM pg_catalog.pg_foreign_table f
    JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
   CROSS JOIN LATERAL (
     SELECT coalesce((SELECT o.option_value FROM pg_catalog.pg_options_to_table(f.ftoptions) o
                       WHERE o.option_name = 'schema_name'), n.nspname::text) AS schema,
            coalesce((SELECT o.option_value FROM pg_catalog.pg_options_to_table(f.ftoptions) o
                       WHERE o.option_name = 'table_name'), c.relname::text) AS relation) k
    JOIN masked_table m ON m.schema = k.schema AND m.relation = k.relation AND m.rel <> c.oid
   CROSS JOIN LATERAL (
     SELECT x.grantee FROM pg_catalog.aclexplode(c.relacl) x WHERE x.privilege_type = 'SELECT'
     UNION SELECT c.relowner) g
    JOIN who w ON w.oid = g.grantee
  UNION ALL
  SELECT DISTINCT 'low', 'foreign server', pg_catalog.format('server %I', s.srvname), NULL,
         'USAGE on the server: it may map itself to a role there and read what that one reads' || w.via,
         pg_catalog.format('REVOKE USAGE ON FOREIGN SERVER %I FROM %s', s.srvname, w.grantee)
    FROM pg_catalog.pg_foreign_server s
   CROSS JOIN LATERAL (
     SELECT x.grantee FROM pg_catalog.aclexplode(s.srvacl) x WHERE x.privilege_type = 'USAGE'
     UNION SELECT s.srvowner) g
    JOIN who w ON w.oid = g.grantee
   WHERE EXISTS (SELECT FROM masked)
  UNION ALL
  SELECT DISTINCT 'high', 'file function', p.oid::pg_catalog.regprocedure::text, NULL,
         'It reads files of the server' || w.via,
         pg_catalog.format('REVOKE EXECUTE ON FUNCTION %s FROM %s', p.oid::pg_catalog.regprocedure, w.grantee)
    FROM pg_catalog.pg_proc p
   CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) x
    JOIN who w ON w.oid = x.grantee
   WHERE p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND x.privilege_type = 'EXECUTE'
     AND p.proname = ANY (ARRAY['pg_read_file', 'pg_read_binary_file', 'lo_import']::name[])
     AND x.grantee <> p.proowner AND w.name <> 'pg_read_server_files'
)
