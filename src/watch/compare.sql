-- $1: profile, $2: schema. The columns of its tables, as they are in the catalog now, that the newest
-- version says nothing about, where the watch is enforced. One that is not known as it is now was
-- changed by what no event trigger has seen: nobody knows when, so only a later note can tell.
WITH newest AS (
  SELECT n.canonical, n.loaded_at FROM confiture.profile n
   WHERE n.name = $1::pg_catalog.text AND n.retired_at IS NULL
   ORDER BY n.loaded_at DESC, n.id DESC LIMIT 1
), seen AS (
  SELECT t.body, p.loaded_at, c.relname::pg_catalog.text AS table_name,
         a.attname::pg_catalog.text AS column_name, k.noticed_at, y.is_known,
         CASE WHEN k.event = 'type altered' OR NOT y.is_known THEN 'type altered'
              WHEN k.event IS NULL OR k.is_gone THEN 'added'
              ELSE k.event END AS event
    FROM newest p
   CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(p.canonical -> 'tables') AS t (body)
    JOIN pg_catalog.pg_namespace n ON n.nspname = $2::pg_catalog.text
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.body ->> 'table'
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
    LEFT JOIN confiture.watched_column k
      ON k.profile_name = $1 AND k.schema_name = $2 AND k.table_name = c.relname
     AND k.column_name = a.attname
   CROSS JOIN LATERAL (
     SELECT k.column_type = pg_catalog.format_type(a.atttypid, a.atttypmod)) AS y (is_known)
   WHERE coalesce(t.body ->> 'schema', $2) = $2
     AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
)
SELECT $1, $2, s.table_name, s.column_name, s.event, true
  FROM seen s
 WHERE EXISTS (SELECT FROM confiture.watched w
                WHERE w.profile_name = $1 AND w.schema_name = $2 AND w.mode = 'enforce')
   AND NOT EXISTS (
     SELECT FROM pg_catalog.jsonb_array_elements(
         coalesce(s.body -> 'rules', '[]') || coalesce(s.body -> 'preserve', '[]')
         || coalesce(s.body -> 'exclude', '[]')) AS d (said)
      WHERE d.said ->> 'column' IN (s.column_name, '*')
        AND (s.event <> 'type altered' OR (s.is_known AND s.loaded_at > s.noticed_at)))
 ORDER BY 3, 4
