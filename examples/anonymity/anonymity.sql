-- A table for a study of the web shop: measured, made coarser by the least that is enough, held to it.
--
--   createdb shop
--   psql -d shop -v customers=3000 -f ../webshop/schema.sql -f ../webshop/data.sql
--   psql -d shop -v profile="$(cat profile.yaml)" -v report=report.html -f anonymity.sql

\set ON_ERROR_STOP on
\set QUIET on
\pset footer off
\pset pager off
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS confiture;
SELECT confiture.create_key('masking')
 WHERE NOT EXISTS (SELECT FROM confiture.key_status WHERE name = 'masking') \g /dev/null

-- What the study needs: no name, no address; when a customer was born, and where about he lives.
CREATE SCHEMA study;
CREATE TABLE study.members AS
SELECT c.id AS customer, c.birth_date, a.postcode::text AS postcode,
       c.marketing_segment::text AS segment, coalesce(o.spent, 0)::integer AS spent
  FROM prod.customers c
  JOIN (SELECT DISTINCT ON (customer_id) customer_id, postcode
          FROM prod.addresses ORDER BY customer_id, id) AS a ON a.customer_id = c.id
  LEFT JOIN (SELECT customer_id, sum(total) AS spent FROM prod.orders GROUP BY 1) AS o
    ON o.customer_id = c.id;

\echo '1. No name is in it. Is it anonymous?'
SELECT anon_k_anonymity('study.members', '{birth_date,postcode}') AS k;
SELECT count(*) AS "rows that are alone",
       round(100.0 * count(*) / (SELECT count(*) FROM study.members)) AS "of 100"
  FROM anon_equivalence_classes('study.members', '{birth_date,postcode}', max_size => 1);

\echo '2. A run that copies it as it is stops at the gate'
\set ON_ERROR_STOP off
SELECT confiture.load_profile($yaml$
name: as_it_is
version: "1"
coverage: copy
strategies: {}
tables: {members: {rules: [], preserve: [{column: "*", why: to see what the gate says}]}}
gates: [{table: members, quasi_identifiers: [birth_date, postcode], k: 5}]
$yaml$) \g /dev/null
CALL confiture.sync('as_it_is', source => 'study', target => 'released');
\set ON_ERROR_STOP on

\echo '3. The least that is enough: no class of less than 5, every row kept'
SELECT levels, k_after, classes, looks, nodes, profile
  FROM anon_suggest_generalization('study.members', '{birth_date,postcode}', 5, '{
    "birth_date": {"parts": ["month", "year", "decade"]},
    "postcode":   {"prefix": [3, 2, 1]}}') \gx

\echo '4. The profile that does it'
SELECT confiture.load_profile(:'profile') AS loaded \gset
CALL confiture.sync('study', source => 'study', target => 'released');
SELECT check_name, passed FROM confiture.verification
 WHERE check_name ~ 'quasi-identifiers' AND passed ORDER BY number;

\echo '5. Before and after'
SELECT v.name AS relation,
       anon_k_anonymity(v.name, '{birth_date,postcode}') AS k,
       round(r.avg_risk::numeric, 4) AS "average risk",
       anon_l_diversity(v.name, '{birth_date,postcode}', 'segment') AS l,
       round(anon_t_closeness(v.name, '{birth_date,postcode}', 'segment')::numeric, 2) AS "t of segment",
       round(anon_t_closeness(v.name, '{birth_date,postcode}', 'spent')::numeric, 2) AS "t of spent"
  FROM (VALUES ('study.members'::regclass), ('released.members')) AS v (name)
 CROSS JOIN LATERAL anon_reid_risk(v.name, '{birth_date,postcode}') AS r
 WHERE r.model = 'prosecutor';

\echo '6. It stays so, whoever writes'
CREATE CONSTRAINT TRIGGER members_k AFTER INSERT OR UPDATE OR DELETE ON released.members
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION anon_enforce_k('5', 'birth_date, postcode');
\set ON_ERROR_STOP off
INSERT INTO released.members (birth_date, postcode, segment, spent) VALUES ('1900-01-01', '9', 'vip', 99);
\set ON_ERROR_STOP on

-- The report, as a page for the file.
\pset format unaligned
\pset tuples_only on
\o :report
SELECT anon_privacy_report_html('released.members', '{birth_date,postcode}', '{segment,spent}');
\o
