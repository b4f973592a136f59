"""What is refused because no run can do it: parts of documents and composites, salts, labels."""

import json

import psycopg
import pytest
from samples import keep_all, profile

STICKY = {"type": "dp_noise_sticky", "config": {"epsilon": 1, "sensitivity": 1}}


@pytest.fixture(autouse=True)
def shop(db):
    """A table with a document, a composite and an enum, and one that refers to another."""
    db.execute("CREATE SCHEMA prod")
    db.execute("CREATE TYPE prod.point AS (lat numeric, name text)")
    db.execute("CREATE TYPE prod.place AS (street text, at prod.point, floor numeric)")
    db.execute("CREATE TYPE prod.mood AS ENUM ('happy', 'sad')")
    db.execute("CREATE TABLE prod.codes (code text PRIMARY KEY)")
    db.execute(
        "CREATE TABLE prod.t (id integer PRIMARY KEY, doc jsonb, home prod.place, mood prod.mood,"
        " code text REFERENCES prod.codes, born interval)"
    )


def refused(db, sqlstate, strategy, column, name):
    """A profile with this strategy is refused when it is loaded, or at least by the plan."""
    document = profile(
        {"t": {"rules": [{"column": column, "strategy": "s"}], **keep_all()}},
        strategies={"s": strategy},
        name=name,
    )
    with pytest.raises(psycopg.Error) as refusal:
        db.load(document)
        db.rows("SELECT * FROM confiture.plan(%s, 'prod', 'staging')", [name])
    assert refusal.value.sqlstate in sqlstate
    return refusal.value.diag


@pytest.mark.parametrize("part", ["shuffle", "default", STICKY, "salted_hash"], ids=str)
def test_a_part_of_a_document_that_no_run_can_mask_is_refused(db, part):
    refused(db, ["22023"], {"type": "json", "config": {"paths": {"$.a": part}}}, "doc", "p")


RECORD = {"type": "record", "config": {"fields": {"name": "hash"}}}


@pytest.mark.parametrize(
    ("field", "part"),
    [("street", "shuffle"), ("street", "default"), ("at", RECORD), ("floor", STICKY)],
    ids=str,
)
def test_a_field_that_no_run_can_mask_is_refused(db, field, part):
    strategy = {"type": "record", "config": {"fields": {field: part}}}
    refused(db, ["22023", "42804"], strategy, "home", "p")


@pytest.mark.parametrize(
    "strategy",
    [
        {"type": "choice", "config": {"choices": ["happy", "glad"]}},
        {"type": "map", "config": {"pairs": {"sad": "glad"}, "on_miss": "keep"}},
    ],
    ids=lambda strategy: strategy["type"],
)
def test_a_label_that_the_enum_has_not_is_refused(db, strategy):
    refused(db, ["22023"], strategy, "mood", "p")


def test_a_foreign_key_between_columns_with_salts_of_their_own_is_refused(db):
    rules = {"rules": [{"column": "code", "strategy": "s"}], **keep_all()}
    db.load(profile({"codes": rules, "t": rules}, strategies={"s": {"type": "salted_hash"}}))
    report = db.plan_refused("22023")
    assert "t_code_fkey" in report.message_primary


def test_the_hint_names_what_takes_every_type(db):
    report = refused(db, ["42804"], {"type": "hash"}, "born", "p")
    for name in ("constant", "default", "null", "redact", "shuffle"):
        assert name in report.message_hint, report.message_hint


def test_a_date_outside_its_range_is_told_by_the_names_of_the_parameters(db):
    report = db.refused(
        "22000",
        "SELECT anon_fpe(DATE '2030-01-01', first_date => '1900-01-01', last_date => '2020-01-01',"
        " small_domain => 'shuffle')",
    )
    assert "first_date" in report.message_detail


def test_the_limit_of_epsilon_holds_for_parts(db):
    noise = {"type": "dp_noise", "config": {"epsilon": 50, "sensitivity": 1}}
    refused(db, ["22023"], {"type": "json", "config": {"paths": {"$.a": noise}}}, "doc", "p")
    refused(db, ["22023"], {"type": "record", "config": {"fields": {"floor": noise}}}, "home", "q")
    paths = json.dumps({"$.a": noise})
    db.refused("22023", "SELECT anon_json('{\"a\": 1}'::jsonb, paths => %s::jsonb)", [paths])


NULLED = {
    "flag": ("boolean", "true"),
    "small": ("smallint", "1"),
    "whole": ("integer", "1"),
    "big": ("bigint", "1"),
    "exact": ("numeric", "1.5"),
    "single": ("real", "1.5"),
    "id": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
    "born": ("date", "'2000-01-01'"),
    "seen": ("timestamptz(0)", "'2000-01-01 12:00Z'"),
    "span": ("interval", "'1 day'"),
    "raw": ("bytea", r"'\x00'"),
    "doc": ("jsonb", "'{}'"),
    "note": ("xml", "'<a/>'"),
    "bits": ("bit(3)", "'101'"),
    "more": ("varbit", "'1'"),
    "host": ("inet", "'192.0.2.1'"),
    "spot": ("point", "'(1,2)'"),
    "range": ("int4range", "'[1,2)'"),
    "mood": ("origin.mood", "'sad'"),
    "code": ("origin.code", "'ab'"),
    "pair": ("origin.pair", "'(1,a)'"),
    "texts": ("text[]", "'{a}'"),
    "words": ("varchar(3)[]", "'{abc}'"),
    "days": ("date[]", "'{2000-01-01}'"),
    "codes": ("origin.code[]", "'{ab}'"),
}


@pytest.mark.parametrize("lineage", ["blake3", "off"])
def test_a_column_of_any_type_can_be_emptied(db, lineage):
    db.execute(
        "CREATE SCHEMA origin; CREATE TYPE origin.mood AS ENUM ('sad');"
        " CREATE DOMAIN origin.code AS varchar(2); CREATE TYPE origin.pair AS (a int, b text)"
    )
    nulled = dict(NULLED)
    if not db.value("SELECT bool_or(setting ~ 'with-libxml') FROM pg_config"):
        del nulled["note"]
    columns = ", ".join(f"{name} {of}" for name, (of, _) in nulled.items())
    values = ", ".join(value for _, value in nulled.values())
    db.execute(
        f"CREATE TABLE origin.t (k int PRIMARY KEY, {columns}); INSERT INTO origin.t VALUES (1, {values})"
    )
    rules = dict.fromkeys(nulled, "drop")
    db.load(profile({"t": rules}, strategies={"drop": {"type": "null"}}))
    db.sync(source="origin", options=f'{{"lineage": "{lineage}"}}')
    empty = f"SELECT num_nulls({', '.join(nulled)}) FROM staging.t"
    assert db.value(empty) == len(nulled)
