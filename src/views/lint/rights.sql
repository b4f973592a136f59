-- What the role may read by its rights.
, by_right (severity, path, object, column_name, detail, remedy) AS (
  SELECT 'high', 'superuser', pg_catalog.format('role %I', w.name), NULL::text,
         'A superuser reads everything' || w.via,
         coalesce(w.leave, pg_catalog.format('ALTER ROLE %I NOSUPERUSER', w.name))
    FROM who w WHERE w.rolsuper
  UNION ALL
  SELECT 'high', 'owner', m.shown, NULL,
         'The owner of a table reads it, and gives that right to others' || m.note || w.via,
         coalesce(w.leave, pg_catalog.format('ALTER TABLE %s OWNER TO another_role', m.shown))
    FROM masked_table m JOIN who w ON w.oid = m.relowner WHERE m.kind < 3
  UNION ALL
  SELECT CASE WHEN m.is_open THEN 'high' ELSE 'low' END, 'table grant', m.shown, NULL,
         'SELECT on the table' || m.note || w.via
           || CASE WHEN m.is_open THEN '' ELSE '; of use with USAGE on its schema' END,
         g.before || pg_catalog.format('REVOKE SELECT ON %s FROM %s', m.shown, w.grantee) || g.after
    FROM masked_table m
    JOIN granted g ON g.rel = m.rel AND g.num = 0 AND g.privilege = 'SELECT'
    JOIN who w ON w.oid = g.grantee
   WHERE m.kind < 3
  UNION ALL
  SELECT CASE WHEN m.is_open THEN 'high' ELSE 'low' END, 'column grant', m.shown, m.name,
         'SELECT on the column' || m.note || w.via
           || CASE WHEN m.is_open THEN '' ELSE '; of use with USAGE on its schema' END,
         g.before || pg_catalog.format('REVOKE SELECT (%I) ON %s FROM %s', m.name, m.shown, w.grantee) || g.after
    FROM masked m
    JOIN granted g ON g.rel = m.rel AND g.num = m.attnum AND g.privilege = 'SELECT'
    JOIN who w ON w.oid = g.grantee
   WHERE m.kind < 3
  UNION ALL
  SELECT CASE w.name WHEN 'pg_read_all_stats' THEN 'medium' ELSE 'high' END,
         'predefined role', pg_catalog.format('role %I', w.name), NULL,
         CASE w.name WHEN 'pg_read_all_data' THEN 'It reads every table'
              WHEN 'pg_read_all_stats' THEN 'It sees the statements of others, with the values in them'
              WHEN 'pg_execute_server_program' THEN 'It runs programs as the server, which reads its files'
              ELSE 'It reads or writes files of the server, where the tables are' END,
         w.leave
    FROM who w
   WHERE w.name = ANY (ARRAY['pg_read_all_data', 'pg_read_all_stats', 'pg_read_server_files',
                             'pg_write_server_files', 'pg_execute_server_program']) AND NOT w.is_self
  UNION ALL
  SELECT 'high', 'replication', pg_catalog.format('role %I', w.name), NULL,
         'It may copy the whole server, or receive every change' || w.via,
         coalesce(w.leave, pg_catalog.format('ALTER ROLE %I NOREPLICATION', w.name))
    FROM who w WHERE w.rolreplication AND NOT w.rolsuper
  UNION ALL
  SELECT CASE WHEN pg_catalog.current_setting('server_version_num')::integer < 160000 THEN 'high' ELSE 'medium' END,
         'createrole', pg_catalog.format('role %I', w.name), NULL,
         'It may make roles members of others, itself too before version 16' || w.via,
         coalesce(w.leave, pg_catalog.format('ALTER ROLE %I NOCREATEROLE', w.name))
    FROM who w WHERE w.rolcreaterole AND NOT w.rolsuper
  UNION ALL
  SELECT 'medium', 'bypassrls', m.shown, NULL,
         'Row-level security of the table holds back nothing from it' || w.via,
         coalesce(w.leave, pg_catalog.format('ALTER ROLE %I NOBYPASSRLS', w.name))
    FROM who w JOIN masked_table m ON m.relrowsecurity WHERE w.rolbypassrls AND NOT w.rolsuper
  UNION ALL
  SELECT 'high', 'pg_stats', pg_catalog.format('pg_catalog.%I', c.relname), NULL,
         'SELECT on the statistics, which hold the most common values' || w.via,
         g.before || pg_catalog.format('REVOKE SELECT ON pg_catalog.%I FROM %s', c.relname, w.grantee) || g.after
    FROM pg_catalog.pg_class c
    JOIN granted g ON g.rel = c.oid AND g.privilege = 'SELECT'
    JOIN who w ON w.oid = g.grantee
   WHERE c.oid IN ('pg_catalog.pg_statistic'::pg_catalog.regclass,
                   'pg_catalog.pg_statistic_ext_data'::pg_catalog.regclass)
  UNION ALL
  -- What a table has that is dropped and made again, or a copy beside it.
  SELECT DISTINCT CASE WHEN m.is_open THEN 'medium' ELSE 'low' END,
         'default privileges', pg_catalog.format('schema %I', m.schema), NULL::text,
         pg_catalog.format('A table that role %I makes there, as %s made again, has SELECT for %s',
                           pg_catalog.pg_get_userbyid(d.defaclrole), m.first, w.grantee) || w.via
           || CASE WHEN m.is_open THEN '' ELSE '; of use with USAGE on its schema' END,
         pg_catalog.format('ALTER DEFAULT PRIVILEGES FOR ROLE %I', pg_catalog.pg_get_userbyid(d.defaclrole))
           || CASE WHEN d.defaclnamespace = 0::pg_catalog.oid THEN ''
                   ELSE pg_catalog.format(' IN SCHEMA %I', m.schema) END
           || pg_catalog.format(' REVOKE SELECT ON TABLES FROM %s', w.grantee)
           || CASE WHEN x.is_grantable THEN ' CASCADE' ELSE '' END
    FROM pg_catalog.pg_default_acl d
   CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) x
    JOIN who w ON w.oid = x.grantee
    JOIN (SELECT c.relnamespace, m.schema, m.is_open, pg_catalog.array_agg(m.relowner) AS owners,
                 pg_catalog.min(m.shown) AS first
            FROM masked_table m JOIN pg_catalog.pg_class c ON c.oid = m.rel
           WHERE m.kind < 3 GROUP BY c.relnamespace, m.schema, m.is_open) m
      ON d.defaclnamespace IN (m.relnamespace, 0::pg_catalog.oid)
     -- Whoever may make one there; its owner may, whatever the schema says.
     AND (d.defaclrole = ANY (m.owners)
          OR pg_catalog.has_schema_privilege(d.defaclrole, m.relnamespace, 'CREATE'))
   WHERE d.defaclobjtype = 'r'::"char" AND x.privilege_type = 'SELECT' AND x.grantee <> d.defaclrole
)
