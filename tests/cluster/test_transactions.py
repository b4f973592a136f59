"""Where a run may be called: only there where it can commit."""

import pytest

from samples import make_small

CALL = "CALL confiture.sync('small', source => 'prod', target => 'staging')"


@pytest.fixture
def db(db):
    """The database of all these tests: nothing synced yet."""
    make_small(db)
    return db


def nothing_happened(db):
    """No target schema, and no entry but the one about the key."""
    return (
        db.content("staging") == {}
        and db.events() == ["KEY_CREATED"]
        and not db.value("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'staging')")
    )


def it_ran(db, times=1):
    """The rows are there, with two entries for each run."""
    return (
        db.value("SELECT count(*) FROM staging.people") == 3
        and db.events() == ["KEY_CREATED", *["STARTED", "COMPLETED"] * times]
    )


def test_psql_runs_it(db):
    db.psql("-c", CALL)
    assert it_ran(db)


def test_psql_runs_it_from_a_script(db):
    db.psql("-f", "-", stdin=f"SELECT 1;\n{CALL};\nSELECT 2;\n")
    assert it_ran(db)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-1", "-c", CALL],
        ["-c", "BEGIN", "-c", CALL, "-c", "COMMIT"],
        ["-c", f"SELECT 1; {CALL}"],
        ["-v", "AUTOCOMMIT=off", "-c", "SELECT 1", "-c", CALL],
    ],
    ids=["single transaction", "begin", "two statements in one string", "autocommit off"],
)
def test_psql_is_refused_inside_a_transaction(db, arguments):
    done = db.psql("-v", "VERBOSITY=verbose", *arguments, check=False)
    assert done.returncode != 0
    assert "ERROR:  25001:" in done.stderr and "HINT:" in done.stderr
    assert nothing_happened(db)


def test_a_driver_without_autocommit_is_refused_with_a_hint(db):
    session = db.session(autocommit=False)
    report = session.refused("25001", CALL)
    assert report.message_hint
    session.connection.rollback()
    assert nothing_happened(db)


def test_a_driver_is_refused_after_begin_and_its_transaction_is_aborted(db):
    db.execute("BEGIN")
    db.execute("CREATE TABLE public.unrelated ()")
    db.refused("25001", CALL)
    db.refused("25P02", "SELECT 1")
    db.execute("ROLLBACK")
    assert nothing_happened(db)
    db.sync()


def test_a_driver_runs_it_with_parameters(db):
    db.sync()
    # The second time as a prepared statement.
    db.connection.execute(
        "CALL confiture.sync(%s, %s, %s)", ["small", "prod", "staging"], prepare=True
    )
    assert it_ran(db, times=2)


def test_a_do_block_runs_it(db):
    db.execute(f"DO $$ BEGIN {CALL}; END $$")
    assert it_ran(db)


def test_a_procedure_runs_it(db):
    db.execute(f"CREATE PROCEDURE refresh() LANGUAGE plpgsql AS $$ BEGIN {CALL}; {CALL}; END $$")
    db.execute("CALL refresh()")
    assert it_ran(db, times=2)


@pytest.mark.parametrize(
    "body",
    [
        f"BEGIN PERFORM 1; BEGIN {CALL}; EXCEPTION WHEN division_by_zero THEN NULL; END; END",
        "BEGIN EXECUTE 'SELECT f()'; END",
    ],
    ids=["exception block", "function"],
)
def test_a_do_block_is_refused_where_it_cannot_commit(db, body):
    db.execute(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {CALL}; END $$")
    report = db.refused("25001", f"DO $$ {body} $$")
    assert report.message_hint
    assert nothing_happened(db)


def test_a_do_block_inside_a_transaction_is_refused(db):
    db.execute("BEGIN")
    db.refused("25001", f"DO $$ BEGIN {CALL}; END $$")
    db.execute("ROLLBACK")
    assert nothing_happened(db)


@pytest.mark.parametrize("clause", ["", "SECURITY DEFINER", "SET work_mem = '8MB'"])
def test_a_function_is_refused(db, clause):
    db.execute(
        f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql {clause} AS $$ BEGIN {CALL}; END $$"
    )
    report = db.refused("25001", "SELECT f()")
    assert report.message_hint
    assert nothing_happened(db)


@pytest.mark.parametrize("clause", ["SECURITY DEFINER", "SET work_mem = '8MB'"])
def test_a_procedure_that_cannot_commit_is_refused(db, clause):
    db.execute(f"CREATE PROCEDURE p() LANGUAGE plpgsql {clause} AS $$ BEGIN {CALL}; END $$")
    db.refused("25001", "CALL p()")
    assert nothing_happened(db)


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_any_default_isolation_level_will_do(db, level):
    db.execute(f"SET default_transaction_isolation = '{level}'")
    db.sync()
    db.sync()
    assert it_ran(db, times=2)
    assert db.value("SHOW default_transaction_isolation") == level
    assert db.value("SHOW transaction_isolation") == level


def test_the_settings_of_the_session_are_its_own_again(db):
    db.execute("SET search_path = prod, public")
    db.execute("SET row_security = on")
    db.execute("SET session_replication_role = origin")
    watched = (
        "search_path",
        "row_security",
        "session_replication_role",
        "work_mem",
        "maintenance_work_mem",
        "lock_timeout",
        "default_transaction_isolation",
    )
    before = [db.value(f"SHOW {name}") for name in watched]
    db.sync()
    db.sync_refused("42704", profile="absent")
    assert [db.value(f"SHOW {name}") for name in watched] == before


def test_the_session_goes_on_after_a_failed_run(db):
    db.sync_refused("42704", profile="absent")
    assert db.value("SELECT 1") == 1
    db.sync()
    assert it_ran(db)


def test_a_read_only_session_is_refused_and_nothing_happens(db):
    db.execute("SET default_transaction_read_only = on")
    db.sync_refused("25006")
    db.execute("RESET default_transaction_read_only")
    assert nothing_happened(db)


def test_autocommit_is_not_needed_for_the_plan(db):
    session = db.session(autocommit=False)
    assert session.plan()[("people", "email")]["decision"] == "masked"
    session.connection.rollback()
    assert nothing_happened(db)
