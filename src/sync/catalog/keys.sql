-- $1: numbers of tables. One document per valid foreign key that begins or ends at one of them.
SELECT pg_catalog.jsonb_build_object(
  'name', k.conname,
  'child', pg_catalog.jsonb_build_object(
     'schema', cn.nspname, 'name', c.relname, 'kind', c.relkind,
     'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.i)
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (n, i)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n),
     'types', (SELECT pg_catalog.jsonb_agg(a.atttypid::pg_catalog.int8)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)),
     'filled', c.oid::pg_catalog.int8 = ANY ($1::pg_catalog.int8[]),
     'owner', pg_catalog.pg_get_userbyid(c.relowner),
     'owned', pg_catalog.pg_has_role(c.relowner, 'MEMBER'),
     'can_select', pg_catalog.has_schema_privilege(cn.oid, 'USAGE')
                   AND pg_catalog.has_table_privilege(c.oid, 'SELECT'),
     'row_security', pg_catalog.row_security_active(c.oid)),
  'parent', pg_catalog.jsonb_build_object(
     'schema', pn.nspname, 'name', p.relname, 'kind', p.relkind,
     'columns', (SELECT pg_catalog.jsonb_agg(a.attname ORDER BY u.i)
        FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (n, i)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n),
     'types', (SELECT pg_catalog.jsonb_agg(a.atttypid::pg_catalog.int8)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)),
     'filled', p.oid::pg_catalog.int8 = ANY ($1::pg_catalog.int8[]),
     'owner', pg_catalog.pg_get_userbyid(p.relowner),
     'owned', pg_catalog.pg_has_role(p.relowner, 'MEMBER'),
     'can_select', pg_catalog.has_schema_privilege(pn.oid, 'USAGE')
                   AND pg_catalog.has_table_privilege(p.oid, 'SELECT'),
     'row_security', pg_catalog.row_security_active(p.oid)),
  'operators', (SELECT pg_catalog.jsonb_agg(
        'OPERATOR(' || pg_catalog.quote_ident(y.nspname::text) || '.' || o.oprname::text || ')' ORDER BY u.i)
      FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY u (n, i)
      JOIN pg_catalog.pg_operator o ON o.oid = u.n
      JOIN pg_catalog.pg_namespace y ON y.oid = o.oprnamespace),
  'collations', (SELECT pg_catalog.jsonb_agg(
        pg_catalog.quote_ident(ln.nspname::text) || '.' || pg_catalog.quote_ident(l.collname::text) ORDER BY u.i)
      FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (n, i)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n
      LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
      LEFT JOIN pg_catalog.pg_namespace ln ON ln.oid = l.collnamespace),
  'full', k.confmatchtype = 'f',
  -- Servers before 18 do not know of it.
  'period', coalesce((pg_catalog.to_jsonb(k) ->> 'conperiod')::pg_catalog.bool, false))
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
  JOIN pg_catalog.pg_class p ON p.oid = k.confrelid
  JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0::pg_catalog.oid AND k.convalidated
   AND (k.conrelid::pg_catalog.int8 = ANY ($1::pg_catalog.int8[])
        OR k.confrelid::pg_catalog.int8 = ANY ($1::pg_catalog.int8[]))
 ORDER BY cn.nspname, c.relname, k.conname
