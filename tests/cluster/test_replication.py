"""Logical replication that masks before it stores: two servers, a publisher with raw rows and a subscriber."""

import json

import pytest

from replicas import (
    PARTS,
    both,
    by_a_run,
    files_with,
    fill,
    kinds,
    pair,
    servers,
    shop,
    stored,
    with_lorem,
    words,
)
from samples import profile

__all__ = ["both", "pair", "servers"]
MARKS = ["ORIGINAL-mail", "ORIGINAL-note", "ORIGINAL-phone"]


@pytest.mark.parametrize("options", [
    "streaming = off", "streaming = off, binary = on", "streaming = off, two_phase = on"])
def test_what_is_copied_inserted_and_updated_is_what_a_run_writes(pair, options):
    rules = {"email": "mail", "phone": "hash", "note": "redact", "bio": "lorem", "age": "bucket"}
    pair.publish()
    fill(pair, 1, 50)
    assert pair.mask(with_lorem(rules=rules)) == [("people", "masked", 5)]
    pair.subscribe(options)
    assert len(stored(pair)) == 50 and stored(pair) == by_a_run(pair)
    fill(pair, 51, 100)
    pair.raw.execute("UPDATE shop.people SET email = 'new' || email, note = NULL WHERE id % 3 = 0")
    pair.raw.execute("UPDATE shop.people SET id = id + 1000 WHERE id % 7 = 0")
    pair.raw.execute("DELETE FROM shop.people WHERE id % 5 = 0")
    if "two_phase" in options:
        pair.raw.execute("BEGIN; UPDATE shop.people SET bio = 'ORIGINAL of two phases'; COMMIT")
    pair.catch_up()
    rows = stored(pair)
    assert 60 < len(rows) < 100 and rows == by_a_run(pair)
    assert not any("ORIGINAL" in str(row) or "raw.example" in str(row) for row in rows)
    # The run beside it was masked by the same profile once, and nothing that arrives twice.
    pair.raw.execute("TRUNCATE shop.people")
    pair.catch_up()
    assert stored(pair) == []


TYPES = """
CREATE TYPE shop.mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN shop.code AS varchar(12) CHECK (VALUE <> '');
CREATE TABLE shop.everything (
  id bigint PRIMARY KEY, mail varchar(60), tags text[], born date, seen timestamptz, amount numeric(12,2),
  account uuid, address inet, document jsonb, state shop.mood, short shop.code, fixed char(20), whole bigint,
  flag boolean, kept bytea, gone text, doubled text GENERATED ALWAYS AS (upper(mail)) STORED);
"""
MANY = {
    "mail": {"type": "email"},
    "tags": {"type": "hash"},
    "born": {"type": "date_shift"},
    "seen": {"type": "generalize", "config": {"unit": "month"}},
    "amount": {"type": "round", "config": {"step": 10}},
    "account": {"type": "uuid"},
    "address": {"type": "ip"},
    "document": {"type": "json", "config": {"unlisted": "hash"}},
    "state": {"type": "choice", "config": {"choices": ["ok", "happy"]}},
    "short": {"type": "redact", "config": {"replacement": "gone"}},
    "fixed": {"type": "hash", "config": {"length": 12}},
    "whole": {"type": "hash"},
    "flag": {"type": "null"},
}


def test_values_of_all_types_are_what_a_run_writes(pair):
    pair.both(TYPES)
    rules = [{"column": name, "strategy": name} for name in MANY]
    pair.here.load(json.dumps({
        "name": "many", "version": "1", "coverage": "strict", "strategies": MANY,
        "tables": {"everything": {
            "rules": rules,
            "preserve": [{"column": name, "why": "test"} for name in ("id", "kept")],
            "exclude": [{"column": "gone", "why": "test"}]}}}))
    pair.publish("shop.everything")
    fill_many = """
      INSERT INTO shop.everything
      SELECT i, 'm' || i || '@raw.example', ARRAY['a' || i, NULL, 'b'], DATE '1990-01-01' + i::int,
             timestamptz '2024-05-06 07:08:09+02' + i * interval '1 day', i * 1.25,
             md5(i::text)::uuid, ('10.1.2.' || i)::inet, jsonb_build_object('name', 'n' || i, 'age', i),
             (ARRAY['sad', 'ok', 'happy'])[1 + i % 3]::shop.mood, 'c' || i, 'f' || i, i, i % 2 = 0,
             '\\x0102', 'leave me'
        FROM generate_series({}) i"""
    pair.raw.execute(fill_many.format("1, 30"))
    made = pair.here.rows("SELECT * FROM confiture.mask_replication('many', 'shop')")
    assert made == [("everything", "masked", len(MANY))]
    pair.subscribe()
    pair.raw.execute(fill_many.format("31, 60"))
    pair.raw.execute("UPDATE shop.everything SET amount = amount + 1, state = 'sad' WHERE id % 2 = 0")
    pair.catch_up()
    rows = stored(pair, "shop.everything")
    assert len(rows) == 60 and rows == by_a_run(pair, "many", table="everything")
    assert {row[15] for row in rows} == {None}


LONG = {"email": "mail", "note": "redact", "bio": "lorem", "phone": "lorem"}


def long_values(pair):
    """A table whose long values the publisher leaves out of an update that does not touch them."""
    # Kept out of line there; here the masks of `note` are short, and those of `bio` lie in the row.
    pair.raw.execute(
        "ALTER TABLE shop.people ALTER note SET STORAGE EXTERNAL, ALTER bio SET STORAGE EXTERNAL,"
        " ALTER phone SET STORAGE EXTERNAL; ALTER TABLE shop.people SET (toast_tuple_target = 128)")
    pair.here.execute("ALTER TABLE shop.people ALTER phone SET STORAGE EXTERNAL")
    pair.publish()
    pair.mask(with_lorem(rules=LONG))
    pair.raw.execute("SELECT pg_create_logical_replication_slot('peek', 'pgoutput')")
    pair.subscribe()
    pair.raw.execute(
        "INSERT INTO shop.people VALUES (1, 'a@raw.example', %s, %s, %s, 30, 'gold')",
        [words(900, 1), words(900, 2), words(60, 3)])
    pair.catch_up()


def test_what_the_publisher_does_not_send_stays_as_it_was_masked(pair):
    long_values(pair)
    before = stored(pair)
    assert before == by_a_run(pair)
    kinds(pair)
    for plan in ("silver", "bronze"):
        pair.raw.execute("UPDATE shop.people SET plan = %s", [plan])
        pair.catch_up()
    # id, email, phone, note, bio, age, plan
    assert kinds(pair) == ["ttuuutt"] * 2
    # One is out of line here too, one lies in the row uncompressed, one is short.
    size = pair.here.rows("SELECT pg_column_size(phone), pg_column_size(bio), pg_column_size(note),"
                          " pg_relation_size(reltoastrelid) > 0 FROM shop.people, pg_class"
                          " WHERE pg_class.oid = 'shop.people'::regclass")
    assert size[0][0] > 2000 and 127 < size[0][1] < 2000 and size[0][2] < 20 and size[0][3]
    after = stored(pair)
    assert after == by_a_run(pair) and after[0][:6] == before[0][:6] and after[0][6] == "bronze"
    # One of them changes, and the others do not.
    pair.raw.execute("UPDATE shop.people SET bio = %s", [words(60, 4)])
    pair.catch_up()
    assert kinds(pair) == ["ttuuttt"]
    assert stored(pair) == by_a_run(pair) and stored(pair)[0][4] != after[0][4]


def test_a_raw_value_that_equals_the_stored_pseudonym_is_masked(pair):
    """To compare with what is stored would take it for one that was not sent."""
    long_values(pair)
    for column in ("bio", "phone", "email"):
        pseudonym = pair.here.value(f"SELECT {column} FROM shop.people")
        pair.raw.execute(f"UPDATE shop.people SET {column} = %s", [pseudonym])
        pair.catch_up()
        assert pair.here.value(f"SELECT {column} FROM shop.people") != pseudonym
        assert stored(pair) == by_a_run(pair)


def test_no_file_of_the_subscriber_ever_holds_an_original(both):
    """Heap, write-ahead log, temporary files and server log, of a copy, of changes and of what fails."""
    both.here.execute(f"DROP SUBSCRIPTION {both.name}")
    fill(both, 1, 200)
    both.raw.execute("UPDATE shop.people SET plan = 'CONTROL-' || id")
    both.subscribe()
    fill(both, 1001, 5000)
    both.raw.execute("UPDATE shop.people SET note = note || '!', plan = 'CONTROL-' || id")
    both.catch_up()
    assert both.here.value("SELECT count(*) FROM shop.people") == 4200
    # The column that is kept is found, in the table and in the log of writes.
    control = files_with(both.here.server, "CONTROL-")
    assert any("pg_wal" in name for name in control) and any("base" in name for name in control)
    assert files_with(both.raw.server, *MARKS)
    assert files_with(both.here.server, *MARKS) == []


def test_a_row_that_is_refused_is_quoted_nowhere(pair):
    """COPY would quote the line that it was sent, of what fails behind the masks too."""
    fill(pair, 1, 5)
    pair.publish()
    pair.here.execute("ALTER TABLE shop.people ADD CHECK (note IS NULL)")
    pair.mask()
    mark = pair.mark()
    pair.subscribe(wait=False)
    log = pair.stuck(mark)
    assert "violates check constraint" in log and "[REDACTED]" in log
    assert files_with(pair.here.server, *MARKS) == []
    pair.here.execute("ALTER TABLE shop.people DROP CONSTRAINT people_note_check")
    pair.wait_for_copies()
    # The same where the mask itself does not take a value.
    pair.here.execute(f"DROP SUBSCRIPTION {pair.name}")
    pair.here.execute("TRUNCATE shop.people")
    pair.mask(shop("2", {"email": "mail", "phone": "phone", "note": "redact", "bio": "cipher"}))
    pair.raw.execute("UPDATE shop.people SET bio = 'ORIGINAL-note é'")
    mark = pair.mark()
    pair.subscribe(wait=False)
    log = pair.stuck(mark)
    assert 'a value of column "bio" of table "shop.people" cannot be masked' in log
    pair.raw.execute("UPDATE shop.people SET bio = 'enough letters'")
    pair.wait_for_copies()
    mark = pair.mark()
    pair.raw.execute("UPDATE shop.people SET bio = 'ORIGINAL-note é'")
    log = pair.stuck(mark)
    assert 'a value of column "bio" of table "shop.people" cannot be masked' in log
    assert files_with(pair.here.server, *MARKS) == []


def test_it_goes_on_by_its_version_until_it_is_set_up_again(both):
    fill(both, 1, 2)
    both.catch_up()
    before = stored(both)
    both.here.load(shop("2", {"email": "redact"}))
    both.raw.execute("UPDATE shop.people SET age = age")
    both.catch_up()
    assert stored(both) == before
    found = both.here.rows("SELECT severity, problem, detail FROM confiture.lint_replication()")
    assert found == [("low", "version",
                      'table "shop.people" is masked by another version than "2", which is in use')]
    assert both.here.value("SELECT profile_version FROM confiture.masked_replication") == "1"
    # The key is the one that version 1 pins.
    both.here.execute("SELECT confiture.rotate_key('masking')")
    both.raw.execute("UPDATE shop.people SET age = age")
    both.catch_up()
    assert stored(both) == before
    both.here.rows("SELECT * FROM confiture.mask_replication('shop', 'shop')")
    both.raw.execute("UPDATE shop.people SET age = age")
    both.catch_up()
    assert {row[1] for row in stored(both)} == {"[REDACTED]"}


def test_a_run_into_the_tables_masks_once_and_replication_goes_on_behind_it(pair):
    """The initial copy by `sync`, from the publisher's rows through postgres_fdw."""
    fill(pair, 1, 20)
    pair.publish()
    pair.mask()
    expected = by_a_run(pair)
    pair.here.sync("shop", "source", "shop", '{"adopt": true}')
    assert stored(pair) == expected
    pair.subscribe("streaming = off, copy_data = false")
    fill(pair, 21, 40)
    pair.raw.execute("UPDATE shop.people SET note = 'ORIGINAL-note' WHERE id < 30")
    pair.catch_up()
    assert stored(pair) == by_a_run(pair) and len(stored(pair)) == 40


@pytest.mark.parametrize("is_whole", [True, False])
def test_rows_of_partitions_are_masked(pair, is_whole):
    """Published as a whole, and partition by partition."""
    pair.both(PARTS)
    pair.publish("shop.visits", f"WITH (publish_via_partition_root = {is_whole})")
    pair.raw.execute("INSERT INTO shop.visits SELECT i, DATE '2019-12-01' + i, 'm' || i || '@raw.example'"
                     " FROM generate_series(1, 60) i")
    pair.mask(profile({"visits": {"email": "mail"}}, name="shop"))
    pair.subscribe()
    pair.raw.execute("UPDATE shop.visits SET email = 'new' || email WHERE id % 2 = 0")
    # There it is a row deleted and another inserted, both sent whole.
    pair.raw.execute("UPDATE shop.visits SET day = day + 100 WHERE id < 20")
    # A partition that comes later has the trigger too.
    pair.both("CREATE TABLE shop.visits_next PARTITION OF shop.visits"
              " FOR VALUES FROM ('2030-01-01') TO ('2040-01-01')")
    if not is_whole:
        pair.here.execute(f"ALTER SUBSCRIPTION {pair.name} REFRESH PUBLICATION")
    pair.raw.execute("INSERT INTO shop.visits VALUES (999, '2031-01-01', 'last@raw.example')")
    pair.wait_for_copies()
    rows = stored(pair, "shop.visits")
    assert len(rows) == 61 and not any("raw.example" in row[2] for row in rows)
    assert sorted(rows) == sorted(by_a_run(pair, table="visits"))


def test_what_was_set_up_is_dumped_and_restored(pair):
    pair.publish()
    pair.mask()
    dump = pair.here.server.run("pg_dump", pair.here.name).stdout
    copy = pair.here.server.create_database(name=f"{pair.here.name}_copy", extension=False)
    try:
        copy.psql("-f", "-", stdin=dump)
        assert copy.rows("SELECT * FROM confiture.lint_replication()") == []
        assert copy.rows("SELECT schema_name, table_name, masked_columns FROM confiture.masked_replication"
                         ) == [("shop", "people", ["email", "phone", "note", "bio", "age"])]
        assert copy.value("SELECT tgenabled FROM pg_trigger WHERE tgname = 'confiture_mask'") == "R"
    finally:
        copy.drop()
