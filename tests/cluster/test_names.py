"""Odd identifiers: whatever PostgreSQL accepts as a name, a run carries over."""

import json

import pytest
from psycopg import sql

from samples import keep_all, profile

# 63 bytes, the longest there is; letters of two, three and four bytes.
LONGEST = "ü" * 30 + "日"
ODD = [
    "Weird Name",
    'say "hi"',
    "it's",
    "back\\slash",
    "semi;colon--",
    "$1",
    "%s",
    "{0}",
    "select",
    "Ünïcode",
    LONGEST,
    "a.b",
    "*name",
    "~",
    "tab\there",
    "\\x41",
    "E'x'",
    "$$",
    "😀",
    "/* x",
]


def quoted(name):
    """A table key of a profile: in double quotes, so that any character may stand in it."""
    return '"' + name.replace('"', '""') + '"'


def run(db, statement, *names):
    """Runs a statement with names in the place of {}."""
    return db.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.mark.parametrize("name", ODD)
def test_an_odd_name_of_schema_table_and_column(db, name):
    source, target = name, "to " + name[:20]
    run(db, "CREATE SCHEMA {}", source)
    run(
        db,
        "CREATE TABLE {}.{} ({} integer PRIMARY KEY, {} text UNIQUE CHECK ({} <> ''))",
        source,
        name,
        "id",
        name,
        name,
    )
    run(db, "CREATE INDEX {} ON {}.{} (lower({}))", "i" + name[:20], source, name, name)
    run(db, "INSERT INTO {}.{} VALUES (1, 'a@mail.example'), (2, NULL)", source, name)
    if "\t" in name:
        # No place in a profile for control characters: a clear error, not half a run.
        db.refused(
            {"22023", "22P02"},
            "SELECT confiture.load_profile(%s)",
            [profile({quoted(name): {name: "mail"}})],
        )
        return
    db.load(profile({quoted(name): {name: "mail"}}))
    for _ in range(2):
        db.sync(source=source, target=target)
    rows = run(db, "SELECT {}, {} FROM {}.{} ORDER BY 1", "id", name, target, name).fetchall()
    assert rows[0][0] == 1 and "@example." in rows[0][1] and rows[1] == (2, None)
    indexes = db.column(
        "SELECT indexname FROM pg_indexes WHERE schemaname = %s ORDER BY 1", [target]
    )
    assert indexes == db.column(
        "SELECT indexname FROM pg_indexes WHERE schemaname = %s ORDER BY 1", [source]
    )
    entry = json.loads(
        db.value("SELECT confiture.audit_entry_json(id)::text FROM confiture.get_audit_log(1)")
    )
    assert entry["source_schema"] == source and name in json.dumps(
        entry["tables_synced"], ensure_ascii=False
    ).replace("\\\\", "\\").replace('\\"', '"')
    assert {status for status, *_ in db.findings().values()} <= {"ok", "warn"}


@pytest.mark.parametrize("name", ['"', "it's", "back\\slash", LONGEST, LONGEST[:-1] + "xyz"])
def test_odd_names_of_types_sequences_and_constraints(db, name):
    names = {key: sql.Identifier(key + name[:20]) for key in ("source", "target", "type", "domain")}
    names |= {"name": sql.Identifier(name), "other": sql.Identifier("n" + name[:20])}
    for statement in (
        "CREATE SCHEMA {source}",
        "CREATE TYPE {source}.{type} AS ENUM ('it''s', 'a \"b\"', 'back\\slash', 'ü')",
        "CREATE DOMAIN {source}.{domain} AS text CONSTRAINT {name} CHECK (VALUE <> 'it''s \\')",
        "CREATE TABLE {source}.{name} ({name} integer GENERATED ALWAYS AS IDENTITY, {other} serial,"
        " mood {source}.{type}, d {source}.{domain} DEFAULT 'it''s',"
        " CONSTRAINT {type} PRIMARY KEY ({name}), CONSTRAINT {domain} UNIQUE ({other}),"
        " CONSTRAINT {name} CHECK ({name} > 0))",
        "INSERT INTO {source}.{name} (mood) VALUES ('it''s'), ('back\\slash')",
    ):
        db.execute(sql.SQL(statement).format(**names))
    db.load(profile({quoted(name): keep_all()}))
    for _ in range(2):
        db.sync(source="source" + name[:20], target="target" + name[:20])
    db.execute(sql.SQL("INSERT INTO {target}.{name} (mood) VALUES ('it''s')").format(**names))
    numbers = sql.SQL("SELECT max({name}), max({other}) FROM {target}.{name}").format(**names)
    assert db.rows(numbers) == [(3, 3)]


def test_names_that_differ_in_case_only_stay_apart(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.people (email text, "Email" text);
        CREATE TABLE prod."People" (email text);
        INSERT INTO prod.people VALUES ('a@mail.example', 'B@mail.example');
        INSERT INTO prod."People" VALUES ('c@mail.example')""")
    db.load(
        profile(
            {"people": {"email": "mail"}, "People": [{"column": "email", "strategy": "redact"}]}
        )
    )
    db.sync()
    ((masked, kept),) = db.rows('SELECT email, "Email" FROM staging.people')
    assert masked != "a@mail.example" and kept == "B@mail.example"
    assert db.rows('SELECT email FROM staging."People"') == [("[REDACTED]",)]


def test_a_profile_may_name_the_schema_of_a_table(db):
    db.execute('CREATE SCHEMA "a.b"')
    db.execute('CREATE TABLE "a.b"."c.d" (email text)')
    db.execute("""INSERT INTO "a.b"."c.d" VALUES ('a@mail.example')""")
    db.load(profile({'"a.b"."c.d"': [{"column": "email", "strategy": "mail"}]}))
    db.sync(source="a.b")
    assert db.value('SELECT count(*) FROM staging."c.d"') == 1


def test_planted_names_in_the_search_path_are_never_called(db):
    # Closer matches than the built-in ones, for whoever looks names up by the search path.
    db.execute("""
        CREATE SCHEMA planted;
        CREATE TABLE planted.caught (what text);
        CREATE FUNCTION planted.lower(text) RETURNS text LANGUAGE sql
          AS $$ INSERT INTO planted.caught VALUES ('lower'); SELECT 'x'::text $$;
        CREATE FUNCTION planted.count_equal(text, text) RETURNS boolean LANGUAGE sql
          AS $$ INSERT INTO planted.caught VALUES ('='); SELECT false $$;
        CREATE OPERATOR planted.= (LEFTARG = text, RIGHTARG = text, FUNCTION = planted.count_equal);
        CREATE FUNCTION planted.quote_ident(text) RETURNS text LANGUAGE sql
          AS $$ INSERT INTO planted.caught VALUES ('quote_ident'); SELECT 'x'::text $$;
        CREATE TABLE planted.pg_class (oid oid, relname name);
        CREATE SCHEMA prod;
        CREATE TABLE prod.people (id int PRIMARY KEY, email text,
          CHECK (pg_catalog.lower(email) <> ''));
        INSERT INTO prod.people VALUES (1, 'a@mail.example')""")
    db.load(profile({"people": {"email": "mail"}}))
    db.execute("SET search_path = planted, pg_catalog, public")
    db.execute("CALL confiture.sync('small', 'prod', 'staging')")
    db.execute("CALL confiture.sync('small', 'prod', 'staging')")
    db.execute("SELECT * FROM confiture.verify_ledger()")
    assert db.execute("SELECT what FROM planted.caught").fetchall() == []


def test_a_planted_overload_of_a_mask_is_never_called(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.people (id int PRIMARY KEY, email varchar(80));
        INSERT INTO prod.people VALUES (1, 'a@mail.example');
        CREATE FUNCTION public.anon_email(varchar, bigint DEFAULT 0) RETURNS text LANGUAGE sql
          AS $$ SELECT $1::text $$""")
    db.load(profile({"people": {"email": "mail"}}))
    db.sync()
    assert db.value("SELECT email FROM staging.people") != "a@mail.example"
