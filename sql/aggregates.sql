-- aggregates: they live in the schema of the masks, which the path of the script begins with.

-- Read-write ends keep aggregates out of windows, where one would answer for every frame.
DO $aggregates$
DECLARE
  made CONSTANT text := 'CREATE AGGREGATE anon_dp_%1$s(unit anyelement, %2$s) (
    SFUNC = confiture._dp_%1$s, STYPE = internal, PARALLEL = UNSAFE,
    FINALFUNC = confiture._dp_%3$s, FINALFUNC_MODIFY = READ_WRITE)';
  kind record;
BEGIN
  EXECUTE pg_catalog.format(made, 'count', 'epsilon double precision', 'count_end');
  EXECUTE pg_catalog.format(made, 'count', 'epsilon double precision, max_rows integer', 'count_end');
  -- Values, and in which type sums and quantiles of them are answered.
  FOR kind IN VALUES ('integer', 'bigint'), ('bigint', 'bigint'),
                   ('double precision', 'double'), ('numeric', 'numeric')
  LOOP
    EXECUTE pg_catalog.format(made, 'sum', pg_catalog.format(
      'value %1$s, lower %1$s, upper %1$s, epsilon double precision', kind.column1),
      pg_catalog.format('sum_end_%s', kind.column2));
    EXECUTE pg_catalog.format(made, 'avg', pg_catalog.format(
      'value %1$s, lower %1$s, upper %1$s, epsilon double precision', kind.column1), 'avg_end');
    EXECUTE pg_catalog.format(made, 'quantile', pg_catalog.format(
      'value %1$s, q double precision, lower %1$s, upper %1$s, epsilon double precision', kind.column1),
      pg_catalog.format('quantile_end_%s', kind.column2));
  END LOOP;
END
$aggregates$;
