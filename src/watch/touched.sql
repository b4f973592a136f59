-- The relations whose columns, or whose names, the running command may have changed: those that it
-- was about, those in schemas and extensions that it was about, those with columns of such types,
-- and all that have their columns from one of them, as children, partitions or tables of a type.
WITH RECURSIVE reported AS (
  SELECT d.classid, d.objid FROM pg_catalog.pg_event_trigger_ddl_commands() d
), named AS (
  SELECT r.classid, r.objid FROM reported r
  UNION
  SELECT m.classid, m.objid
    FROM reported r
    JOIN pg_catalog.pg_depend m ON m.refclassid = r.classid AND m.refobjid = r.objid
   WHERE r.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND m.deptype = 'e'
), typed AS (
  SELECT t.oid, t.typarray
    FROM named r
    JOIN pg_catalog.pg_type t ON t.oid = r.objid
   WHERE r.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
  UNION
  SELECT t.oid, t.typarray
    FROM named r
    JOIN pg_catalog.pg_type t ON t.typnamespace = r.objid
   WHERE r.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
), reached AS (
  SELECT r.objid AS oid FROM named r
   WHERE r.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION
  SELECT c.oid
    FROM named r
    JOIN pg_catalog.pg_class c ON c.relnamespace = r.objid
   WHERE r.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
  UNION
  SELECT d.objid
    FROM typed t
    JOIN pg_catalog.pg_depend d ON d.refobjid IN (t.oid, t.typarray)
   WHERE d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
     AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
  UNION
  SELECT f.child
    FROM reached r
    JOIN (SELECT i.inhparent AS parent, i.inhrelid AS child FROM pg_catalog.pg_inherits i
          UNION ALL
          SELECT t.typrelid, c.oid
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON t.oid = c.reloftype
           WHERE c.reloftype <> 0::pg_catalog.oid) AS f ON f.parent = r.oid
)
SELECT c.oid::pg_catalog.int8
  FROM reached r
  JOIN pg_catalog.pg_class c ON c.oid = r.oid
 WHERE c.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']::pg_catalog."char"[])
