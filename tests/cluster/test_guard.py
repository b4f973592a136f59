"""The guards of the ledger: every way around them that is known, by everybody who may try it."""

import os
import re

import psycopg
import pytest

from definitions import DEFINITIONS
from samples import make_small
from server import ROOT
from tampering import commands_unguarded, unguarded

GUARD = ROOT / "src" / "ledger" / "guard"


def fill(db):
    """Three entries, and an auditor."""
    make_small(db)
    db.auditor = db.role("auditor")
    db.execute(f"SELECT confiture.grant_access('auditor', '{db.auditor}')")
    db.make_key()
    db.sync()
    db.size = 3


@pytest.fixture(scope="module")
def shared(server):
    """A database that no test of this module changes: what is refused leaves it as it was."""
    database = server.create_database(key=False)
    fill(database)
    yield database
    database.drop()


@pytest.fixture(scope="module")
def handed(server):
    """The same, installed by a superuser who is none any more: the owner of tables and guards."""
    database = server.create_database(extension=False)
    database.boss = f"boss_{database.name}"
    database.execute(f"CREATE ROLE {database.boss} LOGIN SUPERUSER")
    database.session(database.boss).execute("CREATE EXTENSION confiture")
    fill(database)
    database.execute(f"ALTER ROLE {database.boss} NOSUPERUSER")
    yield database
    database.drop()


@pytest.fixture(params=["plain user", "owner", "superuser"])
def hand(request, shared, handed):
    """A session of somebody who tries it, with a schema to put things into."""
    db = handed if request.param == "owner" else shared
    user = {"plain user": db.auditor, "owner": getattr(db, "boss", None), "superuser": "postgres"}
    session = db.session(user[request.param])
    session.db, session.plain = db, request.param == "plain user"
    db.execute("DROP SCHEMA IF EXISTS own CASCADE")
    db.execute(f'CREATE SCHEMA own AUTHORIZATION "{user[request.param]}"')
    yield session
    session.connection.close()


def is_intact(db):
    """Nothing is other than it was, and the ledger goes on."""
    return db.findings() == {"OK": ("ok", 1, db.size), "W01": ("warn", 1, db.size)}


# The same in disguise, and what changes rows without touching the definition.
DISGUISED = [
    "ALTER TABLE confiture.audit_log ALTER COLUMN server_version TYPE integer USING server_version * 10",
    "ALTER TABLE confiture.ledger_head ALTER COLUMN seq TYPE bigint USING 0",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE confiture.audit_log DISABLE TRIGGER USER'; END $$",
    "CREATE SCHEMA hidden CREATE TABLE child () INHERITS (confiture.audit_log)",
    # Off and on again in one go: each command stands for itself.
    "ALTER TABLE confiture.audit_log DISABLE TRIGGER USER;"
    " DELETE FROM confiture.audit_log;"
    " ALTER TABLE confiture.audit_log ENABLE ALWAYS TRIGGER audit_log_append_only_row",
    # A command inside of the command must not make the outer one look finished.
    "CREATE FUNCTION own.f() RETURNS text LANGUAGE plpgsql AS"
    " $$ BEGIN CREATE TEMP TABLE IF NOT EXISTS inner_one (); DROP TABLE inner_one;"
    " RETURN 'x'; END $$;"
    " ALTER TABLE confiture.audit_log ADD COLUMN note text DEFAULT own.f()",
    "ALTER SCHEMA confiture RENAME TO other",
    "ALTER TABLE confiture.audit_log OWNER TO pg_monitor",
    "ALTER FUNCTION confiture._ledger_guard() OWNER TO pg_monitor",
]

ROWS = [
    "UPDATE confiture.audit_log SET user_name = 'x'",
    "UPDATE confiture.audit_log SET user_name = 'x' WHERE false",
    "DELETE FROM confiture.audit_log WHERE seq = 3",
    "TRUNCATE confiture.audit_log",
    "TRUNCATE confiture.ledger_head, confiture.audit_log",
    "UPDATE confiture.ledger_head SET seq = 1",
    "UPDATE confiture.ledger_head SET seq = 1 WHERE false",
    "DELETE FROM confiture.ledger_head",
    "UPDATE confiture.lineage SET rows_seen = 0",
    "INSERT INTO confiture.lineage SELECT l.* FROM own.step() l",
    "TRUNCATE confiture.lineage",
    "DELETE FROM confiture.run_key",
    "UPDATE confiture.run_key SET wrapped = '' WHERE false",
    "TRUNCATE confiture.run_key",
    "INSERT INTO confiture.ledger_head VALUES ('audit', gen_random_uuid(), 9, '')"
    " ON CONFLICT (chain) DO UPDATE SET seq = 9",
    "INSERT INTO confiture.ledger_head VALUES ('another', gen_random_uuid(), 9, '')",
    "INSERT INTO confiture.audit_log SELECT * FROM confiture.audit_log ON CONFLICT (seq)"
    " DO UPDATE SET user_name = 'x'",
    "INSERT INTO confiture.audit_log OVERRIDING SYSTEM VALUE SELECT n.* FROM own.next() n",
    "INSERT INTO confiture.audit_log OVERRIDING USER VALUE SELECT n.* FROM own.next() n"
    " ON CONFLICT DO NOTHING",
]

NEXT = """
    CREATE FUNCTION own.next() RETURNS confiture.audit_log LANGUAGE sql AS $$
      SELECT jsonb_populate_record(a, jsonb_build_object('seq', a.seq + 1,
               'id', gen_random_uuid(), 'previous_entry_hash', a.entry_hash,
               'entry_hash', sha256(a.entry_hash)))
        FROM confiture.audit_log a ORDER BY seq DESC LIMIT 1 $$;
    CREATE FUNCTION own.step() RETURNS confiture.lineage LANGUAGE sql AS $$
      SELECT jsonb_populate_record(l, jsonb_build_object('seq', l.seq + 1,
               'previous_entry_hash', l.entry_hash, 'entry_hash', sha256(l.entry_hash)))
        FROM confiture.lineage l ORDER BY seq DESC LIMIT 1 $$"""


@pytest.mark.parametrize("attempt", DEFINITIONS)
def test_nobody_changes_the_definition(hand, attempt):
    statement, said = DEFINITIONS[attempt]
    if hand.plain and statement.startswith("GRANT"):
        # PostgreSQL warns that nothing was granted.
        hand.execute(statement)
    else:
        report = hand.refused("42501", statement)
    if not hand.plain:
        rewrite = report.message_primary == "the ledger is append-only"
        assert rewrite or report.message_primary == "the definition of the ledger is guarded"
        assert rewrite or "confiture.disarm" in report.message_hint
        assert rewrite or ";" in statement or said in report.message_detail
    assert is_intact(hand.db)


@pytest.mark.parametrize("statement", DISGUISED)
def test_nobody_changes_it_in_disguise(hand, statement):
    hand.refused("42501", statement)
    assert is_intact(hand.db)


@pytest.mark.parametrize("statement", ROWS)
@pytest.mark.parametrize("role", ["origin", "replica"])
def test_nobody_changes_rows(hand, statement, role):
    hand.execute(NEXT)
    if role == "replica":
        if hand.db.server.version < 15 and hand.plain:
            pytest.skip("the parameter can be granted since PostgreSQL 15")
        if hand.db.server.version >= 15:
            hand.db.execute("GRANT SET ON PARAMETER session_replication_role TO public")
        hand.execute("SET session_replication_role = replica")
    report = hand.refused("42501", statement)
    if not hand.plain:
        assert report.message_primary == "the ledger is append-only"
    assert is_intact(hand.db)


def test_nobody_copies_rows_in(hand):
    hand.execute(NEXT)
    with hand.connection.cursor() as cursor:
        with cursor.copy("COPY (SELECT n.* FROM own.next() n) TO STDOUT") as copy:
            line = b"".join(copy)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            with cursor.copy("COPY confiture.audit_log FROM STDIN") as copy:
                copy.write(line)
    assert is_intact(hand.db)


def test_nobody_changes_rows_by_merge(hand):
    if hand.db.server.version < 15:
        pytest.skip("MERGE came with PostgreSQL 15")
    hand.execute(NEXT)
    for action in (
        "WHEN MATCHED THEN UPDATE SET user_name = 'x'",
        "WHEN MATCHED THEN DELETE",
        "WHEN NOT MATCHED THEN INSERT (seq) VALUES (9)",
    ):
        hand.refused(
            {"42501", "23502"},
            "MERGE INTO confiture.audit_log a USING (VALUES (1), (9)) v (s) ON a.seq = v.s"
            f" {action}",
        )
    assert is_intact(hand.db)


def test_members_of_the_extension_stay(hand):
    for drop in (
        "TABLE confiture.audit_log",
        "FUNCTION confiture._definition_guard() CASCADE",
        "FUNCTION confiture._ledger_guard() CASCADE",
        "EVENT TRIGGER confiture_definition_end",
    ):
        hand.refused({"42501", "2BP01"}, f"DROP {drop}")
    hand.refused({"42501", "55000"}, "DROP EXTENSION confiture")
    assert is_intact(hand.db)


def test_a_refusal_that_is_caught_leaves_nothing(hand):
    hand.execute(
        "DO $$ BEGIN"
        "  BEGIN ALTER TABLE confiture.audit_log DISABLE TRIGGER USER;"
        "  EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
        "  CREATE TABLE own.t ();"
        "  BEGIN CREATE RULE r AS ON INSERT TO confiture.audit_log DO INSTEAD NOTHING;"
        "  EXCEPTION WHEN insufficient_privilege THEN NULL; END;"
        " END $$"
    )
    assert is_intact(hand.db)


@pytest.mark.parametrize("attempt", DEFINITIONS)
def test_what_is_changed_without_the_event_triggers_is_found(shared, attempt):
    statement, said = DEFINITIONS[attempt]
    shared.execute("BEGIN")
    try:
        shared.execute("DROP SCHEMA IF EXISTS own CASCADE")
        shared.execute("CREATE SCHEMA own")
        with commands_unguarded(shared):
            shared.execute(statement)
        found = shared.rows("SELECT check_code, status, detail FROM confiture.verify_ledger()")
        details = [row[2] for row in found if row[:2] == ("E10", "fail")]
        assert any(detail.startswith(said) for detail in details), found
        assert "OK" not in [row[0] for row in found]
        # And no entry is written into what it has become.
        assert shared.refused(
            {"XX001", "55000"}, "SELECT confiture.rotate_key('masking')"
        ).message_detail
    finally:
        shared.execute("ROLLBACK")
    assert is_intact(shared)


def test_a_definition_that_cannot_be_read_is_a_finding_and_no_error(shared):
    shared.execute("BEGIN")
    with commands_unguarded(shared):
        shared.execute(
            "ALTER TABLE confiture.audit_log RENAME TO old;"
            " CREATE TABLE confiture.audit_log (LIKE confiture.old)"
        )
    # The twin is empty: an empty log would be in order.
    codes = shared.column("SELECT DISTINCT check_code FROM confiture.verify_ledger()")
    shared.execute("ROLLBACK")
    assert codes == ["E10"]


def test_a_policy_gives_nobody_a_shorter_log(shared):
    auditor = shared.session(shared.auditor)
    try:
        with commands_unguarded(shared):
            shared.execute("CREATE POLICY p ON confiture.audit_log USING (seq <> 2)")
            shared.execute("ALTER TABLE confiture.audit_log ENABLE ROW LEVEL SECURITY")
        assert auditor.findings()["E10"][0] == "fail"
        auditor.refused("42501", "SELECT * FROM confiture.get_audit_log()")
    finally:
        with commands_unguarded(shared):
            shared.execute("DROP POLICY p ON confiture.audit_log")
            shared.execute("ALTER TABLE confiture.audit_log DISABLE ROW LEVEL SECURITY")
    assert is_intact(shared)


def test_a_policy_stops_the_verification_of_an_owner_it_applies_to(handed):
    handed.execute("BEGIN")
    with commands_unguarded(handed):
        handed.execute("CREATE POLICY p ON confiture.audit_log USING (seq <> 2)")
        handed.execute(
            "ALTER TABLE confiture.audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
        )
    handed.refused("42501", "SELECT * FROM confiture.verify_ledger()")
    handed.execute("ROLLBACK")
    assert is_intact(handed)


def test_a_table_of_somebody_else_is_found(shared):
    shared.execute("BEGIN")
    with commands_unguarded(shared):
        shared.execute("ALTER TABLE confiture.audit_log OWNER TO pg_monitor")
    (detail,) = shared.column("SELECT detail FROM confiture.verify_ledger() WHERE status = 'fail'")
    shared.execute("ROLLBACK")
    assert "belongs to role pg_monitor" in detail


def test_rows_changed_with_every_guard_off_are_found(shared):
    for change, code in (
        ("UPDATE confiture.audit_log SET hostname = 'x' WHERE seq = 2", "E01"),
        ("ALTER TABLE confiture.audit_log ALTER server_version TYPE integer USING 7", "E01"),
        ("DELETE FROM confiture.audit_log WHERE seq = 2", "E04"),
        ("UPDATE confiture.ledger_head SET seq = 2", "E07"),
        ("TRUNCATE confiture.audit_log", "E07"),
    ):
        shared.execute("BEGIN")
        shared.execute("CREATE SCHEMA IF NOT EXISTS own")
        with unguarded(shared):
            shared.execute(change)
        findings = shared.findings()
        shared.execute("ROLLBACK")
        assert findings[code][0] == "fail" and "E10" not in findings, change


def test_commands_that_touch_nothing_of_it_go_through(shared):
    user = shared.session(shared.role("user"))
    user.execute("CREATE TEMP TABLE t (a integer PRIMARY KEY, b text)")
    user.execute("CREATE INDEX ON t (b); ALTER TABLE t ALTER b TYPE varchar USING b || 'x'")
    user.execute("CREATE TEMP VIEW v AS SELECT * FROM t; DROP VIEW v; DROP TABLE t")
    reader = shared.role("reader")
    shared.execute(f"GRANT SELECT ON confiture.audit_log, confiture.ledger_head TO {reader}")
    shared.execute(f"REVOKE SELECT ON confiture.ledger_head FROM {reader}")
    for kind in ("auditor", "admin", "operator"):
        shared.execute(f"SELECT confiture.grant_access('{kind}', '{reader}')")
        shared.size += 1
    shared.execute("COMMENT ON TABLE confiture.audit_log IS 'x'")
    shared.execute("ALTER TABLE confiture.audit_log SET (autovacuum_vacuum_scale_factor = 0.1)")
    shared.execute("REINDEX TABLE CONCURRENTLY confiture.audit_log")
    shared.execute("VACUUM FULL confiture.audit_log")
    shared.execute("CLUSTER confiture.ledger_head USING ledger_head_pkey")
    shared.execute("ANALYZE confiture.audit_log")
    shared.execute("CREATE PUBLICATION p FOR TABLE confiture.audit_log; DROP PUBLICATION p")
    shared.execute("CREATE SCHEMA elsewhere CREATE TABLE audit_log ()")
    shared.execute("ALTER TABLE elsewhere.audit_log ADD a integer; DROP SCHEMA elsewhere CASCADE")
    assert is_intact(shared)


def test_a_ledger_in_disorder_does_not_stop_the_work_of_others(db):
    with commands_unguarded(db):
        db.execute("ALTER TABLE confiture.audit_log ADD COLUMN note text")
    other = db.session()
    other.execute("CREATE TABLE t (a integer)")
    other.execute("ALTER TABLE t ADD COLUMN b text; DROP TABLE t")
    db.execute("CREATE TABLE t (a integer); DROP TABLE t")
    assert db.findings()["E10"][0] == "fail"
    # What touches it must put it right.
    db.refused("42501", "ALTER TABLE confiture.audit_log ADD COLUMN another text")
    with commands_unguarded(db):
        db.execute("ALTER TABLE confiture.audit_log DROP COLUMN note")


def test_another_extension_changes_it_as_little(shared):
    if not shared.server.has("hstore"):
        pytest.skip("hstore is not there")
    shared.execute("CREATE EXTENSION hstore; ALTER EXTENSION hstore UPDATE; DROP EXTENSION hstore")
    assert is_intact(shared)


def test_the_definition_of_the_library_is_the_one_of_a_fresh_installation(bare):
    bare.execute("CREATE EXTENSION confiture")
    bare.execute("SET search_path = pg_catalog, pg_temp")
    source = (GUARD / "definition.rs").read_text(encoding="utf-8")
    lists = {
        name: re.findall(r'"(\w+)"', re.search(rf"const {name}: .*?= \[(.*?)\];", source, re.S)[1])
        for name in ("TABLES", "FUNCTIONS")
    }
    query = (GUARD / "catalog" / "definition.sql").read_text(encoding="utf-8")
    bare.execute(f"PREPARE definition (text, text[], text[]) AS {query}")
    arguments = ", ".join(f"ARRAY{names}" for names in lists.values())
    rows = bare.rows(f"EXECUTE definition ('confiture', {arguments})")
    text = "".join(sorted(f"{thing}: {state}\n" for thing, state in rows))
    version = bare.value("SELECT extversion FROM pg_extension WHERE extname = 'confiture'")
    file = GUARD / "definition" / f"{version}.txt"
    if os.environ.get("CONFITURE_WRITE"):
        # The library of this run still has the former one.
        file.write_text(text, encoding="utf-8")
        return
    assert text == file.read_text(encoding="utf-8")
    assert bare.findings() == {"OK": ("ok", None, None)}
