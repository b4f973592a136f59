-- $1: table, $2: its schema, $3: its name, $4: whether it is partitioned. The values that the
-- planner keeps of each column, and those it keeps of the elements of arrays and documents.
SELECT s.attname::pg_catalog.text, NULL::pg_catalog.text, v.are_elements, v.given
  FROM pg_catalog.pg_stats s
  JOIN pg_catalog.pg_attribute a
    ON a.attrelid = $1::pg_catalog.int8::pg_catalog.oid AND a.attname = s.attname
  JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 CROSS JOIN LATERAL (VALUES
   (false, ARRAY(SELECT DISTINCT u.v FROM pg_catalog.unnest(
       coalesce(s.most_common_vals::pg_catalog.text::pg_catalog.text[], '{}')
       || coalesce(s.histogram_bounds::pg_catalog.text::pg_catalog.text[], '{}')) AS u (v)
      WHERE u.v IS NOT NULL)),
   (true, ARRAY(SELECT DISTINCT u.v FROM pg_catalog.unnest(
       coalesce(s.most_common_elems::pg_catalog.text::pg_catalog.text[], '{}')) AS u (v)
      WHERE u.v IS NOT NULL AND t.typcategory = 'A'))
   ) AS v (are_elements, given)
 WHERE s.schemaname = $2::pg_catalog.text AND s.tablename = $3::pg_catalog.text
   AND s.inherited = $4::pg_catalog.bool AND v.given <> '{}'
 ORDER BY a.attnum, v.are_elements
