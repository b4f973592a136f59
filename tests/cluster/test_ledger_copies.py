"""Copies of a ledger: dumps of every kind, a standby, a subscriber."""

import time

import psycopg
import pytest

from many_entries import SPENT, VALUE_OF, by_chain, declare, make_budget_and_token, make_entries
from samples import small
from standby import Standby

OK = {("OK", "ok"), ("W01", "warn")}
EVERYTHING = [
    "SELECT a::text FROM confiture.audit_log a ORDER BY seq",
    "SELECT l::text FROM confiture.lineage l ORDER BY seq",
    "SELECT j::text FROM confiture.journal j ORDER BY number",
    "SELECT k::text FROM confiture.run_key k ORDER BY run_id",
]


def said(session):
    return {row[:2] for row in by_chain(session)}


@pytest.fixture(scope="module")
def full(server):
    """A ledger with every kind of entry, tokens and a budget."""
    db = server.create_database()
    make_entries(db)
    db.token = make_budget_and_token(db)
    yield db
    db.drop()


def copy(full, bare, path, way):
    """A dump of the whole database put into an empty one."""
    server = full.server
    if way == "directory, by four jobs":
        server.run("pg_dump", "-Fd", "-j", "4", "-f", path, database=full.name)
    elif way == "custom":
        server.run("pg_dump", "-Fc", "-f", path, database=full.name)
    elif way == "tar":
        server.run("pg_dump", "-Ft", "-f", path, database=full.name)
    else:
        more = ["--inserts"] if "insert" in way else []
        path.write_text(
            server.run("pg_dump", *more, database=full.name).stdout, encoding="utf-8"
        )
        bare.psql("-f", path)
        return bare.session()
    jobs = ["-j", "4"] if "jobs" in way else []
    server.run("pg_restore", "--exit-on-error", *jobs, "-d", bare.name, path)
    return bare.session()


@pytest.mark.parametrize(
    "way", ["plain", "plain, with inserts", "custom", "tar", "directory, by four jobs"]
)
def test_a_dump_of_every_kind_of_entry_verifies_and_goes_on(full, bare, tmp_path, way):
    restored = copy(full, bare, tmp_path / "dump", way)
    # The records of the journal are there, their count is not: W08, until the next one.
    assert said(restored) == OK | {("W08", "warn")}
    for query in EVERYTHING:
        assert restored.rows(query) == full.rows(query)
    assert restored.rows(SPENT) == full.rows(SPENT) == [(2, 1)]
    assert restored.value(VALUE_OF, [full.token]) == "ada"
    before = len(restored.events())
    restored.execute("SELECT anon_fpe_decrypt('12345678')")
    declare(restored)
    restored.execute("SELECT confiture.rotate_key('masking')")
    restored.sync()
    assert len(restored.events()) == before + 5
    assert said(restored) == OK
    assert "INCARNATION" not in restored.events(), "the same cluster, on the same timeline"
    restored.refused("42501", "UPDATE confiture.lineage SET nulls = 0")


EDITS = {
    "the role of an entry": ("audit_log", "\tpostgres\tpostgres\t", "\tpostgres\tnobody\t", "audit"),
    "the name of a run": ("audit_log", "by hand", "by hind", "audit"),
    "a column of the lineage": ("lineage", "\temail\t", "\te-mail\t", "lineage"),
    "who revealed": ("journal", "\tpostgres\t", "\tsomeone\t", "journal"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_value_edited_in_a_plain_dump_comes_back_as_a_failure(full, bare, tmp_path, edit):
    table, old, new, chain = EDITS[edit]
    text = full.server.run("pg_dump", database=full.name).stdout
    begin = text.index(f"COPY confiture.{table} (")
    at = text.index(old, begin)
    assert at < text.index("\n\\.\n", begin), "in the rows of the table"
    path = tmp_path / "dump"
    path.write_text(text[:at] + new + text[at + len(old) :], encoding="utf-8")
    bare.psql("-f", path)
    found = by_chain(bare.session())
    assert chain in {where for _, status, where in found if status == "fail"}
    assert "OK" not in {code for code, *_ in found}


@pytest.mark.parametrize("table", ["audit_log", "lineage", "journal"])
def test_a_row_left_out_of_a_plain_dump_comes_back_as_a_failure(full, bare, tmp_path, table):
    text = full.server.run("pg_dump", database=full.name).stdout
    begin = text.index("\n", text.index(f"COPY confiture.{table} (")) + 1
    second = text.index("\n", begin) + 1
    path = tmp_path / "dump"
    path.write_text(text[:begin] + text[second:], encoding="utf-8")
    bare.psql("-f", path)
    found = by_chain(bare.session())
    assert "fail" in {status for _, status, _ in found}
    assert "OK" not in {code for code, *_ in found}


def wait(what, seconds=60):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about")


APPENDS = [
    "SELECT confiture.create_key('salt-x')",
    "SELECT confiture.create_key('ledger')",
    "SELECT confiture.rotate_key('masking')",
    "SELECT confiture.destroy_key_version('masking', 1)",
    "CALL confiture.share_key('masking', gen_random_uuid())",
    "CALL confiture.rewrap_keys()",
    "CALL confiture.rotate_kek()",
    f"SELECT confiture.load_profile($y${small(version='9')}$y$)",
    "SELECT confiture.retire_profile('small', '1')",
    "SELECT confiture.grant_access('auditor', 'pg_monitor')",
    "SELECT confiture.shred_run_key(run_id) FROM confiture.run_key",
    "SELECT anon_fpe_decrypt('12345678')",
    "SELECT confiture.begin_run('x', 'prod', 'staging')",
    "SELECT confiture.export_anchor()",
    "SELECT confiture.disarm('why')",
    "CALL confiture.sync('small', source => 'prod', target => 'staging')",
]


# Refused by whoever is asked first, the extension or the server; a plan is one of what cannot be run.
WRITES = [
    "SELECT * FROM confiture.plan('small', 'prod', 'staging')",
    "CALL confiture.mask_in_place('small', 'prod')",
    "SELECT * FROM confiture.preview('small', 'prod', 'people')",
    "SELECT * FROM confiture.create_masked_views('small', 'prod', 'other')",
    "SELECT confiture.register_hook('AFTER_ANONYMIZATION', 'public.hook')",
    "SELECT confiture.watch('small', 'prod')",
    "SELECT confiture.declare_fact('measure', 'n',"
    " '{\"kind\": \"audit\", \"description\": \"d\"}')",
    "SELECT confiture.issue_compliance_report('gdpr')",
    "SELECT confiture.record_verification()",
    "SELECT confiture.tokenize_batch('mail', '{x}')",
    "SELECT anon_dp_budget_raise('research', 20, 'why')",
    "SET confiture.dp_budget = 'research'; SELECT anon_dp_count(id, 1) FROM prod.people",
]


READS = [
    "SELECT email FROM seen.people ORDER BY id",
    "SELECT * FROM confiture.lint_access('pg_monitor', 'prod')",
    "SELECT * FROM confiture.detect('prod')",
    "SELECT anon_k_anonymity('staging.people', '{note}')",
    "SELECT confiture.compliance_coverage('gdpr')",
    "SELECT epsilon_spent, charges FROM anon_dp_budget_status('research')",
    "SELECT confiture.installation_id()",
    "SELECT confiture.anchor_key()",
    "SELECT confiture.export_ledger()",
    "SELECT hash FROM confiture.inclusion_proof(2)",
    "SELECT confiture.resolve_seed('small', 'people', 'email')",
    "SELECT confiture.export_openlineage(run_id) FROM confiture.audit_log"
    " WHERE event = 'COMPLETED' AND origin = 'run' LIMIT 1",
    "SELECT confiture.verify_lineage_data(run_id, table_name, column_name)"
    " FROM confiture.lineage ORDER BY seq",
    "SELECT anon_email('a@b.example')",
]


def test_a_standby_verifies_refuses_to_append_and_goes_on_when_promoted(private_server):
    server = private_server("wal_level=replica")
    db = server.create_database()
    make_entries(db)
    make_budget_and_token(db)
    db.execute("CREATE FUNCTION public.hook(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1'")
    db.execute("SELECT * FROM confiture.create_masked_views('small', 'prod', 'seen')")
    expected = sorted(by_chain(db))
    size = len(db.all_events())
    standby = Standby(server, name="follower")
    try:
        with standby.connect(db.name) as connection:

            def findings():
                rows = connection.execute(
                    "SELECT check_code, status, chain FROM confiture.verify_ledger()"
                )
                return sorted(rows.fetchall())

            assert findings() == expected
            refusals = {}
            for statement in APPENDS:
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(statement)
                report = refused.value.diag
                refusals[statement] = (report.sqlstate, report.message_primary)
            assert {state for state, _ in refusals.values()} == {"25006"}, refusals
            ours = [text for _, text in refusals.values() if "standby" in text]
            assert len(ours) >= len(APPENDS) - 1, refusals
            states = {}
            for statement in WRITES:
                with pytest.raises(psycopg.Error) as refused:
                    connection.execute(statement)
                states[statement] = refused.value.diag.sqlstate
            assert set(states.values()) == {"25006"}, states
            for query in READS:
                assert connection.execute(query).fetchall() == db.rows(query), query
            assert connection.execute("SELECT confiture.lineage_report()").fetchone()
            assert findings() == expected
            connection.execute("SELECT pg_promote(true, 60)")
            wait(lambda: not connection.execute("SELECT pg_is_in_recovery()").fetchone()[0])
        with standby.connect(db.name) as connection:
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)
            connection.execute("SELECT confiture.create_key('salt-after')")
            connection.execute("CALL confiture.sync('small', source => 'prod', target => 'later')")
            events = connection.execute(
                "SELECT event, timeline_id FROM confiture.audit_log WHERE seq > %s ORDER BY seq",
                [size],
            ).fetchall()
            assert [event for event, _ in events] == [
                "INCARNATION", "KEY_CREATED", "STARTED", "COMPLETED",
            ]
            assert {timeline for _, timeline in events} == {2}
            rows = connection.execute(
                "SELECT check_code, status, seq_from, seq_to FROM confiture.verify_ledger()"
            ).fetchall()
            codes = {row[:2] for row in rows}
            assert ("OK", "ok") in codes and "fail" not in {status for _, status in codes}
            assert [row[2] for row in rows if row[0] == "W02"] == [size + 1]
    finally:
        standby.stop()


def subscribe(server, tables):
    """Two databases with the extension, entries in the first one published to the second."""
    source, target = server.create_database(), server.create_database(key=False)
    make_entries(source)
    source.execute(f"CREATE PUBLICATION copies FOR TABLE {tables} WITH (publish = 'insert')")
    # In one cluster the slot is made by hand: the subscription would wait for itself.
    slot = f"s_{target.name}"
    source.execute(f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    return source, target, slot


def start(server, source, target, slot, copy_data=True):
    host, port = server.environment["PGHOST"], server.environment["PGPORT"]
    target.execute(
        f"CREATE SUBSCRIPTION {slot} CONNECTION 'host={host} port={port} dbname={source.name}"
        f" user=postgres' PUBLICATION copies WITH (create_slot = false, slot_name = '{slot}',"
        f" copy_data = {str(copy_data).lower()})"
    )


def stop(source, target, slot):
    target.execute(f"ALTER SUBSCRIPTION {slot} DISABLE")
    target.execute(f"ALTER SUBSCRIPTION {slot} SET (slot_name = NONE)")
    target.execute(f"DROP SUBSCRIPTION {slot}")
    wait(lambda: not source.value(
        "SELECT count(*) FROM pg_replication_slots WHERE slot_name = %s AND active", [slot]
    ))
    source.execute("SELECT pg_drop_replication_slot(%s)", [slot])


@pytest.fixture(scope="module")
def publisher(private_server):
    return private_server("wal_level=logical", "max_worker_processes=16")


def count(db, table):
    return db.value(f"SELECT count(*) FROM confiture.{table}")


def test_a_subscriber_to_entries_gets_them_and_says_that_no_head_stands_for_them(publisher):
    source, target, slot = subscribe(publisher, "confiture.audit_log, confiture.lineage")
    start(publisher, source, target, slot)
    try:
        wait(lambda: count(target, "audit_log") == count(source, "audit_log")
             and count(target, "lineage") == count(source, "lineage"))
        declare(source, table="later")
        source.execute("SELECT confiture.rotate_key('masking')")
        wait(lambda: count(target, "audit_log") == count(source, "audit_log"))
        for query in EVERYTHING[:2]:
            assert target.rows(query) == source.rows(query)
        found = by_chain(target.session())
        # A copy is no ledger: no head stands for it, no key is there.
        codes = {code for code, *_ in found}
        assert {"E07", "E11"} <= codes and "OK" not in codes
        assert "E01" not in codes and "E03" not in codes and "E04" not in codes
        # And whatever replicates is held to the same rules as everybody.
        target.refused("42501", "UPDATE confiture.audit_log SET user_name = 'x'")
        target.refused("42501", "DELETE FROM confiture.audit_log")
    finally:
        stop(source, target, slot)


def test_a_subscriber_with_a_ledger_of_its_own_refuses_entries_of_another(publisher):
    source, target, slot = subscribe(publisher, "confiture.audit_log")
    target.execute("SELECT confiture.create_key('masking')")
    own = target.rows(EVERYTHING[0])
    begin = len(publisher.log())
    start(publisher, source, target, slot, copy_data=False)
    try:
        source.execute("SELECT confiture.create_key('salt-r')")
        wait(lambda: "the ledger is append-only" in publisher.log()[begin:])
        assert target.rows(EVERYTHING[0]) == own
        assert {("OK", "ok"), ("W01", "warn")} == said(target.session())
    finally:
        stop(source, target, slot)
