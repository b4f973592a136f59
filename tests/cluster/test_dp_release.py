"""Releases: answers about a table for who may not read it."""

import json
import math
from decimal import Decimal

import pytest

COLUMNS = {
    "age": {"lower": 0, "upper": 120},
    "amount": {"lower": 0, "upper": 400},
    "weight": {"lower": 0, "upper": 100},
    "sex": {"keys": ["F", "M"]},
    "city": {"keys": None},
}


@pytest.fixture(name="asking")
def _asking(db):
    """A data set of orders, and an analyst who may read none of it."""
    db.execute("""
        CREATE SCHEMA app;
        CREATE TABLE app.orders AS
        SELECT i % 600 AS customer, (i % 600) % 100 AS age, ((i * 7) % 97)::numeric(8, 2) AS amount,
               (i % 90)::float8 AS weight, CASE WHEN i % 600 % 3 = 0 THEN 'F' ELSE 'M' END AS sex,
               CASE WHEN i % 600 = 7 THEN 'Lonely' WHEN i % 2 = 0 THEN 'Big' ELSE 'Other' END AS city
          FROM generate_series(1, 6000) i""")
    db.execute("SELECT anon_dp_budget_create('research', 1000000, 0.5)")
    register(db)
    analyst = db.role("analyst")
    db.execute("SELECT confiture.grant_access('analyst', %s)", [analyst])
    db.execute("SELECT anon_dp_budget_grant('research', %s)", [analyst])
    db.execute(f"ALTER ROLE {analyst} SET confiture.dp_max_epsilon = 1000")
    session = db.session(analyst)
    session.admin, session.role = db, analyst
    return session


def register(db, columns=None, name="orders", table="app.orders", unit="customer"):
    db.execute("SELECT anon_dp_register(%s, %s, %s, 'research', %s)",
               [name, table, unit, json.dumps(columns or COLUMNS)])


def ask(session, measures, epsilon=900, **more):
    """{(keys..., measure): row}"""
    named = "".join(f", {name} => %({name})s" for name in more)
    given = {name: json.dumps(v) if name == "filter" else v for name, v in more.items()}
    rows = session.rows(
        "SELECT keys, measure, value, ci95_low, ci95_high, epsilon_charged FROM"
        f" anon_dp_release('orders', %(measures)s, %(epsilon)s{named})",
        {"measures": json.dumps(measures), "epsilon": epsilon, **given})
    return {(*keys.values(), measure): tuple(rest) for keys, measure, *rest in rows}


def spent(session, name="research"):
    return session.admin.value("SELECT epsilon_spent FROM anon_dp_budget_status(%s)", [name])


MEASURES = [{"count": "*"}, {"rows": 4}, {"sum": "amount"}, {"avg": "weight"},
            {"quantile": "age", "q": 0.5}]


def test_an_analyst_is_answered_who_may_not_read(asking):
    asking.refused("42501", "SELECT count(*) FROM app.orders")
    found = ask(asking, MEASURES)
    truth = asking.admin.rows("""
        SELECT count(*), sum(least(n, 4)), sum(least(a, 400)), avg(w),
               percentile_cont(0.5) WITHIN GROUP (ORDER BY age)
          FROM (SELECT count(*) n, sum(amount) a, avg(weight) w, min(age) age FROM app.orders
                 GROUP BY customer) t""")[0]
    names = ["count", "rows", "sum(amount)", "avg(weight)", "quantile(age, 0.5)"]
    for name, true, off in zip(names, truth, (0, 0, 30, 0.2, 1), strict=True):
        value, low, high, charged = found[(name,)]
        assert abs(float(value) - float(true)) <= off, name
        assert charged == 180
        if low is not None:
            assert low <= value <= high
    assert spent(asking) == 900


def test_groups_are_those_that_are_public(asking):
    found = ask(asking, [{"count": "*"}], group_by=["sex"])
    assert {key[:1] for key in found} == {("F",), ("M",)}
    assert found[("F", "count")][0] == 200 and found[("M", "count")][0] == 400
    # A group without rows is answered too.
    found = ask(asking, [{"count": "*"}], group_by=["sex"], filter=[["age", ">", 5000]])
    assert [row[0] for row in found.values()] == [0, 0]
    register(asking.admin, {**COLUMNS, "sex": {"keys": ["F", "M", "X'; --"]}}, name="more")
    rows = asking.rows("SELECT keys ->> 'sex', value FROM anon_dp_release('more',"
                       " '[{\"count\": \"*\"}]', 900, '{sex}')")
    assert dict(rows) == {"F": 200, "M": 400, "X'; --": 0}


def test_rows_are_chosen_by_comparisons_that_cannot_fail(asking):
    count = [{"count": "*"}]
    for condition, true in (
        (["age", ">=", 90], 60), (["age", "<", 10], 60), (["age", "=", 7], 6),
        (["age", "<>", 7], 594), (["age", "in", [1, 2]], 12), (["sex", "=", "F"], 200),
        (["weight", "<=", -1], 0),
    ):
        assert ask(asking, count, filter=[condition])[("count",)][0] == true, condition
    both = [["age", ">=", 50], ["sex", "in", ["M"]]]
    true = asking.admin.value("SELECT count(DISTINCT customer) FROM app.orders"
                              " WHERE age >= 50 AND sex = 'M'")
    assert ask(asking, count, filter=both)[("count",)][0] == true
    before = spent(asking)
    for sqlstate, bad in (
        ("0A000", ["amount", ">", 3]), ("42703", ["customer", "=", 1]), ("42703", ["ctid", "=", "x"]),
        ("22023", ["age", "~", "1"]), ("22023", "age > 3"), ("22P02", ["age", "=", "x"]),
        ("22023", ["age", "= 1 OR", 1]),
    ):
        asking.refused(sqlstate, "SELECT * FROM anon_dp_release('orders', '[{\"count\": \"*\"}]', 1,"
                       " filter => %s)", [json.dumps([bad])])
    assert spent(asking) == before


def test_a_unit_counts_in_so_many_groups(asking):
    # Everybody is in two cities but one.
    asking.admin.execute("UPDATE app.orders SET sex = CASE WHEN ctid::text < '(20' THEN 'F' ELSE 'M' END")
    found = ask(asking, [{"count": "*"}], group_by=["sex"])
    both = sum(row[0] for row in found.values())
    assert both == 600
    found = ask(asking, [{"count": "*"}], group_by=["sex"], max_groups=2)
    assert sum(row[0] for row in found.values()) > 600


def test_keys_that_are_not_public_need_many_units(asking):
    asking.refused("22023", "SELECT * FROM anon_dp_release('orders', '[{\"count\": \"*\"}]', 1, '{city}')")
    found = ask(asking, [{"count": "*"}], 10, group_by=["city"], delta=Decimal("0.000001"), max_groups=2)
    assert {key[0] for key in found} == {"Big", "Other"}
    assert asking.admin.value("SELECT delta_spent FROM anon_dp_budget_status('research')") == Decimal(
        "0.000001")
    asking.refused("22023", "SELECT * FROM anon_dp_release('orders', '[{\"count\": \"*\"}]', 1,"
                   " '{sex}', delta => 0.1)")


def test_values_that_are_none_or_far_make_no_error(asking):
    asking.admin.execute("""
        ALTER TABLE app.orders ALTER COLUMN amount TYPE numeric;
        INSERT INTO app.orders (customer, age, amount, weight, sex) VALUES
          (1, 2147483647, 'NaN', 'NaN', 'F'), (2, -2147483648, 'Infinity', 'Infinity', 'F'),
          (3, NULL, '-Infinity', '-Infinity', NULL), (4, 1, 1e1000, 1e300, 'F'),
          (5, 1, 1e-1000, 5e-324, 'F'), (NULL, 1, 1, 1, 'F'), (6, 1, NULL, NULL, 'F')""")
    found = ask(asking, MEASURES)
    assert abs(found[("count",)][0] - 600) <= 1
    assert 0 <= found[("avg(weight)",)][0] <= 100
    assert abs(found[("sum(amount)",)][0] - 600 * 400) < 30_000


def test_a_dry_run_costs_nothing_and_reads_nothing(asking):
    asking.admin.execute("BEGIN; LOCK app.orders")
    try:
        asking.execute("SET lock_timeout = '1s'")
        found = ask(asking, MEASURES, 1, dry_run=True)
    finally:
        asking.admin.execute("ROLLBACK")
    assert found[("count",)][0] is None
    low, high, charged = found[("count",)][1:]
    assert -low == high > 5 and charged == Decimal("0.2")
    assert spent(asking) == 0


def test_intervals_hold_the_truth_as_often_as_they_say(asking):
    inside = 0
    for _ in range(300):
        _, low, high, _ = ask(asking, [{"count": "*"}], 1)[("count",)]
        inside += low <= 600 <= high
    # 285 are expected; below 265 by chance is less likely than 1e-6.
    assert inside >= 265


def test_it_is_charged_first_and_stays_charged(asking):
    asking.admin.execute("SELECT anon_dp_budget_create('small', 1);"
                         f"SELECT anon_dp_budget_grant('small', '{asking.role}')")
    asking.admin.execute("SELECT anon_dp_register('few', 'app.orders', 'customer', 'small',"
                         " '{\"age\": {\"lower\": 0, \"upper\": 120}}', second_budget => true)")
    count = "SELECT anon_dp_release_count('few', %s)"
    asking.execute("BEGIN")
    asking.value(count, [0.4])
    asking.execute("ROLLBACK")
    assert spent(asking, "small") == Decimal("0.4")
    asking.refused("53400", count, [0.7])
    asking.refused("25006", "BEGIN READ ONLY; " + count.replace("%s", "0.1"))
    asking.execute("ROLLBACK")
    assert asking.admin.rows("SELECT event, about, domain, user_name FROM confiture.journal"
                             " WHERE domain = 'small' ORDER BY number LIMIT 1") == [
        ("CHARGED", "few", "small", asking.role)]


def test_short_forms_have_names_of_their_own(asking):
    assert asking.value("SELECT anon_dp_release_count('orders', 900)") == 600
    total = asking.value("SELECT anon_dp_release_sum('orders', 'amount', 900)")
    assert abs(total - ask(asking, [{"sum": "amount"}])[("sum(amount)",)][0]) < 20
    mean = asking.value("SELECT anon_dp_release_avg('orders', 'age', 900)")
    assert abs(mean - 49.5) < 1
    median = asking.value("SELECT anon_dp_release_quantile('orders', 'age', 0.5, 900)")
    assert abs(median - 50) <= 2
    women = "[[\"sex\", \"=\", \"F\"]]"
    assert asking.value("SELECT anon_dp_release_count('orders', 900, %s)", [women]) == 200


def test_registering_is_for_the_owner_and_on_the_ledger(asking):
    clerk = asking.admin.role("clerk")
    asking.admin.execute("SELECT confiture.grant_access('admin', %s)", [clerk])
    asking.admin.execute(f"GRANT USAGE ON SCHEMA app TO {clerk}; GRANT SELECT ON app.orders TO {clerk}")
    session = asking.admin.session(clerk)
    session.refused("42501", "SELECT anon_dp_register('mine', 'app.orders', 'customer', 'research', '{}')"
                    .replace("{}", '{"age": {"lower": 0, "upper": 1}}'))
    session.refused("42501", "SELECT anon_dp_unregister('orders')")
    asking.admin.execute(f"ALTER TABLE app.orders OWNER TO {clerk}")
    # The table is read with the rights of its owner, who is another one now.
    asking.refused("55000", "SELECT anon_dp_release_count('orders', 1)")
    asking.admin.execute("SELECT anon_dp_unregister('orders')")
    register(session)
    assert asking.value("SELECT anon_dp_release_count('orders', 900)") == 600
    events = asking.admin.column("SELECT event FROM confiture.audit_log WHERE event LIKE 'DATASET%'"
                                 " ORDER BY seq")
    assert events == ["DATASET_REGISTERED", "DATASET_UNREGISTERED", "DATASET_REGISTERED"]


@pytest.mark.parametrize(("sqlstate", "columns"), [
    ("22023", {}), ("22023", {"age": {}}), ("22023", {"age": {"lower": 5, "upper": 1}}),
    ("22023", {"age": {"lower": 0, "upper": 0}}), ("22023", {"age": {"lower": 0.5, "upper": 1}}),
    ("42703", {"nothing": {"keys": None}}), ("0A000", {"sex": {"lower": 0, "upper": 1}}),
    ("0A000", {"amount": {"keys": [1]}}), ("22P02", {"age": {"keys": ["x"]}}),
])
def test_a_registration_is_checked(asking, sqlstate, columns):
    asking.admin.refused(sqlstate, "SELECT anon_dp_register('other', 'app.orders', 'customer',"
                         " 'research', %s)", [json.dumps(columns)])


def test_what_cannot_be_a_data_set_is_refused(asking):
    db = asking.admin
    db.execute("CREATE VIEW app.shown AS SELECT * FROM app.orders;"
               "CREATE TABLE app.parent (customer integer, age integer);"
               "CREATE TABLE app.child () INHERITS (app.parent);"
               # A value that does not come through would be in an error.
               "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER far FOREIGN DATA WRAPPER none;"
               "CREATE TABLE app.parts (customer integer, age integer) PARTITION BY LIST (age);"
               "CREATE FOREIGN TABLE app.part PARTITION OF app.parts FOR VALUES IN (1) SERVER far")
    register_it = ("SELECT anon_dp_register('other', %s, %s, %s,"
                   " '{\"age\": {\"lower\": 0, \"upper\": 1}}')")
    for table in ("app.shown", "app.parent", "app.parts", "app.part"):
        db.refused("0A000", register_it, [table, "customer", "research"])
    db.refused("42703", register_it, ["app.orders", "nobody", "research"])
    db.refused("42704", register_it, ["app.orders", "customer", "nothing"])
    db.refused("42710", register_it.replace("other", "orders"), ["app.orders", "customer", "research"])


def test_code_in_the_path_or_the_table_of_others_takes_no_part(asking):
    db = asking.admin
    db.execute("""
        CREATE TABLE public.seen (who text);
        CREATE FUNCTION public.gt(integer, integer) RETURNS boolean LANGUAGE plpgsql AS
          $$ BEGIN INSERT INTO seen VALUES (current_user); RETURN true; END $$;
        CREATE OPERATOR public.>= (FUNCTION = public.gt, LEFTARG = integer, RIGHTARG = integer)
    """)
    asking.execute("SET search_path = public, pg_catalog")
    ask(asking, [{"count": "*"}], filter=[["age", ">=", 3]])
    assert db.value("SELECT count(*) FROM seen") == 0


def test_settings_of_the_analyst_show_no_plan_and_no_count(asking):
    asking.execute("SET client_min_messages = debug5; SET debug_print_plan = on;"
                   " SET debug_print_rewritten = on; SET trace_sort = on; SET work_mem = '64kB'")
    asking.notices.clear()
    ask(asking, [{"count": "*"}, {"sum": "amount"}], group_by=["sex"], filter=[["age", ">=", 3]])
    said = str(asking.notices)
    assert "PLANNEDSTMT" in said, "the plan of the call itself is shown"
    # Columns of the table stand in a plan that reads it.
    assert "weight" not in said and "tuple sort" not in said


def test_row_security_that_would_hide_rows_is_an_error(asking):
    db = asking.admin
    owner = db.role("owner")
    db.execute(f"ALTER TABLE app.orders OWNER TO {owner}; GRANT USAGE ON SCHEMA app TO {owner};"
               "SELECT anon_dp_unregister('orders')")
    register(db)
    db.execute("ALTER TABLE app.orders ENABLE ROW LEVEL SECURITY")
    assert ask(asking, [{"count": "*"}])[("count",)][0] == 600
    db.execute("ALTER TABLE app.orders FORCE ROW LEVEL SECURITY")
    asking.refused("42501", "SELECT anon_dp_release_count('orders', 1)")


def test_noise_grows_with_groups_and_shrinks_with_epsilon(asking):
    def width(**more):
        found = ask(asking, [{"sum": "amount"}], more.pop("epsilon", 1), dry_run=True, **more)
        return float(found[("sum(amount)",)][2])

    one = width()
    assert width(epsilon=2) == pytest.approx(one / 2, rel=0.01)
    assert width(group_by=["sex"], max_groups=2) == pytest.approx(one * 2, rel=0.01)
    # No more groups than there are.
    assert width(group_by=["sex"], max_groups=9) == pytest.approx(one * 2, rel=0.01)
    assert one == pytest.approx(400 * -math.log(0.05), rel=0.01)


def test_a_data_set_goes_through_a_dump(asking, bare, tmp_path):
    db = asking.admin
    path = tmp_path / "dump.sql"
    path.write_text(db.server.run("pg_dump", database=db.name).stdout, encoding="utf-8")
    bare.psql("-v", "ON_ERROR_STOP=1", "-f", path)
    bare.execute("SELECT anon_dp_budget_grant('research', session_user::text)")
    bare.execute("SET confiture.dp_max_epsilon = 1000")
    assert bare.value("SELECT anon_dp_release_count('orders', 900)") == 600
