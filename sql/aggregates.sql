-- aggregates: they live in the schema of the masks, which the path of the script begins with.

-- Read-write ends keep aggregates out of windows, where one would answer for every frame.
CREATE AGGREGATE anon_dp_count(unit anyelement, epsilon double precision) (
  SFUNC = confiture._dp_count, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_count_end, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_count(unit anyelement, epsilon double precision, max_rows integer) (
  SFUNC = confiture._dp_count, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_count_end, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_sum(
  unit anyelement, value integer, lower integer, upper integer, epsilon double precision) (
  SFUNC = confiture._dp_sum, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_sum_end_bigint, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_sum(
  unit anyelement, value bigint, lower bigint, upper bigint, epsilon double precision) (
  SFUNC = confiture._dp_sum, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_sum_end_bigint, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_sum(
  unit anyelement, value double precision, lower double precision, upper double precision, epsilon double precision) (
  SFUNC = confiture._dp_sum, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_sum_end_double, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_sum(
  unit anyelement, value numeric, lower numeric, upper numeric, epsilon double precision) (
  SFUNC = confiture._dp_sum, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_sum_end_numeric, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_avg(
  unit anyelement, value integer, lower integer, upper integer, epsilon double precision) (
  SFUNC = confiture._dp_avg, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_avg_end, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_avg(
  unit anyelement, value bigint, lower bigint, upper bigint, epsilon double precision) (
  SFUNC = confiture._dp_avg, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_avg_end, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_avg(
  unit anyelement, value double precision, lower double precision, upper double precision, epsilon double precision) (
  SFUNC = confiture._dp_avg, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_avg_end, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_avg(
  unit anyelement, value numeric, lower numeric, upper numeric, epsilon double precision) (
  SFUNC = confiture._dp_avg, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_avg_end, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_quantile(
  unit anyelement, value integer, q double precision, lower integer, upper integer, epsilon double precision) (
  SFUNC = confiture._dp_quantile, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_quantile_end_bigint, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_quantile(
  unit anyelement, value bigint, q double precision, lower bigint, upper bigint, epsilon double precision) (
  SFUNC = confiture._dp_quantile, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_quantile_end_bigint, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_quantile(
  unit anyelement, value double precision, q double precision, lower double precision, upper double precision, epsilon double precision) (
  SFUNC = confiture._dp_quantile, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_quantile_end_double, FINALFUNC_MODIFY = READ_WRITE);
CREATE AGGREGATE anon_dp_quantile(
  unit anyelement, value numeric, q double precision, lower numeric, upper numeric, epsilon double precision) (
  SFUNC = confiture._dp_quantile, STYPE = internal, PARALLEL = UNSAFE,
  FINALFUNC = confiture._dp_quantile_end_numeric, FINALFUNC_MODIFY = READ_WRITE);
