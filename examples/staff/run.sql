-- The people of a company, masked: plan, run, checks. The README says how it is called.

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
  FROM confiture.plan('staff', 'prod', 'staging') GROUP BY 1 ORDER BY 1;

\echo 2. The run, which no warning may stand in the way of
CALL confiture.sync('staff', source => 'prod', target => 'staging', options => '{"strict": true}');
SELECT run_id FROM confiture.get_audit_log(1) \gset
SELECT table_name AS "table", rows FROM confiture.run_report WHERE run_id = :'run_id' ORDER BY 1;

\echo 3. What the run has checked
SELECT bool_and(passed) AS "all passed", count(*) FILTER (WHERE check_name ~ 'quasi-identifiers') AS gates
  FROM confiture.verification WHERE run_id = :'run_id';

\echo 4. Who reports to whom is as it was: people by level, and departments whose head works there
WITH RECURSIVE
  before AS (SELECT id, 1 AS level FROM prod.employees WHERE manager_id IS NULL
             UNION ALL SELECT e.id, b.level + 1 FROM prod.employees AS e JOIN before AS b ON b.id = e.manager_id),
  after AS (SELECT id, 1 AS level FROM staging.employees WHERE manager_id IS NULL
            UNION ALL SELECT e.id, a.level + 1 FROM staging.employees AS e JOIN after AS a ON a.id = e.manager_id)
SELECT level, count(b.id) AS before, count(a.id) AS after
  FROM before AS b FULL JOIN after AS a USING (id, level) GROUP BY level ORDER BY level;
SELECT count(*) AS departments FROM staging.departments AS d
  JOIN staging.employees AS e ON e.id = d.head_id AND e.department_id = d.id;

\echo 5. Salaries in bands, and the fewest people of a band
SELECT salary AS "from", count(*) AS people FROM staging.employees GROUP BY 1 ORDER BY 1;
SELECT anon_k_anonymity('prod.employees', '{salary}') AS "k before",
       anon_k_anonymity('staging.employees', '{salary}') AS "k after";

\echo 6. Absences: somebody was away, as long as he was, from the same weekday on
SELECT s.kind, count(*) AS absences, count(*) FILTER (WHERE s.first_day <> p.first_day) AS moved,
       count(*) FILTER (WHERE s.last_day - s.first_day = p.last_day - p.first_day) AS "as long",
       count(*) FILTER (WHERE extract(isodow FROM s.first_day) = extract(isodow FROM p.first_day)) AS "same weekday"
  FROM staging.absences AS s JOIN prod.absences AS p USING (id) GROUP BY 1;

\echo 7. One person in all columns: an address bears the names of its row; no rating came along
SELECT count(*) AS people, count(*) FILTER (WHERE email ~ '^[a-z.-]+[.][0-9a-f]{20}@example[.]com$') AS "made addresses",
       bool_and(left(email, 1) = lower(left(first_name, 1)) OR first_name !~ '^[A-Z]') AS "same initials",
       (SELECT count(rating) FROM staging.reviews) AS ratings
  FROM staging.employees;

\echo 8. The evidence; W01 counts the entries that no anchor outside of the database covers yet
SELECT event, user_name IS NOT NULL AS "by somebody", verification_passed AS "checks passed"
  FROM confiture.get_audit_log(1);
SELECT check_code, status FROM confiture.verify_ledger() ORDER BY 1;
