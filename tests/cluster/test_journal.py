"""The journal: what is decrypted is on record before it is given, and stays on record."""

import os
import signal
import time

import psycopg
import pytest

from standby import Standby, kill, processes, start_again

REVEAL = "SELECT anon_fpe_decrypt('12345678')"

GUARDS = [
    "journal_append_only_row",
    "journal_append_only_statement",
    "journal_append_only_truncate",
    "journal_insert_row",
    "journal_insert_statement",
]


@pytest.fixture(scope="module")
def own(private_server):
    """A server with prepared transactions, that others of this file may not disturb."""
    return private_server("max_prepared_transactions=5", "max_connections=120", "fsync=on")


@pytest.fixture
def there(own):
    """A fresh database on it."""
    database = own.create_database()
    yield database
    database.drop()


def tamper(db, *statements):
    """What only a superuser can do, and must not be able to hide."""
    for guard in GUARDS:
        db.execute(f"ALTER TABLE confiture.journal DISABLE TRIGGER {guard}")
    for statement in statements:
        db.execute(statement)
    for guard in GUARDS:
        db.execute(f"ALTER TABLE confiture.journal ENABLE ALWAYS TRIGGER {guard}")


def numbers(db):
    """The numbers of the records in the order in which they lie in the table."""
    return db.column("SELECT number FROM confiture.journal")


def count(db):
    """How many records were counted."""
    return db.value("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM confiture.journal_count")


def journal(db):
    """What verify_ledger says of the journal, as {code: (status, from, to)}."""
    rows = db.rows(
        "SELECT check_code, status, seq_from, seq_to FROM confiture.verify_ledger()"
        " WHERE chain = 'journal'"
    )
    return {row[0]: row[1:] for row in rows}


def is_right(db, last):
    """Every record from 1 is there, in order, signed, counted, and nothing else is found."""
    assert numbers(db) == list(range(1, last + 1))
    assert count(db) == last
    assert set(journal(db)) <= {"W01"}
    assert "OK" in db.findings()


def test_what_is_decrypted_is_on_record_with_who_and_what(db):
    role = db.role("clerk")
    db.execute("SELECT confiture.grant_access('revealer', %s)", [role])
    session = db.session(user=role, application_name="desk 7")
    given = session.value(REVEAL)
    assert given == db.value("SELECT anon_fpe_decrypt('12345678')")
    row = db.rows(
        "SELECT number, user_name, session_user_name, hostname, application_name, about, domain,"
        " reason, amount, granted FROM confiture.reveals ORDER BY number"
    )[0]
    assert row == (1, role, role, "[local]", "desk 7", "anon_fpe_decrypt", None, None, 1, True)
    kept = db.rows("SELECT * FROM confiture.journal")[0]
    assert given not in str(kept) and "12345678" not in str(kept), "no value is on record"
    assert db.value(
        "SELECT backend_pid FROM confiture.journal WHERE number = 1"
    ) == session.pid()
    is_right(db, 2)


def test_every_way_back_is_on_record(db):
    back = db.column(
        "SELECT oid::regprocedure::text FROM pg_proc WHERE prosrc = 'unmask_wrapper' ORDER BY 1"
    )
    assert {name.split("(")[0] for name in back} == {"anon_fpe_decrypt", "anon_ip_decrypt"}
    for number, value in enumerate(
        [
            "'10.1.2.3'::inet", "'10.1.0.0/16'::cidr", "'12345678'::text",
            "1234567::integer, min => 0, max => 9999999",
            "'2020-02-02'::date, first_date => '0001-01-01', last_date => '9999-12-31'",
            "gen_random_uuid()",
        ],
        start=1,
    ):
        name = "ip" if "10.1" in value else "fpe"
        db.execute(f"SELECT anon_{name}_decrypt({value})")
        assert db.column("SELECT about FROM confiture.journal ORDER BY number")[number - 1] == (
            f"anon_{name}_decrypt"
        )
    declared = db.rows(
        "SELECT DISTINCT provolatile, proparallel FROM pg_proc WHERE prosrc = 'unmask_wrapper'"
    )
    assert declared == [("v", "u")]


def test_null_and_masking_leave_no_record(db):
    db.execute("SELECT anon_fpe_decrypt(NULL::text), anon_fpe('12345678'), anon_ip('10.1.1.1'::inet)")
    db.session(user=db.role("nobody")).refused("42501", REVEAL)
    assert numbers(db) == []


def test_one_value_and_many_can_be_told_apart(db):
    db.execute("CREATE TABLE t AS SELECT lpad(n::text, 8, '0') AS v FROM generate_series(1, 1500) n")
    db.execute(REVEAL)
    db.execute("SELECT anon_fpe_decrypt(v) FROM t")
    amounts = "SELECT amount FROM confiture.journal ORDER BY number"
    assert db.column(amounts) == [1, 1, 9, 90, 900, 9000]
    db.execute("SELECT anon_fpe_decrypt(v, seed => v::int) FROM t LIMIT 11")
    assert db.column(amounts)[6:] == [1, 9, 90]
    db.execute(
        "DO $$ BEGIN FOR i IN 1..3 LOOP PERFORM anon_fpe_decrypt('12345678'); END LOOP; END $$"
    )
    covered = sum(db.column(amounts)[9:])
    assert 3 <= covered <= 10
    before = len(db.column(amounts))
    with db.connection.transaction():
        db.execute("DECLARE c CURSOR FOR SELECT anon_fpe_decrypt(v) FROM t")
        for _ in range(3):
            db.execute("FETCH c")
    assert len(db.column(amounts)) >= before + 3, "every statement that is answered"
    assert set(journal(db)) == {"W01"}


ROLLED_BACK = {
    "rollback": ["BEGIN", REVEAL, "ROLLBACK"],
    "savepoint": ["BEGIN", "SAVEPOINT s", REVEAL, "ROLLBACK TO s", "COMMIT"],
    "subtransactions": ["BEGIN", "SAVEPOINT a", "SAVEPOINT b", REVEAL, "RELEASE b", "ROLLBACK TO a", "ROLLBACK"],
    "exception block": [
        "DO $$ BEGIN PERFORM anon_fpe_decrypt('12345678'); RAISE division_by_zero;"
        " EXCEPTION WHEN division_by_zero THEN NULL; END $$"
    ],
    "read only": ["BEGIN READ ONLY", REVEAL, "ROLLBACK"],
    "read only, committed": ["BEGIN READ ONLY", REVEAL, "COMMIT"],
    "repeatable read": ["BEGIN ISOLATION LEVEL REPEATABLE READ", REVEAL, "ROLLBACK"],
    "serializable": ["BEGIN ISOLATION LEVEL SERIALIZABLE", REVEAL, "ROLLBACK"],
    "serializable, read only": [
        "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE", REVEAL, "ROLLBACK"
    ],
    "prepared": ["BEGIN", REVEAL, "PREPARE TRANSACTION 'p'", "ROLLBACK PREPARED 'p'"],
    "default read only": ["SET default_transaction_read_only = on", REVEAL],
}


@pytest.mark.parametrize("how", ROLLED_BACK)
def test_a_record_survives(there, how):
    there.execute("SELECT confiture.create_key('ledger')")
    session = there.session()
    for statement in ROLLED_BACK[how]:
        session.execute(statement)
        if statement == REVEAL:
            assert numbers(there) == [1], "seen by others at once"
            assert session.value("SELECT current_setting('transaction_read_only')") == (
                "on" if "read only" in how else "off"
            )
    is_right(there, 1)
    if "read only" in how:
        session = there.session()
        session.execute("BEGIN READ ONLY")
        session.execute(REVEAL)
        session.refused("25006", "CREATE TABLE t ()")


def test_a_record_survives_the_failure_of_its_statement(db):
    db.refused("22012", "SELECT anon_fpe_decrypt('12345678'), 1 / (random() * 0)::int")
    is_right(db, 1)


def test_a_record_survives_the_server_that_is_killed_at_once(private_server):
    server = private_server("fsync=on", "full_page_writes=on")
    db = server.create_database()
    db.execute("CHECKPOINT")
    session = db.session()
    session.execute(REVEAL)
    postmaster, children = processes(server)
    writer = next(pid for pid, kind in children.items() if kind == "walwriter")
    # Nobody but the session itself can bring it to the disk now, and its transaction stays open.
    os.kill(writer, signal.SIGSTOP)
    session.execute("BEGIN")
    answered = session.rows(REVEAL)
    kill([postmaster, *children])
    assert answered
    start_again(server)
    after = db.session()
    assert [row[0] for row in after.rows("SELECT number FROM confiture.journal")] == [1, 2]
    assert count(after) == 2
    after.execute(REVEAL)
    is_right(after, 3)


def test_a_server_that_stops_between_row_and_count_doubles_no_number(db):
    for _ in range(3):
        db.execute(REVEAL)
    db.execute("SELECT setval('confiture.journal_count', 2)")
    assert journal(db)["W08"] == ("warn", 3, 3)
    assert "OK" in db.findings(), "a row that was not counted was answered to nobody"
    db.session().execute(REVEAL)
    is_right(db, 4)


def test_a_standby_gives_nothing_back(private_server):
    server = private_server("wal_level=replica")
    db = server.create_database()
    db.execute(REVEAL)
    standby = Standby(server)
    try:
        with standby.connect(db.name) as connection:
            with pytest.raises(psycopg.Error) as refused:
                connection.execute(REVEAL)
            assert refused.value.diag.sqlstate == "25006" and refused.value.diag.message_hint
            seen = connection.execute("SELECT number FROM confiture.reveals").fetchall()
            assert seen == [(1,)]
            findings = connection.execute("SELECT check_code FROM confiture.verify_ledger()")
            assert {row[0] for row in findings} == {"OK", "W01"}
        db.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        db.execute("SELECT pg_reload_conf()")
        session = db.session()
        wait_for_setting(session, "synchronous_standby_names", "*")
        session.execute("BEGIN")
        session.execute(REVEAL)
        flushed = session.value(
            "SELECT bool_or(s.flush_lsn >= pg_current_wal_flush_lsn()) FROM pg_stat_replication s"
        )
        assert flushed, "on the disk of the standby before it is answered"
        session.execute("ROLLBACK")
    finally:
        standby.stop()


def wait_for_setting(session, name, value):
    """A changed configuration reaches a session, and the checkpointer, when they look."""
    for _ in range(200):
        if session.value(f"SELECT current_setting('{name}')") == value:
            break
        time.sleep(0.02)
    time.sleep(0.5)


def test_nothing_is_answered_that_no_standby_has_confirmed(private_server):
    server = private_server("synchronous_commit=local")
    db = server.create_database()
    db.execute("ALTER SYSTEM SET synchronous_standby_names = 'one_that_is_not_there'")
    db.execute("SELECT pg_reload_conf()")
    session = db.session()
    wait_for_setting(session, "synchronous_standby_names", "one_that_is_not_there")
    session.execute("SET statement_timeout = '1s'")
    for level in ["local", "off", "on", "remote_apply"]:
        session.execute(f"SET synchronous_commit = {level}")
        report = session.refused("57014", REVEAL)
        assert "12345678" not in str(report.message_primary)
        assert session.value("SHOW synchronous_commit") == level
    assert numbers(session) == [1, 2, 3, 4], "asked for, and not given"
    db.execute("ALTER SYSTEM RESET synchronous_standby_names")
    db.execute("SELECT pg_reload_conf()")
    wait_for_setting(session, "synchronous_standby_names", "")
    assert session.value(REVEAL)


WRITERS = {
    "committed": REVEAL + ";",
    "rolled back": f"BEGIN;\n{REVEAL};\nROLLBACK;",
    "in a savepoint": f"BEGIN;\nSAVEPOINT s;\n{REVEAL};\nROLLBACK TO s;\n{REVEAL};\nCOMMIT;",
    "serializable": f"BEGIN ISOLATION LEVEL SERIALIZABLE;\n{REVEAL};\nCOMMIT;",
}


def test_sixty_four_writers_at_once_leave_every_record(there, tmp_path):
    files = []
    for number, text in enumerate(WRITERS.values()):
        path = tmp_path / f"{number}.sql"
        path.write_text(text)
        files += ["-f", path]
    done = there.server.run(
        "pgbench", "-n", "-c", "64", "-j", "2", "-t", "20", *files, there.name
    )
    assert "number of failed transactions: 0" in done.stdout or there.server.version < 15
    assert "deadlock" not in there.server.log()
    last = count(there)
    assert last >= 64 * 20
    is_right(there, last)
    assert there.value("SELECT count(DISTINCT backend_pid) FROM confiture.journal") == 64


def test_acts_and_reveals_at_once_fold_every_record(there, tmp_path):
    reveals, acts = tmp_path / "reveals.sql", tmp_path / "acts.sql"
    reveals.write_text(f"BEGIN;\n{REVEAL};\nROLLBACK;")
    acts.write_text("SELECT confiture.rotate_key('salt-x');")
    there.execute("SELECT confiture.create_key('salt-x')")
    there.server.run(
        "pgbench", "-n", "-c", "12", "-j", "2", "-t", "40", "-f", f"{reveals}@9", "-f",
        f"{acts}@1", there.name,
    )
    there.execute("SELECT confiture.create_key('salt-y')")
    is_right(there, count(there))
    assert journal(there) == {}, "all of it is covered by the chain"


def test_the_next_entry_covers_the_records_before_it(db):
    for _ in range(3):
        db.execute(REVEAL)
    assert journal(db) == {"W01": ("warn", 1, 3)}
    db.execute("SELECT confiture.create_key('salt-a')")
    covers = "SELECT journal_last, journal_root IS NOT NULL FROM confiture.audit_log ORDER BY seq"
    assert db.rows(covers) == [(0, False), (3, True)]
    assert journal(db) == {}
    db.execute("BEGIN")
    db.execute(REVEAL)
    db.execute("SELECT confiture.create_key('salt-b')")
    db.execute("ROLLBACK")
    assert journal(db) == {"W01": ("warn", 4, 4)}
    db.execute("SELECT confiture.create_key('salt-b')")
    db.execute("SELECT confiture.create_key('salt-c')")
    assert db.rows(covers) == [(0, False), (3, True), (4, True), (4, False)]
    is_right(db, 4)


def test_folding_reads_the_end_of_a_long_journal_only(db):
    db.execute(
        "DO $$ BEGIN FOR i IN 1..3000 LOOP EXECUTE 'SELECT anon_fpe_decrypt(''12345678'')';"
        " END LOOP; END $$"
    )
    pages = db.value("SELECT pg_relation_size('confiture.journal') / 8192")
    assert pages > 60
    db.execute("SELECT confiture.create_key('salt-a')")
    db.execute(REVEAL)
    db.execute("SELECT pg_stat_reset_shared('bgwriter')")
    session = db.session()
    session.execute("SELECT confiture.load_keys()")
    session.execute("SET track_io_timing = off")
    read = (
        "SELECT heap_blks_read + heap_blks_hit FROM pg_statio_all_tables"
        " WHERE relid = 'confiture.journal'::regclass"
    )

    def settled():
        last = None
        for _ in range(100):
            db.execute("SELECT pg_stat_clear_snapshot()")
            now = db.value(read)
            if now == last:
                return now
            last = now
            time.sleep(1.1)
        return last

    before = settled()
    session.execute("SELECT confiture.create_key('salt-b')")
    session.connection.close()
    assert settled() - before < pages / 2
    is_right(db, 3001)


def test_the_journal_has_neither_index_nor_long_values(db):
    found = db.rows(
        "SELECT relhasindex, reltoastrelid FROM pg_class WHERE oid = 'confiture.journal'::regclass"
    )
    assert found == [(False, 0)]


def test_vacuum_of_every_kind_keeps_records_and_their_order(db):
    for _ in range(40):
        db.execute("BEGIN")
        db.execute(REVEAL)
        db.execute("ROLLBACK")
    for how in ["", "(FREEZE)", "(FULL)", "(FREEZE, DISABLE_PAGE_SKIPPING)"]:
        db.execute(f"VACUUM {how} confiture.journal")
        before = numbers(db)
        db.execute(REVEAL)
        assert numbers(db) == [*before, len(before) + 1]
    is_right(db, 44)


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
    "type": ("ALTER TABLE confiture.journal ALTER about TYPE varchar(9)", "42P17"),
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_journal_gives_nothing_back(db, what):
    statement, sqlstate = ALTERED[what]
    db.execute("ALTER EVENT TRIGGER confiture_drop_guard DISABLE")
    for trigger in db.column("SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'confiture%%'"):
        db.execute(f"ALTER EVENT TRIGGER {trigger} DISABLE")
    db.execute("DROP VIEW IF EXISTS pg_temp.none")
    if what == "type":
        db.execute("ALTER EXTENSION confiture DROP VIEW confiture.reveals")
        db.execute("DROP VIEW confiture.reveals")
    db.execute(statement)
    assert db.refused(sqlstate, REVEAL).message_hint
    assert numbers(db) == []


def test_nothing_is_given_back_that_a_rollback_takes_off_the_record(db):
    for trigger in db.column("SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'confiture%%'"):
        db.execute(f"ALTER EVENT TRIGGER {trigger} DISABLE")
    for statement in [
        # The file that the record would go into goes with the transaction.
        "ALTER TABLE confiture.journal ALTER amount TYPE bigint USING amount + 0",
        "ALTER SEQUENCE confiture.journal_count RESTART",
        # So would the key that signs it.
        "SELECT confiture.rotate_key('masking')",
        "SELECT confiture.create_key('ledger')",
    ]:
        session = db.session()
        if "ALTER TABLE" in statement:
            session.execute("BEGIN")
            session.execute("ALTER EXTENSION confiture DROP VIEW confiture.reveals")
            session.execute("DROP VIEW confiture.reveals")
        else:
            session.execute("BEGIN")
        session.execute(statement)
        report = session.refused("55000", REVEAL)
        assert "outlive" in report.message_primary and report.message_hint == "Commit first."
        session.execute("ROLLBACK")
        assert session.value(REVEAL)
    is_right(db, 4)


def test_a_key_of_its_own_and_a_new_version_sign_from_their_commit_on(db):
    db.execute(REVEAL)
    db.execute("SELECT confiture.create_key('ledger')")
    db.execute(REVEAL)
    db.execute("SELECT confiture.rotate_key('ledger')")
    db.execute(REVEAL)
    signed = db.rows("SELECT key_name, key_version FROM confiture.journal ORDER BY number")
    assert signed == [("masking", 1), ("ledger", 1), ("ledger", 2)]
    db.execute("SELECT confiture.destroy_key_version('ledger', 1)")
    is_right(db, 3)


def test_a_query_that_runs_in_parallel_gives_nothing_back(db):
    db.execute(
        "CREATE FUNCTION sneaky(v text) RETURNS text LANGUAGE plpgsql PARALLEL SAFE"
        " AS $$ BEGIN RETURN anon_fpe_decrypt(v); END $$"
    )
    db.execute("CREATE TABLE t AS SELECT '12345678'::text AS v FROM generate_series(1, 100)")
    always = "force_parallel_mode" if db.server.version < 16 else "debug_parallel_query"
    db.execute(f"SET {always} = on")
    db.execute("SET parallel_setup_cost = 0")
    db.execute("SET parallel_tuple_cost = 0")
    db.execute("SET min_parallel_table_scan_size = 0")
    assert db.refused("25000", "SELECT sneaky(v) FROM t").message_hint
    assert numbers(db) == []
    db.execute("SELECT anon_fpe_decrypt(v) FROM t")
    assert numbers(db) == [1, 2, 3]


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


def test_a_canceled_wait_for_the_turn_leaves_no_record(there):
    holder = there.session()
    holder.execute("BEGIN")
    holder.execute("LOCK TABLE confiture.journal IN SHARE MODE")
    waiting = there.session()
    waiting.execute("SET statement_timeout = '300ms'")
    waiting.refused("57014", REVEAL)
    holder.execute("ROLLBACK")
    waiting.execute("RESET statement_timeout")
    waiting.execute(REVEAL)
    is_right(there, 1)
