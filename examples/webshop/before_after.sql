-- Before and after, side by side: four customers, then a join on the e-mail instead of the key.
-- Needs schemas prod and staging in one database.

\pset footer off
\pset null '(null)'

SELECT CASE field.n WHEN 1 THEN p.id::text ELSE '' END AS id, field.name AS "column", field.before AS prod, field.after AS staging
FROM prod.customers AS p
JOIN staging.customers AS s USING (id)
CROSS JOIN LATERAL (VALUES
  (1, 'first_name',  p.first_name,        s.first_name),
  (2, 'last_name',   p.last_name,         s.last_name),
  (3, 'email',       p.email,             s.email),
  (4, 'phone',       p.phone,             s.phone),
  (5, 'birth_date',  p.birth_date::text,  s.birth_date::text),
  (6, 'last_ip',     host(p.last_ip),     host(s.last_ip)),
  (7, 'search_name', p.search_name,       s.search_name),
  (8, 'segment',     p.marketing_segment::text, s.marketing_segment::text)
) AS field (n, name, before, after)
WHERE p.id IN (1, 4, 5, 7)
ORDER BY p.id, field.n;

\echo 'Equal e-mails became equal pseudonyms, so a join that uses no key finds as many rows:'
SELECT 'orders joined to customers on e-mail' AS rows,
  (SELECT count(*) FROM prod.orders AS o JOIN prod.customers AS c ON c.email = o.contact_email) AS prod,
  (SELECT count(*) FROM staging.orders AS o JOIN staging.customers AS c ON c.email = o.contact_email) AS staging;
