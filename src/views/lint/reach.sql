-- Who the role is, and what is masked.
-- $1: role, $2: schemas, $3: tables, $4: columns, $5: masked views, as qualified names.
WITH RECURSIVE member (oid) AS (
  SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = $1::text::name
  UNION
  -- Also of roles whose rights are not inherited: SET ROLE gives them.
  SELECT m.roleid FROM member u JOIN pg_catalog.pg_auth_members m ON m.member = u.oid
), who AS (
  SELECT r.oid, r.rolname::text AS name, r.rolsuper, r.rolreplication, r.rolbypassrls, r.rolcreaterole,
         r.rolname = $1::text::name AS is_self,
         CASE WHEN r.rolname = $1::text::name THEN ''
              ELSE pg_catalog.format(', as a member of role %I', r.rolname) END AS via,
         pg_catalog.quote_ident(r.rolname::text) AS grantee,
         CASE WHEN r.rolname <> $1::text::name
              THEN pg_catalog.format('REVOKE %I FROM %I', r.rolname, $1::text) END AS leave
    FROM member u JOIN pg_catalog.pg_roles r ON r.oid = u.oid
  UNION ALL
  SELECT 0::pg_catalog.oid, 'PUBLIC', false, false, false, false, false, ', as everybody may', 'PUBLIC', NULL
), raw (rel, name) AS (
  SELECT c.oid, a.attname
    FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                    pg_catalog.unnest($4::text[])) AS w (schema, relation, name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema::name
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.relation::name
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = w.name::name
     AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  -- Partitions can be read by themselves.
  SELECT i.inhrelid, r.name FROM raw r JOIN pg_catalog.pg_inherits i ON i.inhparent = r.rel
), opened AS (
  SELECT n.oid
    FROM pg_catalog.pg_namespace n
   WHERE EXISTS (SELECT FROM who w WHERE w.oid = n.nspowner)
      OR EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl) x JOIN who w ON w.oid = x.grantee
                  WHERE x.privilege_type = 'USAGE')
), masked AS (
  SELECT r.rel, n.nspname::text AS schema, c.relname::text AS relation, a.attname::text AS name, a.attnum,
         c.relowner, c.relacl, a.attacl, c.relkind, c.relrowsecurity,
         pg_catalog.format('%I.%I', n.nspname, c.relname) AS shown,
         n.oid IN (SELECT o.oid FROM opened o) AS is_open
    FROM raw r
    JOIN pg_catalog.pg_class c ON c.oid = r.rel
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = r.rel AND a.attname = r.name
     AND a.attnum > 0 AND NOT a.attisdropped
), masked_table AS (
  SELECT DISTINCT rel, schema, relation, relowner, relacl::text, relkind, relrowsecurity, shown, is_open
    FROM masked
), reading (view, rel, name, is_whole) AS (
  -- Views whose text reads a masked column, by name or as part of the whole row.
  SELECT DISTINCT w.ev_class, m.rel, m.name, d.refobjsubid = 0
    FROM masked m
    JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = m.rel
    JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND w.ev_type = '1'::"char"
    JOIN pg_catalog.pg_class c ON c.oid = w.ev_class
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE (d.refobjsubid = m.attnum
          OR d.refobjsubid = 0 AND w.ev_action::text ~ ':varattno 0 ')
     AND pg_catalog.format('%I.%I', n.nspname, c.relname) <> ALL ($5::text[])
     -- Read with the rights of who asks.
     AND coalesce(c.reloptions::text, '') !~ 'security_invoker=(true|on|1|yes)'
  UNION
  -- And views of those.
  SELECT w.ev_class, v.rel, v.name, v.is_whole
    FROM reading v
    JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = v.view
     AND d.deptype = 'n'
    JOIN pg_catalog.pg_rewrite w ON w.oid = d.objid AND w.ev_class <> v.view AND w.ev_type = '1'::"char"
)
