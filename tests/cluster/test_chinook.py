"""Real input: the Chinook music shop, with accents, NULL phones and a tree of employees."""

import os
from pathlib import Path

import pytest

from server import ROOT, Database

FILE = Path(os.environ.get("CONFITURE_CHINOOK") or ROOT.parent / "shared/data/chinook/chinook.sql")

pytestmark = pytest.mark.skipif(not FILE.is_file(), reason=f"the sample database is not at {FILE}")

MASKED = {
    "customer": [
        "first_name",
        "last_name",
        "company",
        "address",
        "city",
        "state",
        "postal_code",
        "phone",
        "fax",
        "email",
    ],
    "employee": [
        "first_name",
        "last_name",
        "birth_date",
        "hire_date",
        "address",
        "city",
        "state",
        "postal_code",
        "phone",
        "fax",
        "email",
    ],
    "invoice": ["billing_address", "billing_city", "billing_state", "billing_postal_code"],
}
COLUMNS = [(table, column) for table, columns in MASKED.items() for column in columns]


@pytest.fixture(scope="module")
def chinook(server):
    """The database as its file makes it, synced twice into schema staging."""
    # The file drops and creates its database and connects to it, hence psql.
    server.psql("postgres", "-f", FILE)
    database = Database(server, "chinook")
    if server.version < 15:
        database.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    database.execute("CREATE EXTENSION confiture")
    database.make_key()
    database.load((ROOT / "examples/chinook/profile.yaml").read_text(encoding="utf-8"))
    for _ in range(2):
        database.sync("chinook", source="public", target="staging")
    yield database
    database.drop()


def tables(db):
    """The tables of the source."""
    return db.column(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind = 'r' ORDER BY 1"
    )


def foreign_keys(db, schema):
    """(table, column, parent, its column) of every foreign key."""
    return db.rows(
        """
        SELECT c.relname, a.attname, p.relname, b.attname FROM pg_constraint f
          JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1]
          JOIN pg_attribute b ON b.attrelid = p.oid AND b.attnum = f.confkey[1]
         WHERE f.contype = 'f' AND f.connamespace = %s::regnamespace AND f.convalidated
         ORDER BY 1, 2""",
        [schema],
    )


def test_every_table_arrives_with_every_row(chinook):
    assert len(tables(chinook)) == 11
    for table in tables(chinook):
        assert (
            chinook.value(f"SELECT count(*) FROM staging.{table}")
            == chinook.value(f"SELECT count(*) FROM public.{table}")
            > 0
        )


def test_every_foreign_key_is_there_and_joins_as_many_rows(chinook):
    keys = foreign_keys(chinook, "public")
    assert len(keys) == 11 and foreign_keys(chinook, "staging") == keys
    for child, column, parent, key in keys:
        ask = f"SELECT count(*) FROM {{0}}.{child} c JOIN {{0}}.{parent} p ON p.{key} = c.{column}"
        assert chinook.value(ask.format("staging")) == chinook.value(ask.format("public"))


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_no_original_survives(chinook, table, column):
    survivors = chinook.rows(
        f"SELECT lower({column}::text) FROM public.{table} WHERE {column} IS NOT NULL"
        f" INTERSECT SELECT lower({column}::text) FROM staging.{table}"
    )
    assert survivors == []


def test_no_original_survives_in_any_other_column_either(chinook):
    # A whole text column of staging, searched for the addresses and numbers of production.
    originals = chinook.column(
        "SELECT email FROM public.customer UNION SELECT email FROM public.employee"
        " UNION SELECT phone FROM public.customer WHERE phone IS NOT NULL"
        " UNION SELECT fax FROM public.customer WHERE fax IS NOT NULL"
        " UNION SELECT address FROM public.customer"
    )
    dump = chinook.server.run("pg_dump", "-n", "staging", database="chinook").stdout
    assert [value for value in originals if value in dump] == []


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_null_stays_null_and_nothing_becomes_null(chinook, table, column):
    key = f"{table}_id"
    assert (
        chinook.value(
            f"SELECT count(*) FROM public.{table} p JOIN staging.{table} s USING ({key})"
            f" WHERE (p.{column} IS NULL) <> (s.{column} IS NULL)"
        )
        == 0
    )


def test_some_phones_are_null_and_some_names_have_accents(chinook):
    # What this sample is good for; without it the tests above would prove less.
    assert chinook.value("SELECT count(*) FROM public.customer WHERE phone IS NULL") > 0
    assert chinook.value("SELECT count(*) FROM public.customer WHERE first_name ~ '[^ -~]'") > 0


def test_the_tree_of_employees_stands(chinook):
    ask = (
        "WITH RECURSIVE t AS (SELECT employee_id, 0 AS depth FROM {0}.employee"
        " WHERE reports_to IS NULL UNION ALL SELECT e.employee_id, depth + 1"
        " FROM {0}.employee e JOIN t ON e.reports_to = t.employee_id)"
        " SELECT employee_id, depth FROM t ORDER BY 1"
    )
    assert chinook.rows(ask.format("staging")) == chinook.rows(ask.format("public"))


def test_phones_keep_their_notation_and_country(chinook):
    shapes = chinook.rows(
        r"SELECT regexp_replace(p.phone, '\d', '9', 'g'), regexp_replace(s.phone, '\d', '9', 'g'),"
        " left(p.phone, 2), left(s.phone, 2) FROM public.customer p"
        " JOIN staging.customer s USING (customer_id) WHERE p.phone IS NOT NULL"
    )
    assert all(row[0] == row[1] and row[2] == row[3] for row in shapes)


def test_equal_values_stay_equal_across_tables(chinook):
    ask = (
        "SELECT count(*) FROM {0}.invoice i JOIN {0}.customer c ON c.address = i.billing_address"
        " AND c.city = i.billing_city"
    )
    assert chinook.value(ask.format("staging")) == chinook.value(ask.format("public")) > 0


def test_the_entry_counts_the_rows_of_every_table(chinook):
    counted = chinook.value("SELECT rows_anonymized FROM confiture.get_audit_log(1)")
    by_name = {name.split(".")[-1]: count for name, count in counted.items()}
    for table in tables(chinook):
        assert by_name[table] == chinook.value(f"SELECT count(*) FROM public.{table}")
    assert chinook.value("SELECT verification_passed FROM confiture.get_audit_log(1)")
    assert chinook.findings()["OK"][0] == "ok"


def test_the_plan_decides_on_every_column(chinook):
    plan = chinook.plan("chinook", source="public")
    columns = chinook.rows(
        "SELECT c.relname, attname FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0"
    )
    assert set(plan) == set(columns)
    masked = {key for key, row in plan.items() if row["decision"] == "masked"}
    assert masked == set(COLUMNS)
    assert all(plan[key]["strategy"] for key in masked)
