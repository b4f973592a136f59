"""A table that is a view by the time that it is read: what it computes has no rights of its reader's.

The views call functions of the server alone, which every owner may, and which do harm in stronger hands;
here a sequence tells whether one was called.
"""

import psycopg
import pytest

from samples import make_small
from test_compliance import load
from test_concurrency import Background, wait_until
from trusted_plants import make_owner, verify_a_fleet, was_called

CALLED = "nextval('theirs.called')"


@pytest.fixture(name="owner")
def _owner(db):
    """The owner of schemas and tables that a superuser reads: (role, a session of his)."""
    make_small(db)
    db.sync()
    return make_owner(db)


def view(session, table, columns):
    """In the place of a table a view that computes its columns."""
    schema, name = table.split(".")
    session.execute(f"ALTER TABLE {table} RENAME TO {name}_was")
    session.execute(f"CREATE VIEW {schema}.{name} AS SELECT {columns}")


def while_waiting(db, session, table, columns, ask):
    """Asks, waits for the owner of the table, and finds a view; the error."""
    session.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    asking = db.session()
    asked = Background(lambda: asking.rows(*ask))
    wait_until(lambda: db.value("SELECT cardinality(pg_blocking_pids(%s)) > 0", [asking.pid()]))
    view(session, table, columns)
    session.connection.commit()
    return asked.result()


PEOPLE = f"id, email || left({CALLED}::text, 0) AS email, note FROM {{}}.people_was"


def test_the_view_is_alive(db, owner):
    view(owner, "prod.people", PEOPLE.format("prod"))
    owner.connection.commit()
    assert db.rows("SELECT email FROM prod.people") and was_called(db)


def test_a_report_that_waits_reads_no_view(db, owner):
    owner.execute("CREATE TABLE theirs.visits (at date); INSERT INTO theirs.visits VALUES ('2020-01-01')")
    owner.connection.commit()
    load(db, "retention_rules:\n  old: {category: a, max: 1 year, table: theirs.visits, column: at}\n")
    ask = "SELECT rule, overdue, problem FROM confiture.retention_overdue()"
    assert db.rows(ask) == [("old", 1, None)]
    assert not while_waiting(db, owner, "theirs.visits", f"at + 0 * {CALLED}::int AS at FROM theirs.visits_was", [ask])
    [(_, overdue, problem)] = db.rows(ask)
    assert overdue is None and problem
    assert not was_called(db)


@pytest.mark.parametrize("ask", [
    "SELECT confiture.verify_lineage_data(run_id, 'people', 'email')"
    " FROM confiture.audit_log WHERE event = 'COMPLETED'",
    "SELECT * FROM confiture.residue_check('staging')",
])
def test_what_looks_at_a_target_reads_no_view(db, owner, ask):
    # So that there is a sample to be looked for.
    owner.execute("INSERT INTO staging.people SELECT i, 'same@mail.example', 'n' FROM generate_series(10, 99) i;"
                  "ANALYZE staging.people")
    owner.connection.commit()
    error = while_waiting(db, owner, "staging.people", PEOPLE.format("staging"), [ask])
    assert error is None or error.sqlstate in ("42501", "42P01"), error
    assert not was_called(db)


@pytest.mark.parametrize("ask", [
    "SELECT * FROM confiture.preview('small', 'prod', 'people', 1)",
    "SELECT * FROM confiture.detect('prod')",
    "SELECT confiture.suggest_profile('prod')",
])
def test_what_an_old_snapshot_takes_for_a_table_is_not_read(db, owner, ask):
    with db.session().connection.transaction() as transaction:
        connection = transaction.connection
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT 1")
        view(owner, "prod.people", PEOPLE.format("prod"))
        owner.connection.commit()
        try:
            connection.execute(ask)
        except psycopg.Error as error:
            assert error.sqlstate == "42501", error
    assert not was_called(db)


def test_a_ledger_of_a_fleet_is_read_from_no_view(db, owner):
    db.execute("CREATE TABLE theirs.ledger (n bigint, line text)")
    owner.execute("DROP TABLE theirs.ledger")
    owner.execute(f"CREATE VIEW theirs.ledger AS SELECT 1::bigint AS n, left({CALLED}::text, 0) AS line")
    verify_a_fleet(db, owner)
    assert not was_called(db)


def test_views_of_the_caller_and_of_superusers_are_read(db, owner):
    db.sync(target="copied")
    db.execute("CREATE VIEW copied.own AS SELECT count(*) AS n FROM prod.people")
    # Its rows are asked for by a trigger of the target, of the superuser who runs.
    db.execute("""
        CREATE FUNCTION public.counted() RETURNS trigger LANGUAGE plpgsql AS
          $$ BEGIN PERFORM n FROM copied.own; RETURN new; END $$;
        CREATE TRIGGER counted BEFORE INSERT ON copied.people FOR EACH ROW EXECUTE FUNCTION public.counted()
    """)
    db.sync(target="copied", options='{"triggers": "fire"}')
    # And what it asks of somebody else's is an error.
    db.execute(f"ALTER VIEW copied.own OWNER TO {owner.value('SELECT session_user')}")
    owner.connection.commit()
    report = db.sync_refused("42501", target="copied", options='{"triggers": "fire"}')
    assert 'while loading table "copied.people"' in report.message_primary
