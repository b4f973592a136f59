-- A hospital, masked for a study: plan, run, checks. The README says how it is called.

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
  FROM confiture.plan('hospital', 'prod', 'staging') GROUP BY 1 ORDER BY 1;

\echo 2. The run, which no warning may stand in the way of
CALL confiture.sync('hospital', source => 'prod', target => 'staging', options => '{"strict": true}');
SELECT run_id FROM confiture.get_audit_log(1) \gset
SELECT table_name AS "table", rows FROM confiture.run_report WHERE run_id = :'run_id' ORDER BY 1;

\echo 3. What the run has checked
SELECT bool_and(passed) AS "all passed", count(*) FILTER (WHERE check_name ~ 'quasi-identifiers') AS gates
  FROM confiture.verification WHERE run_id = :'run_id';

\echo 4. Is it anonymous? Rows that look the same to who knows birth, area and sex, at least
SELECT anon_k_anonymity('prod.patients', '{birth_date,postcode,sex}') AS "k before",
       anon_k_anonymity('staging.patients', '{birth_date,postcode,sex}') AS "k after";

\echo 5. No diagnosis is rare: the fewest patients of a code
SELECT min(patients) AS patients FROM (SELECT count(DISTINCT s.patient_id) AS patients
  FROM staging.diagnoses AS d JOIN staging.stays AS s ON s.id = d.stay_id GROUP BY d.code) AS c;

\echo 6. Dates have moved, and what lies between them has not
SELECT count(*) AS stays, count(*) FILTER (WHERE s.admitted_on <> p.admitted_on) AS moved,
       count(*) FILTER (WHERE s.discharged_on - s.admitted_on IS NOT DISTINCT FROM p.discharged_on - p.admitted_on) AS "as long",
       count(*) FILTER (WHERE extract(isodow FROM s.admitted_on) = extract(isodow FROM p.admitted_on)) AS "same weekday"
  FROM staging.stays AS s JOIN prod.stays AS p USING (id);
SELECT count(*) AS "laboratory values",
       count(*) FILTER (WHERE l.taken_at - s.admitted_on = q.taken_at - p.admitted_on) AS "as late in the stay"
  FROM staging.lab_results AS l JOIN staging.stays AS s ON s.id = l.stay_id
  JOIN prod.lab_results AS q ON q.id = l.id JOIN prod.stays AS p ON p.id = q.stay_id;

\echo 7. The evidence; W01 counts the entries that no anchor outside of the database covers yet
SELECT event, user_name IS NOT NULL AS "by somebody", verification_passed AS "checks passed"
  FROM confiture.get_audit_log(1);
SELECT check_code, status FROM confiture.verify_ledger() ORDER BY 1;
