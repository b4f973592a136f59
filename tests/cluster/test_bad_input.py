"""Tables as they are met in the wild, and what somebody plants beside them."""

import pytest

from samples import keep_all, make_people, profile, small

COLUMNS = 1600

NAMES = [
    "$tag$ || x || $tag$",
    "\\'; DROP SCHEMA prod CASCADE; --",
    'a"."b',
    "MiXed",
    "mixed",
    "日" * 21,
]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def test_the_widest_table_there_is_is_masked_whole(db):
    # A row of so many texts would not fit into a page.
    columns = ", ".join(f"c{i} integer" for i in range(1, COLUMNS))
    values = ", ".join(f"{10_000_000 + i} + g" for i in range(1, COLUMNS))
    db.execute(f"CREATE SCHEMA prod; CREATE TABLE prod.wide (id integer PRIMARY KEY, {columns})")
    db.execute(f"INSERT INTO prod.wide SELECT g, {values} FROM generate_series(1, 3) g")
    rules = [{"column": f"c{i}", "strategy": "number"} for i in range(1, COLUMNS)]
    db.load(profile({"wide": {"rules": rules, **keep_all()}},
                    strategies={"number": {"type": "fpe"}}))
    db.sync()
    kept = " + ".join(
        f"count(*) FILTER (WHERE c{i} = {10_000_000 + i} + id)" for i in range(1, COLUMNS)
    )
    assert db.rows(f"SELECT count(*), {kept} FROM staging.wide") == [(3, 0)]
    # Every column has its lineage, and was looked at.
    assert db.value("SELECT count(*) FROM confiture.lineage") == COLUMNS - 1
    judged = "SELECT count(*) FROM confiture.verification WHERE check_name = 'no value survived'"
    assert db.value(judged) == COLUMNS - 1


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_name_and_never_text_of_a_statement(db, name):
    source, target = name, name[:10] + " t"
    db.connection.execute(f"CREATE SCHEMA {quoted(source)}".encode())
    db.connection.execute(
        f"CREATE TABLE {quoted(source)}.{quoted(name)}"
        f" ({quoted(name)} text UNIQUE, other text DEFAULT 'x')".encode()
    )
    db.connection.execute(
        f"INSERT INTO {quoted(source)}.{quoted(name)} VALUES ('a@mail.example')".encode()
    )
    db.load(profile({quoted(name): {"rules": [{"column": name, "strategy": "mail"}],
                                    **keep_all()}}))
    for _ in range(2):
        db.sync(source=source, target=target)
    [(masked, other)] = db.connection.execute(
        f"SELECT * FROM {quoted(target)}.{quoted(name)}".encode()
    ).fetchall()
    assert masked != "a@mail.example" and other == "x"
    assert db.value("SELECT source_schema FROM confiture.get_audit_log(1)") == source


# What a session has in its own temporary schema comes first for every unqualified name.
SHADOWS = """
    CREATE TEMP TABLE caught (what text);
    CREATE TEMP VIEW pg_class AS SELECT NULL::oid AS oid, 'people'::name AS relname;
    CREATE TEMP VIEW pg_attribute AS SELECT NULL::oid AS attrelid, NULL::name AS attname;
    CREATE TEMP TABLE pg_namespace (oid oid, nspname name);
    CREATE TEMP TABLE profile (name text, version text, document text);
    CREATE TEMP TABLE audit_log (seq bigint);
    CREATE TEMP TABLE people (id integer, email text, note text);
    CREATE DOMAIN pg_temp.text AS pg_catalog.text CHECK (VALUE IS NULL);
    CREATE FUNCTION pg_temp.lower(pg_catalog.text) RETURNS pg_catalog.text LANGUAGE sql
      AS $$ INSERT INTO pg_temp.caught VALUES ('lower'); SELECT 'x' $$;
    CREATE FUNCTION pg_temp.count_equal(pg_catalog.text, pg_catalog.text) RETURNS boolean
      LANGUAGE sql AS $$ INSERT INTO pg_temp.caught VALUES ('='); SELECT false $$;
    CREATE OPERATOR pg_temp.= (LEFTARG = pg_catalog.text, RIGHTARG = pg_catalog.text,
                               FUNCTION = pg_temp.count_equal);
"""


def test_what_a_session_has_in_its_temporary_schema_takes_no_part(db):
    make_people(db)
    db.load(small())
    db.execute(SHADOWS)
    db.execute("SET search_path = pg_temp, public, pg_catalog")
    for _ in range(2):
        db.execute("CALL confiture.sync('small', 'prod', 'staging')")
    db.execute("SELECT pg_catalog.count(*) FROM confiture.verify_ledger()")
    db.execute("SELECT pg_catalog.count(*) FROM confiture.plan('small', 'prod', 'staging')")
    db.execute("RESET search_path")
    assert db.value("SELECT count(*) FROM pg_temp.caught") == 0
    assert db.value("SELECT count(*) FROM staging.people") == 3
    assert db.value("SELECT count(*) FROM pg_temp.people") == 0


def test_views_named_like_the_catalog_take_no_part(db):
    make_people(db)
    db.load(small())
    db.execute("""
        CREATE VIEW public.pg_constraint AS SELECT 1 AS conrelid;
        CREATE VIEW prod.pg_type AS SELECT 0::oid AS oid, 'text'::name AS typname;
        CREATE VIEW prod.pg_attribute AS SELECT 0::oid AS attrelid, 'id'::name AS attname;
        SET search_path = prod, public, pg_catalog""")
    db.sync()
    db.execute("RESET search_path")
    assert db.value("SELECT count(*) FROM staging.people") == 3


def test_columns_that_were_dropped_and_renamed_do_not_shift_the_others(db):
    make_people(db)
    db.execute("""
        ALTER TABLE prod.people DROP COLUMN note;
        ALTER TABLE prod.people ADD COLUMN phone text DEFAULT '+44 20 7946 0958';
        ALTER TABLE prod.people ADD COLUMN gone integer;
        ALTER TABLE prod.people ADD COLUMN last text DEFAULT 'last';
        ALTER TABLE prod.people DROP COLUMN gone""")
    both = {"people": {"email": "mail", "phone": "phone"}}
    db.load(profile(both))
    db.sync()
    kept = "SELECT count(*) FROM staging.people WHERE last = 'last' AND phone <> '+44 20 7946 0958'"
    assert db.value(kept) == 3
    db.execute("ALTER TABLE prod.people RENAME COLUMN phone TO mobile")
    # The profile names what is no longer there, and the new name is in no rule.
    report = db.sync_refused("42703")
    assert "phone" in report.message_primary
    db.load(profile({"people": {"email": "mail", "mobile": "phone"}}, version="2"))
    # The target still has the old name.
    db.sync_refused("42703")
    db.execute("ALTER TABLE staging.people RENAME COLUMN phone TO mobile")
    db.sync()
    assert db.value("SELECT count(DISTINCT mobile) FROM staging.people") == 1


def test_a_table_without_rows_and_one_without_a_key(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.nothing (email text);
        CREATE TABLE prod.heap (email text, n integer);
        INSERT INTO prod.heap VALUES ('a@mail.example', 1), ('a@mail.example', 1), (NULL, NULL)""")
    db.load(profile({"nothing": {"email": "mail"}, "heap": {"email": "mail"}}))
    for _ in range(2):
        db.sync()
    assert db.value("SELECT count(*) FROM staging.nothing") == 0
    # Rows that are equal stay equal, and stay two.
    assert db.rows("SELECT count(*), count(DISTINCT email), count(n) FROM staging.heap") == [
        (3, 1, 2)
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "ON INSERT TO staging.people DO INSTEAD NOTHING",
        "ON INSERT TO staging.people DO ALSO SELECT 1",
        "ON DELETE TO staging.people DO INSTEAD NOTHING",
    ],
)
def test_rules_of_the_target_are_refused(db, rule):
    make_people(db)
    db.load(small())
    db.sync()
    db.execute(f"CREATE RULE planted AS {rule}")
    assert "rewrite rules" in db.sync_refused("42P17").message_primary


def test_names_of_two_lines_are_carried_over_but_stand_in_no_profile(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.people (email text, "two\nlines" text DEFAULT 'x',
          CONSTRAINT "also\ntwo" CHECK ("two\nlines" <> ''));
        CREATE INDEX "and\ntwo" ON prod.people ("two\nlines");
        INSERT INTO prod.people VALUES ('a@mail.example')""")
    db.load(profile({"people": {"email": "mail"}}))
    for _ in range(2):
        db.sync()
    assert db.column('SELECT "two\nlines" FROM staging.people') == ["x"]
    # A message of one line shall have one line, whatever a document says.
    report = db.refused(
        "22023",
        "SELECT confiture.load_profile(%s)",
        [profile({"people": {"two\nlines": "mail"}}, version="2")],
    )
    assert "control characters" in report.message_primary and "\n" not in report.message_primary
