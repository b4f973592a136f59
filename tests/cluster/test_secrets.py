"""A seed from the environment, the key and row values: nowhere, however much the server logs."""

import base64
import re
import threading
import time

import pytest

from samples import fill_people, make_people, profile, small
from server import parts

SEED = "918273645546"
VALUE = "recognisable-4711"

# All the places of a server that write down what it does, as loud as they get.
LOUD = [
    "shared_preload_libraries=pg_stat_statements,auto_explain",
    "log_statement=all",
    "log_min_error_statement=debug5",
    "log_error_verbosity=verbose",
    "log_duration=on",
    "log_parameter_max_length=-1",
    "log_parameter_max_length_on_error=-1",
    "auto_explain.log_min_duration=0",
    "auto_explain.log_nested_statements=on",
    "auto_explain.log_verbose=on",
    "auto_explain.log_analyze=on",
    "auto_explain.log_triggers=on",
    "pg_stat_statements.track=all",
    "pg_stat_statements.track_utility=on",
    "track_activity_query_size=1MB",
]
# Not to be seen in any form it might be printed in.
FORMS = [SEED, f"{int(SEED):x}", base64.b64encode(SEED.encode()).decode().rstrip("=")]

WITH_SEED = {"global_seed_env_var": "ANONYMIZATION_SEED"}
PROFILES = [
    small(**WITH_SEED),
    profile(
        {"people": {"email": "seeded"}},
        version="2",
        strategies={"seeded": {"type": "email", "seed_env_var": "ANONYMIZATION_SEED"}},
    ),
]


@pytest.fixture(scope="module")
def loud(private_server):
    """A server that writes down everything, with a seed in its environment."""
    server = private_server(*LOUD, environment={"ANONYMIZATION_SEED": SEED})
    # Only now: from debug3 on, PostgreSQL itself writes down its whole environment when it starts.
    be_verbose(server)
    if not server.has("pg_stat_statements"):
        pytest.skip("this PostgreSQL comes without pg_stat_statements")
    return server


def be_verbose(server):
    """The lowest level of messages, for every session from now on."""
    with server.connect("postgres") as connection:
        connection.execute("ALTER SYSTEM SET log_min_messages = debug5")
        connection.execute("SELECT pg_reload_conf()")
    for _ in range(200):
        with server.connect("postgres") as connection:
            if connection.execute("SHOW log_min_messages").fetchone()[0] == "debug5":
                return
    raise AssertionError("the server did not take up the setting")


@pytest.fixture(scope="module")
def told(loud):
    """A database after many calls, good and bad, and everything that anybody was told meanwhile."""
    db = loud.create_database()
    db.execute("CREATE EXTENSION pg_stat_statements")
    make_people(db, rows=[])
    fill_people(db, [(i, f"{VALUE}-{i}@mail.example", VALUE) for i in range(1, 2000)])
    heard, activity, done = [], [], threading.Event()

    def watch():
        other = db.session()
        while not done.is_set():
            activity.extend(other.rows("SELECT query, application_name FROM pg_stat_activity"))
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    session = db.session()
    for yaml in PROFILES:
        heard.append(session.rows("SELECT * FROM confiture.validate_profile(%s)", [yaml]))
        heard.append(session.load(yaml))
    heard.append(session.rows("SELECT * FROM confiture.profiles"))
    heard.append(
        session.rows(
            "SELECT confiture.resolve_seed('small', 'people', 'email', v)"
            " FROM unnest(ARRAY['1', '2']) AS v"
        )
    )
    for options in ("{}", '{"version": "1"}'):
        heard.append(session.plan(options=options))
        session.sync(options=options)
    heard.append(session.rows("SELECT * FROM confiture.run_report"))
    heard.extend(provoke(db, session))
    heard.extend(acts_on_keys(session))
    heard.append(session.rows("SELECT * FROM confiture.key_status"))
    heard.append(
        session.rows(
            "SELECT a, confiture.audit_entry_json(a.id) FROM confiture.get_audit_log() AS a"
        )
    )
    heard.append(session.rows("SELECT * FROM confiture.verify_ledger()"))
    heard.append(session.rows("SELECT * FROM pg_settings WHERE name LIKE 'confiture%'"))
    done.set()
    watcher.join()
    heard.extend(str(notice) for notice in session.notices)
    statements = db.rows("SELECT query FROM pg_stat_statements")
    yield {
        "db": db,
        "results": str(heard),
        "activity": str(activity),
        "statements": str(statements),
    }
    db.drop()


def provoke(db, session):
    """Failing calls, and what each of them said."""
    yield parts(session.sync_refused("42704", profile="absent"))
    yield parts(session.sync_refused("22023", options='{"sed": 1}'))
    yield parts(
        session.refused(
            "25001",
            "DO $$ BEGIN BEGIN CALL confiture.sync('small', 'prod',"
            " 'staging'); EXCEPTION WHEN division_by_zero THEN NULL; END; END $$",
        )
    )
    db.execute("UPDATE staging.people SET note = id")
    db.execute("CREATE UNIQUE INDEX notes_differ ON staging.people (note)")
    yield parts(session.sync_refused("23505"))
    db.execute("DROP INDEX staging.notes_differ")
    db.execute("UPDATE staging.people SET note = 'short'")
    db.execute("ALTER TABLE staging.people ADD CONSTRAINT short CHECK (length(note) < 6)")
    yield parts(session.sync_refused("23514"))
    db.execute("ALTER TABLE staging.people DROP CONSTRAINT short")
    db.execute("ALTER TABLE staging.people ALTER note TYPE varchar(6)")
    yield parts(session.sync_refused({"22001", "42804"}))
    db.execute("ALTER TABLE staging.people ALTER note TYPE text")
    session.load(small(version="3", global_seed_env_var="ANONYMIZATION_WORD"))
    yield parts(session.sync_refused({"55000", "22023"}))
    session.execute("SELECT confiture.retire_profile('small', '3')")


def acts_on_keys(session):
    """All that is done to keys, and what it returned; the masking key stays what it is."""
    for call in (
        "SELECT confiture.create_key('other')",
        "SELECT confiture.rotate_key('other')",
        "CALL confiture.rotate_kek()",
        "CALL confiture.rewrap_keys()",
        "SELECT confiture.destroy_key_version('other', 1)",
        "CALL confiture.share_key('masking', gen_random_uuid())",
        "SELECT confiture.load_keys()",
    ):
        rows = session.execute(call)
        yield rows.fetchall() if rows.description else call
    yield parts(session.refused("22023", "SELECT confiture.import_key('{}')"))
    yield parts(session.refused("42704", "SELECT anon_email('x', key_version => 9)"))


def key_digits(server):
    """The digits in the key file and in the former one, read the way only a superuser can."""
    with server.connect("postgres") as connection:
        connection.execute("SET log_statement = none")
        connection.execute("SET log_min_messages = panic")
        connection.execute("SET auto_explain.log_min_duration = -1")
        found = connection.execute(
            "SELECT trim(E'\\n' FROM pg_read_file(%s || '/' || name)) FROM pg_ls_dir(%s) AS name",
            [str(server.key_file.parent)] * 2,
        )
        return [row[0] for row in found]


def test_the_log_is_as_loud_as_it_gets(loud, told):
    log = loud.log()
    assert "Query Text:" in log and "CALL confiture.sync" in log and "DEBUG:" in log
    assert (
        "23505" in told["results"] and "sync" in told["activity"] and "sync" in told["statements"]
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_seed_is_not_in_the_log(loud, told, form):
    lines = [line for line in loud.log().splitlines() if form.lower() in line.lower()]
    assert lines == []


@pytest.mark.parametrize("place", ["results", "activity", "statements"])
def test_the_seed_is_in_nothing_that_anybody_is_told(told, place):
    assert [form for form in FORMS if form.lower() in told[place].lower()] == []


def test_the_seed_is_not_in_a_dump(loud, told):
    dump = loud.run("pg_dump", database=told["db"].name).stdout
    assert "COPY confiture.audit_log" in dump
    assert [form for form in FORMS if form.lower() in dump.lower()] == []


def test_no_row_value_is_in_the_log(loud, told):
    # The rows came by COPY, so that only confiture could have written a value down.
    lines = [line for line in loud.log().splitlines() if VALUE in line]
    assert lines == []


@pytest.mark.parametrize("place", ["results", "activity", "statements"])
def test_no_row_value_is_in_a_message(told, place):
    assert VALUE not in told[place]


def test_no_row_value_is_in_the_ledger(told):
    assert VALUE not in str(told["db"].rows("SELECT a FROM confiture.audit_log AS a"))


def test_the_digits_of_the_key_file_are_nowhere(loud, told):
    files = key_digits(loud)
    assert len(set(files)) == 2
    dump = loud.run("pg_dump", database=told["db"].name).stdout
    for digits in files:
        assert re.fullmatch("[0-9a-f]{64}", digits)
        for text in (loud.log(), told["results"], told["activity"], told["statements"], dump):
            assert digits not in text.lower()
            assert base64.b64encode(bytes.fromhex(digits)).decode()[:40] not in text


def test_the_seed_of_the_environment_was_really_used(loud, told):
    # Last, because here the seed does go through the server, in a session that writes nothing down.
    session = told["db"].session()
    for name, value in (
        ("log_statement", "none"),
        ("log_min_messages", "panic"),
        ("auto_explain.log_min_duration", "-1"),
        ("pg_stat_statements.track", "none"),
    ):
        session.execute(f"SET {name} = {value}")
    ask = (
        "SELECT count(*) FROM prod.people AS p JOIN staging.people AS s USING (id)"
        " WHERE s.email = anon_email(p.email, seed => %s)"
    )
    assert session.value(ask, [int(SEED)]) == 1999
    assert session.value(ask, [0]) == 0
    assert SEED not in loud.log()


def test_an_environment_value_that_is_no_integer_is_not_printed(private_server):
    server = private_server(environment={"ANONYMIZATION_SEED": "pass-phrase-77"})
    be_verbose(server)
    db = server.create_database()
    make_people(db)
    db.load(small(**WITH_SEED))
    for report in (
        db.sync_refused("22023"),
        db.plan_refused("22023"),
        db.refused("22023", "SELECT confiture.resolve_seed('small', 'people', 'email')"),
    ):
        assert "pass-phrase" not in str(parts(report))
        assert "ANONYMIZATION_SEED" in report.message_primary
    assert "pass-phrase" not in server.log()
