-- A bank, masked for tests of payments: plan, run, checks. The README says how it is called.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset pager off
SET client_min_messages = warning;
SET timezone = 'UTC';

CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null
SELECT confiture.load_profile(:'profile') AS loaded \g /dev/null

\echo 1. The plan: what becomes of the columns of each table
SELECT table_name AS "table", count(*) FILTER (WHERE decision = 'masked') AS masked,
       count(*) FILTER (WHERE decision = 'preserved') AS kept,
       count(*) FILTER (WHERE decision NOT IN ('masked', 'preserved')) AS other
  FROM confiture.plan('bank', 'prod', 'staging') GROUP BY 1 ORDER BY 1;

\echo 2. The run, which no warning may stand in the way of
CALL confiture.sync('bank', source => 'prod', target => 'staging', options => '{"strict": true}');
SELECT run_id FROM confiture.get_audit_log(1) \gset
SELECT table_name AS "table", rows FROM confiture.run_report WHERE run_id = :'run_id' ORDER BY 1;

\echo 3. What the run has checked
SELECT bool_and(passed) AS "all passed" FROM confiture.verification WHERE run_id = :'run_id';

\echo 4. Numbers are valid, and others
SELECT count(*) AS accounts, count(*) FILTER (WHERE s.iban <> p.iban) AS others,
       count(*) FILTER (WHERE mod((substr(s.iban, 5) || '1314' || substr(s.iban, 3, 2))::numeric, 97) = 1) AS "right check digits"
  FROM staging.accounts AS s JOIN prod.accounts AS p USING (id);
SELECT count(*) AS cards, count(*) FILTER (WHERE s.number <> p.number) AS others,
       count(*) FILTER (WHERE left(s.number, 6) = left(p.number, 6)) AS "same issuer",
       count(*) FILTER (WHERE l.total % 10 = 0) AS "right check digit", count(s.cvv_hash) AS "hashes of codes"
  FROM staging.cards AS s JOIN prod.cards AS p USING (id)
 CROSS JOIN LATERAL (SELECT sum(CASE WHEN i % 2 = 0 THEN d WHEN d > 4 THEN 2 * d - 9 ELSE 2 * d END) AS total
   FROM (SELECT i, substr(s.number, i, 1)::integer AS d FROM generate_series(1, 16) AS i) AS n) AS l;

\echo 5. A transfer within the bank still finds its account, by its number alone
SELECT v.name AS schema, v.found FROM (VALUES
  ('prod', (SELECT count(*) FROM prod.transfers AS t JOIN prod.accounts AS a ON a.iban = t.counterparty_iban)),
  ('staging', (SELECT count(*) FROM staging.transfers AS t JOIN staging.accounts AS a ON a.iban = t.counterparty_iban))
) AS v (name, found);

\echo 6. Amounts are near, and none is the one that was booked
SELECT count(*) AS transfers, count(*) FILTER (WHERE s.amount = p.amount) AS same,
       count(*) FILTER (WHERE abs(s.amount - p.amount) <= abs(p.amount) * 0.1 + 0.01) AS "within a tenth",
       count(*) FILTER (WHERE sign(s.amount) = sign(p.amount)) AS "same direction"
  FROM staging.transfers AS s JOIN prod.transfers AS p USING (id);

\echo 7. References keep their words and lose names and numbers
SELECT count(*) AS "references", count(*) FILTER (WHERE s.reference LIKE 'Invoice 2025-%' OR s.reference LIKE 'Rent to %') AS "words kept",
       count(*) FILTER (WHERE strpos(s.reference, p.counterparty_name) > 0 OR strpos(s.reference, p.counterparty_iban) > 0) AS "gave it away"
  FROM staging.transfers AS s JOIN prod.transfers AS p USING (id) WHERE p.reference IS NOT NULL;

\echo 8. The evidence; W01 counts the entries that no anchor outside of the database covers yet
SELECT event, user_name IS NOT NULL AS "by somebody", verification_passed AS "checks passed"
  FROM confiture.get_audit_log(1);
SELECT check_code, status FROM confiture.verify_ledger() ORDER BY 1;
