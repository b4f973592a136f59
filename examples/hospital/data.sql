-- Fills schema "prod", the same way each time: 312 patients, 400 stays. Nobody bears these names.

SET client_min_messages = warning;
SET search_path = prod, pg_temp;
SET timezone = 'UTC';

CREATE TEMPORARY TABLE names AS SELECT
  ARRAY['Aldreya','Brimon','Corvelle','Dastrin','Elowyna','Fennick','Gisabel','Hadrick','Ilvane','Yorrick'] AS first,
  ARRAY['Ashgrovel','Birkenthal','Cravenholt','Dunmarrow','Eskerby','Fallowmere','Grenstrom','Hollinvar',
        'Ivarsmead','Jessengard','Kettlewynd','Lorimark','Marlothwaite'] AS last;

INSERT INTO clinicians
SELECT i, 'Dr ' || n.first[1 + i % 10] || ' ' || n.last[1 + i % 13], (7000000 + i * 91)::text,
       (ARRAY['medicine', 'surgery', 'cardiology', 'neurology'])[1 + i % 4]
  FROM generate_series(1, 16) AS i, names AS n;

-- Women have even numbers, and so has their first name in the list.
INSERT INTO patients
SELECT i, (20000000 + i * 137)::text,
       n.first[1 + (i % 2 + 2 * (i % 5))], n.last[1 + i % 13],
       CASE i % 2 WHEN 0 THEN 'f' ELSE 'm' END,
       make_date(1940 + 10 * (i / 4 % 6), 1, 2) + (i * 911 % 3600),
       CASE i / 2 % 2 WHEN 0 THEN '80' ELSE '91' END || lpad((i * 77 % 1000)::text, 3, '0'),
       '+49 89 55' || lpad(i::text, 5, '0'),
       CASE WHEN i % 7 > 0 THEN lower(n.last[1 + i % 13]) || i || '@post.example' END,
       chr(65 + i % 26) || lpad((i * 3119 % 1000000000)::text, 9, '4'),
       CASE WHEN i % 29 = 0 THEN DATE '2025-03-01' + i % 100 END
  FROM generate_series(1, 312) AS i, names AS n;

INSERT INTO diagnosis_codes VALUES
  ('I10', 'Essential hypertension'), ('E11.9', 'Type 2 diabetes without complications'),
  ('J18.9', 'Pneumonia'), ('I21.4', 'Myocardial infarction'), ('S72.0', 'Fracture of neck of femur'),
  ('G40.9', 'Epilepsy'), ('F32.1', 'Moderate depressive episode'), ('C50.9', 'Neoplasm of breast');

INSERT INTO stays (id, patient_id, clinician_id, ward, admitted_on, discharged_on)
SELECT i, 1 + (i - 1) % 312, 1 + i % 16, (ARRAY['A1', 'A2', 'B1', 'C3'])[1 + i % 4],
       DATE '2024-01-03' + i * 2, CASE WHEN i % 23 > 0 THEN DATE '2024-01-03' + i * 2 + i % 14 END
  FROM generate_series(1, 400) AS i;
SELECT setval(pg_get_serial_sequence('prod.stays', 'id'), 400) \g /dev/null

INSERT INTO diagnoses
SELECT i, (ARRAY['I10','E11.9','J18.9','I21.4','S72.0','G40.9','F32.1','C50.9'])[1 + (i + r * 3) % 8], r
  FROM generate_series(1, 400) AS i, generate_series(1, 2) AS r WHERE r = 1 OR i % 4 = 0;

INSERT INTO lab_results (stay_id, patient_id, test, value, taken_at)
SELECT s.id, s.patient_id, t.test, t.base + (s.id * 37 % 100) / 10.0,
       s.admitted_on + interval '7 hours' + s.id * interval '1 minute'
  FROM stays AS s, (VALUES ('creatinine', 0.6), ('hemoglobin', 9.5)) AS t (test, base)
 WHERE s.id % 2 = 0;

INSERT INTO letters (stay_id, written_at, patient_id, body)
SELECT s.id, s.discharged_on + interval '10 hours', s.patient_id,
       format('%s %s, born %s, was discharged in good health. Reach the family at %s.',
              p.first_name, p.last_name, p.birth_date, p.phone)
  FROM stays AS s JOIN patients AS p ON p.id = s.patient_id
 WHERE s.discharged_on IS NOT NULL AND s.id % 3 = 0;
