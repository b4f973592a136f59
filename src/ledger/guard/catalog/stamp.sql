-- $1: the extension, $2: tables of the ledger, $3: functions of the ledger. What identifies, by place
-- and writer, every row that definition.sql reads of catalogs whose changes the server tells no cache
-- of: a row that was changed lies elsewhere, or was written by another transaction.
WITH named AS MATERIALIZED (
  SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relname = ANY ($2::text[]::name[])
), routine AS MATERIALIZED (
  SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.proname = ANY ($3::text[]::name[])
)
SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', s.t, s.c, s.x), ',')
  FROM (
    SELECT e.tableoid AS t, e.ctid AS c, e.xmin AS x FROM pg_catalog.pg_extension e
     WHERE e.extname = $1::text::name
    UNION ALL
    SELECT d.tableoid, d.ctid, d.xmin FROM named n
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = n.oid
       AND d.objsubid = 0
    UNION ALL
    SELECT d.tableoid, d.ctid, d.xmin FROM routine r
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = r.oid
    UNION ALL
    SELECT d.tableoid, d.ctid, d.xmin FROM pg_catalog.pg_event_trigger t
      JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass AND d.objid = t.oid
    UNION ALL
    SELECT t.tableoid, t.ctid, t.xmin FROM named n
      JOIN pg_catalog.pg_trigger t ON t.tgrelid = n.oid
    UNION ALL
    SELECT d.tableoid, d.ctid, d.xmin FROM named n
      JOIN pg_catalog.pg_attrdef d ON d.adrelid = n.oid
    UNION ALL
    SELECT p.tableoid, p.ctid, p.xmin FROM named n
      JOIN pg_catalog.pg_policy p ON p.polrelid = n.oid
    UNION ALL
    SELECT h.tableoid, h.ctid, h.xmin FROM named n
      JOIN pg_catalog.pg_inherits h ON h.inhparent = n.oid
    UNION ALL
    SELECT h.tableoid, h.ctid, h.xmin FROM named n
      JOIN pg_catalog.pg_inherits h ON h.inhrelid = n.oid) s
