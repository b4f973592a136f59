-- Where the role chooses what is masked, asks the server whether a value is there, or is given it.
, by_write (severity, path, object, column_name, detail, remedy) AS (
  -- Values that it writes itself are masked for it too: it guesses, writes, reads and compares.
  SELECT 'medium', 'chosen input', m.shown, NULL,
         g.privilege || ' on the table: it may write values and read their pseudonyms' || m.note || w.via,
         g.before || pg_catalog.format('REVOKE %s ON %s FROM %s', g.privilege, m.shown, w.grantee) || g.after
    FROM masked_table m
    JOIN granted g ON g.rel = m.rel AND g.num = 0
    JOIN who w ON w.oid = g.grantee
   WHERE g.privilege = ANY (ARRAY['INSERT', 'UPDATE'])
     -- What is put into a parent reaches its partitions; of other children it only changes rows.
     AND (m.kind <> 2 OR m.relkind = 'p'::"char" OR g.privilege = 'UPDATE')
  UNION ALL
  SELECT 'medium', 'chosen input', m.shown, m.name,
         g.privilege || ' on the column: it may write values and read their pseudonyms' || m.note || w.via,
         g.before || pg_catalog.format('REVOKE %s (%I) ON %s FROM %s', g.privilege, m.name, m.shown, w.grantee) || g.after
    FROM masked m
    JOIN granted g ON g.rel = m.rel AND g.num = m.attnum
    JOIN who w ON w.oid = g.grantee
   WHERE g.privilege = ANY (ARRAY['INSERT', 'UPDATE'])
     AND (m.kind <> 2 OR m.relkind = 'p'::"char" OR g.privilege = 'UPDATE')
  UNION ALL
  SELECT 'medium', 'chosen input', pg_catalog.format('role %I', w.name), NULL,
         'It writes every table: values of its choice, and reads their pseudonyms', w.leave
    FROM who w WHERE w.name = 'pg_write_all_data' AND NOT w.is_self
  UNION ALL
  SELECT 'medium', 'chosen input', v.shown, NULL,
         g.privilege || ' on a view that writes through to a table whose columns are masked' || w.via,
         g.before || pg_catalog.format('REVOKE %s ON %s FROM %s', g.privilege, v.shown, w.grantee) || g.after
    FROM raw_view v
    JOIN granted g ON g.rel = v.oid AND g.privilege = ANY (ARRAY['INSERT', 'UPDATE'])
    JOIN who w ON w.oid = g.grantee
   WHERE v.relkind = 'v'::"char" AND NOT v.is_invoker
     AND pg_catalog.pg_relation_is_updatable(v.oid, true)
         & CASE g.privilege WHEN 'INSERT' THEN 8 ELSE 4 END <> 0
  UNION ALL
  SELECT DISTINCT CASE WHEN r.is_write THEN 'medium' ELSE 'high' END,
         CASE WHEN r.is_write THEN 'chosen input' ELSE 'rule' END, r.shown, NULL,
         pg_catalog.format('%s on it, whose rule %I %s what is masked', g.privilege, r.rulename,
                           CASE WHEN r.is_write THEN 'writes' ELSE 'reads' END) || w.via,
         g.before || pg_catalog.format('REVOKE %s ON %s FROM %s', g.privilege, r.shown, w.grantee) || g.after
    FROM (SELECT DISTINCT q.rule, q.is_write, y.rulename, y.ev_class, y.ev_type,
                 pg_catalog.format('%I.%I', n.nspname, c.relname) AS shown
            FROM (SELECT u.rule, u.is_write FROM used u
                  UNION
                  SELECT d.objid, false
                    FROM raw_view v
                    JOIN pg_catalog.pg_depend d
                      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                     AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                     AND d.refobjid = v.oid AND d.deptype = 'n') q
            JOIN pg_catalog.pg_rewrite y ON y.oid = q.rule AND y.ev_type <> '1'::"char"
            JOIN pg_catalog.pg_class c ON c.oid = y.ev_class
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace) r
    -- They run with the rights of the owner of their table.
    JOIN granted g ON g.rel = r.ev_class
     AND g.privilege = CASE r.ev_type WHEN '2'::"char" THEN 'UPDATE' WHEN '3'::"char" THEN 'INSERT' ELSE 'DELETE' END
    JOIN who w ON w.oid = g.grantee
  UNION ALL
  -- A foreign key says of each value whether it is there.
  SELECT CASE WHEN i.is_unique THEN 'medium' ELSE 'low' END, 'foreign key', m.shown, NULL,
         'REFERENCES on the table: a foreign key of its own tells whether a guess is there' || m.note || w.via
           || CASE WHEN i.is_unique THEN '' ELSE '; of use with a unique index' END,
         g.before || pg_catalog.format('REVOKE REFERENCES ON %s FROM %s', m.shown, w.grantee) || g.after
    FROM masked_table m
    JOIN granted g ON g.rel = m.rel AND g.num = 0
    JOIN who w ON w.oid = g.grantee
   CROSS JOIN LATERAL (
     SELECT EXISTS (SELECT FROM pg_catalog.pg_index i JOIN masked o ON o.rel = i.indrelid
                     WHERE i.indrelid = m.rel AND i.indisunique AND o.attnum = ANY (i.indkey)) AS is_unique) i
   WHERE g.privilege = 'REFERENCES' AND m.kind < 3
  UNION ALL
  SELECT CASE WHEN i.is_unique THEN 'medium' ELSE 'low' END, 'foreign key', m.shown, m.name,
         'REFERENCES on the column: a foreign key of its own tells whether a guess is there' || m.note || w.via
           || CASE WHEN i.is_unique THEN '' ELSE '; of use with a unique index' END,
         g.before || pg_catalog.format('REVOKE REFERENCES (%I) ON %s FROM %s', m.name, m.shown, w.grantee) || g.after
    FROM masked m
    JOIN granted g ON g.rel = m.rel AND g.num = m.attnum
    JOIN who w ON w.oid = g.grantee
   CROSS JOIN LATERAL (
     SELECT EXISTS (SELECT FROM pg_catalog.pg_index i
                     WHERE i.indrelid = m.rel AND i.indisunique AND m.attnum = ANY (i.indkey)) AS is_unique) i
   WHERE g.privilege = 'REFERENCES' AND m.kind < 3
  UNION ALL
  SELECT DISTINCT 'medium', 'foreign key', pg_catalog.format('%I.%I', n.nspname, c.relname), m.name,
         pg_catalog.format('Its foreign key %I tells whether a guess is in column %I of %s', k.conname, m.name, m.shown)
           || w.via,
         CASE WHEN c.relowner = w.oid
              THEN pg_catalog.format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname)
              ELSE g.before || pg_catalog.format('REVOKE INSERT, UPDATE ON %I.%I FROM %s', n.nspname, c.relname, w.grantee) || g.after END
    FROM masked m
    JOIN pg_catalog.pg_constraint k ON k.contype = 'f'::"char" AND k.confrelid = m.rel
     AND m.attnum = ANY (k.confkey) AND k.conparentid = 0::pg_catalog.oid
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   CROSS JOIN LATERAL (
     SELECT g.grantee, g.before, g.after FROM granted g
      WHERE g.rel = c.oid AND g.privilege = ANY (ARRAY['INSERT', 'UPDATE'])
     UNION SELECT c.relowner, '', '') g
    JOIN who w ON w.oid = g.grantee
  UNION ALL
  SELECT 'high', 'trigger', m.shown, NULL,
         'TRIGGER on the table: a function of its own would be given every row that is written' || m.note || w.via,
         g.before || pg_catalog.format('REVOKE TRIGGER ON %s FROM %s', m.shown, w.grantee) || g.after
    FROM masked_table m
    JOIN granted g ON g.rel = m.rel AND g.num = 0
    JOIN who w ON w.oid = g.grantee
   WHERE g.privilege = 'TRIGGER'
     AND (m.kind = 1 OR m.kind = 2 AND m.relkind = 'p'::"char")
  UNION ALL
  -- Code of the role that others run on the rows: it may be another tomorrow.
  SELECT DISTINCT 'high', CASE k.word WHEN 'trigger' THEN 'trigger' ELSE 'code' END, m.shown, NULL,
         pg_catalog.format('Its %s %I runs function %s, which belongs to the role', k.word, k.name,
                           p.oid::pg_catalog.regprocedure) || w.via,
         CASE k.word
           WHEN 'trigger' THEN pg_catalog.format('DROP TRIGGER %I ON %s', k.name, m.shown)
           WHEN 'policy' THEN pg_catalog.format('DROP POLICY %I ON %s', k.name, m.shown)
           WHEN 'constraint' THEN pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', m.shown, k.name)
           WHEN 'index' THEN pg_catalog.format('DROP INDEX %I.%I', m.schema, k.name)
           ELSE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I DROP %s', m.shown, k.name,
                                  CASE k.word WHEN 'default' THEN 'DEFAULT' ELSE 'EXPRESSION' END)
         END
    FROM masked_table m
   CROSS JOIN LATERAL (
     SELECT 'trigger' AS word, t.tgname AS name, 'pg_catalog.pg_trigger'::pg_catalog.regclass AS class, t.oid
       FROM pg_catalog.pg_trigger t
      WHERE t.tgrelid = m.rel AND NOT t.tgisinternal AND t.tgparentid = 0::pg_catalog.oid
     UNION ALL
     SELECT 'policy', t.polname, 'pg_catalog.pg_policy'::pg_catalog.regclass, t.oid
       FROM pg_catalog.pg_policy t WHERE t.polrelid = m.rel
     UNION ALL
     SELECT 'constraint', t.conname, 'pg_catalog.pg_constraint'::pg_catalog.regclass, t.oid
       FROM pg_catalog.pg_constraint t WHERE t.conrelid = m.rel AND t.contype = 'c'::"char"
     UNION ALL
     SELECT 'index', c.relname, 'pg_catalog.pg_class'::pg_catalog.regclass, c.oid
       FROM pg_catalog.pg_index t JOIN pg_catalog.pg_class c ON c.oid = t.indexrelid WHERE t.indrelid = m.rel
     UNION ALL
     SELECT CASE WHEN a.attgenerated = ''::"char" THEN 'default' ELSE 'generated column' END, a.attname,
            'pg_catalog.pg_attrdef'::pg_catalog.regclass, t.oid
       FROM pg_catalog.pg_attrdef t
       JOIN pg_catalog.pg_attribute a ON a.attrelid = t.adrelid AND a.attnum = t.adnum
      WHERE t.adrelid = m.rel) k
    JOIN pg_catalog.pg_depend d ON d.classid = k.class AND d.objid = k.oid
     AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid AND p.proowner <> m.relowner
    JOIN who w ON w.oid = p.proowner AND NOT w.rolsuper
  UNION ALL
  SELECT DISTINCT 'high', 'code', v.shown, NULL,
         pg_catalog.format('It gives what is masked to function %s, which belongs to the role',
                           p.oid::pg_catalog.regprocedure) || w.via,
         pg_catalog.format('DROP %s %s', v.word, v.shown)
    FROM raw_view v
    JOIN pg_catalog.pg_rewrite y ON y.ev_class = v.oid AND y.ev_type = '1'::"char"
    JOIN pg_catalog.pg_depend d
      ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = y.oid
     AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid AND p.proowner <> v.relowner
    JOIN who w ON w.oid = p.proowner AND NOT w.rolsuper
)
