-- Masked views: analysts query the live tables of a clinic and see nobody. In an empty database:
--
--   psql -d clinic -v profile="$(cat profile.yaml)" -f views.sql
--
-- Makes the roles analyst and intern, and takes them away at the end.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset pager off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null

CREATE SCHEMA clinic;
CREATE TABLE clinic.patients (id integer PRIMARY KEY, name text, email text UNIQUE, born date);
CREATE TABLE clinic.visits (id integer PRIMARY KEY, patient_email text REFERENCES clinic.patients (email),
                            insurance text, ward text, cost numeric(8,2), note text);
INSERT INTO clinic.patients
SELECT i, 'Patient ' || i, 'patient' || i || '@post.example', date '1950-01-01' + i * 37
  FROM generate_series(1, 200) i;
INSERT INTO clinic.visits
SELECT i, 'patient' || 1 + i % 200 || '@post.example', 'A' || 100000 + i,
       (ARRAY['eye', 'heart', 'skin'])[1 + i % 3], 20 + i % 7, 'seen by Dr. ' || i % 5
  FROM generate_series(1, 1000) i;

CREATE ROLE analyst;
CREATE ROLE intern;
SELECT confiture.load_profile(:'profile') \g /dev/null

\echo '1. A view of every table of the profile'
SELECT * FROM confiture.create_masked_views('clinic', source => 'clinic', target => 'research');
GRANT USAGE ON SCHEMA research TO analyst, intern;
GRANT SELECT ON ALL TABLES IN SCHEMA research TO analyst;
GRANT SELECT (id, ward, cost) ON research.visits TO intern;

\echo '2. The analyst joins by pseudonym, over rows as they are now'
SET ROLE analyst;
SELECT v.ward, count(DISTINCT p.id) AS patients, sum(v.cost) AS cost
  FROM research.visits v JOIN research.patients p ON p.email = v.patient_email
 GROUP BY v.ward ORDER BY v.ward;
SELECT id, name, email LIKE 'user\_%' AS "email is a pseudonym", note
  FROM research.patients JOIN (SELECT patient_email, note FROM research.visits WHERE id = 1) v
    ON v.patient_email = email;

\echo '3. The analyst has neither the tables nor the masks'
\set ON_ERROR_STOP off
SELECT email FROM clinic.patients;
SELECT anon_email('patient1@post.example');
SELECT confiture._mask_row(1, 3, 0::oid, '(0,1)', NULL::text);
\set ON_ERROR_STOP on
RESET ROLE;

\echo '4. A new row is there at once'
INSERT INTO clinic.patients VALUES (201, 'Ada', 'ada@post.example', '1980-02-29');
SET ROLE analyst;
SELECT count(*) FROM research.patients;
RESET ROLE;

\echo '5. Is there another way to the values?'
GRANT SELECT ON clinic.visits TO intern;
CREATE VIEW research.shortcut AS SELECT email FROM clinic.patients;
GRANT SELECT ON research.shortcut TO analyst;
SELECT severity, path, object, remedy FROM confiture.lint_access('analyst');
SELECT severity, path, object, remedy FROM confiture.lint_access('intern');

\echo '6. Who made which views is on record'
SELECT event, details ->> 'views' AS views FROM confiture.audit_log WHERE event LIKE 'VIEWS%';

DROP VIEW research.shortcut;
SELECT confiture.drop_masked_views('research') \g /dev/null
DROP SCHEMA research;
DROP OWNED BY analyst, intern;
DROP ROLE analyst, intern;
