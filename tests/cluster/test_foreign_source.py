"""A source of foreign tables: production is another database, seen through postgres_fdw."""

import pytest

from samples import make_people, profile, small
from test_escalation import HeldLoad


@pytest.fixture(scope="module", autouse=True)
def postgres_fdw(server):
    """These tests need the wrapper that comes with PostgreSQL."""
    if not server.has("postgres_fdw"):
        pytest.skip("this PostgreSQL comes without postgres_fdw")


@pytest.fixture
def remote(bare):
    """The production database: a server without the extension is enough."""
    make_people(bare)
    bare.execute(
        "CREATE TABLE prod.orders (id integer PRIMARY KEY, person integer REFERENCES prod.people,"
        " email varchar(80), total numeric(10,2) DEFAULT 0)"
    )
    bare.execute(
        "INSERT INTO prod.orders VALUES (10, 1, 'ann.lee@mail.example', 9.90), (11, 3, NULL, 1)"
    )
    return bare


@pytest.fixture
def linked(db, remote):
    """The database of staging, in which the tables of production are foreign ones."""
    environment = db.server.environment
    db.execute("CREATE EXTENSION postgres_fdw")
    db.execute(
        f"CREATE SERVER production FOREIGN DATA WRAPPER postgres_fdw OPTIONS"
        f" (host '{environment['PGHOST']}', port '{environment['PGPORT']}', dbname '{remote.name}')"
    )
    db.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER production OPTIONS (user 'postgres')")
    db.execute("CREATE SCHEMA prod")
    db.execute(
        "IMPORT FOREIGN SCHEMA prod FROM SERVER production INTO prod"
        " OPTIONS (import_default 'true')"
    )
    return db


BOTH = profile({"people": {"email": "mail"}, "orders": {"email": "mail"}})


def test_foreign_tables_arrive_masked_in_ordinary_ones(linked, remote):
    linked.load(BOTH)
    linked.sync()
    kinds = linked.column(
        "SELECT relkind::text FROM pg_class WHERE relnamespace = 'staging'::regnamespace"
        " AND relname IN ('people', 'orders')"
    )
    assert kinds == ["r", "r"]
    originals = remote.column("SELECT email FROM prod.people")
    masked = linked.column("SELECT email FROM staging.people")
    assert len(masked) == 3 and not set(originals) & set(masked)
    assert linked.rows("SELECT id, person, total FROM staging.orders ORDER BY id") == remote.rows(
        "SELECT id, person, total FROM prod.orders ORDER BY id"
    )
    assert (
        linked.value("SELECT count(*) FROM staging.orders JOIN staging.people USING (email)") == 1
    )


def test_nothing_of_production_is_changed_or_locked(linked, remote):
    before = remote.content("prod")
    linked.load(BOTH)
    linked.sync()
    linked.sync()
    assert remote.content("prod") == before
    remote.execute("SET lock_timeout = '2s'")
    remote.execute("ALTER TABLE prod.people ADD extra text")


def test_new_rows_of_production_arrive_with_the_next_run(linked, remote):
    linked.load(BOTH)
    linked.sync()
    remote.execute("INSERT INTO prod.people VALUES (4, 'new@mail.example', NULL)")
    linked.sync()
    assert linked.value("SELECT count(*) FROM staging.people") == 4
    assert (
        linked.value("SELECT rows_anonymized::text FROM confiture.get_audit_log(1)").count("4") >= 1
    )


def test_a_filter_works_on_a_foreign_table(linked):
    body = {
        "rules": [{"column": "email", "strategy": "mail"}],
        "preserve": [{"column": "*", "why": "test"}],
        "where": [["id", ">", 1]],
    }
    linked.load(profile({"people": body}))
    linked.sync()
    assert linked.column("SELECT id FROM staging.people ORDER BY id") == [2, 3]


def test_production_out_of_reach_is_an_error_that_changes_nothing(linked):
    linked.load(small())
    linked.sync()
    before = linked.content("staging")
    linked.execute("ALTER SERVER production OPTIONS (SET dbname 'absent')")
    session = linked.session()
    session.sync_refused({"08001", "HV00N"})
    assert linked.content("staging") == before
    assert linked.events()[-1] in ("FAILED", "COMPLETED")


def test_a_column_that_production_no_longer_has_is_an_error_that_changes_nothing(linked, remote):
    linked.load(small())
    linked.sync()
    before = linked.content("staging")
    remote.execute("ALTER TABLE prod.people DROP COLUMN note")
    linked.sync_refused({"42703"})
    assert linked.content("staging") == before
    assert linked.events()[-1] == "FAILED"


def test_a_missing_user_mapping_is_an_error_that_changes_nothing(linked):
    linked.load(small())
    linked.execute("DROP USER MAPPING FOR CURRENT_USER SERVER production")
    linked.session().sync_refused({"42704", "08001", "HV00N"})
    assert linked.content("staging") == {}


def test_a_foreign_table_cannot_be_changed_while_another_one_loads(linked):
    linked.load(BOTH)
    linked.sync()
    held = HeldLoad(linked)
    # With two names swapped, an original would go into a column that is not masked.
    owner = linked.session()
    owner.execute("SET lock_timeout = '200ms'")
    owner.refused("55P03", "ALTER FOREIGN TABLE prod.orders RENAME email TO other")
    assert held.let_go() is None
