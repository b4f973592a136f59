"""The journal: what is decrypted is on record before it is given, and stays on record."""

import time

import psycopg
import pytest

from journal_calls import REVEAL, count, is_right, journal, numbers
from standby import DURABLE, Standby, kill, start_again, stop_the_writer


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
    server = private_server(*DURABLE)
    db = server.create_database()
    db.execute("CHECKPOINT")
    session = db.session()
    session.execute(REVEAL)
    running = stop_the_writer(server)
    # Its transaction stays open.
    session.execute("BEGIN")
    answered = session.rows(REVEAL)
    kill(running)
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

    # Autovacuum reads all of it, and is counted as well: once is enough.
    took = []
    for name in ("salt-b", "salt-c", "salt-d"):
        session = db.session()
        session.execute("SELECT confiture.load_keys()")
        before = settled()
        session.execute("SELECT confiture.create_key(%s)", [name])
        session.connection.close()
        took.append(settled() - before)
        if took[-1] < pages / 2:
            break
    assert min(took) < pages / 2
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


def test_ranges_of_its_pages_are_not_compiled(db):
    """Of a table that was never analyzed each of them would be, for longer than reading it takes."""
    session = db.session()
    session.value(REVEAL)
    session.execute("LOAD 'auto_explain'")
    for name, value in {
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_nested_statements": "on",
        "auto_explain.log_analyze": "on",
        "client_min_messages": "log",
        "jit": "on",
        "jit_above_cost": "0",
    }.items():
        session.execute(f"SET {name} = '{value}'")
    is_right(session, 1)
    session.execute("SELECT confiture.create_key('salt-x')")
    plans = [notice["message_primary"] for notice in session.notices]
    ranges = [plan for plan in plans if "FROM ONLY confiture.journal" in plan and "ctid" in plan]
    assert len(ranges) > 1, plans
    assert any("JIT:" in plan for plan in plans) == session.value("SELECT pg_jit_available()")
    assert [plan for plan in ranges if "JIT:" in plan] == []
