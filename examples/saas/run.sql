-- One tenant of a shared service, masked: plan, run, checks. The README says how it is called.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset pager off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null
SELECT confiture.load_profile(:'profile') AS loaded \g /dev/null

\echo 1. The plan: what becomes of the columns of each table
SELECT table_name AS "table", count(*) FILTER (WHERE decision = 'masked') AS masked,
       count(*) FILTER (WHERE decision = 'preserved') AS kept,
       count(*) FILTER (WHERE decision NOT IN ('masked', 'preserved')) AS other
  FROM confiture.plan('saas', 'prod', 'staging') GROUP BY 1 ORDER BY 1;

\echo 2. The run, which no warning may stand in the way of
CALL confiture.sync('saas', source => 'prod', target => 'staging', options => '{"strict": true}');
SELECT run_id FROM confiture.get_audit_log(1) \gset
SELECT table_name AS "table", rows FROM confiture.run_report WHERE run_id = :'run_id' ORDER BY 1;

\echo 3. What the run has checked
SELECT bool_and(passed) AS "all passed" FROM confiture.verification WHERE run_id = :'run_id';

\echo 4. One tenant, what it needs, and what belongs to none; no key to production
SELECT (SELECT string_agg(slug, ', ') FROM staging.tenants) AS tenants,
       (SELECT string_agg(code, ', ') FROM staging.plans) AS plans,
       (SELECT count(*) FROM staging.feature_flags) AS flags,
       to_regclass('staging.api_keys') AS keys;
SELECT count(*) AS "rows of others" FROM (
  SELECT tenant_id FROM staging.users UNION ALL SELECT tenant_id FROM staging.projects
  UNION ALL SELECT tenant_id FROM staging.documents UNION ALL SELECT tenant_id FROM staging.events) AS r
 WHERE tenant_id <> 1;

\echo 5. An address is one pseudonym, in columns and in every document
SELECT count(DISTINCT u.email) AS users,
       count(*) FILTER (WHERE u.profile #>> '{contacts,0,email}' = u.email) AS "in profiles",
       (SELECT count(*) FROM staging.documents AS d JOIN staging.users AS a ON a.id = d.author_id
         WHERE d.body #>> '{author,email}' = a.email AND d.body #>> '{comments,0,by}' = a.email) AS "in documents",
       (SELECT count(*) FROM staging.events AS e JOIN staging.users AS a ON a.id = e.user_id
         WHERE e.payload ->> 'actor' = a.email) AS "in events"
  FROM staging.users AS u;

\echo 6. What is left of a document, but for its pseudonyms
SELECT jsonb_pretty(jsonb_set(d.body - '{author,shared_with}'::text[], '{comments,0,by}', '"..."')) AS body,
       (SELECT bool_and(name LIKE 'user\_%@example.com') FROM jsonb_object_keys(d.body -> 'shared_with') AS name) AS "guests masked"
  FROM staging.documents AS d WHERE d.id = 1;
SELECT count(*) AS "recovery codes" FROM staging.users WHERE profile ? 'recovery_code';

\echo 7. The evidence; W01 counts the entries that no anchor outside of the database covers yet
SELECT event, user_name IS NOT NULL AS "by somebody", verification_passed AS "checks passed"
  FROM confiture.get_audit_log(1);
SELECT check_code, status FROM confiture.verify_ledger() ORDER BY 1;
