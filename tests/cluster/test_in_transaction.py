"""A run inside a transaction of the caller's: the rows go with it, that it was tried stays."""

import time

import pytest

from samples import make_small

OPTIONS = '{"in_transaction": true}'
CALL = (
    f"CALL confiture.sync('small', source => 'prod', target => 'staging', options => '{OPTIONS}')"
)


@pytest.fixture
def db(db):
    """Nothing synced yet."""
    make_small(db)
    return db


def journal(db):
    """Every record of a run: event, target and what is said of it."""
    return db.rows("SELECT event, domain, reason FROM confiture.journal ORDER BY number")


STARTED = ("STARTED", "staging", "profile small version 1, from schema prod")


def test_it_goes_with_the_transaction_and_its_attempt_stays(db):
    db.execute("BEGIN")
    db.execute(CALL)
    assert db.value("SELECT count(*) FROM staging.people") == 3
    db.execute("ROLLBACK")
    assert db.content("staging") == {} and db.events() == ["KEY_CREATED"]
    assert journal(db) == [STARTED]
    assert db.findings().keys() == {"OK", "W01"}
    # What is next on record covers it, and the run can be made again.
    db.execute("BEGIN")
    db.execute(CALL)
    db.execute("COMMIT")
    assert db.value("SELECT count(*) FROM staging.people") == 3
    assert db.events() == ["KEY_CREATED", "COMPLETED"]
    assert journal(db) == [STARTED] * 2
    said = "SELECT details -> 'in_transaction' FROM confiture.audit_log WHERE event = 'COMPLETED'"
    assert db.value(said) is True
    assert db.findings().keys() == {"OK", "W01"}
    finished = (
        "SELECT array_agg(e.seq IS NOT NULL ORDER BY number) FROM confiture.journal j"
        " LEFT JOIN confiture.audit_log e ON e.run_id::text = j.about AND e.event = 'COMPLETED'"
    )
    assert db.value(finished) == [False, True]
    run = db.value("SELECT run_id FROM confiture.audit_log WHERE event = 'COMPLETED'")
    data = "SELECT confiture.verify_lineage_data(%s, 'people', 'email')"
    assert db.value(data, [run]) == "match"


@pytest.mark.parametrize(
    "statement",
    [
        f"DO $$ BEGIN {CALL}; END $$",
        "SELECT f()",
        f"DO $$ BEGIN BEGIN {CALL}; EXCEPTION WHEN division_by_zero THEN NULL; END; END $$",
        CALL,
    ],
    ids=["DO block", "function", "exception block", "CALL"],
)
def test_it_runs_wherever_sql_does(db, statement):
    db.execute(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {CALL}; END $$")
    db.execute("BEGIN")
    db.execute(statement)
    db.execute("COMMIT")
    assert db.value("SELECT count(*) FROM staging.people") == 3
    assert db.events() == ["KEY_CREATED", "COMPLETED"] and journal(db) == [STARTED]


def test_psql_in_a_single_transaction(db):
    db.psql("-1", "-c", CALL, "-c", "DELETE FROM staging.people WHERE id = 1")
    assert db.value("SELECT count(*) FROM staging.people") == 2
    assert db.events() == ["KEY_CREATED", "COMPLETED"]


def test_where_it_may_commit_it_does(db):
    db.execute(CALL)
    assert db.events() == ["KEY_CREATED", "STARTED", "COMPLETED"] and journal(db) == []
    said = "SELECT details -> 'in_transaction' FROM confiture.audit_log WHERE event = 'COMPLETED'"
    assert db.value(said) is False


def test_a_failure_stays_on_record_although_the_caller_goes_on(db):
    db.sync()
    before = db.content("staging")
    db.execute("ALTER TABLE prod.people ADD CHECK (id > 0) NOT VALID, DROP CONSTRAINT people_pkey")
    db.execute("INSERT INTO prod.people SELECT * FROM prod.people WHERE id = 1")
    db.execute("BEGIN")
    db.execute("CREATE TABLE public.mine ()")
    db.execute("SAVEPOINT s")
    report = db.refused("23505", CALL)
    assert "confiture.journal" in report.message_hint
    db.execute("ROLLBACK TO s")
    db.execute("COMMIT")
    assert db.content("staging") == before
    assert db.value("SELECT to_regclass('public.mine') IS NOT NULL")
    assert db.events() == ["KEY_CREATED", "STARTED", "COMPLETED"]
    started, failed = journal(db)
    assert started == STARTED
    assert failed[:2] == ("FAILED", "staging") and failed[2].startswith("23505, phase: ")
    assert db.value("SELECT count(DISTINCT about) FROM confiture.journal") == 1
    assert db.findings().keys() == {"OK", "W01"}


def test_the_attempt_stays_when_the_session_is_killed(db):
    db.sync()
    before = db.content("staging")
    db.execute("BEGIN")
    db.execute("LOCK TABLE staging.people IN ROW EXCLUSIVE MODE")
    other = db.session()
    pid = other.pid()
    other.execute("BEGIN")
    # Waits for the target behind its record.
    other.connection.pgconn.send_query(CALL.encode())
    waiting = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
    for _ in range(500):
        if db.value(waiting, [pid]):
            break
        time.sleep(0.02)
    assert journal(db) == [STARTED]
    db.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    db.execute("COMMIT")
    assert db.content("staging") == before and journal(db) == [STARTED]
    db.execute(CALL)
    assert db.findings().keys() == {"OK", "W01"}


def test_only_one_run_writes_a_target_until_the_transaction_ends(db):
    db.execute("BEGIN")
    db.execute(CALL)
    other = db.session()
    other.sync_refused("55006")
    other.execute("BEGIN")
    other.refused("55006", CALL)
    other.execute("ROLLBACK")
    db.execute("COMMIT")
    other.sync()
    assert db.events() == ["KEY_CREATED", "COMPLETED", "STARTED", "COMPLETED"]


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_levels_that_would_fail_at_the_end_are_refused_at_the_beginning(db, level):
    db.execute(f"BEGIN ISOLATION LEVEL {level}")
    assert "READ COMMITTED" in db.refused("25001", CALL).message_primary
    db.execute("ROLLBACK")
    assert journal(db) == []


def test_a_key_that_would_go_with_the_transaction_is_none(server):
    db = server.create_database(key=False)
    try:
        make_small(db)
        db.execute("BEGIN")
        db.make_key()
        report = db.refused("55000", CALL)
        assert "outlive" in report.message_primary and report.message_hint == "Commit first."
        db.execute("ROLLBACK")
    finally:
        db.drop()


def test_two_runs_in_one_transaction(db):
    db.execute("BEGIN")
    db.execute(CALL)
    db.execute(CALL.replace("staging", "other"))
    db.execute("COMMIT")
    assert db.events() == ["KEY_CREATED", "COMPLETED", "COMPLETED"]
    assert [record[1] for record in journal(db)] == ["staging", "other"]
    assert db.findings().keys() == {"OK", "W01"}


def test_without_the_option_the_error_names_it(db):
    db.execute("BEGIN")
    report = db.refused("25001", CALL.replace("true", "false"))
    assert "in_transaction" in report.message_hint
    db.execute("ROLLBACK")


DEFERRED = """
    CREATE TEMP TABLE loot (who text); GRANT ALL ON loot TO PUBLIC;
    CREATE TEMP TABLE t (a int);
    CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN INSERT INTO pg_temp.loot VALUES (current_user); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER z AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION pg_temp.note();
"""


def test_what_the_caller_has_put_off_runs_with_the_callers_rights(db):
    db.execute(
        "CREATE FUNCTION public.refresh() RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
        f" SET search_path = pg_catalog, pg_temp AS $$ BEGIN {CALL}; END $$;"
    )
    low = db.session(user=db.role("low"))
    name = low.value("SELECT session_user")
    low.execute(DEFERRED)
    low.execute("BEGIN; INSERT INTO t VALUES (1)")
    low.execute("SELECT public.refresh()")
    assert low.rows("TABLE loot") == []
    low.execute("COMMIT")
    assert low.rows("TABLE loot") == [(name,)]
    assert db.value("SELECT count(*) FROM staging.people") == 3


def test_constraints_of_the_caller_stay_put_off(db):
    db.execute(
        "CREATE TABLE par (id int PRIMARY KEY);"
        " CREATE TABLE chi (id int REFERENCES par DEFERRABLE INITIALLY DEFERRED)"
    )
    db.execute("BEGIN; INSERT INTO chi VALUES (1)")
    db.execute(CALL)
    db.execute("INSERT INTO chi VALUES (2)")
    db.execute("INSERT INTO par VALUES (1), (2)")
    db.execute("COMMIT")
    assert db.events() == ["KEY_CREATED", "COMPLETED"]


def test_what_triggers_of_the_target_put_off_is_done_in_the_run(db):
    db.sync()
    db.execute(
        "CREATE TABLE seen (id int);"
        " CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO public.seen VALUES (NEW.id); RETURN NULL; END $$;"
        " CREATE CONSTRAINT TRIGGER see AFTER INSERT ON staging.people"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.see()"
    )
    fire = CALL.replace("true}", 'true, "triggers": "fire"}')
    db.execute("BEGIN")
    db.execute(fire)
    assert db.value("SELECT count(*) FROM seen") == 3
    # Put off again for whoever comes next.
    db.execute("INSERT INTO staging.people VALUES (9, 'x@y.example', NULL)")
    assert db.value("SELECT count(*) FROM seen") == 3
    db.execute("COMMIT")
    assert db.value("SELECT count(*) FROM seen") == 4
    db.execute(
        "CREATE TABLE staging.other (id int);"
        " CREATE CONSTRAINT TRIGGER see AFTER INSERT ON staging.other"
        " DEFERRABLE FOR EACH ROW EXECUTE FUNCTION public.see()"
    )
    db.execute("BEGIN")
    db.refused("0A000", fire)
    db.execute("ROLLBACK")
    db.execute(fire)


def test_a_run_in_a_trigger_of_another_leaves_both_their_lineage(db):
    db.sync()
    db.execute(
        "CREATE FUNCTION public.nest() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" {CALL.replace('staging', 'other')}; RETURN NULL; END $$;"
        " CREATE TRIGGER nest AFTER INSERT ON staging.people EXECUTE FUNCTION public.nest()"
    )
    db.sync(options='{"triggers": "fire"}')
    counted = "SELECT schema_name, rows_changed FROM confiture.lineage ORDER BY seq DESC LIMIT 2"
    assert sorted(db.rows(counted)) == [("other", 3), ("staging", 3)]
    assert "OK" in db.findings()
