-- $1: the extension, $2: tables of the ledger, $3: functions of the ledger. What the catalog says
-- of them: one row per object, with its state; what must not be there at all is a sentence without
-- a state. Tables are found as members of the extension, never by their name alone.
--
-- Left out because they say nothing about what is stored or who may change it: storage and
-- statistics options, tablespace, access method, comments, the right to read, and NOT NULL as a
-- constraint of its own (18), which the column says already.
WITH extension AS MATERIALIZED (
  SELECT e.oid, e.extowner, e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = $1
), member AS MATERIALIZED (
  SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend d
    JOIN extension e ON e.oid = d.refobjid
   WHERE d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
), ours AS MATERIALIZED (
  SELECT c.*, c.relname::text AS name, n.nspname AS home
    FROM pg_catalog.pg_class c
    JOIN member m ON m.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND m.objid = c.oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relname::text = ANY ($2) AND c.relkind IN ('r', 'p', 'f')
), routine AS MATERIALIZED (
  SELECT p.*, n.nspname AS home,
         EXISTS (SELECT FROM member m
                  WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                    AND m.objid = p.oid) AS own
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
   WHERE p.proname::text = ANY ($3) AND n.nspname = $1
), commander AS MATERIALIZED (
  SELECT t.*
    FROM pg_catalog.pg_event_trigger t
    JOIN member m ON m.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND m.objid = t.oid
    JOIN routine r ON r.oid = t.evtfoid
), owned (object, owner) AS (
  SELECT 'table ' || name, relowner FROM ours
  UNION ALL SELECT 'function ' || proname, proowner FROM routine
  UNION ALL SELECT 'event trigger ' || evtname, evtowner FROM commander
  UNION ALL SELECT 'schema ' || n.nspname, n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname = $1
), granted (object, owner, acl) AS (
  SELECT 'table ' || name, relowner, relacl FROM ours
  UNION ALL
  SELECT 'column ' || a.attname || ' of table ' || o.name, o.relowner, a.attacl
    FROM ours o JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid
  UNION ALL SELECT 'schema ' || n.nspname, n.nspowner, n.nspacl FROM pg_catalog.pg_namespace n WHERE n.nspname = $1
)
SELECT 'version of the extension', e.extversion FROM extension e
UNION ALL
SELECT 'table ' || name, pg_catalog.concat_ws(', ',
         CASE relkind WHEN 'r' THEN 'ordinary' WHEN 'p' THEN 'partitioned' ELSE 'foreign' END,
         CASE relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
         CASE WHEN reloftype <> 0 THEN 'of a type' END,
         CASE WHEN NOT relhastriggers THEN 'without triggers' END,
         'in schema ' || home)
  FROM ours
UNION ALL
SELECT 'row-level security of ' || name,
       CASE WHEN relforcerowsecurity THEN 'forced' WHEN relrowsecurity THEN 'on' ELSE 'off' END
  FROM ours
UNION ALL
SELECT 'column ' || a.attname || ' of ' || o.name, pg_catalog.concat_ws(', ',
         'number ' || a.attnum,
         pg_catalog.format_type(a.atttypid, a.atttypmod),
         CASE WHEN a.attcollation <> t.typcollation THEN 'collation ' || a.attcollation::pg_catalog.regcollation END,
         CASE WHEN a.attnotnull THEN 'not null' END,
         CASE WHEN d.oid IS NOT NULL AND a.attgenerated = '' THEN 'default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
         CASE WHEN a.attgenerated <> '' THEN 'generated as ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
         CASE WHEN a.attidentity <> '' THEN 'identity' END)
  FROM ours o
  JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
UNION ALL
SELECT 'column number ' || a.attnum || ' of ' || o.name || ' was dropped', ''
  FROM ours o
  JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND a.attnum > 0 AND a.attisdropped
UNION ALL
SELECT 'constraint ' || k.conname || ' of ' || o.name, pg_catalog.pg_get_constraintdef(k.oid)
  FROM ours o
  JOIN pg_catalog.pg_constraint k ON k.conrelid = o.oid
 -- A constraint trigger is a trigger below.
 WHERE k.contype <> 't' AND (k.contype <> 'n' OR NOT k.convalidated)
UNION ALL
SELECT 'foreign key ' || k.conname || ' of table ' || k.conrelid::pg_catalog.regclass || ' refers to ' || o.name, ''
  FROM ours o
  JOIN pg_catalog.pg_constraint k ON k.confrelid = o.oid AND k.contype = 'f'
UNION ALL
SELECT 'index ' || i.relname || ' of ' || o.name, pg_catalog.concat_ws(', ',
         pg_catalog.pg_get_indexdef(x.indexrelid),
         CASE WHEN NOT x.indisvalid THEN 'invalid' END,
         CASE WHEN NOT x.indisready THEN 'not ready' END,
         CASE WHEN NOT x.indislive THEN 'not live' END)
  FROM ours o
  JOIN pg_catalog.pg_index x ON x.indrelid = o.oid
  JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
 -- REINDEX CONCURRENTLY has a second index while it works.
 WHERE x.indisvalid OR x.indexprs IS NOT NULL OR x.indpred IS NOT NULL OR i.relname !~ '_cc(new|old)[0-9]*$'
UNION ALL
SELECT 'trigger ' || t.tgname || ' on ' || o.name,
       CASE t.tgenabled WHEN 'A' THEN 'always' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' ELSE 'not always' END
  FROM ours o
  JOIN pg_catalog.pg_trigger t ON t.tgrelid = o.oid
 -- Those of a foreign key go with it.
 WHERE NOT t.tgisinternal
    OR NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype = 'f')
UNION ALL
SELECT 'definition of trigger ' || t.tgname || ' on ' || o.name,
       pg_catalog.concat_ws(', ', pg_catalog.pg_get_triggerdef(t.oid), CASE WHEN t.tgisinternal THEN 'internal' END)
  FROM ours o
  JOIN pg_catalog.pg_trigger t ON t.tgrelid = o.oid
 WHERE NOT t.tgisinternal
    OR NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.oid = t.tgconstraint AND k.contype = 'f')
UNION ALL
SELECT 'there is a rule ' || r.rulename || ' on ' || o.name, ''
  FROM ours o
  JOIN pg_catalog.pg_rewrite r ON r.ev_class = o.oid
UNION ALL
SELECT 'there is a policy ' || p.polname || ' on ' || o.name, ''
  FROM ours o
  JOIN pg_catalog.pg_policy p ON p.polrelid = o.oid
UNION ALL
SELECT 'table ' || h.inhrelid::pg_catalog.regclass || ' inherits from ' || o.name, ''
  FROM ours o
  JOIN pg_catalog.pg_inherits h ON h.inhparent = o.oid
UNION ALL
SELECT 'table ' || o.name || ' inherits from ' || h.inhparent::pg_catalog.regclass, ''
  FROM ours o
  JOIN pg_catalog.pg_inherits h ON h.inhrelid = o.oid
UNION ALL
SELECT 'table ' || c.oid::pg_catalog.regclass || ' is not the one of the extension', ''
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = $1
 WHERE c.relname::text = ANY ($2) AND NOT EXISTS (SELECT FROM ours o WHERE o.oid = c.oid)
UNION ALL
SELECT 'function ' || p.proname || '(' || pg_catalog.pg_get_function_arguments(p.oid) || ')',
       pg_catalog.concat_ws(', ',
         CASE WHEN NOT p.own THEN 'not a member of the extension' END,
         'returns ' || pg_catalog.pg_get_function_result(p.oid),
         'language ' || l.lanname,
         CASE WHEN p.probin IS NULL
              THEN 'source ' || pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p.prosrc, 'UTF8')), 'hex')
              ELSE p.prosrc || ' of ' || p.probin END,
         CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
         CASE WHEN p.proisstrict THEN 'strict' END,
         CASE WHEN p.prosecdef THEN 'security definer' END,
         CASE WHEN p.prosupport <> 0 THEN 'support ' || p.prosupport END,
         CASE WHEN p.prosqlbody IS NOT NULL THEN 'body in SQL' END,
         pg_catalog.array_to_string(p.proconfig, ', '))
  FROM routine p
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang
UNION ALL
SELECT 'event trigger ' || t.evtname,
       CASE t.evtenabled WHEN 'A' THEN 'always' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'replica only' ELSE 'not always' END
  FROM commander t
UNION ALL
SELECT 'definition of event trigger ' || t.evtname,
       'on ' || t.evtevent || coalesce(' when tag in ' || pg_catalog.array_to_string(t.evttags, ', '), '')
         || ' execute ' || t.evtfoid::pg_catalog.regproc
  FROM commander t
UNION ALL
SELECT o.object || ' belongs to role ' || r.rolname || ', which is neither a superuser nor the owner of the extension', ''
  FROM owned o
  JOIN pg_catalog.pg_roles r ON r.oid = o.owner
 WHERE NOT r.rolsuper AND o.owner NOT IN (SELECT e.extowner FROM extension e)
UNION ALL
SELECT 'role ' || coalesce(r.rolname, 'public') || ' has ' || a.privilege_type || ' on ' || g.object, ''
  FROM granted g
 CROSS JOIN LATERAL pg_catalog.aclexplode(g.acl) a
  LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.grantee
 WHERE a.grantee <> g.owner
   AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER', 'CREATE')
