"""Outputs of costly masks that a run keeps: where, on whose word, and what becomes of the rows."""

import re
import threading
from pathlib import Path

import pytest

from samples import keep_all, profile

SLOW = {"type": "salted_hash", "config": {"algorithm": "argon2id", "salt": "s"}}
STRATEGIES = {
    "slow": SLOW,
    "cipher": {"type": "fpe"},
    "prose": {"type": "text"},
    "filler": {"type": "lorem"},
    "document": {"type": "json", "config": {"paths": {"$.email": "email", "$.id": "keep"}}},
}
COLUMNS = """
    code text, digits text, note text, filler text, document jsonb, cipher bytea
"""
VALUES = """
    CASE WHEN i % 7 > 0 THEN 'Code ' || i % 5 END, lpad((i % 9)::text, 80, '7'),
    repeat('Call +49 30 123456' || i % 4 || ' or write to p' || i % 4 || '@mail.example. ', 20),
    repeat('word ' || i % 6 || ' ', 120),
    jsonb_build_object('email', i % 3 || '@mail.example', 'id', i % 3, 'n', repeat('y', 99)),
    decode(lpad(to_hex(i % 4), 200, '0'), 'hex')
"""
RULES = {
    "code": "slow",
    "digits": "cipher",
    "note": "prose",
    "filler": "filler",
    "document": "document",
    "cipher": "hash",
}
CACHED = {"digits", "note", "filler", "document"}


def fill(db, columns=COLUMNS, values=VALUES, rows=8000, analyze=True):
    """A table `t` of so many rows, and a salt."""
    db.execute("SELECT confiture.create_key('salt-s')")
    db.execute(
        f"CREATE SCHEMA prod; CREATE TABLE prod.t (id integer PRIMARY KEY, {columns})"
        " WITH (autovacuum_enabled = off);"
        f"INSERT INTO prod.t SELECT i, {values} FROM generate_series(1, {rows}) AS i"
    )
    if analyze:
        db.execute("ANALYZE prod.t")


def load(db, rules=None, strategies=STRATEGIES, **more):
    rules = RULES if rules is None else rules
    db.load(profile({"t": rules}, strategies=strategies, **more))


def details(db):
    return db.value(
        "SELECT details FROM confiture.audit_log WHERE event = 'COMPLETED' ORDER BY seq DESC LIMIT 1"
    )


def columns(db, table="t"):
    """What the entry of the newest run says of the cached columns of a table."""
    return details(db).get("cached", {"columns": {}})["columns"].get(table, {})


def notes(db, options="{}", table="t"):
    """What a plan says of each masked column of a table."""
    rows = db.plan(options=options).items()
    masked = {place: row for place, row in rows if row["decision"] == "masked"}
    return {column: row["note"] for (of, column), row in masked.items() if of == table}


def rows_of(db, table="t"):
    return db.rows(f"SELECT * FROM staging.{table} ORDER BY id")


def test_rows_are_the_same_with_the_cache_and_without(db):
    fill(db)
    # Few rows of what takes ten milliseconds each.
    db.execute("CREATE TABLE prod.few AS SELECT id, code FROM prod.t WHERE id <= 200")
    db.execute("ALTER TABLE prod.t DROP COLUMN code; ANALYZE")
    rules = {column: rule for column, rule in RULES.items() if column != "code"}
    db.load(profile({"t": rules, "few": {"code": "slow"}}, strategies=STRATEGIES))
    db.sync(options='{"cache": "off"}')
    assert details(db)["cache"] == "off" and "cached" not in details(db)
    without = rows_of(db), rows_of(db, "few")
    db.sync()
    assert details(db)["cache"] == "auto" and columns(db).keys() == CACHED
    assert (rows_of(db), rows_of(db, "few")) == without
    # Of the values that are NULL there is nothing to look up.
    there = db.value("SELECT count(code) FROM prod.few")
    code = columns(db, "few")["code"]
    assert (code["misses"], code["hits"]) == (5, there - 5)
    hits = "SELECT sum(cache_hits) FROM confiture.{}"
    expected = sum(of["hits"] for table in ("t", "few") for of in columns(db, table).values())
    assert db.value(hits.format("run_columns")) == expected
    assert db.value(hits.format("stat_strategies")) == expected
    assert {of["evicted"] + of["poisoned"] for of in columns(db).values()} == {0}
    assert 0 < details(db)["cached"]["bytes"] <= 32 << 20
    # What the lineage commits to is what stands there.
    run = db.value("SELECT run_id FROM confiture.runs ORDER BY started_at DESC LIMIT 1")
    for table, column in [*(("t", column) for column in rules), ("few", "code")]:
        call = "SELECT confiture.verify_lineage_data(%s, %s, %s)"
        assert db.value(call, [run, table, column]) == "match"


def test_a_plan_says_which_columns_are_cached_and_why(db):
    fill(db)
    load(db)
    found = notes(db)
    assert re.fullmatch("cached: about 5 different values in 685[78]", found["code"])
    assert found["digits"] == "cached: about 9 different values in 8000"
    assert found["cipher"] is None
    off = notes(db, '{"cache": "off"}')
    assert off["code"] == "not cached: the option says so" and off["cipher"] is None


def test_without_statistics_nothing_is_cached(db):
    fill(db, "code text", "'Code ' || i % 5", rows=40, analyze=False)
    load(db, {"code": "slow"})
    assert notes(db)["code"] == "not cached: there are no statistics of the column"
    db.sync()
    assert columns(db) == {} and "cached" not in details(db)


def test_values_that_hardly_repeat_are_not_cached(db):
    fill(db, "code text, digits text", "'Code ' || i, lpad(i::text, 80, '0')", rows=40)
    load(db, {"code": "slow", "digits": "cipher"})
    assert notes(db)["code"] == "not cached: about 40 different values in 40"
    db.sync()
    assert columns(db) == {}


def test_parts_of_values_and_masks_that_read_more_are_not_cached(db):
    fill(
        db,
        "codes text[], note text",
        "ARRAY['Code ' || i % 5], repeat('Call p' || i % 4 || '@mail.example. ', 40)",
        rows=60,
    )
    load(db, {"codes": "slow", "note": "prose"})
    assert notes(db)["codes"] == "not cached: there are no statistics of parts of a value"
    db.sync()
    assert columns(db) == {}


def test_values_that_a_check_refuses_are_drawn_again_alike(db):
    """Five values, of which the CHECK refuses some of the pseudonyms."""
    fill(db, "code text CHECK (code ~ '^[C0-7]')", "'Code ' || i % 12", rows=600)
    load(db, {"code": "slow"}, coverage="copy")
    db.sync(options='{"cache": "off"}')
    without = rows_of(db)
    db.sync()
    counts = columns(db)["code"]
    assert rows_of(db) == without
    # Further draws are kept as well.
    assert 12 < counts["misses"] < 120 and counts["hits"] + counts["misses"] > 700
    assert all(code[0] in "01234567" for _, code in without)


def test_values_that_are_not_taken_are_an_error_or_what_the_rule_says(db):
    document = STRATEGIES["document"]
    lenient = {"type": "json", "config": {**document["config"], "on_error": "null"}}
    fill(
        db,
        "document text",
        "CASE WHEN i = 700 THEN 'no document' ELSE"
        " jsonb_build_object('email', i % 3 || '@mail.example', 'n', repeat('y', 99))::text END",
        rows=9000,
    )
    load(db, {"document": "lenient"}, strategies={"lenient": lenient})
    db.sync(options='{"cache": "off"}')
    without = rows_of(db)
    db.sync()
    assert rows_of(db) == without and columns(db)["document"]["misses"] == 4
    assert [row[0] for row in without if row[1] is None] == [700]
    load(db, {"document": "document"}, version="2")
    report = db.sync_refused("22000")
    assert "no document" not in str(report.message_primary) + str(report.message_detail)


def test_columns_that_are_masked_alike_share_their_entries(db):
    fill(db, "code text UNIQUE", "'Code ' || i", rows=30)
    db.execute(
        "CREATE TABLE prod.o (id integer PRIMARY KEY, code text REFERENCES prod.t (code));"
        "INSERT INTO prod.o SELECT i, 'Code ' || 1 + i % 6 FROM generate_series(1, 300) AS i;"
        "CREATE TABLE prod.p (LIKE prod.o); INSERT INTO prod.p SELECT * FROM prod.o; ANALYZE"
    )
    tables = {table: {"code": "slow"} for table in ("t", "o", "p")}
    db.load(profile(tables, strategies=STRATEGIES))
    db.sync()
    assert columns(db) == {}
    assert columns(db, "o")["code"]["misses"] == 6
    assert columns(db, "p")["code"]["misses"] == 0 and columns(db, "p")["code"]["hits"] == 300
    assert db.value("SELECT bool_and(o.code = p.code) FROM staging.o JOIN staging.p USING (id)")


def test_a_column_that_repeats_too_little_is_given_up(db):
    """Statistics that were made before most of the rows."""
    fill(db, "digits text", "lpad((i % 10)::text, 80, '0')", rows=10)
    db.execute("ALTER TABLE prod.t ALTER COLUMN digits SET (n_distinct = 10)")
    db.execute(
        "INSERT INTO prod.t SELECT i, lpad(i::text, 80, '0') FROM generate_series(11, 6000) AS i;"
        "ANALYZE prod.t"
    )
    load(db, {"digits": "cipher"})
    assert notes(db)["digits"] == "cached: about 10 different values in 6000"
    db.sync()
    counts = columns(db)["digits"]
    assert (counts["given_up"], counts["misses"]) == (True, 1001), counts
    cached = rows_of(db)
    db.sync(options='{"cache": "off"}')
    assert rows_of(db) == cached


def test_partitions_and_filters_go_by_the_statistics_of_the_whole_table(db):
    db.execute(
        "SELECT confiture.create_key('salt-s'); CREATE SCHEMA prod;"
        "CREATE TABLE prod.t (id integer PRIMARY KEY, code text) PARTITION BY RANGE (id);"
        "CREATE TABLE prod.t1 PARTITION OF prod.t FOR VALUES FROM (0) TO (200);"
        "CREATE TABLE prod.t2 PARTITION OF prod.t DEFAULT;"
        "INSERT INTO prod.t SELECT i, 'Code ' || i % 5 FROM generate_series(1, 400) AS i"
    )
    load(db, {"code": "slow"})
    assert notes(db)["code"] == "not cached: there are no statistics of the column"
    db.execute("ANALYZE prod.t")
    assert notes(db)["code"].startswith("cached: about 5 ")
    db.sync()
    assert columns(db)["code"]["misses"] == 5 and columns(db)["code"]["hits"] == 395


def test_a_run_in_place_has_a_cache_too(db):
    fill(db, "code text", "'Code ' || i % 5", rows=300)
    load(db, {"code": "slow"})
    db.sync()
    expected = rows_of(db)
    session = db.configure(allow_in_place="on")
    session.execute("CALL confiture.mask_in_place('small', 'prod', '{\"was_source\": true}')")
    db.configure(allow_in_place=None)
    assert columns(db)["code"]["misses"] == 5
    assert db.rows("SELECT * FROM prod.t ORDER BY id") == expected


def test_a_weaker_role_has_the_statistics_of_what_it_may_read(db):
    fill(db, "code text", "'Code ' || i % 5", rows=300)
    load(db, {"code": "slow"})
    role = db.role("runner")
    db.execute(
        f"SELECT confiture.grant_access('operator', '{role}');"
        f'GRANT USAGE ON SCHEMA prod TO "{role}"; GRANT SELECT ON prod.t TO "{role}";'
        f'CREATE SCHEMA staging AUTHORIZATION "{role}"'
    )
    session = db.session(user=role)
    session.sync()
    assert columns(db)["code"]["misses"] == 5


def test_the_log_has_a_line_for_each_cached_column(db):
    fill(db, "code text", "'Code ' || i % 5", rows=300)
    load(db, {"code": "slow"})
    db.sync()
    run = db.value("SELECT run_id::text FROM confiture.runs LIMIT 1")
    [line] = re.findall(rf"confiture run={run} cached (.*) at=", db.server.log())
    assert line == 'column="t.code" hits=295 misses=5 evicted=0 poisoned=0 given_up=false'


def writable(process):
    """The parts of the memory of a process that are its own and can be written."""
    for line in (process / "maps").read_text().splitlines():
        start, end, rights, name = re.match(
            r"(\w+)-(\w+) (\S+) \S+ \S+ \d+\s*(.*)", line
        ).groups()
        if rights.startswith("rw") and rights.endswith("p") and name in ("", "[heap]"):
            yield int(start, 16), int(end, 16)


def poison(session, output):
    """Changes every copy of an output that is kept in the memory of a session's backend."""
    process = Path(f"/proc/{session.pid()}")
    # As it is kept: behind a byte that says it is a text.
    kept, changed = 0, b"\x0b" + output[:-1] + bytes([output[-1] ^ 1])
    with (process / "mem").open("r+b", buffering=0) as memory:
        for start, end in writable(process):
            memory.seek(start)
            content = memory.read(end - start) or b""
            for match in re.finditer(re.escape(b"\x0b" + output), content):
                memory.seek(start + match.start())
                memory.write(changed)
                kept += 1
    return kept


def test_an_entry_poisoned_in_the_memory_of_a_run_is_noticed(db):
    """A trigger of the target waits half way, while the entries of the cache are changed."""
    fill(db, "code text", "'Code ' || i % 5", rows=400)
    load(db, {"code": "slow"})
    db.sync()
    expected = rows_of(db)
    outputs = sorted({code for _, code in expected})
    db.execute(
        "CREATE FUNCTION staging.waits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF NEW.id = 200 THEN PERFORM pg_catalog.pg_advisory_xact_lock(4711); END IF;"
        " RETURN NEW; END $$;"
        "CREATE TRIGGER waits BEFORE INSERT ON staging.t FOR EACH ROW"
        " EXECUTE FUNCTION staging.waits(); SELECT pg_advisory_lock(4711)"
    )
    runner = db.session()
    run = threading.Thread(target=runner.sync, kwargs={"options": '{"triggers": "fire"}'})
    run.start()
    try:
        for _ in range(1200):
            waits = "SELECT wait_event FROM pg_stat_activity WHERE pid = %s"
            if db.value(waits, [runner.pid()]) == "advisory":
                break
            db.execute("SELECT pg_sleep(0.05)")
        changed = [poison(runner, output.encode()) for output in outputs[:3]]
    except PermissionError:
        pytest.skip("this user may not write the memory of the server's processes")
    finally:
        db.execute("SELECT pg_advisory_unlock(4711)")
        run.join()
    assert changed == [1, 1, 1]
    assert rows_of(db) == expected
    counts = columns(db)["code"]
    assert (counts["poisoned"], counts["misses"], counts["hits"]) == (3, 5, 392)
    [warning] = [n for n in runner.notices if n["severity_nonlocalized"] == "WARNING"]
    assert warning["message_primary"] == (
        "3 entries of the cache of the run were changed from outside, and computed again"
    )
    assert "The rows are right." in warning["message_hint"]
    # When the run is over, nothing of what was kept is left.
    assert [poison(runner, output.encode()) for output in outputs] == [0] * 5


def test_options_that_are_not_understood_are_refused(db):
    fill(db, "code text", "'x'", rows=1)
    load(db, {"code": "slow"})
    report = db.sync_refused("22023", options='{"cache": "on"}')
    assert report.message_detail == "It must be auto or off."


def test_tables_that_are_kept_have_no_cache(db):
    fill(db, "code text", "'x'", rows=10)
    db.load(profile({"t": keep_all()}))
    db.sync()
    assert "cached" not in details(db)
