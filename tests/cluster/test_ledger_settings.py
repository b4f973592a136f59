"""The ledger under every setting that changes how PostgreSQL reads, writes or finds things."""

import itertools
import random

import pytest

from many_entries import declare, make_entries, said

VALUES = {
    "TimeZone": ["Asia/Kathmandu", "America/St_Johns", "UTC", "<+1345>-13:45", "Pacific/Kiritimati"],
    "DateStyle": ["German", "SQL, DMY", "Postgres, MDY", "ISO, YMD"],
    "IntervalStyle": ["iso_8601", "postgres_verbose", "sql_standard", "postgres"],
    "extra_float_digits": ["-15", "0", "3"],
    "bytea_output": ["escape", "hex"],
    "search_path": ["", "evil, pg_catalog", "evil, confiture, public", "pg_temp"],
    "client_encoding": ["UTF8", "LATIN1", "EUC_JP"],
    "standard_conforming_strings": ["on", "off"],
    "backslash_quote": ["off", "on"],
    "row_security": ["on", "off"],
    "default_transaction_isolation": ["read committed", "repeatable read", "serializable"],
    "lc_messages": ["C"],
    "lc_numeric": ["C"],
    "lc_time": ["C"],
    "lc_monetary": ["C"],
    "transform_null_equals": ["on", "off"],
    "array_nulls": ["off", "on"],
    "quote_all_identifiers": ["on", "off"],
    "xmloption": ["document"],
    "enable_seqscan": ["off", "on"],
    "enable_indexscan": ["off", "on"],
    "enable_sort": ["off", "on"],
    "plan_cache_mode": ["force_generic_plan", "force_custom_plan"],
    # A plan of what is switched off is so dear that compiling it would take seconds.
    "jit": ["off"],
    "work_mem": ["64kB"],
    "session_replication_role": ["replica", "local", "origin"],
    "synchronize_seqscans": ["off", "on"],
    "application_name": ["", "its \"x\" \\ 'y'", "a" * 63],
}
READ_ONLY = ("default_transaction_read_only", "on")

# Names that would be found first under a hostile search_path.
EVIL = """
CREATE SCHEMA evil;
CREATE FUNCTION evil.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.never(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE FUNCTION evil.never(bytea, bytea) RETURNS boolean LANGUAGE sql AS 'SELECT false';
CREATE OPERATOR evil.= (FUNCTION = evil.never, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR evil.= (FUNCTION = evil.never, LEFTARG = bytea, RIGHTARG = bytea);
CREATE OPERATOR evil.> (FUNCTION = evil.never, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR evil.= (FUNCTION = evil.never, LEFTARG = bigint, RIGHTARG = bigint);
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT 'epoch'::timestamptz$$;
CREATE FUNCTION evil.max(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
CREATE FUNCTION evil.sha256(bytea) RETURNS bytea LANGUAGE sql AS $$SELECT '\\x00'::bytea$$;
CREATE FUNCTION evil.unnest(text[]) RETURNS SETOF text LANGUAGE sql AS $$SELECT 'evil'$$;
CREATE TABLE evil.audit_log (seq bigint);
CREATE TABLE evil.ledger_head (seq bigint);
CREATE VIEW evil.pg_class AS SELECT 1 AS oid;
CREATE DOMAIN evil.bytea AS text;
CREATE DOMAIN evil.uuid AS text;
"""


def draws(seed, count):
    """Random combinations: every setting at some value, another one in each."""
    dice = random.Random(seed)
    return [{name: dice.choice(values) for name, values in VALUES.items()} for _ in range(count)]


def under(db, settings, read_only=False):
    """A session that has these settings."""
    session = db.session()
    for name, value in itertools.chain(settings.items(), [READ_ONLY] if read_only else []):
        session.execute("SELECT pg_catalog.set_config($q$%s$q$, $q$%s$q$, false)" % (name, value))
    return session


@pytest.fixture(scope="module")
def full(server):
    """A ledger with every kind of entry, in a database with traps."""
    db = server.create_database()
    make_entries(db)
    db.execute(EVIL)
    yield db
    db.drop()


@pytest.mark.parametrize("read_only", [False, True], ids=["read write", "read only"])
def test_the_same_is_said_under_any_settings(full, read_only):
    expected = said(full)
    assert any("OK" in row[0] for row in expected)
    for settings in draws(1, 12):
        session = under(full, settings, read_only)
        seen = session.rows(
            "SELECT pg_catalog.array_to_string(ARRAY[check_code, status, chain, seq_from::text,"
            " seq_to::text, detail], '|', '-') FROM confiture.verify_ledger()"
        )
        plain = full.rows(
            "SELECT array_to_string(ARRAY[check_code, status, chain, seq_from::text,"
            " seq_to::text, detail], '|', '-') FROM confiture.verify_ledger()"
        )
        assert seen == plain, settings
        session.connection.close()
    assert said(full) == expected


def test_what_was_written_under_any_settings_verifies_under_any_other(db):
    make_entries(db)
    db.execute(EVIL)
    writers, readers = draws(2, 8), draws(3, 8)
    for number, (writing, reading) in enumerate(zip(writers, readers, strict=True)):
        session = under(db, writing)
        session.execute(f"SELECT confiture.create_key('salt-{number}')")
        session.execute("SELECT confiture.rotate_key('masking')")
        session.execute("SELECT length(confiture.export_anchor())")
        session.execute("SELECT pg_catalog.set_config('search_path', 'public', false)")
        if writing["session_replication_role"] == "origin":
            declare(session, table=f"t{number}")
            session.sync(target=f"target{number}")
        session.connection.close()
        reader = under(db, reading, read_only=True)
        found = reader.rows(
            "SELECT pg_catalog.array_to_string(ARRAY[check_code, status, chain], '|')"
            " FROM confiture.verify_ledger()"
        )
        codes = {row[0].split("|")[0] for row in found}
        assert "OK" in codes and codes <= {"OK", "W01", "W03"}, (writing, reading, found)
        reader.connection.close()


def test_nothing_is_appended_where_transactions_are_read_only(full):
    before = full.events()
    session = under(full, {}, read_only=True)
    for statement in [
        "SELECT confiture.create_key('salt-x')",
        "SELECT confiture.rotate_key('masking')",
        "SELECT confiture.export_anchor()",
        "SELECT confiture.begin_run('x', 'prod', 'staging')",
        "SELECT confiture.disarm('why')",
    ]:
        session.refused("25006", statement)
    assert session.attempt() == "25006"
    assert full.events() == before
