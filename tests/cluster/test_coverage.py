"""Coverage `detect`: undecided columns that look personal stop a run, the others are counted."""

import time

import pytest

from samples import make_people, profile

RULES = [{"column": "email", "strategy": "mail"}]


@pytest.fixture
def db(db):
    """`people`, of which only the address is decided about; note is free text."""
    make_people(db)
    db.execute("ALTER TABLE prod.people DROP COLUMN note")
    return db


def load(db, version="1", coverage="detect"):
    """The profile that decides about the address only."""
    db.load(profile({"people": RULES}, version=version, coverage=coverage))


def test_what_does_not_look_personal_is_copied_and_counted(db):
    db.execute("ALTER TABLE prod.people ADD visits integer, ADD colour text")
    db.execute("UPDATE prod.people SET visits = 7, colour = 'red'")
    load(db)
    assert db.plan()["people", "colour"]["decision"] == "copied"
    db.sync()
    assert db.column("SELECT DISTINCT colour FROM staging.people") == ["red"]
    details = db.value("SELECT details FROM confiture.get_audit_log(1)")
    assert details["copied_unchanged"] == 3


def test_a_name_that_looks_personal_stops_the_run_with_the_rule_to_paste(db):
    db.execute("ALTER TABLE prod.people ADD phone text, ADD born date, ADD visits integer")
    load(db)
    report = db.sync_refused("55000")
    assert report.message_primary == "the profile says nothing about 2 columns that look personal"
    assert "people.phone: phone" in report.message_detail
    assert "people.born: date_of_birth" in report.message_detail
    assert "visits" not in report.message_detail
    hint = report.message_hint
    assert "- {column: phone, strategy: phone}" in hint and "phone: {type: phone" in hint


def test_the_rules_to_paste_are_right(db):
    db.execute("ALTER TABLE prod.people ADD phone text, ADD born date, ADD \"Last Name\" text")
    load(db)
    hint = db.sync_refused("55000").message_hint
    strategies, tables = hint.split("strategies:\n")[1].split("tables:\n")
    tables = tables.split("confiture.")[0]
    db.load(
        "name: small\nversion: '2'\ncoverage: detect\nstrategies:\n  mail: {type: email}\n"
        + strategies
        + "tables:\n"
        + tables.replace("    rules:\n", "    rules:\n      - {column: email, strategy: mail}\n")
    )
    db.sync()


def test_values_that_look_personal_stop_the_run_unless_none_are_read(db):
    db.execute("ALTER TABLE prod.people ADD field text")
    db.execute("UPDATE prod.people SET field = 'u' || id || '@mail.example'")
    load(db)
    report = db.sync_refused("55000")
    assert "people.field: email" in report.message_detail
    said = report.message_primary + report.message_detail + report.message_hint
    for value in ("u1@mail.example", "Ann.Lee"):
        assert value not in said
    db.sync(options='{"sample": 0}')


@pytest.mark.parametrize("kind", ["tsvector", "xml", "jsonpath", "prod.pair", "prod.pair[]"])
def test_words_in_other_types_stop_the_run_too(db, kind):
    if kind == "xml":
        db.needs_xml()
    db.execute("CREATE TYPE prod.pair AS (a text, b integer)")
    db.execute(f"ALTER TABLE prod.people ADD field {kind}")
    db.execute(
        "INSERT INTO prod.people (id, email) SELECT i, i || '@x.example'"
        " FROM generate_series(10, 60) AS i"
    )
    value = {
        "tsvector": "to_tsvector('simple', 'by u' || id || '@mail.example')",
        "xml": "('<p>by u' || id || '@mail.example</p>')::xml",
        "jsonpath": "('$.a == \"u' || id || '@mail.example\"')::jsonpath",
        "prod.pair": "ROW('u' || id || '@mail.example', 1)::prod.pair",
        "prod.pair[]": "ARRAY[ROW('u' || id || '@mail.example', 1)::prod.pair]",
    }[kind]
    db.execute(f"UPDATE prod.people SET field = {value}")
    load(db)
    report = db.sync_refused("55000")
    assert "people.field: " in report.message_detail
    assert "type: 'null'" in report.message_hint or 'type: "null"' in report.message_hint


def test_strict_and_copy_do_not_look(db):
    db.execute("ALTER TABLE prod.people ADD visits integer, ADD phone text")
    load(db, coverage="strict")
    assert "visits" in db.sync_refused("55000").message_detail
    load(db, version="2", coverage="copy")
    db.sync()


def test_a_preserved_column_is_not_looked_at(db):
    db.execute("ALTER TABLE prod.people ADD phone text")
    body = {"rules": RULES, "preserve": [{"column": "phone", "why": "a test"}]}
    db.load(profile({"people": body}, coverage="detect"))
    db.sync()


def test_a_key_of_persons_is_refused_where_it_shows_them(db):
    db.execute("CREATE TABLE prod.accounts (email text PRIMARY KEY, credit integer)")
    db.load(profile({"people": RULES, "accounts": []}, coverage="detect"))
    assert "accounts.email" in db.sync_refused("55000").message_detail


def test_wrong_samples_are_refused(db):
    load(db)
    for value in ("-1", "100001", '"all"', "1.5"):
        db.sync_refused("22023", options=f'{{"sample": {value}}}')


def test_planning_many_tables_takes_hardly_longer_with_looking(db):
    db.execute("CREATE SCHEMA wide")
    db.execute(
        """DO $$ DECLARE i int; BEGIN FOR i IN 1..500 LOOP
             EXECUTE format('CREATE TABLE wide.t%s (id integer PRIMARY KEY, %s)', i,
               (SELECT string_agg(format('%s_%s %s',
                   (ARRAY['amount', 'state', 'opened', 'label', 'rank', 'colour', 'hits'])[1 + n % 7],
                   n, (ARRAY['integer', 'text', 'date'])[1 + n % 3]), ', ') FROM generate_series(1, 49) n));
             END LOOP; END $$"""
    )
    db.execute("ANALYZE")
    tables = {f"t{i}": [] for i in range(1, 501)}
    ask = "SELECT count(*) FROM confiture.plan(%s, 'wide', 'staging', '{\"sample\": 0}')"
    took = {"copy": [], "detect": []}
    for coverage in took:
        db.load(profile(tables, name=coverage, coverage=coverage))
    # In turns: a busy moment hits both.
    for _ in range(4):
        for coverage in took:
            begun = time.monotonic()
            assert db.value(ask, [coverage]) == 25000
            took[coverage].append(time.monotonic() - begun)
    copy, detect = min(took["copy"]), min(took["detect"])
    print(f"planning 500 tables of 50 columns: copy {copy:.2f} s, detect {detect:.2f} s")
    assert detect < 1.5 * copy
