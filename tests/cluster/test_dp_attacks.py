"""Attacks on releases by an analyst who may execute them and read nothing: to learn of a row, to learn
an exact count, or to be answered for nothing."""

import json

import psycopg
import pytest

# Fixtures are found by their names.
from test_dp_release import MEASURES, _asking, ask, register, spent  # noqa: F401  pylint: disable=unused-import

COUNT = [{"count": "*"}]


def count(session, condition, epsilon=900):
    return ask(session, COUNT, epsilon, filter=[condition])[("count",)][0]


# What rows could decide.


def test_a_value_that_is_missing_is_no_value(asking):
    # With so much epsilon the sums are exact but for a step or so.
    asking.admin.execute("""
        UPDATE app.orders SET amount = NULL, weight = NULL WHERE customer % 2 = 0;
        UPDATE app.orders SET amount = 10, weight = 10 WHERE customer % 2 = 1""")
    found = ask(asking, [{"sum": "amount"}, {"sum": "weight"}, {"avg": "amount"}, {"avg": "weight"},
                         {"quantile": "weight", "q": 0.5}], 1000)
    for measure, true in (("sum(amount)", 300 * 100), ("sum(weight)", 300 * 100),
                          ("avg(amount)", 10), ("avg(weight)", 10), ("quantile(weight, 0.5)", 10)):
        assert abs(float(found[(measure,)][0]) - true) <= max(0.1, true * 2e-4), measure


def test_sums_are_those_of_the_units_in_every_type(asking):
    db = asking.admin
    db.execute("""
        CREATE TABLE app.mixed AS
        SELECT i % 50 AS who, (i % 7 - 3)::smallint AS small, i % 90 - 40 AS int,
               (i % 1000 - 500)::bigint * 10000000000 AS big, (i % 90 - 40) / 8.0::float8 AS double,
               ((i % 90 - 40) / 8.0)::real AS single, ((i % 901 - 400) / 8.0)::numeric AS exact
          FROM generate_series(1, 3000) AS i""")
    bounds = {"small": (-9, 9), "int": (-30, 60), "big": (-20_000_000_000_000, 9_000_000_000_000),
              "double": (-5.5, 7), "single": (-5.5, 7), "exact": (-25.5, 70)}
    register(db, {name: {"lower": low, "upper": high} for name, (low, high) in bounds.items()},
             name="mixed", table="app.mixed", unit="who")
    for name, (low, high) in bounds.items():
        total, mean = db.rows(
            f"SELECT sum(least(greatest(s, {low}), {high})), avg(least(greatest(m, {low}), {high}))"
            f" FROM (SELECT sum({name})::numeric AS s, avg({name})::numeric AS m FROM app.mixed"
            " GROUP BY who) AS t")[0]
        told = dict(asking.rows(
            "SELECT measure, value FROM anon_dp_release('mixed', %s, 1000)",
            [json.dumps([{"sum": name}, {"avg": name}])]))
        width = high - low
        assert abs(told[f"sum({name})"] - total) <= width / 10, name
        assert abs(told[f"avg({name})"] - mean) <= max(width / 50, 1), name


def test_bounds_that_are_one_make_no_error_that_rows_decide(asking):
    register(asking.admin, {"age": {"lower": 5, "upper": 5}}, name="flat")
    before = spent(asking)
    for measure in ({"quantile": "age", "q": 0.5}, {"avg": "age"}):
        asking.refused("22023", "SELECT * FROM anon_dp_release('flat', %s, 1)", [json.dumps([measure])])
    assert spent(asking) == before
    assert abs(asking.value("SELECT anon_dp_release_sum('flat', 'age', 900)") - 3000) < 20


def test_a_key_stands_once_however_it_is_written(asking):
    # Each would be answered, for the price of one.
    db = asking.admin
    db.execute("ALTER TABLE app.orders ADD born date")
    for column, keys in (("sex", ["F", "M", "F"]), ("age", [1, "1"]), ("age", ["1", " 01 "]),
                         ("born", ["2024-01-02", "20240102"])):
        db.refused("22023", "SELECT anon_dp_register('twice', 'app.orders', 'customer', 'research', %s)",
                   [json.dumps({column: {"keys": keys}})])
    # 0 and -0 are equal and written differently.
    db.refused("0A000", "SELECT anon_dp_register('twice', 'app.orders', 'customer', 'research', %s)",
               [json.dumps({"weight": {"keys": [0]}})])


def test_no_row_decides_how_a_key_is_spelled(asking):
    db = asking.admin
    try:
        db.execute("CREATE COLLATION app.loose"
                   " (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
    except psycopg.errors.FeatureNotSupported:
        pytest.skip("this PostgreSQL comes without ICU")
    db.execute("""
        CREATE TABLE app.spelled (who integer, city text COLLATE app.loose);
        INSERT INTO app.spelled SELECT i, CASE WHEN i = 1 THEN 'bonn' ELSE 'Bonn' END
          FROM generate_series(1, 40) AS i""")
    register(db, {"city": {"keys": ["BONN", "Bonn"]}}, name="spelled", table="app.spelled", unit="who")
    found = dict(asking.rows("SELECT keys ->> 'city', value FROM"
                             " anon_dp_release('spelled', '[{\"count\": \"*\"}]', 900, '{city}')"))
    assert found == {"BONN": 0, "Bonn": 39}
    register(db, {"city": {"keys": None}}, name="any", table="app.spelled", unit="who")
    found = asking.column("SELECT keys ->> 'city' FROM anon_dp_release('any', '[{\"count\": \"*\"}]',"
                          " 20, '{city}', delta => 0.000001)")
    assert found == ["Bonn"]


def test_filters_take_every_text_for_a_text(asking):
    db = asking.admin
    db.execute("UPDATE app.orders SET city = 'it''s \\ \"odd\" $1 %s' WHERE customer = 3")
    before = spent(asking)
    texts = ["'", "''", "\\", "\\'", "\\' OR true --", "'; DROP TABLE app.orders; --", "$1", "%s", "é\u0301",
             "\u202e", "x" * 100_000, "\n", "'::integer", "E'\\x41'", "{}", "NULL"]
    for conforming in ("on", "off"):
        asking.execute(f"SET standard_conforming_strings = {conforming}; SET backslash_quote = on")
        for text in texts:
            assert count(asking, ["city", "=", text], 20) < 10, text
            assert count(asking, ["city", "in", [text, text]], 20) < 10, text
        assert count(asking, ["city", "=", "it's \\ \"odd\" $1 %s"]) == 1
    assert spent(asking) - before == 2 * (len(texts) * 40 + 900)
    # jsonb has no such text.
    asking.refused("22P05", "SELECT anon_dp_release_count('orders', 1, %s)",
                   ['[["city", "=", "\\u0000"]]'])


@pytest.mark.parametrize(("sqlstate", "arguments"), [
    ("22023", "'[{\"count\": \"*\"}]', 'NaN'"), ("22023", "'[{\"count\": \"*\"}]', 'Infinity'"),
    ("22023", "'[{\"count\": \"*\"}]', 0"), ("22023", "'[{\"count\": \"*\"}]', -1"),
    ("22023", "'[{\"count\": \"*\"}]', 5e-324"), ("22023", "'[{\"count\": \"*\"}]', 1e308"),
    ("22023", "'[{\"rows\": 4294967296}]', 1"), ("22023", "'[{\"rows\": -1}]', 1"),
    ("22023", "'[{\"rows\": 4294967295}]', 1, '{sex}', max_groups => 2147483647, delta => 0.1"),
    ("22023", "'[{\"quantile\": \"age\", \"q\": 1e308}]', 1"),
    ("22023", "'[{\"count\": \"*\"}]', 1, max_groups => 0"),
    ("22023", "'[{\"count\": \"*\"}]', 1, max_groups => -2147483648"),
    ("22023", "'[{\"count\": \"*\"}]', 1, '{city}', delta => 'NaN'"),
    ("22023", "'[{\"count\": \"*\"}]', 1, '{city}', delta => -1"),
    ("22023", "'[{\"count\": \"*\"}]', 1, '{city}', delta => 'Infinity'"),
    ("22023", "'[{\"count\": \"*\"}]', 1, '{city}', delta => 5e-324"),
    ("53400", "'[{\"count\": \"*\"}]', 1, '{city}', delta => 0.9"),
    ("22023", "'[{\"count\": \"*\"}]', 1, '{city,city}', delta => 0.1"),
    ("22023", "'[{\"count\": \"*\"}]', 1, ARRAY['sex', NULL]"),
    ("22023", "'[{\"count\": \"*\"}, {\"avg\": \"age\"}]', 0.000002"),
])
def test_errors_are_the_same_for_no_rows_and_for_many(asking, sqlstate, arguments):
    before = spent(asking)
    call = f"SELECT * FROM anon_dp_release('orders', {arguments})"
    first = asking.refused(sqlstate, call)
    asking.admin.execute("DELETE FROM app.orders")
    second = asking.refused(sqlstate, call)
    assert first.message_primary == second.message_primary
    assert spent(asking) == before


@pytest.mark.parametrize("bounds", [
    (0, 1e308), (-1e308, 1e308), (0, 5e-324), (0, 1e-300), (-5e-324, 5e-324), (0, 2**63), (0, 2**64),
])
def test_bounds_beyond_all_reason_make_no_error_that_rows_decide(asking, bounds):
    db = asking.admin
    db.execute("""
        UPDATE app.orders SET weight = CASE customer % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity'
          WHEN 2 THEN '-Infinity' WHEN 3 THEN 1.7e308 ELSE 5e-324 END::float8;
        ALTER TABLE app.orders ALTER amount TYPE numeric USING CASE customer % 5 WHEN 0 THEN 'NaN'
          WHEN 1 THEN 'Infinity' WHEN 2 THEN '-Infinity' WHEN 3 THEN 1e131000
          ELSE 1e-16383 END::numeric;
        CREATE TABLE app.empty (LIKE app.orders)""")
    for column in ("weight", "amount"):
        outcomes = []
        for at, table in enumerate(("app.orders", "app.empty")):
            name = f"far {column} {at}"
            try:
                register(db, {column: {"lower": bounds[0], "upper": bounds[1]}}, name=name, table=table)
            except psycopg.Error as error:
                outcomes.append(error.diag.sqlstate)
                continue
            asking.rows("SELECT * FROM anon_dp_release(%s, %s, 3)", [name, json.dumps(
                [{"sum": column}, {"avg": column}, {"quantile": column, "q": 0.9}])])
            outcomes.append("ok")
        assert outcomes in (["ok"] * 2, ["22023"] * 2)


def test_a_dry_run_says_the_same_whatever_the_rows_are(asking):
    before = ask(asking, MEASURES, 1, dry_run=True)
    asking.admin.execute("DELETE FROM app.orders WHERE customer > 3")
    assert ask(asking, MEASURES, 1, dry_run=True) == before
    asking.admin.execute("DELETE FROM app.orders")
    assert ask(asking, MEASURES, 1, dry_run=True) == before


# What the server counts.


def test_no_index_counts_what_a_filter_chose(asking):
    db = asking.admin
    db.execute("CREATE INDEX by_age ON app.orders (age)")
    db.execute("VACUUM ANALYZE app.orders")
    flush = "SELECT pg_stat_force_next_flush()" if db.server.version >= 15 else "SELECT pg_sleep(1)"
    counters = ("SELECT idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_all_indexes"
                " WHERE indexrelname = 'by_age'")

    def read(session):
        session.execute(flush)
        return asking.rows(counters)[0]

    asking.execute("SET enable_seqscan = off; SET random_page_cost = 0")
    before = read(asking)
    for age in (7, 8, 9):
        ask(asking, MEASURES, 20, filter=[["age", "=", age]])
    assert read(asking) == before
    # The control: the index is there for whoever may read, and counts.
    db.execute("SET enable_seqscan = off; SELECT count(*) FROM app.orders WHERE age = 7")
    assert read(db) != before


def test_no_plan_counts_buffers_or_temporary_files(asking):
    asking.admin.execute("INSERT INTO app.orders (customer, age) SELECT i, 33 FROM"
                         " generate_series(1000, 60000) AS i")
    asking.execute("SET work_mem = '64kB'; SET hash_mem_multiplier = 1")

    def used(session, statement):
        plan = session.value(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}")[0]["Plan"]
        return plan["Temp Read Blocks"] + plan["Temp Written Blocks"], plan["Shared Hit Blocks"]

    release = "SELECT * FROM anon_dp_release('orders', '[{\"count\": \"*\"}]', 20, filter => '%s')"
    used(asking, release % '[["age", "=", 33]]')
    many = used(asking, release % '[["age", "=", 33]]')
    few = used(asking, release % '[["age", "=", 34]]')
    assert many[0] == few[0] == 0
    # Less than the pages of the table: what is left are those of the catalogs and the journal.
    pages = asking.admin.value("SELECT pg_relation_size('app.orders') / 8192")
    assert many[1] < pages and few[1] < pages
    asking.admin.execute("SET work_mem = '64kB'; SET hash_mem_multiplier = 1")
    assert used(asking.admin, "SELECT count(*) FROM (SELECT FROM app.orders GROUP BY customer) AS t"
                " ")[0] > 0, "the control"


def test_the_libraries_that_watch_statements_tell_nothing(private_server):
    server = private_server(
        "shared_preload_libraries=pg_stat_statements,auto_explain", "pg_stat_statements.track=all",
        "auto_explain.log_min_duration=0", "auto_explain.log_nested_statements=on",
        "auto_explain.log_analyze=on", "auto_explain.log_level=warning", "compute_query_id=on")
    db = server.create_database()
    db.execute("CREATE EXTENSION pg_stat_statements; CREATE SCHEMA app;"
               " CREATE TABLE app.orders AS SELECT i AS customer, CASE i WHEN 1 THEN 'Lonely' ELSE 'city ' || i % 7"
               " END AS city FROM generate_series(1, 700) AS i;"
               " SELECT anon_dp_budget_create('research', 1000, 0.5)")
    register(db, {"city": {"keys": None}})
    analyst = db.role("analyst")
    db.execute(f"SELECT confiture.grant_access('analyst', '{analyst}');"
               f" SELECT anon_dp_budget_grant('research', '{analyst}');"
               " SELECT pg_stat_statements_reset()")
    session = db.session(analyst)
    session.execute("SET client_min_messages = debug1")
    session.notices.clear()
    ask(session, COUNT, 5, group_by=["city"], delta="0.000001")
    assert "Function Scan" in str(session.notices), "the call itself is explained"
    assert "Seq Scan on orders" not in str(session.notices)
    # Who may not see the text of a statement sees how many rows it had.
    assert session.value("SELECT count(*) FROM pg_stat_statements WHERE rows IN (8, 700)") == 0
    assert db.value("SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%app%orders%'"
                    " AND query NOT LIKE '%pg_stat%'") == 0
    db.rows("SELECT city FROM app.orders GROUP BY city")
    assert session.value("SELECT count(*) FROM pg_stat_statements WHERE rows = 8") == 1, "the control"
    # It is put back.
    assert db.value("SHOW pg_stat_statements.track") == "all"


# To be answered for nothing.


def test_what_was_charged_stays_charged_when_the_answer_is_canceled(asking):
    db = asking.admin
    db.execute("BEGIN; LOCK app.orders")
    asking.execute("SET statement_timeout = '300ms'")
    asking.refused("57014", "SELECT anon_dp_release_count('orders', 2)")
    asking.execute("SET statement_timeout = 0; SET lock_timeout = '300ms'")
    asking.refused("55P03", "SELECT anon_dp_release_count('orders', 3)")
    db.execute("ROLLBACK")
    assert spent(asking) == 5


def test_each_time_it_is_drawn_it_is_charged(asking):
    def asked(sql):
        before = spent(asking)
        rows = asking.rows(sql)
        return rows, spent(asking) - before

    call = "anon_dp_release_count('orders', 0.5)"
    rows, price = asked(f"SELECT {call} FROM generate_series(1, 6)")
    assert price == 3
    rows, price = asked(f"SELECT {call}, {call}")
    assert price == 1
    rows, price = asked("SELECT r.value FROM generate_series(1, 4) AS i, LATERAL anon_dp_release("
                        "'orders', '[{\"count\": \"*\"}]', 0.5, filter => jsonb_build_array("
                        "jsonb_build_array('age', '>', i - i))) AS r")
    assert price == 2
    # Looked at again, it is the same answer.
    rows, price = asked("WITH r AS MATERIALIZED (SELECT value FROM anon_dp_release('orders',"
                        " '[{\"count\": \"*\"}]', 0.5)) SELECT a.value, b.value FROM r a, r b")
    assert rows[0][0] == rows[0][1] and float(price) == 0.5
    rows, price = asked("SELECT i, value FROM generate_series(1, 5) AS i LEFT JOIN anon_dp_release("
                        "'orders', '[{\"count\": \"*\"}]', 0.5) ON true")
    assert len({value for _, value in rows}) * 0.5 <= float(price)


def test_a_part_of_an_answer_costs_all_of_it(asking):
    release = ("SELECT value FROM anon_dp_release('orders', '[{\"count\": \"*\"}, {\"rows\": 2}]', 1,"
               " '{sex}')")
    asking.execute(f"BEGIN; DECLARE c SCROLL CURSOR WITH HOLD FOR {release}")
    first = asking.value("FETCH 1 FROM c")
    assert spent(asking) == 1
    assert asking.column("FETCH ALL FROM c") and asking.value("FETCH FIRST FROM c") == first
    asking.execute("COMMIT")
    assert asking.value("FETCH FIRST FROM c") == first and spent(asking) == 1
    asking.execute("CLOSE c")
    assert asking.value(f"{release} LIMIT 1") is not None and spent(asking) == 2
    asking.execute(f"BEGIN; SAVEPOINT s; {release}; ROLLBACK TO s; ROLLBACK")
    assert spent(asking) == 3
    for isolation in ("REPEATABLE READ", "SERIALIZABLE"):
        asking.execute(f"BEGIN ISOLATION LEVEL {isolation}")
        one = asking.rows(release), asking.rows(release)
        asking.execute("COMMIT")
        assert one[0] != one[1]
    assert spent(asking) == 7
    asking.execute(f"PREPARE p AS {release}; SET plan_cache_mode = force_generic_plan")
    assert asking.rows("EXECUTE p") != asking.rows("EXECUTE p")
    assert spent(asking) == 9
    assert asking.rows(f"EXPLAIN {release}") and spent(asking) == 9


def test_who_lends_a_function_lends_no_budget(asking):
    db = asking.admin
    clerk = db.role("clerk")
    db.execute("SELECT anon_dp_budget_grant('research', session_user::text);"
               " CREATE FUNCTION app.lent() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
               " AS $$ SELECT anon_dp_release_count('orders', 1) $$;"
               f" GRANT USAGE ON SCHEMA app TO {clerk}")
    session = db.session(clerk)
    session.refused("42501", "SELECT app.lent()")
    assert spent(asking) == 0


def test_a_role_of_the_same_name_is_another_one(asking):
    db = asking.admin
    asking.value("SELECT anon_dp_release_count('orders', 1)")
    asking.connection.close()
    db.execute(f"DROP OWNED BY {asking.role}; DROP ROLE {asking.role}; CREATE ROLE {asking.role} LOGIN;"
               f" SELECT confiture.grant_access('analyst', '{asking.role}')")
    session = db.session(asking.role)
    session.refused("42501", "SELECT anon_dp_release_count('orders', 1)")


# What becomes of a table that is registered.


@pytest.mark.parametrize(("sqlstate", "change"), [
    ("55000", "ALTER TABLE app.orders RENAME TO other"),
    ("55000", "ALTER TABLE app.orders SET SCHEMA public"),
    ("55000", "ALTER TABLE app.orders DROP COLUMN age"),
    ("55000", "ALTER TABLE app.orders DROP COLUMN customer"),
    ("55000", "ALTER TABLE app.orders ALTER COLUMN age TYPE bigint"),
    ("55000", "ALTER TABLE app.orders ALTER COLUMN customer TYPE money USING customer::money"),
    ("55000", "DROP TABLE app.orders"),
    ("0A000", "CREATE TABLE app.child () INHERITS (app.orders)"),
    ("0A000", "ALTER TABLE app.orders RENAME TO other; CREATE VIEW app.orders AS SELECT * FROM app.other"),
    ("0A000", "DROP TABLE app.orders; CREATE EXTENSION postgres_fdw; CREATE SERVER s FOREIGN DATA WRAPPER"
     " postgres_fdw; CREATE FOREIGN TABLE app.orders (customer integer, age integer) SERVER s"),
])
def test_a_table_that_is_another_one_is_not_read(asking, sqlstate, change):
    asking.admin.execute(change)
    asking.refused(sqlstate, "SELECT anon_dp_release_count('orders', 1)")
    assert spent(asking) == 0


def test_columns_and_partitions_that_come_later_change_nothing(asking):
    db = asking.admin
    db.execute("""
        CREATE TABLE app.parted (customer integer, age integer) PARTITION BY LIST (age);
        CREATE TABLE app.young PARTITION OF app.parted FOR VALUES IN (1)""")
    register(db, {"age": {"lower": 0, "upper": 9}}, name="parted", table="app.parted")
    db.execute("CREATE TABLE app.old PARTITION OF app.parted FOR VALUES IN (2);"
               " INSERT INTO app.parted SELECT i, 1 + i % 2 FROM generate_series(1, 50) AS i;"
               " ALTER TABLE app.orders ADD secret integer DEFAULT 7")
    assert asking.value("SELECT anon_dp_release_count('parted', 900)") == 50
    asking.refused("42703", "SELECT anon_dp_release_sum('orders', 'secret', 1)")


def test_what_is_computed_by_a_look_or_gone_with_a_session_is_refused(asking):
    db = asking.admin
    db.execute("CREATE TEMP TABLE gone (customer integer, age integer)")
    db.refused("0A000", "SELECT anon_dp_register('gone', 'gone', 'customer', 'research',"
               " '{\"age\": {\"lower\": 0, \"upper\": 1}}')")
    if db.server.version < 18:
        return
    # It would fail for one row.
    db.execute("CREATE TABLE app.computed (customer integer, age integer,"
               " share integer GENERATED ALWAYS AS (100 / (age - 7)) VIRTUAL)")
    db.refused("0A000", "SELECT anon_dp_register('c', 'app.computed', 'customer', 'research',"
               " '{\"share\": {\"lower\": 0, \"upper\": 1}}')")


# A second purse.


def test_a_second_budget_for_the_same_people_is_asked_for_and_named(asking):
    db = asking.admin
    db.execute("SELECT anon_dp_budget_create('second', 5)")
    again = ("SELECT anon_dp_register('{}', 'app.orders', 'customer', '{}',"
             " '{{\"age\": {{\"lower\": 0, \"upper\": 120}}}}'{})")
    db.execute(again.format("more", "research", ""))
    report = db.refused("55000", again.format("purse", "second", ""))
    assert '"research"' in report.message_primary and "second_budget" in report.message_hint
    # Not by taking it away first either.
    db.execute("SELECT anon_dp_unregister('orders'); SELECT anon_dp_unregister('more')")
    asking.refused("42704", "SELECT anon_dp_release_count('orders', 1)")
    db.refused("55000", again.format("purse", "second", ""))
    db.execute(again.format("orders", "second", ", second_budget => true"))
    assert db.value("SELECT details -> 'beside' FROM confiture.audit_log"
                    " WHERE event = 'DATASET_REGISTERED' ORDER BY seq DESC LIMIT 1") == ["research"]
    db.execute(f"SELECT anon_dp_budget_grant('second', '{asking.role}')")
    asking.value("SELECT anon_dp_release_count('orders', 3)")
    for one, other in (("research", "second"), ("second", "research")):
        told = dict(db.rows("SELECT accounting, epsilon FROM anon_dp_budget_report(%s)", [one]))
        assert told[f'basic, with budget "{other}"'] == 3
    # All of them are one sum.
    db.execute("SELECT anon_dp_budget_create('third', 5)")
    db.execute(again.format("again", "third", ", second_budget => true"))
    db.execute(f"SELECT anon_dp_budget_grant('third', '{asking.role}')")
    asking.value("SELECT anon_dp_release_count('again', 1)")
    told = dict(db.rows("SELECT accounting, epsilon FROM anon_dp_budget_report('research')"))
    assert told['basic, with budgets "second", "third"'] == 4
    assert len(db.rows("SELECT FROM anon_dp_budget_report('second')")) == 4
