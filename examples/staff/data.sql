-- Fills schema "prod", the same way each time: 240 employees in eight departments, four levels deep.

SET client_min_messages = warning;
SET search_path = prod, pg_temp;

CREATE TEMPORARY TABLE names AS SELECT
  ARRAY['Aldreya','Brimon','Corvelle','Dastrin','Elowyna','Fennick','Gisabel','Hadrick','Ilvane','Yorrick'] AS first,
  ARRAY['Ashgrovel','Birkenthal','Cravenholt','Dunmarrow','Eskerby','Fallowmere','Grenstrom','Hollinvar',
        'Ivarsmead','Jessengard','Kettlewynd','Lorimark','Marlothwaite'] AS last;

BEGIN;
INSERT INTO departments
SELECT i, (ARRAY['Board', 'Sales', 'Works', 'Research', 'Purchase', 'Accounts', 'People', 'Service'])[i], i
  FROM generate_series(1, 8) AS i;

-- 1 leads the company, 2 to 8 lead departments, 9 to 40 lead teams, the others are in teams.
INSERT INTO employees
SELECT i, (30000000 + i * 3701)::text, n.first[1 + (i % 2 + 2 * (i % 5))], n.last[1 + i % 13],
       CASE i % 2 WHEN 0 THEN 'f' ELSE 'm' END,
       lower(n.last[1 + i % 13]) || i || '@works.example', '+49 40 55' || lpad((i * 3)::text, 5, '0'),
       DATE '1962-02-03' + i * 53,
       'DE' || lpad((98 - mod((b.account || '131400')::numeric, 97))::text, 2, '0') || b.account,
       CASE WHEN i = 1 THEN 1 WHEN i <= 8 THEN i ELSE 2 + i % 7 END,
       CASE WHEN i = 1 THEN NULL WHEN i <= 8 THEN 1 WHEN i <= 40 THEN 2 + i % 7 ELSE 9 + i % 28 END,
       CASE WHEN i = 1 THEN 'Chief executive' WHEN i <= 8 THEN 'Head of department' WHEN i <= 40 THEN 'Team lead'
            ELSE (ARRAY['Clerk', 'Engineer', 'Technician'])[1 + i % 3] END,
       CASE WHEN i = 1 THEN 412000.00 WHEN i <= 8 THEN 120000 + i * 3111.50 WHEN i <= 40 THEN 71000 + i * 411.25
            ELSE 31000 + i * 173 % 38000 + 0.75 END,
       DATE '2008-02-01' + i * 23, CASE WHEN i % 19 = 0 AND i > 40 THEN DATE '2025-02-28' + i % 60 END
  FROM generate_series(1, 240) AS i, names AS n,
       LATERAL (SELECT '50099900' || lpad((9200000 + i * 7331)::text, 10, '0') AS account) AS b;
COMMIT;

INSERT INTO salary_history
SELECT row_number() OVER (ORDER BY e.id, y), e.id, e.hired_on + 365 * y, round(e.salary * (1 - 0.03 * (3 - y)), 2)
  FROM employees AS e, generate_series(1, 2) AS y;

INSERT INTO absences
SELECT i, 1 + i * 13 % 240, (ARRAY['vacation', 'illness', 'vacation', 'parental leave'])[1 + i % 4],
       DATE '2025-01-06' + 7 * (i % 50), DATE '2025-01-06' + 7 * (i % 50) + 1 + i % 4
  FROM generate_series(1, 400) AS i;

INSERT INTO reviews
SELECT e.id, e.id, e.manager_id, 2025, 1 + e.id % 5,
       format('%s %s could take more part. Write to %s before the talk.', e.first_name, e.last_name, e.email)
  FROM employees AS e WHERE e.manager_id IS NOT NULL;
