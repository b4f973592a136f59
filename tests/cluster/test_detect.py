"""Detection, measured: what it finds in three schemas, and what it finds wrongly."""

import json
import os
import re

import doc_blocks
import pytest

import detection_truth as truth
from server import ROOT, Database
from test_chinook import FILE as CHINOOK
from test_webshop import SHOP

PAGE = ROOT / "docs" / "detect.md"
HELD_OUT = ROOT / "tests" / "cluster" / "held_out.sql"


@pytest.fixture(scope="module")
def shop(server):
    """The sample shop, analyzed."""
    database = server.create_database()
    database.psql(
        "-o", "/dev/null", "-v", "customers=300", "-f", SHOP / "schema.sql", "-f", SHOP / "data.sql"
    )
    database.execute("ANALYZE")
    yield database
    database.drop()


@pytest.fixture(scope="module")
def chinook(server):
    """The Chinook music shop."""
    if not CHINOOK.is_file():
        pytest.skip(f"the sample database is not at {CHINOOK}")
    server.psql("postgres", "-f", CHINOOK)
    database = Database(server, "chinook")
    if server.version < 15:
        database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    database.execute("CREATE SCHEMA tools")
    database.execute("CREATE EXTENSION confiture SCHEMA tools")
    yield database
    database.drop()


@pytest.fixture(scope="module")
def held(server):
    """The schema in five languages that was written first."""
    database = server.create_database()
    database.psql("-f", HELD_OUT)
    yield database
    database.drop()


def found(db, schema, sample=1000):
    """The columns that look personal."""
    return {
        (table, column)
        for table, column in db.rows(
            "SELECT table_name, column_name FROM confiture.detect(%s, %s)", [schema, sample]
        )
    }


def measured(db, schema, personal, undecided, sample=1000):
    """Recall and precision, with what was missed and what was found wrongly."""
    personal, undecided = truth.columns(personal), truth.columns(undecided)
    seen = found(db, schema, sample) - undecided
    missed, wrong = personal - seen, seen - personal
    hits = len(personal & seen)
    figures = {
        "columns": db.value(
            "SELECT count(*) FROM confiture.detect(%s, 0, true)", [schema]
        ),
        "personal": len(personal),
        "recall": hits / len(personal),
        "precision": hits / max(len(seen), 1),
    }
    print(f"{schema} sample={sample}: {figures} missed={sorted(missed)} wrong={sorted(wrong)}")
    return figures, missed, wrong


def in_the_page(name, sample, figures):
    """The row of the table of the page says these figures; CONFITURE_WRITE=1 puts them there."""
    row = (
        f"| {name} | {sample or 'none'} | {figures['columns']} | {figures['personal']}"
        f" | {figures['recall']:.2f} | {figures['precision']:.2f} |"
    )
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"^\| {re.escape(name)} \| {sample or 'none'} \|.*$", re.MULTILINE)
    if os.environ.get("CONFITURE_WRITE"):
        PAGE.write_text(pattern.sub(row, text), encoding="utf-8")
        return
    assert row in text, f"{PAGE.name} must say:\n{row}"


CASES = [
    ("sample shop", "shop", "prod", truth.WEBSHOP, truth.WEBSHOP_OPEN),
    ("Chinook", "chinook", "public", truth.CHINOOK, truth.CHINOOK_OPEN),
    ("held out", "held", "held", truth.HELD_OUT, truth.HELD_OUT_OPEN),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[1])
def test_what_is_personal_is_found_and_little_else(request, case):
    name, fixture, schema, personal, undecided = case
    db = request.getfixturevalue(fixture)
    figures, _, _ = measured(db, schema, personal, undecided)
    assert figures["recall"] >= 0.95 and figures["precision"] >= 0.85
    in_the_page(name, 1000, figures)
    blind, _, _ = measured(db, schema, personal, undecided, sample=0)
    in_the_page(name, 0, blind)


def rows(db, schema, *arguments):
    """{(table, column): row as a dictionary}."""
    asked = ", ".join(["%s"] * (1 + len(arguments)))
    cursor = db.execute(f"SELECT * FROM confiture.detect({asked})", [schema, *arguments])
    names = [column.name for column in cursor.description]
    return {(row[0], row[1]): dict(zip(names, row)) for row in cursor.fetchall()}


def test_each_row_says_what_it_is_how_surely_and_why(shop):
    row = rows(shop, "prod")["customers", "email"]
    assert row["category"] == "email" and row["column_type"] == "character varying(160)"
    assert 0.9 <= row["confidence"] <= 1 and row["strategy"] == "{type: email}"
    assert "name says email" in row["why"]


def test_a_document_is_judged_by_its_parts(shop):
    seen = rows(shop, "prod", 1000, True)
    assert seen["customers", "preferences"]["category"] == "document"
    assert seen["products", "attributes"]["confidence"] == 0


def test_values_tell_what_names_hide(db):
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.t (a text, b text[], c jsonb, d text, e text, f text, g text)")
    db.execute(
        "INSERT INTO s.t SELECT 'u' || i || '@mail.example', ARRAY['v' || i || '@mail.example'],"
        """ jsonb_build_object('x', 'w' || i || '@mail.example'), '4111 1111 1111 1111',"""
        " 'DE89 3704 0044 0532 0130 00', 'plain ' || i, i::text FROM generate_series(1, 40) i"
    )
    seen = {column: row["category"] for (_, column), row in rows(db, "s").items()}
    assert seen == {
        "a": "email", "b": "email", "c": "document", "d": "credit_card", "e": "iban",
    }
    assert rows(db, "s", 0) == {}
    db.execute("ANALYZE s.t")
    # Statistics hold values too.
    assert {"a", "d", "e"} <= {column for _, column in rows(db, "s", 0)}


def test_a_large_table_is_sampled_all_over(db):
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.t (a text)")
    db.execute(
        "INSERT INTO s.t SELECT CASE WHEN i <= 100000 THEN 'word' ELSE 'u' || i || '@mail.example'"
        " END FROM generate_series(1, 400000) i"
    )
    db.execute("SET default_statistics_target = 1")
    db.execute("UPDATE pg_class SET reltuples = 400000 WHERE oid = 's.t'::regclass")
    # The first rows are none; those all over the table mostly are.
    assert rows(db, "s")["t", "a"]["category"] == "email"


def test_what_is_not_looked_into_is_said(db):
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.customers (id integer, photo bytea, payload bytea, at pg_lsn)")
    seen = rows(db, "s", 1000, True)
    assert seen["customers", "photo"]["confidence"] >= 0.5
    for column in ("photo", "payload", "at"):
        assert "not looked into" in seen["customers", column]["why"]


def test_no_value_is_shown_logged_or_suggested(db):
    db.execute("CREATE SCHEMA s")
    db.execute("CREATE TABLE s.people (name text, email text, note text, extra jsonb, tags text[])")
    word = "qzvxwyk"
    extra = {"Qzvxwyk": "qzvxwyk@mail.example", "phone of Qzvxwyk": "+44 20 7946 0958"}
    db.execute(
        "INSERT INTO s.people SELECT 'Ada Qzvxwyk', 'Qzvxwyk@mail.example',"
        " 'Call Qzvxwyk at +44 20 7946 0958 please', %s::jsonb, ARRAY['Qzvxwyk@mail.example']"
        " FROM generate_series(1, 50)",
        [json.dumps(extra)],
    )
    db.execute("ANALYZE s.people")
    before = len(db.server.log())
    db.execute("SET log_statement = 'all'")
    shown = str(db.rows("SELECT d::text FROM confiture.detect('s', 1000, true) d"))
    shown += db.value("SELECT confiture.suggest_profile('s')")
    assert word not in shown.lower()
    assert word not in db.server.log()[before:].lower()


def test_bad_arguments_are_refused(db):
    assert '"nowhere"' in db.refused(
        "3F000", "SELECT * FROM confiture.detect('nowhere')"
    ).message_primary
    db.refused("22023", "SELECT * FROM confiture.detect('public', -1)")
    db.refused("22023", "SELECT * FROM confiture.detect('public', 100001)")
    for call in ("detect(NULL)", "detect('public', NULL)", "suggest_profile(NULL)"):
        db.refused({"22004", "22023"}, f"SELECT confiture.{call}")


def test_the_blocks_of_the_page_run(server):
    db = server.create_database()
    blocks = doc_blocks.read(PAGE)
    outputs = []
    for block in blocks:
        done = db.psql("-P", "footer=off", "-P", "pager=off", "-f", "-", stdin=block.sql)
        lines = [line.rstrip() for line in done.stdout.rstrip("\n").splitlines()]
        outputs.append((block, "".join(f"{line}\n" for line in lines)))
    if os.environ.get("CONFITURE_WRITE"):
        doc_blocks.write(PAGE, outputs)
    else:
        for block, printed in outputs:
            assert (block.shown or "") == printed, f"line {block.line} prints:\n{printed}"
    db.drop()
