-- $1: table, $2: its schema, $3: its name. Indexes and statistics objects with values of expressions:
-- number, and that of the column of an index.
SELECT pg_catalog.format('%I.%I', s.schemaname, s.tablename),
       pg_catalog.format('expression %s', pg_catalog.pg_get_indexdef(x.indexrelid, a.attnum, true)),
       c.oid::pg_catalog.int8, a.attnum::pg_catalog.int4
  FROM pg_catalog.pg_index x
  JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
 WHERE x.indrelid = $1::pg_catalog.int8::pg_catalog.oid
   AND pg_catalog.num_nonnulls(s.most_common_vals, s.histogram_bounds, s.most_common_elems) > 0
UNION ALL
SELECT pg_catalog.format('%I.%I', e.statistics_schemaname, e.statistics_name),
       pg_catalog.format('expression %s', e.expr),
       o.oid::pg_catalog.int8, 0
  FROM pg_catalog.pg_stats_ext_exprs e
  JOIN pg_catalog.pg_namespace n ON n.nspname = e.statistics_schemaname
  JOIN pg_catalog.pg_statistic_ext o ON o.stxnamespace = n.oid AND o.stxname = e.statistics_name
 WHERE e.schemaname = $2::pg_catalog.text AND e.tablename = $3::pg_catalog.text
   AND pg_catalog.num_nonnulls(e.most_common_vals, e.histogram_bounds, e.most_common_elems) > 0
ORDER BY 1, 2
