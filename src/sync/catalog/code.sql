-- Continues trusted.sql.
-- $1: tables, $2: types, $3: tables whose triggers would fire, $4: the source schema. One document per piece of code that
-- a run would execute, with the functions in it.
--
-- Expressions are read from their stored trees: the catalog does not record that they depend on
-- the server's own functions, and some of those do harm in stronger hands.
, code (what, owner, tree, direct, home) AS (
  SELECT pg_catalog.format('default of column "%s" of table "%s.%s"', a.attname, n.nspname, c.relname),
         c.relowner, d.adbin::text, NULL::pg_catalog.oid, n.nspname
    FROM pg_catalog.pg_attrdef d
    JOIN pg_catalog.pg_class c ON c.oid = d.adrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
   WHERE d.adrelid = ANY ($1::pg_catalog.oid[])
  UNION ALL
  SELECT pg_catalog.format('constraint "%s" of table "%s.%s"', k.conname, n.nspname, c.relname),
         c.relowner, k.conbin::text, NULL, n.nspname
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE k.conrelid = ANY ($1::pg_catalog.oid[]) AND k.conbin IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('index "%s" of table "%s.%s"', i.relname, n.nspname, c.relname),
         c.relowner, pg_catalog.concat(x.indexprs::text, x.indpred::text), NULL, n.nspname
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE x.indrelid = ANY ($1::pg_catalog.oid[]) AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL)
  UNION ALL
  SELECT pg_catalog.format('partition key of table "%s.%s"', n.nspname, c.relname),
         c.relowner, p.partexprs::text, NULL, n.nspname
    FROM pg_catalog.pg_partitioned_table p
    JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE p.partrelid = ANY ($1::pg_catalog.oid[]) AND p.partexprs IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('statistics "%s" of table "%s.%s"', x.stxname, n.nspname, c.relname),
         x.stxowner, x.stxexprs::text, NULL, n.nspname
    FROM pg_catalog.pg_statistic_ext x
    JOIN pg_catalog.pg_class c ON c.oid = x.stxrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE x.stxrelid = ANY ($1::pg_catalog.oid[]) AND x.stxexprs IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('trigger "%s" of table "%s.%s"', g.tgname, n.nspname, c.relname),
         c.relowner, g.tgqual::text, g.tgfoid, n.nspname
    FROM pg_catalog.pg_trigger g
    JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
   WHERE g.tgrelid = ANY ($3::pg_catalog.oid[]) AND NOT g.tgisinternal AND g.tgenabled <> 'D'
  UNION ALL
  SELECT pg_catalog.format('constraint "%s" of domain "%s.%s"', k.conname, n.nspname, t.typname),
         t.typowner, k.conbin::text, NULL, n.nspname
    FROM pg_catalog.pg_constraint k
    JOIN pg_catalog.pg_type t ON t.oid = k.contypid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
   WHERE k.contypid = ANY ($2::pg_catalog.oid[]) AND k.conbin IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('default of domain "%s.%s"', n.nspname, t.typname),
         t.typowner, t.typdefaultbin::text, NULL, n.nspname
    FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
   WHERE t.oid = ANY ($2::pg_catalog.oid[]) AND t.typtype = 'd' AND t.typdefaultbin IS NOT NULL
  UNION ALL
  SELECT pg_catalog.format('range type "%s.%s"', n.nspname, t.typname), t.typowner, NULL, f.oid, n.nspname
    FROM pg_catalog.pg_range r
    JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
    JOIN pg_catalog.pg_proc f ON f.oid = r.rngcanonical OR f.oid = r.rngsubdiff
   WHERE r.rngtypid = ANY ($2::pg_catalog.oid[])
  UNION ALL
  -- A cast that somebody made is taken wherever the server converts such a value.
  SELECT pg_catalog.format('cast from %s to %s', k.castsource::pg_catalog.regtype, k.casttarget::pg_catalog.regtype),
         t.typowner, NULL, k.castfunc, NULL
    FROM pg_catalog.pg_cast k
    -- One end is a type that somebody made: its owner made the cast, or let it be made.
    JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN k.castsource >= 16384::pg_catalog.oid
                                              THEN k.castsource ELSE k.casttarget END
   -- Both ends are of the run: values of other types do not occur, and whoever may make a type and
   -- a cast of it to text must not stop the runs of others.
   WHERE (k.castsource = ANY ($2::pg_catalog.oid[]) OR k.castsource < 16384::pg_catalog.oid)
     AND (k.casttarget = ANY ($2::pg_catalog.oid[]) OR k.casttarget < 16384::pg_catalog.oid)
     AND (k.castsource = ANY ($2::pg_catalog.oid[]) OR k.casttarget = ANY ($2::pg_catalog.oid[]))
     AND k.castfunc >= 16384::pg_catalog.oid
  UNION ALL
  -- Who owns a foreign table says what is read, who owns its server where, and that may be this server,
  -- in a session where nobody holds code back.
  SELECT pg_catalog.format(o.what, n.nspname, c.relname, s.srvname), o.owner, NULL, w.fdwhandler, NULL
    FROM pg_catalog.pg_foreign_table f
    JOIN pg_catalog.pg_class c ON c.oid = f.ftrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_foreign_server s ON s.oid = f.ftserver
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
   CROSS JOIN LATERAL (VALUES ('what is behind foreign table "%1$s.%2$s"', c.relowner),
                              ('foreign server "%3$s" of foreign table "%1$s.%2$s"', s.srvowner)) AS o (what, owner)
   WHERE f.ftrelid = ANY ($1::pg_catalog.oid[]) AND w.fdwhandler <> 0::pg_catalog.oid
), called AS (
  SELECT c.what, c.owner, f.oid, f.oid = c.direct IS TRUE AS direct
    FROM code c
    JOIN LATERAL (
      SELECT c.direct AS oid WHERE c.direct IS NOT NULL
      UNION
      SELECT m[1]::pg_catalog.oid
        FROM pg_catalog.regexp_matches(c.tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') m
      UNION
      -- An operator that was not looked up yet has no opfuncid.
      SELECT o.oprcode::pg_catalog.oid
        FROM pg_catalog.regexp_matches(c.tree, ':(?:opno|opnos [(]o) ([0-9 ]+)', 'g') m
       CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(m[1], ' ') AS number
        JOIN pg_catalog.pg_operator o ON o.oid = nullif(number, '')::pg_catalog.oid
    ) f ON true
), functions AS (
  SELECT k.what, k.owner,
         p.oid::pg_catalog.regprocedure::text AS name, p.proowner AS function_owner,
         NOT k.direct AND (p.provolatile = 'i' OR (p.oid < 16384::pg_catalog.oid AND p.proname ~
            '^(timestamp|date|interval|time|extract|concat|nextval$|now$|random$|clock_timestamp$|statement_timestamp$|transaction_timestamp$|gen_random_uuid$|uuidv7$|uuidv4$|age$|to_char$|to_date$|format$|to_tsvector$)'))
           AS harmless
    FROM called k JOIN pg_catalog.pg_proc p ON p.oid = k.oid
  UNION
  -- Who owns an operator says which function it is, be it one of the server's that does harm.
  SELECT c.what, c.owner, 'operator ' || o.oid::pg_catalog.regoperator::text, o.oprowner, true
    FROM code c
   CROSS JOIN LATERAL pg_catalog.regexp_matches(c.tree, ':(?:opno|opnos [(]o) ([0-9 ]+)', 'g') m
   CROSS JOIN LATERAL pg_catalog.regexp_split_to_table(m[1], ' ') AS number
    JOIN pg_catalog.pg_operator o ON o.oid = nullif(number, '')::pg_catalog.oid
   WHERE o.oid >= 16384::pg_catalog.oid
  UNION
  -- Whatever type an expression mentions may run code: a domain its checks, also inside an array,
  -- composite or range; a range its difference; any type its casts. So it must belong to somebody
  -- trusted, or to the source schema, where the copy has a type of its own. A type that a type of
  -- the server hides is named with its schema in definitions, and so never replaced.
  SELECT c.what, c.owner, 'type ' || e.oid::pg_catalog.regtype::text,
         CASE WHEN n.nspname = $4 AND c.home = $4 AND NOT EXISTS (
                SELECT FROM pg_catalog.pg_type b WHERE b.typname = e.typname
                   AND b.typnamespace = 'pg_catalog'::pg_catalog.regnamespace)
              THEN 10::pg_catalog.oid ELSE e.typowner END,
         true
    FROM code c
   CROSS JOIN LATERAL pg_catalog.regexp_matches(c.tree, ':[a-z_]*typ[a-z_]* ([0-9]+)', 'g') m
    JOIN pg_catalog.pg_type t ON t.oid = m[1]::pg_catalog.oid
    JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0::pg_catalog.oid
                                              THEN t.typelem ELSE t.oid END
    JOIN pg_catalog.pg_namespace n ON n.oid = e.typnamespace
   WHERE n.nspname <> 'pg_catalog'
)
SELECT pg_catalog.jsonb_build_object(
  'what', f.what,
  'owner', pg_catalog.pg_get_userbyid(f.owner),
  'owner_trusted', f.owner IN (SELECT t.oid FROM trusted t),
  'functions', pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object(
     'name', f.name, 'owner', pg_catalog.pg_get_userbyid(f.function_owner),
     'owner_trusted', f.function_owner IN (SELECT t.oid FROM trusted t),
     'harmless', f.harmless) ORDER BY f.name))
  FROM functions f GROUP BY f.what, f.owner ORDER BY f.what
