-- $1: table, $2: its schema, $3: its name, $4: unused. The values of columns that statistics
-- objects keep: the first of each combination are those of columns, in their order.
SELECT a.name::pg_catalog.text,
       pg_catalog.format('%I.%I', s.statistics_schemaname, s.statistics_name), false, v.given
  FROM pg_catalog.pg_stats_ext s
 CROSS JOIN LATERAL pg_catalog.unnest(s.attnames) WITH ORDINALITY AS a (name, place)
 CROSS JOIN LATERAL (SELECT ARRAY(
   SELECT DISTINCT s.most_common_vals[i][a.place]
     FROM pg_catalog.generate_subscripts(s.most_common_vals, 1) AS i
    WHERE s.most_common_vals[i][a.place] IS NOT NULL)) AS v (given)
 WHERE s.schemaname = $2::pg_catalog.text AND s.tablename = $3::pg_catalog.text
   AND $1::pg_catalog.int8 IS NOT NULL AND $4::pg_catalog.bool IS NOT NULL
   AND v.given <> '{}'
 ORDER BY 2, a.place
