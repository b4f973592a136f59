-- $1: schema, $2: names of tables. One document per table and partition.
WITH RECURSIVE tree AS (
  SELECT c.oid FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE n.nspname = $1 AND c.relname = ANY ($2::text[])
     AND c.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']::pg_catalog."char"[])
  UNION
  SELECT i.inhrelid FROM tree t
    JOIN pg_catalog.pg_class p ON p.oid = t.oid AND p.relkind = 'p'
    JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
)
SELECT pg_catalog.jsonb_build_object(
  'oid', c.oid::pg_catalog.int8, 'schema', n.nspname, 'name', c.relname, 'kind', c.relkind,
  'owner', pg_catalog.pg_get_userbyid(c.relowner),
  'owned', pg_catalog.pg_has_role(c.relowner, 'MEMBER'),
  'can_select', pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
  'row_security', pg_catalog.row_security_active(c.oid),
  'inheritance', NOT c.relispartition AND c.relkind <> 'p'
     AND EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid OR i.inhparent = c.oid),
  'rows', CASE WHEN c.relkind = 'f' AND c.reltuples < 0::pg_catalog.float4 THEN 1000000
               WHEN c.relkind = 'p' THEN 0
               -- Never analyzed: no row takes less than 32 bytes.
               WHEN c.reltuples < 0::pg_catalog.float4
               THEN pg_catalog.pg_relation_size(c.oid) / 32::pg_catalog.int8
               ELSE c.reltuples END,
  'parent', CASE WHEN c.relispartition THEN
     (SELECT i.inhparent::pg_catalog.int8 FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid) END,
  'partition_key', CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END,
  'partition_columns', coalesce((
     SELECT pg_catalog.jsonb_agg(DISTINCT a.attname)
       FROM pg_catalog.pg_partitioned_table k
       JOIN pg_catalog.pg_attribute a ON a.attrelid = k.partrelid AND a.attnum > 0
      WHERE k.partrelid = c.oid
        AND (a.attnum = ANY (k.partattrs::pg_catalog.int2[])
             OR k.partexprs::text ~ pg_catalog.format(':varattno %s ', a.attnum))), '[]'),
  'bound', pg_catalog.pg_get_expr(c.relpartbound, c.oid),
  'columns', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', a.attname,
        'type_name', pg_catalog.format_type(a.atttypid, a.atttypmod),
        'type_oid', a.atttypid::pg_catalog.int8,
        'max_chars', CASE WHEN a.atttypid = ANY (ARRAY[1042, 1043, 1014, 1015]::pg_catalog.oid[])
                           AND a.atttypmod > 4 THEN a.atttypmod - 4
                          WHEN a.atttypid = 19::pg_catalog.oid THEN 63 END,
        'not_null', a.attnotnull,
        'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid),
        'default_varies', EXISTS (
           SELECT FROM pg_catalog.regexp_matches(d.adbin::text, ':(?:funcid|opfuncid) ([0-9]+)', 'g') AS m
             JOIN pg_catalog.pg_proc p ON p.oid = m[1]::pg_catalog.oid
            WHERE p.provolatile = 'v'),
        'plain_nextval', coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                                  ~ '^nextval[(]''.*''::regclass[)]$', false),
        'generated', a.attgenerated, 'identity', a.attidentity,
        'reads', CASE WHEN a.attgenerated = '' THEN '[]'::pg_catalog.jsonb ELSE coalesce((
           SELECT pg_catalog.jsonb_agg(r.attname ORDER BY r.attnum) FROM pg_catalog.pg_attribute r
            WHERE r.attrelid = c.oid AND r.attnum > 0
              AND d.adbin::text ~ pg_catalog.format(':varattno %s ', r.attnum)), '[]') END,
        'collation', CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0::pg_catalog.oid THEN
           (SELECT pg_catalog.quote_ident(cn.nspname::text) || '.' || pg_catalog.quote_ident(co.collname::text)
              FROM pg_catalog.pg_collation co
              JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
             WHERE co.oid = a.attcollation) END,
        'nondeterministic', coalesce((SELECT NOT co.collisdeterministic
              FROM pg_catalog.pg_collation co WHERE co.oid = a.attcollation), false),
        'sequence', (
          SELECT pg_catalog.jsonb_build_object(
              'schema', sn.nspname, 'name', s.relname,
              'type_name', pg_catalog.format_type(q.seqtypid, NULL),
              'start', q.seqstart, 'increment', q.seqincrement, 'min', q.seqmin, 'max', q.seqmax,
              'cache', q.seqcache, 'cycle', q.seqcycle)
            FROM pg_catalog.pg_depend e
            JOIN pg_catalog.pg_class s ON s.relkind = 'S'
             AND s.oid = CASE WHEN e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass
                              THEN e.refobjid ELSE e.objid END
            JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.oid
            JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
           WHERE (e.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND e.objid = d.oid
                  AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass)
              OR (e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND e.refobjid = c.oid AND e.refobjsubid = a.attnum AND e.deptype = 'i')
           LIMIT 1)
      ) ORDER BY a.attnum)
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'::pg_catalog.jsonb),
  'constraints', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', k.conname, 'kind', k.contype,
        'definition', pg_catalog.pg_get_constraintdef(k.oid, true),
        'validated', k.convalidated, 'full', k.confmatchtype = 'f',
        'target', CASE WHEN k.contype = 'f' THEN pg_catalog.jsonb_build_object(
           'oid', k.confrelid::pg_catalog.int8, 'schema', fn.nspname, 'name', f.relname) END,
        'columns', coalesce((SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.i)
            FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (n, i)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n), '[]'),
        'target_columns', coalesce((SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.i)
            FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (n, i)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n), '[]'),
        'operators', coalesce((SELECT pg_catalog.jsonb_agg(
              'OPERATOR(' || pg_catalog.quote_ident(y.nspname::text) || '.' || o.oprname::text || ')' ORDER BY u.i)
            FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY u (n, i)
            JOIN pg_catalog.pg_operator o ON o.oid = u.n
            JOIN pg_catalog.pg_namespace y ON y.oid = o.oprnamespace), '[]'),
        'comment', pg_catalog.obj_description(k.oid, 'pg_constraint'),
        'droppable', k.contype = 'f' OR (k.conindid <> 0::pg_catalog.oid
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indexrelid = k.conindid
                              AND (x.indisclustered OR x.indisreplident))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_description o
                            WHERE o.objoid = k.oid OR o.objoid = k.conindid)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                 WHERE ((e.refclassid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND e.refobjid = k.oid)
                     OR (e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND e.refobjid = k.conindid))
                   AND e.deptype = 'n'
                   AND NOT (e.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND EXISTS (
                     SELECT FROM pg_catalog.pg_constraint fk WHERE fk.oid = e.objid AND fk.contype = 'f'
                        AND fk.conrelid IN (SELECT oid FROM tree)))))
      ) ORDER BY k.conname)
      FROM pg_catalog.pg_constraint k
      LEFT JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
      LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
     WHERE k.conrelid = c.oid AND k.conparentid = 0::pg_catalog.oid AND k.coninhcount = 0
       AND k.contype = ANY (ARRAY['c', 'f', 'p', 'u', 'x']::pg_catalog."char"[])), '[]'),
  'indexes', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        -- ONLY would keep the index of a partitioned table from its partitions.
        'name', ic.relname, 'definition', pg_catalog.replace(
           pg_catalog.pg_get_indexdef(x.indexrelid, 0, true),
           ' INDEX ' || pg_catalog.quote_ident(ic.relname::text) || ' ON ONLY ',
           ' INDEX ' || pg_catalog.quote_ident(ic.relname::text) || ' ON '),
        'droppable', NOT x.indisclustered AND NOT x.indisreplident
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_description o WHERE o.objoid = x.indexrelid)
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                 WHERE e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                   AND e.refobjid = x.indexrelid AND e.deptype = 'n'
                   AND NOT (e.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass AND EXISTS (
                     SELECT FROM pg_catalog.pg_constraint fk WHERE fk.oid = e.objid AND fk.contype = 'f'
                        AND fk.conrelid IN (SELECT oid FROM tree))))
      ) ORDER BY ic.relname)
      FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid
     WHERE x.indrelid = c.oid AND x.indislive
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid
                          AND k.contype = ANY (ARRAY['p', 'u', 'x']::pg_catalog."char"[]))
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = x.indexrelid)), '[]'),
  'unique', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
        'name', ic.relname,
        'columns', coalesce((SELECT pg_catalog.jsonb_agg(DISTINCT a.attname)
            FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0
             AND (a.attnum = ANY (y.plain) OR y.tree ~ pg_catalog.format(':varattno (0|%s) ', a.attnum))), '[]'),
        -- What it compares otherwise than as the column's values stand there.
        'folded', coalesce((SELECT pg_catalog.jsonb_agg(DISTINCT a.attname)
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
           WHERE a.attrelid = c.oid AND a.attnum > 0
             AND ((a.attnum = ANY (y.plain) AND t.typname = 'citext') OR EXISTS (
               SELECT FROM pg_catalog.generate_series(1, x.indnkeyatts::pg_catalog.int4) AS k
                 LEFT JOIN pg_catalog.pg_attribute g ON g.attrelid = c.oid AND g.attgenerated <> ''
                                                    AND g.attnum = x.indkey[k - 1]
                 LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = g.attnum
                WHERE coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid, true),
                               pg_catalog.pg_get_indexdef(x.indexrelid, k, true)) = ANY (ARRAY[
                        pg_catalog.format('lower(%I)', a.attname), pg_catalog.format('upper(%I)', a.attname),
                        pg_catalog.format('lower(%I::text)', a.attname),
                        pg_catalog.format('upper(%I::text)', a.attname)])))), '[]'),
        'collated', coalesce((SELECT pg_catalog.jsonb_agg(DISTINCT a.attname)
            FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.generate_series(0, x.indnkeyatts::pg_catalog.int4 - 1) AS k
              ON x.indkey[k] = a.attnum
            JOIN pg_catalog.pg_collation l ON l.oid = x.indcollation[k]
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT l.collisdeterministic), '[]'),
        'computed', coalesce((SELECT pg_catalog.jsonb_agg(DISTINCT a.attname)
            FROM pg_catalog.pg_attribute a
           WHERE a.attrelid = c.oid AND a.attnum > 0
             AND a.attnum <> ALL (y.plain)
             AND y.tree ~ pg_catalog.format(':varattno (0|%s) ', a.attnum)), '[]'),
        'excluded', coalesce((SELECT pg_catalog.jsonb_agg(DISTINCT a.attname)
            FROM pg_catalog.pg_constraint k
           CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.conexclop))
                              AS u (number, operator)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.number
            JOIN pg_catalog.pg_operator o ON o.oid = u.operator
           WHERE k.conindid = x.indexrelid AND k.contype = 'x' AND o.oprname <> '='), '[]'),
        -- Servers before 15 do not know of it.
        'nulls_equal', coalesce((pg_catalog.to_jsonb(x) ->> 'indnullsnotdistinct')::pg_catalog.bool, false))
        ORDER BY ic.relname)
      FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class ic ON ic.oid = x.indexrelid
     -- Columns of INCLUDE are no keys; the catalog has both in one list, and depends on both.
     CROSS JOIN LATERAL (SELECT
        (x.indkey::pg_catalog.int2[])[0:x.indnkeyatts::pg_catalog.int4 - 1] AS keys,
        pg_catalog.concat(x.indexprs::text, x.indpred::text) AS own) i
     -- A generated column stands for what it computes.
     CROSS JOIN LATERAL (SELECT
        pg_catalog.concat(i.own, pg_catalog.string_agg(d.adbin::text, '')) AS tree,
        ARRAY(SELECT n FROM pg_catalog.unnest(i.keys) AS n
              EXCEPT ALL
              SELECT g.attnum FROM pg_catalog.pg_attribute g
               WHERE g.attrelid = c.oid AND g.attgenerated <> '') AS plain
          FROM pg_catalog.pg_attribute g
          JOIN pg_catalog.pg_attrdef d ON d.adrelid = g.attrelid AND d.adnum = g.attnum
         WHERE g.attrelid = c.oid AND g.attgenerated <> ''
           AND (g.attnum = ANY (i.keys) OR i.own ~ pg_catalog.format(':varattno (0|%s) ', g.attnum))) y
     WHERE x.indrelid = c.oid AND (x.indisunique OR x.indisexclusion)), '[]'),
  'triggers', coalesce((
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('name', g.tgname, 'enabled', g.tgenabled)
                                ORDER BY g.tgname)
      FROM pg_catalog.pg_trigger g
     WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D'
       -- Those of replication fire for whoever replays changes, and for nobody else.
       AND (g.tgenabled <> 'R' OR pg_catalog.current_setting('session_replication_role') = 'replica')
       AND g.tgparentid = 0::pg_catalog.oid), '[]'),
  'rules', coalesce((
    SELECT pg_catalog.jsonb_agg(w.rulename ORDER BY w.rulename)
      FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename <> '_RETURN'), '[]'),
  'referenced_by', coalesce((
    SELECT pg_catalog.jsonb_agg(DISTINCT pg_catalog.jsonb_build_object(
        'oid', o.oid::pg_catalog.int8, 'schema', fn.nspname, 'name', o.relname))
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class o ON o.oid = k.conrelid
      JOIN pg_catalog.pg_namespace fn ON fn.oid = o.relnamespace
     WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0::pg_catalog.oid
       AND k.conrelid NOT IN (SELECT oid FROM tree)), '[]'))
  FROM tree
  JOIN pg_catalog.pg_class c ON c.oid = tree.oid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 ORDER BY n.nspname, c.relname
