-- From a database with schema "prod" (schema.sql, data.sql) to an anonymized schema "staging".
--
--   psql -v profile_file=examples/webshop/profile.yaml -f examples/webshop/demo.sql
--
-- The server must know where its key file is or shall be (setting confiture.key_file). Each step
-- may be repeated: what exists already is kept, and staging is refreshed.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
SET client_min_messages = warning;

\echo
\echo '== Extension and key'
CREATE EXTENSION IF NOT EXISTS confiture;
SELECT (pg_stat_file(current_setting('confiture.key_file'), missing_ok => true)).size IS NULL AS no_key_file \gset
SELECT NOT EXISTS (SELECT FROM confiture.key_version) AS no_key \gset
\if :no_key_file
  SELECT confiture.init_key_file() AS unused \gset
  \echo 'made the key file'
\endif
\if :no_key
  SELECT confiture.create_key('masking') AS unused \gset
  \echo 'made the masking key'
\else
  \echo 'the masking key is there already: pseudonyms stay as they were'
\endif

\echo
\echo '== Profile'
\set profile_text `cat :'profile_file'`
SELECT confiture.load_profile(:'profile_text') AS loaded \gset
\echo :loaded

\echo
\echo '== CALL confiture.sync(''webshop'', source => ''prod'', target => ''staging'')'
CALL confiture.sync('webshop', source => 'prod', target => 'staging');
-- The run that was just made; everything below is about it.
SELECT id AS entry, run_id FROM confiture.get_audit_log(1) \gset
SELECT format('%s rows in %s tables, %s checks passed, %s s', sum(r.value::bigint), count(*),
              jsonb_array_length(e.verification_report), e.details ->> 'seconds') AS summary
FROM confiture.audit_log AS e CROSS JOIN jsonb_each_text(e.rows_anonymized) AS r
WHERE e.id = :'entry' GROUP BY e.seq \gset
\echo :summary

\echo
\echo '== Before and after'
\ir before_after.sql

\echo
\echo '== What the run did'
SELECT table_name AS "table", rows, seconds, rows_per_second AS "rows/s"
FROM confiture.run_report WHERE run_id = :'run_id' ORDER BY table_name;

\echo
\echo '== Its entry in the audit log (all of it: SELECT * FROM confiture.get_audit_log(1))'
WITH entry AS (SELECT * FROM confiture.audit_log WHERE id = :'entry')
SELECT line.name AS entry, line.content AS " "
FROM entry AS e
CROSS JOIN LATERAL (
  VALUES
    (1, 'event',     format('%s, entry %s', e.event, e.seq)),
    (2, 'when',      to_char(e."timestamp" AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"')),
    (3, 'who',       format('%s, logged in as %s, from %s with %s',
                            e.user_name, e.session_user_name, e.hostname, e.application_name)),
    (4, 'where',     format('database %s, schema %s to schema %s',
                            e.source_database, e.source_schema, e.target_schema)),
    (5, 'profile',   format('%s, version %s, SHA-256 %s...',
                            e.profile_name, e.profile_version, left(encode(e.profile_hash, 'hex'), 16))),
    (6, 'rows',      format('%s in %s tables',
                            (SELECT sum(value::bigint) FROM jsonb_each_text(e.rows_anonymized)),
                            cardinality(e.tables_synced))),
    (7, 'checks',    format('%s, %s', jsonb_array_length(e.verification_report),
                            CASE WHEN e.verification_passed THEN 'all passed' ELSE 'not all passed' END)),
    (8, 'signed by', format('key %s, version %s: %s...',
                            e.key_name, e.key_version, left(encode(e.signature, 'hex'), 16)))
  UNION ALL
  SELECT 9, 'masked', rpad(t.key, 16) || coalesce(string_agg(format('%s x %s', t.times, t.strategy), ', '), 'nothing')
  FROM (SELECT t.key, split_part(c.value, '/', 1) AS strategy, count(c.value) AS times
        FROM jsonb_each(e.strategies_applied) AS t LEFT JOIN LATERAL jsonb_each_text(t.value) AS c ON true
        GROUP BY 1, 2 ORDER BY 1, 2) AS t
  WHERE t.times > 0 GROUP BY t.key
) AS line (n, name, content)
ORDER BY line.n, line.content;

\echo
\echo '== Is the log intact?'
SELECT check_code AS code, status, concat_ws('-', seq_from, seq_to) AS entries,
       regexp_replace(detail, '(.{60,80}) ', E'\\1\n', 'g') AS detail
FROM confiture.verify_ledger();
