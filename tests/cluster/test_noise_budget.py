"""Noise in the rows of a copy, charged to the budget that the profile names."""

import pytest

from samples import keep_all, profile

SOURCE = """
CREATE SCHEMA prod; CREATE SCHEMA staging;
CREATE TABLE prod.people (id integer PRIMARY KEY, age integer, answer text, tags integer[]);
CREATE TABLE prod.orders (id integer PRIMARY KEY, person integer, amount integer);
INSERT INTO prod.people SELECT i, 20 + i, 'yes', ARRAY[i] FROM generate_series(1, 40) AS i;
INSERT INTO prod.orders SELECT i, nullif(i % 10, 0), i FROM generate_series(1, 40) AS i;
"""
STRATEGIES = {
    "half": {"type": "dp_noise", "config": {"epsilon": 0.5, "sensitivity": 10}},
    "choice": {"type": "dp_choice", "config": {"epsilon": 1, "domain": ["yes", "no"]}},
    "tenth": {
        "type": "dp_noise_sticky", "config": {"epsilon": 0.1, "sensitivity": 1},
    },
}
PEOPLE = {"age": "half", "answer": "choice"}
ORDERS = {"amount": "tenth"}
PRIVACY = {"budget": "staging", "rows_per_unit": 1, "tables": {"orders": {"rows_per_unit": 5}}}
# ε of two columns, and five times that of one.
COST = 2


def noisy(version="1", privacy=PRIVACY, people=PEOPLE, orders=ORDERS):
    """The profile."""
    orders = [{"column": name, "strategy": of, "row_key": "id"} for name, of in orders.items()]
    more = {} if privacy is None else {"privacy": privacy}
    rules = {"people": {**people}, "orders": {"rules": orders, **keep_all()}}
    return profile(rules, version=version, strategies=STRATEGIES, **more)


@pytest.fixture(name="shop")
def _shop(db):
    db.execute(SOURCE)
    db.execute("SELECT anon_dp_budget_create('staging', 10)")
    db.execute("SELECT anon_dp_budget_grant('staging', session_user::text)")
    return db


def spent(db):
    return db.value("SELECT epsilon_spent FROM anon_dp_budget_status('staging')")


def test_a_run_is_charged_for_its_noise(shop):
    shop.load(noisy())
    shop.notices.clear()
    shop.plan()
    said = "noise of 3 columns will charge epsilon 2 to privacy budget \"staging\", which has 10 left"
    assert said in str(shop.notices)
    assert spent(shop) == 0
    shop.sync()
    assert spent(shop) == COST
    ((about, how, amount),) = shop.rows(
        "SELECT about, reason, amount FROM confiture.journal WHERE event = 'CHARGED'"
    )
    run, noise = shop.rows(
        "SELECT run_id::text, details -> 'noise' FROM confiture.audit_log"
        " WHERE event = 'COMPLETED'"
    )[0]
    assert (about, amount) == ("confiture.sync", 2_000_000)
    assert how == f"local: 3 noisy columns in 2 tables, run {run}, profile small version 1"
    assert noise == {"budget": "staging", "epsilon": "2"}
    assert shop.value(
        "SELECT count(*) FROM prod.people p JOIN staging.people s USING (id) WHERE p.age <> s.age"
    ) > 20
    shop.sync()
    assert spent(shop) == 2 * COST


def test_a_run_does_not_start_beyond_the_budget(shop):
    shop.load(noisy(privacy={"budget": "staging", "rows_per_unit": 7}))
    events = shop.all_events()
    for refused in (shop.plan_refused, shop.sync_refused):
        report = refused("53400")
        assert report.message_primary == 'privacy budget "staging" is exhausted'
        assert report.message_detail == (
            "11.2 was asked for, 10 is left. Nothing was charged."
        )
    assert shop.all_events() == events and spent(shop) == 0
    assert shop.content("staging") == {}
    shop.load(noisy("2", privacy={"budget": "nobody", "rows_per_unit": 1}))
    shop.plan_refused("42704")


def test_who_may_not_charge_the_budget_cannot_run(shop):
    shop.load(noisy())
    runner = shop.role("runner")
    shop.execute(f"SELECT confiture.grant_access('operator', '{runner}')")
    shop.execute(
        f'GRANT USAGE ON SCHEMA prod, staging TO "{runner}"; GRANT CREATE ON SCHEMA staging TO'
        f' "{runner}"; GRANT SELECT ON ALL TABLES IN SCHEMA prod TO "{runner}"'
    )
    session = shop.session(user=runner)
    session.sync_refused("42501")
    shop.execute(f"SELECT anon_dp_budget_grant('staging', '{runner}', 3)")
    session.sync()
    # Its share does not cover a second one.
    report = session.sync_refused("53400")
    assert "share of role" in report.message_primary
    assert spent(shop) == COST


def test_a_run_that_fails_has_spent_its_noise(shop):
    shop.load(noisy())
    shop.execute(
        "CREATE TABLE staging.people (LIKE prod.people); CREATE FUNCTION no() RETURNS trigger"
        " LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END';"
        "CREATE TRIGGER no BEFORE INSERT ON staging.people EXECUTE FUNCTION no()"
    )
    shop.sync_refused("P0001", options='{"triggers": "fire", "adopt": true}')
    assert spent(shop) == COST
    shop.execute("DROP TABLE staging.people; BEGIN")
    shop.sync(options='{"in_transaction": true}')
    shop.execute("ROLLBACK")
    assert spent(shop) == 2 * COST


def test_a_run_in_place_is_charged(shop):
    shop.load(noisy())
    shop.sync()
    shop.execute("ALTER SCHEMA staging RENAME TO copy")
    shop.execute("SET confiture.allow_in_place = on")
    shop.execute("CALL confiture.mask_in_place('small', 'copy')")
    assert spent(shop) == 2 * COST
    assert "confiture.mask_in_place" in shop.column("SELECT about FROM confiture.journal")


def test_rows_of_a_unit_are_counted_where_a_column_names_it(shop):
    def units(most, column="person"):
        return {"budget": "staging", "rows_per_unit": 1,
                "tables": {"orders": {"rows_per_unit": most, "unit": column}}}

    # Four orders of each of nine persons, and four of nobody.
    shop.load(noisy("1", privacy=units(3)))
    shop.plan()
    report = shop.sync_refused("23514")
    assert report.message_primary == (
        'a unit of table "prod.orders" has more rows than the profile says'
    )
    assert spent(shop) == 0 and shop.events()[-1] == "FAILED"
    shop.load(noisy("2", privacy=units(4)))
    shop.sync()
    assert str(spent(shop)) == "1.9"
    shop.execute("UPDATE prod.orders SET person = NULL")
    shop.sync()
    shop.load(noisy("3", privacy=units(4, "nobody")))
    shop.plan_refused("42703")


def test_a_table_under_privacy_is_one_of_the_run(shop):
    elsewhere = {"budget": "staging", "rows_per_unit": 1,
                 "tables": {"other.orders": {"rows_per_unit": 5, "unit": "person"}}}
    shop.load(noisy(privacy=elsewhere))
    report = shop.plan_refused("42P01")
    assert report.message_primary == 'table "other.orders" under "privacy" is none of the run'


def test_noise_that_cannot_be_counted_is_refused(shop):
    shop.load(noisy(people={"tags": "half"}))
    report = shop.plan_refused("0A000")
    assert report.message_primary == (
        'noise in column "people.tags" cannot be charged to a budget'
    )
    shop.load(noisy("2", people={"tags": "half"}, privacy=None))
    shop.plan()


def test_views_of_a_charged_profile_have_no_noise(shop):
    shop.load(noisy())
    shop.execute("CREATE SCHEMA shown")
    once = '{"materialized": true}'
    make = "SELECT * FROM confiture.create_masked_views('small', 'prod', 'shown', %s)"
    assert "is not charged in a view" in shop.refused("0A000", make, [once]).message_primary
    shop.load(noisy("2", privacy=None))
    shop.execute(make, [once])


def test_noise_without_a_budget_is_a_warning(shop):
    shop.load(noisy(privacy=None))
    columns = shop.column(
        "SELECT table_name || '.' || column_name FROM"
        " confiture.plan_warnings('small', 'prod', 'staging') WHERE id = 'noise_not_charged'"
    )
    assert sorted(columns) == ["orders.amount", "people.age", "people.answer"]
    shop.load(noisy("2"))
    assert not shop.value(
        "SELECT count(*) FROM confiture.plan_warnings('small', 'prod', 'staging')"
        " WHERE id = 'noise_not_charged'"
    )
