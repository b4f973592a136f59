"""What a schema is made of, in words that do not name the schema: two copies compare as equal."""

QUERIES = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.attidentity::text, a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
          LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p') AND a.attnum > 0
           AND NOT a.attisdropped""",
    "constraints": """
        SELECT coalesce(c.relname, t.typname), k.conname, k.contype::text, k.condeferrable,
               k.condeferred, k.convalidated, pg_get_constraintdef(k.oid)
          FROM pg_constraint k LEFT JOIN pg_class c ON c.oid = k.conrelid
          LEFT JOIN pg_type t ON t.oid = k.contypid
         WHERE k.connamespace = %s::regnamespace AND k.contype <> 'n'""",
    "indexes": """
        SELECT c.relname, pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisprimary, i.indisunique
          FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')""",
    "partitions": """
        SELECT c.relname, p.relname, pg_get_expr(c.relpartbound, c.oid), pg_get_partkeydef(p.oid)
          FROM pg_inherits i
          JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
         WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p')""",
    "enums": """
        SELECT t.typname, array_agg(e.enumlabel ORDER BY e.enumsortorder)::text
          FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
         WHERE t.typnamespace = %s::regnamespace GROUP BY 1""",
    "domains": """
        SELECT t.typname, format_type(t.typbasetype, t.typtypmod), t.typnotnull, t.typdefault
          FROM pg_type t WHERE t.typnamespace = %s::regnamespace AND t.typtype = 'd'""",
    "sequences": """
        SELECT c.relname, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax,
               s.seqcycle
          FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
         WHERE c.relnamespace = %s::regnamespace""",
}

# Every object of one schema refers to no object of the other, in either direction.
CROSSING = """
WITH member AS (
  SELECT 'pg_class'::regclass AS classid, oid AS objid, relnamespace AS nsp FROM pg_class
  UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
  UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
  UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator
  UNION ALL SELECT 'pg_collation'::regclass, oid, collnamespace FROM pg_collation
  UNION ALL SELECT 'pg_opclass'::regclass, oid, opcnamespace FROM pg_opclass
  UNION ALL SELECT 'pg_constraint'::regclass, oid, connamespace FROM pg_constraint
  UNION ALL SELECT 'pg_attrdef'::regclass, d.oid, relnamespace
    FROM pg_attrdef d JOIN pg_class c ON c.oid = d.adrelid
  UNION ALL SELECT 'pg_trigger'::regclass, t.oid, relnamespace
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  UNION ALL SELECT 'pg_rewrite'::regclass, r.oid, relnamespace
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class)
SELECT pg_describe_object(d.classid, d.objid, d.objsubid),
       pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)
  FROM pg_depend d
  JOIN member a ON a.classid = d.classid AND a.objid = d.objid
  JOIN member b ON b.classid = d.refclassid AND b.objid = d.refobjid
 WHERE (a.nsp, b.nsp) IN ((%(a)s::regnamespace, %(b)s::regnamespace),
                          (%(b)s::regnamespace, %(a)s::regnamespace))
"""


def structure(db, schema):
    """{sort of object: sorted descriptions}, the schema's own name taken out."""
    # With nothing in the path every name is printed with its schema.
    session = db.session()
    session.execute("SET search_path = ''")
    found = {}
    for sort, query in QUERIES.items():
        rows = session.rows(query, [schema])
        found[sort] = sorted(str([_plain(cell, schema) for cell in row]) for row in rows)
    return found


def crossings(db, one, other):
    """What of one schema depends on the other."""
    return db.rows(CROSSING, {"a": one, "b": other})


def _plain(cell, schema):
    return cell.replace(f"{schema}.", "") if isinstance(cell, str) else cell
