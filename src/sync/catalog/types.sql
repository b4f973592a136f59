-- Continues trusted.sql.
-- $1: types. One document per type, and per type inside it.
, used AS (
  SELECT pg_catalog.unnest($1::pg_catalog.oid[]) AS oid
  UNION
  SELECT more.oid FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid
   CROSS JOIN LATERAL (
     SELECT t.typbasetype AS oid WHERE t.typtype = 'd'
     UNION ALL SELECT t.typelem WHERE t.typcategory = 'A'
     UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid
     UNION ALL SELECT r.rngtypid FROM pg_catalog.pg_range r WHERE r.rngmultitypid = t.oid
     UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a
                WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
                  AND a.attnum > 0 AND NOT a.attisdropped) more
)
SELECT pg_catalog.jsonb_build_object(
  'oid', t.oid::pg_catalog.int8, 'schema', n.nspname, 'name', t.typname, 'kind', t.typtype,
  'category', t.typcategory,
  'owner', pg_catalog.pg_get_userbyid(t.typowner),
  'owned', pg_catalog.pg_has_role(t.typowner, 'MEMBER'),
  'owner_trusted', t.typowner IN (SELECT o.oid FROM trusted o),
  'inner', CASE WHEN t.typtype = 'd' THEN t.typbasetype::pg_catalog.int8
                WHEN e.oid IS NOT NULL THEN e.oid::pg_catalog.int8
                ELSE (SELECT CASE WHEN r.rngtypid = t.oid THEN r.rngsubtype ELSE r.rngtypid END::pg_catalog.int8
                        FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid OR r.rngmultitypid = t.oid) END,
  'is_array', e.oid IS NOT NULL,
  'base_name', CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
  'default', CASE WHEN t.typtype = 'd' THEN pg_catalog.pg_get_expr(t.typdefaultbin, 0) END,
  'default_varies', EXISTS (
      SELECT FROM pg_catalog.regexp_matches(t.typdefaultbin::text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS m
        JOIN pg_catalog.pg_proc p ON p.oid = m[1]::pg_catalog.oid
       WHERE p.provolatile = 'v'),
  'not_null', t.typnotnull,
  'max_chars', CASE WHEN t.typbasetype = ANY (ARRAY[1042, 1043, 1014, 1015]::pg_catalog.oid[])
                     AND t.typtypmod > 4
                    THEN t.typtypmod - 4 END,
  'checks', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', k.conname, 'definition', pg_catalog.pg_get_constraintdef(k.oid, true),
        'validated', k.convalidated,
        'comment', pg_catalog.obj_description(k.oid, 'pg_constraint')) ORDER BY k.conname)
      FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '[]'),
  'labels', coalesce((SELECT pg_catalog.jsonb_agg(e.enumlabel ORDER BY e.enumsortorder)
      FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '[]'),
  'attributes', coalesce((SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', a.attname, 'type_name', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'type_oid', a.atttypid::pg_catalog.int8,
        'max_chars', CASE WHEN a.atttypid = ANY (ARRAY[1042, 1043, 1014, 1015]::pg_catalog.oid[])
                           AND a.atttypmod > 4 THEN a.atttypmod - 4
                          WHEN a.atttypid = 19::pg_catalog.oid THEN 63 END) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
     WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '[]'))
  FROM used JOIN pg_catalog.pg_type t ON t.oid = used.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  -- Not by category: int2vector and oidvector are in that of arrays, and are none.
  LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
