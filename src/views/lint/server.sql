-- What leaves the tables by the server's other doors.
, by_door (severity, path, object, column_name, detail, remedy) AS (
  SELECT DISTINCT CASE WHEN EXISTS (SELECT FROM who w WHERE w.rolreplication OR w.rolsuper OR w.oid = p.pubowner)
              THEN 'high' ELSE 'low' END,
         'publication', pg_catalog.format('publication %I', p.pubname), m.name,
         pg_catalog.format('It sends column %I of %s to its subscribers', m.name, m.shown),
         CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = m.rel)
              THEN pg_catalog.format('ALTER PUBLICATION %I DROP TABLE %s', p.pubname, m.shown)
              ELSE pg_catalog.format('ALTER PUBLICATION %I, without the table or the column', p.pubname) END
    FROM pg_catalog.pg_publication p
    JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname
    JOIN masked m ON m.schema = t.schemaname AND m.relation = t.tablename
   -- Since version 15 a publication may have a list of columns.
   WHERE coalesce(pg_catalog.to_jsonb(t) -> 'attnames' @> pg_catalog.to_jsonb(m.name), true)
  UNION ALL
  -- The table as another server sees it, which may be this one.
  SELECT DISTINCT 'medium', 'foreign table', m.shown, NULL, pg_catalog.substr(m.note, 3) || w.via,
         CASE WHEN m.relowner = w.oid THEN pg_catalog.format('DROP FOREIGN TABLE %s', m.shown)
              ELSE g.before || pg_catalog.format('REVOKE SELECT ON %s FROM %s', m.shown, w.grantee) || g.after END
    FROM masked_table m
   CROSS JOIN LATERAL (
     SELECT g.grantee, g.before, g.after FROM granted g WHERE g.rel = m.rel AND g.privilege = 'SELECT'
     UNION SELECT m.relowner, '', '') g
    JOIN who w ON w.oid = g.grantee
   WHERE m.kind = 3
  UNION ALL
  SELECT DISTINCT 'low', 'foreign server', pg_catalog.format('server %I', s.srvname), NULL,
         'USAGE on the server: it may map itself to a role there and read what that one reads' || w.via,
         pg_catalog.format('REVOKE USAGE ON FOREIGN SERVER %I FROM %s', s.srvname, w.grantee)
    FROM pg_catalog.pg_foreign_server s
   CROSS JOIN LATERAL (
     SELECT x.grantee FROM pg_catalog.aclexplode(s.srvacl) x WHERE x.privilege_type = 'USAGE'
     UNION SELECT s.srvowner) g
    JOIN who w ON w.oid = g.grantee
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
