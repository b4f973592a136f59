-- $1: index or statistics object, $2: number of the column of an index, 0 for a statistics object.
-- The transactions that have stored its samples.
SELECT s.xmin::pg_catalog.text::pg_catalog.int8
  FROM pg_catalog.pg_statistic s
 WHERE $2::pg_catalog.int4 > 0 AND s.starelid = $1::pg_catalog.int8::pg_catalog.oid
   AND s.staattnum::pg_catalog.int4 = $2::pg_catalog.int4
UNION ALL
SELECT d.xmin::pg_catalog.text::pg_catalog.int8
  FROM pg_catalog.pg_statistic_ext_data d
 WHERE $2::pg_catalog.int4 = 0 AND d.stxoid = $1::pg_catalog.int8::pg_catalog.oid
