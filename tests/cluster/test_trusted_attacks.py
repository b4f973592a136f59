"""A table that is something else by the time that it is read: nothing of its owner runs as its reader.

What the reader meets is a view whose conditions call code while they are planned, a table of a type that
the server converts by a function of the owner in line, or a foreign table that leads back here.
"""

import psycopg
import pytest

from test_compliance import load
from trusted_plants import (
    IN_RANGES,
    make_owner,
    make_synced,
    plant,
    swap,
    verify_a_fleet,
    was_called,
    while_waiting,
)

OF_RUN = "FROM confiture.audit_log l{} WHERE l.event = 'COMPLETED'"
TARGET = [
    "SELECT confiture.verify_lineage_data(l.run_id, 'people', 'email') " + OF_RUN.format(""),
    "SELECT v.* " + OF_RUN.format(", confiture.verify_lineage_rows(l.run_id, 'people', 'email') v"),
    "SELECT confiture.verify_lineage_row(l.run_id, 'people', 'email', ARRAY['1'], 'x') "
    + OF_RUN.format(""),
    "SELECT * FROM confiture.residue_check('staging')",
    "SELECT anon_k_anonymity('staging.people', '{id}')",
    "SELECT anon_l_diversity('staging.people', '{id}', 'email')",
    "SELECT anon_privacy_report('staging.people', '{note}', '{email}')",
]
SOURCE = [
    "SELECT * FROM confiture.preview('small', 'prod', 'people', 1)",
    "SELECT * FROM confiture.detect('prod')",
    "SELECT confiture.suggest_profile('prod')",
    "SELECT * FROM confiture.plan('small', 'prod', 'fresh')",
]
# That it is somebody else's, or no more what it was.
REFUSED = ("42501", "42P01", "42703", "42804", "42809", "0A000")
WHAT = [("range", "integer"), ("cast", "integer"), ("cast", "theirs.t"), ("foreign", "integer")]


@pytest.fixture(name="owner")
def _owner(db):
    """The owner of schemas and tables that a superuser reads."""
    make_synced(db, rows=True)
    return make_owner(db)


def prepared(db, owner, what, id_type):
    plant(db, owner, what, id_type)
    # So that there is a sample to be looked for.
    owner.execute("INSERT INTO staging.people SELECT i, 'same@mail.example', 'n' FROM generate_series(10, 99) i;"
                  "ANALYZE staging.people; ANALYZE prod.people")
    owner.connection.commit()


@pytest.mark.parametrize("what", ["range", "cast", "foreign"])
def test_the_plant_is_alive(db, owner, what):
    plant(db, owner, what)
    swap(owner, what, "prod.people")
    owner.connection.commit()
    # The table of ranges is asked for by a condition with a constant.
    assert db.rows("SELECT email::text FROM prod.people") and was_called(db)


@pytest.mark.parametrize("ask", TARGET + SOURCE)
@pytest.mark.parametrize("what, id_type", WHAT)
def test_who_waits_runs_nothing_of_the_owner(db, owner, what, id_type, ask):
    prepared(db, owner, what, id_type)
    table = "prod.people" if "'prod'" in ask else "staging.people"
    try:
        error = while_waiting(db, owner, table, lambda: swap(owner, what, table), ask)
    except AssertionError:
        pytest.skip("it waits for no lock")
    assert error is None or error.sqlstate in REFUSED, error
    assert not was_called(db)


@pytest.mark.parametrize("ask", TARGET + SOURCE)
@pytest.mark.parametrize("what, id_type", WHAT)
def test_an_old_snapshot_runs_nothing_of_the_owner(db, owner, what, id_type, ask):
    prepared(db, owner, what, id_type)
    table = "prod.people" if "'prod'" in ask else "staging.people"
    with db.session().connection.transaction() as transaction:
        connection = transaction.connection
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT 1")
        swap(owner, what, table)
        owner.connection.commit()
        try:
            connection.execute(ask)
        except psycopg.Error as error:
            assert error.sqlstate in REFUSED, error
    assert not was_called(db)


@pytest.mark.parametrize("what", ["range", "foreign"])
def test_overdue_rows_are_counted_by_nobody_else(db, owner, what):
    plant(db, owner, what)
    owner.execute("CREATE TABLE theirs.visits (at date, n int); INSERT INTO theirs.visits VALUES ('2020-01-01', 1);"
                  "ANALYZE theirs.visits")
    owner.connection.commit()
    load(db, "retention_rules:\n  old: {category: a, max: 1 year, table: theirs.visits, column: at}\n")
    ask = "SELECT rule, overdue, problem FROM confiture.retention_overdue()"
    assert db.rows(ask) == [("old", 1, None)]

    def change():
        owner.execute("ALTER TABLE theirs.visits RENAME TO visits_was")
        owner.execute({
            "range": f"CREATE VIEW theirs.visits AS SELECT at, n FROM theirs.visits_was WHERE {IN_RANGES}",
            "foreign": "ALTER FOREIGN TABLE theirs.foreign_trap RENAME TO visits",
        }[what])

    assert while_waiting(db, owner, "theirs.visits", change, ask) is None
    [(_, overdue, problem)] = db.rows(ask)
    assert overdue is None and problem
    assert not was_called(db)


@pytest.mark.parametrize("what", ["range", "foreign"])
def test_a_ledger_of_a_fleet_is_read_with_no_code_of_its_owner(db, owner, what):
    plant(db, owner, what)
    # The schema is his, so that he may drop the table of the superuser.
    db.execute("CREATE TABLE theirs.ledger (n bigint, line text)")
    owner.execute("DROP TABLE theirs.ledger")
    owner.execute({
        "range": f"CREATE VIEW theirs.ledger AS SELECT 1::bigint AS n, 'x'::text AS line WHERE {IN_RANGES}",
        "foreign": "CREATE VIEW theirs.lines AS SELECT 1::bigint AS n, theirs.ev('x') AS line;"
                   "CREATE FOREIGN TABLE theirs.ledger (n bigint, line text) SERVER loop"
                   " OPTIONS (schema_name 'theirs', table_name 'lines')",
    }[what])
    verify_a_fleet(db, owner)
    assert not was_called(db)


def test_a_foreign_table_of_somebody_else_is_refused_in_the_plan(db, owner):
    plant(db, owner, "foreign")
    swap(owner, "foreign", "prod.people")
    owner.connection.commit()
    for ask in (SOURCE[0], SOURCE[3], "CALL confiture.sync('small', 'prod', 'fresh')"):
        error = db.refused("42501", ask)
        assert "foreign table" in error.message_primary or "foreign server" in error.message_primary
    assert not was_called(db)


def test_a_foreign_table_of_a_superuser_is_read(db, owner):
    plant(db, owner, "foreign")
    swap(owner, "foreign", "prod.people")
    owner.connection.commit()
    db.execute("ALTER SERVER loop OWNER TO CURRENT_USER; ALTER FOREIGN TABLE prod.people OWNER TO CURRENT_USER;"
               "ALTER VIEW theirs.rows OWNER TO CURRENT_USER")
    db.execute("CREATE OR REPLACE VIEW theirs.rows AS SELECT i AS id, 'a@b.example' AS email, 'n'::text AS note,"
               " '2020-01-01'::date AS at FROM generate_series(1, 30) i")
    assert db.value("SELECT anon_k_anonymity('prod.people', '{note}')") == 30
    assert not was_called(db)


@pytest.mark.parametrize("kind", ["operator", "auditor"])
def test_a_weaker_reader_hands_nothing_to_the_owner(db, owner, kind):
    """What he may read would leave through a sequence, though everything is rolled back."""
    officer = db.role("officer")
    db.execute("SELECT confiture.grant_access(%s, %s)", [kind, officer])
    owner.execute(f"""
        GRANT USAGE ON SCHEMA prod, theirs TO {officer}; GRANT SELECT ON ALL TABLES IN SCHEMA prod TO {officer};
        GRANT ALL ON SEQUENCE theirs.called TO PUBLIC;
        CREATE FUNCTION theirs.diff(a float8, b float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
        BEGIN IF current_user = '{officer}' THEN PERFORM nextval('theirs.called'); END IF; RETURN a - b; END $$;
        CREATE TYPE theirs.r AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = theirs.diff);
        CREATE TABLE theirs.ranges AS SELECT theirs.r(i, i + 3) AS r FROM generate_series(1, 500) i;
        ANALYZE theirs.ranges; ALTER FUNCTION theirs.diff VOLATILE; GRANT SELECT ON theirs.ranges TO PUBLIC""")
    owner.connection.commit()
    session = db.session(officer, autocommit=False)
    session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    session.execute("SELECT 1")
    swap(owner, "range", "prod.people")
    owner.execute(f"GRANT SELECT ON prod.people TO {officer}")
    owner.connection.commit()
    try:
        session.rows("SELECT * FROM confiture.detect('prod')")
    except psycopg.Error as error:
        assert error.sqlstate == "42501", error
    assert not was_called(db)
