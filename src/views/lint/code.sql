-- What the role may read through code of others: views, functions.
, by_view (severity, path, object, column_name, detail, remedy) AS (
  SELECT DISTINCT CASE WHEN NOT v.is_open THEN 'low' WHEN m.kind = 3 THEN 'medium' ELSE 'high' END,
         pg_catalog.lower(v.word), v.shown, m.name,
         pg_catalog.format('It reads column %I of %s', m.name, m.shown) || m.note || w.via
           || CASE WHEN v.is_open THEN '' ELSE '; of use with USAGE on its schema' END,
         CASE WHEN v.relowner = w.oid THEN pg_catalog.format('DROP %s %s', v.word, v.shown)
              ELSE g.before || pg_catalog.format('REVOKE SELECT ON %s FROM %s', v.shown, w.grantee) || g.after END
    FROM reading r
    JOIN masked m ON m.rel = r.rel AND m.attnum = r.num
    JOIN raw_view v ON v.oid = r.view AND NOT v.is_invoker
   CROSS JOIN LATERAL (
     SELECT g.grantee, g.before, g.after FROM granted g WHERE g.rel = v.oid AND g.privilege = 'SELECT'
     UNION SELECT v.relowner, '', '') g
    JOIN who w ON w.oid = g.grantee
), definer AS (
  -- What a string writes as \n stands for no letter of a name.
  SELECT p.oid, p.proowner, p.proacl,
         pg_catalog.lower(pg_catalog.regexp_replace(p.prosrc, '\\[nrt]', ' ', 'g')) AS text
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
   WHERE p.prosecdef
     AND n.nspname <> ALL (ARRAY['pg_catalog', 'information_schema', 'confiture']::name[])
     -- Of the role's own it has the text and the rights anyway.
     AND NOT EXISTS (SELECT FROM who w WHERE w.oid = p.proowner)
), word AS MATERIALIZED (
  SELECT DISTINCT p.oid, t.word
    FROM definer p
   CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(p.text, '[][[:space:](){}.,;:"''!<>=+*/%&|^~?@#`$\\-]+') AS t (word)
), relation AS MATERIALIZED (
  SELECT m.rel, m.shown, pg_catalog.lower(m.relation) AS word FROM masked_table m
  UNION
  SELECT v.oid, v.shown, pg_catalog.lower(v.relation) FROM raw_view v
), mention AS (
  SELECT t.oid, r.rel, r.shown FROM word t JOIN relation r ON r.word = t.word
  UNION
  -- Names that are no single word.
  SELECT p.oid, r.rel, r.shown
    FROM relation r
    JOIN definer p ON pg_catalog.strpos(p.text, r.word) > 0
      OR pg_catalog.strpos(p.text, pg_catalog.replace(r.word, '"', '""')) > 0
   WHERE r.word ~ '[][[:space:](){}.,;:"''!<>=+*/%&|^~?@#`$\\-]'
  UNION
  -- Bodies that the server has read have no text.
  SELECT p.oid, r.rel, r.shown
    FROM relation r
    JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.rel
    JOIN definer p ON p.oid = d.objid
), by_function (severity, path, object, column_name, detail, remedy) AS (
  -- A text that mentions a relation need not read it, and one that builds its name escapes this.
  SELECT 'medium', 'function', p.oid::pg_catalog.regprocedure::text, NULL,
         'SECURITY DEFINER, its text mentions '
           || pg_catalog.string_agg(DISTINCT t.shown, ', ' ORDER BY t.shown) || '; by its text alone' || w.via,
         pg_catalog.format('REVOKE EXECUTE ON ROUTINE %s FROM %s', p.oid::pg_catalog.regprocedure, w.grantee)
    FROM mention t
    JOIN definer p ON p.oid = t.oid
     AND pg_catalog.has_any_column_privilege(p.proowner, t.rel, 'SELECT, INSERT, UPDATE')
   CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) x
    JOIN who w ON w.oid = x.grantee
   WHERE x.privilege_type = 'EXECUTE'
   GROUP BY p.oid, w.grantee, w.via
), ours AS (
  SELECT p.oid, p.proname::text AS name, w.oid AS who, w.name AS role, w.grantee, w.via,
         p.proname = ANY (ARRAY['anon_detokenize', 'reveal', 'reveal_batch']::name[])
           OR p.proname::text ~ '^anon_.*_decrypt$' AS is_back,
         p.proname = ANY (ARRAY['sync', 'preview', 'create_masked_views', '_mask_value', 'tokenize_batch']::name[])
           OR 'key_version' = ANY (p.proargnames) AS is_mask
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
     AND d.deptype = 'e'
    JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid AND e.extname = 'confiture'
   CROSS JOIN LATERAL pg_catalog.aclexplode(p.proacl) x
    JOIN who w ON w.oid = x.grantee
   WHERE x.privilege_type = 'EXECUTE' AND x.grantee <> p.proowner
), by_mask (severity, path, object, column_name, detail, remedy) AS (
  -- A keyed mask tells whoever guesses right; one list, not a row for each of them.
  SELECT 'medium', 'mask', pg_catalog.format('role %s', o.grantee), NULL,
         'It may have values of its choice masked: ' || pg_catalog.string_agg(DISTINCT o.name, ', ') || o.via,
         CASE WHEN o.who = 0::pg_catalog.oid THEN 'REVOKE EXECUTE ON these functions FROM PUBLIC'
              ELSE pg_catalog.format('SELECT confiture.revoke_access(kind, %L) FROM pg_catalog.unnest(ARRAY[''masker'', ''operator'']) AS kind', o.role) END
    FROM ours o WHERE o.is_mask AND NOT o.is_back
   GROUP BY o.who, o.role, o.grantee, o.via
  UNION ALL
  SELECT 'high', 'reveal', pg_catalog.format('role %s', o.grantee), NULL,
         'It may have originals of pseudonyms or tokens: ' || pg_catalog.string_agg(DISTINCT o.name, ', ') || o.via,
         CASE WHEN o.who = 0::pg_catalog.oid THEN 'REVOKE EXECUTE ON these functions FROM PUBLIC'
              ELSE pg_catalog.format('SELECT confiture.revoke_access(''revealer'', %L)', o.role) END
    FROM ours o WHERE o.is_back
   GROUP BY o.who, o.role, o.grantee, o.via
)
