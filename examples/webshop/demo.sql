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
SELECT confiture.load_profile(:'profile_text') AS unused \gset
SELECT name, version FROM confiture.profiles WHERE name = 'webshop';

\echo
\echo '== CALL confiture.sync(''webshop'', source => ''prod'', target => ''staging'')'
CALL confiture.sync('webshop', source => 'prod', target => 'staging');

\echo
\echo '== Before and after'
\ir before_after.sql

\echo
\echo '== What the run did'
SELECT * FROM confiture.run_report;

\echo
\echo '== Its entry in the audit log'
\x on
SELECT * FROM confiture.get_audit_log(1);
\x off

\echo
\echo '== Is the log intact?'
SELECT * FROM confiture.verify_ledger();
