-- Every column in which values of the masked ones stand as they are.
-- $1: relations, $2: numbers of columns, $3: what to say of each.
WITH RECURSIVE named (rel, name, note) AS (
  SELECT a.attrelid, a.attname, w.note
    FROM ROWS FROM (pg_catalog.unnest($1::bigint[]), pg_catalog.unnest($2::integer[]),
                    pg_catalog.unnest($3::text[])) AS w (rel, num, note)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = w.rel::pg_catalog.oid AND a.attnum = w.num
     AND NOT a.attisdropped
), below (rel, name, note) AS (
  SELECT * FROM named
  UNION
  -- Partitions and children can be read by themselves.
  SELECT i.inhrelid, b.name, b.note
    FROM below b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.rel
), computed (rel, name, note) AS (
  SELECT * FROM below
  UNION
  -- What a generated column depends on is on record for its default, until 14 for itself.
  SELECT b.rel, g.attname, pg_catalog.format('; it is generated of column %I', b.name)
    FROM below b
    JOIN pg_catalog.pg_attribute a ON a.attrelid = b.rel AND a.attname = b.name
    JOIN pg_catalog.pg_depend d
      ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = b.rel
     AND d.refobjsubid = a.attnum
    JOIN pg_catalog.pg_attrdef e ON e.adrelid = b.rel
     AND (d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = e.oid
          OR d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = e.adrelid
             AND d.objsubid = e.adnum)
    JOIN pg_catalog.pg_attribute g ON g.attrelid = e.adrelid AND g.attnum = e.adnum
     AND g.attgenerated <> ''::"char" AND g.attnum <> a.attnum
), above (rel, name, child) AS (
  SELECT i.inhparent, c.name, c.rel
    FROM computed c JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.rel
  UNION
  -- Who reads a parent reads the rows of its children.
  SELECT i.inhparent, a.name, a.child
    FROM above a JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.rel
), here (rel, name, kind, note) AS (
  SELECT rel, name, 1, note FROM computed
  UNION ALL
  SELECT a.rel, a.name, 2, pg_catalog.format('; it shows the rows of %I.%I', n.nspname, c.relname)
    FROM above a
    JOIN pg_catalog.pg_class c ON c.oid = a.child
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), called AS (
  SELECT DISTINCT h.rel, n.nspname::text AS schema, c.relname::text AS relation
    FROM here h
    JOIN pg_catalog.pg_class c ON c.oid = h.rel
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
), far (rel, num, note) AS (
  -- The table as another server sees it, which may be this one: by its names there.
  SELECT f.ftrelid, a.attnum,
         pg_catalog.format('; foreign, by server %I, on a relation called as %I.%I', s.srvname,
                           o.schema, o.relation)
    FROM pg_catalog.pg_foreign_table f
    JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
   CROSS JOIN LATERAL (
     SELECT coalesce(pg_catalog.min(o.option_value) FILTER (WHERE o.option_name ~ '^schema(_name)?$'),
                     n.nspname::text) AS schema,
            coalesce(pg_catalog.min(o.option_value) FILTER (WHERE o.option_name ~ '^table(_name)?$'),
                     c.relname::text) AS relation
       FROM pg_catalog.pg_options_to_table(f.ftoptions) o) k
    JOIN called o ON o.schema = k.schema AND o.relation = k.relation AND o.rel <> f.ftrelid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.ftrelid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN here h ON h.rel = o.rel
     AND h.name = coalesce((SELECT w.option_value::name FROM pg_catalog.pg_options_to_table(a.attfdwoptions) w
                             WHERE w.option_name = 'column_name'), a.attname)
), every (rel, num, kind, note) AS (
  SELECT h.rel, a.attnum, h.kind, h.note
    FROM here h
    JOIN pg_catalog.pg_attribute a ON a.attrelid = h.rel AND a.attname = h.name
     AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT rel, num, 3, note FROM far
)
SELECT DISTINCT ON (e.rel, e.num) e.rel::bigint, e.num::integer, e.kind, e.note
  FROM every e ORDER BY e.rel, e.num, e.kind, e.note
