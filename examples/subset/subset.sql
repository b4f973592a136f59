-- A small copy that is complete: the members of one branch, what belongs to them, what they need.
-- In an empty database:
--
--   psql -d library -v profile="$(cat profile.yaml)" -f subset.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null
CREATE SCHEMA prod;
CREATE TABLE prod.branch (name text PRIMARY KEY);
CREATE TABLE prod.member (id int PRIMARY KEY, branch text NOT NULL REFERENCES prod.branch,
  name text, email text UNIQUE, vouched_by int REFERENCES prod.member);
CREATE TABLE prod.book (id int PRIMARY KEY, title text, sequel_of int REFERENCES prod.book);
CREATE TABLE prod.loan (member int REFERENCES prod.member, book int REFERENCES prod.book,
  lent_on date, PRIMARY KEY (member, book, lent_on));
CREATE TABLE prod.newsletter (id int PRIMARY KEY, address text);
CREATE TABLE prod.opening_hours (day text PRIMARY KEY, hours text);
CREATE TABLE prod.door_log (at timestamptz, card text);
INSERT INTO prod.branch VALUES ('lyon'), ('nice'), ('lille');
INSERT INTO prod.member VALUES (1, 'nice', 'Ada Byron', 'ada@post.example', NULL),
  (2, 'lyon', 'Bob Stone', 'bob@post.example', 1), (3, 'lyon', 'Eve Marsh', 'eve@post.example', NULL),
  (4, 'lille', 'Tom Reed', 'tom@post.example', NULL);
INSERT INTO prod.book VALUES (1, 'Salt', NULL), (2, 'Water', 1), (3, 'Fire', 2), (4, 'Air', NULL);
INSERT INTO prod.loan VALUES (2, 3, '2024-05-01'), (2, 4, '2023-05-01'), (4, 4, '2024-06-01');
INSERT INTO prod.newsletter VALUES (1, 'bob@post.example'), (2, 'tom@post.example'),
  (3, 'nobody@post.example');
INSERT INTO prod.opening_hours VALUES ('monday', '9-17');

SELECT confiture.load_profile(:'profile') AS loaded \gset
CALL confiture.sync('library', source => 'prod', target => 'staging');

\echo 1. The members of Lyon, and who vouched for one of them
SELECT id, branch, name <> ALL (SELECT name FROM prod.member) AS "masked", vouched_by
  FROM staging.member ORDER BY id;
\echo 2. Loans of theirs, but for those that are never copied; the book with all that it goes on from
SELECT member, book, lent_on FROM staging.loan;
SELECT id, title FROM staging.book ORDER BY id;
\echo 3. Along the key that the database does not know
SELECT n.id, n.address = m.email AS "still theirs" FROM staging.newsletter n
  JOIN staging.member m ON m.email = n.address;
\echo 4. What the subset does not reach is there as a whole, what is excluded is not
SELECT (SELECT count(*) FROM staging.opening_hours) AS "opening hours",
       to_regclass('staging.door_log') AS "door log";
\echo 5. Every reference was checked
SELECT check_name, passed, numbers - 'constraint' AS numbers FROM confiture.verification
 WHERE check_name ~ 'foreign key' ORDER BY number;
