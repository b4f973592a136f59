"""Small schemas and the profiles for them."""

import json

STRATEGIES = {
    "mail": {"type": "email"},
    "hash": {"type": "hash"},
    "phone": {"type": "phone"},
    "redact": {"type": "redact"},
}

PEOPLE = [
    (1, "Ann.Lee@Mail.example", "likes jam"),
    (2, "bob@mail.example", None),
    (3, "zoë@mail.example", "allergic to nuts"),
]


def profile(tables, name="small", version="1", strategies=None, coverage="strict", **more):
    """A profile as JSON, which is YAML too.

    `tables` maps a table to {column: strategy}, the rest of its columns preserved, or to what the
    document shall hold under that table. The strategies of above are there by name.
    """
    known = {**STRATEGIES, **(strategies or {})}
    bodies = {table: _body(body) for table, body in tables.items()}
    used = [rule["strategy"] for body in bodies.values() for rule in _rules(body)]
    document = {
        "name": name,
        "version": version,
        "coverage": coverage,
        "strategies": {
            strategy: known[strategy] for strategy in dict.fromkeys(used) if strategy in known
        },
        "tables": bodies,
        **more,
    }
    return json.dumps(document, ensure_ascii=False)


def keep_all(why="nothing personal"):
    """The body of a table that is copied as it is."""
    return {"preserve": [{"column": "*", "why": why}]}


def _body(body):
    if isinstance(body, list) or {"rules", "preserve", "exclude", "where"} & body.keys():
        return body
    rules = [{"column": column, "strategy": strategy} for column, strategy in body.items()]
    return {"rules": rules, **keep_all()}


def _rules(body):
    return body if isinstance(body, list) else body.get("rules", [])


def make_people(db, schema="prod", rows=PEOPLE):
    """One table with a key, an address and a note."""
    db.execute(f'CREATE SCHEMA "{schema}"')
    db.execute(
        f'CREATE TABLE "{schema}".people (id integer PRIMARY KEY, email text NOT NULL, note text)'
    )
    fill_people(db, rows, schema)


def fill_people(db, rows, schema="prod"):
    """Adds rows by COPY: no statement, and so no log of statements, holds a value."""
    with (
        db.connection.cursor() as cursor,
        cursor.copy(f'COPY "{schema}".people FROM STDIN') as copy,
    ):
        for row in rows:
            copy.write_row(row)


def small(**more):
    """The profile for `people`: the address masked, the rest kept."""
    return profile({"people": {"email": "mail"}}, **more)


def make_small(db, **more):
    """The table and its profile."""
    make_people(db, **more)
    db.load(small())


def make_partitioned(db):
    """`a` and `b`, which refers to it, both partitioned, 30 rows each."""
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.a (id int, day date, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
        CREATE TABLE prod.a1 PARTITION OF prod.a FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE prod.a2 PARTITION OF prod.a DEFAULT;
        CREATE TABLE prod.b (id int, a int, day date, email text, PRIMARY KEY (id, day),
          FOREIGN KEY (a, day) REFERENCES prod.a) PARTITION BY HASH (id, day);
        CREATE TABLE prod.b1 PARTITION OF prod.b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE prod.b2 PARTITION OF prod.b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO prod.a SELECT i, date '2024-12-20' + i FROM generate_series(1, 30) i;
        INSERT INTO prod.b SELECT id + 100, id, day, id || '@mail.example' FROM prod.a""")


def make_many(db, count):
    """`people` with so many rows that a run takes a while."""
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TABLE prod.people (id integer PRIMARY KEY, email text NOT NULL, note text)")
    db.execute(
        "INSERT INTO prod.people SELECT i, 'person' || i || '@mail.example', 'note ' || i"
        f" FROM generate_series(1, {int(count)}) AS i"
    )
    db.load(small())
