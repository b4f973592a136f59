"""Mode swap: readers of the target read the old rows until the new ones are there and checked."""

import psycopg
import pytest

from hook_functions import AFTER, make_hook, register, set_up
from samples import keep_all, make_many, make_people, make_small, profile
from swapping import READABLE, Held, catalog, check_files, files, swap
from test_concurrency import Background, wait_until

READ = "SELECT id, email, note FROM staging.people ORDER BY id"


@pytest.mark.parametrize("stop", READABLE)
def test_readers_see_the_old_rows_and_do_not_wait(db, stop):
    held = Held(db, stop)
    reader = db.session()
    # No lock is waited for; behind the attempt of a swap one waits for as long as that lasts.
    reader.execute("SET lock_timeout = %s" % (5000 if stop in ("swapping", "ledger") else 100))
    old = reader.rows(READ)
    assert [note for _, _, note in old] == ["likes jam", None, "allergic to nuts"]
    reader.execute("SET enable_seqscan = off")
    assert reader.rows("SELECT email FROM staging.people WHERE id = 2") == [(old[1][1],)]
    assert db.content("staging") == held.before
    held.let_go()
    assert held.run.result() is None
    assert reader.rows(READ) == [(id, email, "new") for id, email, _ in old]
    check_files(db)


def test_a_run_says_so_and_makes_what_is_not_there_as_ever(db):
    make_small(db)
    db.sync(options=swap())
    made = files(db)
    db.sync(options=swap())
    assert files(db).keys() == made.keys()
    assert not set(files(db).values()) & set(made.values())
    rows = db.rows("SELECT event, details ->> 'mode', details -> 'phases' ? 'swapping'"
                   " FROM confiture.audit_log WHERE run_id IS NOT NULL ORDER BY seq")
    assert rows == [("STARTED", "swap", None), ("COMPLETED", "swap", True)] * 2
    assert db.value("SELECT count(*) FROM confiture.lineage WHERE column_name = 'email'") == 2
    parts = db.column("SELECT part FROM confiture.profile_run((SELECT run_id FROM confiture.runs"
                      " ORDER BY started_at DESC LIMIT 1))")
    assert "swapping" in parts
    # Counted and analyzed, as after any run.
    assert db.value("SELECT reltuples FROM pg_class WHERE oid = 'staging.people'::regclass") == 3
    assert db.findings().keys() <= {"OK", "W01", "W03"}


def test_what_it_writes_is_what_the_other_mode_writes(db):
    make_many(db, 3000)
    db.sync()
    atomic = db.content("staging")
    db.execute("TRUNCATE staging.people")
    db.sync(options=swap())
    assert db.content("staging") == atomic
    check_files(db)


def test_writers_wait_and_write_behind_the_run(db):
    held = Held(db, "running hook after")
    writer = db.session()
    write = Background(lambda: writer.execute("UPDATE staging.people SET note = 'written'"))
    wait_until(lambda: db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [writer.pid()]))
    changer = db.session()
    change = Background(lambda: changer.execute("ALTER TABLE staging.people ADD more integer"))
    wait_until(lambda: db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [changer.pid()]))
    held.let_go()
    assert [held.run.result(), write.result(), change.result()] == [None] * 3
    assert db.column("SELECT DISTINCT note FROM staging.people") == ["written"]


def test_vacuum_keeps_away_from_the_toast_table_too(db):
    held = Held(db, "running hook after")
    toast = db.value("SELECT reltoastrelid::regclass FROM pg_class"
                     " WHERE oid = 'staging.people'::regclass")
    other = db.session()
    other.execute("SET lock_timeout = 100")
    for sql in ("VACUUM staging.people", f"VACUUM {toast}", "REINDEX TABLE staging.people",
                "CREATE INDEX CONCURRENTLY ON staging.people (note)", "TRUNCATE staging.people"):
        other.refused("55P03", sql)
    held.let_go()
    assert held.run.result() is None


def test_the_swap_gives_way_tries_again_and_says_so(db):
    held = Held(db, "swapping", lock_timeout=200)
    wait_until(lambda: any("trying again" in n["message_primary"] for n in held.runner.notices))
    # In a pause everybody may read, and nobody may write.
    reader = db.session()
    assert len(reader.rows(READ)) == 3
    held.let_go()
    assert held.run.result() is None
    assert db.column("SELECT DISTINCT note FROM staging.people") == ["new"]


def test_it_gives_up_when_its_attempts_are_used_up(db):
    make_small(db)
    db.sync()
    before, made = db.content("staging"), files(db)
    db.execute("UPDATE prod.people SET note = 'new'")
    reader = db.session(autocommit=False)
    reader.rows(READ)
    report = db.sync_refused("55P03", options=swap(lock_timeout=50, lock_attempts=2))
    assert report.message_primary == 'new rows of schema "staging" could not be swapped in'
    assert "2 attempts of 50 ms" in report.message_detail
    assert f"in the way: process {reader.pid()}." in report.message_detail
    assert (db.content("staging"), files(db)) == (before, made)
    phase = "SELECT details ->> 'phase' FROM confiture.audit_log WHERE event = 'FAILED'"
    assert db.value(phase) == "swapping"
    # Nothing of it is left: no lock, no relation.
    db.session().execute("UPDATE staging.people SET note = note")
    reader.connection.rollback()
    db.sync(options=swap())


def test_a_reader_who_would_write_next_is_no_reason_to_wait_forever(db):
    """Each waits for the other: the server ends one of them, and the run one way or the other."""
    make_small(db)
    db.sync()
    other = db.session(autocommit=False)
    other.rows(READ)
    runner = db.session()
    run = Background(lambda: runner.sync(options=swap(lock_timeout=3000, lock_attempts=3)))
    wait_until(lambda: db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [runner.pid()]))
    write = Background(lambda: other.execute("UPDATE staging.people SET note = 'x'"))
    error = write.result()
    assert error is None or error.diag.sqlstate == "40P01"
    other.connection.rollback()
    ended = run.result()
    assert ended is None or ended.diag.sqlstate == "55P03"
    check_files(db)


def test_a_transaction_that_began_before_sees_the_table_empty(db):
    """As with TRUNCATE: its snapshot is older than the rows, and those that it would see are gone."""
    make_small(db)
    db.sync()
    old = db.session(autocommit=False)
    old.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    old.rows("SELECT FROM prod.people")
    db.sync(options=swap())
    assert old.rows(READ) == []
    old.connection.rollback()
    assert len(old.rows(READ)) == 3


def test_an_open_cursor_holds_the_swap_up_and_reads_on(db):
    make_many(db, 5000)
    db.sync()
    old = db.column("SELECT count(*) FROM staging.people WHERE email LIKE '%@example.com'")
    reader = db.session(autocommit=False)
    reader.execute("DECLARE c CURSOR FOR SELECT email FROM staging.people")
    first = len(reader.rows("FETCH 10 FROM c"))
    runner = db.session()
    run = Background(lambda: runner.sync(options=swap(lock_timeout=100)))
    wait_until(lambda: runner.notices and "again" in runner.notices[-1]["message_primary"])
    assert first + len(reader.rows("FETCH ALL FROM c")) == old[0] == 5000
    reader.connection.commit()
    assert run.result() is None


@pytest.mark.parametrize("broken", ["CHECK", "UNIQUE", "NOT NULL", "leak", "orphan", "domain"])
def test_a_failed_check_leaves_everything_as_it_was(db, broken):
    make_people(db)
    db.execute("CREATE TABLE prod.child (id int PRIMARY KEY, person int)")
    db.execute("INSERT INTO prod.child VALUES (1, 1), (2, 2)")
    db.load(profile({"people": {"email": "mail"}, "child": keep_all()}))
    db.sync()
    match broken:
        case "CHECK":
            db.execute("ALTER TABLE staging.people ADD CHECK (note <> 'secret')")
            db.execute("UPDATE prod.people SET note = 'secret'")
            expected = "23514"
        case "UNIQUE":
            db.execute("UPDATE staging.people SET note = id; CREATE UNIQUE INDEX ON staging.people (note)")
            db.execute("UPDATE prod.people SET note = 'secret'")
            expected = "23505"
        case "NOT NULL":
            db.execute("UPDATE staging.people SET note = id;"
                       " ALTER TABLE staging.people ALTER note SET NOT NULL")
            expected = "23502"
        case "leak":
            db.execute("UPDATE prod.people SET note = 'write to ' || email")
            expected = "23000"
        case "orphan":
            db.execute("ALTER TABLE staging.child ADD CONSTRAINT held FOREIGN KEY (person)"
                       " REFERENCES staging.people")
            db.execute("INSERT INTO prod.child VALUES (3, 33)")
            expected = "23000"
        case "domain":
            for schema in ("prod", "staging"):
                db.execute(f"CREATE DOMAIN {schema}.word AS text;"
                           f" ALTER TABLE {schema}.people ADD word {schema}.word")
            db.execute("ALTER DOMAIN staging.word ADD CHECK (VALUE <> 'secret')")
            db.execute("UPDATE prod.people SET word = 'secret'")
            expected = "23514"
    before, made, kept = db.content("staging"), files(db), catalog(db)
    report = db.sync_refused(expected, options=swap())
    assert "secret" not in str(report.message_primary) + str(report.message_detail)
    if broken == "orphan":
        assert '"constraint":"held"' in report.message_detail
        assert "The target is as it was before." in report.message_hint
    assert (db.content("staging"), files(db), catalog(db)) == (before, made, kept)
    assert db.events()[-1] == "FAILED"
    check_files(db)


def test_hooks_see_the_new_rows_while_readers_see_the_old(db):
    make_small(db)
    set_up(db)
    db.sync()
    db.execute("UPDATE prod.people SET note = 'new'")
    make_hook(db, "look", "INSERT INTO app.seen (name) SELECT DISTINCT note FROM staging.people;"
              " RETURN NULL;")
    register(db, AFTER, "app.look")
    db.sync(options=swap())
    assert db.column("SELECT name FROM app.seen ORDER BY number") == ["look", "new"]


def test_options_that_do_not_go_with_it_are_refused(db):
    make_small(db)
    for options in (swap(triggers="fire"), swap(in_transaction=True), swap(lock_timeout=0),
                    swap(lock_attempts=0), '{"lock_timeout": 5}', '{"mode": "quick"}'):
        db.sync_refused("22023", options=options)
    assert db.events() == ["KEY_CREATED"]
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        db.execute("CALL confiture.mask_in_place('small', 'prod', '{\"mode\": \"swap\"}')")


@pytest.mark.parametrize("early", [False, True])
def test_a_grant_beside_a_run_waits_and_is_not_lost_silently(db, early):
    """A server that locks the table for it has the two wait for each other, and ends one of them."""
    held = Held(db, "running hook after", lock_attempts=2)
    reader, other = db.role("reader"), db.session()
    grant = Background(lambda: other.execute(f'GRANT SELECT ON staging.people TO "{reader}"'))
    wait_until(lambda: db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [other.pid()]))
    if early:
        # It has looked for a deadlock by then, and found none.
        db.execute("SELECT pg_sleep(1.5)")
    held.let_go()
    ended, error = held.run.result(), grant.result()
    if ended is not None:
        assert early and ended.diag.sqlstate == "55P03"
        assert f"process {other.pid()}, which waits for this run" in ended.diag.message_detail
        assert db.content("staging") == held.before
    granted = db.value("SELECT has_table_privilege(%s, 'staging.people', 'SELECT')", [reader])
    assert granted == (error is None)
    assert error is None or error.diag.sqlstate in ("XX000", "40P01")
    check_files(db)


def test_indexes_are_built_by_workers_while_readers_use_the_old_ones(db):
    """Workers lock what they build: not so that a reader of the index stands in their way."""
    make_many(db, 20_000)
    db.sync()
    db.execute("CREATE INDEX ON staging.people (note); ANALYZE staging.people")
    reader = db.session(autocommit=False)
    reader.execute("SET enable_seqscan = off")
    reader.rows("SELECT FROM staging.people WHERE note = 'note 7'")
    for index in ("people_pkey", "people_note_idx"):
        modes = db.column("SELECT mode FROM pg_locks WHERE relation = %s::regclass AND pid = %s",
                          [f"staging.{index}", reader.pid()])
        assert modes == ["AccessShareLock"], index
    runner = db.session()
    runner.execute("SET min_parallel_table_scan_size = 0; SET maintenance_work_mem = '128MB';"
                   " SET client_min_messages = debug1")
    run = Background(lambda: runner.sync(options=swap(lock_timeout=100)))
    # It stands before the swap, and has built the indexes.
    wait_until(lambda: any("trying again" in n["message_primary"] for n in runner.notices))
    asked = [n["message_primary"] for n in runner.notices if "parallel worker" in n["message_primary"]]
    assert len([line for line in asked if '"people_' in line]) == 2, asked
    reader.connection.rollback()
    assert run.result() is None
    check_files(db)


def test_what_serializable_readers_have_read_is_not_forgotten(db):
    """A reader and a writer of one row, each of whom has read what the other writes."""
    make_small(db)
    db.execute("CREATE TABLE public.noted (n integer PRIMARY KEY); INSERT INTO public.noted VALUES (1)")
    db.sync()
    one, other = (db.session(autocommit=False) for _ in range(2))
    for session in (one, other):
        session.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
    # Keeps what `one` has read in mind after it has ended.
    other.rows("SELECT FROM public.noted WHERE n = 1")
    one.execute("SET enable_seqscan = off")
    one.rows("SELECT FROM staging.people WHERE id = 2")
    one.execute("UPDATE public.noted SET n = 2 WHERE n = 1")
    one.connection.commit()
    locks = ("SELECT DISTINCT locktype FROM pg_locks WHERE mode = 'SIReadLock'"
             " AND relation IN ('staging.people'::regclass, 'staging.people_pkey'::regclass)")
    assert set(db.column(locks)) <= {"page", "tuple"} and db.column(locks)
    db.sync(options=swap())
    assert db.column(locks) == ["relation"]
    other.refused("40001", "INSERT INTO staging.people VALUES (2000, 'a@example.com', NULL)")


def test_writers_of_tables_that_refer_wait_and_their_readers_do_not(db):
    make_small(db)
    db.execute("CREATE SCHEMA staging; CREATE TABLE staging.people (id serial PRIMARY KEY,"
               " email text NOT NULL, note text);"
               " CREATE TABLE public.orders (id integer, person integer REFERENCES staging.people)")
    db.sync(options=swap(adopt=True))
    db.execute("INSERT INTO public.orders VALUES (1, 1)")
    reader = db.session(autocommit=False)
    reader.rows(READ)
    runner = db.session()
    run = Background(lambda: runner.sync(options=swap(lock_timeout=100)))
    wait_until(lambda: any("trying again" in n["message_primary"] for n in runner.notices))
    other = db.session()
    other.execute("SET lock_timeout = 100")
    assert other.rows("SELECT id FROM public.orders") == [(1,)]
    for sql in ("INSERT INTO public.orders VALUES (2, 2)", "DELETE FROM staging.people WHERE id = 2",
                "SELECT nextval('staging.people_id_seq')", "SELECT last_value FROM pg_sequences"):
        other.refused("55P03", sql)
    reader.connection.rollback()
    assert run.result() is None
    other.execute("INSERT INTO public.orders VALUES (2, 2)")
    other.refused("23503", "INSERT INTO public.orders VALUES (3, 33)")


def test_the_plan_does_not_warn_of_readers_who_wait(db):
    make_small(db)
    db.sync()
    # As if there were so many that it took hours.
    db.execute("UPDATE pg_class SET reltuples = 1e10 WHERE oid = 'prod.people'::regclass")
    told = "SELECT id FROM confiture.plan_warnings('small', 'prod', 'staging', %s)"
    assert "lock_readers" in db.column(told, ["{}"])
    assert "lock_readers" not in db.column(told, [swap()])
