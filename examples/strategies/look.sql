-- Before and after, side by side, and the list of strategies. Needs schemas prod and staging in one
-- database (see README.md).

\pset footer off
\pset null '(null)'

\echo 'Three members. The number of a member is encrypted, so it takes the key to find the row again:'
SELECT CASE field.n WHEN 1 THEN p.id::text ELSE '' END AS id, field.name AS "column",
       field.before AS prod, field.after AS staging
FROM prod.members AS p
JOIN staging.members AS s ON s.id = anon_fpe(p.id, min => 1, max => 1000000000)
CROSS JOIN LATERAL (VALUES
  (1, 'full_name', p.full_name, s.full_name),
  (2, 'contact_email', p.contact_email, s.contact_email),
  (3, 'email', p.email::text, s.email::text),
  (4, 'phone', p.phone, s.phone),
  (5, 'street', p.street, s.street),
  (6, 'postcode, city', concat_ws(' ', p.postcode, p.city), concat_ws(' ', s.postcode, s.city)),
  (7, 'holiday_home', p.holiday_home::text, s.holiday_home::text),
  (8, 'national id', coalesce(p.nir, p.ssn, p.dni), coalesce(s.nir, s.ssn, s.dni)),
  (9, 'iban', p.iban, s.iban),
  (10, 'card_number', p.card_number, s.card_number),
  (11, 'car', p.car::text, s.car::text),
  (12, 'birth_date', p.birth_date::text, s.birth_date::text),
  (13, 'days as a member', (p.left_on - p.joined_on)::text, (s.left_on - s.joined_on)::text),
  (14, 'salary', p.salary::text, s.salary::text),
  (15, 'position', concat_ws(' ', p.latitude, p.longitude), concat_ws(' ', s.latitude, s.longitude)),
  (16, 'remark', p.remark, s.remark),
  (17, 'contacts', p.document ->> 'contacts', s.document ->> 'contacts')
) AS field (n, name, before, after)
WHERE p.id IN (15, 16, 20)
ORDER BY p.id, field.n;

\echo 'One visit:'
SELECT field.name AS "column", field.before AS prod, field.after AS staging
FROM prod.visits AS p
JOIN staging.visits AS s USING (id)
CROSS JOIN LATERAL (VALUES
  (1, 'seen_at', p.seen_at::text, s.seen_at::text),
  (2, 'session', p.session::text, s.session::text),
  (3, 'ip', host(p.ip), host(s.ip)),
  (4, 'device', p.device::text, s.device::text),
  (5, 'user_agent', p.user_agent, s.user_agent),
  (6, 'page', p.page, s.page)
) AS field (n, name, before, after)
WHERE p.id = 15
ORDER BY field.n;

\echo 'Every strategy there is:'
SELECT * FROM confiture.strategies;
