"""Gates on the size of classes: the assertion, the trigger at commit, and rows taken away."""

import threading
import time

import psycopg
import pytest

from samples import keep_all, profile

TABLE = """
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
INSERT INTO t SELECT i, chr(97 + i %% 3), i %% 2 FROM generate_series(1, 18) AS i;
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER t_k AFTER INSERT OR UPDATE OR DELETE ON {table}
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION anon_enforce_k({arguments});
"""


@pytest.fixture
def db(server):
    """A database with six classes of three rows, and a gate."""
    database = server.create_database(key=False)
    database.execute(TABLE.replace("%%", "%"))
    database.execute(TRIGGER.format(table="t", arguments="'3', 'a, b'"))
    yield database
    database.drop()


def test_an_assertion_names_both_numbers_and_no_value(db):
    assert db.value("SELECT anon_assert_k('t', '{a,b}', 3)") == 3
    report = db.refused("23514", "SELECT anon_assert_k('t', '{a,b}', 4)")
    assert report.message_primary == '"public.t" is not 4-anonymous'
    assert report.message_detail == (
        "The smallest class of equal a, b has 3 rows; 4 are asked for."
    )


CHANGES = [
    ("DELETE FROM t WHERE id = 1", False),
    ("INSERT INTO t VALUES (100, 'SECRET', 0)", False),
    ("UPDATE t SET a = 'SECRET' WHERE id = 1", False),
    ("UPDATE t SET id = -id", True),
    ("INSERT INTO t SELECT 100 + i, 'a', 0 FROM generate_series(1, 5) i", True),
    ("INSERT INTO t SELECT 100 + i, 'new', 0 FROM generate_series(1, 3) i", True),
    ("DELETE FROM t WHERE a = 'b'", True),
    ("DELETE FROM t", True),
    ("TRUNCATE t", True),
    ("INSERT INTO t VALUES (1, 'a', 0) ON CONFLICT (id) DO UPDATE SET b = 7", False),
    ("MERGE INTO t USING (VALUES (1)) v (id) ON t.id = v.id WHEN MATCHED THEN DELETE", False),
]


@pytest.mark.parametrize("change, passes", CHANGES)
def test_every_writer_is_refused_at_commit(db, change, passes):
    if "MERGE" in change and db.server.version < 15:
        pytest.skip("there is no MERGE yet")
    before = db.rows("SELECT * FROM t ORDER BY id")
    if passes:
        db.execute(change)
        return
    report = db.refused("23514", change)
    assert report.message_primary == '"public.t" is not 3-anonymous'
    assert "SECRET" not in str(report.message_detail)
    assert db.rows("SELECT * FROM t ORDER BY id") == before


def test_copy_is_a_writer_too(db):
    with pytest.raises(psycopg.errors.CheckViolation):
        with db.connection.cursor() as cursor, cursor.copy("COPY t FROM STDIN") as copy:
            copy.write("100\tz\t0\n")


def test_only_the_end_of_a_transaction_counts(db):
    with db.connection.transaction():
        db.execute("DELETE FROM t WHERE id = 1")
        db.execute("INSERT INTO t SELECT 100, a, b FROM t WHERE id = 7")
    with pytest.raises(psycopg.errors.CheckViolation), db.connection.transaction():
        db.execute("DELETE FROM t WHERE id = 100")
    with db.connection.transaction():
        db.execute("SAVEPOINT s")
        db.execute("DELETE FROM t WHERE id = 100")
        db.execute("ROLLBACK TO s")


def test_what_was_checked_before_a_rollback_is_checked_again(db):
    with pytest.raises(psycopg.errors.CheckViolation), db.connection.transaction():
        db.execute("DELETE FROM t WHERE id = 1")
        db.execute("SAVEPOINT s")
        db.execute("INSERT INTO t SELECT 100, a, b FROM t WHERE id = 7")
        db.execute("SET CONSTRAINTS ALL IMMEDIATE")
        db.execute("ROLLBACK TO s")
    assert db.value("SELECT count(*) FROM t") == 18


def test_a_table_may_go_after_it_was_checked(db):
    with db.connection.transaction():
        db.execute("SET CONSTRAINTS ALL IMMEDIATE")
        db.execute("UPDATE t SET b = b")
        db.execute("SAVEPOINT s; CREATE TABLE u (a text)")
        db.execute(TRIGGER.format(table="u", arguments="'1', 'a'"))
        db.execute("SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO u VALUES ('x')")
        db.execute("ROLLBACK TO s")
        db.execute("DROP TABLE t")
    db.execute(TABLE.replace("%%", "%"))
    db.execute(TRIGGER.format(table="t", arguments="'3', 'a, b'"))
    # A deferred trigger of somebody else undoes a part of its own work at the end.
    db.execute(
        "CREATE FUNCTION undone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " BEGIN PERFORM 1/0; EXCEPTION WHEN division_by_zero THEN NULL; END; RETURN NULL; END $$"
    )
    db.execute(
        "CREATE CONSTRAINT TRIGGER t_later AFTER DELETE ON t DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION undone()"
    )
    db.refused("23514", "DELETE FROM t WHERE id = 1")


def test_constraints_made_immediate_are_checked_at_once(db):
    with db.connection.transaction(force_rollback=True):
        db.execute("DELETE FROM t WHERE id = 1")
        db.refused("23514", "SET CONSTRAINTS ALL IMMEDIATE")
    with db.connection.transaction(), pytest.raises(psycopg.errors.CheckViolation):
        db.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with db.connection.transaction():
            db.execute("UPDATE t SET b = b")
            db.execute("INSERT INTO t SELECT 100, a, b FROM t WHERE id = 7")
            db.execute("DELETE FROM t WHERE id = 100")
            db.execute("DELETE FROM t WHERE id = 7")


def test_a_transaction_is_checked_once_and_not_row_by_row(db):
    db.execute("DROP TRIGGER t_k ON t; TRUNCATE t")
    db.execute("INSERT INTO t SELECT i, 'a', 0 FROM generate_series(1, 20000) AS i")
    db.execute(TRIGGER.format(table="t", arguments="'3', 'a, b'"))
    # A deferred foreign key takes turns with the gate, row by row.
    db.execute("CREATE TABLE parent (id integer PRIMARY KEY); INSERT INTO parent VALUES (0)")
    db.execute(
        "ALTER TABLE t ADD CONSTRAINT t_zz FOREIGN KEY (b) REFERENCES parent"
        " DEFERRABLE INITIALLY DEFERRED"
    )
    db.execute("SET max_parallel_workers_per_gather = 0")

    def scans():
        # What was counted is told once a second.
        db.execute("SELECT pg_sleep(1.2)")
        return db.value("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 't'")

    before = scans()
    db.execute("INSERT INTO t SELECT 50000 + i, 'a', 0 FROM generate_series(1, 5000) AS i")
    db.execute("UPDATE t SET a = 'b' WHERE id BETWEEN 1 AND 3000")
    # Two commits are two looks, and the UPDATE may be one.
    assert scans() - before <= 3


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_two_writers_cannot_each_take_a_row(db, level):
    db.execute("INSERT INTO t VALUES (19, 'b', 1)")
    assert db.value("SELECT count(*) FROM t WHERE (a, b) = ('b', 1)") == 4
    first, second = db.session(), db.session()
    ids = db.column("SELECT id FROM t WHERE (a, b) = ('b', 1) ORDER BY id")
    for session, number in ((first, ids[0]), (second, ids[1])):
        session.execute(f"BEGIN ISOLATION LEVEL {level}")
        session.execute("SELECT count(*) FROM t")
        session.execute("DELETE FROM t WHERE id = %s", [number])
    outcomes = []

    def commit(session):
        try:
            session.execute("COMMIT")
            outcomes.append(None)
        except psycopg.Error as error:
            outcomes.append(error.diag.sqlstate)

    threads = [threading.Thread(target=commit, args=[session]) for session in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) in (["23514", None], ["40001", None])
    assert db.value("SELECT anon_k_anonymity('t', '{a,b}')") == 3


def test_the_gate_stands_in_two_phase_commits_and_procedures(private_server):
    server = private_server("max_prepared_transactions=5")
    db = server.create_database(key=False)
    db.execute(TABLE.replace("%%", "%"))
    db.execute(TRIGGER.format(table="t", arguments="'3', 'a, b'"))
    db.execute("BEGIN")
    db.execute("DELETE FROM t WHERE id = 1")
    db.refused("23514", "PREPARE TRANSACTION 'x'")
    db.execute("ROLLBACK")
    db.execute(
        "CREATE PROCEDURE taken(number integer) LANGUAGE plpgsql AS"
        " $$ BEGIN DELETE FROM t WHERE id = number; COMMIT; END $$"
    )
    db.refused("23514", "CALL taken(1)")
    db.execute(
        "DO $$ BEGIN BEGIN DELETE FROM t WHERE id = 1; RAISE division_by_zero;"
        " EXCEPTION WHEN division_by_zero THEN NULL; END; END $$"
    )
    assert db.value("SELECT count(*) FROM t") == 18


def test_a_writer_need_not_be_a_reader(db):
    writer = db.role("writer")
    db.execute(f'GRANT INSERT ON t TO "{writer}"')
    session = db.session(user=writer)
    session.refused("23514", "INSERT INTO t VALUES (100, 'z', 1)")
    session.execute("INSERT INTO t SELECT 100 + i, 'z', 1 FROM generate_series(1, 3) AS i")
    # Policies hide rows from nobody who checks.
    owner = db.role("owner")
    db.execute(
        f'ALTER TABLE t OWNER TO "{owner}"; ALTER TABLE t ENABLE ROW LEVEL SECURITY;'
        " ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY p ON t FOR INSERT WITH CHECK (true)"
    )
    session.refused("23514", "INSERT INTO t VALUES (200, 'y', 1)")
    session.execute("INSERT INTO t VALUES (200, 'z', 1)")
    # Whoever has no EXECUTE makes no such trigger.
    db.execute("CREATE TABLE other (a text)")
    db.execute(f'ALTER TABLE other OWNER TO "{owner}"')
    db.session(user=owner).refused(
        "42501", TRIGGER.format(table="other", arguments="'3', 'a'")
    )


def test_partitions_are_checked_as_a_whole(db):
    db.execute("CREATE TABLE p (a text, b integer) PARTITION BY LIST (b)")
    db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
    db.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)")
    db.execute(
        "CREATE TRIGGER p_k AFTER INSERT OR UPDATE OR DELETE ON p FOR EACH ROW"
        " EXECUTE FUNCTION anon_enforce_k('2', 'a')"
    )
    # One in each partition: a class of two.
    db.execute("INSERT INTO p VALUES ('x', 1), ('x', 2)")
    db.refused("23514", "DELETE FROM p1")
    db.refused("23514", "INSERT INTO p2 VALUES ('y', 2)")
    db.execute("INSERT INTO p2 VALUES ('x', 2)")


def test_tables_that_are_inherited_are_refused(db):
    # Their rows are among those of the parent, and its trigger does not see who writes to them.
    db.execute("CREATE TABLE child () INHERITS (t)")
    report = db.refused("0A000", "UPDATE t SET b = b")
    assert report.message_primary == 'tables inherit from "public.t"'


def test_who_waits_for_a_prepared_transaction_sees_what_it_left(private_server):
    server = private_server("max_prepared_transactions=5")
    db = server.create_database(key=False)
    db.execute(TABLE.replace("%%", "%"))
    db.execute(TRIGGER.format(table="t", arguments="'3', 'a, b'"))
    db.execute("INSERT INTO t VALUES (19, 'b', 1)")
    ids = db.column("SELECT id FROM t WHERE (a, b) = ('b', 1) ORDER BY id")
    db.execute("BEGIN")
    db.execute("DELETE FROM t WHERE id = %s", [ids[0]])
    db.execute("PREPARE TRANSACTION 'first'")
    other = db.session()
    other.execute("SET lock_timeout = '300ms'")
    other.refused("55P03", "DELETE FROM t WHERE id = %s", [ids[1]])
    db.execute("COMMIT PREPARED 'first'")
    other.refused("23514", "DELETE FROM t WHERE id = %s", [ids[1]])
    assert db.value("SELECT anon_k_anonymity('t', '{a,b}')") == 3


def test_what_goes_past_the_trigger_is_met_by_the_next_writer(db):
    around = [
        "ALTER TABLE t DISABLE TRIGGER t_k; DELETE FROM t WHERE id = 1;"
        " ALTER TABLE t ENABLE TRIGGER t_k",
        "SET session_replication_role = replica; DELETE FROM t WHERE id = 1;"
        " RESET session_replication_role",
        "ALTER TABLE t ALTER b TYPE integer USING CASE id WHEN 1 THEN 7 ELSE b END",
    ]
    for statements in around:
        db.execute("BEGIN")
        db.execute(statements)
        db.refused("23514", "UPDATE t SET b = b WHERE id = 4; SET CONSTRAINTS ALL IMMEDIATE")
        db.execute("ROLLBACK")
        # Each has passed by itself.
        db.execute(f"BEGIN; {statements}; COMMIT")
        assert db.value("SELECT anon_k_anonymity('t', '{a,b}')") < 3
        db.execute("DROP TABLE t")
        db.execute(TABLE.replace("%%", "%"))
        db.execute(TRIGGER.format(table="t", arguments="'3', 'a, b'"))
    # A trigger that fires always is not passed by a replica.
    db.execute("ALTER TABLE t ENABLE ALWAYS TRIGGER t_k; SET session_replication_role = replica")
    db.refused("23514", "DELETE FROM t WHERE id = 1")
    db.execute("RESET session_replication_role")
    # Nor is it switched off by a transaction that has written already.
    db.execute("BEGIN; DELETE FROM t WHERE id = 1")
    db.refused("55006", "ALTER TABLE t DISABLE TRIGGER t_k")
    db.execute("ROLLBACK")
    # A column that is no more what the trigger names refuses every writer.
    db.execute("ALTER TABLE t RENAME b TO c")
    db.refused("42703", "DELETE FROM t WHERE id = 1")


def test_partitions_that_come_and_go_are_met_by_the_next_writer(db):
    db.execute("CREATE TABLE p (a text, b integer) PARTITION BY LIST (b)")
    db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
    db.execute(TRIGGER.replace("CONSTRAINT ", "").replace(
        "DEFERRABLE INITIALLY DEFERRED", "").format(table="p", arguments="'2', 'a'"))
    db.execute("INSERT INTO p VALUES ('x', 1), ('x', 1)")
    db.execute("CREATE TABLE p2 (a text, b integer); INSERT INTO p2 VALUES ('y', 2)")
    db.execute("ALTER TABLE p ATTACH PARTITION p2 FOR VALUES IN (2)")
    db.refused("23514", "INSERT INTO p1 VALUES ('x', 1)")
    db.execute("ALTER TABLE p DETACH PARTITION p2")
    db.execute("INSERT INTO p1 VALUES ('x', 1)")


def test_a_subscriber_is_held_too_where_the_trigger_fires_always(private_server):
    server = private_server("wal_level=logical", "max_worker_processes=16")
    source, target = (server.create_database(key=False) for _ in range(2))
    for db in (source, target):
        db.execute(TABLE.replace("%%", "%"))
    target.execute(TRIGGER.format(table="t", arguments="'3', 'a, b'"))
    target.execute("ALTER TABLE t ENABLE ALWAYS TRIGGER t_k")
    settings = server.environment
    source.execute("CREATE PUBLICATION p FOR TABLE t")
    source.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
    target.execute(
        f"CREATE SUBSCRIPTION s CONNECTION 'host={settings['PGHOST']} port={settings['PGPORT']}"
        f" user=postgres dbname={source.name}' PUBLICATION p"
        " WITH (create_slot = false, copy_data = false, slot_name = 's')"
    )

    def waits_for(question):
        for _ in range(100):
            if target.value(question):
                return True
            time.sleep(0.1)
        return False

    source.execute("UPDATE t SET b = 1 - b")
    # Every class has its three rows again.
    assert waits_for("SELECT b = 0 FROM t WHERE id = 1")
    source.execute("DELETE FROM t WHERE id = 1")
    target.value("SELECT pg_sleep(1)")
    assert target.value("SELECT anon_k_anonymity('t', '{a,b}')") == 3
    assert target.value("SELECT count(*) FROM t") == 18
    target.execute("ALTER SUBSCRIPTION s DISABLE")
    assert '"public.t" is not 3-anonymous' in server.log()
    target.execute("ALTER SUBSCRIPTION s SET (slot_name = NONE); DROP SUBSCRIPTION s")


def test_wrong_triggers_say_so(db):
    for sqlstate, arguments in [
        ("22023", ""),
        ("22023", "'3'"),
        ("22023", "'many', 'a'"),
        ("22023", "'0', 'a'"),
        ("22023", "'3', 'a b'"),
        ("42703", "'3', 'nobody'"),
        ("22023", "'3', 'a, a'"),
    ]:
        db.execute("DROP TABLE IF EXISTS w; CREATE TABLE w (a text)")
        db.execute(TRIGGER.format(table="w", arguments=arguments))
        db.refused(sqlstate, "INSERT INTO w VALUES ('SECRET')")
    db.execute("DROP TABLE w; CREATE TABLE w (a text)")
    db.execute(
        "CREATE TRIGGER w_k BEFORE INSERT ON w FOR EACH ROW"
        " EXECUTE FUNCTION anon_enforce_k('3', 'a')"
    )
    db.refused("42P17", "INSERT INTO w VALUES ('SECRET')")


def test_rows_of_small_classes_are_taken_away(db):
    db.execute("DROP TRIGGER t_k ON t")
    db.execute("INSERT INTO t VALUES (100, 'z', 0), (101, NULL, 0), (102, NULL, 0)")
    suppress = "SELECT * FROM anon_suppress_below_k('t', '{a,b}', 3"
    assert db.rows(f"{suppress})") == [(3, 3)]
    assert db.value("SELECT count(*) FROM t") == 21
    with db.connection.transaction():
        db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        db.refused("25000", f"{suppress}, dry_run => false)")
        db.execute("ROLLBACK")
    assert db.rows(f"{suppress}, dry_run => false)") == [(3, 3)]
    assert db.column("SELECT id FROM t ORDER BY id") == list(range(1, 19))
    assert db.rows(f"{suppress}, dry_run => false)") == [(0, 3)]
    assert db.rows("SELECT * FROM anon_suppress_below_k('t', '{a,b}', 4, false)") == [(18, None)]


def test_rows_that_cannot_be_taken_away_are_not_shown(db):
    db.execute("DROP TRIGGER t_k ON t; INSERT INTO t VALUES (4711, 'SECRET', 0)")
    db.execute("CREATE TABLE child (id integer REFERENCES t); INSERT INTO child VALUES (4711)")
    report = db.refused(
        "23503", "SELECT * FROM anon_suppress_below_k('t', '{a,b}', 3, dry_run => false)"
    )
    shown = str((report.message_primary, report.message_detail, report.message_hint))
    assert "4711" not in shown and "SECRET" not in shown and "child_id_fkey" in shown
    reader = db.role("reader")
    db.execute(f"SELECT confiture.grant_access('masker', '{reader}')")
    db.execute(f'GRANT SELECT ON t TO "{reader}"')
    session = db.session(user=reader)
    assert session.rows("SELECT * FROM anon_suppress_below_k('t', '{a,b}', 3)") == [(1, 3)]
    session.refused(
        "42501", "SELECT * FROM anon_suppress_below_k('t', '{a,b}', 3, dry_run => false)"
    )


def test_partitions_lose_the_rows_of_small_classes_only(db):
    db.execute("CREATE TABLE p (id integer, a text) PARTITION BY RANGE (id)")
    db.execute("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10)")
    db.execute("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)")
    # Rows of both partitions lie at the same places.
    db.execute("INSERT INTO p VALUES (1, 'x'), (2, 'y'), (11, 'x'), (12, 'x')")
    assert db.rows("SELECT * FROM anon_suppress_below_k('p', '{a}', 2, false)") == [(1, 3)]
    assert db.column("SELECT id FROM p ORDER BY id") == [1, 11, 12]


GATED = """
CREATE SCHEMA prod; CREATE SCHEMA staging;
CREATE TABLE prod.people (id integer PRIMARY KEY, age integer, zip text);
INSERT INTO prod.people SELECT i, 20 + i % 20, '9021' || i % 2 FROM generate_series(1, 40) AS i;
"""
TENS = {"tens": {"type": "generalize", "config": {"step": 10}}}


def gated(version, k, columns, rules):
    """A profile with a gate."""
    gate = {"table": "people", "quasi_identifiers": columns, "k": k}
    return profile({"people": rules}, version=version, strategies=TENS, gates=[gate])


def test_a_run_is_held_to_the_gates_of_its_profile(server):
    db = server.create_database()
    db.execute(GATED)
    columns = ["age", "zip"]
    db.load(gated("1", 5, columns, keep_all()))
    report = db.sync_refused("23000")
    assert '"found":2' in report.message_detail and '"k":5' in report.message_detail
    assert "9021" not in report.message_detail
    assert "anon_suggest_generalization" in report.message_hint
    assert db.value("SELECT to_regclass('staging.people')") is None
    db.load(gated("2", 5, columns, {"age": "tens"}))
    db.sync()
    assert db.value("SELECT anon_k_anonymity('staging.people', %s)", [columns]) == 10
    check = "classes of equal quasi-identifiers are large enough"
    rows = db.rows(
        "SELECT passed, column_name FROM confiture.verification WHERE check_name = %s"
        " ORDER BY passed", [check],
    )
    assert rows == [(False, "age, zip"), (True, "age, zip")]
    # Before a row is read.
    db.load(gated("3", 5, ["age", "nobody"], {"age": "tens"}))
    assert "gate" in db.plan_refused("42703").message_primary
    db.drop()
