"""Attacks on the journal: guards, changes behind its back, alterations, dumps."""

import pytest

from journal_calls import (
    REVEAL,
    disable_event_triggers,
    is_right,
    journal,
    numbers,
    tamper,
)


REFUSED = [
    "UPDATE confiture.journal SET reason = 'another'",
    "UPDATE confiture.journal SET reason = reason WHERE false",
    "DELETE FROM confiture.journal",
    "DELETE FROM confiture.journal WHERE number = 1",
    "TRUNCATE confiture.journal",
    "INSERT INTO confiture.journal SELECT * FROM confiture.journal",
    "INSERT INTO confiture.journal SELECT * FROM confiture.journal WHERE false",
    "COPY confiture.journal FROM PROGRAM 'true'",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_nobody_changes_the_journal_not_even_a_superuser(db, statement):
    db.execute(REVEAL)
    for role in ["origin", "replica", "local"]:
        db.execute(f"SET session_replication_role = {role}")
        assert db.refused("42501", statement).message_detail
    db.execute("RESET session_replication_role")
    is_right(db, 1)


def test_an_auditor_reads_and_nobody_else(db):
    auditor, clerk = db.role("auditor"), db.role("clerk")
    db.execute("SELECT confiture.grant_access('auditor', %s)", [auditor])
    db.execute("SELECT confiture.grant_access('revealer', %s)", [clerk])
    db.execute(REVEAL)
    session = db.session(user=auditor)
    assert session.column("SELECT number FROM confiture.reveals") == [1]
    assert session.column("SELECT number FROM confiture.journal") == [1]
    session.refused("42501", "SELECT nextval('confiture.journal_count')")
    other = db.session(user=clerk)
    assert other.value(REVEAL)
    for relation in ["reveals", "journal", "journal_count"]:
        other.refused("42501", f"SELECT * FROM confiture.{relation}")
    other.refused("42501", "SELECT setval('confiture.journal_count', 1)")
    other.refused("42501", "INSERT INTO confiture.journal SELECT * FROM confiture.journal")


@pytest.fixture
def five(db):
    """Five records, the first three of which the chain covers."""
    for _ in range(3):
        db.execute(REVEAL)
    db.execute("SELECT confiture.create_key('salt-x')")
    for _ in range(2):
        db.execute(REVEAL)
    assert journal(db) == {"W01": ("warn", 4, 5)}
    return db


FOUND = {
    "edited": ("UPDATE confiture.journal SET user_name = 'somebody' WHERE number = 2", {"E02", "E06"}),
    "amount edited": ("UPDATE confiture.journal SET amount = 0 WHERE number = 4", {"E02"}),
    "signature edited": (
        "UPDATE confiture.journal SET signature = sha256(signature) WHERE number = 5", {"E02"}
    ),
    "encoding edited": (
        "UPDATE confiture.journal SET canon_version = 2 WHERE number = 5", {"E01"}
    ),
    "removed middle": ("DELETE FROM confiture.journal WHERE number = 4", {"E04"}),
    "removed covered": ("DELETE FROM confiture.journal WHERE number = 2", {"E04", "E06"}),
    "removed newest": ("DELETE FROM confiture.journal WHERE number = 5", {"E07"}),
    "removed newest two": ("DELETE FROM confiture.journal WHERE number > 3", {"E07"}),
    "emptied": ("TRUNCATE confiture.journal", {"E06", "E07"}),
    "renumbered": ("UPDATE confiture.journal SET number = number - 1 WHERE number = 5", {"E02", "E04", "E07"}),
    "doubled": (
        "INSERT INTO confiture.journal SELECT * FROM confiture.journal WHERE number = 4", {"E04"}
    ),
    "exchanged": (
        "UPDATE confiture.journal SET number = 9 - number WHERE number IN (4, 5)", {"E02"}
    ),
    "made up": (
        "INSERT INTO confiture.journal SELECT 6, at, event, 'innocent', session_user_name, hostname,"
        " application_name, backend_pid, transaction_id, about, domain, reason, amount, key_name,"
        " key_version, canon_version, signature FROM confiture.journal WHERE number = 5",
        {"E02"},
    ),
}


@pytest.mark.parametrize("what", FOUND)
def test_what_was_done_behind_its_back_shows(five, what):
    statement, codes = FOUND[what]
    tamper(five, statement)
    found = five.rows(
        "SELECT check_code FROM confiture.verify_ledger() WHERE chain = 'journal' AND status = 'fail'"
    )
    assert {row[0] for row in found} >= codes
    assert "OK" not in five.findings()
    # And for good: what comes later does not hide it.
    five.session().execute(REVEAL)
    five.execute("SELECT confiture.create_key('salt-later')")
    assert "OK" not in five.findings()
    assert "fail" in {status for status, *_ in journal(five).values()}


def test_a_covered_record_shows_although_the_count_was_set_back(five):
    tamper(five, "DELETE FROM confiture.journal WHERE number > 2", "SELECT setval('confiture.journal_count', 2)")
    assert journal(five)["E06"] == ("fail", 3, 3)
    five.session().execute(REVEAL)
    assert "E06" in journal(five), "another record in the place of the removed one is not it"


def test_uncovered_records_and_their_count_are_all_that_is_left_to_the_next_entry(five):
    tamper(five, "DELETE FROM confiture.journal WHERE number > 3", "SELECT setval('confiture.journal_count', 3)")
    assert journal(five) == {}


ALTERED = {
    "index": ("CREATE INDEX ON confiture.journal (number)", "42P17"),
    "unlogged": ("ALTER TABLE confiture.journal SET UNLOGGED", "42P17"),
    "column": ("ALTER TABLE confiture.journal ADD COLUMN more int", "42P17"),
    "type": ("ALTER TABLE confiture.journal ALTER hostname TYPE varchar(9)", "42P17"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_journal_gives_nothing_back(db, what):
    statement, sqlstate = ALTERED[what]
    disable_event_triggers(db)
    if what == "type":
        db.execute("ALTER EXTENSION confiture DROP VIEW confiture.reveals")
        db.execute("DROP VIEW confiture.reveals")
    db.execute(statement)
    assert db.refused(sqlstate, REVEAL).message_hint
    assert numbers(db) == []


def test_nothing_is_given_back_that_a_rollback_takes_off_the_record(db):
    disable_event_triggers(db)
    for statement in [
        # The file that the record would go into goes with the transaction.
        "ALTER TABLE confiture.journal ALTER amount TYPE bigint USING amount + 0",
        "ALTER SEQUENCE confiture.journal_count RESTART",
        # So would the key that signs it.
        "SELECT confiture.rotate_key('masking')",
        "SELECT confiture.create_key('ledger')",
    ]:
        if "_key(" in statement:
            db.execute("SELECT confiture.rearm()")
        session = db.session()
        session.execute("BEGIN")
        if "ALTER TABLE" in statement:
            session.execute("ALTER EXTENSION confiture DROP VIEW confiture.reveals")
            session.execute("DROP VIEW confiture.reveals")
        session.execute(statement)
        report = session.refused("55000", REVEAL)
        assert "outlive" in report.message_primary and report.message_hint == "Commit first."
        session.execute("ROLLBACK")
        assert session.value(REVEAL)
    is_right(db, 4)


HOW = ["plain", "plain in one transaction", "as inserts", "custom, two jobs"]


@pytest.mark.parametrize("how", HOW)
def test_a_restored_journal_goes_on_where_it_stopped(five, bare, tmp_path, how):
    server, path = five.server, tmp_path / "dump"
    if "custom" in how:
        server.run("pg_dump", "-Fc", "-f", path, database=five.name)
        server.run("pg_restore", "--exit-on-error", "-j", "2", "-d", bare.name, path)
    else:
        more = ["--inserts"] if how == "as inserts" else []
        path.write_text(server.run("pg_dump", *more, database=five.name).stdout, encoding="utf-8")
        bare.psql(*(["-1"] if "one" in how else []), "-f", path)
    restored = bare.session()
    everything = "SELECT j::text FROM confiture.journal j"
    assert restored.rows(everything) == five.rows(everything)
    assert set(journal(restored)) == {"W01", "W08"}, "not counted here yet"
    assert "OK" in restored.findings()
    # A second time they do not come.
    restored.refused("42501", "INSERT INTO confiture.journal SELECT * FROM confiture.journal")
    restored.execute(REVEAL)
    is_right(restored, 6)
    assert restored.refused("42501", REFUSED[5]).message_hint
    restored.execute("SELECT confiture.create_key('salt-z')")
    assert journal(restored) == {}


def test_a_dump_taken_while_records_are_written_is_no_alarm(five, bare, tmp_path):
    path = tmp_path / "dump"
    holder = five.session()
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    snapshot = holder.value("SELECT pg_export_snapshot()")
    five.execute(REVEAL)
    five.execute("SELECT confiture.create_key('salt-y')")
    five.execute(REVEAL)
    # The chain as it was then, and records as they are now: those are seen by every snapshot.
    server = five.server
    path.write_text(
        server.run("pg_dump", f"--snapshot={snapshot}", database=five.name).stdout,
        encoding="utf-8",
    )
    bare.psql("-f", path)
    restored = bare.session()
    assert numbers(restored) == [1, 2, 3, 4, 5, 6, 7]
    assert set(journal(restored)) == {"W01", "W08"}
    restored.execute("SELECT confiture.create_key('salt-z')")
    restored.execute(REVEAL)
    is_right(restored, 8)
