-- Who the role is, and what stands where.
-- $1: role, $2: relations, $3: numbers, $4: kinds, $5: notes of columns, $6: rules, $7: relations,
-- $8: numbers of columns that they use, $9: whether they write them.
WITH RECURSIVE member (oid, leave) AS (
  SELECT r.oid, NULL::text FROM pg_catalog.pg_roles r WHERE r.rolname = $1::text::name
  UNION
  -- To leave a role that is reached through others is to leave the first of them.
  SELECT x.roleid, coalesce(u.leave, x.leave) COLLATE pg_catalog."default"
    FROM member u
   CROSS JOIN LATERAL (
     -- Also of roles whose rights are not inherited: SET ROLE gives them.
     SELECT m.roleid,
            pg_catalog.format('REVOKE %I FROM %I', pg_catalog.pg_get_userbyid(m.roleid), $1::text)
              -- Since 16 every grant is its grantor's.
              || CASE WHEN pg_catalog.current_setting('server_version_num')::integer < 160000 THEN ''
                      ELSE pg_catalog.format(' GRANTED BY %I', pg_catalog.pg_get_userbyid(m.grantor)) END AS leave
       FROM pg_catalog.pg_auth_members m WHERE m.member = u.oid
     UNION ALL
     -- The owner of a database is a member of this one, and no list says so.
     SELECT r.oid, pg_catalog.format('ALTER DATABASE %I OWNER TO another_role', d.datname)
       FROM pg_catalog.pg_database d
       JOIN pg_catalog.pg_roles r ON r.rolname = 'pg_database_owner'
      WHERE d.datname = pg_catalog.current_database() AND d.datdba = u.oid) x
), who AS (
  SELECT r.oid, r.rolname::text AS name, r.rolsuper, r.rolreplication, r.rolbypassrls, r.rolcreaterole,
         r.rolname = $1::text::name AS is_self,
         CASE WHEN r.rolname = $1::text::name THEN ''
              ELSE pg_catalog.format(', as a member of role %I', r.rolname) END AS via,
         pg_catalog.quote_ident(r.rolname::text) AS grantee,
         u.leave
    FROM (SELECT u.oid, pg_catalog.string_agg(u.leave, '; ' ORDER BY u.leave) AS leave
            FROM member u GROUP BY u.oid) u
    JOIN pg_catalog.pg_roles r ON r.oid = u.oid
  UNION ALL
  SELECT 0::pg_catalog.oid, 'PUBLIC', false, false, false, false, false, ', as everybody may', 'PUBLIC', NULL
), opened AS (
  SELECT n.oid
    FROM pg_catalog.pg_namespace n
   WHERE EXISTS (SELECT FROM who w WHERE w.oid = n.nspowner)
      OR EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) x JOIN who w ON w.oid = x.grantee
                  WHERE x.privilege_type = 'USAGE')
), masked AS (
  SELECT r.rel, n.nspname::text AS schema, c.relname::text AS relation, a.attname::text AS name, a.attnum,
         c.relowner, c.relkind, c.relrowsecurity, r.kind, r.note,
         pg_catalog.format('%I.%I', n.nspname, c.relname) AS shown,
         n.oid IN (SELECT o.oid FROM opened o) AS is_open
    FROM (SELECT w.rel::pg_catalog.oid, w.num, w.kind, w.note
            FROM ROWS FROM (pg_catalog.unnest($2::bigint[]), pg_catalog.unnest($3::integer[]),
                            pg_catalog.unnest($4::integer[]), pg_catalog.unnest($5::text[]))
              AS w (rel, num, kind, note)) r
    JOIN pg_catalog.pg_class c ON c.oid = r.rel
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = r.rel AND a.attnum = r.num
), masked_table AS (
  SELECT m.rel, m.schema, m.relation, m.relowner, m.relkind, m.relrowsecurity, m.kind, m.shown, m.is_open,
         -- Of a parent, and of a foreign table, it says what it has to do with the table.
         CASE WHEN m.kind = 1 THEN '' ELSE pg_catalog.min(m.note) END AS note
    FROM masked m
   GROUP BY m.rel, m.schema, m.relation, m.relowner, m.relkind, m.relrowsecurity, m.kind, m.shown, m.is_open
), used (rule, rel, num, is_write) AS (
  SELECT w.rule::pg_catalog.oid, w.rel::pg_catalog.oid, w.num, w.is_write
    FROM ROWS FROM (pg_catalog.unnest($6::bigint[]), pg_catalog.unnest($7::bigint[]),
                    pg_catalog.unnest($8::integer[]), pg_catalog.unnest($9::boolean[]))
      AS w (rule, rel, num, is_write)
), reading (view, rel, num) AS (
  -- Views that show a masked column, or compute or choose by it.
  SELECT w.ev_class, u.rel, u.num
    FROM used u
    JOIN pg_catalog.pg_rewrite w ON w.oid = u.rule AND w.ev_type = '1'::"char"
   WHERE NOT u.is_write
  UNION
  -- And views of those.
  SELECT w.ev_class, v.rel, v.num
    FROM reading v
    JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = v.view
     AND d.deptype = 'n'
    JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND w.ev_class <> v.view AND w.ev_type = '1'::"char"
), raw_view AS (
  SELECT c.oid, c.relowner, c.relkind, n.nspname::text AS schema, c.relname::text AS relation,
         pg_catalog.format('%I.%I', n.nspname, c.relname) AS shown,
         CASE c.relkind WHEN 'm'::"char" THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END AS word,
         n.oid IN (SELECT o.oid FROM opened o) AS is_open,
         -- It is read with the rights of who asks, or of the owner of a view on it.
         c.relkind = 'v'::"char" AND coalesce(c.reloptions::text, '')
           ~* 'security_invoker=(t|tr|tru|true|y|ye|yes|on|1)[,}]' AS is_invoker
    FROM (SELECT DISTINCT view FROM reading) v
    JOIN pg_catalog.pg_class c ON c.oid = v.view
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), granted (rel, num, grantee, privilege, before, after) AS (
  -- Rights on relations and their columns that are not their owner's, and what stands around the
  -- statement that takes them: they are taken as who gave them, and with what was given on.
  SELECT x.rel, x.num, x.grantee, x.privilege_type,
         CASE WHEN x.grantor = x.relowner THEN ''
              ELSE pg_catalog.format('SET ROLE %I; ', pg_catalog.pg_get_userbyid(x.grantor)) END,
         CASE WHEN x.is_grantable THEN ' CASCADE' ELSE '' END
           || CASE WHEN x.grantor = x.relowner THEN '' ELSE '; RESET ROLE' END
    FROM (SELECT c.oid AS rel, 0 AS num, c.relowner, x.*
            FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) x
          UNION ALL
          SELECT c.oid, a.attnum, c.relowner, x.*
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
           CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) x) x
   WHERE x.grantee <> x.relowner
)
