-- Every column of the tables of users, with what its type is at bottom: one row per column.
WITH keys AS (
  SELECT k.conrelid AS relation, pg_catalog.array_agg(DISTINCT u.place) AS places
    FROM pg_catalog.pg_constraint k, pg_catalog.unnest(k.conkey) AS u (place)
   WHERE k.contype OPERATOR(pg_catalog.=) ANY (ARRAY['p', 'f']::pg_catalog."char"[])
   GROUP BY k.conrelid
), types AS (
  -- Domains are what they are over, however deep.
  SELECT t.oid, coalesce(b3.oid, b2.oid, b1.oid, t.oid) AS base
    FROM pg_catalog.pg_type t
    LEFT JOIN pg_catalog.pg_type b1 ON b1.oid OPERATOR(pg_catalog.=) t.typbasetype
    LEFT JOIN pg_catalog.pg_type b2 ON b2.oid OPERATOR(pg_catalog.=) b1.typbasetype
    LEFT JOIN pg_catalog.pg_type b3 ON b3.oid OPERATOR(pg_catalog.=) b2.typbasetype
)
SELECT n.nspname::pg_catalog.text, c.relname::pg_catalog.text, c.reltuples::pg_catalog.float8,
       c.relrowsecurity, a.attname::pg_catalog.text,
       pg_catalog.format_type(a.atttypid, a.atttypmod),
       coalesce(e.typname, b.typname)::pg_catalog.text,
       coalesce(e.typtype, b.typtype)::pg_catalog.text,
       coalesce(e.typcategory, b.typcategory)::pg_catalog.text,
       e.oid IS NOT NULL,
       coalesce(a.attnum OPERATOR(pg_catalog.=) ANY (keys.places), false)
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
   AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped
  JOIN types t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
  JOIN pg_catalog.pg_type b ON b.oid OPERATOR(pg_catalog.=) t.base
  LEFT JOIN types et ON et.oid OPERATOR(pg_catalog.=) b.typelem
   AND b.typcategory OPERATOR(pg_catalog.=) 'A'::pg_catalog."char"
  LEFT JOIN pg_catalog.pg_type e ON e.oid OPERATOR(pg_catalog.=) et.base
  LEFT JOIN keys ON keys.relation OPERATOR(pg_catalog.=) c.oid
 WHERE c.relkind OPERATOR(pg_catalog.=) ANY (ARRAY['r', 'p', 'f', 'm']::pg_catalog."char"[])
   AND NOT c.relispartition
   AND NOT EXISTS (
         SELECT FROM confiture.masked_views v
          WHERE v.schema_name OPERATOR(pg_catalog.=) n.nspname::pg_catalog.text
            AND v.view_name OPERATOR(pg_catalog.=) c.relname::pg_catalog.text)
   AND n.nspname OPERATOR(pg_catalog.<>) ALL (ARRAY['information_schema', 'confiture']::pg_catalog.name[])
   AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')
   AND ($1::pg_catalog.text[] IS NULL
        OR n.nspname::pg_catalog.text OPERATOR(pg_catalog.=) ANY ($1::pg_catalog.text[]))
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
            AND d.objid OPERATOR(pg_catalog.=) c.oid
            AND d.deptype OPERATOR(pg_catalog.=) 'e'::pg_catalog."char")
 ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C", a.attnum
