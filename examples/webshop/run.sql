-- The web shop, masked for tests: plan, run, checks. The README says how it is called.

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
  FROM confiture.plan('webshop', 'prod', 'staging') GROUP BY 1 ORDER BY 1;

\echo 2. What should be known of it: warnings by id
SELECT id, count(*) AS times FROM confiture.plan_warnings('webshop', 'prod', 'staging') GROUP BY 1 ORDER BY 1;

\echo 3. The run
CALL confiture.sync('webshop', source => 'prod', target => 'staging');
SELECT run_id FROM confiture.get_audit_log(1) \gset
SELECT table_name AS "table", rows FROM confiture.run_report WHERE run_id = :'run_id' ORDER BY 1;

\echo 4. What the run has checked
SELECT bool_and(passed) AS "all passed" FROM confiture.verification WHERE run_id = :'run_id';

\echo 5. Equal addresses became equal pseudonyms: a join that uses no key finds as many rows
SELECT v.name AS schema, v.found FROM (VALUES
  ('prod', (SELECT count(*) FROM prod.orders AS o JOIN prod.customers AS c ON c.email = o.contact_email)),
  ('staging', (SELECT count(*) FROM staging.orders AS o JOIN staging.customers AS c ON c.email = o.contact_email))
) AS v (name, found);

\echo 6. Sales are those of the shop
SELECT to_char(s.ordered_at AT TIME ZONE 'UTC', 'YYYY') AS year, sum(s.total) = sum(p.total) AS "same sales"
  FROM staging.orders AS s JOIN prod.orders AS p USING (id, ordered_at) GROUP BY 1 ORDER BY 1;

\echo 7. No session came along
SELECT count(*) AS customers, count(session_token) AS sessions FROM staging.customers;

\echo 8. The evidence; W01 counts the entries that no anchor outside of the database covers yet
SELECT event, user_name IS NOT NULL AS "by somebody", verification_passed AS "checks passed"
  FROM confiture.get_audit_log(1);
SELECT check_code, status FROM confiture.verify_ledger() ORDER BY 1;
