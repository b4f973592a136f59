"""Runs that did not come to their end, made again as they were asked for."""

import json

import pytest

from samples import make_people, profile, small
from test_concurrency import Background, wait_until
from test_recovery import again, kill

OPTIONS = '{"mode": "swap", "workers": 1, "lineage": "hmac-sha256", "triggers": "skip", "sample": 50}'
RUNS = "SELECT run_id::text, state, profile_version FROM confiture.runs ORDER BY started_at"
STARTED = """SELECT details ->> 'resumes', details -> 'options', details ->> 'lineage', details ->> 'mode'
  FROM confiture.audit_log WHERE event = 'STARTED' ORDER BY seq"""


def resume(session, run, sqlstate=None):
    call = "CALL confiture.resume(%s::uuid)", [run]
    return session.refused(sqlstate, *call) if sqlstate else session.execute(*call)


def failed(db):
    """A run that failed at a constraint, which has gone by now: its number."""
    make_people(db)
    db.load(small())
    db.sync()
    db.execute("ALTER TABLE staging.people ADD CONSTRAINT short CHECK (note <> 'too long');"
               "INSERT INTO prod.people VALUES (99, 'z@mail.example', 'too long')")
    db.sync_refused("23514", options=OPTIONS)
    db.execute("ALTER TABLE staging.people DROP CONSTRAINT short")
    return db.rows(RUNS)[-1][0]


def test_a_run_is_made_again_with_its_version_and_options(db):
    run = failed(db)
    # A newer version is not what the run was asked for.
    db.load(profile({"people": {"email": "mail", "note": "mail"}}, version="2"))
    resume(db, run)
    assert db.value("SELECT count(*) FROM staging.people WHERE note = 'too long'") == 1
    resumes, options, lineage, mode = db.rows(STARTED)[-1]
    assert (resumes, options, lineage, mode) == (run, json.loads(OPTIONS), "hmac-sha256", "swap")
    assert [row[1:] for row in db.rows(RUNS)] == [
        ("completed", "1"), ("failed", "1"), ("completed", "1")]
    assert db.findings()["OK"][0] == "ok"
    # It can be made again once: what it was for is there.
    report = resume(db, run, "55000")
    assert "written by another run" in report.message_primary


def test_what_cannot_be_made_again_is_refused(db):
    resume(db, "00000000-0000-4000-8000-000000000000", "42704")
    db.refused("22023", "CALL confiture.resume(NULL)")
    make_people(db)
    db.load(small())
    db.sync()
    assert "is complete" in resume(db, db.rows(RUNS)[-1][0], "55000").message_primary
    # One inside a transaction is its caller's.
    with pytest.raises(Exception, match="already exists"), db.connection.transaction():
        db.sync(options='{"in_transaction": true}')
        db.execute("CREATE SCHEMA prod")
    run = db.value("SELECT run_id FROM confiture.runs WHERE in_transaction")
    assert "cannot be resumed" in resume(db, run, "55000").message_primary
    # So is the schema of one in place.
    db.execute("CREATE SCHEMA copy; CREATE TABLE copy.people (LIKE prod.people INCLUDING ALL);"
               "INSERT INTO copy.people SELECT * FROM prod.people;"
               "CREATE FUNCTION copy.no(context jsonb) RETURNS jsonb LANGUAGE sql AS"
               " $$SELECT '{\"veto\": \"not today\"}'::jsonb$$;"
               "SELECT confiture.register_hook('BEFORE_ANONYMIZATION', 'copy.no')")
    db.execute("SET confiture.allow_in_place = on")
    db.refused("09000", "CALL confiture.mask_in_place('small', 'copy')")
    run = db.value("SELECT run_id FROM confiture.runs WHERE target_schema = 'copy'")
    assert "cannot be resumed" in resume(db, run, "55000").message_primary


def test_one_that_goes_on_is_not_made_twice(db):
    make_people(db)
    db.load(small())
    db.sync()
    db.execute("BEGIN; LOCK TABLE staging.people IN ACCESS SHARE MODE")
    other = db.session()
    run = Background(lambda: other.sync(options='{"mode": "swap", "lock_timeout": 60000}'))
    watcher = db.session()
    wait_until(lambda: watcher.rows(RUNS)[-1][1] == "running")
    resume(watcher, watcher.rows(RUNS)[-1][0], "55006")
    db.execute("COMMIT")
    assert run.result() is None


def test_after_a_crash_a_run_is_made_again(private_server):
    server = private_server()
    db = server.create_database()
    make_people(db)
    db.load(small())
    db.sync()
    before = db.content("staging")
    db.execute("UPDATE prod.people SET note = 'newer'")
    holder = db.session(autocommit=False)
    holder.execute("LOCK TABLE staging.people IN ACCESS SHARE MODE")
    runner = db.session()
    pid = runner.pid()
    run = Background(lambda: runner.sync(options='{"mode": "swap", "lock_timeout": 60000}'))
    wait_until(lambda: db.rows(RUNS)[-1][1] == "running")

    class Held:
        pass

    held = Held()
    held.pid, held.db = pid, db
    kill(held)
    assert run.result() is not None
    db = again(server, db)
    assert db.content("staging") == before
    number, state, _ = db.rows(RUNS)[-1]
    assert state == "interrupted"
    resume(db, number)
    assert set(db.column("SELECT note FROM staging.people")) == {"newer"}
    assert db.rows(STARTED)[-1][0] == number


def test_it_has_the_rights_of_its_caller(db):
    run = failed(db)
    role = db.role("other")
    other = db.session(role)
    resume(other, run, "42501")
    db.execute(f"SELECT confiture.grant_access('operator', '{role}')")
    resume(other, run, "42501")
    assert db.rows(RUNS)[-1][0] == run
