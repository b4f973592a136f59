-- The vault, from a refresh to a person who is forgotten. In an empty database:
--
--   psql -d pharmacy -v profile="$(cat profile.yaml)" -f vault.sql
--
-- Makes the roles team and officer, and takes them away at the end.

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset pager off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null

CREATE SCHEMA prod;
CREATE TABLE prod.patients (id integer PRIMARY KEY, name text, email text UNIQUE, card text);
CREATE TABLE prod.prescriptions (id integer PRIMARY KEY, patient_id integer REFERENCES prod.patients,
                                 patient_email text, drug text, taken_on date);
INSERT INTO prod.patients VALUES
  (1, 'Ada Lovelace', 'ada@post.example', '4111-1111-1111-1234'),
  (2, 'Bob Ross', 'bob@post.example', '5500 0000 0000 5678'),
  (3, 'Cleo Null', NULL, NULL);
INSERT INTO prod.prescriptions VALUES
  (10, 1, 'ada@post.example', 'warfarin', '2025-03-01'),
  (11, 1, 'ada@post.example', 'aspirin', '2025-03-02'),
  (12, 2, 'bob@post.example', 'aspirin', '2025-03-02');

CREATE ROLE team;
CREATE ROLE officer;

\echo '1. Spaces of tokens, and who may have which values back: the team those it learns with'
SELECT confiture.create_domain('patients') \g /dev/null
SELECT confiture.create_domain('cards', 'digits', keep_last => 4) \g /dev/null
SELECT confiture.create_domain('training') \g /dev/null
SELECT confiture.grant_access('revealer', 'officer', 'patients') \g /dev/null
SELECT confiture.grant_access('revealer', 'team', 'training') \g /dev/null
SELECT name, format ->> 'format' AS format, is_deterministic FROM confiture.vault_domains ORDER BY name;

\echo '2. The refresh writes tokens'
SELECT confiture.load_profile(:'profile') \g /dev/null
CALL confiture.sync('pharmacy', source => 'prod', target => 'research');
GRANT USAGE ON SCHEMA research TO team, officer;
GRANT SELECT ON ALL TABLES IN SCHEMA research TO team, officer;
SELECT id, name, left(email, 4) AS "email begins", length(email) AS characters, right(card, 4) AS "card ends"
  FROM research.patients ORDER BY id;

\echo 'What it made is on record, before it is complete:'
SELECT event, details ->> 'domain' AS domain, details ->> 'tokens' AS tokens
  FROM confiture.audit_log WHERE event IN ('TOKENIZED', 'COMPLETED') ORDER BY seq;

\echo '3. The team joins by token, and finds who takes what must not be taken together'
SET ROLE team;
SELECT count(*) AS "patients in danger" FROM (
  SELECT FROM research.patients p JOIN research.prescriptions r ON r.patient_email = p.email
   WHERE drug IN ('warfarin', 'aspirin') GROUP BY p.id HAVING count(DISTINCT drug) = 2) AS found;
RESET ROLE;
SELECT patient_email AS token FROM research.prescriptions WHERE id = 10 \gset
SELECT patient_email AS other FROM research.prescriptions WHERE id = 12 \gset

\echo '4. The team may not ask who that is, and that it asked is on record'
SET ROLE team;
\set ON_ERROR_STOP off
\set VERBOSITY terse
SELECT confiture.reveal(:'token', 'patients', 'curious');
\set ON_ERROR_STOP on
RESET ROLE;

\echo '5. The officer may, and ROLLBACK does not take the record back'
SET ROLE officer;
BEGIN;
SELECT confiture.reveal(:'token', 'patients', 'interaction, case 17') AS "who it is";
ROLLBACK;
RESET ROLE;
SELECT user_name, domain, reason, granted FROM confiture.reveals ORDER BY number;

\echo '6. Ada asks to be forgotten: her tokens are nobody''s from now on'
SELECT confiture.forget_subject('patients', '1') AS "tokens ended";
SET ROLE officer;
\set ON_ERROR_STOP off
SELECT confiture.reveal(:'token', 'patients', 'once more');
\set ON_ERROR_STOP on
SELECT confiture.reveal(:'other', 'patients', 'interaction, case 18') AS "who it is";
RESET ROLE;
SELECT event, details ->> 'tokens' AS tokens FROM confiture.audit_log WHERE event = 'SUBJECT_FORGOTTEN';

\echo '7. All of it stands in the ledger'
SELECT check_code, status FROM confiture.verify_ledger() ORDER BY check_code;

DROP OWNED BY team, officer;
DROP ROLE team;
DROP ROLE officer;
