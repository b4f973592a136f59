"""Workers of a run in mode swap: they make the rows, the run writes them, and nothing else changes."""

import re
from pathlib import Path

import pytest

from samples import keep_all, make_many, profile
from swapping import check_files, files, swap
from test_concurrency import Background, wait_until

# Large enough for the server to start workers: eight megabytes of pages and more.
ROWS = 60_000
# Whoever runs, these give the same.
MANY = {
    "kept": {"type": "salted_hash", "config": {"salt": "s"}},
    "digits": {"type": "fpe"},
    "born": {"type": "date_shift"},
    "name": {"type": "name"},
}


@pytest.fixture
def shop(db):
    """Customers, with orders that refer to them."""
    db.execute(f"""
        CREATE SCHEMA prod;
        CREATE TABLE prod.customers (
          id integer PRIMARY KEY, email varchar(60) NOT NULL UNIQUE, name text, phone text,
          digits text, born date, city text, note text,
          twice integer GENERATED ALWAYS AS (id * 2) STORED,
          gone integer, CHECK (id > 0), CHECK (email LIKE '%@%'));
        ALTER TABLE prod.customers DROP COLUMN gone;
        INSERT INTO prod.customers (id, email, name, phone, digits, born, city, note)
        SELECT i, 'person' || i || '@mail.example', 'Ann Lee ' || i % 99, '+33 1 23 45 ' || i % 100,
               (1000000000000 + i)::text, date '1960-01-01' + i % 9999, 'city ' || i % 7,
               nullif(repeat('a note ', i % 30), '')
          FROM generate_series(1, {ROWS}) i;
        CREATE TABLE prod.orders (id bigint PRIMARY KEY, customer integer REFERENCES prod.customers,
          total numeric(8, 2), shipped varchar(60));
        INSERT INTO prod.orders SELECT i, 1 + i % {ROWS}, i % 1000, 'person' || i || '@mail.example'
          FROM generate_series(1, {ROWS}) i;
        ANALYZE""")
    db.execute("SELECT confiture.create_key('salt-s')")
    db.load(profile(
        {"customers": {"email": "mail", "name": "name", "phone": "phone", "digits": "digits",
                       "born": "born", "city": "kept"},
         "orders": {"shipped": "mail"}},
        strategies=MANY))
    return db


def loads(db):
    """What the log says of the loads: by table the rows and the workers that helped, oldest first."""
    found = re.findall(r'loaded table="staging\.(\w+)" rows=(\d+) seconds=[\d.]+ workers=(\d+)',
                       db.server.log())
    return [(table, int(rows), int(workers)) for table, rows, workers in found]


def last_run(db):
    return db.value("SELECT run_id FROM confiture.runs ORDER BY started_at DESC LIMIT 1")


EVIDENCE = """
SELECT table_name, column_name, rows_seen, rows_changed, rows_unchanged, nulls, commitment, strategy
  FROM confiture.lineage WHERE run_id = %s ORDER BY table_name, column_name"""


def test_workers_write_what_the_run_alone_writes(shop):
    shop.sync()
    alone, evidence = shop.content("staging"), shop.rows(EVIDENCE, [last_run(shop)])
    made = files(shop)
    shop.sync(options=swap(workers=2))
    assert loads(shop)[-2:] == [("customers", ROWS, 2), ("orders", ROWS, 2)]
    assert shop.content("staging") == alone
    assert shop.rows(EVIDENCE, [last_run(shop)]) == evidence
    assert not set(files(shop).values()) & set(made.values())
    check_files(shop)


def test_the_lineage_of_workers_holds_against_the_rows(shop):
    shop.sync()
    shop.sync(options=swap(workers=2))
    run = last_run(shop)
    for column in ("email", "phone", "city"):
        verify = "SELECT confiture.verify_lineage_data(%s, 'customers', %s)"
        assert shop.value(verify, [run, column]) == "match"
    shop.execute("UPDATE staging.customers SET phone = '1' WHERE id = 17")
    assert shop.value(verify, [run, "phone"]) == "differs"


def test_every_call_is_counted_whoever_makes_it(shop):
    shop.sync()
    shop.sync(options=swap(workers=2))
    details = shop.value("SELECT details -> 'columns' FROM confiture.audit_log"
                         " WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1")
    calls = {column: of["calls"] for column, of in details["customers"].items()}
    assert calls == {name: ROWS for name in ("email", "name", "phone", "digits", "born", "city")}
    assert all(of["ns"] > 0 for of in details["customers"].values())


def test_a_value_that_a_worker_refuses_is_told_as_ever(shop):
    shop.sync()
    before, made = shop.content("staging"), files(shop)
    shop.execute("UPDATE prod.customers SET digits = 'not a digit' WHERE id = 31000")
    report = shop.sync_refused("22000", options=swap(workers=2))
    assert 'column "digits" has a value that is not masked' in report.message_primary
    assert "not a digit" not in str(report.message_detail)
    details = shop.value("SELECT details FROM confiture.audit_log WHERE event = 'FAILED'")
    assert (details["table"], details["column"]) == ("customers", "digits")
    assert (shop.content("staging"), files(shop)) == (before, made)


@pytest.mark.parametrize(("sql", "state", "named"), [
    ("ALTER TABLE staging.customers ADD CONSTRAINT short CHECK (length(note) < 200)", "23514", "short"),
    ("ALTER TABLE staging.customers ALTER note SET NOT NULL", "23502", "note"),
    ("CREATE UNIQUE INDEX once ON staging.customers (note)", "23505", "once"),
])
def test_constraints_hold_rows_that_workers_make(shop, sql, state, named):
    shop.sync()
    shop.execute("UPDATE staging.customers SET note = id")
    shop.execute(sql)
    before = shop.content("staging")
    report = shop.sync_refused(state, options=swap(workers=2))
    assert f'"{named}"' in report.message_primary
    assert "a note" not in report.message_primary + str(report.message_detail)
    assert shop.content("staging") == before


def test_texts_that_give_a_row_away_are_found_by_workers(shop):
    shop.sync()
    shop.execute("UPDATE prod.customers SET note = 'write to ' || email WHERE id % 20000 = 5")
    report = shop.sync_refused("23000", options=swap(workers=2))
    assert '"found":3' in report.message_detail
    shop.sync(options=swap(workers=2, leak_scan="report"))
    assert loads(shop)[-2][2] == 2


def test_values_drawn_again_by_workers_are_those_of_the_run(shop):
    shop.execute("UPDATE prod.customers SET phone = '+33 1 23 45 ' || id % 90 || '1';"
                 " ALTER TABLE prod.customers ADD CHECK (phone NOT LIKE '%7')")
    shop.sync()
    alone = shop.content("staging")
    redrawn = ("SELECT details -> 'columns' -> 'customers' -> 'phone' ->> 'redrawn'"
               " FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1")
    count = shop.value(redrawn)
    assert int(count) > 0
    shop.sync(options=swap(workers=2))
    assert loads(shop)[-2][2] == 2
    assert shop.content("staging") == alone
    assert shop.value(redrawn) == count


def test_code_that_is_not_for_workers_keeps_them_away(shop):
    """A CHECK whose function is not declared parallel safe decides on the values of a mask."""
    shop.execute("CREATE SCHEMA app; CREATE FUNCTION app.fine(text) RETURNS boolean"
                 " LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN true; END'")
    shop.sync()
    shop.execute("ALTER TABLE staging.customers ADD CHECK (app.fine(phone))")
    shop.sync(options=swap(workers=2))
    assert loads(shop)[-2:] == [("customers", ROWS, 0), ("orders", ROWS, 2)]


def test_small_tables_and_a_full_server_do_without(shop):
    shop.execute("CREATE TABLE prod.little (id integer PRIMARY KEY); INSERT INTO prod.little VALUES (1)")
    shop.load(profile({"little": keep_all(), "orders": {"shipped": "mail"}, "customers": keep_all()},
                      name="other"))
    shop.sync(profile="other")
    shop.execute("SET max_parallel_workers = 1")
    shop.sync(profile="other", options=swap(workers=2))
    assert dict((table, workers) for table, _, workers in loads(shop)[-3:]) == {
        "little": 0, "orders": 1, "customers": 1}
    shop.execute("SET max_parallel_workers = 0")
    shop.sync(profile="other", options=swap(workers=2))
    assert {workers for _, _, workers in loads(shop)[-3:]} == {0}


def test_a_cancel_ends_the_workers(shop):
    shop.sync()
    before = shop.content("staging")
    runner = shop.session()
    pid = runner.pid()
    run = Background(lambda: runner.sync(options=swap(workers=2, max_rows_per_second=2000)))
    helping = "SELECT count(*) FROM pg_stat_activity WHERE leader_pid = %s"
    wait_until(lambda: shop.value(helping, [pid]) == 2)
    shop.execute("SELECT pg_cancel_backend(%s)", [pid])
    assert run.result().diag.sqlstate == "57014"
    wait_until(lambda: shop.value(helping, [pid]) == 0)
    assert shop.content("staging") == before
    assert shop.events()[-1] == "FAILED"
    shop.sync(options=swap(workers=2))


def test_a_run_keeps_to_its_pace(shop):
    shop.sync()
    begun = shop.value("SELECT clock_timestamp()")
    shop.sync(options=swap(workers=1, max_rows_per_second=40_000))
    assert shop.value("SELECT clock_timestamp() - %s >= interval '2.9 seconds'", [begun])


def test_a_run_is_paused_and_goes_on(shop):
    shop.sync()
    runner = shop.session()
    run = Background(lambda: runner.sync(options=swap(workers=1, max_rows_per_second=15_000)))
    seen = "SELECT run_id, rows_done, is_paused FROM confiture.sync_progress WHERE phase = 'loading'"
    wait_until(lambda: [row for row in shop.rows(seen) if row[1]])
    number = shop.rows(seen)[0][0]
    role = shop.role("other")
    shop.execute("SELECT confiture.grant_access('operator', %s)", [role])
    other = shop.session(role)
    other.refused("42501", "SELECT confiture.pause_run(%s)", [number])
    shop.refused("42704", "SELECT confiture.pause_run(gen_random_uuid())")
    pause = "SELECT confiture.pause_run(%s)"
    assert [shop.value(pause, [number]), shop.value(pause, [number])] == [True, False]
    shop.execute("SELECT pg_sleep(0.6)")
    before = shop.rows(seen)
    shop.execute("SELECT pg_sleep(0.8)")
    assert shop.rows(seen) == before and before[0][2] is True
    # The run is a superuser's: as with a cancel, that role is not enough.
    shop.execute(f'GRANT pg_signal_backend TO "{role}"')
    other.refused("42501", "SELECT confiture.continue_run(%s)", [number])
    assert shop.value("SELECT confiture.continue_run(%s)", [number]) is True
    assert run.result() is None
    assert f'run={number} ' in shop.server.log() and " paused" in shop.server.log()
    assert shop.value("SELECT count(*) FROM confiture.sync_progress") == 0


def test_workers_are_shown(shop):
    shop.sync()
    runner = shop.session()
    run = Background(lambda: runner.sync(options=swap(workers=2, max_rows_per_second=30_000)))
    seen = "SELECT workers FROM confiture.sync_progress WHERE phase = 'loading'"
    wait_until(lambda: [row for row in shop.rows(seen) if len(row[0]) == 2])
    shown = shop.rows(seen)
    assert all(re.fullmatch(r"\d+ (working|waiting: \w+)", of) for row in shown for of in row[0])
    assert run.result() is None


def test_a_column_that_is_left_out_is_held_against_its_domain(db):
    db.execute("""
        CREATE SCHEMA prod; CREATE DOMAIN public.word AS text;
        CREATE TABLE prod.notes (id integer PRIMARY KEY, email text, left_out public.word);
        INSERT INTO prod.notes SELECT i, 'a' || i || '@mail.example', 'w' FROM generate_series(1, 60000) i;
        ANALYZE""")
    rules = [{"column": "email", "strategy": "mail"}]
    excluded = [{"column": "left_out", "why": "not needed"}]
    db.load(profile({"notes": {"rules": rules, "exclude": excluded, **keep_all()}}))
    db.sync()
    db.sync(options=swap(workers=2))
    assert loads(db)[-1] == ("notes", 60_000, 2)
    assert db.value("SELECT count(left_out) FROM staging.notes") == 0
    before = db.content("staging")
    db.execute("ALTER DOMAIN public.word ADD CHECK (VALUE IS NOT NULL) NOT VALID")
    for options in ("{}", swap(), swap(workers=2)):
        assert db.attempt(options=options) == "23514"
        assert db.content("staging") == before


def test_partitions_are_written_whatever_order_their_columns_have(db):
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.events (id integer, email text, day date, PRIMARY KEY (id, day))
          PARTITION BY RANGE (day);
        CREATE TABLE prod.old PARTITION OF prod.events FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
        CREATE TABLE prod.new (day date NOT NULL, gone text, email text, id integer NOT NULL,
          CHECK (id > 0));
        ALTER TABLE prod.new DROP COLUMN gone;
        ALTER TABLE prod.events ATTACH PARTITION prod.new FOR VALUES FROM ('2024-01-01') TO (MAXVALUE);
        INSERT INTO prod.events
          SELECT i, 'a' || i || '@mail.example', date '2023-12-01' + i % 60 FROM generate_series(1, 50000) i;
        ANALYZE""")
    db.load(profile({"events": {"email": "mail"}}))
    db.sync()
    # The run makes partitions with the columns of their parent; this one has them as the source.
    db.execute("ALTER TABLE staging.events DETACH PARTITION staging.new; DROP TABLE staging.new;"
               " CREATE TABLE staging.new (LIKE prod.new INCLUDING ALL);"
               ""
               " ALTER TABLE staging.events ATTACH PARTITION staging.new"
               " FOR VALUES FROM ('2024-01-01') TO (MAXVALUE)")
    db.sync()
    alone = db.content("staging")
    db.sync(options=swap(workers=2))
    assert loads(db)[-1] == ("events", 50_000, 2)
    assert db.content("staging") == alone
    assert db.value("SELECT count(*) FROM staging.new WHERE day < '2024-01-01'") == 0
    check_files(db)


def test_nothing_secret_is_left_where_workers_found_it(shop):
    """The setting that leads there is gone with the run, and nobody sees it in between."""
    shop.sync()
    shop.sync(options=swap(workers=2))
    assert shop.value("SELECT current_setting('confiture.kit', true)") in (None, "")
    assert shop.value("SELECT count(*) FROM pg_settings WHERE name = 'confiture.kit'") == 0
    for call in ("_run_mask(0, 'x'::text)", "_run_track(0, 0, 1, 2)"):
        shop.refused("55000", f"SELECT confiture.{call}")
    # A handle that somebody has guessed leads a worker of a query of his to nothing.
    shop.execute("SET confiture.kit = '12345'; SET min_parallel_table_scan_size = 0;"
                 " SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0")
    shop.refused("55000", "SELECT confiture._run_mask(0, email::text) FROM prod.customers")


@pytest.mark.parametrize("workers", [0, 2])
def test_the_pace_is_kept_from_one_partition_to_the_next(db, workers):
    """Rows alternate between partitions, so that no page of one is ever full."""
    db.execute("""
        CREATE SCHEMA prod;
        CREATE TABLE prod.events (k integer NOT NULL, id integer, email text, PRIMARY KEY (k, id))
          PARTITION BY LIST (k);
        CREATE TABLE prod.one PARTITION OF prod.events FOR VALUES IN (1) PARTITION BY HASH (id);
        CREATE TABLE prod.h0 PARTITION OF prod.one FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE prod.h1 PARTITION OF prod.one FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        INSERT INTO prod.events SELECT 1, i, 'a' || i || '@mail.example' FROM generate_series(1, 20000) i;
        ANALYZE""")
    db.load(profile({"events": {"email": "mail"}}))
    db.sync()
    begun = db.value("SELECT clock_timestamp()")
    db.sync(options=swap(workers=workers, max_rows_per_second=10_000))
    assert db.value("SELECT clock_timestamp() - %s >= interval '1.9 seconds'", [begun])


def test_no_row_value_is_in_the_log_of_a_worker(shop):
    """A worker would write its error to the log itself, with the statement that it works for."""
    shop.execute("""
        CREATE SCHEMA app;
        CREATE FUNCTION app.fine(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
          $$BEGIN IF current_setting('app.broken', true) = 'yes' THEN RAISE EXCEPTION 'LEAKED %', $1;
            END IF; RETURN true; END$$""")
    shop.sync()
    shop.execute("ALTER TABLE staging.customers ADD CHECK (app.fine(email))")
    runner = shop.session()
    # Everybody makes rows but the run itself, so that the first error is a worker's.
    runner.execute("SET app.broken = 'yes'; SET log_min_messages = debug1; SET log_error_verbosity = verbose")
    for _ in range(3):
        runner.sync_refused("P0001", options=swap(workers=2))
    log = shop.server.log()
    assert "LEAKED" not in log
    statement = "INSERT INTO " + "staging.customers"
    assert statement not in log
    assert "a worker has not said" not in log


def test_keys_are_wiped_however_a_run_ends(private_server):
    """Memory of the pool is not given back to the system: what is left in it would be found."""
    server = private_server("min_dynamic_shared_memory=16MB")
    db = server.create_database()
    make_many(db, ROWS)
    db.sync()
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    assert kits(postmaster) == 0
    for end in (None, "pg_cancel_backend", "pg_terminate_backend"):
        runner = db.session()
        pid = runner.pid()
        pace = {"max_rows_per_second": 20_000} if end else {}
        run = Background(lambda: runner.sync(options=swap(workers=2, **pace)))
        if end:
            wait_until(lambda: db.value("SELECT count(*) FROM pg_stat_activity WHERE leader_pid = %s", [pid]))
            assert kits(postmaster) == 1
            db.execute(f"SELECT {end}(%s)", [pid])
        assert (run.result() is None) == (end is None)
        wait_until(lambda: not db.rows("SELECT FROM pg_stat_activity WHERE pid = %s AND state = 'active'", [pid]))
        assert kits(postmaster) == 0, end


def kits(pid):
    """How many kits of workers stand in the shared memory of a server."""
    found = 0
    maps = [line.split() for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for area in maps:
            # Shared and writable: the pool is a part of the server's main memory.
            if area[1] != "rw-s":
                continue
            begin, end = (int(bound, 16) for bound in area[0].split("-"))
            memory.seek(begin)
            found += memory.read(end - begin).count(b'"first_mask":')
    return found


def queue_up(shop, most):
    """A run that has all of so many workers, and one that waits for one of them, with its session."""
    shop.sync()
    shop.execute("CREATE SCHEMA other")
    first, second = shop.session(), shop.session()
    for session in (first, second):
        session.execute(f"SET confiture.max_workers = {most}")
    in_phase = "SELECT count(*) FROM confiture.sync_progress WHERE phase = %s"
    slow = Background(lambda: first.sync(options=swap(workers=most, max_rows_per_second=20_000)))
    wait_until(lambda: shop.value(in_phase, ["loading"]) == 1)
    waiting = Background(lambda: second.sync(target="other", options=swap(workers=1)))
    wait_until(lambda: shop.value(in_phase, ["waiting for workers"]) == 1)
    return slow, waiting, second


def test_runs_wait_for_workers_that_others_use(shop):
    slow, other, second = queue_up(shop, 2)
    assert any("workers are free" in n["message_primary"] for n in second.notices)
    assert [slow.result(), other.result()] == [None, None]
    third = shop.session()
    third.execute("SET confiture.max_workers = 2")
    report = third.sync_refused("22023", options=swap(workers=3))
    assert "this server allows 2" in report.message_primary


def test_who_waits_for_workers_can_be_cancelled(shop):
    slow, waiting, second = queue_up(shop, 1)
    shop.execute("SELECT pg_cancel_backend(%s)", [second.pid()])
    assert waiting.result().diag.sqlstate == "57014"
    assert slow.result() is None
